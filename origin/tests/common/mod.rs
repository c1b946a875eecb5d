//! What the tests of the origin share: presentations made by hand, a source of them, a server, a tiny client.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod client;
pub(crate) mod depot;
pub(crate) mod shelf;

use std::net::SocketAddr;
use std::sync::Arc;

use origin::{Server, Settings};
use stream::NoStorage;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use shelf::Shelf;

/// A server on a port of its own, in this runtime.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn serve(shelf: Arc<Shelf>) -> Running {
    serve_with(Settings::default(), shelf).await
}

pub(crate) async fn serve_with(settings: Settings, shelf: Arc<Shelf>) -> Running {
    run(Server::new(settings, shelf, Arc::new(NoStorage))).await
}

pub(crate) async fn run(server: Server) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(server.serve(listener, shutdown.clone()));
    Running { address, shutdown, task }
}
