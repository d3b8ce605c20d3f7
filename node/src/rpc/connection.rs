//! One connection: one task that reads, runs its calls and writes. Replies that are ready together leave in one write.

use super::flow::{Done, Flow, Step};
use super::socket::{Socket, push};
use super::table::{Codec, Live, Table};
use super::{Limits, hello, own};
use crate::door::{
    Answered, DEADLINE_GRACE, DRAIN, Doors, Entering, Known, Stop, check_request_id, gate, json, text_bytes_max,
    time_for, too_large, too_late,
};
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::stream::{AbortHandle, Abortable, FuturesUnordered, StreamExt};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::time::sleep_until;
use wire::Error;
use wire::codec;
use wire::error::reasons;
use wire::frame::{Frame, Kind};
use wire::rpc::{Body, Call, Credit, Reply, RequestId};

/// How often late calls and stuck peers are looked for while there is anything under way.
const LOOK: Duration = Duration::from_millis(100);

pub struct Connection {
    doors: Arc<Doors>,
    account: Arc<str>,
    limits: Limits,
    table: Table,
    steps: FuturesUnordered<Step>,
    input: BytesMut,
    out: BytesMut,
    /// TLS may still hold back the end of what was written.
    unflushed: bool,
    /// When something last came in.
    heard: Instant,
    /// Since when a frame has been coming in, and since when replies wait to be taken.
    partial_since: Option<Instant>,
    stuck_since: Option<Instant>,
    stopping: Option<Instant>,
}

impl Connection {
    /// Serves one client until it leaves (`Ok`) or breaks a rule: then the error says which. Its hello, of which `input`
    /// is the beginning, is to be there by `deadline`.
    pub async fn serve(
        mut stream: impl Socket,
        mut input: BytesMut,
        peer: SocketAddr,
        doors: Arc<Doors>,
        limits: Limits,
        deadline: tokio::time::Instant,
        mut stop: Stop,
    ) -> Result<(), String> {
        input.reserve(4 << 10);
        let admitted = tokio::select! {
            biased;
            () = stop.wait() => return Ok(()),
            admitted = hello::receive(&mut stream, &mut input, peer, &doors, deadline) => admitted?,
        };
        let Some(via) = admitted else { return Ok(()) };
        let now = Instant::now();
        let connection = Connection {
            account: via.account().clone(),
            doors,
            limits,
            table: Table::default(),
            steps: FuturesUnordered::new(),
            input,
            out: BytesMut::new(),
            unflushed: false,
            heard: now,
            partial_since: None,
            stuck_since: None,
            stopping: None,
        };
        connection.run(stream, stop).await
    }

    async fn run(mut self, mut stream: impl Socket, mut stop: Stop) -> Result<(), String> {
        let (mut reader, mut writer) = stream.halves();
        let mut stopped = std::pin::pin!(stop.wait());
        let mut timer = std::pin::pin!(sleep_until((self.heard + self.limits.idle).into()));
        // A client may have sent calls right behind its hello.
        self.take_frames()?;
        loop {
            if self.stopping.is_some() && self.table.is_empty() && !self.is_writing() {
                return Ok(());
            }
            if self.is_busy() && timer.deadline() > tokio::time::Instant::now() + LOOK {
                timer.as_mut().reset(tokio::time::Instant::now() + LOOK);
            }
            let room = self.out.len() < self.limits.unsent;
            tokio::select! {
                biased;
                // First all that is ready, then one write for it.
                Some(step) = self.steps.next(), if room && !self.steps.is_empty() => {
                    if let Ok((stream, done)) = step {
                        self.finish_step(stream, done);
                    }
                }
                wrote = push(&mut writer, &mut self.out), if self.is_writing() => {
                    // A peer that went away took its answers with it: nothing to warn about.
                    let Ok(written) = wrote else { return Ok(()) };
                    self.stuck_since = None;
                    self.unflushed = written > 0;
                }
                read = reader.read_buf(&mut self.input), if room => {
                    let Ok(1..) = read else { return self.left() };
                    self.heard = Instant::now();
                    self.take_frames()?;
                }
                () = timer.as_mut() => {
                    self.look(Instant::now())?;
                    if !self.is_busy() && self.heard.elapsed() >= self.limits.idle {
                        return Ok(());
                    }
                    let next = if self.is_busy() { Instant::now() + LOOK } else { self.heard + self.limits.idle };
                    timer.as_mut().reset(next.into());
                }
                () = stopped.as_mut(), if self.stopping.is_none() => self.begin_to_stop(),
            }
        }
    }

