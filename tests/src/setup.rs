//! How a node is to be started.

use crate::place::Place;
use crate::port::Port;
use crate::{Node, TOKEN, binary};
use anyhow::Result;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

/// Which command runs the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `commons start`: with a token.
    Start,
    /// `commons dev`: a parent and one child, without a token.
    Dev,
}

/// Everything about a node but its process. Kept over its lives: the same ports, the same folder.
#[derive(Debug)]
pub struct Setup {
    pub(crate) verb: Verb,
    pub(crate) place: Place,
    /// Where the node's data is; in `place` unless [`Setup::data`] said otherwise.
    pub(crate) data: PathBuf,
    /// What the node calls it, when that differs: in a mount namespace of its own.
    seen_as: Option<PathBuf>,
    http: Port,
    listen: Port,
    ip: IpAddr,
    before: Vec<OsString>,
    args: Vec<OsString>,
    env: Vec<(String, OsString)>,
}

impl Setup {
    pub fn new(verb: Verb) -> Result<Setup> {
        let place = Place::new()?;
        let data = place.path().join("data");
        Ok(Setup {
            verb,
            place,
            data,
            seen_as: None,
            http: Port::take()?,
            listen: Port::take()?,
            ip: Ipv4Addr::LOCALHOST.into(),
            before: vec![],
            args: vec![],
            env: vec![],
        })
    }

    /// On `[::1]`.
    pub fn v6(self) -> Setup {
        self.on(Ipv6Addr::LOCALHOST.into())
    }

    /// At an address of this machine or of a network namespace.
    pub fn on(self, ip: IpAddr) -> Setup {
        Setup { ip, ..self }
    }

    /// The key its callers show, instead of one that it makes: nodes of a cluster are given the same.
    pub fn token(self, token: &str) -> Result<Setup> {
        fs::create_dir_all(&self.data)?;
        fs::write(self.data.join(TOKEN), format!("{token}\n"))?;
        Ok(self)
    }

    pub fn data(self, data: impl Into<PathBuf>) -> Setup {
        Setup { data: data.into(), ..self }
    }

    /// The node is told this path; the test goes by [`Setup::data`].
    pub fn seen_as(self, path: impl Into<PathBuf>) -> Setup {
        Setup { seen_as: Some(path.into()), ..self }
    }

    pub fn arg(mut self, arg: impl Into<OsString>) -> Setup {
        self.args.push(arg.into());
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Setup {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A program that runs the node as itself: it must `exec`, so that the pid stays.
    pub fn under<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Setup {
        self.add_under(words);
        self
    }

    /// The same for a node that has lived already.
    pub fn add_under<W: Into<OsString>>(&mut self, words: impl IntoIterator<Item = W>) {
        self.before.extend(words.into_iter().map(Into::into));
    }

    /// As it was before [`Setup::under`], [`Setup::env`] and [`Setup::arg`]: the next life has no faults.
    pub fn plain(&mut self) {
        self.before.clear();
        self.env.clear();
        self.args.clear();
    }

    pub fn http(&self) -> SocketAddr {
        self.address(&self.http)
    }

    pub fn listen(&self) -> SocketAddr {
        self.address(&self.listen)
    }

    pub fn folder(&self) -> &std::path::Path {
        self.place.path()
    }

    fn address(&self, port: &Port) -> SocketAddr {
        (self.ip, port.number).into()
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Result<Node> {
        let mut node = self.spawn()?;
        node.ready().await?;
        Ok(node)
    }

    /// Starts it and does not wait.
    pub fn spawn(self) -> Result<Node> {
        let mut node = Node::of(self);
        node.spawn()?;
        Ok(node)
    }

    pub(crate) fn command(&self) -> Result<Command> {
        let mut words: Vec<OsString> = vec![];
        // The kernel kills the node when the thread that started it ends, however it ends. Tests start their nodes from
        // the test's own thread, `chaos` from its main one.
        if cfg!(target_os = "linux") && binary::on_path("setpriv") {
            words.extend(["setpriv", "--pdeathsig", "KILL"].map(Into::into));
        }
        words.extend(self.before.iter().cloned());
        words.push(binary::commons()?.into());
        words.push(if self.verb == Verb::Start { "start" } else { "dev" }.into());
        words.extend(["--data".into(), self.seen_as.as_ref().unwrap_or(&self.data).clone().into()]);
        words.extend(["--http".into(), self.http().to_string().into()]);
        words.extend(["--listen".into(), self.listen().to_string().into()]);
        words.extend(self.args.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        // What the person at the keyboard has set is no part of a test.
        for name in ["COMMONS_NODE", "COMMONS_TOKEN", "COMMONS_TOKEN_FILE", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}
