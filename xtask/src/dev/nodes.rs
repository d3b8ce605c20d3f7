//! The running `commons dev` and its nodes: started, waited for, and gone by their pids.

use anyhow::{Context, Result, bail};
use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// The contract gives a node 10 s to drain; the parent waits for all of them.
const GONE_WITHIN: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

pub struct Nodes {
    dev: RefCell<Child>,
    data: PathBuf,
    http: SocketAddr,
    count: u16,
}

/// The command of the contract, once the ports are known to be free.
pub fn command(node: &Path, count: u16, data: &Path, http: SocketAddr, listen: SocketAddr) -> Result<Command> {
    for nth in 0..count {
        for (flag, first) in [("--http", http), ("--listen", listen)] {
            let address = successive(first, nth)?;
            if let Err(error) = TcpListener::bind(address) {
                bail!("{address} cannot be listened on ({error}): stop what holds it, or choose another with {flag}");
            }
        }
    }
    let mut command = Command::new(node);
    command.arg("dev").arg("--nodes").arg(count.to_string()).arg("--data").arg(data);
    command.arg("--http").arg(http.to_string()).arg("--listen").arg(listen.to_string());
    Ok(command)
}

fn successive(first: SocketAddr, nth: u16) -> Result<SocketAddr> {
    let port = first.port().checked_add(nth).context("no ports left above the one given")?;
    Ok(SocketAddr::new(first.ip(), port))
}

impl Nodes {
    pub fn start(node: &Path, count: u16, data: &Path, http: SocketAddr, listen: SocketAddr) -> Result<Nodes> {
        let mut command = command(node, count, data, http, listen)?;
        let dev = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start {}", node.display()))?;
        Ok(Nodes { dev: RefCell::new(dev), data: data.into(), http, count })
    }

    pub fn ready(&self) -> Result<()> {
        wait_until_ready(self.http, self.count, Some(&mut self.dev.borrow_mut()))
    }

    /// SIGTERM to `commons dev`; a node that outlives it is an error, and is ended too.
    pub fn stop(self) -> Result<()> {
        let mut dev = self.dev.into_inner();
        if dev.try_wait()?.is_none() {
            signal("TERM", dev.id())?;
        }
        let Some(status) = wait(GONE_WITHIN, || Ok(dev.try_wait()?))? else {
            dev.kill()?;
            bail!("commons dev did not stop within {} s of SIGTERM", GONE_WITHIN.as_secs())
        };
        let left: Vec<u32> =
            (1..=self.count).filter_map(|nth| running_node(&self.data.join(format!("node-{nth}")))).collect();
        for pid in &left {
            signal("KILL", *pid)?;
        }
        if !left.is_empty() {
            bail!("commons dev went and left nodes behind: pids {left:?}, now killed");
        }
        if !status.success() {
            bail!("commons dev ended with {status} after SIGTERM; it should drain and exit 0");
        }
        Ok(())
    }
}

/// The pid in the folder's pid file, if it is a `commons` that runs. Pids are used again, so the program is looked at.
fn running_node(dir: &Path) -> Option<u32> {
    let pid = fs::read_to_string(dir.join("pid")).ok()?.trim().parse().ok()?;
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    program.file_name()?.to_str()?.starts_with("commons").then_some(pid)
}

/// std sends no signal but KILL, and the shell's own `kill` needs no package.
fn signal(name: &str, pid: u32) -> Result<()> {
    let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status().context("cannot start sh")?;
    if !status.success() {
        bail!("kill -{name} {pid} failed");
    }
    Ok(())
}

pub fn wait_until_ready(http: SocketAddr, count: u16, mut dev: Option<&mut Child>) -> Result<()> {
    for nth in 0..count {
        let address = successive(http, nth)?;
        let answered = wait(READY_WITHIN, || {
            if let Some(dev) = &mut dev
                && let Some(status) = dev.try_wait()?
            {
                bail!("commons dev ended with {status} before it was ready; its words are above");
            }
            Ok(is_ready(address).then_some(()))
        })?;
        if answered.is_none() {
            bail!("http://{address}/readyz did not answer 200 within {} s", READY_WITHIN.as_secs());
        }
    }
    Ok(())
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// Asks until there is an answer or the time is over.
fn wait<T>(limit: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(Some(answer));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        // tidy: sleep because neither a port nor another process's exit tells us when it is ready
        std::thread::sleep(POLL);
    }
}
