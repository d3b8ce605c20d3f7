//! Clients that read, set and add to a few keys at once, everything recorded: what [`crate::history`] checks.

use super::{Doors, clients::Until};
use crate::history::{Answer, Asked, Event, Recorder};
use crate::http::{Http, Lost, Reply};
use crate::wait;
use anyhow::{Context, Result, bail};
use client::{Client, Outcome};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use services::cache;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Keys in use at a time.
const LANES: usize = 4;
/// Operations on a key before the next one takes its place: what an order is searched for must be short.
const EACH: usize = 50;
/// So long a client waits for an answer, then goes on without.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the clients of a round share.
#[derive(Clone)]
pub struct Keys {
    name: Arc<str>,
    recorder: Recorder,
    /// Operations so far, of each lane.
    begun: Arc<[AtomicUsize; LANES]>,
    /// No two writes write the same.
    next: Arc<AtomicI64>,
}

impl Keys {
    /// `name` begins all keys, and must be used once.
    pub fn new(name: &str, recorder: Recorder) -> Keys {
        Keys { name: name.into(), recorder, begun: Arc::default(), next: Arc::new(AtomicI64::new(1)) }
    }

    /// Starts one client at each of the doors.
    pub fn start(&self, doors: &[Doors], random: &mut StdRng, until: &Until) -> JoinSet<Result<Vec<Event>>> {
        let mut clients = JoinSet::new();
        for (number, doors) in doors.iter().enumerate() {
            let random = StdRng::seed_from_u64(random.random());
            clients.spawn(self.clone().client(number, doors.clone(), random, until.clone()));
        }
        clients
    }

    async fn client(self, number: usize, doors: Doors, mut random: StdRng, until: Until) -> Result<Vec<Event>> {
        let mut events = vec![];
        while !until.is_over(events.len()) {
            let lane = random.random_range(0..LANES);
            let generation = self.begun[lane].fetch_add(1, Ordering::Relaxed) / EACH;
            let key = format!("{}-{lane}-{generation}", self.name);
            let asked = match random.random_range(0..20) {
                0..8 => Asked::Get,
                8..12 => Asked::Set(self.next.fetch_add(1, Ordering::Relaxed) << 20),
                12..19 => Asked::Add(random.random_range(1..1 << 16)),
                _ => Asked::Delete,
            };
            let (over_rpc, door) = (random.random(), doors.any(&mut random));
            let call = async {
                if over_rpc { over_rust(&doors.client, &key, asked).await } else { over_http(door, &key, asked).await }
            };
            let event = self.recorder.record(number, &key, asked, call).await;
            let event = event.with_context(|| format!("{asked:?} of {key}"))?;
            match event {
                Some(event) => events.push(event),
                // Not run: the node is down or cut off.
                None => wait::pass(Duration::from_millis(5)).await,
            }
        }
        Ok(events)
    }
}

/// Reads each key that occurs in the events once at each door: what was lost shows in the end.
pub async fn read_all(doors: &[Doors], recorder: &Recorder, events: &[Event]) -> Result<Vec<Event>> {
    let keys: BTreeSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
    let (mut reads, readers) = (vec![], 1_000);
    for (n, key) in keys.into_iter().enumerate() {
        let door = &doors[n % doors.len()];
        let read = over_http(&door.http, key, Asked::Get);
        reads.extend(recorder.record(readers, key, Asked::Get, read).await?);
        let read = over_rust(&door.client, key, Asked::Get);
        reads.extend(recorder.record(readers + 1, key, Asked::Get, read).await?);
    }
    Ok(reads)
}

/// `None`: it did not run and will not.
async fn over_rust(client: &Client, key: &str, asked: Asked) -> Result<Option<Answer>> {
    let (client, key) = (client.with_deadline(PATIENCE), key.to_string());
    let done = match asked {
        Asked::Get => client.call(cache::GetRequest { key }).await.map(|reply| Some(reply.value)),
        Asked::Set(value) => {
            let request = cache::SetRequest { key, value: value.to_string(), ..Default::default() };
            client.call(request).await.map(|_| None)
        }
        Asked::Add(value) => {
            client.call(cache::IncrementRequest { key, value }).await.map(|reply| Some(reply.value.to_string()))
        }
        Asked::Delete => client.call(cache::DeleteRequest { key }).await.map(|_| None),
    };
    match done {
        Ok(told) => Ok(Some(Answer::Done(told.map(held).transpose()?.flatten()))),
        Err(error) => match error.outcome() {
            Outcome::NotRun => Ok(None),
            Outcome::Unknown => Ok(Some(Answer::Unknown)),
            Outcome::Ran => bail!("refused: {error}"),
        },
    }
}

async fn over_http(door: &Http, key: &str, asked: Asked) -> Result<Option<Answer>> {
    let (path, body) = match asked {
        Asked::Get => ("/v1/cache/Get", json!({"key": key})),
        Asked::Set(value) => ("/v1/cache/Set", json!({"key": key, "value": value.to_string()})),
        Asked::Add(value) => ("/v1/cache/Increment", json!({"key": key, "value": value.to_string()})),
        Asked::Delete => ("/v1/cache/Delete", json!({"key": key})),
    };
    match timeout(PATIENCE, door.call(path, &body)).await {
        Err(_) | Ok(Err(Lost::Unknown(_))) => Ok(Some(Answer::Unknown)),
        Ok(Err(Lost::NotSent(_))) => Ok(None),
        Ok(Ok(reply)) => told(asked, &reply),
    }
}

fn told(asked: Asked, reply: &Reply) -> Result<Option<Answer>> {
    let body: Value = reply.json()?;
    match (reply.code, asked, body["outcome"].as_str()) {
        (200, Asked::Get | Asked::Add(_), _) => {
            let value = body["value"].as_str().with_context(|| format!("no value in {body}"))?;
            Ok(Some(Answer::Done(held(value.to_string())?)))
        }
        (200, Asked::Set(_) | Asked::Delete, _) => Ok(Some(Answer::Done(None))),
        (_, _, Some("not_run")) => Ok(None),
        (_, _, Some("unknown")) => Ok(Some(Answer::Unknown)),
        (code, ..) => bail!("answered {code}: {body}"),
    }
}

/// The empty string is no value.
fn held(value: String) -> Result<Option<i64>> {
    if value.is_empty() { Ok(None) } else { Ok(Some(value.parse().with_context(|| format!("held {value:?}"))?)) }
}
