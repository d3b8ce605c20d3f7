//! A folder over real files: one owner, one identity, and a sentence for everything else.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

const CLUSTER: ClusterId = ClusterId([0x0f; 16]);

/// A path that goes with its owner; nothing is there at first.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("commons-folder-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Place(std::env::temp_dir().join(name).join("data"))
    }

    fn settled() -> Place {
        let place = Place::new();
        let mut folder = Folder::open(&place.0).expect("opened");
        folder.settle(CLUSTER, NodeId(17)).expect("settled");
        place
    }

    fn complete() -> Place {
        let place = Place::settled();
        let mut folder = Folder::open(&place.0).expect("opened");
        for engine in [folder.log(), folder.state()] {
            fs::write(engine.join("file"), "x").expect("written");
        }
        folder.complete().expect("completed");
        place
    }

    /// The words of the refusal, with the folder's path cut out.
    fn refused(&self) -> String {
        let error = Folder::open(&self.0).expect_err("refused");
        error.to_string().replace(&self.0.display().to_string(), "DIR")
    }

    fn identity(&self) -> PathBuf {
        self.0.join(IDENTITY)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("below a folder of ours"));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn a_folder_is_made_settled_and_found_again() {
    let place = Place::new();
    let mut folder = Folder::open(&place.0).expect("opened");
    assert_eq!(folder.identity(), None);
    let first = Identity { cluster: CLUSTER, node: NodeId(17), incarnation: Incarnation(1), complete: false };
    assert_eq!(folder.settle(CLUSTER, NodeId(17)).expect("settled"), &first);
    assert!(folder.log().is_dir() && folder.state().is_dir());
    assert_eq!((mode(&place.0), mode(&place.identity()), mode(&folder.state())), (0o700, 0o600, 0o700));
    drop(folder);
    for life in 2..5 {
        let folder = Folder::open(&place.0).expect("opened");
        assert_eq!(folder.identity(), Some(&Identity { incarnation: Incarnation(life), ..first.clone() }));
    }
}

#[test]
fn an_unsettled_folder_may_be_opened_again() {
    let place = Place::new();
    for name in ["pid", "token"] {
        let folder = Folder::open(&place.0).expect("opened");
        assert_eq!(folder.identity(), None);
        fs::write(place.0.join(name), "the node's").expect("written");
    }
}

#[test]
fn the_identity_is_text_and_stays_as_it_is() {
    let identity = Identity { cluster: CLUSTER, node: NodeId(17), incarnation: Incarnation(4), complete: true };
    let text = "commons node folder\nformat 1\ncluster 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\nnode 17\nincarnation 4\ncomplete yes\ncrc b7a6b577\n";
    assert_eq!(identity.text(), text);
    assert_eq!(Identity::read(text, Path::new("identity")).expect("read"), identity);
}

#[test]
fn two_processes_are_one_too_many() {
    let place = Place::settled();
    let folder = Folder::open(&place.0).expect("opened");
    let before = fs::read(place.identity()).expect("read");
    let pid = std::process::id();
    let expected = format!(
        "DIR is in use by another Commons process (pid {pid}): stop that one, or give this node a folder of its own with --data"
    );
    assert_eq!(place.refused(), expected);
    assert_eq!(fs::read(place.identity()).expect("read"), before, "the incarnation is the owner's");
    drop(folder);
    Folder::open(&place.0).expect("free again");
}

#[test]
fn another_clusters_folder_is_refused() {
    let place = Place::settled();
    let folder = Folder::open(&place.0).expect("opened");
    folder.expect_cluster(CLUSTER).expect("its own");
    let error = folder.expect_cluster(ClusterId([1; 16])).expect_err("refused").to_string();
    assert!(error.contains("belongs to a node of cluster 0f0f"), "{error}");
    assert!(error.contains("not of 0101") && error.contains("--join"), "{error}");
    Folder::open(&Place::new().0)
        .expect("opened")
        .expect_cluster(CLUSTER)
        .expect("nobody's folder suits every cluster");
}

#[test]
fn a_newer_format_is_refused() {
    let place = Place::settled();
    let text = fs::read_to_string(place.identity()).expect("read").replace("format 1", "format 2");
    // A newer format may have any lines between the second and the last.
    let lines = text.split("cluster ").next().expect("a beginning").to_owned() + "colour green\n";
    let newer = format!("{lines}crc {:08x}\n", crc32fast::hash(lines.as_bytes()));
    fs::write(place.identity(), &newer).expect("written");
    assert_eq!(
        place.refused(),
        "DIR/identity has format 2, this binary knows 1 and older: start the newer binary again"
    );
    assert_eq!(fs::read_to_string(place.identity()).expect("read"), newer, "nothing was changed");
}

