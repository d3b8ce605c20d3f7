//! Streams: items come as fast as they are taken, and no faster.

use crate::call::Envelope;
use crate::link::{Event, Link};
use crate::{Client, Error};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout_at;
use wire::Outcome;
use wire::error::reasons;
use wire::rpc::Reply;

/// Items that may be under way to a reader.
const WINDOW: u32 = 64;

/// The items of a stream. Dropped, it ends the stream.
pub struct Items<T> {
    client: Client,
    envelope: Envelope,
    decode: fn(Reply) -> Result<T, Error>,
    open: Open,
    /// Taken since credit was last given.
    taken: u32,
    begun: bool,
    over: bool,
}

struct Open {
    link: Arc<Link>,
    stream: u64,
    events: Receiver<Event>,
}

impl<T> Items<T> {
    pub(crate) async fn open(
        client: Client,
        envelope: Envelope,
        decode: fn(Reply) -> Result<T, Error>,
    ) -> Result<Items<T>, Error> {
        let open = Open::new(&client, &envelope).await?;
        Ok(Items { client, envelope, decode, open, taken: 0, begun: false, over: false })
    }

    /// The next item; `None` at the end. After an error there are no more: a stream is not opened again by itself, since
    /// only its reader knows where to go on.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        loop {
            if self.over {
                return None;
            }
            let event = self.open.events.recv().await.unwrap_or(Event::Lost);
            let error = match event {
                Event::Item(reply) => {
                    self.begun = true;
                    self.taken += 1;
                    // Half the window at a time: the other half is on its way meanwhile.
                    if self.taken >= WINDOW / 2 {
                        self.open.link.credit(self.open.stream, self.taken);
                        self.taken = 0;
                    }
                    return Some((self.decode)(reply));
                }
                Event::End => {
                    self.over = true;
                    return None;
                }
                Event::Failed(error) if error.is(&reasons::OTHER_SCHEMA) && !self.begun => {
                    match self.reopen_as_json().await {
                        Ok(true) => continue,
                        Ok(false) => Error::Answered(error),
                        Err(error) => error,
                    }
                }
                Event::Failed(error) => Error::Answered(error),
                Event::Lost => Error::Lost { node: self.client.inner.pool.name(), outcome: Outcome::Unknown },
            };
            self.over = true;
            return Some(Err(error));
        }
    }

    /// False: it was JSON already.
    async fn reopen_as_json(&mut self) -> Result<bool, Error> {
        let Some(kind) = self.envelope.request.type_id() else { return Ok(false) };
        if self.open.link.takes_json(kind) {
            return Ok(false);
        }
        self.open.link.send_json_from_now_on(kind);
        self.open = Open::new(&self.client, &self.envelope).await?;
        Ok(true)
    }
}

impl Open {
    async fn new(client: &Client, envelope: &Envelope) -> Result<Open, Error> {
        let deadline = client.deadline();
        loop {
            let link = client.inner.way(None, deadline).await?;
            let as_json = envelope.request.type_id().is_some_and(|kind| link.takes_json(kind));
            let frame = envelope.frame(client.caller_id(), deadline, as_json)?;
            let opened = timeout_at(deadline, link.open(frame, WINDOW)).await;
            match opened {
                Ok(Some((stream, events))) => return Ok(Open { link, stream, events }),
                // The connection broke before the call was taken: the pool makes another.
                Ok(None) => continue,
                Err(_) => {
                    let node = client.inner.pool.name();
                    return Err(Error::Unreachable {
                        node,
                        why: "no room to send in time".into(),
                        outcome: Outcome::NotRun,
                    });
                }
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.link.cancel(self.stream);
    }
}
