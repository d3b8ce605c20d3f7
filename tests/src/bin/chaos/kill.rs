//! When the node is killed.

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt;
use std::time::Duration;
use tests::{Node, wait};

/// The moment of a kill.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// So long after the load began.
    UnderLoad(Duration),
    /// Right after everybody has done so many operations.
    BehindBurst(usize),
    /// After a burst and so much rest: the log writes its idle mark, state is flushed.
    AtRest(usize, Duration),
}

/// How a node goes and comes back.
#[derive(Clone, Debug)]
pub struct Kill {
    pub moment: Moment,
    /// Lives that are killed so soon after their start.
    pub stillborn: Vec<Duration>,
}

impl Kill {
    pub fn random(random: &mut StdRng) -> Kill {
        let ms = |random: &mut StdRng, range| Duration::from_micros(random.random_range::<u64, _>(range) * 100);
        let moment = match random.random_range(0..10) {
            0..6 => Moment::UnderLoad(ms(random, 20..5000)),
            6..9 => Moment::BehindBurst(random.random_range(1..30)),
            _ => Moment::AtRest(random.random_range(1..10), ms(random, 1000..4000)),
        };
        let lives = random.random_range(0..5_u32).saturating_sub(2);
        let stillborn = (0..lives).map(|_| ms(random, 0..2000)).collect();
        Kill { moment, stillborn }
    }

    /// Starts the node again, over the lives that end early.
    pub async fn revive(&self, node: &mut Node) -> Result<()> {
        for life in &self.stillborn {
            node.spawn()?;
            wait::pass(*life).await;
            node.kill()?;
        }
        node.restart().await
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.moment {
            Moment::UnderLoad(after) => format!("under load, {} ms", after.as_millis()),
            Moment::BehindBurst(each) => format!("behind {each} each"),
            Moment::AtRest(_, rest) => format!("at rest, {} ms", rest.as_millis()),
        };
        f.pad(&match self.stillborn.len() {
            0 => text,
            lives => format!("{text}, {lives} at start"),
        })
    }
}
