//! Running one command: once, over the staged view, with nothing half done.

use super::batch::Batch;
use super::kept::{self, Decided, Kept};
use super::sessions::Place;
use super::{Mutant, Now, ReplyTo, Shard};
use bytes::Bytes;
use sdk::runtime::{Layered, Op, Rows, Scope};
use sdk::{Endpoint, Error, Time, Tx};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::RequestId;

/// The most one command may change: an entry must fit into a batch of the log, or it would stop the node.
pub const EFFECTS_BYTES_MAX: usize = 4 << 20;

/// The erased function of a command endpoint.
pub type RunCommand = Arc<dyn Fn(&mut Tx, &[u8]) -> Result<Vec<u8>, Error> + Send + Sync>;

/// A command on its way to its entity.
pub struct Command {
    pub account: Arc<str>,
    pub entity: Arc<str>,
    pub endpoint: Endpoint,
    pub run: RunCommand,
    pub request_id: RequestId,
    pub body: Bytes,
    pub deadline: Instant,
    pub reply: ReplyTo,
}

impl Command {
    /// What it counts for in a queue's budget.
    pub fn size_bytes(&self) -> usize {
        self.body.len() + self.entity.len() + 256
    }
}

impl Shard {
    /// Runs `command` and adds its effects and reply to `batch`. What can be said without looking at rows is said at once.
    pub(super) fn run_one(&mut self, command: Command, rows: &dyn Rows, now: Now, seed: [u8; 32], batch: &mut Batch) {
        if let Err(error) = self.admit(&command, now) {
            return command.reply.send(Err(error));
        }
        let once = kept::key(&command).map(|key| Once { hash: kept::hash(&command, &self.seal), key });
        if let Some(Once { key, hash }) = &once {
            match self.find_kept(&command, key, rows, now) {
                Ok(None) => {}
                // Found staged or committed: the answer waits for this batch, so it is never told before it holds.
                Ok(Some(kept)) => {
                    return match kept.again(key, *hash, &self.seal) {
                        Ok(decided) => batch.replies.push_kept(command.reply, decided),
                        Err(refused) => batch.replies.push(command.reply, Err(refused)),
                    };
                }
                Err(error) => return command.reply.send(Err(error)),
            }
        }
        match self.execute(&command, rows, now, seed) {
            Ok(done) => self.finish(command, once, done, now, seed, batch),
            Err(error) => command.reply.send(Err(error)),
        }
    }

    /// What is kept under the command's id: its own reply, or the tombstone of the id.
    fn find_kept(&self, command: &Command, key: &[u8], rows: &dyn Rows, now: Now) -> Result<Option<Kept>, Error> {
        if let RequestId::Session { client, n, .. } = command.request_id
            && !self.sessions.holds(&command.account, client, n)
        {
            // The index knows every row of a session: nearly every call is new, and spares the disk's rows a look.
            return Ok(None);
        }
        let staged = Layered { base: rows, delta: &self.staged };
        let own = kept::find(&staged, key, now.time)?;
        match (own, kept::tombstone_key(command)) {
            (None, Some(tombstone)) => kept::find(&staged, &tombstone, now.time),
            (own, _) => Ok(own),
        }
    }

    /// Refusals that depend on no row.
    fn admit(&self, command: &Command, now: Now) -> Result<(), Error> {
        if command.deadline <= now.instant || command.reply.is_gone() {
            return Err(reasons::DEADLINE.refuse("the call's time was over before it ran"));
        }
        if let Some(rest) = self.quarantine.rests(&command.account, &command.entity, now.instant) {
            let error = reasons::OVERLOADED.refuse("calls to this entity failed again and again: it rests");
            return Err(error.retry_after_ms(rest.as_millis() as u32 + 1));
        }
        if let RequestId::Session { client, n, .. } = command.request_id {
            match self.sessions.place(&command.account, client, n) {
                Place::Fine => {}
                Place::Answered => {
                    let error = reasons::ID_REUSED.refuse("a late copy of a call that was answered");
                    // Whether it ran, the rows no longer say.
                    return Err(error.with_outcome(Outcome::Unknown));
                }
                Place::Full => return Err(reasons::OVERLOADED.refuse("too many clients").retry_after_ms(1000)),
            }
        }
        Ok(())
    }

