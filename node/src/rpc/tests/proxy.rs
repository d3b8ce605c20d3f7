//! A wire between client and node that a test can cut.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

pub struct Proxy {
    pub at: SocketAddr,
    cut: Arc<Notify>,
    /// Where it leads; a node that comes back has another port.
    to: watch::Sender<SocketAddr>,
}

impl Proxy {
    pub async fn new(to: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let cut = Arc::new(Notify::new());
        let (to, target) = watch::channel(to);
        let cutting = cut.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let to = *target.borrow();
                tokio::spawn(carry(near, to, cutting.clone()));
            }
        });
        Proxy { at, cut, to }
    }

    /// Breaks every connection there is.
    pub fn cut(&self) {
        self.cut.notify_waiters();
    }

    pub fn lead_to(&self, to: SocketAddr) {
        self.to.send_replace(to);
    }
}

async fn carry(mut near: TcpStream, to: SocketAddr, cut: Arc<Notify>) {
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    tokio::select! {
        biased;
        () = cut.notified() => {}
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
    }
    let _ = near.shutdown().await;
}
