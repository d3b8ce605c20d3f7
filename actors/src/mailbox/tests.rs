use super::*;
use crate::kit::BumpRequest;
use crate::shard::ReplyTo;
use ractor::{Actor, ActorProcessingErr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wire::Endpoint;
use wire::rpc::RequestId;

fn command(bytes: usize) -> Command {
    Command {
        account: "alice".into(),
        entity: "e".into(),
        endpoint: Endpoint::of::<BumpRequest>(),
        run: Arc::new(|_, _| Ok(vec![])),
        request_id: RequestId::None,
        body: vec![0; bytes].into(),
        deadline: Instant::now() + Duration::from_secs(60),
        reply: ReplyTo::new(tokio::sync::oneshot::channel().0),
    }
}

/// Counts how often it is woken.
struct Woken;

impl Actor for Woken {
    type Msg = Msg;
    type State = Arc<AtomicUsize>;
    type Arguments = Arc<AtomicUsize>;

    async fn pre_start(&self, _: ActorRef<Msg>, count: Arc<AtomicUsize>) -> Result<Self::State, ActorProcessingErr> {
        Ok(count)
    }

    async fn handle(&self, _: ActorRef<Msg>, _: Msg, count: &mut Self::State) -> Result<(), ActorProcessingErr> {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn actor() -> (ActorRef<Msg>, Arc<AtomicUsize>, tokio::task::JoinHandle<()>) {
    let count = Arc::new(AtomicUsize::new(0));
    let (actor, ended) = Actor::spawn(None, Woken, count.clone()).await.unwrap();
    (actor, count, ended)
}

#[test]
fn it_is_bounded_by_count_and_by_bytes() {
    let mailbox = Mailbox::default();
    (0..COMMANDS_MAX).for_each(|_| assert_ne!(mailbox.push(command(0)), Pushed::Full));
    assert_eq!(mailbox.push(command(0)), Pushed::Full);
    assert_eq!(mailbox.drain().len(), COMMANDS_MAX);
    assert_ne!(mailbox.push(command(BYTES_MAX - 1024)), Pushed::Full);
    assert_eq!(mailbox.push(command(2048)), Pushed::Full);
    mailbox.drain();
    assert_ne!(mailbox.push(command(2048)), Pushed::Full, "what was taken out counts no more");
}

#[test]
fn the_first_command_asks_for_an_actor_and_the_others_do_not() {
    let mailbox = Mailbox::default();
    assert_eq!(mailbox.push(command(0)), Pushed::NeedsActor);
    assert_eq!(mailbox.push(command(0)), Pushed::Queued);
    // None can be started: the next must ask again.
    assert_eq!(mailbox.abandon().len(), 2);
    assert_eq!(mailbox.push(command(0)), Pushed::NeedsActor);
}

#[tokio::test]
async fn an_actor_is_woken_once_until_it_heard() {
    let mailbox = Mailbox::default();
    let (actor, count, ended) = actor().await;
    mailbox.attach(actor.clone());
    mailbox.heard();
    (0..10).for_each(|_| assert_eq!(mailbox.push(command(0)), Pushed::Queued));
    mailbox.heard();
    assert_eq!(mailbox.push(command(0)), Pushed::Queued);
    actor.drain().unwrap();
    ended.await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3, "at its start, for ten, and for one more");
    assert_eq!(mailbox.drain().len(), 11);
}

#[tokio::test]
async fn it_rests_only_when_nothing_came_in() {
    let mailbox = Mailbox::default();
    let (actor, _, _) = actor().await;
    mailbox.attach(actor.clone());
    assert!(!mailbox.detach(actor.get_id()), "its first wake-up is under way");
    mailbox.heard();
    mailbox.push(command(0));
    assert!(!mailbox.detach(actor.get_id()));
    mailbox.heard();
    assert!(!mailbox.detach(actor.get_id()), "a command waits");
    mailbox.drain();
    assert!(mailbox.detach(actor.get_id()));
    assert_eq!(mailbox.push(command(0)), Pushed::NeedsActor);
}

#[tokio::test]
async fn commands_outlive_their_actor() {
    let mailbox = Mailbox::default();
    let (first, _, ended) = actor().await;
    mailbox.attach(first.clone());
    mailbox.push(command(0));
    first.kill();
    ended.await.unwrap();
    assert!(mailbox.lost(first.get_id()), "work waits for another");
    let (second, _, _) = actor().await;
    mailbox.attach(second.clone());
    // The word of the first comes late, or twice: the second serves and is left alone.
    assert!(!mailbox.lost(first.get_id()));
    assert_eq!(mailbox.actor().map(|actor| actor.get_id()), Some(second.get_id()));
    assert!(mailbox.detach(first.get_id()), "whoever was replaced may go");
    assert_eq!(mailbox.drain().len(), 1);
}

#[tokio::test]
async fn a_dead_actor_is_noticed_by_the_next_command() {
    let mailbox = Mailbox::default();
    let (dead, _, ended) = actor().await;
    mailbox.attach(dead.clone());
    mailbox.heard();
    dead.kill();
    ended.await.unwrap();
    assert_eq!(mailbox.push(command(0)), Pushed::NeedsActor);
    assert!(!mailbox.is_attached());
}

#[tokio::test]
async fn an_actor_that_died_before_it_was_attached_is_replaced() {
    let mailbox = Mailbox::default();
    assert_eq!(mailbox.push(command(0)), Pushed::NeedsActor);
    let (dead, _, ended) = actor().await;
    dead.kill();
    ended.await.unwrap();
    mailbox.attach(dead.clone());
    assert!(mailbox.lost(dead.get_id()), "the command still waits");
}
