//! What a crash leaves.

/// How much of the unsynced a crash lets live. Synced bytes and names always live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The process was killed: what was written is there.
    Kept,
    /// Nothing that was not synced is there.
    Lost,
    /// By seed, each 4 KiB page and each change of a name by itself: what file systems and today's disks do.
    Pages,
    /// By seed, each 512 B sector by itself, in any of the versions written since the last sync: the worst a disk may do.
    /// The log calls a page torn in itself damage, the safe side: under this fate most nodes end so, soon.
    Sectors,
}
