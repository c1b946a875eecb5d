//! The tasks of all connections: how many, and how they end.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

/// Runs connections, up to a limit.
pub(super) struct Connections {
    limit: usize,
    tasks: JoinSet<()>,
    peers: HashMap<Id, SocketAddr>,
    /// Said once that the limit is reached.
    shedding: bool,
    panics: u64,
}

impl Connections {
    /// None yet.
    pub(super) fn new(limit: usize) -> Connections {
        Connections { limit, tasks: JoinSet::new(), peers: HashMap::new(), shedding: false, panics: 0 }
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
            if !std::mem::replace(&mut self.shedding, true) {
                tracing::warn!(%peer, limit = self.limit, "too many RTMP connections, closing new ones");
            }
            return false;
        }
        self.shedding = false;
        let task = self.tasks.spawn(connection);
        self.peers.insert(task.id(), peer);
        true
    }

    /// Waits for the next connection to end; forever when there is none.
    pub(super) async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => {
                self.peers.remove(&id);
            }
            Some(Err(error)) => self.panicked(&error),
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended, at most for `time`.
    pub(super) async fn drain(mut self, time: Duration) {
        let all = async {
            while !self.tasks.is_empty() {
                self.ended().await;
            }
        };
        if tokio::time::timeout(time, all).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "RTMP connections did not end in time");
        }
    }

    fn panicked(&mut self, error: &JoinError) {
        let peer = self.peers.remove(&error.id());
        self.panics += 1;
        tracing::error!(?peer, %error, panics = self.panics, "an RTMP session panicked; others go on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        ([127, 0, 0, 1], 1).into()
    }

    #[tokio::test]
    async fn a_panic_ends_its_connection_alone() {
        let mut connections = Connections::new(2);
        let (send, receive) = tokio::sync::oneshot::channel();
        connections.begin(peer(), async { panic!("a bug") });
        connections.ended().await;
        assert_eq!((connections.panics, connections.peers.len()), (1, 0));
        connections.begin(peer(), async { send.send(()).expect("somebody waits") });
        connections.ended().await;
        assert_eq!(receive.await, Ok(()));
    }

    #[tokio::test]
    async fn more_than_the_limit_are_dropped() {
        let mut connections = Connections::new(1);
        connections.begin(peer(), std::future::pending());
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        connections.begin(peer(), async { drop(send) });
        assert!(receive.await.is_err());
        assert_eq!(connections.tasks.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn draining_gives_up_in_time() {
        let mut connections = Connections::new(1);
        connections.begin(peer(), std::future::pending());
        connections.drain(Duration::from_secs(3)).await;
    }
}