    /// What the command decided: its effects and its reply, which become true together. Or an error: it did not decide,
    /// nothing happened and nothing is kept.
    fn execute(&mut self, command: &Command, rows: &dyn Rows, now: Now, seed: [u8; 32]) -> Result<Done, Error> {
        let scope = Scope {
            account: command.account.clone(),
            service: command.endpoint.service,
            entity: command.entity.clone(),
            now: now.time,
            key: self.key,
            tables: self.tables.clone(),
        };
        let staged = Layered { base: rows, delta: &self.staged };
        let mut tx = Tx::new(scope, &staged, seed);
        // The command's own overlay is all it can touch: a panic takes that with it and nothing else (P2).
        match catch_unwind(AssertUnwindSafe(|| (command.run)(&mut tx, &command.body))) {
            Ok(Ok(reply)) => {
                let until = tx.reply_until();
                let ops = tx.into_delta().into_ops();
                self.quarantine.ran_well(&command.account, &command.entity);
                match ops.iter().map(size_bytes).sum::<usize>() + reply.len() {
                    0..=EFFECTS_BYTES_MAX => Ok(Done { ops, decided: Ok(reply.into()), until }),
                    bytes => {
                        let id = command.endpoint.id();
                        let detail = format!("{id} would change {bytes} bytes at once, of {EFFECTS_BYTES_MAX}");
                        Err(reasons::TOO_LARGE.refuse(detail).at(&id))
                    }
                }
            }
            Ok(Err(error)) if error.is_refusal() && !self.mutants.has(Mutant::RefuseAtOnce) => {
                Ok(Done { ops: vec![], decided: Err(error.at(&command.endpoint.id())), until: None })
            }
            Ok(Err(error)) => Err(error.at(&command.endpoint.id())),
            Err(panic) => {
                let what = panic_text(panic.as_ref());
                tracing::error!(endpoint = command.endpoint.id(), panic = what, "a command panicked");
                self.quarantine.panicked(command.account.clone(), command.entity.clone(), now.instant);
                let error = reasons::PANICKED.refuse(format!("{} failed; nothing was changed", command.endpoint.id()));
                let error = error.at(&command.endpoint.id());
                if self.mutants.has(Mutant::PanicKeepsOverlay) {
                    return Ok(Done { ops: tx.into_delta().into_ops(), decided: Err(error), until: None });
                }
                Err(error)
            }
        }
    }

    fn finish(
        &mut self,
        command: Command,
        once: Option<Once>,
        done: Done,
        now: Now,
        seed: [u8; 32],
        batch: &mut Batch,
    ) {
        let Done { mut ops, decided, until } = done;
        if let Some(Once { key, hash }) = once {
            let kept = Kept::of(&command, &key, hash, &decided, &self.seal, || nonce(seed));
            let due = kept::due(&command, now.time, until);
            match kept::keep(command.endpoint.service, key, &kept, due) {
                Ok(rows) if self.mutants.has(Mutant::DeferRequestRow) => {
                    rows.iter().for_each(|op| self.staged.stage(batch.n, op.clone()));
                    self.deferred.extend(rows);
                }
                Ok(rows) => ops.extend(rows),
                Err(error) => return command.reply.send(Err(error)),
            }
            if let RequestId::Session { client, n, low } = command.request_id {
                for old in self.sessions.insert(command.account.clone(), client, n, low, now.time) {
                    ops.push(Op::Delete {
                        key: kept::session_key(command.endpoint.service, &command.account, client, old),
                    });
                }
            }
        }
        self.stage(batch, ops);
        batch.replies.push(command.reply, decided);
    }
}

/// What a command that decided wants to happen.
struct Done {
    ops: Vec<Op>,
    decided: Decided,
    /// When what is kept of the reply goes, if the command says so.
    until: Option<Time>,
}

/// Of the same seed as the command's randomness, and telling nothing of it.
fn nonce(seed: [u8; 32]) -> [u8; 12] {
    *Sha256::new().chain_update("nonce").chain_update(seed).finalize().first_chunk().expect("SHA-256 has 32 bytes")
}

fn size_bytes(op: &Op) -> usize {
    match op {
        Op::Put { key, value } => key.len() + value.len(),
        Op::Delete { key } => key.len(),
        Op::DeleteRange { from, to } => from.len() + to.len(),
    }
}

/// Where the command's reply is kept, and for which call.
struct Once {
    key: Bytes,
    hash: [u8; 16],
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}
