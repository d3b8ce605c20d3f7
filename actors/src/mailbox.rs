//! Where commands wait for their shard: bounded by count and bytes, outside the actor, so that they outlive it.

#[cfg(test)]
mod tests;

use crate::actor::Msg;
use crate::host::Inbox;
use crate::shard::Command;
use ractor::{ActorId, ActorRef};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// The wake-up arrived.
    pub fn heard(&self) {
        self.lock().woken = false;
    }

    /// `actor` serves from now on.
    pub fn attach(&self, actor: ActorRef<Msg>) {
        let mut inner = self.lock();
        inner.actor = Some(actor);
        inner.woken = true;
        inner.wake();
    }

    /// `actor` wants to rest: yes, unless something came in. One that was replaced may go in any case.
    pub fn detach(&self, actor: ActorId) -> bool {
        let mut inner = self.lock();
        if inner.is_served_by_another(actor) {
            return true;
        }
        let quiet = inner.commands.is_empty() && !inner.woken;
        if quiet {
            inner.actor = None;
        }
        quiet
    }

    /// `actor` ended; does work wait for another? Not if another serves already.
    pub fn lost(&self, actor: ActorId) -> bool {
        let mut inner = self.lock();
        if inner.is_served_by_another(actor) {
            return false;
        }
        inner.actor = None;
        inner.woken = !inner.commands.is_empty();
        inner.woken
    }

    /// No actor can be started: whoever waits hears at once that nothing happened.
    pub fn abandon(&self) -> VecDeque<Command> {
        self.lock().woken = false;
        self.drain()
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

impl Inbox for Mailbox {
    fn is_empty(&self) -> bool {
        self.lock().commands.is_empty()
    }

    fn drain(&self) -> VecDeque<Command> {
        let mut inner = self.lock();
        inner.bytes = 0;
        std::mem::take(&mut inner.commands)
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

    fn is_served_by_another(&self, actor: ActorId) -> bool {
        self.actor.as_ref().is_some_and(|serving| serving.get_id() != actor)
    }
}
