//! What is printed, and what is written for programs.

use crate::load::{KEYS, Round, VALUE_BYTES};
use serde_json::{Value, json};
use std::time::Duration;

/// All rounds of one store with one number of writers.
#[derive(Clone, Debug)]
pub struct Measured {
    pub store: String,
    pub writers: usize,
    pub rounds: Vec<Round>,
}

impl Measured {
    pub fn new(store: &str, writers: usize, rounds: usize) -> Measured {
        Measured { store: store.into(), writers, rounds: Vec::with_capacity(rounds) }
    }

    /// The median over the rounds.
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }

    fn rate(&self) -> f64 {
        self.median(|round| round.commands_per_second)
    }

    fn flushes(&self) -> Option<f64> {
        let counted = self.rounds.iter().all(|round| round.flushes_per_second.is_some());
        counted.then(|| self.median(|round| round.flushes_per_second.unwrap_or_default()))
    }
}

pub struct Report {
    machine: Value,
    redis: String,
    all: Vec<Measured>,
    pub fsyncs_of_our_log: Option<u64>,
}

impl Report {
    pub fn new(machine: Value, redis: String) -> Report {
        Report { machine, redis, all: Vec::new(), fsyncs_of_our_log: None }
    }

    pub fn add(&mut self, measured: Vec<Measured>) {
        self.all.extend(measured);
    }

    fn of(&self, store: &str, writers: usize) -> Option<&Measured> {
        self.all.iter().find(|measured| measured.store == store && measured.writers == writers)
    }

    /// `{"machine": …, "results": […]}` as TARGETS.md asks for, and every store's own figures beside.
    pub fn json(&self) -> Value {
        let results: Vec<Value> = self.all.iter().filter_map(|ours| self.result(ours)).collect();
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let micros = |seconds: f64| (seconds * 1e7).round() / 10.0;
        let measured = self.all.iter().map(|of| {
            json!({
                "store": of.store,
                "writers": of.writers,
                "rounds": of.rounds.iter().map(|round| round.commands_per_second.round()).collect::<Vec<_>>(),
                "commands_per_second": of.rate().round(),
                "p50_ms": ms(Duration::from_secs_f64(of.median(|round| round.p50.as_secs_f64()))),
                "p99_ms": ms(Duration::from_secs_f64(of.median(|round| round.p99.as_secs_f64()))),
                "device_flushes_per_second": of.flushes().map(f64::round),
                "store_cpu_us_a_command": micros(of.median(|round| round.store.as_secs_f64())),
                "writers_cpu_us_a_command": micros(of.median(|round| round.writers.as_secs_f64())),
                "machine_used_by_others": of.rounds.iter().map(|round| (round.others * 1e3).round() / 1e3).fold(0.0, f64::max),
            })
        });
        json!({
            "machine": self.machine,
            "redis": self.redis,
            "value_bytes": VALUE_BYTES,
            "keys": KEYS,
            "results": results,
            "measured": measured.collect::<Vec<_>>(),
            "fsyncs_of_our_log": self.fsyncs_of_our_log,
        })
    }

    fn result(&self, ours: &Measured) -> Option<Value> {
        let (id, peer, theirs) = match (ours.store.as_str(), ours.writers) {
            ("rpc", 1 | 16) => ("w1s", "redis", self.of("redis", ours.writers)?),
            ("rpc", _) => ("w1", "redis", self.of("redis", ours.writers)?),
            ("http", _) => ("h1r", "our RPC", self.of("rpc", ours.writers)?),
            _ => return None,
        };
        let (ratio, spread) = compare(ours, theirs);
        Some(json!({
            "id": id,
            "writers": ours.writers,
            "ours": ours.rate().round(),
            "peer": peer,
            "theirs": theirs.rate().round(),
            "ratio": (ratio * 1e3).round() / 1e3,
            "spread": (spread * 1e3).round() / 1e3,
        }))
    }
}

