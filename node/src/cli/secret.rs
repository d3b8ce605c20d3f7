//! `commons secret …`: the cluster's secret, and the certificate clients trust.

use super::args::Secret;
use super::failure::Failure;
use super::find::Finding;
use super::{on_runtime, output, rotate};
use crate::kept;
use cluster::trust::file::{self, FILE, FileError, Secrets};
use cluster::trust::{Secret as ClusterSecret, TrustError};
use std::io::Read;
use std::time::Duration;

/// More than any secret's text.
const STDIN_BYTES_MAX: u64 = 4 << 10;
/// Of those a node had before it was given another.
const ACCEPTED_MAX: usize = 4;

pub fn run(secret: Secret, finding: &Finding) -> Result<(), Failure> {
    match secret {
        Secret::Show { data } => {
            let secrets = file::load(&data.join(FILE)).map_err(unread)?;
            output::line(&secrets.current.text());
            if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
                output::remark("whoever has this can be a node of the cluster; clients need `commons secret ca` only");
            }
        }
        Secret::Ca { data } => {
            let secrets = file::load(&data.join(FILE)).map_err(unread)?;
            let keyring = secrets.keyring().map_err(|why: TrustError| Failure::Run(why.to_string()))?;
            output::line(keyring.ca_pem().trim_end());
        }
        Secret::Rotate { data, window } => {
            let secrets = file::load(&data.join(FILE)).map_err(unread)?;
            let window = Duration::from_secs(u64::from(window) * 3600);
            return on_runtime(rotate::run(secrets, finding.address(), window));
        }
        Secret::Set { data } => {
            let mut text = String::new();
            std::io::stdin()
                .take(STDIN_BYTES_MAX)
                .read_to_string(&mut text)
                .map_err(|why| Failure::Usage(format!("cannot read stdin: {why}")))?;
            let current = ClusterSecret::parse(&text).map_err(|why| Failure::Usage(why.to_string()))?;
            let (named, path) = (current.key_id(), data.join(FILE));
            // What it keeps of its cluster is sealed under the one it had; it seals that anew, and then lets go of it.
            let before = if data.join(kept::FILE).exists() { file::load(&path).ok() } else { None };
            let accepted = before.into_iter().flat_map(|had| std::iter::once(had.current).chain(had.accepted));
            let accepted = accepted.filter(|had| *had != current).take(ACCEPTED_MAX).collect();
            file::save(&path, &Secrets::new(current, accepted)).map_err(unread)?;
            output::remark(&format!("this node's secret is {named} from its next start on"));
        }
    }
    Ok(())
}

fn unread(why: FileError) -> Failure {
    Failure::Usage(why.to_string())
}
