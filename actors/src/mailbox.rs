//! Where commands wait for their shard: bounded by count and bytes, outside the actor, so that they outlive it.

use crate::actor::Msg;
use crate::shard::Command;
use ractor::ActorRef;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

/// Commands one shard lets wait.
pub const COMMANDS_MAX: usize = 4096;
/// And their bytes.
pub const BYTES_MAX: usize = 16 << 20;

/// One shard's queue of user work. Control messages (settled proposals, ticks) go to the actor itself and never queue
/// behind it.
#[derive(Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    commands: VecDeque<Command>,
    bytes: usize,
    actor: Option<ActorRef<Msg>>,
    /// A wake-up is under way, or an actor is being started: nobody need send another.
    woken: bool,
}

/// What became of a command handed in.
pub enum Pushed {
    Queued,
    /// Queued, and there is no actor: have one started.
    NeedsActor,
    /// Full: refused, and its reply dropped.
    Full,
}

impl Mailbox {
    pub fn push(&self, command: Command) -> Pushed {
        let mut inner = self.lock();
        if inner.commands.len() >= COMMANDS_MAX || inner.bytes + command.size_bytes() > BYTES_MAX {
            return Pushed::Full;
        }
        inner.bytes += command.size_bytes();
        inner.commands.push_back(command);
        if std::mem::replace(&mut inner.woken, true) || inner.wake() { Pushed::Queued } else { Pushed::NeedsActor }
    }

    /// Everything that waits.
    pub fn drain(&self) -> VecDeque<Command> {
        let mut inner = self.lock();
        inner.woken = false;
        inner.bytes = 0;
        std::mem::take(&mut inner.commands)
    }

    /// `actor` serves from now on.
    pub fn attach(&self, actor: ActorRef<Msg>) {
        let mut inner = self.lock();
        inner.actor = Some(actor);
        inner.wake();
    }

    /// The actor wants to rest: yes, unless something came in.
    pub fn detach(&self) -> bool {
        let mut inner = self.lock();
        let quiet = inner.commands.is_empty() && !inner.woken;
        if quiet {
            inner.actor = None;
        }
        quiet
    }

    /// The actor died; does work wait for another?
    pub fn lost(&self) -> bool {
        let mut inner = self.lock();
        inner.actor = None;
        inner.woken = !inner.commands.is_empty();
        inner.woken
    }

    pub fn actor(&self) -> Option<ActorRef<Msg>> {
        self.lock().actor.clone()
    }

    pub fn is_attached(&self) -> bool {
        self.lock().actor.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Inner {
    fn wake(&mut self) -> bool {
        match &self.actor {
            Some(actor) if actor.cast(Msg::Wake).is_ok() => true,
            _ => {
                self.actor = None;
                false
            }
        }
    }
}
