//! Which numbered datagrams of one sender's life were taken already.

const WORDS: usize = 32;

/// How far behind the newest a datagram may come. UDP reorders by a handful.
pub const WINDOW: u64 = WORDS as u64 * 64;

/// A bit for each of the last [`WINDOW`] numbers. What is older counts as taken.
#[derive(Debug, Default)]
pub struct Window {
    highest: u64,
    taken: [u64; WORDS],
}

impl Window {
    /// Whether this number is new; from then on it is not.
    pub fn take(&mut self, number: u64) -> bool {
        if number > self.highest {
            self.forget_up_to(number);
            self.highest = number;
        } else if self.highest - number >= WINDOW {
            return false;
        }
        let (word, bit) = place(number);
        let new = self.taken[word] & bit == 0;
        self.taken[word] |= bit;
        new
    }

    /// The places of numbers above the highest still hold what was [`WINDOW`] before them.
    fn forget_up_to(&mut self, number: u64) {
        if number - self.highest >= WINDOW {
            self.taken = [0; WORDS];
            return;
        }
        for skipped in self.highest + 1..=number {
            let (word, bit) = place(skipped);
            self.taken[word] &= !bit;
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    let at = number % WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    use std::collections::BTreeSet;

    #[test]
    fn each_number_is_taken_once() {
        let mut window = Window::default();
        for number in [1, 2, 5, 3, 4] {
            assert!(window.take(number), "{number}");
            assert!(!window.take(number), "{number} again");
        }
    }

    #[test]
    fn what_fell_out_of_the_window_counts_as_taken() {
        let mut window = Window::default();
        assert!(window.take(WINDOW + 1));
        assert!(!window.take(1));
        assert!(window.take(2));
    }

    #[test]
    fn the_last_number_there_is() {
        let mut window = Window::default();
        assert!(window.take(u64::MAX));
        assert!(!window.take(u64::MAX));
        assert!(window.take(u64::MAX - 1));
    }

    #[test]
    fn it_does_what_a_set_does() {
        let mut chance = SmallRng::seed_from_u64(1);
        let (mut window, mut model, mut highest) = (Window::default(), BTreeSet::new(), 0u64);
        for _ in 0..100_000 {
            let leap = if chance.random_ratio(1, 500) { 3 * WINDOW } else { 3 };
            let number = (highest + chance.random_range(0..=leap)).saturating_sub(chance.random_range(0..WINDOW + 50));
            highest = highest.max(number);
            let new = highest - number < WINDOW && model.insert(number);
            assert_eq!(window.take(number), new, "{number} when {highest} was the highest");
        }
    }
}
