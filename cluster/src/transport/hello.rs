//! The first words of a connection: each side says who it is, then whether it takes the other.
//!
//! The dialler says hello. The other side answers with its own hello and a welcome in one write, or with why not. Then
//! the dialler says welcome or why not, and the connection is open.

use super::frame::{Frame, FrameError, Kind};
use super::link::{Broken, Link};
use super::refusal::Refusal;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use wire::ids::{ClusterId, Incarnation, NodeId};

/// What a connection is for. Each has its own, so that none waits behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A call to an address: whoever asks need not be a member.
    Ask = 0,
    /// Consensus and keep-alives.
    Raft = 1,
    Calls = 2,
    /// One snapshot.
    Snapshot = 3,
}

/// Who is at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    pub cluster: Option<ClusterId>,
    pub node: NodeId,
    pub incarnation: Incarnation,
    /// Random: two processes that go by the same node and incarnation differ in it.
    pub process: u64,
    pub lane: Lane,
}

const HELLO_BYTES: usize = 1 + 16 + 8 + 8 + 8 + 1;

impl Hello {
    fn frame(&self) -> Frame {
        let mut body = BytesMut::with_capacity(HELLO_BYTES);
        body.put_u8(self.cluster.is_some().into());
        body.put_slice(&self.cluster.map_or([0; 16], |cluster| cluster.0));
        body.put_u64_le(self.node.0);
        body.put_u64_le(self.incarnation.0);
        body.put_u64_le(self.process);
        body.put_u8(self.lane as u8);
        Frame::new(Kind::Hello, 0, body)
    }

    fn read(mut body: Bytes) -> Option<Hello> {
        if body.len() != HELLO_BYTES {
            return None;
        }
        let has_cluster = body.get_u8() == 1;
        let mut cluster = [0; 16];
        body.copy_to_slice(&mut cluster);
        Some(Hello {
            cluster: has_cluster.then_some(ClusterId(cluster)),
            node: NodeId(body.get_u64_le()),
            incarnation: Incarnation(body.get_u64_le()),
            process: body.get_u64_le(),
            lane: [Lane::Ask, Lane::Raft, Lane::Calls, Lane::Snapshot]
                .into_iter()
                .find(|&lane| lane as u8 == body[0])?,
        })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum NoLink {
    /// Either side will not have it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It may come about next time.
    #[error("{0}")]
    Failed(String),
}

impl From<Broken> for NoLink {
    fn from(broken: Broken) -> NoLink {
        match broken {
            Broken::Frame(FrameError::Version(theirs)) => Refusal::Version { theirs }.into(),
            Broken::Frame(other) => Refusal::Stranger(other.to_string()).into(),
            Broken::Io(error) => match trust(&error) {
                Some(refusal) => refusal.into(),
                None => NoLink::Failed(error.to_string()),
            },
            Broken::Closed => NoLink::Failed(broken.to_string()),
        }
    }
}

/// The other side's certificate, or ours over there, is not of one secret. In TLS 1.3 a client may hear it only when it reads.
pub fn trust(error: &std::io::Error) -> Option<Refusal> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(Refusal::Trust(tls.to_string()))
}

/// The dialler's part. `judge` decides whether it talks to who is there.
pub async fn dialled(
    link: &mut Link,
    ours: &Hello,
    judge: impl FnOnce(&Hello) -> Result<(), Refusal>,
) -> Result<Hello, NoLink> {
    link.put(&ours.frame());
    link.flush().await?;
    let theirs = expect_hello(link.receive().await?)?;
    match link.receive().await? {
        Frame { kind: Kind::Welcome, .. } => {}
        other => return Err(not_welcome(&other)),
    }
    if let Err(refusal) = judge(&theirs) {
        link.put(&refusal.frame());
        link.flush().await?;
        return Err(refusal.into());
    }
    link.put(&Frame::new(Kind::Welcome, 0, Bytes::new()));
    link.flush().await?;
    Ok(theirs)
}

/// The part of who was dialled.
pub async fn accepted(
    link: &mut Link,
    ours: impl FnOnce(Lane) -> Hello,
    judge: impl FnOnce(&Hello) -> Result<(), Refusal>,
) -> Result<Hello, NoLink> {
    let heard = match link.receive().await {
        Ok(frame) => expect_hello(frame),
        Err(broken) => Err(broken.into()),
    };
    let heard = heard.and_then(|theirs| judge(&theirs).map(|()| theirs).map_err(NoLink::from));
    let theirs = match heard {
        Ok(theirs) => theirs,
        Err(why) => {
            if let NoLink::Refused(refusal) = &why {
                link.put(&refusal.frame());
            }
            return Err(why);
        }
    };
    link.put(&ours(theirs.lane).frame());
    link.put(&Frame::new(Kind::Welcome, 0, Bytes::new()));
    link.flush().await?;
    match link.receive().await? {
        Frame { kind: Kind::Welcome, .. } => Ok(theirs),
        other => Err(not_welcome(&other)),
    }
}

fn expect_hello(frame: Frame) -> Result<Hello, NoLink> {
    match frame.kind {
        Kind::Hello => Ok(Hello::read(frame.body).ok_or_else(|| Refusal::Stranger("its hello is malformed".into()))?),
        _ => Err(not_welcome(&frame)),
    }
}

fn not_welcome(frame: &Frame) -> NoLink {
    match frame.kind {
        Kind::Refused => Refusal::told(frame).into(),
        other => Refusal::Stranger(format!("it sent {other:?} before its hello was done")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hello_is_read_as_it_was_said() {
        for cluster in [None, Some(ClusterId([5; 16]))] {
            let hello =
                Hello { cluster, node: NodeId(3), incarnation: Incarnation(9), process: 77, lane: Lane::Snapshot };
            assert_eq!(Hello::read(hello.frame().body), Some(hello));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Hello::read(body.into());
        }
    }
}
