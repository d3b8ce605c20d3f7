//! The types of ids, by name.

/// One line of the table in the service's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Uuid,
    Ulid,
    Ksuid,
    Xid,
    Nanoid,
    Shortid,
    Snowflake,
    Bigflake,
    UuidV7,
    UuidV1,
    Cuid2,
    ObjectId,
    Sqid,
}

/// In the order in which `Types` lists them: the original's eight, then ours.
pub const KINDS: [Kind; 13] = [
    Kind::Uuid,
    Kind::Ulid,
    Kind::Ksuid,
    Kind::Xid,
    Kind::Nanoid,
    Kind::Shortid,
    Kind::Snowflake,
    Kind::Bigflake,
    Kind::UuidV7,
    Kind::UuidV1,
    Kind::Cuid2,
    Kind::ObjectId,
    Kind::Sqid,
];

impl Kind {
    /// As callers write it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Uuid => "uuid",
            Kind::Ulid => "ulid",
            Kind::Ksuid => "ksuid",
            Kind::Xid => "xid",
            Kind::Nanoid => "nanoid",
            Kind::Shortid => "shortid",
            Kind::Snowflake => "snowflake",
            Kind::Bigflake => "bigflake",
            Kind::UuidV7 => "uuidv7",
            Kind::UuidV1 => "uuidv1",
            Kind::Cuid2 => "cuid2",
            Kind::ObjectId => "objectid",
            Kind::Sqid => "sqid",
        }
    }

    pub fn named(name: &str) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.name() == name)
    }
}
