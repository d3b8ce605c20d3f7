//! JavaScript programs with packages of npm, installed once for each lock.

use crate::binary;
use anyhow::{Context, Result, bail, ensure};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program in a folder with `package.json` and `package-lock.json`.
#[derive(Debug)]
pub struct Program {
    script: PathBuf,
    modules: PathBuf,
}

impl Program {
    /// `script` in `folder`. Its packages are kept below `cache`, under the lock's hash: most runs install nothing.
    pub fn new(folder: &Path, script: &str, cache: &Path) -> Result<Program> {
        for tool in ["node", "npm"] {
            ensure!(binary::on_path(tool), "{tool} is missing: `cargo xtask test` installs it, `apt-get install` too");
        }
        let lock = std::fs::read(folder.join("package-lock.json")).context("package-lock.json")?;
        let installed = cache.join(format!("npm-{:016x}", hash(&lock)));
        if !installed.is_dir() {
            install(folder, &installed)?;
        }
        Ok(Program { script: folder.join(script), modules: installed.join("node_modules") })
    }

    /// Runs it to its end, a minute at most; what it prints.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new("timeout");
        command.args(["60", "node"]).arg(&self.script).args(args).env("NODE_PATH", &self.modules);
        for name in ["NODE_OPTIONS", "M3O_API_TOKEN", "MICRO_KEY"] {
            command.env_remove(name);
        }
        let ran = command.stdin(Stdio::null()).output()?;
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        ensure!(ran.status.success(), "{} ended with {}:\n{err}\n{out}", self.script.display(), ran.status);
        Ok(out.into_owned())
    }
}

fn hash(lock: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    hasher.finish()
}

/// Beside its place and then moved there: tests run side by side, and one may be killed halfway.
fn install(folder: &Path, to: &Path) -> Result<()> {
    let own = to.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(folder.join(name), own.join(name)).context(name)?;
    }
    let mut command = Command::new("timeout");
    command.args(["180", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]);
    let ran = command.current_dir(&own).stdin(Stdio::null()).output().context("npm ci")?;
    if !ran.status.success() {
        let _ = std::fs::remove_dir_all(&own);
        bail!("npm ci ended with {}: {}", ran.status, String::from_utf8_lossy(&ran.stderr).trim_end());
    }
    if std::fs::rename(&own, to).is_err() {
        std::fs::remove_dir_all(&own)?;
        ensure!(to.is_dir(), "cannot move the packages to {}", to.display());
    }
    Ok(())
}
