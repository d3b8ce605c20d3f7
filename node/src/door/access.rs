//! Who may enter: the node's token at every door (P23), or nobody in particular in dev mode on loopback (P21).

use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use wire::Error;
use wire::error::reasons;

/// The rule of this node.
pub struct Access {
    /// SHA-256 of the token: digests are compared, so neither length nor content shows in the time it takes.
    token: [u8; 32],
    account: Arc<str>,
    keyless: Keyless,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyless {
    Refused,
    /// Dev mode.
    OnLoopback,
}

/// How a caller was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// It showed the token.
    Key(Arc<str>),
    /// It showed none, in dev mode: the door still has to see that no foreign web page sent it (P21).
    Loopback(Arc<str>),
}

impl Via {
    pub fn account(&self) -> &Arc<str> {
        match self {
            Via::Key(account) | Via::Loopback(account) => account,
        }
    }
}

impl Access {
    /// Every caller shows the token and acts for `account`.
    pub fn with_token(token: &str, account: &str) -> Access {
        Access { token: Sha256::digest(token).into(), account: account.into(), keyless: Keyless::Refused }
    }

    /// Dev mode: callers without a token act for `account` as well. For nodes that listen on loopback only.
    pub fn dev(token: &str, account: &str) -> Access {
        Access { keyless: Keyless::OnLoopback, ..Access::with_token(token, account) }
    }

    /// `key` as the caller showed it; `from_loopback`: the connection came from this machine.
    pub fn check(&self, key: Option<&str>, from_loopback: bool) -> Result<Via, Error> {
        // Clients that insist on a key send an empty or made-up one: in dev mode it counts as none.
        let counts = |key: &&str| self.keyless == Keyless::Refused || key.starts_with("cmn_");
        match key.filter(counts) {
            Some(key) if bool::from(Sha256::digest(key).as_slice().ct_eq(&self.token)) => {
                Ok(Via::Key(self.account.clone()))
            }
            None if self.keyless == Keyless::OnLoopback && from_loopback => Ok(Via::Loopback(self.account.clone())),
            _ => Err(reasons::UNAUTHORIZED.refuse("Unauthorized").at("v1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_token_only_the_token_enters() {
        let access = Access::with_token("cmn_secret", "local");
        assert_eq!(access.check(Some("cmn_secret"), false).unwrap(), Via::Key("local".into()));
        for key in [None, Some(""), Some("cmn_secre"), Some("cmn_secret "), Some("other")] {
            let error = access.check(key, true).unwrap_err();
            assert_eq!((error.code, error.id.as_str(), error.detail.as_str()), (401, "v1", "Unauthorized"), "{key:?}");
        }
    }

    #[test]
    fn in_dev_mode_no_key_is_fine_and_a_wrong_one_is_not() {
        let access = Access::dev("cmn_secret", "local");
        for key in [None, Some(""), Some("M3O_TOKEN")] {
            assert_eq!(access.check(key, true).unwrap(), Via::Loopback("local".into()), "{key:?}");
            assert_eq!(access.check(key, false).unwrap_err().code, 401, "{key:?} from elsewhere");
        }
        assert_eq!(access.check(Some("cmn_secret"), false).unwrap(), Via::Key("local".into()));
        assert_eq!(access.check(Some("cmn_wrong"), true).unwrap_err().code, 401);
    }
}