    fn is_busy(&self) -> bool {
        !self.table.is_empty() || self.is_writing() || !self.input.is_empty() || self.stopping.is_some()
    }

    fn is_writing(&self) -> bool {
        !self.out.is_empty() || self.unflushed
    }

    fn left(&self) -> Result<(), String> {
        match self.input.is_empty() {
            true => Ok(()),
            false => Err("it left in the middle of a frame".into()),
        }
    }

    fn take_frames(&mut self) -> Result<(), String> {
        while let Some(frame) = Frame::decode(&mut self.input).map_err(|why| why.to_string())? {
            self.partial_since = None;
            self.take_frame(frame)?;
        }
        match self.input.is_empty() {
            true => self.partial_since = None,
            false => drop(self.partial_since.get_or_insert(self.heard)),
        }
        Ok(())
    }

    fn take_frame(&mut self, frame: Frame) -> Result<(), String> {
        match frame.kind {
            Kind::Call => self.call(frame),
            Kind::Cancel => {
                self.table.remove(frame.stream);
                Ok(())
            }
            Kind::Credit => {
                let credit: Credit = codec::decode(&frame.payload).map_err(|why| format!("credit: {why}"))?;
                // For a stream that ended meanwhile it is late, not wrong.
                if let Some(live) = self.table.get(frame.stream) {
                    live.flow.credit = live.flow.credit.saturating_add(credit.items);
                    self.pump(frame.stream);
                }
                Ok(())
            }
            kind => Err(format!("{kind:?} is not for clients to send")),
        }
    }

    fn call(&mut self, frame: Frame) -> Result<(), String> {
        let call: Call = codec::decode(&frame.payload).map_err(|why| format!("a call does not decode: {why}"))?;
        if self.table.has(frame.stream) {
            return Err(format!("call {} is under way already", frame.stream));
        }
        if let Some(value) = own::answer(&self.doors, &self.account, &call.service, &call.endpoint) {
            self.send(Kind::Reply, frame.stream, &Reply { body: json_body(&value), stale: false });
            return Ok(());
        }
        match self.prepare(&frame, call) {
            Ok((known, codec, entering)) => {
                let (bytes, given_up) = (entering.body.len(), entering.deadline + DEADLINE_GRACE);
                let answer = self.doors.enter(&known, entering);
                let stream = frame.stream;
                let abort = self.start(answer.map(move |answer| (stream, Done::Answered(answer))).boxed());
                let flow = Flow::default();
                self.table.insert(stream, Live { known, codec, given_up: Some(given_up), flow, abort, bytes });
            }
            Err(error) => self.fail(frame.stream, error),
        }
        Ok(())
    }

    /// What has to be right before a call goes inside.
    fn prepare(&self, frame: &Frame, call: Call) -> Result<(Arc<Known>, Codec, Entering), Error> {
        let known = self.doors.catalogue.find(&call.service, &call.endpoint)?;
        let named = |error: Error| error.at(&known.id);
        if self.stopping.is_some() {
            return Err(named(reasons::STOPPING.refuse("the node is stopping: ask another").retry_after_ms(100)));
        }
        if let RequestId::Caller(id) = &call.request_id {
            check_request_id(id).map_err(named)?;
        }
        let (codec, sent, max) = match &call.body {
            Body::Binary { bytes, .. } => (Codec::Binary, bytes.0.len(), known.endpoint.body_bytes_max),
            Body::Json(text) => (Codec::Json, text.0.len(), text_bytes_max(&known.endpoint)),
        };
        if sent > max {
            return Err(named(too_large(max)));
        }
        if self.table.len() >= self.limits.calls {
            return Err(named(gate::full(format!("{} calls are under way on this connection", self.limits.calls))));
        }
        if self.table.bytes() + sent > self.limits.bytes {
            let mib = self.limits.bytes >> 20;
            return Err(named(gate::full(format!("{mib} MiB of requests are under way on this connection"))));
        }
        let body = match call.body {
            Body::Binary { schema, bytes } if schema == known.schema => bytes.0.into(),
            Body::Binary { .. } => {
                return Err(named(reasons::OTHER_SCHEMA.refuse("this node's types are of another version: send JSON")));
            }
            Body::Json(text) => known.body(json::body(&text.0).map_err(named)?)?,
        };
        let asked = Some(frame.time_left_ms).filter(|&ms| ms > 0).map(|ms| Duration::from_millis(ms.into()));
        let entering = Entering {
            account: self.account.clone(),
            request_id: call.request_id,
            deadline: Instant::now() + time_for(asked),
            trace: frame.trace,
            body,
            stale_ok: call.stale_ok,
        };
        Ok((known.clone(), codec, entering))
    }

