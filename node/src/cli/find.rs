//! Which node, and with which key.

use super::failure::Failure;
use clap::Args;
use client::Client;
use std::path::PathBuf;

/// Where the client looks when nobody says where.
const NODE_DEFAULT: &str = "127.0.0.1:7070";

/// The node and the key to show it.
#[derive(Args, Clone, Debug, Default)]
pub struct Finding {
    /// The node to ask, HOST:PORT [env: COMMONS_NODE, else 127.0.0.1:7070]
    #[arg(long, global = true, value_name = "ADDR")]
    pub node: Option<String>,
    /// The key to show it
    #[arg(long, global = true, env = "COMMONS_TOKEN", hide_env_values = true, value_name = "KEY")]
    pub token: Option<String>,
    /// A file with the key, such as DIR/token of a node
    #[arg(long, global = true, env = "COMMONS_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The cluster's CA certificate, for a node on another machine; `commons secret ca` there prints it
    #[arg(long, global = true, env = "COMMONS_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl Finding {
    /// Was a node named on the command line? The environment alone does not make `services` and `describe` ask one.
    pub fn is_told(&self) -> bool {
        self.node().is_some()
    }

    /// Was a node named at all?
    pub fn is_known(&self) -> bool {
        self.is_told() || std::env::var_os("COMMONS_NODE").is_some_and(|node| !node.is_empty())
    }

    fn node(&self) -> Option<&str> {
        self.node.as_deref().filter(|node| !node.is_empty())
    }

    /// The node's address, as a client would take it.
    pub fn address(&self) -> String {
        let env = || std::env::var("COMMONS_NODE").ok().filter(|node| !node.is_empty());
        self.node().map(str::to_string).or_else(env).unwrap_or_else(|| NODE_DEFAULT.into())
    }

    pub async fn connect(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder().agent(format!("commons/{}", crate::door::VERSION));
        if let Some(node) = self.node() {
            builder = builder.node(node);
        }
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) if !token.is_empty() => Some(token.clone()),
            (_, Some(path)) => {
                let read = std::fs::read_to_string(path);
                Some(
                    read.map_err(|why| Failure::Usage(format!("--token-file {}: {why}", path.display())))?
                        .trim()
                        .into(),
                )
            }
            _ => None,
        };
        if let Some(token) = token {
            builder = builder.token(token);
        }
        if let Some(path) = self.ca.as_ref().filter(|path| !path.as_os_str().is_empty()) {
            let read = std::fs::read_to_string(path);
            builder = builder.ca(read.map_err(|why| Failure::Usage(format!("--ca {}: {why}", path.display())))?);
        }
        Ok(builder.connect().await?)
    }
}
