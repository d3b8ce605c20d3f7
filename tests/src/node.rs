//! A node's process over its lives.

use crate::http::Http;
use crate::setup::{Setup, Verb};
use crate::{TOKEN, wait};
use anyhow::{Context, Result, bail, ensure};
use client::Client;
use serde_json::Value;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// The slowest machine that tests run on replays its log and elects itself within this.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The contract is 10 s from SIGTERM to the end.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// How a process ended, and what it said in that life.
#[derive(Debug)]
pub struct Exit {
    pub status: ExitStatus,
    pub said: String,
}

impl Exit {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// A node under test. Dropped, it is killed, and its folder goes.
#[derive(Debug)]
pub struct Node {
    pub setup: Setup,
    child: Option<Child>,
    /// How many processes there were; each has its own file for what it says.
    lives: usize,
}

impl Node {
    pub(crate) fn of(setup: Setup) -> Node {
        Node { setup, child: None, lives: 0 }
    }

    /// Starts the next life and does not wait until it answers.
    pub fn spawn(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the node runs already");
        self.lives += 1;
        let file = |path: PathBuf| OpenOptions::new().create(true).append(true).open(path);
        let mut command = self.setup.command()?;
        command.stdin(Stdio::null()).stdout(file(self.out_file())?).stderr(file(self.said_in())?);
        self.child = Some(command.spawn().with_context(|| format!("cannot start {command:?}"))?);
        Ok(())
    }

    /// Waits for `GET /readyz` to answer 200; a node that ends before is an error with its own words.
    pub async fn ready(&mut self) -> Result<()> {
        let http = Http::new(self.http(), None);
        let deadline = tokio::time::Instant::now() + READY_WITHIN;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if http.get("/readyz").await.is_ok_and(|reply| reply.code == 200) {
                return Ok(());
            }
            if let Some(status) = self.running().try_wait()? {
                self.child = None;
                bail!("the node ended ({status}) before it was ready; it said:\n{}", self.said());
            }
            if left.is_zero() {
                bail!("the node was not ready within {READY_WITHIN:?}; it said:\n{}", self.said());
            }
            wait::pass(Duration::from_millis(10)).await;
        }
    }

    /// Starts it again on the same folder and waits until it is ready.
    pub async fn restart(&mut self) -> Result<()> {
        self.spawn()?;
        self.ready().await
    }

    /// The process that a `pid` file names: under `commons dev` the parent's child.
    pub fn child_pid(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.path("pid")).ok()?.trim().parse().ok()?;
        is_alive(pid).then_some(pid)
    }

    fn running(&mut self) -> &mut Child {
        self.child.as_mut().expect("the node runs")
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the node runs").id()
    }

    /// kill -9, and nothing of it is left when this returns.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM, and how it ended.
    pub async fn stop(&mut self) -> Result<Exit> {
        self.signal("TERM")?;
        self.ended(GONE_WITHIN).await
    }

    pub fn signal(&mut self, name: &str) -> Result<()> {
        signal(self.pid(), name)
    }

    /// Waits until the process ends by itself.
    pub async fn ended(&mut self, within: Duration) -> Result<Exit> {
        let child = self.running();
        let status = wait::until("end of the node", within, || {
            let status = child.try_wait();
            async { Ok(status?) }
        });
        let status = status.await.with_context(|| format!("it said:\n{}", self.said()))?;
        self.child = None;
        Ok(Exit { status, said: self.said() })
    }

    /// What this life has said on stderr.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said_in()).unwrap_or_default()).into_owned()
    }

    /// A panic anywhere in any life is a bug, whoever caught it.
    pub fn check_no_panic(&self) -> Result<()> {
        for life in 1..=self.lives {
            let said = std::fs::read(self.said_file(life)).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            if let Some(at) = said.find("panicked") {
                let from = said[..at].rfind('\n').map_or(0, |end| end + 1);
                bail!("the node panicked in life {life}: {}", said[from..].chars().take(600).collect::<String>());
            }
        }
        Ok(())
    }

    /// What this life has printed on stdout.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.out_file()).unwrap_or_default()).into_owned()
    }

    fn out_file(&self) -> PathBuf {
        self.setup.place.path().join(format!("out-{}", self.lives))
    }

    fn said_in(&self) -> PathBuf {
        self.said_file(self.lives)
    }

    fn said_file(&self, life: usize) -> PathBuf {
        self.setup.place.path().join(format!("said-{life}"))
    }

    pub fn http(&self) -> SocketAddr {
        self.setup.http()
    }

    pub fn listen(&self) -> SocketAddr {
        self.setup.listen()
    }

    /// The node's own folder: below the parent's for `commons dev`.
    pub fn data(&self) -> PathBuf {
        match self.setup.verb {
            Verb::Start => self.setup.data.clone(),
            Verb::Dev => self.setup.data.join("node-1"),
        }
    }

    /// The key, where one is asked for.
    pub fn token(&self) -> Option<String> {
        match self.setup.verb {
            Verb::Start => Some(std::fs::read_to_string(self.data().join(TOKEN)).ok()?.trim().to_string()),
            Verb::Dev => None,
        }
    }

    /// Its HTTP door, with the key.
    pub fn caller(&self) -> Http {
        Http::new(self.http(), self.token())
    }

    /// A Rust client of it.
    pub async fn client(&self) -> Result<Client> {
        let mut builder = Client::builder().node(self.listen().to_string()).deadline(Duration::from_secs(30));
        if let Some(token) = self.token() {
            builder = builder.token(token);
        }
        Ok(builder.connect().await?)
    }

    pub async fn status(&self) -> Result<Value> {
        let reply = self.caller().get("/status").await?;
        ensure!(reply.code == 200, "/status answered {}", reply.code);
        reply.json()
    }

    /// A file or folder of the node's.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.data().join(name)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The child of a parent that is killed goes by itself; the folder must not go before it.
        let child = (self.setup.verb == Verb::Dev).then(|| self.child_pid()).flatten();
        let _ = self.kill();
        if let Some(pid) = child {
            let _ = signal(pid, "KILL");
            while is_alive(pid) {
                std::thread::yield_now();
            }
        }
        if std::thread::panicking() {
            let said = self.said();
            let tail = said.char_indices().rev().nth(4_000).map_or(0, |(at, _)| at);
            eprintln!("--- what the node said last:\n{}---", &said[tail..]);
        }
    }
}

/// Sends a signal to a process by its id.
pub fn signal(pid: u32, name: &str) -> Result<()> {
    // std has no call for it, and the house has no unsafe code.
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status()?;
    ensure!(sent.success(), "there is no process {pid} to send SIG{name} to");
    Ok(())
}

/// Is there such a process, and not only its exit status?
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
