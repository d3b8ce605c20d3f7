//! What goes wrong on the command line, and the exit code it gives.

use super::output::{self, Format};
use client::Error;
use std::process::ExitCode;
use wire::{Outcome, Reason};

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// Typed wrongly: what is wrong, and what to type.
    Usage(String),
    /// A call failed.
    Call(Error),
    /// It ran, and ended badly.
    Run(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Unsendable(why) => Failure::Usage(why),
            error => Failure::Call(error),
        }
    }
}

impl Failure {
    /// One line for people; with `--output json` the error object behind it.
    pub fn tell(&self, format: Format) -> ExitCode {
        output::remark(&format!("commons: {}", self.line()));
        if format == Format::Json {
            let object = serde_json::to_string(&self.object()).unwrap_or_default();
            output::remark(&object);
        }
        ExitCode::from(self.code())
    }

    pub fn code(&self) -> u8 {
        match self {
            Failure::Call(Error::Answered(_) | Error::Unreadable(_)) | Failure::Run(_) => 1,
            Failure::Call(_) | Failure::Usage(_) => 2,
        }
    }

    fn line(&self) -> String {
        match self {
            Failure::Usage(what) | Failure::Run(what) => output::one_line(what),
            Failure::Call(error) => {
                let advice = match (error, error.outcome()) {
                    (Error::Unreachable { .. }, Outcome::NotRun) => {
                        ": is a node running there? `commons dev` starts one, --node names another"
                    }
                    (Error::Answered(error), _) if error.code == 401 => {
                        ": show the node's key with --token, COMMONS_TOKEN or --token-file DIR/token"
                    }
                    (_, Outcome::Unknown) => "; whether it was done is unknown: ask again under the same --request-id",
                    _ => "",
                };
                output::one_line(&format!("{error}{advice}"))
            }
        }
    }

    fn object(&self) -> wire::Error {
        let (reason, detail, outcome) = match self {
            Failure::Call(Error::Answered(error)) => return error.clone(),
            Failure::Usage(what) => (Reason::bad_request("usage"), what.clone(), Outcome::NotRun),
            Failure::Run(what) => (Reason::internal("failed"), what.clone(), Outcome::Unknown),
            Failure::Call(error) => {
                let reason = match error {
                    Error::TimedOut { .. } => wire::error::reasons::DEADLINE,
                    Error::Unreadable(_) => Reason::internal("unreadable"),
                    Error::Untrusted { .. } => Reason::unavailable("untrusted"),
                    Error::Lost { .. } => Reason::unavailable("connection_lost"),
                    _ => Reason::unavailable("unreachable"),
                };
                (reason, error.to_string(), error.outcome())
            }
        };
        reason.refuse(detail).with_outcome(outcome).at("commons")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_services_from_usage_and_network() {
        let answered = Failure::from(Error::Answered(Reason::bad_request("x").because("no")));
        let lost = Failure::from(Error::Lost { node: "n".into(), outcome: Outcome::Unknown });
        let nobody = Failure::from(Error::Unreachable { node: "n".into(), why: "w".into(), outcome: Outcome::NotRun });
        assert_eq!([answered.code(), lost.code(), nobody.code(), Failure::Usage(String::new()).code()], [1, 2, 2, 2]);
        assert!(lost.line().ends_with("ask again under the same --request-id"), "{}", lost.line());
        assert_eq!(nobody.object().outcome, Outcome::NotRun);
    }
}
