//! A call over a WebSocket: the first text frame is the request, each item a text frame, the end a close frame.
//!
//! Nothing else is ever sent as text: unmodified clients hand every text frame to their user.

use super::body::{self, Given};
use super::call::{self, Admitted};
use super::lifeline::{Lifeline, TAKES_WITHIN, stopped};
use super::reply;
use crate::door::gate::Counted;
use crate::door::{Answered, Doors, TOO_SLOW};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};
use wire::{Error, error::reasons};

/// From the opening to the whole request.
pub const ASKS_WITHIN: Duration = Duration::from_secs(30);
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// After the last pong.
pub const GIVES_UP_AFTER: Duration = Duration::from_secs(60);
/// How long the other side may take to close as well.
const LINGER: Duration = Duration::from_secs(2);

/// Why a conversation is over.
#[derive(Debug)]
enum End {
    /// Everything was said.
    Done,
    /// The error is the last word.
    Failed(Error),
    /// The node stops.
    Stopping,
    /// The client closed.
    Left,
    /// There is no client any more, or none that keeps to the protocol.
    Lost,
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Failed(error)
    }
}

/// Holds the whole conversation.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    doors: &Doors,
    socket: WebSocketStream<S>,
    admitted: Result<Admitted, Error>,
    mut lifeline: Option<Lifeline>,
) {
    let now = Instant::now();
    let mut talk = Talk { socket, next_ping: now + PING_EVERY, last_pong: now };
    let end = match converse(doors, &mut talk, admitted, &mut lifeline).await {
        Ok(()) => End::Done,
        Err(end) => end,
    };
    talk.close(end).await;
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    doors: &Doors,
    talk: &mut Talk<S>,
    admitted: Result<Admitted, Error>,
    lifeline: &mut Option<Lifeline>,
) -> Result<(), End> {
    let mut pass = doors.gate.enter(Counted::Socket, 0).map_err(|full| full.at("v1"))?;
    let late = Instant::now() + ASKS_WITHIN;
    let text = tokio::select! {
        biased;
        () = stopped(lifeline) => return Err(End::Stopping),
        text = talk.first() => text?,
        () = sleep_until(late) => {
            let detail = format!("no request came within {} s: the first text frame holds it", ASKS_WITHIN.as_secs());
            return Err(TOO_SLOW.refuse(detail).at("v1").into());
        }
    };
    let arrived = std::time::Instant::now();
    let admitted = admitted?;
    let known = admitted.known.clone();
    let named = |error: Error| error.at(&known.id);
    pass.grow(text.len()).map_err(named)?;
    let given: Given = body::parse(&text).map_err(named)?;
    drop(text);
    let entering = admitted.entering(given, arrived)?;
    pass.shrink();
    let mut items = match talk.during(call::run(doors, &known, entering)).await?? {
        Answered::Reply(bytes) | Answered::Stale(bytes) => return talk.say(&known.shown(&bytes)?).await,
        Answered::Items(items) => items,
    };
    loop {
        let item = tokio::select! {
            biased;
            () = stopped(lifeline) => return Err(End::Stopping),
            // What a client says after its request means nothing, but its pongs and its leaving do.
            heard = talk.hear() => heard.map(|_| None)?,
            item = items.recv() => Some(item),
        };
        match item {
            Some(Some(item)) => talk.say(&known.shown(&item.map_err(named)?)?).await?,
            Some(None) => return Ok(()),
            None => {}
        }
    }
}

struct Talk<S> {
    socket: WebSocketStream<S>,
    next_ping: Instant,
    last_pong: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// The request.
    async fn first(&mut self) -> Result<Utf8Bytes, End> {
        loop {
            match self.hear().await? {
                Message::Text(text) => return Ok(text),
                // M3O's client asks like this when its user gives no request.
                Message::Binary(bytes) if bytes.is_empty() => return Ok(Utf8Bytes::default()),
                Message::Binary(_) => {
                    return Err(reasons::BAD_BODY.refuse("the request must be a text frame").at("v1").into());
                }
                _ => {}
            }
        }
    }

    /// Waits for `work` and listens meanwhile: who has left needs no answer.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                heard = self.hear() => drop(heard?),
            }
        }
    }

    /// What the client says next, but for pongs; it is pinged meanwhile. Cancel-safe.
    async fn hear(&mut self) -> Result<Message, End> {
        loop {
            let given_up = self.last_pong + GIVES_UP_AFTER;
            tokio::select! {
                biased;
                message = self.socket.next() => match message {
                    Some(Ok(Message::Pong(_))) => self.last_pong = Instant::now(),
                    Some(Ok(Message::Close(_))) | None => return Err(End::Left),
                    Some(Ok(message)) => return Ok(message),
                    Some(Err(error)) => return Err(broken(error)),
                },
                () = sleep_until(self.next_ping.min(given_up)) => {
                    if Instant::now() >= given_up {
                        return Err(End::Lost);
                    }
                    self.next_ping += PING_EVERY;
                    self.send(Message::Ping(Default::default())).await?;
                }
            }
        }
    }

    async fn say(&mut self, value: &Value) -> Result<(), End> {
        self.send(Message::text(value.to_string())).await
    }

    /// Waits until the client takes it, not for ever.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(TAKES_WITHIN, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }

    /// The last words, and then the connection.
    async fn close(mut self, end: End) {
        let code = match &end {
            End::Lost => return,
            End::Left | End::Done => CloseCode::Normal,
            End::Stopping => CloseCode::Away,
            End::Failed(error) if error.is(&reasons::TOO_LARGE) => CloseCode::Size,
            End::Failed(error) if error.code < 500 => CloseCode::Policy,
            End::Failed(_) => CloseCode::Error,
        };
        let farewell = async {
            if let End::Failed(error) = &end {
                self.say(&reply::object(error)).await?;
            }
            let close = CloseFrame { code, reason: Utf8Bytes::default() };
            // After the client's own close this sends the answer to it.
            let _ = self.socket.close(Some(close)).await;
            Ok::<(), End>(())
        };
        if timeout(LINGER, farewell).await.is_ok_and(|said| said.is_ok()) {
            let _ = timeout(LINGER, self.linger()).await;
        }
    }

    /// Takes what the client still sends until it closes too: a connection that is dropped with something unread is
    /// reset, and our last words with it.
    async fn linger(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
        let connection = self.socket.get_mut();
        let _ = connection.shutdown().await;
        let mut unread = [0; 4 << 10];
        while connection.read(&mut unread).await.is_ok_and(|read| read > 0) {}
    }
}

fn broken(error: tungstenite::Error) -> End {
    match error {
        tungstenite::Error::Capacity(why) => reasons::TOO_LARGE.refuse(format!("the request: {why}")).at("v1").into(),
        tungstenite::Error::Utf8(why) => {
            reasons::BAD_BODY.refuse(format!("the request is not UTF-8: {why}")).at("v1").into()
        }
        _ => End::Lost,
    }
}
