//! P1 to P3 on the probe: one entity's items are one history. Whoever was told of it was told the same, in the order of
//! real time, and nothing anybody was told of is ever lost.

use super::{Whose, decoded};
use crate::node::calls::{Call, Done, Kind, Reply};
use crate::node::probe::{Position, Seen, chain};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Lines {
    lines: BTreeMap<Whose, Line>,
}

#[derive(Default)]
struct Line {
    /// The hash anybody was told at a length.
    hashes: BTreeMap<u64, u64>,
    /// The group's clock when an item was added.
    clocks: BTreeMap<u64, i64>,
    /// The longest history seen whole.
    longest: Vec<u64>,
    tokens: BTreeSet<u64>,
    floor: u64,
}

impl Lines {
    pub fn floor(&self, whose: &Whose) -> u64 {
        self.lines.get(whose).map_or(0, |line| line.floor)
    }

    fn line(&mut self, call: &Call) -> &mut Line {
        self.lines.entry((call.account.clone(), call.entity.clone())).or_default()
    }

    /// An item was added, or refused.
    pub fn position(&mut self, call: &Call, reply: &Reply) -> Result<(), String> {
        let line = self.line(call);
        if let (Kind::Refuse, Err(error)) = (&call.kind, reply) {
            let mut told = error.detail.split(' ').map(|word| word.parse::<u64>().unwrap_or_default());
            let (len, hash) = (told.next().unwrap_or_default(), told.next().unwrap_or_default());
            return line.told(len, hash, call.floor);
        }
        let Position { len, hash, now_ns } = decoded(reply)?;
        if len <= call.floor {
            return Err(format!("item {len} was added after {} were known", call.floor));
        }
        line.told(len, hash, call.floor)?;
        let earlier = line.clocks.range(..=len).next_back().is_some_and(|(_, clock)| *clock > now_ns);
        let later = line.clocks.range(len..).next().is_some_and(|(_, clock)| *clock < now_ns);
        if earlier || later {
            return Err(format!("the group's clock goes back at item {len}: {now_ns} between {:?}", line.clocks));
        }
        line.clocks.insert(len, now_ns);
        match line.longest.get(len as usize - 1) {
            Some(token) if *token != call.token => Err(format!("item {len} was seen as call {token}")),
            _ => Ok(()),
        }
    }

    /// Somebody saw all of it.
    pub fn seen(&mut self, call: &Call, calls: &[Call], reply: &Reply) -> Result<(), String> {
        let seen: Seen = decoded(reply)?;
        self.line(call).whole(call.floor, &seen)?;
        self.lines[&(call.account.clone(), call.entity.clone())].judge(call, calls, &seen)
    }

    /// Answered: there, where the reply says. Not run: not there.
    pub fn at_rest(&self, calls: &[Call]) -> Result<(), String> {
        for call in calls.iter().filter(|call| call.endpoint.service == "probe") {
            let line = self.lines.get(&(call.account.clone(), call.entity.clone()));
            let there = line.is_some_and(|line| line.tokens.contains(&call.token));
            let wrong = match (&call.done, call.kind.adds_item()) {
                (Some(Done::Ran(Ok(bytes))), true) => {
                    let position: Position = decoded(&Ok(bytes.clone()))?;
                    let at = line.and_then(|line| line.longest.get(position.len as usize - 1));
                    (at != Some(&call.token)).then_some("is not where its reply says")
                }
                (Some(Done::NotRun), true) => there.then_some("was not run for certain, and is there"),
                (_, false) => there.then_some("is there and never may be"),
                _ => None,
            };
            if let Some(wrong) = wrong {
                return Err(format!("{} {wrong}", call.names()));
            }
        }
        Ok(())
    }
}

impl Line {
    fn told(&mut self, len: u64, hash: u64, floor: u64) -> Result<(), String> {
        if len < floor {
            return Err(format!("sees {len} items after {floor} were known"));
        }
        match self.hashes.insert(len, hash) {
            Some(other) if other != hash => Err(format!("{len} items are another history than somebody was told")),
            _ => {
                self.floor = self.floor.max(len);
                Ok(())
            }
        }
    }

    fn whole(&mut self, floor: u64, seen: &Seen) -> Result<(), String> {
        if seen.items.len() as u64 != seen.len {
            return Err(format!("the head counts {} items, there are {}", seen.len, seen.items.len()));
        }
        let mut hash = 0;
        for (item, len) in seen.items.iter().zip(1..) {
            hash = chain(hash, *item);
            if self.hashes.get(&len).is_some_and(|told| *told != hash) {
                return Err(format!("item {len} (call {item}) is another than somebody was told"));
            }
        }
        if hash != seen.hash {
            return Err("the head is not of these items".into());
        }
        self.told(seen.len, seen.hash, floor)?;
        let known = self.longest.len().min(seen.items.len());
        if self.longest[..known] != seen.items[..known] {
            return Err(format!("saw {:?} where others saw {:?}", seen.items, self.longest));
        }
        for item in &seen.items[known..] {
            if !self.tokens.insert(*item) {
                return Err(format!("call {item} ran twice"));
            }
            self.longest.push(*item);
        }
        Ok(())
    }

    /// Nothing foreign, fillings whole, lent rows there until they are due and not a nanosecond longer.
    fn judge(&self, call: &Call, calls: &[Call], seen: &Seen) -> Result<(), String> {
        let of = |token: &u64| calls.get((*token as usize).wrapping_sub(1));
        let (mut filling, mut lent) = (None, BTreeSet::new());
        for item in &seen.items {
            let added = of(item).filter(|other| other.kind.adds_item());
            let Some(added) = added.filter(|other| (&other.account, &other.entity) == (&call.account, &call.entity))
            else {
                return Err(format!("sees item {item}, which is of nobody here: {:?}", of(item).map(Call::names)));
            };
            match added.kind {
                Kind::Fill { rows, .. } => filling = Some((*item, u64::from(rows))),
                Kind::Lend { ttl_ms } => drop(lent.insert((*item, ttl_ms))),
                _ => {}
            }
        }
        let (marks, rows) = filling.map_or((vec![], 0), |(token, rows)| (vec![token], rows));
        if (&seen.filling, seen.filled) != (&marks, rows) {
            return Err(format!("sees {} rows of {:?}, not {rows} of {marks:?}", seen.filled, seen.filling));
        }
        if let Some(foreign) = seen.lent.iter().find(|token| !lent.iter().any(|(lent, _)| lent == *token)) {
            return Err(format!("sees {foreign} lent, which it never was"));
        }
        for (token, ttl_ms) in lent {
            let Some(Some(Ok(bytes))) = of(&token).map(|call| call.reply.clone()) else { continue };
            let Position { now_ns, .. } = decoded(&Ok(bytes))?;
            let (due, there) = (now_ns + ttl_ms as i64 * 1_000_000, seen.lent.contains(&token));
            if there != (seen.now_ns < due) {
                return Err(format!("at {} the row of {token}, due at {due}, is there: {there}", seen.now_ns));
            }
        }
        Ok(())
    }
}
