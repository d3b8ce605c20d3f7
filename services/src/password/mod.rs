//! Strong random passwords and passphrases, and an estimate of how strong a given one is.
//!
//! Every password that fits the request is equally likely: characters are drawn by rejection, never by remainder, and the
//! whole is drawn anew until each class asked for is in it. What is drawn is neither kept nor logged.

mod api;
mod commands;
mod draw;
mod guesses;
#[cfg(test)]
mod tests;

pub use api::*;

use commands::{generate, strength};
use sdk::Service;

/// What `commons services` lists as `password`.
pub fn service() -> Service {
    Service::new("password", "Strong random passwords")
        .category("auth")
        .display_name("Passwords")
        .local(generate)
        .local(strength)
        .example(
            "Sixteen characters, none of them special",
            GenerateRequest { length: 16, lowercase: true, uppercase: true, numbers: true, ..Default::default() },
            GenerateResponse { password: "B30KnCuNdegvIuVd".into(), passwords: vec![], entropy_bits: 95 },
        )
        .example(
            "A passphrase of six words",
            GenerateRequest { words: 6, ..Default::default() },
            GenerateResponse {
                password: "canning-displace-conical-ideally-dioxide-oppressor".into(),
                passwords: vec![],
                entropy_bits: 77,
            },
        )
        .example(
            "A weak one",
            StrengthRequest { password: "P@ssw0rd2024".into() },
            StrengthResponse { score: 0, entropy_bits: 17, reasons: vec!["common".into(), "year".into()] },
        )
}
