//! How a client finds its nodes and shows who it is.

use crate::pool::Pool;
use crate::tls::Tls;
use crate::{Client, Error};
use std::time::Duration;

/// Where a node listens when nobody says otherwise.
pub const NODE_DEFAULT: &str = "127.0.0.1:7070";
/// How long a call may take when it does not say.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);

/// Made by [`Client::builder`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    nodes: Vec<String>,
    token: Option<String>,
    deadline: Option<Duration>,
    agent: Option<String>,
    ca: Option<String>,
}

impl Builder {
    /// `HOST:PORT` of a node's RPC door. Several may be given: the first that answers is taken. Without any:
    /// `COMMONS_NODE`, else 127.0.0.1:7070.
    pub fn node(mut self, address: impl Into<String>) -> Builder {
        self.nodes.push(address.into());
        self
    }

    /// The key to show. Without one: `COMMONS_TOKEN`, else none (a node in dev mode asks for none).
    pub fn token(mut self, token: impl Into<String>) -> Builder {
        self.token = Some(token.into());
        self
    }

    /// How long each call may take; 10 s when not said, and 60 s at most. [`Client::with_deadline`] changes it for one call.
    pub fn deadline(mut self, deadline: Duration) -> Builder {
        self.deadline = Some(deadline);
        self
    }

    /// Program and version, for the node's log.
    pub fn agent(mut self, agent: impl Into<String>) -> Builder {
        self.agent = Some(agent.into());
        self
    }

    /// The cluster's CA certificate, as `commons secret ca` prints it: the connection is TLS then, and nobody but a node of
    /// that cluster is spoken to. Without it: the file that `COMMONS_CA` names; without that no TLS, which nodes accept
    /// from their own machine only.
    pub fn ca(mut self, pem: impl Into<String>) -> Builder {
        self.ca = Some(pem.into());
        self
    }

    /// Connects to the first node that answers, and shows the token.
    pub async fn connect(self) -> Result<Client, Error> {
        let env = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let nodes = match self.nodes.is_empty() {
            true => vec![env("COMMONS_NODE").unwrap_or_else(|| NODE_DEFAULT.into())],
            false => self.nodes,
        };
        let token = self.token.or_else(|| env("COMMONS_TOKEN")).unwrap_or_default();
        let agent = self.agent.unwrap_or_else(|| concat!("commons-client/", env!("CARGO_PKG_VERSION")).into());
        let ca = match (self.ca, env("COMMONS_CA")) {
            (Some(pem), _) => Some(pem),
            (None, Some(path)) => {
                let unread = |why| Error::Unsendable(format!("COMMONS_CA names {path}, which cannot be read: {why}"));
                Some(std::fs::read_to_string(&path).map_err(unread)?)
            }
            (None, None) => None,
        };
        let tls = ca.map(|pem| Tls::new(&pem)).transpose()?;
        let pool = Pool::new(nodes, tls, token, agent);
        pool.first().await?;
        Ok(Client::new(pool, self.deadline.unwrap_or(DEADLINE_DEFAULT)))
    }
}
