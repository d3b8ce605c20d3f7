//! Drawing without bias. `below(n)` gives a number below n, all equally likely.

use std::sync::LazyLock;

/// The EFF's long list: 7,776 words, none of them the beginning of another. CC BY 3.0, see `NOTICE`.
pub static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Rounds until one class after the other is forced in; what [`Classes::draw`] needs is far below.
const ROUNDS_MAX: usize = 1000;

/// Sets of characters without one in common.
pub struct Classes {
    classes: Vec<Vec<char>>,
    union: Vec<char>,
    /// Every password has one of each.
    each: bool,
}

impl Classes {
    pub fn new(classes: Vec<Vec<char>>, each: bool) -> Classes {
        Classes { union: classes.concat(), classes, each }
    }

    /// All characters from the union, the whole again until each class is there: so every password that has them all is
    /// equally likely, which placing one of each would not give.
    pub fn draw(&self, length: usize, mut below: impl FnMut(u64) -> u64) -> String {
        for _ in 0..ROUNDS_MAX {
            let drawn: Vec<char> = (0..length).map(|_| pick(&self.union, &mut below)).collect();
            if !self.each || self.classes.iter().all(|class| drawn.iter().any(|sign| class.contains(sign))) {
                return drawn.into_iter().collect();
            }
        }
        self.placed(length, below)
    }

    /// One of each class, the rest from the union, shuffled. `length` has room for them.
    pub(super) fn placed(&self, length: usize, mut below: impl FnMut(u64) -> u64) -> String {
        let mut drawn: Vec<char> = self.classes.iter().map(|class| pick(class, &mut below)).collect();
        drawn.extend((drawn.len()..length).map(|_| pick(&self.union, &mut below)));
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, below(last as u64 + 1) as usize);
        }
        drawn.into_iter().collect()
    }

    /// log2 of how many passwords there are: those of the union, less those that miss a class (inclusion and exclusion).
    pub fn entropy_bits(&self, length: usize) -> f64 {
        let all = self.union.len() as f64;
        let mut share = 0.0;
        for missed in 0..1_u32 << if self.each { self.classes.len() } else { 0 } {
            let without = (0..self.classes.len()).filter(|class| missed >> class & 1 == 1);
            let left = all - without.map(|class| self.classes[class].len() as f64).sum::<f64>();
            let sign = if missed.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
            share += sign * (left / all).powi(length as i32);
        }
        length as f64 * all.log2() + share.log2()
    }
}

pub fn passphrase(words: usize, separator: &str, mut below: impl FnMut(u64) -> u64) -> String {
    let drawn: Vec<&str> = (0..words).map(|_| pick(&WORDS, &mut below)).collect();
    drawn.join(separator)
}

fn pick<T: Copy>(from: &[T], below: &mut impl FnMut(u64) -> u64) -> T {
    from[below(from.len() as u64) as usize]
}
