//! What may be typed.

use super::find::Finding;
use super::output::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Real-world micro services on a cluster that forms itself.
#[derive(Parser)]
#[command(name = "commons", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub finding: Finding,
    /// How to print what was asked for
    #[arg(long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a node; alone it is a whole cluster
    Start(Start),
    /// Run nodes on this machine, restarted when they die, gone with this command
    Dev(Dev),
    /// Call an endpoint: commons call wallet Credit --amount 5 --reference tip
    Call(Call),
    /// List the services
    Services,
    /// Show a service's endpoints, or an endpoint's fields and an example
    Describe(Describe),
    /// What became of the calls under a request id: commons outcome order-17 --fence
    Outcome(Outcome),
    /// Show the cluster as a node sees it
    Status,
    /// The cluster's secret, and the certificate its clients trust
    #[command(subcommand)]
    Secret(Secret),
    /// After damage to a lone node's log: cut it, and say what is lost
    Repair(Repair),
    /// Print the version
    Version,
}

impl Command {
    /// How it prints when nobody says: replies are for programs, the rest is for people.
    pub fn format(&self) -> Format {
        if matches!(self, Command::Call(_) | Command::Outcome(_)) { Format::Json } else { Format::Table }
    }
}

#[derive(Args)]
pub struct Outcome {
    /// The id: what --request-id or Idempotency-Key said
    pub id: String,
    /// Forbid the id to all calls that have not run by now, so that the answer is final
    #[arg(long)]
    pub fence: bool,
    /// Only what this service did under it
    #[arg(long, value_name = "SERVICE", default_value = "")]
    pub service: String,
}

#[derive(Args)]
pub struct Start {
    /// Where this node keeps everything
    #[arg(long, value_name = "DIR", default_value = "commons-data")]
    pub data: PathBuf,
    /// Where HTTP is answered
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub http: SocketAddr,
    /// Where nodes and Rust clients are answered
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070", value_parser = address)]
    pub listen: SocketAddr,
    /// Where others reach --listen, if not there
    #[arg(long, value_name = "ADDR")]
    pub advertise: Option<String>,
    /// A node of the cluster to join; may be given several times
    #[arg(long, value_name = "ADDR")]
    pub join: Vec<String>,
    /// Wait for this many nodes before the cluster is made
    #[arg(long, value_name = "N")]
    pub expect: Option<u16>,
    /// The file with the cluster's secret
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Which failure zone this node is in
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// How many groups a new cluster has; fixed from then on
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub groups: u16,
    /// Replicas of each group in a new cluster, once it has as many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=7))]
    pub replication: u8,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Answer callers of this machine without a token
    #[arg(long, hide = true)]
    pub dev: bool,
    /// Stop when stdin ends: whoever holds its other end is gone
    #[arg(long, hide = true)]
    pub with_parent: bool,
}

#[derive(Args)]
pub struct Dev {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub nodes: u16,
    /// Their folders are node-1, node-2 … in here
    #[arg(long, value_name = "DIR", default_value = "commons-dev")]
    pub data: PathBuf,
    /// Where the first node answers HTTP; the others on the next ports
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub http: SocketAddr,
    /// Where the first node answers nodes and Rust clients
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070", value_parser = address)]
    pub listen: SocketAddr,
}

#[derive(Subcommand)]
pub enum Secret {
    /// Print the secret: whoever has it can be a node of the cluster
    Show {
        /// The folder of a node
        #[arg(long, value_name = "DIR", default_value = "commons-data")]
        data: PathBuf,
    },
    /// Print the CA certificate, which clients on other machines need: --ca FILE, COMMONS_CA
    Ca {
        /// The folder of a node
        #[arg(long, value_name = "DIR", default_value = "commons-data")]
        data: PathBuf,
    },
    /// Change the secret while the cluster runs: all nodes take a new one, the old one is accepted for a while
    Rotate {
        /// The folder of a node
        #[arg(long, value_name = "DIR", default_value = "commons-data")]
        data: PathBuf,
        /// How long the old one, and the certificate clients have, are good for
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        window: u32,
    },
    /// Give a stopped node the secret that stdin holds: commons secret show | ssh OTHER commons secret set
    Set {
        /// The folder of the node, which is started afterwards
        #[arg(long, value_name = "DIR", default_value = "commons-data")]
        data: PathBuf,
    },
}

#[derive(Args)]
pub struct Repair {
    /// The folder of the node, which must not be running
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

#[derive(Args)]
pub struct Call {
    /// Do it once under this id; the same id again gets the same reply
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// How long it may take, in milliseconds
    #[arg(long, value_name = "MS")]
    pub timeout: Option<u64>,
    /// A read takes what the node has, though it may be behind; stderr says so when it may
    #[arg(long)]
    pub stale_ok: bool,
    pub service: String,
    pub endpoint: String,
    /// --field value …, or a JSON object, or - to read one from stdin. The options above may stand here too, where no
    /// field has their name; --help shows the fields
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FIELDS")]
    pub rest: Vec<String>,
}

#[derive(Args)]
pub struct Describe {
    pub service: String,
    pub endpoint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|why| format!("{why}; an address looks like 127.0.0.1:8080"))?;
    found.next().ok_or_else(|| "this name has no address".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_contract_is_understood() {
        Cli::command().debug_assert();
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.command);
        let start = "commons start --data d --http [::1]:0 --listen 127.0.0.1:0 --advertise a:1 --join b:1 --join c:1 \
                     --expect 3 --secret-file s --zone z --groups 1024 --log-format json";
        let Ok(Command::Start(start)) = parse(start) else { panic!() };
        assert_eq!((start.join.len(), start.groups, start.http.is_ipv6()), (2, 1024, true));
        let Ok(Command::Dev(dev)) =
            parse("commons dev --nodes 3 --data d --http 127.0.0.1:8080 --listen 127.0.0.1:7070")
        else {
            panic!()
        };
        assert_eq!(dev.nodes, 3);
        let Ok(Command::Call(call)) = parse("commons call --request-id k wallet Credit --amount -5 --visible {}")
        else {
            panic!()
        };
        assert_eq!(call.rest, ["--amount", "-5", "--visible", "{}"]);
        let Ok(Command::Secret(Secret::Ca { data })) = parse("commons secret ca --data d") else { panic!() };
        assert_eq!(data, PathBuf::from("d"));
        let with_ca = Cli::try_parse_from("commons status --ca cluster.pem".split(' ')).unwrap();
        assert_eq!(with_ca.finding.ca, Some(PathBuf::from("cluster.pem")));
        for wrong in
            ["commons start --groups 0", "commons start --http nowhere", "commons nonsense", "commons call wallet"]
        {
            assert_eq!(parse(wrong).err().unwrap().exit_code(), 2, "{wrong}");
        }
    }
}
