//! What to compile and how: librocksdb-sys's build script for 64-bit Linux, read once and written down.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// cargo's `static=rocksdb` looks for this name.
pub const ARCHIVE: &str = "librocksdb.a";

/// More files parse the headers more often, fewer keep one core idle at the end.
const UNITS: usize = 12;

/// `build_rocksdb` of librocksdb-sys 0.19 with the feature lz4; `cc` adds the first line.
const FLAGS: &str = "-O3 -ffunction-sections -fdata-sections -fPIC -w \
    -std=c++20 -include cstdint -DNDEBUG=1 -DLZ4=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION \
    -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT \
    -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT";

pub struct Plan {
    version: String,
    /// The crate's folder: sources are named from here.
    pub sources: PathBuf,
    lz4: PathBuf,
    compiler: String,
}

impl Plan {
    /// From `cargo metadata`, so that Cargo.lock decides which RocksDB it is.
    pub fn new(metadata: &Value) -> Result<Plan> {
        let (version, sources) = locate(metadata, "librocksdb-sys")?;
        let (_, lz4) = locate(metadata, "lz4-sys")?;
        let compiler = env::var("CXX").ok().filter(|cxx| !cxx.is_empty()).unwrap_or_else(|| "g++".into());
        Ok(Plan { version, sources, lz4, compiler })
    }

    /// Names all that decides what is in the archive: versions, flags, compiler.
    pub fn key(&self) -> String {
        let version = Command::new(&self.compiler).arg("--version").output().map(|out| out.stdout).unwrap_or_default();
        let said = format!("{UNITS} {FLAGS} {:?} {}", cpu_flags(), String::from_utf8_lossy(&version));
        format!("{}-{:016x}", self.version, fnv1a(said.as_bytes()))
    }

    /// The text of each unity file: every twelfth source, an order known to compile without a clash of file-local names.
    pub fn units(&self) -> Result<Vec<String>> {
        let list = self.sources.join("rocksdb_lib_sources.txt");
        let list = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let mut units = vec![String::new(); UNITS];
        // The crate has its own build_version.cc, made in advance; RocksDB's is a template.
        let sources = list.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "util/build_version.cc");
        for (at, source) in sources.enumerate() {
            units[at % UNITS] += &format!("#include \"rocksdb/{source}\"\n");
        }
        units[UNITS - 1] += "#include \"build_version.cc\"\n";
        Ok(units)
    }

    /// The compiler's command for one unity file. lz4 itself is lz4-sys's, compiled by cargo; here only its header is needed.
    pub fn compile(&self, unit: &Path, object: &Path) -> Command {
        let mut command = Command::new(&self.compiler);
        command.current_dir(&self.sources).args(FLAGS.split_whitespace()).args(cpu_flags());
        for include in ["rocksdb/include", "rocksdb", "rocksdb/third-party/gtest-1.8.1/fused-src", "."] {
            command.arg("-I").arg(include);
        }
        command.arg("-I").arg(self.lz4.join("liblz4/lib")).arg("-c").arg(unit).arg("-o").arg(object);
        command
    }
}

/// What the build script adds for rustc's default CPU, so that the archive runs where our binary runs.
fn cpu_flags() -> &'static [&'static str] {
    if cfg!(target_arch = "x86_64") { &["-m64", "-msse2"] } else { &[] }
}

fn locate(metadata: &Value, name: &str) -> Result<(String, PathBuf)> {
    let packages = metadata["packages"].as_array().context("cargo metadata without packages")?;
    let Some(found) = packages.iter().find(|package| package["name"] == name) else {
        bail!("Cargo.lock has no {name}: was rocksdb's feature lz4 dropped? Then xtask/src/rocksdb/plan.rs must follow")
    };
    let manifest = found["manifest_path"].as_str().context("a package without a manifest")?;
    let dir = Path::new(manifest).parent().context("a manifest without a folder")?;
    Ok((found["version"].as_str().unwrap_or_default().into(), dir.into()))
}

/// A hash that no release of Rust will change under us.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hash_is_the_published_one() {
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn each_source_is_in_one_unit_and_the_template_in_none() {
        let dir = env::temp_dir().join(format!("xtask-plan-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let names: Vec<String> = (0..30).map(|n| format!("db/f{n}.cc")).collect();
        fs::write(dir.join("rocksdb_lib_sources.txt"), names.join("\n") + "\nutil/build_version.cc\n").unwrap();
        let manifest = dir.join("Cargo.toml");
        let package = |name: &str| json!({ "name": name, "version": "1", "manifest_path": manifest });
        let plan = Plan::new(&json!({ "packages": [package("librocksdb-sys"), package("lz4-sys")] })).unwrap();
        let all = plan.units().unwrap().concat();
        fs::remove_dir_all(&dir).unwrap();
        assert!(names.iter().all(|name| all.matches(&format!("\"rocksdb/{name}\"")).count() == 1));
        assert_eq!(all.matches("build_version.cc").count(), 1);
    }
}
