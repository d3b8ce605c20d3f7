//! RocksDB, compiled once a machine.
//!
//! cargo would compile librocksdb-sys's 343 C++ files one by one, half an hour on two cores, and again in each target folder.
//! We make one static archive of the same sources with the same flags, as a dozen unity files (headers dominate: 3 to 6 minutes),
//! and point cargo at it. Plain `cargo build` goes on working without us, slowly.

mod build;
mod plan;

use crate::{cargo, house, needs};
use anyhow::{Context, Result};
use plan::Plan;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of a whole archive, made now if this machine has none. None: on this system cargo builds RocksDB itself.
pub fn ready() -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    needs::install(&[needs::CXX, needs::LIBCLANG])?;
    let plan = Plan::new(&cargo::metadata(true)?)?;
    let shelf = house::cache().join("rocksdb");
    let dir = shelf.join(plan.key());
    if !dir.join(plan::ARCHIVE).is_file() {
        fs::create_dir_all(&shelf).with_context(|| format!("cannot make {}", shelf.display()))?;
        build::archive(&plan, &shelf, &dir)?;
    }
    remember(&dir)?;
    Ok(Some(dir))
}

/// Tells plain cargo and editors too, by a file that `.cargo/config.toml` includes if it is there and git ignores.
fn remember(dir: &Path) -> Result<()> {
    let file = house::root().join(".cargo/local.toml");
    let text = format!(
        "# Written by `cargo xtask`; delete it and the archive to let cargo compile RocksDB itself.\n\
         [env]\nROCKSDB_LIB_DIR = {:?}\nROCKSDB_STATIC = \"1\"\n",
        dir.display().to_string()
    );
    if fs::read_to_string(&file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}
