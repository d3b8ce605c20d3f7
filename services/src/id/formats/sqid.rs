//! Sqids: numbers as short texts in a shuffled alphabet, kept clear of rude words; by the reference crate.

use sqids::Sqids;

/// One number. `None` only when no text for it is free of rude words.
pub fn encode(number: u64) -> Option<String> {
    Sqids::default().encode(&[number]).ok()
}

/// Only the text that [`encode`] writes: the format itself reads others as the same number.
pub fn decode(text: &str) -> Option<u64> {
    let sqids = Sqids::default();
    let [number] = sqids.decode(text)[..] else { return None };
    sqids.encode(&[number]).is_ok_and(|canonical| canonical == text).then_some(number)
}
