//! Stores as processes of ours: a folder and a port each, ended by pid, gone with this program.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PREFIX: &str = "commons-bench-";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A folder that goes when this is dropped.
#[derive(Debug)]
pub struct Place(PathBuf);

impl Place {
    pub fn new(under: &Path) -> Result<Place> {
        fs::create_dir_all(under).with_context(|| format!("cannot make {}", under.display()))?;
        sweep(under);
        let path = under.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Place(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what a benchmark left that was killed: its pid is in the name.
fn sweep(under: &Path) {
    for entry in fs::read_dir(under).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// An address on loopback that nobody has just now.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
    Ok(listener.local_addr()?)
}

/// A running store. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// What it says goes to `name.log` in `place`. It ends with this program, however that ends.
    pub fn start(place: &Place, name: &str, words: &[OsString]) -> Result<Process> {
        let said = place.path().join(format!("{name}.log"));
        let out = File::create(&said)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(words);
        for name in ["COMMONS_NODE", "COMMONS_TOKEN", "COMMONS_TOKEN_FILE", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Process { child, said })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something listens at `at`, or says why it never will.
    pub async fn listens(&mut self, at: SocketAddr) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while tokio::net::TcpStream::connect(at).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} and said:\n{}", self.said());
            }
            if Instant::now() > deadline {
                bail!("nothing listens at {at} after {READY_WITHIN:?}; it said:\n{}", self.said());
            }
            // tidy: sleep because another process tells nobody when it listens; the loop has a deadline
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
