//! For a cluster of one after damage: nobody else has what is lost, so an operator decides to go on without it (P17).

use super::batch::{HardState, LogBatch, ReplicaAppend, Start};
use super::cut;
use super::damage::Damage;
use super::error::OpenError;
use super::manifest::{Mark, Place, Why};
use super::open::{read_manifest, survey, take_lock};
use super::options::Options;
use super::replay::Trouble;
use super::scan::End;
use super::writer::Log;
use crate::disk::Disk;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::ids::{Index, ReplicaId};

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Each damage that was cut away, with what it may have taken. Empty: there was nothing to repair.
    pub damages: Vec<Damage>,
    /// The cuts, as they are written in the log for good.
    pub marks: Vec<Mark>,
    /// Replicas of which even entries in front of the damage could not be kept, and where they start again, empty. Their
    /// commit mark is taken back to there: the consensus core refuses a log that ends before its commit.
    pub emptied: BTreeMap<ReplicaId, Start>,
    /// Up to where each replica's log goes now.
    pub kept: BTreeMap<ReplicaId, Index>,
}

/// Each cut leaves less; one more than a manifest that is too old needs.
const CUTS_MAX: usize = 4;

impl Log {
    /// Cuts the log at its damage. That it does is durable before it is done, and stays: see [`super::Recovered::marks`].
    ///
    /// Acknowledged entries, votes and commit marks behind the damage are lost. Only for a node that is a cluster of its own:
    /// with others alive its replicas are replaced instead, for they may have voted in what is cut.
    pub fn repair(disk: Arc<dyn Disk>, options: &Options) -> Result<Repaired, OpenError> {
        let lock = take_lock(&*disk)?;
        let mut manifest = read_manifest(&*disk, options)?;
        cut::finish(&*disk, &mut manifest)?;
        let mut repaired = Repaired::default();
        let mut replayed = loop {
            match survey(&*disk, &manifest) {
                Ok(replayed) => break replayed,
                Err(Trouble::Damage { damage, unit }) if repaired.damages.len() < CUTS_MAX => {
                    let mark = Mark { why: Why::Repaired, place: damage.place, unit };
                    cut::cut(&*disk, &mut manifest, mark)?;
                    repaired.damages.push(*damage);
                    repaired.marks.push(mark);
                }
                Err(trouble) => return Err(trouble.into()),
            }
        };
        let holed = replayed.with_holes();
        if repaired.damages.is_empty() && holed.is_empty() {
            repaired.kept = replayed.ends();
            return Ok(repaired);
        }
        if let Some(End::Torn { page }) = replayed.end {
            let place = Place { segment: manifest.now.last, page };
            cut::cut(&*disk, &mut manifest, Mark { why: Why::Torn, place, unit: replayed.next_unit })?;
            replayed.end = Some(End::Open { page });
        }
        let mut log = Log::start(disk, lock, options, manifest, replayed)?;
        // Their older entries had been purged behind the cut; what is left of them hangs in the air.
        let mut batch = LogBatch::default();
        for replica in holed {
            let Some(known) = log.ledger.replicas.get(&replica) else { continue };
            let (start, hard) = (known.start, known.hard);
            repaired.emptied.insert(replica, start);
            batch.appends.push(ReplicaAppend {
                replica,
                reset: Some(start),
                entries: Vec::new(),
                hard_state: Some(HardState { commit: hard.commit.min(start.index), ..hard }),
                purge: None,
                destroy: false,
            });
        }
        log.append(&batch)?;
        repaired.kept = log.ledger.replicas.iter().map(|(replica, log)| (*replica, log.last())).collect();
        Ok(repaired)
    }
}
