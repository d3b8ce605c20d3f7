use super::*;
use crate::kit;
use crate::shard::ReplyTo;
use bytes::Bytes;
use cluster::entry::Entry;
use cluster::group::{Done, ReadDone};
use rand::SeedableRng;
use sdk::runtime::Run;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use storage::replica::{Generation, ReplicaState};
use storage::state::Memory;
use tokio::sync::oneshot;
use wire::ids::{GroupId, Index, ReplicaId, Term};
use wire::rpc::RequestId;
use wire::{Endpoint, Outcome};

/// A group of several voters, played by the test.
#[derive(Default)]
struct Played {
    leading: Mutex<Option<Term>>,
    proposals: Mutex<Vec<(Entry, Done)>>,
    reads: Mutex<Vec<ReadDone>>,
}

impl Group for Played {
    fn id(&self) -> GroupId {
        GroupId(1)
    }
    fn leading(&self) -> Option<Term> {
        *self.leading.lock().unwrap()
    }
    fn leader(&self) -> Option<wire::ids::ReplicaId> {
        None
    }

    fn sole(&self) -> Option<Term> {
        None
    }
    fn propose(&self, _: Term, entry: Entry, done: Done) {
        self.proposals.lock().unwrap().push((entry, done));
    }
    fn read(&self, done: ReadDone) {
        self.reads.lock().unwrap().push(done);
    }
}

#[derive(Default)]
struct Waiting(Mutex<VecDeque<Command>>);

impl Inbox for Waiting {
    fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
    fn drain(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Scene {
    host: Host,
    group: Arc<Played>,
    inbox: Arc<Waiting>,
    ended: Arc<Mutex<VecDeque<Ended>>>,
    now: Now,
}

impl Scene {
    fn new() -> Scene {
        let state = ReplicaState {
            generation: Generation(0),
            applied: Index(1),
            applied_term: Term(1),
            conf_state: Bytes::new(),
        };
        let (group, inbox): (Arc<Played>, Arc<Waiting>) = Default::default();
        *group.leading.lock().unwrap() = Some(Term(7));
        let place = Place {
            service: Arc::new(kit::service()),
            group: group.clone(),
            rows: Slot::of(ReplicaStore::bootstrap(Arc::new(Memory::new()), ReplicaId(2), state).unwrap()),
            inbox: inbox.clone(),
            key: [3; 32],
        };
        let ended: Arc<Mutex<VecDeque<Ended>>> = Arc::default();
        let post = ended.clone();
        let post: Post = Arc::new(move |how| post.lock().unwrap().push_back(how));
        let now = Now { time: wire::Rfc3339(1_000_000), instant: Instant::now() };
        Scene { host: Host::new(place, post, StdRng::seed_from_u64(1)), group, inbox, ended, now }
    }

    /// A command arrives.
    fn arrive(&mut self, by: i64) -> oneshot::Receiver<Result<Bytes, wire::Error>> {
        let request = kit::BumpRequest { entity: "e".into(), by };
        let service = kit::service();
        let Some((_, Run::Command(run))) = service.run("Bump") else { panic!("no command") };
        let (reply, answer) = oneshot::channel();
        self.inbox.0.lock().unwrap().push_back(Command {
            account: "alice".into(),
            entity: "e".into(),
            endpoint: Endpoint::of::<kit::BumpRequest>(),
            run: run.clone(),
            request_id: RequestId::None,
            body: wire::endpoint::encode(&request).unwrap().into(),
            deadline: self.now.instant + Duration::from_secs(60),
            reply: ReplyTo::new(reply),
        });
        self.host.advance(self.now);
        answer
    }

    /// The oldest proposal ends, and the shard hears of it.
    fn end(&mut self, how: Settled) -> Entry {
        let (entry, done) = self.group.proposals.lock().unwrap().remove(0);
        done(how);
        while let Some(ended) = { self.ended.lock().unwrap().pop_front() } {
            self.host.settled(ended, self.now);
        }
        entry
    }
}

#[test]
fn nothing_is_taken_from_the_inbox_before_it_can_run() {
    let mut scene = Scene::new();
    let _answers: Vec<_> = (0..5).map(|_| scene.arrive(1)).collect();
    assert_eq!(scene.inbox.0.lock().unwrap().len(), 5, "bounded there, it waits there");
    assert_eq!(scene.group.proposals.lock().unwrap().len(), 1, "one opening for all of them");
    assert_eq!(scene.end(Settled::Applied).fence.n, 0);
    assert!(scene.inbox.is_empty());
    assert_eq!(scene.group.proposals.lock().unwrap()[0].0.ops.len(), 5);
}

#[test]
fn p1_an_opening_that_came_to_nothing_refuses_whoever_waits() {
    let mut scene = Scene::new();
    let mut answer = scene.arrive(1);
    scene.end(Settled::NotRun);
    assert_eq!(answer.try_recv().unwrap().unwrap_err().outcome, Outcome::NotRun);
    let _next = scene.arrive(1);
    assert_eq!(scene.end(Settled::Applied).fence.n, 0, "another opening");
}

#[test]
fn p3_a_read_round_confirms_only_while_the_term_lasts() {
    for (leading, runs) in [(Some(Term(7)), true), (Some(Term(9)), false), (None, false)] {
        let mut scene = Scene::new();
        let mut answer = scene.arrive(0);
        scene.end(Settled::Applied);
        assert!(answer.try_recv().is_err(), "told before it was confirmed");
        // A round of a node that was deposed is answered by whoever leads now: it says nothing about the old rows.
        *scene.group.leading.lock().unwrap() = leading;
        let round = scene.group.reads.lock().unwrap().pop().expect("a round was asked for");
        round(Ok(()));
        match answer.try_recv().expect("answered") {
            Ok(_) => assert!(runs),
            Err(error) => assert!(!runs && error.outcome == Outcome::NotRun, "{error:?}"),
        }
    }
}

/// Found by `chaos --only cut`: only ids that were answered before were asked for again, and none got an answer any more.
#[test]
fn a_view_of_a_term_that_is_over_is_opened_anew_though_nothing_is_written() {
    let mut scene = Scene::new();
    let _first = scene.arrive(0);
    scene.end(Settled::Applied);
    scene.group.reads.lock().unwrap().pop().expect("a round was asked for")(Ok(()));
    // Somebody else led in term 8.
    *scene.group.leading.lock().unwrap() = Some(Term(9));
    let mut answer = scene.arrive(0);
    assert_eq!(scene.end(Settled::Applied).fence.n, 0, "another opening");
    scene.group.reads.lock().unwrap().pop().expect("a round was asked for")(Ok(()));
    assert!(answer.try_recv().expect("answered").is_ok());
    // Nobody leads here any more: said at once.
    *scene.group.leading.lock().unwrap() = None;
    let refused = scene.arrive(0).try_recv().expect("answered").unwrap_err();
    assert_eq!(refused.outcome, Outcome::NotRun);
}

#[test]
fn a_word_of_another_shards_proposal_is_not_heard() {
    let mut scene = Scene::new();
    let mut answer = scene.arrive(1);
    for n in [0, 1] {
        scene.host.settled(Ended { epoch: 12345, n, how: Settled::NotRun }, scene.now);
    }
    assert!(answer.try_recv().is_err());
    scene.end(Settled::Applied);
    scene.end(Settled::Applied);
    assert!(answer.try_recv().unwrap().is_ok());
}
