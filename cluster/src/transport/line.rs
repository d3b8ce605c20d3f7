//! A few at a time; the others wait in line, the urgent ones in front.

use super::locked;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

#[derive(Clone)]
pub struct Line(Arc<Mutex<Waiting>>);

struct Waiting {
    free: usize,
    urgent: VecDeque<oneshot::Sender<Turn>>,
    others: VecDeque<oneshot::Sender<Turn>>,
}

/// One of the few, until it is dropped.
pub struct Turn(Option<Line>);

impl Line {
    pub fn new(at_a_time: usize) -> Line {
        Line(Arc::new(Mutex::new(Waiting { free: at_a_time, urgent: VecDeque::new(), others: VecDeque::new() })))
    }

    /// Leaves the line when dropped.
    pub async fn wait(&self, urgent: bool) -> Turn {
        loop {
            let turn = {
                let mut waiting = locked(&self.0);
                if waiting.free > 0 {
                    waiting.free -= 1;
                    return Turn(Some(self.clone()));
                }
                let (give, turn) = oneshot::channel();
                if urgent {
                    waiting.urgent.push_back(give)
                } else {
                    waiting.others.push_back(give)
                }
                turn
            };
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }

    /// How many wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let mut waiting = locked(&self.0);
        waiting.urgent.retain(|place| !place.is_closed());
        waiting.others.retain(|place| !place.is_closed());
        waiting.urgent.len() + waiting.others.len()
    }

    fn next(&self) {
        loop {
            let next = {
                let mut waiting = locked(&self.0);
                let Some(next) = waiting.urgent.pop_front().or_else(|| waiting.others.pop_front()) else {
                    waiting.free += 1;
                    return;
                };
                next
            };
            match next.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                // Gone meanwhile. A turn that dropped itself here would call this again, one call deeper.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(line) = self.0.take() {
            line.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::pin::pin;

    #[test]
    fn the_urgent_go_first_and_the_gone_are_passed_over() {
        let line = Line::new(2);
        let (first, second) = (line.wait(false).now_or_never().unwrap(), line.wait(false).now_or_never().unwrap());
        let (mut third, mut urgent) = (pin!(line.wait(false)), pin!(line.wait(true)));
        let mut gone = Box::pin(line.wait(true));
        assert!(third.as_mut().now_or_never().is_none() && gone.as_mut().now_or_never().is_none());
        assert!(urgent.as_mut().now_or_never().is_none());
        drop(gone);
        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        let urgent = urgent.now_or_never().expect("urgent is next");
        drop((second, urgent));
        let third = third.now_or_never().expect("then the other");
        let fourth = line.wait(false).now_or_never().expect("two at a time");
        assert!(line.wait(false).now_or_never().is_none());
        drop((third, fourth));
        assert!(line.wait(false).now_or_never().is_some());
    }

    #[test]
    fn a_turn_given_to_somebody_gone_is_not_lost() {
        let line = Line::new(1);
        let first = line.wait(false).now_or_never().unwrap();
        {
            let mut waiting = pin!(line.wait(false));
            assert!(waiting.as_mut().now_or_never().is_none());
            drop(first);
        }
        assert!(line.wait(false).now_or_never().is_some());
    }

    #[test]
    fn a_long_line_of_the_gone_is_no_deep_stack() {
        let line = Line::new(1);
        let first = line.wait(false).now_or_never().unwrap();
        for _ in 0..100_000 {
            assert!(line.wait(false).now_or_never().is_none());
        }
        drop(first);
        assert!(line.wait(false).now_or_never().is_some());
    }
}
