//! What happened, line by line: hashed always, kept or printed on demand.

use std::fmt::{Arguments, Write};

/// Collects the lines of one run.
#[derive(Default)]
pub struct Trace {
    hash: u64,
    line: String,
    kept: Option<String>,
    echo: bool,
}

impl Trace {
    /// Keeps the text too, for byte-by-byte comparison.
    pub fn kept() -> Trace {
        Trace { kept: Some(String::new()), ..Trace::default() }
    }

    /// Prints each line to stdout.
    pub fn echoed() -> Trace {
        Trace { echo: true, ..Trace::default() }
    }

    pub fn line(&mut self, now: u64, what: Arguments<'_>) {
        self.line.clear();
        let _ = writeln!(self.line, "{:>6}.{:06} {what}", now / 1_000_000, now % 1_000_000);
        self.hash = mix(self.hash, checksum(self.line.as_bytes()));
        if let Some(kept) = &mut self.kept {
            kept.push_str(&self.line);
        }
        if self.echo {
            print!("{}", self.line);
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn text(&self) -> Option<&str> {
        self.kept.as_deref()
    }
}

/// Order-dependent mixing of two words.
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = (a ^ b.rotate_left(32)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A checksum of bytes, eight at a time.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut hash = bytes.len() as u64;
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        hash = (hash ^ u64::from_le_bytes(eight)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
    let tail = words.remainder().iter().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
    mix(hash, tail)
}
