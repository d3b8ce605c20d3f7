//! `commons dev`: nodes as child processes, started again when they die, gone when this process goes.
//!
//! Each child's stdin is a pipe that nothing is written to. When it ends, the child stops: so children go with their
//! parent even when that is killed, on every Unix.

mod child;
mod pace;
mod probe;
mod say;

use crate::door::Stop;
use cluster::trust::file;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What is to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub nodes: u16,
    pub data: PathBuf,
    /// The first node's addresses; the others are on the next ports.
    pub http: SocketAddr,
    pub listen: SocketAddr,
}

/// One node of the plan.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    /// The node it joins; the first founds the cluster.
    pub join: Option<SocketAddr>,
    /// What all of them share, where there are several.
    pub secret: Option<PathBuf>,
    pub data: PathBuf,
    pub http: SocketAddr,
    pub listen: SocketAddr,
}

impl Plan {
    fn nodes(&self) -> io::Result<Vec<Node>> {
        let next = |first: SocketAddr, nth: u16| {
            let port =
                first.port().checked_add(nth).ok_or_else(|| io::Error::other(format!("no port after {first}")))?;
            Ok::<_, io::Error>(SocketAddr::new(first.ip(), port))
        };
        let node = |nth: u16| {
            let name = format!("node-{}", nth + 1);
            let join = (nth > 0).then_some(self.listen);
            let secret = (self.nodes > 1).then(|| self.secret());
            let (http, listen) = (next(self.http, nth)?, next(self.listen, nth)?);
            Ok(Node { data: self.data.join(&name), name, join, secret, http, listen })
        };
        (0..self.nodes).map(node).collect()
    }

    fn secret(&self) -> PathBuf {
        self.data.join("secret")
    }

    /// The secret of a cluster of several: the first node's, should it have run alone before.
    fn share_secret(&self) -> io::Result<()> {
        let own = self.data.join("node-1").join(file::FILE);
        if !self.secret().exists() && own.exists() {
            let secrets = file::load(&own).map_err(io::Error::other)?;
            return file::save(&self.secret(), &secrets).map_err(io::Error::other);
        }
        file::load_or_create(&self.secret()).map(drop).map_err(io::Error::other)
    }
}

/// Runs until `stop`, then waits for the children to drain.
pub async fn run(plan: Plan, stop: Stop) -> io::Result<()> {
    let program = std::env::current_exe()?;
    std::fs::create_dir_all(&plan.data)?;
    if plan.nodes > 1 {
        plan.share_secret()?;
    }
    let nodes = plan.nodes()?;
    say::beginning(&plan);
    let watched = nodes.iter().map(|node| child::keep(&program, node, stop.clone()));
    let ended = futures::future::join_all(watched).await;
    say::end();
    ended.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_on_successive_ports_in_folders_of_their_own() {
        let plan = Plan {
            nodes: 3,
            data: "d".into(),
            http: "127.0.0.1:8080".parse().unwrap(),
            listen: "[::1]:7070".parse().unwrap(),
        };
        let shown: Vec<String> =
            plan.nodes().unwrap().iter().map(|n| format!("{} {} {}", n.data.display(), n.http, n.listen)).collect();
        assert_eq!(
            shown,
            [
                "d/node-1 127.0.0.1:8080 [::1]:7070",
                "d/node-2 127.0.0.1:8081 [::1]:7071",
                "d/node-3 127.0.0.1:8082 [::1]:7072"
            ]
        );
        let last = Plan { http: "127.0.0.1:65535".parse().unwrap(), nodes: 2, ..plan };
        assert!(last.nodes().is_err());
    }
}
