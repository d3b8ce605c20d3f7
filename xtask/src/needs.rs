//! System packages that a bare Debian lacks. We install them ourselves where we may, and say the command where we may not.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Need {
    package: &'static str,
    why: &'static str,
    present: fn() -> bool,
}

pub const CXX: Need =
    Need { package: "g++", why: "compiles RocksDB, once", present: || on_path("g++") || is_set("CXX") };
pub const LIBCLANG: Need =
    Need { package: "libclang-dev", why: "reads RocksDB's header, so that Rust can call it", present: has_libclang };
pub const CURL: Need = Need { package: "curl", why: "makes the README's HTTP calls", present: || on_path("curl") };

pub const STRACE: Need =
    Need { package: "strace", why: "counts a node's fsyncs in the tests", present: || on_path("strace") };

pub const NODE: Need =
    Need { package: "nodejs", why: "runs M3O's JavaScript clients against a node", present: || on_path("node") };
pub const NPM: Need = Need { package: "npm", why: "gets those clients", present: || on_path("npm") };

pub const REDIS: Need = Need {
    package: "redis-server",
    why: "is what `bench writes` is measured beside; Debian also starts one of its own on port 6379, which is left alone",
    present: || on_path("redis-server"),
};

/// Installs what is missing, or says in one sentence what to type.
pub fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {} ({})", need.package, need.why);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let line = format!("apt-get update && apt-get install -y {}", packages.join(" "));
    if !on_path("apt-get") {
        bail!(
            "this system has no apt-get: install the counterparts of {} by its own means, then run this again",
            packages.join(", ")
        );
    }
    if !is_root()? {
        bail!("only root may install packages: run `sudo sh -c '{line}'`, then this command again");
    }
    eprintln!("installing them with apt-get (about a minute)");
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages.as_slice()].concat())?;
    match missing.iter().find(|need| !(need.present)()) {
        Some(need) => bail!("{} was installed and still cannot be found: is its folder on PATH?", need.package),
        None => Ok(()),
    }
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.arg("-q").args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let output = command.output()?;
    if !output.status.success() {
        bail!("apt-get {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The owner of /proc/self is the user we run as; std has no call for it.
fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

/// Looks where bindgen looks: `LIBCLANG_PATH`, then the folders in which Debian and Fedora keep it.
fn has_libclang() -> bool {
    let in_dir = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|name| {
            let name = name.to_string_lossy();
            name.starts_with("libclang.so") || name.starts_with("libclang-") && name.contains(".so")
        })
    };
    let llvm = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let llvm = llvm.filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-"));
    is_set("LIBCLANG_PATH")
        || llvm.map(|entry| entry.path().join("lib")).any(|dir| in_dir(&dir))
        || ["/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
            .iter()
            .any(|dir| in_dir(Path::new(dir)))
}
