//! Who lives in a folder, as text that an operator can read and a checksum can vouch for.
//!
//! ```text
//! commons node folder
//! format 1
//! cluster 5f0c…
//! node 17
//! incarnation 4
//! complete yes
//! crc 1a2b3c4d
//! ```
//! The first two lines and the last are the same in every format, so that an older binary tells *newer* from *damaged*.

use super::FolderError;
use std::path::Path;
use std::str::FromStr;
use wire::ids::{ClusterId, Incarnation, NodeId};

/// The newest format of a node's folder that this binary reads and the one it writes.
pub const FORMAT: u32 = 1;

const FIRST: &str = "commons node folder";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub cluster: ClusterId,
    pub node: NodeId,
    /// Which life of the node this is; one higher at every start.
    pub incarnation: Incarnation,
    /// Both engines were made and are on disk: not to find one is a loss.
    pub complete: bool,
}

impl Identity {
    pub(super) fn text(&self) -> String {
        let complete = if self.complete { "yes" } else { "no" };
        let (node, incarnation) = (self.node.0, self.incarnation.0);
        let lines = format!(
            "{FIRST}\nformat {FORMAT}\ncluster {}\nnode {node}\nincarnation {incarnation}\ncomplete {complete}\n",
            self.cluster
        );
        let sum = crc32fast::hash(lines.as_bytes());
        format!("{lines}crc {sum:08x}\n")
    }

    pub(super) fn read(text: &str, file: &Path) -> Result<Identity, FolderError> {
        let damaged = |why| FolderError::Damaged { file: file.into(), why };
        let (lines, sum) = text.rsplit_once("crc ").ok_or_else(|| damaged("it has no checksum"))?;
        if sum != format!("{:08x}\n", crc32fast::hash(lines.as_bytes())) {
            return Err(damaged("its checksum does not match"));
        }
        let mut lines = lines.lines();
        if lines.next() != Some(FIRST) {
            return Err(damaged("it is no identity"));
        }
        let mut field = |name: &'static str| {
            let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.ok_or_else(|| damaged("a line is missing"))
        };
        let format: u32 = number(field("format")?).ok_or_else(|| damaged("its format is no number"))?;
        if format > FORMAT {
            return Err(FolderError::Newer { file: file.into(), format });
        }
        Ok(Identity {
            cluster: cluster(field("cluster")?).ok_or_else(|| damaged("its cluster id is none"))?,
            node: NodeId(number(field("node")?).ok_or_else(|| damaged("its node id is none"))?),
            incarnation: Incarnation(number(field("incarnation")?).ok_or_else(|| damaged("its incarnation is none"))?),
            complete: match field("complete")? {
                "yes" => true,
                "no" => false,
                _ => return Err(damaged("complete is neither yes nor no")),
            },
        })
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn cluster(text: &str) -> Option<ClusterId> {
    // Exactly the digits `Display` writes, no sign or capital that another reader might take otherwise.
    let id = ClusterId(u128::from_str_radix(text, 16).ok()?.to_be_bytes());
    (id.to_string() == text).then_some(id)
}