    fn start(&mut self, step: futures::future::BoxFuture<'static, (u64, Done)>) -> AbortHandle {
        let (abort, registration) = AbortHandle::new_pair();
        self.steps.push(Abortable::new(step, registration));
        abort
    }

    fn finish_step(&mut self, stream: u64, done: Done) {
        let Some(live) = self.table.get(stream) else { return };
        let item = match done {
            Done::Answered(Ok(Answered::Items(items))) => {
                live.given_up = None;
                live.flow.parked = Some(items);
                return self.pump(stream);
            }
            Done::Answered(Ok(Answered::Reply(bytes))) => return self.reply(stream, bytes, false),
            Done::Answered(Ok(Answered::Stale(bytes))) => return self.reply(stream, bytes, true),
            Done::Answered(Err(error)) => Some(Err(error)),
            Done::Item(item, items) => {
                live.flow.parked = Some(items);
                item
            }
        };
        match item.map(|item| item.and_then(|bytes| reply(live, bytes, false))) {
            Some(Ok(item)) => {
                self.send(Kind::Item, stream, &item);
                self.pump(stream);
            }
            Some(Err(error)) => {
                let id = self.table.remove(stream).map(|live| live.known.id.clone());
                self.fail(stream, error.at(&id.unwrap_or_default()));
            }
            None => {
                self.table.remove(stream);
                Frame::new(Kind::End, stream, Bytes::new()).encode(&mut self.out);
            }
        }
    }

    /// The one reply of a call.
    fn reply(&mut self, stream: u64, bytes: Bytes, stale: bool) {
        let Some(live) = self.table.remove(stream) else { return };
        match reply(&live, bytes, stale) {
            Ok(reply) => self.send(Kind::Reply, stream, &reply),
            Err(error) => self.fail(stream, error.at(&live.known.id)),
        }
    }

    /// Asks a stream for its next item, if the reader can take one.
    fn pump(&mut self, stream: u64) {
        let Some(mut items) = self.table.get(stream).and_then(|live| live.flow.next()) else { return };
        let next = async move {
            let item = items.recv().await;
            (stream, Done::Item(item, items))
        };
        let abort = self.start(next.boxed());
        if let Some(live) = self.table.get(stream) {
            live.abort = abort;
        }
    }

    fn look(&mut self, now: Instant) -> Result<(), String> {
        for stream in self.table.late(now) {
            if let Some(live) = self.table.remove(stream) {
                self.fail(stream, too_late(&live.known));
            }
        }
        let overdue = |since: Option<Instant>| since.is_some_and(|at| now.duration_since(at) > self.limits.patience);
        if overdue(self.stuck_since) {
            return Err("it does not read its replies".into());
        }
        if overdue(self.partial_since) {
            return Err("it stopped in the middle of a frame".into());
        }
        if self.is_writing() {
            self.stuck_since.get_or_insert(now);
        }
        if self.stopping.is_some_and(|since| now.duration_since(since) > DRAIN) {
            return Err("calls were still under way when the node stopped".into());
        }
        Ok(())
    }

    fn begin_to_stop(&mut self) {
        self.stopping = Some(Instant::now());
        for stream in self.table.streams() {
            self.table.remove(stream);
            self.fail(stream, reasons::STOPPING.refuse("the node is stopping: go on at another").at("v1"));
        }
    }

    fn fail(&mut self, stream: u64, error: Error) {
        self.send(Kind::Error, stream, &error);
    }

    fn send(&mut self, kind: Kind, stream: u64, payload: &impl Serialize) {
        match codec::encode(payload) {
            Ok(bytes) => Frame::new(kind, stream, bytes).encode(&mut self.out),
            // Replies are values that were decoded from this codec a moment ago.
            Err(why) => tracing::error!(%why, "a reply does not encode: its caller runs into its time limit"),
        }
    }
}

fn reply(live: &Live, bytes: Bytes, stale: bool) -> Result<Reply, Error> {
    let body = match live.codec {
        Codec::Binary => Body::Binary { schema: live.known.schema, bytes: wire::Bytes(bytes.into()) },
        Codec::Json => json_body(&live.known.shown(&bytes)?),
    };
    Ok(Reply { body, stale })
}

fn json_body(value: &serde_json::Value) -> Body {
    Body::Json(wire::Bytes(value.to_string().into_bytes()))
}
