//! The end of a run: faults stop, and then everything must be answered, hold together, and leave nothing behind.

use super::calls::{Kind, Reply};
use super::checkers::leftovers;
use super::clients::ACCOUNTS;
use super::world::{Event, MS, World};
use services::wallet::{BalanceRequest, BalanceResponse, TransactionsRequest, TransactionsResponse};
use std::sync::Arc;
use wire::ids::GroupId;
use wire::{Endpoint, Request};

/// Virtual time in which everything open must end.
const HEALING_MS: u64 = 120_000;
/// And in which everything due must be swept.
const SWEEPING_MS: u64 = 60_000;
const DAY_US: u64 = 86_400_000_000;
const LOOK_EVERY_MS: u64 = 300;

impl World {
    /// Faults stop. Whatever was called must be answered, then all of it is checked against all of it.
    pub fn heal(&mut self) -> Result<(), String> {
        self.faulty = false;
        self.clients.iter_mut().for_each(|client| client.resting = true);
        self.trace.line(self.now, format_args!("faults stop"));
        // Once more, so that what the disks were still told to do is forgotten.
        self.crash();
        self.run_until(self.now + HEALING_MS * MS, |world| {
            let serves = world.life.as_ref().is_some_and(|life| life.groups.values().all(|g| g.leading().is_some()));
            serves && world.attempts.is_empty() && world.calls.iter().all(|call| call.done.is_some())
        })?;
        if let Some(call) = self.calls.iter().find(|call| call.done.is_none()) {
            return Err(format!("{} is not answered {HEALING_MS} ms after the last fault", call.names()));
        }
        self.look_at_rows()?;
        self.look_at_lines()?;
        self.checkers.at_rest(&self.calls)?;
        // A clock that was set back far would stand for all of the day that now passes.
        let mut latest = self.clocks.wall_ns(self.now);
        for group in (1..=u64::from(self.plan.groups)).map(GroupId) {
            for service in super::life::SERVICES {
                latest = latest.max(self.group_time(group, service)?.0);
            }
        }
        self.clocks.wall_off_ns += latest - self.clocks.wall_ns(self.now);
        // As a router does at its start, with every mark known.
        self.living().hand.not_before(wire::Rfc3339(latest));
        self.sleep(25 * DAY_US / 24);
        if self.plan.sweep_every_ms > 0 {
            self.sweep_until_clean()?;
            // A shard counts its sessions' rest from when it heard of them.
            self.sleep(DAY_US / 24 / 5);
            self.sweep_until_clean()?;
            self.nothing_is_left()?;
        }
        Ok(())
    }

    fn sweep_until_clean(&mut self) -> Result<(), String> {
        let until = self.now + SWEEPING_MS * MS;
        while self.now < until && !self.life.as_ref().is_some_and(|life| life.swept(&self.plan)) {
            self.run_until(self.now + self.plan.sweep_every_ms * MS, |_| false)?;
        }
        Ok(())
    }

    pub(super) fn nothing_is_left(&mut self) -> Result<(), String> {
        for store in self.living().stores.clone().values() {
            let left = leftovers(store)?;
            if let Some(first) = left.first() {
                return Err(format!("a day later {} rows are left, the first {first}", left.len()));
            }
        }
        Ok(())
    }

    /// Every line, read as a query would, at rest.
    fn look_at_lines(&mut self) -> Result<(), String> {
        let mut whose: Vec<_> = self.calls.iter().filter(|call| call.endpoint.service == "probe").collect();
        whose.sort_by_key(|call| (call.account.clone(), call.entity.clone()));
        whose.dedup_by_key(|call| (call.account.clone(), call.entity.clone()));
        let whose: Vec<_> = whose.into_iter().map(|call| (call.account.clone(), call.entity.clone())).collect();
        for (account, entity) in whose {
            let client = self.add_client(account.clone(), super::clients::Style::Bare);
            let number = self.issue(client, Kind::Look, entity.clone());
            self.calls[number].done = Some(super::calls::Done::Unknown);
            let call = self.calls[number].clone();
            let group = self.group_of(&account, "probe", &entity);
            let now = self.group_time(group, "probe")?;
            let reply = self.ask(group, &call.endpoint, &account, &entity, &call.body, now)?;
            self.checkers.ran(number, &self.calls, &reply, Some(now.0), now.0)?;
        }
        Ok(())
    }

    /// Wallets, each with both queries on one moment of the rows.
    pub(super) fn look_at_rows(&mut self) -> Result<(), String> {
        if self.faulty {
            self.at(LOOK_EVERY_MS * MS, Event::Look);
        }
        if self.life.is_none() {
            return Ok(());
        }
        let now = self.moment().time;
        for account in ACCOUNTS.map(Arc::<str>::from) {
            for id in ["default", "w1"].map(Arc::<str>::from) {
                let group = self.group_of(&account, "wallet", &id);
                let ask = BalanceRequest { id: id.to_string() };
                let balance: BalanceResponse = self.read(group, &account, &id, &ask, now)?;
                let mut entries = Vec::new();
                let mut ask = TransactionsRequest { id: id.to_string(), limit: 1000, ..Default::default() };
                loop {
                    let page: TransactionsResponse = self.read(group, &account, &id, &ask, now)?;
                    entries.extend(page.transactions);
                    ask.cursor = page.cursor;
                    if ask.cursor.is_empty() {
                        break;
                    }
                }
                self.checkers.wallets.looked((account.clone(), id), balance.balance, &entries, &self.calls)?;
            }
        }
        Ok(())
    }

    fn read<R: Request>(
        &mut self,
        group: GroupId,
        account: &Arc<str>,
        entity: &Arc<str>,
        request: &R,
        now: sdk::Time,
    ) -> Result<R::Response, String> {
        let body = wire::endpoint::encode(request).map_err(|error| error.to_string())?;
        let reply: Reply = self.ask(group, &Endpoint::of::<R>(), account, entity, &body, now)?;
        let bytes = reply.map_err(|error| format!("a look at rows is refused: {error}"))?;
        wire::endpoint::decode(&bytes).map_err(|error| error.to_string())
    }
}
