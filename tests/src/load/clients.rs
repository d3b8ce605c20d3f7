//! Clients at work side by side.

use super::{Doors, Fate, Op, Record};
use crate::wait;
use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// All clients have their answers within this, whatever happens.
const CLIENTS_WITHIN: Duration = Duration::from_secs(150);

/// When a client has done enough.
#[derive(Clone, Debug)]
pub enum Until {
    /// So many operations.
    Done(usize),
    /// Somebody says so.
    Told(Arc<AtomicBool>),
}

impl Until {
    /// Has a client that did so many operations done enough?
    pub fn is_over(&self, done: usize) -> bool {
        match self {
            Until::Done(each) => done >= *each,
            Until::Told(stop) => stop.load(Ordering::Relaxed),
        }
    }
}

/// Starts one client at each of the doors. `name` begins the labels of all they do, and must be used once.
pub fn start(name: &str, doors: &[Doors], random: &mut StdRng, until: &Until) -> JoinSet<Result<Vec<Record>>> {
    let mut clients = JoinSet::new();
    for (number, doors) in doors.iter().enumerate() {
        let random = StdRng::seed_from_u64(random.random());
        clients.spawn(client(format!("{name}-k{number}"), doors.clone(), random, until.clone()));
    }
    clients
}

/// Waits for all of them: what they were told.
pub async fn collect<T: Send + 'static>(mut clients: JoinSet<Result<Vec<T>>>) -> Result<Vec<T>> {
    let mut told = vec![];
    let all = async {
        while let Some(client) = clients.join_next().await {
            told.append(&mut client.context("a client panicked")??);
        }
        anyhow::Ok(())
    };
    timeout(CLIENTS_WITHIN, all).await.context("clients still wait for answers")??;
    Ok(told)
}

async fn client(name: String, doors: Doors, mut random: StdRng, until: Until) -> Result<Vec<Record>> {
    let mut told = vec![];
    while !until.is_over(told.len()) {
        let op = Op::random(&mut random, format!("{name}-{}", told.len()));
        let fate = doors.perform(&op).await?;
        if fate == Fate::NotRun {
            // The node is down: a client without an id would spin.
            wait::pass(Duration::from_millis(2)).await;
        }
        told.push(Record { op, fate });
    }
    Ok(told)
}
