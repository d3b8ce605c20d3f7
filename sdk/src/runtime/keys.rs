//! Where rows live, relative to their group.
//!
//! | key | value |
//! |---|---|
//! | `1` account `service\0` `table\0` entity row-key | [`super::value`] |
//! | `2` `service\0` due(8, big endian, ns) then the row's key | empty: the row is due at that moment |
//! | `3` … | replies kept for a client's session: the runtime's |
//! | `4` account id `service\0` `endpoint\0` entity | the reply kept under a request id: found by the id alone |
//!
//! Account and entity are escaped (`00` → `00 ff`) and end in `00 01`, so that keys sort as their parts do and no part
//! can reach into the next. Table before entity: a gather reads one dense range.

use bytes::Bytes;

const ROW: u8 = 1;
const DUE: u8 = 2;
const ONCE: u8 = 4;

/// Ends an escaped part.
const END: [u8; 2] = [0, 1];

/// Key of a row, or the prefix of many: only the kit and the runtime can make one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey(Vec<u8>);

impl RowKey {
    /// All rows of `table` in an account: what a gather scans.
    pub fn table(account: &str, service: &str, table: &str) -> RowKey {
        let mut key = Vec::with_capacity(48 + account.len());
        key.push(ROW);
        escape(account.as_bytes(), &mut key);
        name(service, &mut key);
        name(table, &mut key);
        RowKey(key)
    }

    /// All rows of one entity in `table`.
    pub fn entity(account: &str, service: &str, table: &str, entity: &str) -> RowKey {
        let mut key = RowKey::table(account, service, table);
        escape(entity.as_bytes(), &mut key.0);
        key
    }

    /// All rows of the entities in `table` whose names begin with `prefix`.
    pub fn entities(account: &str, service: &str, table: &str, prefix: &str) -> RowKey {
        let mut key = RowKey::table(account, service, table);
        escape_open(prefix.as_bytes(), &mut key.0);
        key
    }

    /// One row below this prefix.
    pub fn row(mut self, row_key: &[u8]) -> RowKey {
        self.0.extend_from_slice(row_key);
        self
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Bytes {
        self.0.into()
    }

    /// The first key behind every key with this prefix.
    pub fn end(&self) -> Vec<u8> {
        successor(&self.0)
    }
}

/// Key of the row's place in the due-ordered index.
pub fn due(service: &str, due_ns: i64, row: &[u8]) -> Bytes {
    let mut key = due_prefix(service);
    key.extend_from_slice(&(due_ns.max(0) as u64).to_be_bytes());
    key.extend_from_slice(row);
    key.into()
}

/// Key of what is kept of a call under its request id. Endpoint and entity empty: the id's tombstone in this service.
pub fn once(account: &str, id: &str, service: &str, endpoint: &str, entity: &str) -> Bytes {
    let mut key = once_prefix(account, id);
    name(service, &mut key);
    name(endpoint, &mut key);
    escape(entity.as_bytes(), &mut key);
    key.into()
}

/// All that is kept under one request id.
pub fn once_prefix(account: &str, id: &str) -> Vec<u8> {
    let mut key = vec![ONCE];
    escape(account.as_bytes(), &mut key);
    escape(id.as_bytes(), &mut key);
    key
}

/// All that is kept of the calls a handler made under the id: theirs are the handler's, a space, and a number.
pub fn once_inner(account: &str, id: &str) -> Vec<u8> {
    let mut key = once_prefix(account, &format!("{id} "));
    key.truncate(key.len() - END.len());
    key
}

/// Service, endpoint and entity of a key that [`once`] made.
pub fn parse_once(key: &[u8]) -> Option<(String, String, String)> {
    let (_account, rest) = unescape(key.strip_prefix(&[ONCE])?)?;
    let (_id, rest) = unescape(rest)?;
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let (service, endpoint, entity) = (parts.next()?, parts.next()?, parts.next()?);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some((text(service)?, text(endpoint)?, text(&unescape(entity)?.0)?))
}

/// Every index row of `service` that is due at `now_ns`.
pub fn due_until(service: &str, now_ns: i64) -> (Vec<u8>, Vec<u8>) {
    let (from, mut to) = (due_prefix(service), due_prefix(service));
    to.extend_from_slice(&(now_ns.max(0) as u64).saturating_add(1).to_be_bytes());
    (from, to)
}

/// Due moment and row key of an index row.
pub fn parse_due<'a>(service: &str, key: &'a [u8]) -> Option<(i64, &'a [u8])> {
    let rest = key.strip_prefix(due_prefix(service).as_slice())?;
    let (due, row) = rest.split_first_chunk::<8>()?;
    Some((i64::try_from(u64::from_be_bytes(*due)).ok()?, row))
}

