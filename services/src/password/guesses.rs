//! How many guesses a password stands up to, by an attacker who tries common passwords, words and patterns first.
//!
//! The password is cut into pieces, each the cheapest guess there is for it: of all ways to cut it, the one with the fewest
//! bits in all counts. It knows English and one keyboard: whoever knows more of the owner needs fewer guesses.

use super::api::StrengthResponse;
use super::draw::WORDS;

/// A long text is strong enough by its head, and work is bounded.
const CHARS_MAX: usize = 128;
/// Each piece costs the guesser the choice of its kind.
const PIECE_BITS: f64 = 1.0;
/// From these bits on the score is 1, 2, 3, 4.
const SCORES: [f64; 4] = [20.0, 34.0, 50.0, 65.0];
const SHORT_BITS: f64 = 34.0;

/// The most common first, as lists of leaked passwords have it.
const COMMON: &str = "123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123 baseball abc123 \
    football monkey letmein shadow master 696969 mustang 666666 qwertyuiop 123321 1234567890 superman 654321 1qaz2wsx \
    7777777 121212 000000 qazwsx 123qwe killer trustno1 jordan jennifer zxcvbnm asdfgh hunter buster soccer harley batman \
    andrew tigger sunshine iloveyou charlie robert thomas hockey ranger daniel starwars 112233 george computer michelle \
    jessica pepper 1111 zxcvbn 555555 11111111 131313 freedom 777777 pass maggie 159753 aaaaaa ginger princess joshua \
    cheese amanda summer love ashley nicole chelsea matthew access yankees 987654321 dallas austin thunder taylor matrix \
    admin welcome login hello secret root user guest changeme default test passw0rd qwerty123 password1 abcd1234 flower \
    internet whatever donald lovely michael p@ssw0rd 1q2w3e4r 1q2w3e4r5t q1w2e3r4 zaq12wsx google samsung";
const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A piece of the password, and what a guess of it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Guess {
    bits: f64,
    /// `None`: characters of no pattern.
    why: Option<&'static str>,
}

pub fn of(password: &str) -> StrengthResponse {
    let all: Vec<char> = password.chars().collect();
    let text = Text::new(&all[..all.len().min(CHARS_MAX)]);
    let (bits, mut reasons) = text.cheapest();
    if bits < SHORT_BITS && reasons.is_empty() {
        reasons.push("short");
    }
    StrengthResponse {
        score: SCORES.iter().filter(|from| bits >= **from).count() as i32,
        entropy_bits: bits as i32,
        reasons: reasons.into_iter().map(str::to_string).collect(),
    }
}

struct Text<'a> {
    signs: &'a [char],
    /// In small letters, and with those that `4 @ 3 1 0 $ 5 7` stand for.
    small: Vec<char>,
    plain: Vec<char>,
    /// Of a character that is in no pattern.
    sign_bits: f64,
}

