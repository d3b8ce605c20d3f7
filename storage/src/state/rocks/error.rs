//! What RocksDB says, sorted into what the node does about it.

use crate::state::Error;
use rocksdb::ErrorKind;

pub fn classified(error: rocksdb::Error) -> Error {
    let kind = error.kind();
    let words = error.into_string();
    match kind {
        ErrorKind::Corruption => Error::Corrupt(words),
        // RocksDB has a code for it, its C interface only the words.
        ErrorKind::IOError if words.contains("No space left on device") || words.contains("Disk quota exceeded") => {
            Error::Full(words)
        }
        _ => Error::Io(words),
    }
}
