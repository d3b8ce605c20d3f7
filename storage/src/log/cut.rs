//! Cutting: decided and written down first, then done. A crash in between finds the decision and finishes it.

use super::error::{OpenError, io_error};
use super::manifest::{ManifestFile, Mark};
use super::page::PAGE;
use super::segment;
use crate::disk::Disk;
use std::io;

/// Writes down that everything from the mark on is cut, then cuts it.
///
/// The order is the point: after the cut nothing else tells that there was one, so a node that crashed in between would
/// find a clean log and vote as if nothing had been lost. (`tests::cut` fails if the two are swapped.)
pub(super) fn cut(disk: &dyn Disk, manifest: &mut ManifestFile, mark: Mark) -> Result<(), OpenError> {
    manifest.now.mark(mark);
    manifest.now.pending = Some(mark.place);
    manifest.write().map_err(io_error("write down that the log is cut"))?;
    finish(disk, manifest)
}

/// Carries out the cut that the manifest has pending, if any; doing it twice does no harm.
pub(super) fn finish(disk: &dyn Disk, manifest: &mut ManifestFile) -> Result<(), OpenError> {
    let Some(place) = manifest.now.pending else { return Ok(()) };
    let failed = || io_error("cut the log");
    let name = segment::name(place.segment);
    let file = match disk.open(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(&name).map_err(failed())?,
        opened => opened.map_err(failed())?,
    };
    let len = u64::from(manifest.now.segment_pages) * PAGE as u64;
    file.zero(u64::from(place.page) * PAGE as u64, len).map_err(failed())?;
    file.sync().map_err(failed())?;
    for name in disk.list().map_err(failed())? {
        if segment::number(&name).is_some_and(|number| number > place.segment) {
            disk.remove(&name).map_err(failed())?;
        }
    }
    disk.sync_dir().map_err(failed())?;
    manifest.now.last = place.segment;
    manifest.now.pending = None;
    manifest.write().map_err(failed())
}
