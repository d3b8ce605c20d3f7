//! A crash after every single write of an installation leaves one whole generation (P16).

use super::*;

#[test]
fn p16_a_crash_anywhere_leaves_one_whole_generation() {
    let (_, elsewhere) = memory();
    let leader = bootstrapped(&elsewhere, R1);
    apply(
        &leader,
        Applied { conf_state: Some(bytes("voters 1 2")), ..at(500, 9) },
        (0..40).map(|n| put(&format!("{n:02}"), "new")),
    );
    let new = leader.hash().expect("read");
    let chunks = chunks_of(&leader, 60);

    let watched = Arc::new(Watched::default());
    let engine: Arc<dyn Engine> = watched.clone();
    let (follower, neighbour) = (bootstrapped(&engine, R2), bootstrapped(&engine, R1));
    apply(&neighbour, at(2, 1), [put("mine", "1")]);
    engine.flush().expect("flushed");
    let (neighbours, mut olds) = (neighbour.hash().expect("read"), vec![follower.hash().expect("read")]);
    watched.images();

    // A staging that is given up half-way, then one that is installed; the old generation is applied to throughout.
    let mut lost = follower.stage().expect("staged");
    let mut index = 1;
    let mut old = |follower: &ReplicaStore| {
        index += 1;
        apply(follower, at(index, 1), [put("old", &index.to_string()), put(&format!("{:02}", index % 40), "old")]);
        follower.hash().expect("read")
    };
    for chunk in &chunks[..5] {
        lost.feed(chunk.clone()).expect("taken");
        olds.push(old(&follower));
    }
    let mut staging = follower.stage().expect("staged");
    let mut staged = None;
    for chunk in &chunks {
        staged = staging.feed(chunk.clone()).expect("taken");
        olds.push(old(&follower));
    }
    let before_flip = watched.images();
    follower.flip(&staged.expect("whole")).expect("flipped");
    let through_flip = watched.images();
    apply(&follower, at(501, 9), [put("after", "1")]);
    let after = follower.hash().expect("read");
    let after_flip = watched.images();

    let (mut was_old, mut was_new) = (0, 0);
    let mut check = |image: &Memory, may_be_old: bool, may_be: &[StateHash]| {
        // Opened twice, with a crash in between: a sweep that is lost is swept again.
        for image in [image.crash(), { reopened_engine(image.crash(), R2).crash() }] {
            let (engine, follower, neighbour) = reopened_pair(image);
            assert_eq!(neighbour.hash().expect("read"), neighbours);
            assert_eq!(strays(&*engine), [""; 0]);
            let (hash, state) = (follower.hash().expect("read"), follower.state());
            if state.generation == Generation(0) {
                assert!(may_be_old, "flipped and forgotten");
                assert!(olds.contains(&hash), "neither old nor new");
                assert_eq!(state.conf_state, bytes("voters 1"));
                was_old += 1;
            } else {
                assert!(may_be.contains(&hash), "neither old nor new");
                assert_eq!((state.generation, state.conf_state), (Generation(2), bytes("voters 1 2")));
                was_new += 1;
            }
            // And it takes the snapshot again, whatever it was.
            if state.applied < new.index {
                let staged = install(&follower, &chunks);
                follower.flip(&staged).expect("flipped");
                assert_eq!(follower.hash().expect("read"), new);
                assert_eq!(strays(&*engine), [""; 0]);
            }
        }
    };
    before_flip.iter().for_each(|image| check(image, true, &[]));
    through_flip.iter().for_each(|image| check(image, true, &[new]));
    after_flip.iter().for_each(|image| check(image, false, &[new, after]));
    assert!(was_old > 500 && was_new > 5, "old {was_old}, new {was_new}");
}

fn reopened_engine(image: Memory, replica: ReplicaId) -> Arc<Memory> {
    let engine = Arc::new(image);
    ReplicaStore::open(engine.clone(), replica).expect("opened").expect("there");
    engine
}

fn reopened_pair(image: Memory) -> (Arc<dyn Engine>, ReplicaStore, ReplicaStore) {
    let engine: Arc<dyn Engine> = Arc::new(image);
    let open = |replica| ReplicaStore::open(engine.clone(), replica).expect("opened").expect("there");
    let (follower, neighbour) = (open(R2), open(R1));
    (engine, follower, neighbour)
}
