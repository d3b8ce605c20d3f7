//! What the world sees of `password`.

use crate::hidden::hidden;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::limits::Bound;
use wire::{Reason, endpoints};

endpoints! { password:
    sensitive Local Generate(GenerateRequest) -> GenerateResponse;
    sensitive Local Strength(StrengthRequest) -> StrengthResponse;
}

/// The length is over 256.
pub const TOO_LONG: Reason = Reason::bad_request("too_long");
/// The length has no room for one character of each class that was asked for.
pub const TOO_SHORT: Reason = Reason::bad_request("too_short");
/// Fewer than no passwords, or more than 1,000.
pub const BAD_COUNT: Reason = Reason::bad_request("bad_count");
/// The symbols are not different ASCII signs beside letters, digits and space.
pub const BAD_SYMBOLS: Reason = Reason::bad_request("bad_symbols");
/// What is excluded leaves nothing of a class, or a single character in all.
pub const NOTHING_LEFT: Reason = Reason::bad_request("nothing_left");
/// Fewer than no words, or more than 64.
pub const BAD_WORDS: Reason = Reason::bad_request("bad_words");
/// A passphrase was asked for together with what only passwords of characters have, or the other way round.
pub const MIXED: Reason = Reason::bad_request("mixed");
/// No password to look at.
pub const MISSING_PASSWORD: Reason = Reason::bad_request("missing_password");

const LENGTH: Bound = Bound::up_to(256).refused(TOO_LONG, "max length 256");
const COUNT: Bound = Bound::range(0, 1000).or_zero("one").refused(BAD_COUNT, "count must be 1-1000");
const WORDS: Bound = Bound::range(0, 64).or_zero("no passphrase").refused(BAD_WORDS, "words must be 1-64");
const SYMBOLS: Bound = Bound::bytes(0, 32).refused(BAD_SYMBOLS, BAD_SYMBOLS_DETAIL);
pub(super) const BAD_SYMBOLS_DETAIL: &str =
    "symbols must be up to 32 different ASCII signs that are no letters, digits or spaces";
const EXCLUDE: Bound = Bound::bytes(0, 1024);
const SEPARATOR: Bound = Bound::bytes(0, 16);
const PASSWORD: Bound = Bound::bytes(1, 1024).missing(MISSING_PASSWORD, "missing password");

/// Make a strong random password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GenerateRequest {
    /// how many characters, 8 by default, up to 256
    #[schemars(transform = LENGTH.on())]
    pub length: i32,
    /// allow a-z, and have at least one; when none of the four is given, all are
    pub lowercase: bool,
    /// allow A-Z, and have at least one
    pub uppercase: bool,
    /// allow digits, and have at least one
    pub numbers: bool,
    /// allow !@#$%&*, and have at least one
    pub special: bool,
    /// leave out what is easily confused: 0 O o 1 l I
    pub exclude_ambiguous: bool,
    /// characters to leave out
    #[schemars(transform = EXCLUDE.on())]
    pub exclude: String,
    /// special characters of your own instead of !@#$%&*; allows them as `special` does
    #[schemars(transform = SYMBOLS.on())]
    pub symbols: String,
    /// make a passphrase of so many English words instead, up to 64; six are strong
    #[schemars(transform = WORDS.on())]
    pub words: i32,
    /// between the words of a passphrase; empty = a hyphen
    #[schemars(transform = SEPARATOR.on())]
    pub separator: String,
    /// how many passwords, up to 1,000; 0 = one
    #[schemars(transform = COUNT.on())]
    pub count: i32,
}

/// The password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GenerateResponse {
    /// the password, the first of several
    pub password: String,
    /// all of them, when a count was given
    pub passwords: Vec<String>,
    /// log2 of how many passwords could have been drawn, all equally likely; rounded down
    pub entropy_bits: i32,
}

/// See how well a password would stand up to guessing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StrengthRequest {
    /// the password to look at; it is not kept
    #[schemars(transform = PASSWORD.on())]
    pub password: String,
}

/// An estimate: what a guesser who knows common passwords, words and patterns would need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StrengthResponse {
    /// 0 guessed at once, 1 weak, 2 fair (stands up to guesses over a network), 3 good, 4 strong (of a stolen hash, too)
    pub score: i32,
    /// log2 of the guesses; rounded down
    pub entropy_bits: i32,
    /// what makes it weak: common, word, repeat, sequence, keyboard, year, short; empty when nothing does
    pub reasons: Vec<String>,
}

hidden!(GenerateResponse, StrengthRequest);
