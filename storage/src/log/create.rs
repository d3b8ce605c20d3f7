//! Making a log where there is none; a crash in between leaves nothing, or a log.

use super::damage::Found;
use super::error::{OpenError, io_error};
use super::manifest::{self, Manifest, ManifestFile, Place};
use super::open::{damage, list};
use super::options::Options;
use super::page::{Judged, PAGE, judge};
use super::segment;
use crate::disk::Disk;

/// True if the log was made now.
pub(super) fn ensure(disk: &dyn Disk, options: &Options) -> Result<bool, OpenError> {
    let names = list(disk)?;
    if names.iter().any(|name| name == manifest::NAME) {
        return Ok(false);
    }
    let manifest = Manifest {
        generation: 1,
        cluster: options.cluster,
        node: options.node,
        log: options.create.unwrap_or_default(),
        segment_pages: options.segment_pages,
        first: 1,
        first_unit: 1,
        last: 1,
        pending: None,
        marks: Vec::new(),
        cuts: 0,
    };
    for name in &names {
        let Some(number) = segment::number(name) else { continue };
        // A log being made has nothing but zeros before it has a manifest.
        if holds_something(disk, &manifest, number)? {
            let place = Place { segment: number, page: 0 };
            return Err(OpenError::MissingFile(damage(place, Found::Manifest("it is missing".to_owned()))));
        }
    }
    if options.create.is_none() {
        return Err(OpenError::NoLog);
    }
    let failed = || io_error("make the log");
    for name in names.iter().filter(|name| segment::number(name).is_some() || segment::is_spare(name)) {
        disk.remove(name).map_err(failed())?;
    }
    let make = || {
        let file = disk.create(&segment::name(1))?;
        file.zero(0, u64::from(options.segment_pages) * PAGE as u64)?;
        file.sync()?;
        disk.sync_dir()
    };
    make().map_err(failed())?;
    ManifestFile::create(disk, manifest)?;
    Ok(true)
}

/// Whether a file holds any page that its being made does not explain.
pub(super) fn holds_something(disk: &dyn Disk, manifest: &Manifest, number: u64) -> Result<bool, OpenError> {
    let Some(loaded) = segment::load(disk, number, manifest.segment_pages)? else { return Ok(false) };
    let mut pages = loaded.bytes.chunks_exact(PAGE).zip(0..);
    Ok(pages.any(|(page, at)| judge(page, manifest.log, number, at) != Judged::Old))
}
