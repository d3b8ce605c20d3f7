//! A disk whose calls fail: a library preloaded into the node, compiled from `failing.c` when a test needs it.

use crate::Setup;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Sync,
    Write,
}

/// How many of them, counted from arming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Only the nth: later ones work again, as after a fault that the kernel has forgotten.
    Only(u32),
    From(u32),
}

/// A fault that waits to be armed.
#[derive(Debug)]
pub struct Failing {
    arm: PathBuf,
}

impl Failing {
    /// Has the node that is set up here fail `call`s on files below `under` (within its folder) with `errno`, once armed.
    pub fn on(setup: Setup, under: &str, call: Call, which: Which, errno: i32) -> Result<(Setup, Failing)> {
        let arm = setup.folder().join("armed");
        let call = if call == Call::Sync { "sync" } else { "write" };
        let (nth, all) = match which {
            Which::Only(nth) => (nth, false),
            Which::From(nth) => (nth, true),
        };
        let mut setup = preloaded(setup, under)?
            .env("FAIL_CALL", call)
            .env("FAIL_NTH", nth.to_string())
            .env("FAIL_ERRNO", errno.to_string())
            .env("FAIL_ARM", &arm);
        if all {
            setup = setup.env("FAIL_ALL", "1");
        }
        Ok((setup, Failing { arm }))
    }

    /// A disk whose syncs take `us` microseconds longer: for what depends on how slow disks are.
    pub fn slow(setup: Setup, under: &str, us: u32) -> Result<Setup> {
        Ok(preloaded(setup, under)?.env("SLOW_SYNC_US", us.to_string()))
    }

    pub fn arm(&self) -> Result<()> {
        Ok(fs::write(&self.arm, "")?)
    }
}

fn preloaded(setup: Setup, under: &str) -> Result<Setup> {
    let library = compiled(setup.folder())?;
    // The kernel tells paths without links; /tmp may be one.
    fs::create_dir_all(&setup.data)?;
    let under = setup.data.canonicalize()?.join(under);
    Ok(setup.env("LD_PRELOAD", library).env("FAIL_UNDER", under))
}

fn compiled(folder: &Path) -> Result<PathBuf> {
    let (source, library) = (folder.join("failing.c"), folder.join("failing.so"));
    fs::write(&source, include_str!("failing.c"))?;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let output = cc.output().context("cc compiles what makes a disk fail: install gcc")?;
    ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
    Ok(library)
}
