//! Segment files: their names, and how one is read.

use super::damage::Found;
use super::error::{OpenError, io_error};
use super::page::PAGE;
use crate::disk::{Disk, File};
use std::io;

const SUFFIX: &str = ".seg";
const SPARE: &str = "spare-";

pub(super) fn name(segment: u64) -> String {
    format!("{segment:016}{SUFFIX}")
}

/// The number in a segment's name.
pub(super) fn number(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

/// A dead segment's file, kept to be written again. Whatever it holds, it is zeroed before that.
pub(super) fn spare_name(segment: u64) -> String {
    format!("{SPARE}{segment:016}")
}

pub(super) fn is_spare(name: &str) -> bool {
    name.starts_with(SPARE)
}

/// A segment's file and all its bytes.
pub(super) struct Loaded {
    pub file: Box<dyn File>,
    pub bytes: Vec<u8>,
    /// The file is too short; the bytes it lacks are zero here.
    pub short: Option<Found>,
}

/// Opens a segment and reads all of it; `None` if there is no such file.
pub(super) fn load(disk: &dyn Disk, segment: u64, pages: u32) -> Result<Option<Loaded>, OpenError> {
    let failed = || io_error("read a segment");
    let file = match disk.open(&name(segment)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed())?,
    };
    let expected = u64::from(pages) * PAGE as u64;
    let len = file.len().map_err(failed())?;
    let short = (len < expected).then_some(Found::Short { bytes: len, expected });
    let mut bytes = vec![0; expected as usize];
    let there = len.min(expected) as usize;
    if let Err(source) = file.read_at(&mut bytes[..there], 0) {
        // A page the medium cannot give back is damage of that page: it is judged like the others. If it gives none, it is
        // the machine that fails, and nothing can be said of the log.
        let mut readable = false;
        for (at, page) in bytes[..there].chunks_mut(PAGE).enumerate() {
            match file.read_at(page, at as u64 * PAGE as u64) {
                Ok(()) => readable = true,
                Err(_) => page.fill(0xff),
            }
        }
        if !readable {
            return Err(failed()(source));
        }
    }
    Ok(Some(Loaded { file, bytes, short }))
}
