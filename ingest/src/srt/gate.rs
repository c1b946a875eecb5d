//! Whether a caller comes in, decided in its handshake.
//!
//! libsrt asks in the thread that receives for all connections of the port. Admission is in memory and answers at once;
//! what it wants to wait with is a guess too many. The stream's owner answers in less time than a packet's latency, or
//! is not waited for.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use srt::{Accept, Ask, Decide, Passphrase, Rejection};
use stream::{Admit, Directory, Protocol, Refusal, Refusals, Request};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::holds::Holds;
use super::stream_id::{self, StreamId};
use super::{Limits, Metrics};

pub(super) struct Gate {
    admit: Arc<dyn Admit>,
    directory: Directory,
    limits: Limits,
    connections: usize,
    holds: Holds,
    refusals: Arc<Refusals>,
    runtime: Handle,
    shutdown: CancellationToken,
}

/// Why a caller does not come in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error("{0} connections are open (srt.max_connections)")]
    Full(usize),
    #[error("too many wrong stream keys from there; try again in a few seconds")]
    Guesses,
    #[error("{0}")]
    StreamId(#[from] stream_id::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("the passphrase of the entry is not 10 to 79 bytes")]
    Passphrase,
}

impl Reason {
    /// A short word for metrics and logs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Reason::Full(_) => "full",
            Reason::Guesses => "guesses",
            Reason::StreamId(stream_id::Error::Mode) => "mode",
            Reason::StreamId(_) => "stream-id",
            Reason::Refused(refusal) => refusal.reason(),
            Reason::Passphrase => "failed",
        }
    }

    /// What the handshake says.
    fn code(&self) -> Rejection {
        /// `SRT_REJX_NOTSUP_MEDIA` of the access control guidelines.
        const TYPE: i32 = 1415;
        match self {
            Reason::Full(_) | Reason::Guesses => Rejection::OVERLOAD,
            Reason::StreamId(stream_id::Error::Mode) => Rejection::BAD_MODE,
            Reason::StreamId(stream_id::Error::Type) => Rejection::of_code(TYPE),
            Reason::StreamId(_) => Rejection::BAD_REQUEST,
            Reason::Refused(refusal) => code(refusal),
            Reason::Passphrase => Rejection::INTERNAL,
        }
    }
}

fn code(refusal: &Refusal) -> Rejection {
    match refusal {
        Refusal::UnknownKey => Rejection::UNAUTHORIZED,
        Refusal::Busy { .. } => Rejection::CONFLICT,
        Refusal::Full { .. } | Refusal::Quota { .. } => Rejection::OVERLOAD,
        Refusal::NotNow { .. } | Refusal::Ended => Rejection::FORBIDDEN,
        Refusal::Unsupported(_) => Rejection::UNIMPLEMENTED,
        Refusal::ShuttingDown => Rejection::DOWN,
        Refusal::Failed => Rejection::INTERNAL,
    }
}

impl Gate {
    /// Decides on the threads of the runtime that this is called in.
    pub(super) fn new(
        (admit, directory): (Arc<dyn Admit>, Directory),
        limits: Limits,
        connections: usize,
        metrics: &Metrics,
        shutdown: CancellationToken,
    ) -> Gate {
        Gate {
            admit,
            directory,
            limits,
            connections,
            holds: Holds::new(limits.hold, limits.holds),
            refusals: metrics.refusals.clone(),
            runtime: Handle::current(),
            shutdown,
        }
    }

    fn ask(&self, ask: &Ask<'_>) -> Result<Accept, Reason> {
        if self.shutdown.is_cancelled() {
            return Err(Refusal::ShuttingDown.into());
        }
        if ask.is_full {
            return Err(Reason::Full(self.connections));
        }
        let request = request(ask.stream_id, ask.peer)?;
        if self.holds.holds(ask.peer.ip(), &request.name, Instant::now()) {
            return Err(Reason::Guesses);
        }
        self.admit(&request)?;
        self.holds.know(ask.peer.ip(), &request.name);
        let passphrase = self.admit.passphrase(&request).map(|text| Passphrase::parse(&text)).transpose();
        Ok(Accept { passphrase: passphrase.map_err(|_| Reason::Passphrase)? })
    }

    fn admit(&self, request: &Request) -> Result<(), Reason> {
        // What it waits with are timers.
        let _entered = self.runtime.enter();
        let mut deciding = pin!(self.admit.admit(request));
        let decided = match deciding.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(decided) => decided,
            Poll::Pending => {
                self.holds.hold(request.peer.ip(), Instant::now());
                Err(Refusal::UnknownKey)
            }
        };
        let foreseeing = timeout(self.limits.decision, self.directory.foresee(decided, request));
        // Who is not decided about in time is decided about when the connection stands.
        Ok(self.runtime.block_on(foreseeing).unwrap_or(Ok(()))?)
    }
}

/// What a caller asks for.
pub(super) fn request(stream_id: &[u8], peer: SocketAddr) -> Result<Request, stream_id::Error> {
    let StreamId { leg, key } = StreamId::parse(stream_id)?;
    Ok(Request { protocol: Protocol::Srt, leg, name: key.into_secret(), peer })
}

impl Decide for Gate {
    fn decide(&self, ask: &Ask<'_>) -> Result<Accept, Rejection> {
        self.ask(ask).map_err(|reason| {
            self.refusals.warn(Some(ask.peer), reason.word(), &reason);
            reason.code()
        })
    }

    fn missed(&self, peer: SocketAddr, _: &[u8], encrypted: bool) {
        let (word, why) = if encrypted {
            (
                "passphrase",
                "no passphrase, or a wrong one, where the entry has one; or the handshake broke off",
            )
        } else {
            ("encrypted", "a passphrase where the entry has none; or the handshake broke off")
        };
        self.refusals.warn(Some(peer), word, &why);
    }
}
