//! Transport streams over TCP: a peer that is connected to, or one that connects.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use address::input::Host;
use stream::{Ended, Protocol};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::connect::addresses;
use super::feed::Feed;
use super::task::{End, Task};

/// What is read at once.
const READ: usize = 64 << 10;
/// A sender that was silent for so long makes room for another.
const STALE: Duration = Duration::from_secs(1);

/// Connects, and takes what comes until it ends.
pub(super) async fn connect(task: &Task, host: &Host) -> End {
    let until = Instant::now() + task.shared.settings.connect_timeout;
    let addresses = match addresses(task, host, until).await {
        Ok(addresses) => addresses,
        Err(why) => return End::Failed(why),
    };
    let mut why = String::new();
    for address in addresses {
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                task.wait_for(format!("connected to {address}, which sends nothing yet"));
                let over = Sender::new(task, socket, address).run(None).await;
                return over.end;
            }
            Ok(Err(error)) => why = format!("cannot connect to {address}: {error}"),
            Err(_) => return End::Failed(format!("{address} does not answer")),
        }
    }
    End::Failed(why)
}

/// Waits for senders, and takes what they send, one at a time.
pub(super) async fn listen(task: &Task, address: SocketAddr) -> End {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => return End::Failed(format!("cannot listen on {address}: {error}")),
    };
    task.wait_for(format!("no sender is connected to {address}"));
    let mut next = None;
    loop {
        let (socket, peer) = match next.take() {
            Some(accepted) => accepted,
            None => match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => return End::Failed(format!("cannot accept on {address}: {error}")),
            },
        };
        let over = Sender::new(task, socket, peer).run(Some(&listener)).await;
        next = over.newcomer;
        match over.end {
            End::Failed(why) if over.was_on_air => task.lost(why),
            End::Failed(_) => task.wait_for(format!("no sender is connected to {address}")),
            end => return end,
        }
    }
}

/// A connection that media comes on.
struct Sender<'t> {
    feed: Feed<'t>,
    socket: TcpStream,
    peer: SocketAddr,
    heard: Instant,
    idle: Duration,
}

/// How it was over.
struct Over {
    end: End,
    was_on_air: bool,
    /// Who came in its place.
    newcomer: Option<(TcpStream, SocketAddr)>,
}

/// What happens next on a connection.
enum Next {
    Read(io::Result<usize>),
    Ended(Ended),
    Newcomer(TcpStream, SocketAddr),
    Time,
}

impl<'t> Sender<'t> {
    fn new(task: &'t Task, socket: TcpStream, peer: SocketAddr) -> Sender<'t> {
        let (feed, idle) = (Feed::new(task, Protocol::Tcp, peer), task.shared.settings.idle);
        Sender { feed, socket, peer, heard: Instant::now(), idle }
    }

    /// Takes what it sends until it ends. Newcomers are turned away, but for one that comes in its place.
    async fn run(mut self, listener: Option<&TcpListener>) -> Over {
        let mut buffer = vec![0; READ];
        let (end, whole, newcomer) = loop {
            match self.next(&mut buffer, listener).await {
                Next::Read(Ok(0)) => break (failed("the sender closed the connection"), true, None),
                Next::Read(Err(error)) => {
                    break (End::Failed(format!("connection lost: {error}")), false, None);
                }
                Next::Read(Ok(length)) => {
                    self.heard = Instant::now();
                    if let Err(end) = self.feed.push(&buffer[..length]).await {
                        break (end, false, None);
                    }
                }
                Next::Ended(ended) => break (End::Ended(ended), false, None),
                Next::Newcomer(socket, peer) if self.makes_room(peer) => {
                    break (failed("another sender took its place"), false, Some((socket, peer)));
                }
                Next::Newcomer(_, peer) => tracing::debug!(%peer, on = %self.peer, "sender turned away"),
                Next::Time => {
                    let why = format!("nothing came from {} for {} s", self.peer, self.idle.as_secs_f64());
                    break (End::Failed(why), false, None);
                }
            }
        };
        let was_on_air = self.feed.is_on_air();
        self.feed.finish(whole, &end.farewell()).await;
        Over { end, was_on_air, newcomer }
    }

    async fn next(&mut self, buffer: &mut [u8], listener: Option<&TcpListener>) -> Next {
        tokio::select! {
            biased;
            ended = self.feed.ended() => Next::Ended(ended),
            read = self.socket.read(buffer) => Next::Read(read),
            (socket, peer) = accepted(listener) => Next::Newcomer(socket, peer),
            () = sleep_until(self.heard + self.idle) => Next::Time,
        }
    }

    /// It comes from the same address, where the first is as good as gone, or the first is silent.
    fn makes_room(&self, newcomer: SocketAddr) -> bool {
        newcomer.ip() == self.peer.ip() || self.heard.elapsed() >= STALE
    }
}

/// The next who connects; nobody where nobody can.
async fn accepted(listener: Option<&TcpListener>) -> (TcpStream, SocketAddr) {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // No file descriptors, as a rule: the one that is on goes on.
            Err(_) => tokio::time::sleep(STALE).await,
        }
    }
}

fn failed(why: &str) -> End {
    End::Failed(why.to_owned())
}
