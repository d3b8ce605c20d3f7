//! What one writer wrote last under each of its keys, so that it can be held against what the store holds.

use super::{KEYS, VALUE_BYTES};
use rand::Rng;
use rand::rngs::SmallRng;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Every key has one writer, so what it must hold in the end is certain. Together the writers choose from all keys evenly.
pub struct Book {
    writer: u64,
    writers: u64,
    tag: u64,
    /// By key: the number of the write.
    last: BTreeMap<u64, u64>,
    written: u64,
    key: String,
    value: String,
}

impl Book {
    pub fn new(writer: usize, writers: usize, tag: u64) -> Book {
        let (writer, writers) = (writer as u64, writers as u64);
        Book { writer, writers, tag, last: BTreeMap::new(), written: 0, key: String::new(), value: String::new() }
    }

    pub fn seed(&self) -> u64 {
        self.tag << 16 | self.writer
    }

    pub fn writers(&self) -> usize {
        self.writers as usize
    }

    /// What to write next; `chance` decides the key. The store answered the one before, or the round fails.
    pub fn next(&mut self, chance: u64) -> (&str, &str) {
        let key = chance % (KEYS / self.writers) * self.writers + self.writer;
        self.written += 1;
        self.last.insert(key, self.written);
        put_key(&mut self.key, key);
        put_value(&mut self.value, self.tag, key, self.written);
        (&self.key, &self.value)
    }

    /// Up to `most` keys that were written, and what each must hold.
    pub fn sample(&self, most: usize, random: &mut SmallRng) -> Vec<(String, String)> {
        let from = random.random_range(0..KEYS);
        // From a key of chance on, and around.
        let turned = self.last.range(from..).chain(self.last.range(..from));
        let expected = turned.take(most).map(|(&key, &written)| {
            let (mut name, mut value) = (String::new(), String::new());
            put_key(&mut name, key);
            put_value(&mut value, self.tag, key, written);
            (name, value)
        });
        expected.collect()
    }
}

fn put_key(out: &mut String, key: u64) {
    out.clear();
    let _ = write!(out, "key:{key:012}");
}

fn put_value(out: &mut String, tag: u64, key: u64, written: u64) {
    out.clear();
    let _ = write!(out, "{tag}/{key}/{written}/");
    out.extend(std::iter::repeat_n('v', VALUE_BYTES - out.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::BTreeSet;

    #[test]
    fn keys_have_one_writer_each_and_the_last_value_counts() {
        let mut seen = BTreeSet::new();
        for writer in 0..16 {
            let mut book = Book::new(writer, 16, 9);
            let mut keys = BTreeSet::new();
            for chance in [0, 1, 2, 1] {
                let (key, value) = book.next(chance);
                assert_eq!((key.len(), value.len()), (16, VALUE_BYTES));
                keys.insert(key.to_string());
            }
            assert!(keys.iter().all(|key| seen.insert(key.clone())), "another writer has one of {keys:?}");
            let sample = book.sample(10, &mut SmallRng::seed_from_u64(1));
            assert_eq!(sample.iter().map(|(key, _)| key.clone()).collect::<BTreeSet<_>>(), keys);
            let again = format!("9/{}/4/", 16 + writer);
            assert_eq!(sample.iter().filter(|(_, value)| value.starts_with(&again)).count(), 1);
        }
    }
}
