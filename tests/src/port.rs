//! Ports that no other test has: taken by a lock that all test processes respect, outside of what the kernel hands out.

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// Below the range from which Linux takes ports for outgoing connections: one of those could sit on a port between two
/// lives of a node.
const RANGE: std::ops::Range<u16> = 12_000..32_000;
const TRIES: usize = 200;

/// Held while its node may come back.
#[derive(Debug)]
pub struct Port {
    pub number: u16,
    _lock: File,
}

impl Port {
    pub fn take() -> Result<Port> {
        let folder = std::env::temp_dir().join("commons-tests-ports");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut random = StdRng::from_os_rng();
        for _ in 0..TRIES {
            let number = random.random_range(RANGE);
            let path = folder.join(number.to_string());
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            if file.try_lock().is_ok() && is_free(number) {
                return Ok(Port { number, _lock: file });
            }
        }
        bail!("no free port was found in {RANGE:?} after {TRIES} tries")
    }
}

fn is_free(number: u16) -> bool {
    let at = (Ipv4Addr::LOCALHOST, number);
    TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
}
