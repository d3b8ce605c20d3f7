//! Short one-time codes for an id, and authenticator apps.
//!
//! A code is alive until exactly its expiry, is good for one success, and void after five wrong tries. Rows hold digests
//! under a key of the cluster's own, so neither a disk nor a backup gives a code away. Every failure looks the same from
//! outside: an id with a code cannot be told from one without.
//!
//! Not yet: sending the code (`send_to`, `template`) comes with the services email and sms.

mod api;
mod apps;
mod codes;
mod draw;
#[cfg(test)]
mod tests;
mod totp;

pub use api::*;

use apps::{APP, NEXT, WRONG, enroll, unenroll, verify};
use codes::{CODES, MADE, generate, validate};
use sdk::Service;

/// What `commons services` lists as `otp`.
pub fn service() -> Service {
    let id = || "asim@example.com".to_string();
    let recovery = "HB5YS-SKY1K WF4B4-22YCF XBQXX-6238J N7Y8A-Z1PSZ KNVCH-CV2FE P22QT-0NKSD 6QFFP-CRDYY N0B7W-1B5BS \
                    7ZD44-TQ2AX SSP1R-AQS8Q";
    Service::new("otp", "One-time codes, made and checked")
        .category("auth")
        .display_name("OTP")
        .table(&CODES)
        .row(&MADE)
        .row(&APP)
        .row(&NEXT)
        .row(&WRONG)
        .command(generate)
        .command(validate)
        .command(enroll)
        .command(verify)
        .command(unenroll)
        .example(
            "Make a code",
            GenerateRequest { id: id(), size: 6, expiry: 120, ..Default::default() },
            GenerateResponse { code: "838534".into(), expires_at: wire::Rfc3339(120_000_000_000), attempts_left: 5 },
        )
        .example(
            "Check it",
            ValidateRequest { id: id(), code: "838534".into(), ..Default::default() },
            ValidateResponse { success: true },
        )
        .example(
            "Check it again",
            ValidateRequest { id: id(), code: "838534".into(), ..Default::default() },
            ValidateResponse { success: false },
        )
        .example(
            "Prepare an authenticator app",
            EnrollRequest { id: id(), issuer: "Example".into(), ..Default::default() },
            EnrollResponse {
                secret: "5RGSFCLEVH4Q7UGSWP2SRGITYLSTGC4M".into(),
                uri: "otpauth://totp/Example:asim%40example.com?secret=5RGSFCLEVH4Q7UGSWP2SRGITYLSTGC4M&issuer=Example\
                      &algorithm=SHA1&digits=6&period=30"
                    .into(),
                recovery_codes: recovery.split(' ').map(String::from).collect(),
                expires_at: wire::Rfc3339(3_600_000_000_000),
            },
        )
        .example(
            "Check a code of the app",
            VerifyRequest { id: id(), code: "798719".into() },
            VerifyResponse { success: true, recovery: false, recovery_left: 10 },
        )
        .example("Forget the app", UnenrollRequest { id: id() }, UnenrollResponse {})
}
