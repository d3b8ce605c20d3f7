//! Measures gossip among processes of this machine, each with nothing else to do: how soon a killed one is seen dead and its next life
//! alive, what a full processor does to the others, and what it costs to be idle.
//!
//! ```text
//! cargo run --release -p cluster --example gossip -- 3 20 10      nodes, kills, seconds
//! ```

use cluster::gossip::{Gossip, Health, Member, Options};
use cluster::trust::{Keyring, Secret};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use wire::ids::{ClusterId, Incarnation, NodeId};

const WITHIN: Duration = Duration::from_secs(30);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["node", node, life, secret, seeds] => node_main(number(node), number(life), secret, seeds),
        [nodes, kills, seconds] => measure(number(nodes), number(kills), Duration::from_secs(number(seconds))),
        _ => eprintln!("usage: gossip NODES KILLS SECONDS"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Says what it sees at each change, and its counters when asked.
fn node_main(node: u64, life: u64, secret: &str, seeds: &str) {
    let seeds: Vec<String> = seeds.split(',').filter(|seed| !seed.is_empty()).map(str::to_string).collect();
    let gossip = Gossip::start(Options {
        cluster: ClusterId([1; 16]),
        member: Member {
            node: NodeId(node),
            incarnation: Incarnation(life),
            listen: format!("127.0.0.1:{node}"),
            http: format!("127.0.0.1:{node}"),
            version: "0.1.0".into(),
            zone: "here".into(),
        },
        bind: ([127, 0, 0, 1], 0).into(),
        advertise: None,
        keyring: Keyring::new(Secret::parse(secret).expect("a secret")).expect("a keyring"),
        seeds: Arc::new(move || seeds.clone()),
    })
    .expect("gossip starts");
    println!("address {}", gossip.address());
    let mut watch = gossip.watch();
    thread::spawn(move || {
        futures::executor::block_on(async {
            while watch.changed().await.is_ok() {
                let seen = watch.borrow_and_update().clone();
                let seen = seen.iter().map(|seen| match seen.health {
                    Health::Alive => format!("+{}.{}", seen.member.node.0, seen.member.incarnation.0),
                    Health::Dead => format!("-{}.{}", seen.member.node.0, seen.member.incarnation.0),
                });
                println!("seen {}", seen.collect::<Vec<_>>().join(" "));
            }
        });
    });
    for _ in std::io::stdin().lock().lines() {
        let counters = gossip.counters();
        println!(
            "counters sent {} largest {} received {} introduced {} late {} longest gap {:?} longest silence {:?} entries {}",
            counters.sent,
            counters.largest,
            counters.received,
            counters.introduced,
            counters.late,
            counters.longest_gap,
            counters.longest_silence,
            counters.entries
        );
    }
}

struct Node {
    child: Child,
    stdin: ChildStdin,
    address: String,
    /// What it saw last, and how often it called anybody dead.
    seen: Arc<Mutex<(String, u64)>>,
    counters: Receiver<String>,
}

impl Node {
    fn start(node: u64, life: u64, secret: &str, seeds: &str) -> Node {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["node", &node.to_string(), &life.to_string(), secret, seeds])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let address = lines.next().expect("its address").replace("address ", "");
        let seen = Arc::new(Mutex::new((String::new(), 0)));
        let (told, counters) = channel();
        let shared = seen.clone();
        thread::spawn(move || {
            for line in lines {
                match line.split_once(' ') {
                    Some(("seen", now)) => {
                        let mut seen = shared.lock().expect("whole");
                        seen.1 += u64::from(now.contains('-'));
                        seen.0 = now.to_string();
                    }
                    Some(("counters", counters)) => drop(told.send(counters.to_string())),
                    _ => {}
                }
            }
        });
        let stdin = child.stdin.take().expect("its input");
        Node { child, stdin, address, seen, counters }
    }

    fn sees(&self, what: &str) -> bool {
        self.seen.lock().expect("whole").0.split(' ').any(|seen| seen == what)
    }

    fn counters(&mut self) -> String {
        writeln!(self.stdin).expect("it listens");
        self.counters.recv().expect("it answers")
    }

    /// Milliseconds of processor so far.
    fn processor(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it lives");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        10 * (number(fields[11]) + number(fields[12]))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(nodes: &[Node], but: usize, what: &str) -> Duration {
    let begun = Instant::now();
    while nodes.iter().enumerate().any(|(at, node)| at != but && !node.sees(what)) {
        assert!(begun.elapsed() < WITHIN, "nobody saw {what}");
        // tidy: sleep because another process tells nobody when its state changes; the loop has a deadline
        thread::sleep(Duration::from_millis(1));
    }
    begun.elapsed()
}

fn measure(count: u64, kills: u64, time: Duration) {
    let secret = Secret::random().text();
    let mut nodes: Vec<Node> = Vec::new();
    for node in 1..=count {
        let seed = nodes.first().map_or(String::new(), |first| first.address.clone());
        nodes.push(Node::start(node, 1, &secret, &seed));
    }
    let begun = Instant::now();
    for node in 1..=count {
        wait(&nodes, usize::MAX, &format!("+{node}.1"));
    }
    println!("all see all {} ms after the last started", begun.elapsed().as_millis());

    let before: Vec<u64> = nodes.iter().map(Node::processor).collect();
    // tidy: sleep because the time that passes is the input
    thread::sleep(time);
    let used = nodes.iter().zip(&before).map(|(node, before)| node.processor() - before);
    let shares: Vec<String> =
        used.map(|used| format!("{:.2} %", used as f64 / time.as_millis() as f64 * 100.0)).collect();
    println!("idle, of one core: {}", shares.join(", "));

    counters(&mut nodes);
    let (mut dead, mut alive) = (Vec::new(), Vec::new());
    let mut life = 1;
    let mut lives = vec![1; count as usize];
    for kill in 0..kills {
        let at = (kill % count) as usize;
        let node = at as u64 + 1;
        let was = lives[at];
        drop(nodes.remove(at));
        let begun = Instant::now();
        while nodes.iter().any(|other| !other.sees(&format!("-{node}.{was}"))) {
            assert!(begun.elapsed() < WITHIN, "n{node} is not seen dead");
            // tidy: sleep because another process tells nobody when its state changes; the loop has a deadline
            thread::sleep(Duration::from_millis(1));
        }
        dead.push(begun.elapsed());
        life += 1;
        let seed = nodes[0].address.clone();
        nodes.insert(at, Node::start(node, life, &secret, &seed));
        alive.push(wait(&nodes, at, &format!("+{node}.{life}")));
        lives[at] = life;
        // So that the next death is one of a node that everybody knew.
        for (other, life) in (1..).zip(&lives) {
            wait(&nodes, usize::MAX, &format!("+{other}.{life}"));
        }
    }
    tell("killed, seen dead by all", dead);
    tell("started, seen alive by all", alive);

    counters(&mut nodes);
    nodes.iter().for_each(|node| node.seen.lock().expect("whole").1 = 0);
    let burning = Arc::new(AtomicBool::new(true));
    let burners = 4 * thread::available_parallelism().map_or(2, |cores| cores.get());
    for _ in 0..burners {
        let burning = burning.clone();
        thread::spawn(move || while burning.load(Ordering::Relaxed) {});
    }
    // tidy: sleep because the time that passes is the input
    thread::sleep(time);
    burning.store(false, Ordering::Relaxed);
    let deaths: u64 = nodes.iter().map(|node| node.seen.lock().expect("whole").1).sum();
    println!("{burners} threads burning for {} s: {deaths} false deaths", time.as_secs());
    counters(&mut nodes);
}

fn counters(nodes: &mut [Node]) {
    for (number, node) in (1..).zip(nodes) {
        println!("n{number}: {}", node.counters());
    }
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    if let (Some(median), Some(most)) = (times.get(times.len() / 2), times.last()) {
        println!("{what}: p50 {} ms, most {} ms of {}", median.as_millis(), most.as_millis(), times.len());
    }
}
