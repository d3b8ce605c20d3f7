//! The way of a call: sent, delivered, answered, given up, asked again.

use super::calls::{Attempt, Done, Reply, show};
use super::clients::Style;
use super::world::{Event, World};
use crate::node::calls::Kind;
use actors::shard::{Command, ReplyTo};
use cluster::topology::Topology;
use sdk::runtime::Run;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use wire::error::reasons;
use wire::ids::{GroupId, NodeId};
use wire::{Error, Outcome};

impl World {
    /// The group an entity lives in.
    pub fn group_of(&self, account: &str, service: &str, entity: &str) -> GroupId {
        Topology::founded(NodeId(1), self.plan.groups).group_of(account, service, entity)
    }

    /// One more attempt at a call.
    pub(super) fn send(&mut self, call: usize) -> Result<(), String> {
        if self.calls[call].done.is_some() {
            return Ok(());
        }
        let style = &self.clients[self.calls[call].client].style;
        let request_id = style.renewed(&self.calls[call].request_id);
        let patience = self.delay(self.plan.patience_us);
        let attempt = self.attempt(call, request_id, self.now + patience, None, false);
        self.at(patience, Event::GiveUp(attempt));
        if self.faulty && self.rng.chance(self.plan.lost_calls_pm) {
            return Ok(());
        }
        let way = self.delay(self.plan.network_us);
        self.at(way, Event::Deliver(attempt));
        if self.faulty && self.calls[call].has_id() && self.rng.chance(self.plan.copies_pm) {
            self.copy(call);
        }
        Ok(())
    }

    /// The network hands the call over twice.
    fn copy(&mut self, call: usize) {
        let late = self.rng.below(self.plan.copies_late_us_max);
        let request_id = self.clients[self.calls[call].client].style.renewed(&self.calls[call].request_id);
        let deadline = self.now + late + 1_000_000;
        let copy = self.attempt(call, request_id, deadline, None, true);
        self.calls[call].unsure = true;
        self.at(late, Event::Deliver(copy));
    }

    /// Another payload under the id of a call that ran.
    fn forge(&mut self, call: usize) {
        let kind = Kind::Append;
        let (_, body) = kind.request("forged", u64::MAX - call as u64);
        let request_id = self.calls[call].request_id.clone();
        let forged = self.attempt(call, request_id, self.now + 1_000_000, Some(body), true);
        let way = self.delay(self.plan.network_us);
        self.at(way, Event::Deliver(forged));
    }

    pub(super) fn attempt(
        &mut self,
        call: usize,
        request_id: wire::rpc::RequestId,
        deadline_us: u64,
        forged: Option<bytes::Bytes>,
        ghost: bool,
    ) -> u64 {
        let (to, from) = oneshot::channel();
        self.attempts_made += 1;
        self.calls[call].open += u32::from(forged.is_none());
        let attempt = Attempt { call, request_id, forged, deadline_us, ghost, to: Some(to), from, read_at: None };
        self.attempts.insert(self.attempts_made, attempt);
        self.attempts_made
    }

    /// It arrives at the node: a query is answered from committed rows, a command waits for its shard.
    pub(super) fn deliver(&mut self, number: u64) -> Result<(), String> {
        let Some(attempt) = self.attempts.get_mut(&number) else { return Ok(()) };
        let Some(to) = attempt.to.take() else { return Ok(()) };
        let call = &self.calls[attempt.call];
        self.trace.line(self.now, format_args!("attempt {number} of call {} arrives", call.token));
        if self.life.is_none() {
            // Nobody there to take it: the caller knows it did not run.
            let _ = to.send(Err(reasons::STOPPING.refuse("connection refused")));
            return Ok(());
        }
        let shard = (call.endpoint.service, self.group_of(&call.account, call.endpoint.service, &call.entity));
        let call = &self.calls[self.attempts[&number].call];
        if call.kind.is_query() {
            return self.query(number, shard.1, to);
        }
        let attempt = &self.attempts[&number];
        let service = super::life::service(shard.0);
        let Some((_, Run::Command(run))) = service.run(call.endpoint.name) else {
            return Err(format!("{} is no command", call.endpoint.id()));
        };
        let command = Command {
            account: call.account.clone(),
            entity: call.entity.clone(),
            endpoint: call.endpoint.clone(),
            run: run.clone(),
            request_id: attempt.request_id.clone(),
            body: attempt.forged.clone().unwrap_or_else(|| call.body.clone()),
            deadline: self.clocks.instant(attempt.deadline_us),
            reply: ReplyTo::new(to),
        };
        let inbox = self.living().inbox(shard);
        inbox.put(command);
        let wake = self.delay(self.plan.wake_us);
        self.at(wake, Event::Wake(self.lives, shard));
        Ok(())
    }

    pub(super) fn hear_answers(&mut self) -> Result<(), String> {
        let mut heard: Vec<(u64, Option<Reply>)> = Vec::new();
        for (number, attempt) in &mut self.attempts {
            match attempt.from.try_recv() {
                Ok(reply) => heard.push((*number, Some(reply))),
                Err(TryRecvError::Closed) => heard.push((*number, None)),
                Err(TryRecvError::Empty) => {}
            }
        }
        heard.into_iter().try_for_each(|(number, reply)| self.answered(number, reply))
    }

