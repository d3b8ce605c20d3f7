//! Is a node ready? Asked as anybody would: `GET /readyz`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

const EVERY: Duration = Duration::from_millis(25);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Returns once the node answers that it is ready.
pub async fn until_ready(http: SocketAddr) {
    let mut ticks = interval(EVERY);
    loop {
        ticks.tick().await;
        if let Ok(Ok(true)) = timeout(ANSWER_WITHIN, is_ready(http)).await {
            return;
        }
    }
}

async fn is_ready(http: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(http).await?;
    let ask = format!("GET /readyz HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(&head == b"HTTP/1.1 200")
}
