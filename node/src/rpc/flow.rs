//! What runs for a call, and how many items its reader takes.

use crate::door::{Answered, Items};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::Abortable;
use wire::Error;

/// One step of a call, run beside the others of its connection.
pub type Step = Abortable<BoxFuture<'static, (u64, Done)>>;

/// What a step came to.
pub enum Done {
    Answered(Result<Answered, Error>),
    /// The next item, or the end; with the stream to go on with.
    Item(Option<Result<Bytes, Error>>, Items),
}

/// A reader's credit. An item is asked for only when it may be sent.
#[derive(Default)]
pub struct Flow {
    pub credit: u32,
    /// Waits here while there is no credit.
    pub parked: Option<Items>,
}

impl Flow {
    /// The stream to ask for its next item, when credit and stream are both here.
    pub fn next(&mut self) -> Option<Items> {
        if self.credit == 0 {
            return None;
        }
        let items = self.parked.take()?;
        self.credit -= 1;
        Some(items)
    }
}
