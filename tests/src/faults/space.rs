//! Disks of their own: a mount namespace that goes with its test, for small disks and read-only ones.

use crate::binary;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A mount that only those see who enter it.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
}

/// Can this user make one? Root in a container may be forbidden to.
pub fn can_mount() -> bool {
    let tried = || {
        let dir = std::env::temp_dir();
        Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none"]).arg(dir).stderr(Stdio::null()).status()
    };
    binary::is_root() && binary::on_path("nsenter") && tried().is_ok_and(|status| status.success())
}

impl Namespace {
    /// A memory disk of `bytes` at `at`.
    pub fn small_disk(at: &Path, bytes: u64) -> Result<Namespace> {
        Namespace::hold(&format!("mount -t tmpfs -o size={bytes} none \"$1\""), at)
    }

    /// `at` as it is, and nothing in it can be written.
    pub fn read_only(at: &Path) -> Result<Namespace> {
        Namespace::hold("mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\"", at)
    }

    /// A process that has the mount and ends when its stdin does: with this test.
    fn hold(mount: &str, at: &Path) -> Result<Namespace> {
        let script = format!("{mount} && echo held && exec cat >/dev/null");
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, "sh"]).arg(at).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().context("unshare (package util-linux)")?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("piped")?).read_line(&mut line)?;
        ensure!(line == "held\n", "the mount failed");
        Ok(Namespace { holder })
    }

    /// Words that run a program in it: for [`crate::Setup::under`].
    pub fn enter(&self) -> Vec<OsString> {
        ["nsenter", "-m", "-t", &self.holder.id().to_string(), "--"].map(Into::into).to_vec()
    }

    /// A path in it, as seen from outside.
    pub fn path(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Writes to `file` until nothing more fits, but for `left` bytes.
    pub fn fill(&self, file: &Path, left: u64) -> Result<()> {
        let path = self.path(file);
        let block = vec![0x5a; 64 << 10];
        let mut bytes = fs::read(&path).unwrap_or_default().len() as u64;
        let out = fs::OpenOptions::new().create(true).append(true).open(&path)?;
        while let Ok(n @ 1..) = std::io::Write::write(&mut &out, &block) {
            bytes += n as u64;
        }
        Ok(out.set_len(bytes.saturating_sub(left))?)
    }

    /// Room again.
    pub fn empty(&self, file: &Path) -> Result<()> {
        Ok(fs::remove_file(self.path(file))?)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
