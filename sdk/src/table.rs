//! What an entity holds: single rows and ordered tables, declared as statics.

use crate::runtime::{broken_row, cursor, keys, value::Value};
use crate::{Bytes, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;
use wire::codec;

/// How a table's values are stored: its name, the version of their type, and how older ones are read.
pub struct Layout<V> {
    pub(crate) name: &'static str,
    pub(crate) version: u8,
    pub(crate) expiring: bool,
    older: [Option<(u8, ReadOlder<V>)>; 4],
}

/// Decodes a value of an older version.
type ReadOlder<V> = fn(&[u8]) -> Result<V, codec::CodecError>;

impl<V: Serialize + DeserializeOwned> Layout<V> {
    const fn new(name: &'static str) -> Self {
        Layout { name, version: 1, expiring: false, older: [None, None, None, None] }
    }

    pub(crate) fn encode(&self, value: &V, due_ns: i64) -> Result<bytes::Bytes> {
        let payload = codec::encode(value).map_err(|e| broken_row(self.name, e))?;
        if payload.len() > crate::runtime::value::ROW_BYTES_MAX {
            let bytes = payload.len();
            return Err(wire::error::reasons::TOO_LARGE
                .refuse(format!("a row of table {} would take {bytes} bytes", self.name)));
        }
        Ok(Value::encode(self.version, due_ns, &payload))
    }

    pub(crate) fn decode(&self, stored: &Value) -> Result<V> {
        let payload = &stored.payload;
        let older = self.older.iter().flatten().find(|(version, _)| *version == stored.version);
        match (older, stored.version == self.version) {
            (_, true) => codec::decode(payload).map_err(|e| broken_row(self.name, e)),
            (Some((_, read)), _) => read(payload).map_err(|e| broken_row(self.name, e)),
            (None, _) => {
                let (found, ours) = (stored.version, self.version);
                let why = if found > ours { "upgrade it" } else { "declare how it is read with .from()" };
                Err(broken_row(self.name, format!("it has version {found}, this program reads {ours}: {why}")))
            }
        }
    }
}

macro_rules! versions {
    () => {
        /// The version of the value's type: raise it with every change, and say how the one before is read with `from`.
        pub const fn version(mut self, version: u8) -> Self {
            self.layout.version = version;
            self
        }

        /// Rows of an older `version` hold an `Old` and are read through `V: From<Old>`.
        pub const fn from<Old: DeserializeOwned>(mut self, version: u8) -> Self
        where
            V: From<Old>,
        {
            let mut slot = 0;
            while self.layout.older[slot].is_some() {
                slot += 1;
            }
            self.layout.older[slot] = Some((version, |bytes| codec::decode::<Old>(bytes).map(V::from)));
            self
        }

        /// Its rows may have an end: needed for `put_until`, costs a look at the old row on every write.
        pub const fn expiring(mut self) -> Self {
            self.layout.expiring = true;
            self
        }

        pub fn name(&self) -> &'static str {
            self.layout.name
        }
    };
}

/// One value an entity.
pub struct Row<V> {
    pub(crate) layout: Layout<V>,
}

impl<V: Serialize + DeserializeOwned> Row<V> {
    /// `name` is part of every key: unique within the service, never changed.
    pub const fn new(name: &'static str) -> Row<V> {
        Row { layout: Layout::new(name) }
    }

    versions!();
}

/// Many values an entity, in key order.
pub struct Table<K, V> {
    pub(crate) layout: Layout<V>,
    key: PhantomData<fn() -> K>,
}

impl<K: TableKey, V: Serialize + DeserializeOwned> Table<K, V> {
    /// `name` is part of every key: unique within the service, never changed.
    pub const fn new(name: &'static str) -> Table<K, V> {
        Table { layout: Layout::new(name), key: PhantomData }
    }

    /// The cursor of a page that ended with `last`, for a function that makes its pages itself.
    pub fn cursor(&self, last: &K) -> String {
        cursor::write(&key_bytes(last))
    }

    /// The key behind which the page of this cursor begins; `None` = from the start.
    pub fn behind(&self, cursor: &str) -> Result<Option<K>> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let last = cursor::read(cursor)?;
        K::read(&last).filter(|(_, rest)| rest.is_empty()).map(|(last, _)| Some(last)).ok_or_else(cursor::foreign)
    }

    versions!();
}

/// A key whose bytes sort as its values do.
pub trait TableKey: Sized {
    fn write(&self, out: &mut Vec<u8>);
    /// The key at the front of `bytes`, and the rest.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])>;
}

impl TableKey for String {
    fn write(&self, out: &mut Vec<u8>) {
        keys::escape(self.as_bytes(), out);
    }
    fn read(bytes: &[u8]) -> Option<(String, &[u8])> {
        let (part, rest) = keys::unescape(bytes)?;
        Some((String::from_utf8(part).ok()?, rest))
    }
}