/// The entity in a row key that begins with `table`.
pub fn entity_of(table: &RowKey, key: &[u8]) -> Option<String> {
    String::from_utf8(unescape(key.strip_prefix(table.as_bytes())?)?.0).ok()
}

fn due_prefix(service: &str) -> Vec<u8> {
    let mut key = vec![DUE];
    name(service, &mut key);
    key
}

fn name(name: &str, out: &mut Vec<u8>) {
    debug_assert!(!name.contains('\0'));
    out.extend_from_slice(name.as_bytes());
    out.push(0);
}

/// Appends `part` so that it sorts as itself and ends where it ends.
pub fn escape(part: &[u8], out: &mut Vec<u8>) {
    escape_open(part, out);
    out.extend_from_slice(&END);
}

/// As [`escape`], without an end: whatever begins as `part` does begins with these bytes.
fn escape_open(part: &[u8], out: &mut Vec<u8>) {
    for &byte in part {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
}

/// The escaped part at the front of `bytes`, and what follows it.
pub fn unescape(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut part = Vec::new();
    let mut rest = bytes;
    loop {
        match rest {
            [0, 0xff, tail @ ..] => {
                part.push(0);
                rest = tail;
            }
            [0, 1, tail @ ..] => return Some((part, tail)),
            [0, ..] | [] => return None,
            [byte, tail @ ..] => {
                part.push(*byte);
                rest = tail;
            }
        }
    }
}

/// The smallest key greater than all that begin with `prefix`. Prefixes here never are all `ff`.
pub fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end;
        }
    }
    unreachable!("a key begins with its tag, which is below ff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sort_as_themselves_and_never_overlap() {
        let mut parts = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "aa", "b", "ÿ"];
        parts.sort_unstable();
        let keys: Vec<_> = parts.iter().map(|p| RowKey::entity("acct", "s", "t", p)).collect();
        assert!(keys.is_sorted());
        for (i, key) in keys.iter().enumerate() {
            for (j, other) in keys.iter().enumerate() {
                let inside = other.clone().row(b"x");
                let found = inside.as_bytes() >= key.as_bytes() && inside.as_bytes() < key.end().as_slice();
                assert_eq!(found, i == j, "{:?} in {:?}", parts[j], parts[i]);
            }
        }
    }

    #[test]
    fn entities_by_the_beginning_of_their_names() {
        let names = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "aa", "b", "ÿ"];
        for prefix in names {
            let within = RowKey::entities("acct", "s", "t", prefix);
            for name in names {
                let key = RowKey::entity("acct", "s", "t", name);
                let found = key.as_bytes() >= within.as_bytes() && key.as_bytes() < within.end().as_slice();
                assert_eq!(found, name.starts_with(prefix), "{name:?} by {prefix:?}");
            }
        }
    }

    #[test]
    fn accounts_whose_names_share_a_prefix_share_nothing() {
        let (a, ab) = (RowKey::table("a", "cache", "values"), RowKey::table("ab", "cache", "values"));
        assert!(!ab.as_bytes().starts_with(a.as_bytes()));
        assert!(
            !RowKey::table("a\0\u{1}cache", "x", "t")
                .as_bytes()
                .starts_with(RowKey::table("a", "cache", "t").as_bytes())
        );
    }

    #[test]
    fn what_is_kept_under_an_id_is_found_by_it_and_tells_whose_it_is() {
        let key = once("a", "order 17", "cache", "Set", "k\0\u{1}ÿ");
        let parts =
            |service: &str, endpoint: &str, entity: &str| Some((service.into(), endpoint.into(), entity.into()));
        assert_eq!(parse_once(&key), parts("cache", "Set", "k\0\u{1}ÿ"));
        assert_eq!(parse_once(&once("a", "order 17", "cache", "", "")), parts("cache", "", ""));
        assert!(key.starts_with(&once_prefix("a", "order 17")) && key.starts_with(&once_inner("a", "order")));
        assert!(!key.starts_with(&once_inner("a", "order 17")) && !key.starts_with(&once_inner("a", "orde")));
        for (account, id) in [("a", "order"), ("a", "order 171"), ("b", "order 17"), ("", "aorder 17")] {
            assert!(!key.starts_with(&once_prefix(account, id)), "{account} {id}");
        }
    }

    #[test]
    fn a_due_row_tells_its_moment_and_row() {
        let row = RowKey::entity("a", "cache", "values", "k").into_bytes();
        let key = due("cache", 77, &row);
        assert_eq!(parse_due("cache", &key), Some((77, row.as_ref())));
        let (from, to) = due_until("cache", 77);
        assert!(from.as_slice() <= key.as_ref() && key.as_ref() < to.as_slice());
        assert!(due_until("cache", 76).1.as_slice() <= key.as_ref());
    }
}
