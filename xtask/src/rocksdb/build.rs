//! The making of the archive: killed at any moment it leaves no half archive, and two at once make one.

use super::plan::{ARCHIVE, Plan};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// Compiles into `<dir>.partial` and renames it when it is whole. Objects of a killed run are kept and not made again.
pub fn archive(plan: &Plan, shelf: &Path, dir: &Path) -> Result<()> {
    let lock = File::create(shelf.join("lock")).context("cannot make the lock file")?;
    if lock.try_lock().is_err() {
        eprintln!("RocksDB: another xtask is compiling it; waiting");
        lock.lock().context("cannot lock")?;
    }
    if dir.join(ARCHIVE).is_file() {
        return Ok(()); // the other one made it
    }
    let started = Instant::now();
    let mut work = dir.as_os_str().to_owned();
    work.push(".partial"); // not with_extension: the version has dots
    let work = PathBuf::from(work);
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    eprintln!("RocksDB: compiling one archive into {} (3 to 6 minutes on two cores, once a machine)", dir.display());
    let objects = compile(plan, &work, started)?;
    let made = making(&work.join(ARCHIVE));
    let output = Command::new("ar")
        .arg("crs")
        .arg(&made)
        .args(&objects)
        .output()
        .context("cannot start ar (package binutils)")?;
    if !output.status.success() {
        bail!("ar failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    keep(&made, &work.join(ARCHIVE))?;
    for entry in fs::read_dir(&work)? {
        let path = entry?.path();
        if path != work.join(ARCHIVE) {
            fs::remove_file(path)?;
        }
    }
    fs::rename(&work, dir).with_context(|| format!("cannot rename {}", work.display()))?;
    eprintln!("RocksDB: done in {} s", started.elapsed().as_secs());
    Ok(())
}

/// One compiler a core, each taking the next unit; the first error stops the taking.
fn compile(plan: &Plan, work: &Path, started: Instant) -> Result<Vec<PathBuf>> {
    let units = plan.units()?;
    let objects: Vec<PathBuf> = (0..units.len()).map(|n| work.join(format!("unit{n}.o"))).collect();
    let todo = Mutex::new(units.iter().zip(&objects).enumerate());
    let failed = Mutex::new(None);
    // A compiler takes up to 1 GiB here, so a wide machine does not start one for each core.
    let compilers = thread::available_parallelism().map_or(2, |cores| cores.get().min(6));
    thread::scope(|scope| {
        for _ in 0..compilers {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().next();
                    let Some((at, (text, object))) = next else { return };
                    if failed.lock().unwrap().is_some() {
                        return;
                    }
                    match unit(plan, text, object) {
                        Ok(()) => eprintln!(
                            "RocksDB: unit {} of {}, {} s",
                            at + 1,
                            objects.len(),
                            started.elapsed().as_secs()
                        ),
                        Err(error) => *failed.lock().unwrap() = Some(error),
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap() {
        Some(error) => Err(error),
        None => Ok(objects),
    }
}

fn unit(plan: &Plan, text: &str, object: &Path) -> Result<()> {
    if object.is_file() {
        return Ok(());
    }
    let source = object.with_extension("cc");
    fs::write(&source, text)?;
    let made = making(object);
    let output = plan.compile(&source, &made).output().context("cannot start the C++ compiler")?;
    if !output.status.success() {
        bail!("compiling {} failed:\n{}", source.display(), String::from_utf8_lossy(&output.stderr));
    }
    keep(&made, object)
}

/// A name of this process alone: the compiler of a killed xtask may still be writing under its own.
fn making(file: &Path) -> PathBuf {
    file.with_extension(format!("{}.making", std::process::id()))
}

/// A name stands for a whole file, after a power cut too.
fn keep(made: &Path, name: &Path) -> Result<()> {
    File::open(made)?.sync_all()?;
    Ok(fs::rename(made, name)?)
}
