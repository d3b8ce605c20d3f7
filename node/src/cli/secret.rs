//! `commons secret …`: the cluster's secret, and the certificate clients trust.

use super::args::Secret;
use super::failure::Failure;
use super::find::Finding;
use super::{on_runtime, output, rotate};
use cluster::trust::file::{self, FILE, FileError, Secrets};
use cluster::trust::{Secret as ClusterSecret, TrustError};
use std::io::Read;
use std::time::Duration;

/// More than any secret's text.
const STDIN_BYTES_MAX: u64 = 4 << 10;

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
            let named = current.key_id();
            file::save(&data.join(FILE), &Secrets::new(current, Vec::new())).map_err(unread)?;
            output::remark(&format!("this node's secret is {named} from its next start on"));
        }
    }
    Ok(())
}

fn unread(why: FileError) -> Failure {
    Failure::Usage(why.to_string())
}