impl TableKey for Bytes {
    fn write(&self, out: &mut Vec<u8>) {
        keys::escape(&self.0, out);
    }
    fn read(bytes: &[u8]) -> Option<(Bytes, &[u8])> {
        let (part, rest) = keys::unescape(bytes)?;
        Some((Bytes(part), rest))
    }
}

macro_rules! unsigned {
    ($($t:ty),*) => {$(
        impl TableKey for $t {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(bytes: &[u8]) -> Option<($t, &[u8])> {
                let (head, rest) = bytes.split_first_chunk()?;
                Some((<$t>::from_be_bytes(*head), rest))
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64, u128);

impl TableKey for i64 {
    /// The sign bit is flipped, so that negative keys come first.
    fn write(&self, out: &mut Vec<u8>) {
        ((*self as u64) ^ (1 << 63)).write(out);
    }
    fn read(bytes: &[u8]) -> Option<(i64, &[u8])> {
        let (key, rest) = u64::read(bytes)?;
        Some(((key ^ (1 << 63)) as i64, rest))
    }
}

impl<A: TableKey, B: TableKey> TableKey for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(bytes: &[u8]) -> Option<((A, B), &[u8])> {
        let (a, rest) = A::read(bytes)?;
        let (b, rest) = B::read(rest)?;
        Some(((a, b), rest))
    }
}

pub(crate) fn key_bytes<K: TableKey>(key: &K) -> Vec<u8> {
    let mut out = Vec::new();
    key.write(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<K: TableKey + PartialEq + std::fmt::Debug>(keys: Vec<K>) {
        let bytes: Vec<_> = keys.iter().map(key_bytes).collect();
        assert!(bytes.is_sorted(), "{keys:?}");
        for (key, bytes) in keys.iter().zip(&bytes) {
            let (back, rest) = K::read(bytes).unwrap();
            assert_eq!((&back, rest.len()), (key, 0));
        }
    }

    #[test]
    fn keys_sort_as_their_values() {
        sorted(vec![i64::MIN, -256, -1, 0, 1, 255, 256, i64::MAX]);
        sorted(vec![0_u64, 1, 255, 256, u64::MAX]);
        sorted(["", "\0", "\0b", "a", "a\0", "aa", "b", "é"].map(String::from).to_vec());
        sorted(vec![("a".to_string(), 2_u64), ("a".to_string(), 3), ("a\0".to_string(), 0), ("b".to_string(), 1)]);
    }

    /// Rows lie under these bytes: a changed encoding loses them all.
    #[test]
    fn the_encoding_of_keys_is_frozen() {
        assert_eq!(key_bytes(&"a\0b".to_string()), *b"a\0\xffb\0\x01");
        assert_eq!(key_bytes(&Bytes(vec![0, 255])), [0, 255, 255, 0, 1]);
        assert_eq!((key_bytes(&7_u8), key_bytes(&258_u32)), (vec![7], vec![0, 0, 1, 2]));
        assert_eq!(
            (key_bytes(&-1_i64), key_bytes(&1_i64)),
            (vec![127, 255, 255, 255, 255, 255, 255, 255], vec![128, 0, 0, 0, 0, 0, 0, 1])
        );
        assert_eq!(key_bytes(&("a".to_string(), 3_u16)), *b"a\0\x01\0\x03");
    }

    #[test]
    fn a_cursor_leads_back_to_its_key() {
        let table: Table<(String, u16), ()> = Table::new("t");
        let key = ("a\0".to_string(), 7);
        assert_eq!(table.behind(&table.cursor(&key)).unwrap(), Some(key));
        assert_eq!(table.behind("").unwrap(), None);
        for foreign in ["0", "1ff", &format!("{}00", table.cursor(&("a".into(), 7)))] {
            assert_eq!(table.behind(foreign).unwrap_err().code, 400, "{foreign}");
        }
    }

    #[test]
    fn an_older_row_is_read_through_from() {
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        struct V1(u32);
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        struct V2(u32, String);
        impl From<V1> for V2 {
            fn from(old: V1) -> V2 {
                V2(old.0, "new".into())
            }
        }
        static OLD: Row<V1> = Row::new("r");
        static NEW: Row<V2> = Row::new("r").version(2).from::<V1>(1);
        let stored = |bytes| Value::decode("r", bytes).unwrap();
        assert_eq!(NEW.layout.decode(&stored(OLD.layout.encode(&V1(7), 0).unwrap())).unwrap(), V2(7, "new".into()));
        let newer = stored(NEW.layout.encode(&V2(1, String::new()), 0).unwrap());
        assert!(OLD.layout.decode(&newer).unwrap_err().detail.ends_with("version 2, this program reads 1: upgrade it"));
        static FORGOT: Row<V2> = Row::new("r").version(2);
        let old = stored(OLD.layout.encode(&V1(7), 0).unwrap());
        assert!(FORGOT.layout.decode(&old).unwrap_err().detail.ends_with("declare how it is read with .from()"));
    }
}