/// The ratio of the medians, and how far the rounds' own ratios lie apart, as a part of it.
fn compare(ours: &Measured, theirs: &Measured) -> (f64, f64) {
    let ratio = ours.rate() / theirs.rate();
    let each = ours.rounds.iter().zip(&theirs.rounds).map(|(a, b)| a.commands_per_second / b.commands_per_second);
    let (least, most) = each.fold((f64::MAX, f64::MIN), |(least, most), each| (least.min(each), most.max(each)));
    (ratio, (most - least) / ratio)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// A line for whoever waits.
pub fn progress(store: &str, writers: usize, round: &Round) {
    let others = round.others * 100.0;
    let (rate, read) = (round.commands_per_second, round.read_back);
    eprintln!("{writers:>4} writers  {store:<6} {rate:>9.0} /s  {read} read back, others used {others:.0} %");
}

pub fn print(report: &Report) {
    println!();
    println!("{}", report.machine["cpu"].as_str().unwrap_or_default());
    println!(
        "{} cores, {}, write + fdatasync of 4 KiB: {} ms growing, {} ms in place; medians of rounds; Redis {}, appendfsync always",
        report.machine["cores"],
        report.machine["filesystem"].as_str().unwrap_or_default(),
        report.machine["write_and_fdatasync_4k_ms"]["growing"],
        report.machine["write_and_fdatasync_4k_ms"]["in_place"],
        if report.redis.is_empty() { "not run" } else { &report.redis },
    );
    println!();
    println!("                            durable                      disk     CPU µs a command");
    println!("writers  store           writes/s   p50 ms   p99 ms  flushes/s    store  writers     ÷ Redis  (spread)");
    let mut last = 0;
    for of in &report.all {
        let name = match of.store.as_str() {
            "rpc" => "ours, RPC",
            "http" => "ours, HTTP",
            "before" => "before, RPC",
            _ => "Redis",
        };
        let writers = if of.writers == last { String::new() } else { of.writers.to_string() };
        last = of.writers;
        let ms = |of: f64| format!("{:.2}", of * 1e3);
        let flushes = of.flushes().map_or("?".into(), |flushes| format!("{flushes:.0}"));
        let ratio = report.of("redis", of.writers).filter(|_| of.store != "redis").map(|redis| {
            let (ratio, spread) = compare(of, redis);
            format!("{ratio:>11.2}  (± {:.0} %)", spread * 50.0)
        });
        println!(
            "{writers:>7}  {name:<12} {:>11.0} {:>8} {:>8} {flushes:>10} {:>8.1} {:>8.1} {}",
            of.rate(),
            ms(of.median(|round| round.p50.as_secs_f64())),
            ms(of.median(|round| round.p99.as_secs_f64())),
            of.median(|round| round.store.as_secs_f64()) * 1e6,
            of.median(|round| round.writers.as_secs_f64()) * 1e6,
            ratio.unwrap_or_default(),
        );
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(store: &str, writers: usize, rates: &[f64]) -> Measured {
        let rounds = rates.iter().map(|&commands_per_second| Round {
            commands_per_second,
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            flushes_per_second: Some(100.0),
            store: Duration::from_micros(9),
            writers: Duration::from_micros(3),
            others: 0.0,
            read_back: 200,
        });
        Measured { store: store.into(), writers, rounds: rounds.collect() }
    }

    #[test]
    fn results_are_ratios_of_medians() {
        let mut report = Report::new(json!({}), "7".into());
        report.add(vec![measured("rpc", 64, &[900.0, 500.0, 700.0]), measured("redis", 64, &[1000.0, 1000.0, 1000.0])]);
        report.add(vec![measured("http", 64, &[350.0, 340.0])]);
        report.add(vec![measured("rpc", 1, &[5.0])]);
        let results = report.json()["results"].clone();
        assert_eq!(results.as_array().unwrap().len(), 2, "without a peer there is no result: {results}");
        assert_eq!((&results[0]["id"], &results[0]["ratio"]), (&json!("w1"), &json!(0.7)));
        assert_eq!(results[0]["spread"], json!(0.571));
        assert_eq!((&results[1]["id"], &results[1]["theirs"]), (&json!("h1r"), &json!(700.0)));
        assert_eq!(results[1]["ratio"], json!(0.493));
    }
}
