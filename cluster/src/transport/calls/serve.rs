//! Calls from other nodes: each runs as a task, so that none holds up the reading of the next.

use crate::transport::counters::count;
use crate::transport::frame::{BODY_BYTES_MAX, Frame, Kind};
use crate::transport::hold::Hold;
use crate::transport::link::{Link, Turn};
use crate::transport::shared::Shared;
use bytes::Bytes;
use futures::FutureExt;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use wire::codec;
use wire::error::{Error, Outcome, reasons};
use wire::ids::NodeId;

/// The caller's own clock should run out first: it knows best that nobody waits.
const GRACE: Duration = Duration::from_millis(250);
/// While so many bytes of answers wait for the caller's node, its next calls do.
const UNSENT_BYTES_MAX: usize = 4 << 20;

type Answered = (u64, Result<Bytes, Error>);

/// Serves a connection's calls until it ends; what then still runs is dropped. Idle for `idle`, it ends as well.
pub async fn serve(shared: &Arc<Shared>, from: NodeId, link: Link, hold: Hold, idle: Option<Duration>) -> String {
    let (answers, answered) = unbounded_channel();
    let mut serving = Serving { shared, from, link, running: Tasks::default(), answers };
    match serving.run(hold, answered, idle).await {
        Ok(why) => why.to_string(),
        Err(why) => why,
    }
}

#[derive(Default)]
struct Tasks(BTreeMap<u64, AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.values().for_each(AbortHandle::abort);
    }
}

struct Serving<'a> {
    shared: &'a Arc<Shared>,
    from: NodeId,
    link: Link,
    running: Tasks,
    answers: UnboundedSender<Answered>,
}

impl Serving<'_> {
    async fn run(
        &mut self,
        mut hold: Hold,
        mut answered: UnboundedReceiver<Answered>,
        idle: Option<Duration>,
    ) -> Result<&'static str, String> {
        loop {
            while let Some(frame) = self.link.next().map_err(|why| why.to_string())? {
                self.take(frame)?;
            }
            let room = self.link.unsent() < UNSENT_BYTES_MAX;
            let idle = idle.filter(|_| self.running.0.is_empty() && self.link.unsent() == 0);
            tokio::select! {
                biased;
                why = hold.ended() => return Ok(why),
                Some(answer) = answered.recv(), if room => {
                    self.put(answer);
                    // All that is ready leaves in one write.
                    while self.link.unsent() < UNSENT_BYTES_MAX && let Ok(answer) = answered.try_recv() {
                        self.put(answer);
                    }
                }
                turn = within(idle, self.link.turn(room)) => match turn {
                    Some(Ok(Turn::Read | Turn::Written)) => {}
                    Some(Err(broken)) => return Err(broken.to_string()),
                    None => return Ok("nothing was asked for long"),
                }
            }
        }
    }

    fn put(&mut self, (id, answer): Answered) {
        // Cancelled meanwhile: nobody waits for it.
        if self.running.0.remove(&id).is_some() {
            self.link.put(&frame_of(id, answer));
        }
    }

    fn take(&mut self, frame: Frame) -> Result<(), String> {
        match frame.kind {
            Kind::Call => self.call(frame),
            Kind::Cancel => {
                if let Some(task) = self.running.0.remove(&frame.id) {
                    task.abort();
                }
                Ok(())
            }
            Kind::KeepAlive => Ok(()),
            kind => Err(format!("{kind:?} has no place on the lane of calls")),
        }
    }

    fn call(&mut self, frame: Frame) -> Result<(), String> {
        let Frame { id, what, time_left_ms, body, .. } = frame;
        if self.running.0.contains_key(&id) {
            return Err(format!("call {id} is under way already"));
        }
        let refused = if self.running.0.len() >= self.shared.limits.calls {
            count(&self.shared.counting.calls_refused);
            Some(reasons::OVERLOADED.refuse("too many calls are under way from that node").retry_after_ms(100))
        } else if time_left_ms == 0 {
            Some(reasons::DEADLINE.refuse("its time was over when it came"))
        } else {
            None
        };
        if let Some(error) = refused {
            self.link.put(&frame_of(id, Err(error)));
            return Ok(());
        }
        let (inbound, from, answers) = (self.shared.inbound.clone(), self.from, self.answers.clone());
        let time_left = Duration::from_millis(time_left_ms.into());
        let task = self.shared.runtime.spawn(async move {
            let running = AssertUnwindSafe(inbound.call(from, what, body, time_left)).catch_unwind();
            let answer = match timeout(time_left + GRACE, running).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(unknown(reasons::PANICKED.refuse("the node failed at it"))),
                Err(_) => Err(unknown(reasons::DEADLINE.refuse("its time was over before it was done"))),
            };
            let _ = answers.send((id, answer));
        });
        self.running.0.insert(id, task.abort_handle());
        Ok(())
    }
}

fn unknown(error: Error) -> Error {
    error.with_outcome(Outcome::Unknown)
}

fn frame_of(id: u64, answer: Result<Bytes, Error>) -> Frame {
    let answer = answer.and_then(|body| match body.len() {
        0..=BODY_BYTES_MAX => Ok(body),
        long => {
            let error = reasons::TOO_LARGE.refuse(format!("an answer of {long} bytes; at most {BODY_BYTES_MAX} fit"));
            Err(error.with_outcome(Outcome::Ran))
        }
    });
    match answer {
        Ok(body) => Frame::new(Kind::Answer, id, body),
        // An error that does not fit is one the other side cannot read either, and says so.
        Err(error) => {
            let body = codec::encode(&error).ok().filter(|body| body.len() <= BODY_BYTES_MAX);
            Frame::new(Kind::Failed, id, body.unwrap_or_default())
        }
    }
}

async fn within<T>(limit: Option<Duration>, what: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => timeout(limit, what).await.ok(),
        None => Some(what.await),
    }
}
