//! The tokio skin: a listener, and a task for each connection.

mod session;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use srt::{Connection, Listener};
use stream::isolate::{Panicked, isolated};
use stream::{Admit, Directory};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::{Limits, Metrics};
use crate::ts;
use session::Session;

/// How the SRT listener behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// What one caller may cost.
    pub limits: Limits,
    /// How sockets behave.
    pub socket: srt::Settings,
    /// What a transport stream may cost.
    pub ts: ts::Limits,
}

/// Takes publishers by SRT.
pub struct Server {
    settings: Settings,
    admit: Arc<dyn Admit>,
    directory: Directory,
    metrics: Metrics,
}

/// How long to wait before accepting again when that fails.
const BACKOFF: Duration = Duration::from_millis(100);

impl Server {
    /// A server that asks `admit` about callers and puts them on air in `directory`.
    pub fn new(settings: Settings, admit: Arc<dyn Admit>, directory: Directory) -> Server {
        Server { settings, admit, directory, metrics: Metrics::default() }
    }

    /// Counts in `metrics`.
    pub fn measured(self, metrics: &Metrics) -> Server {
        Server { metrics: metrics.clone(), ..self }
    }

    /// Listens on a bound socket until `shutdown`, then hangs up, and returns when connections are gone or
    /// [`Limits::drain`] is over.
    ///
    /// # Errors
    /// libsrt cannot take the socket, or does not start.
    pub async fn serve(self, udp: UdpSocket, shutdown: CancellationToken) -> Result<(), srt::Error> {
        let Settings { limits, socket, .. } = self.settings;
        let decide = (self.admit.clone(), self.directory.clone());
        let gate = Gate::new(decide, limits, socket.connections, &self.metrics, shutdown.clone());
        let listener = Listener::on(udp, &socket, Arc::new(gate))?;
        let server = Arc::new(self);
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = one_ended(&mut tasks) => {
                    server.metrics.connections.set(tasks.len() as i64);
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(connection) => {
                    server.begin(&mut tasks, connection, &shutdown);
                    server.metrics.connections.set(tasks.len() as i64);
                }
                Err(error) => {
                    server.cannot_accept(&error);
                    tokio::time::sleep(BACKOFF).await;
                }
            }
        }
        drop(listener);
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain, all).await.is_err() {
            tracing::warn!("SRT connections did not end in time");
        }
        Ok(())
    }

    fn cannot_accept(&self, error: &srt::Error) {
        let why = format_args!("cannot accept connections, trying again: {error}");
        self.metrics.refusals.warn(None, "accept", &why);
    }

    fn begin(
        self: &Arc<Self>,
        tasks: &mut JoinSet<Result<(), Panicked>>,
        connection: Connection,
        shutdown: &CancellationToken,
    ) {
        self.metrics.accepted.inc();
        let (server, shutdown, peer) = (self.clone(), shutdown.clone(), connection.peer());
        tasks.spawn(isolated("SRT connection", peer, async move {
            Session::new(&server, connection).run(&shutdown).await;
        }));
    }
}

/// Waits for the next connection to end; forever when there is none.
async fn one_ended(tasks: &mut JoinSet<Result<(), Panicked>>) {
    if tasks.join_next().await.is_none() {
        std::future::pending().await
    }
}
