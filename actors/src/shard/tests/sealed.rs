//! Sensitive endpoints: what is kept of their replies, and for how long.

use super::ground::{Ground, Proposed, bump, caller, session};
use crate::kit::WhisperRequest;
use crate::shard::Step;
use cluster::group::Settled;
use std::time::Duration;
use storage::state::Op;
use wire::error::reasons;
use wire::rpc::RequestId;

const SECRET: &[u8] = b"the secret of the day";

fn whisper(ttl_ms: u64) -> WhisperRequest {
    WhisperRequest { entity: "e".into(), ttl_ms }
}

fn shows_secret(ops: &[Op]) -> bool {
    let within = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET);
    ops.iter().any(|op| matches!(op, Op::Put { key, value } if within(key) || within(value)))
}

#[test]
fn a_sensitive_reply_lies_in_log_and_rows_only_sealed_and_is_told_again() {
    for id in [caller("k"), session(1, 1)] {
        let mut ground = Ground::new();
        let (proposed, _) = ground.propose(&whisper(1000), id.clone());
        assert!(!shows_secret(&proposed.entry.ops), "{:?}", proposed.entry.ops);
        ground.settle(proposed, Settled::Applied);
        ground.open();
        let (again, mut answer) = ground.command(&whisper(1000), id.clone());
        let Some(Step::Confirm { replies, .. }) = ground.run([again]).pop() else { panic!("it ran again") };
        replies.finish(Settled::Applied);
        let reply = answer.try_recv().unwrap().unwrap();
        assert!(reply.windows(SECRET.len()).any(|part| part == SECRET));
        // The hash of a short payload is keyed too: another one is refused all the same.
        let (other, mut answer) = ground.command(&whisper(999), id);
        let Some(Step::Confirm { replies, .. }) = ground.run([other]).pop() else { panic!("it ran") };
        replies.finish(Settled::Applied);
        assert!(answer.try_recv().unwrap().unwrap_err().is(&reasons::ID_REUSED));
    }
}

#[test]
fn what_is_kept_of_it_goes_when_the_command_said() {
    for id in [caller("k"), session(1, 1)] {
        let mut ground = Ground::new();
        ground.call(&bump("e", 1), RequestId::None).unwrap();
        let rows = ground.rows.0.len();
        ground.call(&whisper(1000), id.clone()).unwrap();
        ground.passes(Duration::from_millis(1000) - Duration::from_nanos(1));
        assert!(ground.shard.sweep(&ground.rows, ground.now).unwrap().is_none(), "not a moment too early");
        ground.passes(Duration::from_nanos(1));
        let Some(Step::Propose { entry, replies, .. }) = ground.shard.sweep(&ground.rows, ground.now).unwrap() else {
            panic!("{id:?} is due")
        };
        ground.settle(Proposed { entry, replies }, Settled::Applied);
        assert_eq!(ground.rows.0.len(), rows, "{id:?}: nothing of it is left");
    }
}
