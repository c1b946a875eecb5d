//! The tasks of all connections: how many, and how they end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stream::Refusals;
use stream::isolate::{Panicked, isolated};
use tokio::task::JoinSet;

/// Runs connections, up to a limit.
pub(super) struct Connections {
    limit: usize,
    refusals: Arc<Refusals>,
    tasks: JoinSet<Result<(), Panicked>>,
}

impl Connections {
    /// None yet.
    pub(super) fn new(limit: usize, refusals: Arc<Refusals>) -> Connections {
        Connections { limit, refusals, tasks: JoinSet::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Runs `connection`, or drops it when there are too many.
    pub(super) fn begin(
        &mut self,
        peer: SocketAddr,
        connection: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        if self.tasks.len() >= self.limit {
            let why = format_args!("{} connections are open (rtmp.max_connections)", self.limit);
            self.refusals.warn(Some(peer), "full", &why);
            return false;
        }
        self.tasks.spawn(isolated("RTMP connection", peer, connection));
        true
    }

    /// Waits for the next connection to end; forever when there is none.
    pub(super) async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending().await
        }
    }

    /// Waits until all have ended, at most for `time`.
    pub(super) async fn drain(mut self, time: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(time, all).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "RTMP connections did not end in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(limit: usize) -> Connections {
        Connections::new(limit, Arc::new(Refusals::new("rtmp")))
    }

    fn peer() -> SocketAddr {
        ([127, 0, 0, 1], 1).into()
    }

    #[tokio::test]
    async fn a_panic_ends_its_connection_alone() {
        let mut connections = of(2);
        let (send, receive) = tokio::sync::oneshot::channel();
        connections.begin(peer(), async { panic!("a bug that this test made") });
        connections.ended().await;
        assert_eq!(connections.tasks.len(), 0);
        connections.begin(peer(), async { send.send(()).expect("somebody waits") });
        connections.ended().await;
        assert_eq!(receive.await, Ok(()));
    }

    #[tokio::test]
    async fn more_than_the_limit_are_dropped() {
        let mut connections = of(1);
        connections.begin(peer(), std::future::pending());
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        connections.begin(peer(), async { drop(send) });
        assert!(receive.await.is_err());
        assert_eq!(connections.tasks.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_gives_up_in_time() {
        let mut connections = of(1);
        connections.begin(peer(), std::future::pending());
        connections.drain(Duration::from_secs(3)).await;
    }
}
