//! What may be typed.

use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::time::Duration;

/// The numbers of writers that TARGETS.md names.
const WRITERS: &[usize] = &[1, 16, 64, 256];
const USAGE: &str = "writes [--seconds N] [--rounds N] [--json FILE] [--writers 1,16,64,256] [--stores rpc,http,redis] \
                     [--data DIR] [--connections N] [--groups N] [--before BINARY] [--busy]";

/// What was asked for.
#[derive(Debug)]
pub struct Wanted {
    /// A round's length, without its beginning.
    pub round: Duration,
    pub rounds: usize,
    pub writers: Vec<usize>,
    pub stores: Vec<String>,
    pub json: Option<PathBuf>,
    /// Where the stores' folders are made and removed again.
    pub data: PathBuf,
    /// Connections the Rust client's writers share.
    pub connections: usize,
    /// `commons start --groups N`, if not the usual.
    pub groups: Option<String>,
    /// Another build of the node, measured in turn with this one: what a change is worth.
    pub before: Option<PathBuf>,
    /// Others work on this machine: neither wait until they stop nor run a round again because of them.
    pub busy: bool,
}

pub fn parse(args: &[String]) -> Result<Wanted> {
    let Some(("writes", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
        bail!("say what to measure: {USAGE}");
    };
    let mut wanted = Wanted {
        round: Duration::from_secs(2),
        rounds: 5,
        writers: WRITERS.to_vec(),
        stores: ["rpc", "http", "redis"].map(String::from).to_vec(),
        json: None,
        data: std::env::temp_dir(),
        connections: 1,
        groups: None,
        before: None,
        busy: false,
    };
    let mut rest = rest.iter();
    while let Some(flag) = rest.next() {
        if flag == "--busy" {
            wanted.busy = true;
            continue;
        }
        let value = rest.next().with_context(|| format!("{flag} needs a value: {USAGE}"))?;
        let number = || value.parse::<usize>().with_context(|| format!("{flag} {value}: not a number"));
        match flag.as_str() {
            "--seconds" => {
                let seconds: f64 = value.parse().with_context(|| format!("{flag} {value}: not a number"))?;
                ensure!((0.2..=600.0).contains(&seconds), "--seconds {value}: from 0.2 to 600");
                wanted.round = Duration::from_secs_f64(seconds);
            }
            "--rounds" => wanted.rounds = number()?.clamp(1, 1000),
            "--connections" => wanted.connections = number()?.clamp(1, 64),
            "--json" => wanted.json = Some(value.into()),
            "--data" => wanted.data = value.into(),
            "--before" => wanted.before = Some(value.into()),
            "--groups" => wanted.groups = Some(value.clone()),
            "--stores" => {
                wanted.stores = value.split(',').map(String::from).collect();
                let known = |store: &String| ["rpc", "http", "redis"].contains(&store.as_str());
                ensure!(wanted.stores.iter().all(known), "--stores {value}: of rpc, http and redis");
            }
            "--writers" => {
                let numbers = value.split(',').map(|number| Ok(number.parse::<usize>()?)).collect::<Result<Vec<_>>>();
                wanted.writers = numbers.with_context(|| format!("--writers {value}: numbers with commas between"))?;
                ensure!(
                    wanted.writers.iter().all(|n| (1..=4096).contains(n)),
                    "--writers {value}: each from 1 to 4096"
                );
            }
            _ => bail!("there is no {flag}: {USAGE}"),
        }
    }
    wanted.stores.extend(wanted.before.iter().map(|_| "before".to_string()));
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Wanted> {
        parse(&line.split(' ').map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_typed_is_understood_or_refused() {
        let wanted =
            parsed("writes --seconds 0.5 --rounds 3 --writers 1,64 --stores rpc,redis --json out.json").unwrap();
        assert_eq!((wanted.round.as_millis(), wanted.rounds, wanted.writers), (500, 3, vec![1, 64]));
        assert_eq!((wanted.stores, wanted.json), (vec!["rpc".into(), "redis".into()], Some("out.json".into())));
        for wrong in ["reads", "writes --seconds", "writes --seconds 0", "writes --writers 0", "writes --stores etcd"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
