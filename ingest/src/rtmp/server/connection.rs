//! One connection: its socket, its session, and its publications while they are on air.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use stream::directory::Entered;
use stream::{Ended, Leg, Protocol, Publication, Refusal, Request};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::rtmp::session::{self, Counters, Event, Fault, PublishRequest, Session};

/// What a peer may send at once before it publishes, and while it does.
const READ: (usize, usize) = (4 << 10, 64 << 10);
/// How long a peer that was told why may take to close.
const LINGER: Duration = Duration::from_secs(1);
/// What a publisher is told that can be asked to come back.
const COME_BACK: &str = "the server is shutting down: connect again";

/// `Io` is the socket, in clear or below TLS.
pub(super) struct Connection<Io> {
    server: Arc<Server>,
    socket: Io,
    protocol: Protocol,
    peer: SocketAddr,
    session: Session,
    buffer: Vec<u8>,
    /// So much of the buffer came while it was decided whether the peer may publish.
    early: usize,
    on_air: Vec<OnAir>,
    /// By when it is to leave that was asked to connect again.
    leaves: Option<Instant>,
}

/// A publication, and what to say about it when it ends.
struct OnAir {
    /// The message stream that it comes on.
    stream_id: u32,
    publication: Publication,
    /// Resolves when the server ends the publication.
    ended: Pin<Box<dyn Future<Output = Ended> + Send + Sync>>,
    entry: Arc<str>,
    leg: Leg,
    since: Instant,
    before: Counters,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("connection closed by peer")]
    Closed,
    #[error("connection lost: {0}")]
    Lost(#[from] io::Error),
    #[error("peer does not read its answers")]
    Stuck,
    #[error("not decided in time whether it may publish")]
    Undecided,
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Ended(#[from] Ended),
    #[error("{0}")]
    Fault(#[from] session::Error),
}

impl Reason {
    /// A short word where the server ends the connection for what the peer did or wants.
    fn word(&self) -> Option<&'static str> {
        match self {
            Reason::Closed | Reason::Lost(_) | Reason::Ended(_) => None,
            Reason::Stuck => Some("stuck"),
            Reason::Undecided => Some("undecided"),
            Reason::Refused(refusal) => Some(refusal.reason()),
            Reason::Fault(error) => Some(error.fault.word()),
        }
    }

    /// Whether somebody misses a picture now.
    fn is_about_a_publisher(&self) -> bool {
        match self {
            Reason::Fault(error) => !matches!(error.fault, Fault::Handshake(_) | Fault::Slow { .. }),
            _ => true,
        }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Connection<Io> {
    /// In a place of its own: a task that hands it around by value would hold it several times.
    pub(super) fn new(
        server: Arc<Server>,
        socket: Io,
        protocol: Protocol,
        peer: SocketAddr,
    ) -> Box<Connection<Io>> {
        let session = Session::new(server.settings.limits, Instant::now());
        Box::new(Connection {
            server,
            socket,
            protocol,
            peer,
            session,
            buffer: vec![0; READ.0],
            early: 0,
            on_air: Vec::new(),
            leaves: None,
        })
    }

    pub(super) async fn run(mut self: Box<Self>, shutdown: &CancellationToken) {
        let reason = match self.talk(shutdown).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        };
        if let Reason::Ended(ended) = &reason {
            // Who is on air until he follows the request is not told that anything failed.
            if *ended != Ended::ShuttingDown || !self.ask_to_leave() {
                self.session.end_all(&ended.to_string());
            }
        }
        self.report(&reason);
        self.close(&reason).await;
    }

    async fn talk(&mut self, shutdown: &CancellationToken) -> Result<std::convert::Infallible, Reason> {
        // These live through the loop: to make and drop them for every message would cost more than the message.
        let mut shutdown = pin!(shutdown.cancelled());
        let mut timer = pin!(sleep_until(self.session.deadline().into()));
        loop {
            if self.early > 0 {
                let length = std::mem::take(&mut self.early);
                self.handle(length).await?;
            }
            if self.leaves.is_some() && self.on_air.is_empty() {
                return Err(Ended::ShuttingDown.into());
            }
            let deadline = self.deadline().into();
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            let read = tokio::select! {
                biased;
                () = shutdown.as_mut(), if self.leaves.is_none() => {
                    if !self.ask_to_leave() {
                        return Err(Ended::ShuttingDown.into());
                    }
                    self.send().await?;
                    continue;
                }
                (stream_id, ended) = ended(&mut self.on_air) => {
                    self.ended(stream_id, ended).await?;
                    continue;
                }
                read = self.socket.read(&mut self.buffer) => Some(read?),
                () = timer.as_mut() => None,
            };
            match read {
                Some(0) => return Err(Reason::Closed),
                Some(length) => self.handle(length).await?,
                None => {
                    let now = Instant::now();
                    if self.leaves.is_some_and(|by| by <= now) {
                        return Err(Ended::ShuttingDown.into());
                    }
                    self.session.handle_timeout(now)?;
                    timer.as_mut().reset(self.deadline().into());
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        let own = self.session.deadline();
        self.leaves.map_or(own, |by| own.min(by))
    }

    /// Asks a publisher to connect again, once. Says whether it is one that can be asked.
    fn ask_to_leave(&mut self) -> bool {
        if self.leaves.is_none() && self.session.ask_to_reconnect(COME_BACK) {
            let within = self.server.settings.limits.reconnect;
            tracing::info!(peer = %self.peer, ?within, "asked an RTMP publisher to connect again");
            self.leaves = Some(Instant::now() + within);
        }
        self.leaves.is_some()
    }

    /// What came before a fault still counts, and answers go out before the connection ends.
    async fn handle(&mut self, length: usize) -> Result<(), Reason> {
        self.server.metrics.bytes.inc_by(length as u64);
        let handled = self.session.handle(&self.buffer[..length], Instant::now());
        while let Some(event) = self.session.poll_event() {
            self.act(event).await?;
        }
        self.send().await?;
        Ok(handled?)
    }

    async fn act(&mut self, event: Event) -> Result<(), Reason> {
        match event {
            Event::Publish(request) => self.publish(request).await?,
            Event::Input(stream_id, input) => {
                let Some(on_air) = self.on_air.iter().find(|it| it.stream_id == stream_id) else {
                    return Ok(());
                };
                if let Err(ended) = on_air.publication.send(input).await {
                    self.ended(stream_id, ended).await?;
                }
            }
            Event::Unpublish(stream_id, counters) => self.leave(stream_id, counters, "unpublished"),
        }
        Ok(())
    }

    /// The server ended a publication: the connection too, if it was the last one.
    async fn ended(&mut self, stream_id: u32, why: Ended) -> Result<(), Reason> {
        if self.on_air.len() < 2 {
            return Err(Reason::Ended(why));
        }
        let why = why.to_string();
        self.off_air(stream_id, &why);
        self.session.end(stream_id, &why);
        self.send().await
    }

    async fn publish(&mut self, request: PublishRequest) -> Result<(), Reason> {
        let (stream_id, name) = (request.stream_id, request.key.into_secret());
        let request = Request { protocol: self.protocol, leg: request.leg, name, peer: self.peer };
        let server = self.server.clone();
        if self.leaves.is_some() {
            self.session.refuse(stream_id, &Refusal::ShuttingDown.to_string());
            return Ok(());
        }
        let entering = server.directory.enter(&*server.admit, &request);
        let entered = tokio::select! {
            biased;
            decided = timeout(server.settings.limits.setup, entering) => match decided {
                Ok(entered) => entered.map_err(Reason::Refused),
                Err(_) => Err(Reason::Undecided),
            },
            left = self.left() => return Err(left),
        };
        match entered {
            Ok(entered) => self.go_on_air(stream_id, entered),
            Err(why) => {
                self.session.refuse(stream_id, &why.to_string());
                // What else it publishes goes on.
                if self.on_air.is_empty() {
                    return Err(why);
                }
                self.tell(&why);
            }
        }
        Ok(())
    }

    fn go_on_air(&mut self, stream_id: u32, Entered { entry, leg, publication }: Entered) {
        tracing::info!(peer = %self.peer, protocol = self.protocol.as_str(), %entry, ?leg, "RTMP publishing");
        self.session.accept(stream_id);
        if self.session.reconnects() {
            publication.leaves_when_asked();
        }
        let (ended, before) = (Box::pin(publication.ended()), self.session.counters_of(stream_id));
        let since = Instant::now();
        self.on_air.push(OnAir { stream_id, publication, ended, entry, leg, since, before });
        self.buffer.resize(READ.1, 0);
    }

    /// Why the peer is not there any more, if it goes; what it sends meanwhile is kept as long as there is room. Who
    /// does not wait for the answer to a wrong key, which may be held back, gives his place free.
    async fn left(&mut self) -> Reason {
        while self.early < self.buffer.len() {
            match self.socket.read(&mut self.buffer[self.early..]).await {
                Ok(0) => return Reason::Closed,
                Ok(length) => self.early += length,
                Err(error) => return error.into(),
            }
        }
        std::future::pending().await
    }

    /// Lets the stream go, and says how it went.
    fn off_air(&mut self, stream_id: u32, reason: &str) {
        self.leave(stream_id, self.session.counters_of(stream_id), reason);
    }

    /// The same of one of which the session knows no more than that so much came.
    fn leave(&mut self, stream_id: u32, counters: Counters, reason: &str) {
        let Some(at) = self.on_air.iter().position(|it| it.stream_id == stream_id) else { return };
        let on_air = self.on_air.remove(at);
        let came = counters.since(on_air.before);
        tracing::info!(
            peer = %self.peer, entry = %on_air.entry, leg = ?on_air.leg, reason,
            seconds = on_air.since.elapsed().as_secs_f64(), bytes = came.bytes,
            video = came.video, audio = came.audio,
            unconfigured = came.unconfigured, enhanced = came.enhanced,
            ignored = came.ignored, aborted = came.aborted,
            "RTMP publishing ended"
        );
        on_air.publication.leave(reason);
    }

    fn report(&mut self, reason: &Reason) {
        self.tell(reason);
        let all: Vec<u32> = self.on_air.iter().map(|it| it.stream_id).collect();
        all.into_iter().for_each(|stream_id| self.off_air(stream_id, &reason.to_string()));
    }

    /// Who leaves by himself is no more than a passer-by; who is turned away or cut is told of.
    fn tell(&self, reason: &Reason) {
        let (refusals, peer) = (&self.server.metrics.refusals, Some(self.peer));
        match reason.word() {
            Some(word) if reason.is_about_a_publisher() => refusals.warn(peer, word, reason),
            Some(word) => refusals.note(peer, word, reason),
            None => tracing::debug!(peer = %self.peer, "RTMP connection ends: {reason}"),
        }
    }

    async fn send(&mut self) -> Result<(), Reason> {
        let Some(bytes) = self.session.poll_transmit() else { return Ok(()) };
        let send = async {
            self.socket.write_all(&bytes).await?;
            // TLS may keep some of it.
            self.socket.flush().await
        };
        let sent = timeout(self.server.settings.limits.write, send).await;
        Ok(sent.map_err(|_| Reason::Stuck)??)
    }

    /// Sends what is left. A peer that still sends would lose it to a reset, so it is heard out for a moment.
    async fn close(mut self: Box<Self>, reason: &Reason) {
        if matches!(reason, Reason::Closed | Reason::Lost(_) | Reason::Stuck) {
            return;
        }
        let farewell = async {
            self.send().await?;
            self.socket.shutdown().await?;
            while self.socket.read(&mut self.buffer).await? > 0 {}
            Ok::<(), Reason>(())
        };
        let _ = timeout(LINGER, farewell).await;
    }
}

/// Resolves when the server ends one of them.
async fn ended(on_air: &mut [OnAir]) -> (u32, Ended) {
    poll_fn(|context| {
        let ready = on_air.iter_mut().find_map(|it| match it.ended.as_mut().poll(context) {
            Poll::Ready(ended) => Some((it.stream_id, ended)),
            Poll::Pending => None,
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
