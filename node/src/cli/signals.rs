//! Ctrl-C and SIGTERM, and the parent that is gone.

use crate::door::Stopper;
use crate::door::stop::{self, Stop};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The contract: a stopping node is gone within 10 s.
const GONE_WITHIN: Duration = Duration::from_millis(9_500);

/// Stops at the first signal; a second one ends the process at once.
pub fn on_signal() -> std::io::Result<(Arc<Stopper>, Stop)> {
    let (stopper, stop) = stop::channel();
    let stopper = Arc::new(stopper);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let telling = stopper.clone();
    tokio::spawn(async move {
        for asked in 1.. {
            tokio::select! {
                biased;
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if asked > 1 {
                std::process::exit(130);
            }
            tracing::info!("stopping");
            telling.stop();
        }
    });
    Ok((stopper, stop))
}

/// Stops when stdin ends: its other end is held by the parent, however that one dies.
pub fn on_end_of_stdin(stopper: Arc<Stopper>) {
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut ignored), Ok(1..)) {}
        stopper.stop();
    });
}

/// A drain that hangs does not hold the process: after the contract's time it ends, and says so.
pub fn end_in_time(mut stop: Stop) {
    tokio::spawn(async move {
        stop.wait().await;
        tokio::time::sleep_until(tokio::time::Instant::now() + GONE_WITHIN).await;
        tracing::error!("did not stop within {GONE_WITHIN:?}: ending at once; nothing that was answered is lost");
        std::process::exit(1);
    });
}
