//! Words for people that the command line and the page share.

use wire::Kind;

/// What an endpoint's kind is called.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Command => "command",
        Kind::Query => "query",
        Kind::Gather => "gather",
        Kind::Handler => "handler",
        Kind::Stream => "stream",
        Kind::Local => "local",
    }
}

/// `1 MiB`, `64 KiB`, `1000 bytes`
pub fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
