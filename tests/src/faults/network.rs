//! A network that can be cut: each node in a network namespace of its own, all on one bridge, cut by nftables in their
//! namespaces. Namespaces, bridge and pairs carry this process's id in their names and go with it; what killed tests left goes
//! with the next.

use crate::binary;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};

/// Begins all names; the kernel takes 15 characters for those of interfaces.
const PREFIX: &str = "cmt";

/// Namespaces 0 to n - 1, with an address each, and this one at the bridge.
#[derive(Debug)]
pub struct Network {
    nodes: usize,
    /// Third number of the addresses.
    third: u8,
    name: String,
}

/// What is dropped between one node and the others. This process reaches all of them at any time, and they it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both ways.
    Full,
    /// What it sends.
    Out,
    /// What it is sent.
    In,
    /// One packet in five, both ways.
    Lossy,
}

impl Network {
    /// What is missing here for such a network, by name; `None` if nothing is.
    pub fn missing() -> Option<String> {
        if !binary::is_root() {
            return Some("root".into());
        }
        let programs = [("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux")];
        let missing = programs.iter().filter(|(program, _)| !binary::on_path(program));
        let missing: Vec<String> = missing.map(|(program, package)| format!("{program} (package {package})")).collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    }

    pub fn make(nodes: usize) -> Result<Network> {
        sweep();
        let pid = std::process::id();
        let network = Network { nodes, third: (pid % 250) as u8 + 1, name: format!("{PREFIX}{pid}") };
        // From here on it is dropped, half-made or whole.
        let bridge = network.bridge();
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{}/24", network.at(254)), "dev", &bridge])?;
        ip(&["link", "set", &bridge, "up"])?;
        for number in 0..nodes {
            let (space, here, there) = (network.space(number), network.end(number), "net0");
            ip(&["netns", "add", &space])?;
            ip(&["link", "add", &here, "type", "veth", "peer", "name", there, "netns", &space])?;
            ip(&["link", "set", &here, "master", &bridge, "up"])?;
            let address = format!("{}/24", network.ip(number));
            ip(&["-n", &space, "addr", "add", &address, "dev", there])?;
            ip(&["-n", &space, "link", "set", there, "up"])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        Ok(network)
    }

    pub fn ip(&self, number: usize) -> IpAddr {
        self.at(number as u8 + 1).into()
    }

    fn at(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.third, last)
    }

    /// Words that run a program in a node's namespace: for [`crate::Setup::under`].
    pub fn enter(&self, number: usize) -> Vec<OsString> {
        vec!["nsenter".into(), format!("--net=/run/netns/{}", self.space(number)).into(), "--".into()]
    }

    /// Cuts a node off from the other nodes.
    pub fn cut(&self, number: usize, cut: Cut) -> Result<()> {
        let others: Vec<String> = (0..self.nodes).filter(|n| *n != number).map(|n| self.ip(n).to_string()).collect();
        let others = others.join(", ");
        let drop = if cut == Cut::Lossy { "numgen random mod 100 < 20 drop" } else { "drop" };
        let (input, output) = (format!("ip saddr {{ {others} }} {drop}"), format!("ip daddr {{ {others} }} {drop}"));
        let input = if cut == Cut::Out { String::new() } else { input };
        let output = if cut == Cut::In { String::new() } else { output };
        self.nft(
            number,
            &format!(
                "flush ruleset\ntable inet cut {{\n\
                 chain in {{ type filter hook input priority 0; {input}; }}\n\
                 chain out {{ type filter hook output priority 0; {output}; }}\n}}\n"
            ),
        )
    }

    /// Nothing is dropped any more.
    pub fn heal(&self) -> Result<()> {
        (0..self.nodes).try_for_each(|number| self.nft(number, "flush ruleset\n"))
    }

    fn nft(&self, number: usize, rules: &str) -> Result<()> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(number), "nft", "-f", "-"]);
        let mut nft = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().context("ip netns exec … nft")?;
        nft.stdin.take().context("piped")?.write_all(rules.as_bytes())?;
        let output = nft.wait_with_output()?;
        ensure!(output.status.success(), "nft: {}\n{rules}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn space(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }

    fn bridge(&self) -> String {
        format!("{}b", self.name)
    }

    fn end(&self, number: usize) -> String {
        format!("{}v{number}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Pairs go with their namespaces, once the last process in there has ended.
        (0..self.nodes).for_each(|number| drop(ip(&["netns", "del", &self.space(number)])));
        let _ = ip(&["link", "del", &self.bridge()]);
    }
}

fn ip(words: &[&str]) -> Result<String> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output().context("ip (package iproute2)")?;
    if !output.status.success() {
        bail!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Removes what killed tests left: their pid is in the names.
fn sweep() {
    let gone = |name: &str| {
        let digits: String = name.strip_prefix(PREFIX)?.chars().take_while(char::is_ascii_digit).collect();
        let pid: u32 = digits.parse().ok()?;
        Some(!std::path::Path::new(&format!("/proc/{pid}")).exists())
    };
    for line in ip(&["netns", "list"]).unwrap_or_default().lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        if gone(name) == Some(true) {
            let _ = ip(&["netns", "del", name]);
        }
    }
    for line in ip(&["-o", "link", "show", "type", "bridge"]).unwrap_or_default().lines() {
        let name = line.split(": ").nth(1).unwrap_or_default();
        if gone(name) == Some(true) {
            let _ = ip(&["link", "del", name]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Nobody listens: who is reached says so at once, who is cut off says nothing.
    fn reaches(network: &Network, from: usize, to: usize) -> bool {
        let knock = format!("exec 3<>/dev/tcp/{}/9", network.ip(to));
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &network.space(from), "timeout", "0.4", "bash", "-c", &knock]);
        command.stderr(Stdio::null()).status().unwrap().code() != Some(124)
    }

    fn we_reach(network: &Network, to: usize) -> bool {
        let tried = std::net::TcpStream::connect_timeout(&(network.ip(to), 9).into(), Duration::from_millis(400));
        tried.is_err_and(|why| why.kind() == std::io::ErrorKind::ConnectionRefused)
    }

    #[test]
    fn who_is_cut_off_hears_no_other_node_and_still_hears_us() {
        if let Some(missing) = Network::missing() {
            eprintln!("not tried: it needs {missing}");
            return;
        }
        let network = Network::make(3).unwrap();
        assert!(reaches(&network, 0, 1) && reaches(&network, 1, 0) && we_reach(&network, 0));
        for cut in [Cut::Full, Cut::In, Cut::Out] {
            network.cut(0, cut).unwrap();
            assert!(!reaches(&network, 0, 1) && !reaches(&network, 2, 0), "{cut:?}");
            assert!(reaches(&network, 1, 2) && we_reach(&network, 0), "{cut:?}");
        }
        network.cut(0, Cut::Lossy).unwrap();
        network.heal().unwrap();
        assert!(reaches(&network, 0, 1) && reaches(&network, 2, 0));
        let (space, bridge) = (network.space(0), network.bridge());
        drop(network);
        assert!(!ip(&["netns", "list"]).unwrap().contains(&space));
        assert!(ip(&["link", "show", &bridge]).is_err(), "it goes with the test");
    }
}
