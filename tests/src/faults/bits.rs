//! Damage at rest.

use anyhow::{Context, Result, ensure};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub const PAGE: usize = 4096;

/// Flips one bit of a file; `bit` counts from the file's first.
pub fn flip(path: &Path, bit: u64) -> Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path).with_context(|| path.display().to_string())?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, bit / 8)?;
    byte[0] ^= 1 << (bit % 8);
    Ok(file.write_all_at(&byte, bit / 8)?)
}

/// Leaves the first `bytes` of a file.
pub fn cut(path: &Path, bytes: u64) -> Result<()> {
    Ok(OpenOptions::new().write(true).open(path)?.set_len(bytes)?)
}

/// The log's segments in a node's folder, oldest first.
pub fn segments(data: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(data.join("log"))?.collect::<Result<Vec<_>, _>>()?;
    let mut all: Vec<PathBuf> =
        entries.iter().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "seg")).collect();
    all.sort();
    ensure!(!all.is_empty(), "there is no segment in {}", data.display());
    Ok(all)
}

/// The last page of a segment that anything was written to.
pub fn last_written_page(segment: &Path) -> Result<u64> {
    let bytes = fs::read(segment)?;
    let page = bytes.chunks(PAGE).rposition(|page| page.iter().any(|byte| *byte != 0));
    Ok(page.context("an empty segment")? as u64)
}

/// CRC-32 (IEEE), for putting a good checksum on wrong words.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
