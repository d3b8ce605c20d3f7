use super::*;
use crate::transport::frame::{Frame, Kind};
use crate::transport::hello::{self, Hello, Lane};
use crate::transport::link::Link;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;

/// Says hello as the node that was dialled.
pub fn greeting(me: Me) -> impl FnOnce(Lane) -> Hello {
    move |lane| Hello { cluster: me.cluster, node: me.node, incarnation: me.incarnation, process: 1, lane }
}

pub async fn greet(tcp: TcpStream, me: Me) -> Link {
    let mut link = Link::new(Box::new(tcp));
    let _ = hello::accepted(&mut link, greeting(me), |_| Ok(())).await;
    link
}

/// Dials as a node that then says what it likes.
async fn dialled(stream: DuplexStream, lane: Lane) -> Link {
    let mut link = Link::new(Box::new(stream));
    hello::dialled(&mut link, &greeting(me(2, 1))(lane), |_| Ok(())).await.unwrap();
    link
}

/// Sends bytes and returns what comes back until the other side closes.
pub async fn say(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin), bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut told = vec![];
    let _ = timeout(PATIENCE, stream.read_to_end(&mut told)).await.expect("it closes");
    String::from_utf8_lossy(&told).into_owned()
}

async fn alone(limits: Limits) -> Node {
    Node::start(&Town::default(), me(1, 1), limits).await
}

#[tokio::test]
async fn noise_is_named_and_ended() {
    let node = alone(Limits::default()).await;
    for noise in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[16, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0; 64]]
    {
        let (mut far, near) = duplex(1 << 16);
        let (served, told) = tokio::join!(node.network.serve(near, anywhere()), say(&mut far, noise));
        assert!(served.is_err());
        assert!(told.contains("it is no node") || told.contains("version"), "{noise:?}: {told}");
    }
    assert_eq!(node.network.counters().refused.values().sum::<u64>(), 3);
}

#[tokio::test]
async fn who_says_nothing_or_half_a_hello_is_not_waited_for() {
    let node = alone(Limits { hello_within: Duration::from_millis(50), ..Limits::default() }).await;
    for half in [&[][..], &[57, 0, 0, 0, 1, 1]] {
        let (mut far, near) = duplex(1 << 16);
        far.write_all(half).await.unwrap();
        let served = timeout(PATIENCE, node.network.serve(near, anywhere())).await.expect("given up");
        assert!(served.unwrap_err().contains("no hello within"));
    }
    let (far, near) = duplex(1 << 16);
    drop(far);
    assert!(node.network.serve(near, anywhere()).await.unwrap_err().contains("closed by the other side"));
}

#[tokio::test]
async fn what_has_no_place_on_a_lane_ends_it() {
    let node = alone(Limits::default()).await;
    for (lane, kind) in [(Lane::Calls, Kind::Chunk), (Lane::Ask, Kind::Hello), (Lane::Snapshot, Kind::Call)] {
        let (far, near) = duplex(1 << 16);
        let stranger = async {
            let mut link = dialled(far, lane).await;
            link.put(&Frame::new(kind, 1, "x"));
            link.flush().await.unwrap();
            // Until the other side has closed.
            while link.receive().await.is_ok() {}
        };
        let both = async { tokio::join!(node.network.serve(near, anywhere()), stranger) };
        let (served, ()) = timeout(PATIENCE, both).await.expect("ended");
        assert_eq!(served, Ok(()));
    }
}

#[tokio::test]
async fn one_id_is_one_call() {
    let node = alone(Limits::default()).await;
    let (far, near) = duplex(1 << 16);
    let stranger = async {
        let mut link = dialled(far, Lane::Calls).await;
        let call = Frame { what: HANG, time_left_ms: 60_000, ..Frame::new(Kind::Call, 1, "x") };
        link.put(&call);
        link.put(&call);
        link.flush().await.unwrap();
        while link.receive().await.is_ok() {}
    };
    let both = async { tokio::join!(node.network.serve(near, anywhere()), stranger) };
    timeout(PATIENCE, both).await.expect("ended").0.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// On every lane, behind a good hello: bytes drawn at random, and frames with random fields.
    #[test]
    fn whatever_a_peer_sends_the_node_serves_on(
        lane in 0..4_usize,
        noise in prop::collection::vec(any::<u8>(), 0..200),
        frames in prop::collection::vec((1..=14_u8, any::<u8>(), 0..4_u64, any::<u32>(), 0..50_usize), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limits = Limits { snapshot_silence: Duration::from_millis(300), ..Limits::default() };
            let node = alone(limits).await;
            let (far, near) = duplex(1 << 16);
            let stranger = async {
                let lane = [Lane::Ask, Lane::Raft, Lane::Calls, Lane::Snapshot][lane];
                let mut link = dialled(far, lane).await;
                for (kind, what, id, time_left_ms, length) in frames {
                    let Some(kind) = Kind::from_byte(kind) else { continue };
                    let what = if what == PANIC { ECHO } else { what };
                    link.put(&Frame { kind, what, id, time_left_ms, body: vec![b'x'; length].into() });
                }
                let _ = link.flush().await;
                let _ = link.stream().write_all(&noise).await;
            };
            let both = async { tokio::join!(node.network.serve(near, anywhere()), stranger) };
            timeout(PATIENCE, both).await.expect("it ends").0.unwrap();
            // And it still serves.
            let (far, near) = duplex(1 << 16);
            let asking = async {
                let mut link = dialled(far, Lane::Ask).await;
                link.put(&Frame { what: ECHO, time_left_ms: 9000, ..Frame::new(Kind::Call, 1, "still there?") });
                let answer = link.receive().await.unwrap();
                assert_eq!(answer, Frame::new(Kind::Answer, 1, "still there?"));
            };
            let both = async { tokio::join!(node.network.serve(near, anywhere()), asking) };
            timeout(PATIENCE, both).await.expect("it answers").0.unwrap();
        });
    }
}
