//! When this node was started lately, and how long it waits before it gossips if it keeps dying.
//!
//! Each life of a node is a new entry in everybody's table (LESSONS §2). A node that dies again and again within seconds would fill
//! them; so it waits, longer each time, *before* it gossips. The times are in the data folder:
//!
//! ```text
//! commons starts 1
//! 1764028800000 0
//! 1764028803000 1000
//! ```
//! A line is a start: its time in ms since 1970, and how long it waited. Damage or loss of the file costs a few quick restarts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The file's name in the data folder.
pub const FILE: &str = "starts";
const FIRST: &str = "commons starts 1";

/// Starts that are remembered.
const KEPT: usize = 8;
/// A life shorter than this, after it began to gossip, is a crash.
const SHORT: Duration = Duration::from_secs(10);
/// So many short lives in a row are let pass: somebody restarts it by hand.
const FREE: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Below chitchat's memory of the dead, so that there is never more than one old entry.
const LONGEST_WAIT: Duration = Duration::from_secs(16);

/// One start of this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    pub at: SystemTime,
    /// Before it gossiped.
    pub waited: Duration,
}

/// How long to wait before gossiping: the starts before this one, oldest first, and now.
pub fn backoff(before: &[Started], now: SystemTime) -> Duration {
    let next = before.iter().skip(1).map(|started| started.at).chain([now]);
    let lives = before.iter().zip(next).map(|(started, next)| {
        // A clock that was set back says nothing about the life.
        next.duration_since(started.at).ok().map(|time| time.saturating_sub(started.waited))
    });
    let lives: Vec<Option<Duration>> = lives.collect();
    let short = lives.iter().rev().take_while(|life| life.is_some_and(|life| life < SHORT)).count() as u32;
    match short.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => LONGEST_WAIT.min(FIRST_WAIT * 2u32.pow(doublings.min(16))),
    }
}

/// Notes this start in the data folder, in which a node has settled, and says how long to wait before gossip is started. Not to be able to write is an error
/// that need not end the start; what cannot be read counts as no start.
pub fn record(dir: &Path, now: SystemTime) -> io::Result<Duration> {
    let path = dir.join(FILE);
    let mut starts = read(&path);
    let waited = backoff(&starts, now);
    starts.push(Started { at: now, waited });
    let first = starts.len().saturating_sub(KEPT);
    write(&path, &starts[first..])?;
    Ok(waited)
}

fn read(path: &Path) -> Vec<Started> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(FIRST) {
        return Vec::new();
    }
    let started = |line: &str| {
        let (at, waited) = line.split_once(' ')?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at.parse().ok()?))?;
        Some(Started { at, waited: Duration::from_millis(waited.parse().ok()?) })
    };
    lines.filter_map(started).collect()
}

/// Whole or not at all. Not synced: what a power cut takes is not missed.
fn write(path: &Path, starts: &[Started]) -> io::Result<()> {
    let mut text = format!("{FIRST}\n");
    for started in starts {
        let at = started.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        text += &format!("{} {}\n", at.as_millis(), started.waited.as_millis());
    }
    let new = path.with_extension("new");
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    /// Starts a node that lives so long each time, and says what it waited.
    fn waits(life: u64, starts: usize) -> Vec<u64> {
        let (mut before, mut now) = (Vec::new(), 0);
        for _ in 0..starts {
            let first = before.len().saturating_sub(KEPT);
            let waited = backoff(&before[first..], at(now));
            before.push(Started { at: at(now), waited });
            now += waited.as_secs() + life;
        }
        before.iter().map(|started| started.waited.as_secs()).collect()
    }

    #[test]
    fn a_crash_loop_waits_longer_each_time() {
        assert_eq!(waits(1, 12), [0, 0, 0, 1, 2, 4, 8, 16, 16, 16, 16, 16]);
    }

    #[test]
    fn a_node_that_lives_does_not_wait() {
        assert_eq!(waits(10, 12), [0; 12]);
    }

    #[test]
    fn one_long_life_ends_the_row() {
        let before: Vec<_> = [0, 1, 2, 3, 4].map(|s| Started { at: at(s), waited: Duration::ZERO }).into();
        assert_eq!(backoff(&before, at(5)), Duration::from_secs(4));
        assert_eq!(backoff(&before, at(15)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_went_back_is_no_crash() {
        let before: Vec<_> = [90, 91, 92, 93, 94].map(|s| Started { at: at(s), waited: Duration::ZERO }).into();
        assert_eq!(backoff(&before, at(0)), Duration::ZERO);
        assert_eq!(backoff(&[], at(0)), Duration::ZERO);
    }

    #[test]
    fn the_file_keeps_the_last_eight() {
        let dir = Dir::new("kept");
        for start in 0..20 {
            record(&dir.0, at(100 * start)).unwrap();
        }
        let kept = read(&dir.0.join(FILE));
        assert_eq!(kept.first().map(|started| started.at), Some(at(1200)));
        assert_eq!(kept.len(), KEPT);
        for start in 0..4 {
            record(&dir.0, at(2000 + start)).unwrap();
        }
        assert_eq!(record(&dir.0, at(2004)).unwrap(), Duration::from_secs(2));
    }

    #[test]
    fn what_cannot_be_read_is_no_start() {
        let dir = Dir::new("damaged");
        for text in
            ["", "commons starts 2\n1 1\n", "commons starts 1\nx y\n99999999999999999999999 0\n5\n", "\u{0}\u{1}"]
        {
            fs::write(dir.0.join(FILE), text).unwrap();
            assert_eq!(read(&dir.0.join(FILE)), [], "{text:?}");
            assert_eq!(record(&dir.0, at(0)).unwrap(), Duration::ZERO);
        }
        assert!(record(&dir.0.join("nowhere"), at(0)).is_err());
    }

    struct Dir(std::path::PathBuf);

    impl Dir {
        fn new(name: &str) -> Dir {
            let dir = std::env::temp_dir().join(format!("gossip-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Dir(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