    /// The node said something, or its mouth is gone.
    fn answered(&mut self, number: u64, reply: Option<Reply>) -> Result<(), String> {
        let Some(attempt) = self.attempts.remove(&number) else { return Ok(()) };
        let shown = reply.as_ref().map_or("nothing".into(), show);
        let token = self.calls[attempt.call].token;
        self.trace.line(self.now, format_args!("attempt {number} of call {token}: {shown}"));
        let reply = reply
            .unwrap_or_else(|| Err(reasons::LEADER_LOST.refuse("the connection broke").with_outcome(Outcome::Unknown)));
        if attempt.forged.is_some() {
            self.counts.forged += 1;
            return self.checkers.once.forged(&self.calls[attempt.call], &reply);
        }
        let (call, clients) = (&mut self.calls[attempt.call], &self.clients);
        call.open -= 1;
        let waits = clients[call.client].style.waits_for(&call.request_id);
        if self.checkers.once.reply(call, &reply, waits, &mut self.counts)? {
            let (account, service, entity) = (call.account.clone(), call.endpoint.service, call.entity.clone());
            let clock_high = match self.life {
                Some(_) => self.group_time(self.group_of(&account, service, &entity), service)?.0,
                None => i64::MAX,
            };
            self.checkers.ran(attempt.call, &self.calls, &reply, attempt.read_at, clock_high)?;
        }
        let call = &mut self.calls[attempt.call];
        if call.done.is_some() {
            return self.checkers.once.after_the_end(call, &reply);
        }
        let lost = self.faulty && self.rng.chance(self.plan.lost_replies_pm);
        if attempt.ghost || lost {
            call.unsure |= definite(&reply) != Some(Outcome::NotRun);
            if lost && !attempt.ghost {
                call.unsure = true;
                self.trace.line(self.now, format_args!("the reply to call {token} is lost"));
                self.unheard(attempt.call);
            }
            return Ok(());
        }
        self.heard(attempt.call, reply);
        Ok(())
    }

    /// The client has an answer.
    fn heard(&mut self, number: usize, reply: Reply) {
        let call = &mut self.calls[number];
        match definite(&reply) {
            Some(Outcome::Ran) => self.end(number, Done::Ran(reply)),
            // It panics whenever it runs, so that is the only end it has.
            Some(Outcome::NotRun) if call.kind == Kind::Explode => self.end(number, Done::NotRun),
            Some(Outcome::NotRun) if !call.unsure && call.open == 0 => {
                if !call.has_id() || self.faulty && self.rng.chance(300) {
                    self.end(number, Done::NotRun);
                } else {
                    self.retry(number);
                }
            }
            Some(_) => self.retry(number),
            None => {
                call.unsure = true;
                self.unheard(number);
            }
        }
    }

    pub(super) fn give_up(&mut self, number: u64) -> Result<(), String> {
        let Some(attempt) = self.attempts.get_mut(&number) else { return Ok(()) };
        if attempt.ghost {
            return Ok(());
        }
        let call = attempt.call;
        attempt.ghost = true;
        let on_its_way = attempt.to.is_some();
        self.calls[call].unsure = true;
        self.trace.line(self.now, format_args!("attempt {number} is given up"));
        if on_its_way || self.rng.chance(500) {
            // Its connection is closed, on the way or later: the node may notice.
            self.attempts.remove(&number);
            self.calls[call].open -= 1;
        }
        if self.calls[call].done.is_none() {
            self.unheard(call);
        }
        Ok(())
    }

    /// Nobody knows whether it ran: asked again under the same id, and never without one.
    fn unheard(&mut self, call: usize) {
        if self.calls[call].has_id() || self.calls[call].kind.is_query() {
            self.retry(call);
        } else {
            self.end(call, Done::Unknown);
        }
    }

    fn retry(&mut self, call: usize) {
        self.counts.retries += 1;
        let most = if self.calls[call].open > 3 { 400_000 } else { 60_000 };
        let pause = self.rng.between(100, most);
        self.at(pause, Event::Send(call));
    }

    fn end(&mut self, number: usize, done: Done) {
        let call = &mut self.calls[number];
        let client = &mut self.clients[call.client];
        client.open -= 1;
        client.style.forget(&call.request_id);
        if call.entity.starts_with("own") {
            client.own_busy = false;
        }
        match &done {
            Done::Ran(Ok(_)) => self.counts.ran += 1,
            Done::Ran(Err(_)) => self.counts.refused += 1,
            Done::NotRun => self.counts.not_run += 1,
            Done::Unknown => self.counts.unknown += 1,
        }
        call.done_at = Some(self.now);
        let ran = matches!(done, Done::Ran(_));
        self.checkers.ended(call, &done);
        call.done = Some(done);
        let caller = matches!(client.style, Style::Caller { .. });
        if ran && caller && self.faulty && self.calls[number].has_id() && self.rng.chance(50) {
            self.forge(number);
        } else if ran && self.faulty && self.calls[number].has_id() && self.rng.chance(self.plan.copies_pm / 2) {
            self.copy(number);
        }
    }
}

/// What an answer says about its attempt, if it is certain.
pub fn definite(reply: &Reply) -> Option<Outcome> {
    match reply {
        Ok(_) => Some(Outcome::Ran),
        Err(Error { outcome: Outcome::Unknown, .. }) => None,
        Err(error) => Some(error.outcome),
    }
}