impl Text<'_> {
    fn new(signs: &[char]) -> Text<'_> {
        let small: Vec<char> = signs.iter().map(char::to_ascii_lowercase).collect();
        let plain = small.iter().map(|sign| leet(*sign)).collect();
        let has = |of: fn(&char) -> bool, size: f64| if signs.iter().any(of) { size } else { 0.0 };
        let pool = has(char::is_ascii_lowercase, 26.0)
            + has(char::is_ascii_uppercase, 26.0)
            + has(char::is_ascii_digit, 10.0)
            + has(|sign| sign.is_ascii() && !sign.is_ascii_alphanumeric(), 33.0)
            + has(|sign| !sign.is_ascii(), 100.0);
        Text { signs, small, plain, sign_bits: pool.max(2.0).log2() }
    }

    /// The least bits in all, and why, of the pieces that lead to them.
    fn cheapest(&self) -> (f64, Vec<&'static str>) {
        let len = self.signs.len();
        // For each end: the bits up to there, where its last piece begins, and that piece's pattern.
        let mut best: Vec<(f64, usize, Option<&'static str>)> = vec![(0.0, 0, None)];
        for end in 1..=len {
            let step = |from: usize| self.guess(from, end).map(|Guess { bits, why }| (best[from].0 + bits, from, why));
            let found = (0..end).filter_map(step).min_by(|a, b| a.0.total_cmp(&b.0));
            best.push(found.unwrap_or((best[end - 1].0 + self.sign_bits, end - 1, None)));
        }
        let (mut reasons, mut end) = (vec![], len);
        while end > 0 {
            let (_, from, why) = best[end];
            reasons.extend(why.filter(|why| !reasons.contains(why)));
            end = from;
        }
        reasons.reverse();
        (best[len].0, reasons)
    }

    fn guess(&self, from: usize, end: usize) -> Option<Guess> {
        if end - from == 1 {
            return Some(Guess { bits: self.sign_bits, why: None });
        }
        let pattern = |(why, bits): (&'static str, Option<f64>)| {
            bits.map(|bits| Guess { bits: bits + PIECE_BITS, why: Some(why) })
        };
        let rows = [
            ("common", self.common(from, end)),
            ("word", self.word(from, end)),
            ("repeat", self.repeat(from, end)),
            ("sequence", self.sequence(from, end)),
            ("keyboard", self.keyboard(from, end)),
            ("year", self.year(from, end)),
        ];
        rows.into_iter().filter_map(pattern).min_by(|a, b| a.bits.total_cmp(&b.bits))
    }

    fn common(&self, from: usize, end: usize) -> Option<f64> {
        if !(4..=12).contains(&(end - from)) {
            return None;
        }
        let piece: String = self.small[from..end].iter().collect();
        let rank = COMMON.split_whitespace().position(|common| common == piece)?;
        Some((rank as f64 + 2.0).log2() + self.case_bits(from, end))
    }

    fn word(&self, from: usize, end: usize) -> Option<f64> {
        if !(3..=9).contains(&(end - from)) {
            return None;
        }
        let known = |signs: &[char]| {
            let piece: String = signs.iter().collect();
            WORDS.binary_search(&piece.as_str()).is_ok()
        };
        let changed = self.small[from..end] != self.plain[from..end];
        let bits = (WORDS.len() as f64).log2() + self.case_bits(from, end);
        match (known(&self.small[from..end]), changed && known(&self.plain[from..end])) {
            (true, _) => Some(bits),
            (false, true) => Some(bits + 2.0),
            (false, false) => None,
        }
    }

    /// All small is tried first, then a capital in front or all capitals, then the rest.
    fn case_bits(&self, from: usize, end: usize) -> f64 {
        let upper = self.signs[from..end].iter().filter(|sign| sign.is_ascii_uppercase()).count();
        match upper {
            0 => 0.0,
            1 if self.signs[from].is_ascii_uppercase() => 1.0,
            n if n == end - from => 1.0,
            n => 2.0 + n as f64,
        }
    }

    /// What stood so many characters before, again, and perhaps again.
    fn repeat(&self, from: usize, end: usize) -> Option<f64> {
        let back = (1..=from).find(|back| self.signs[from..end] == self.signs[from - back..end - back])?;
        Some(((end - from) as f64).log2() + (back as f64).log2())
    }

    /// abcd, 9876, aceg: the same step each time.
    fn sequence(&self, from: usize, end: usize) -> Option<f64> {
        let codes: Vec<i64> = self.small[from..end].iter().map(|sign| i64::from(u32::from(*sign))).collect();
        let step = codes[1] - codes[0];
        let even = codes.windows(2).all(|pair| pair[1] - pair[0] == step);
        (codes.len() >= 3 && even && step.abs() <= 2).then(|| 36_f64.log2() + (4.0 * codes.len() as f64).log2())
    }

    /// Along a row of keys, either way.
    fn keyboard(&self, from: usize, end: usize) -> Option<f64> {
        if !(3..=10).contains(&(end - from)) {
            return None;
        }
        let piece: String = self.small[from..end].iter().collect();
        let back: String = piece.chars().rev().collect();
        ROWS.iter()
            .any(|row| row.contains(&piece) || row.contains(&back))
            .then(|| 36_f64.log2() + (2.0 * (end - from) as f64).log2())
    }

    fn year(&self, from: usize, end: usize) -> Option<f64> {
        let piece = &self.signs[from..end];
        let ends = piece.len() == 4 && matches!(piece[..2], ['1', '9'] | ['2', '0']);
        (ends && piece[2..].iter().all(char::is_ascii_digit)).then(|| 200_f64.log2())
    }
}

fn leet(sign: char) -> char {
    match sign {
        '4' | '@' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}
