//! When to stop, and by when at the latest.

use std::process;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From the signal to the end of the process, whatever happens.
const HARD: Duration = Duration::from_millis(9500);

/// The signals that ask for it: SIGTERM from a supervisor, SIGINT from a terminal.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes them over; from here on they do not end the process by themselves.
    pub(crate) fn new() -> anyhow::Result<Signals> {
        let take = |kind| signal(kind).context("cannot handle signals");
        Ok(Signals { terminate: take(SignalKind::terminate())?, interrupt: take(SignalKind::interrupt())? })
    }

    /// Returns when the next one comes.
    pub(crate) async fn next(&mut self) {
        let signal = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal, "stopping");
    }
}

/// Ends the process with failure if it is still there when it must not be. A thread of its own, so that not even a
/// runtime that hangs can keep it.
pub(crate) fn by_all_means() {
    #[expect(clippy::disallowed_methods, reason = "a thread of its own, whose whole work is to wait")]
    let end = || {
        thread::sleep(HARD);
        tracing::error!(seconds = HARD.as_secs_f32(), "not stopped in time: ending the process");
        process::exit(1);
    };
    if let Err(error) = thread::Builder::new().name("stop".to_owned()).spawn(end) {
        tracing::warn!(%error, "no thread to watch the shutdown");
    }
}