#[test]
fn a_damaged_identity_is_refused_whichever_bit_it_is() {
    let place = Place::settled();
    let whole = fs::read(place.identity()).expect("read");
    let words =
        "put back a copy of it. If there is none, remove the node from its cluster and start it on an empty folder";
    let check = |content: &[u8], what: String| {
        fs::write(place.identity(), content).expect("written");
        let refusal = place.refused();
        assert!(refusal.starts_with("DIR/identity is damaged (") && refusal.ends_with(words), "{what}: {refusal}");
    };
    for bit in 0..whole.len() * 8 {
        let mut broken = whole.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        check(&broken, format!("bit {bit}"));
    }
    for len in 0..whole.len() {
        check(&whole[..len], format!("{len} bytes"));
    }
    fs::write(place.identity(), &whole).expect("written");
    Folder::open(&place.0).expect("whole again");
}

#[test]
fn a_good_checksum_over_nonsense_is_refused() {
    for lines in [
        "",
        "x\n",
        "commons node folder\nformat x\n",
        "commons node folder\nformat 1\ncluster 0F\n",
        "commons node folder\nformat 1\n",
    ] {
        let text = format!("{lines}crc {:08x}\n", crc32fast::hash(lines.as_bytes()));
        assert!(matches!(Identity::read(&text, Path::new("identity")), Err(FolderError::Damaged { .. })), "{lines}");
    }
}

#[test]
fn a_write_that_was_cut_off_leaves_the_old_identity() {
    let place = Place::settled();
    fs::write(place.0.join("identity.new"), "commons node fol").expect("written");
    let folder = Folder::open(&place.0).expect("opened");
    assert_eq!(folder.identity().expect("settled").incarnation, Incarnation(2));
    let unsettled = Place::new();
    drop(Folder::open(&unsettled.0).expect("opened"));
    fs::write(unsettled.0.join("identity.new"), "commons node fol").expect("written");
    assert_eq!(Folder::open(&unsettled.0).expect("opened").identity(), None);
}

#[test]
fn somebody_elses_folder_is_refused_untouched() {
    let place = Place::new();
    fs::create_dir_all(place.0.join("photos")).expect("made");
    assert_eq!(place.refused(), "DIR holds `photos` and is no Commons folder: name an empty or new folder with --data");
    assert_eq!(fs::read_dir(&place.0).expect("listed").count(), 1, "not even a lock file");
}

#[test]
fn a_lost_identity_is_no_fresh_folder() {
    for engine in [LOG, STATE] {
        let place = Place::complete();
        fs::remove_file(place.identity()).expect("removed");
        let other = if engine == LOG { STATE } else { LOG };
        fs::remove_dir_all(place.0.join(other)).expect("removed");
        assert!(
            place
                .refused()
                .starts_with(&format!("DIR/identity is gone, but {engine}/ has content: put the file back."))
        );
    }
}

#[test]
fn a_lost_engine_is_refused_once_there_was_one() {
    drop(Folder::open(&Place::settled().0).expect("a node that died before its engines were made starts again"));
    for engine in [LOG, STATE] {
        for empty in [false, true] {
            let place = Place::complete();
            let life = fs::read(place.identity()).expect("read");
            fs::remove_dir_all(place.0.join(engine)).expect("removed");
            if empty {
                fs::create_dir(place.0.join(engine)).expect("made");
            }
            assert!(place.refused().starts_with(&format!("DIR has lost its {engine}/ folder: put it back.")));
            assert_eq!(fs::read(place.identity()).expect("read"), life, "a refused start is no life");
        }
    }
}

#[test]
fn what_cannot_be_written_is_said_so() {
    let place = Place::new();
    fs::create_dir_all(place.0.parent().expect("above")).expect("made");
    fs::write(&place.0, "a file").expect("written");
    assert!(place.refused().contains("cannot be used as a data folder"), "{}", place.refused());
    let table = [
        (ErrorKind::PermissionDenied, "is not writable for this user"),
        (ErrorKind::ReadOnlyFilesystem, "is not writable for this user"),
        (ErrorKind::StorageFull, "is full (testing): make room, then start again"),
        (ErrorKind::Other, "check the disk"),
    ];
    for (kind, words) in table {
        let error = FolderError::unusable(&place.0, "testing", kind.into()).to_string();
        assert!(error.contains(words), "{error}");
    }
}
