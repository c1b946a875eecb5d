//! A socket that gives up on a peer who keeps us waiting: for a header, for a request, or to take an answer.
//!
//! `hyper` has a timeout for HTTP/1.1 headers alone: none while it finds out which HTTP is spoken, none for a
//! peer who takes nothing, and none for idle HTTP/2. Here all of them are in one place, below HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activity::{Activity, Waiting};
use crate::patience::Patience;
use crate::settings::Settings;

/// `Io` with patience.
pub(crate) struct Timed<Io> {
    io: Io,
    settings: Arc<Settings>,
    activity: Arc<Activity>,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
    /// Since when a write waits for the peer, while `write_timer` runs.
    blocked: Option<Instant>,
    patience: Patience,
    /// When the peer last took something for which it had kept us waiting.
    unblocked: Instant,
}

/// Why a peer was given up on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum GivenUp {
    /// The head of a request did not come.
    #[error("no whole request in time")]
    Header,
    /// No further request came.
    #[error("no further request")]
    Idle,
    /// An answer was not taken, or far too slowly.
    #[error("takes its answer too slowly")]
    Reader,
}

impl From<GivenUp> for io::Error {
    fn from(why: GivenUp) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

impl<Io> Timed<Io> {
    pub(crate) fn new(io: Io, settings: Arc<Settings>, activity: Arc<Activity>) -> Timed<Io> {
        let now = Instant::now();
        let timer = || Box::pin(sleep_until(now));
        let (read_timer, write_timer) = (timer(), timer());
        let patience = Patience::new(&settings);
        Timed { io, settings, activity, read_timer, write_timer, blocked: None, patience, unblocked: now }
    }

    /// When patience ends if nothing more happens, and with what.
    ///
    /// Requests end when their last byte is handed over, not when the peer has it: while a write waits, that
    /// is what counts, and afterwards the peer begins anew.
    fn patience(&self) -> (Instant, GivenUp) {
        let now = Instant::now();
        match self.activity.waiting() {
            // Somebody else limits these; look again some time.
            _ if self.blocked.is_some() => (now + self.settings.write_timeout, GivenUp::Reader),
            Waiting::Answer => (now + self.settings.idle_timeout, GivenUp::Idle),
            Waiting::Header(begun) => {
                (begun.max(self.unblocked) + self.settings.header_timeout, GivenUp::Header)
            }
            Waiting::Request(since) => {
                (since.max(self.unblocked) + self.settings.idle_timeout, GivenUp::Idle)
            }
            Waiting::Reader(since) => (self.patience.end(since), GivenUp::Reader),
        }
    }

    /// Ready when the peer has kept us waiting for too long. A timer that is early only asks again.
    fn poll_impatient(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let (patience, why) = self.patience();
            if patience <= Instant::now() {
                return Poll::Ready(self.give_up(why));
            }
            if self.read_timer.is_elapsed() || self.read_timer.deadline() > patience {
                self.read_timer.as_mut().reset(patience);
            }
            ready!(self.read_timer.as_mut().poll(cx));
        }
    }

    /// The result of a write, or of waiting too long for one.
    fn poll_taken(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(taken) = &result {
            self.note_taken(*taken.as_ref().unwrap_or(&0));
            return result;
        }
        if self.blocked.is_none() {
            let now = Instant::now();
            self.blocked = Some(now);
            let end = self.patience.end(now);
            self.write_timer.as_mut().reset(end);
        }
        ready!(self.write_timer.as_mut().poll(cx));
        Poll::Ready(Err(self.give_up(GivenUp::Reader)))
    }

    fn give_up(&self, why: GivenUp) -> io::Error {
        self.activity.give_up(why);
        why.into()
    }

    fn note_taken(&mut self, bytes: usize) {
        let held = match self.activity.waiting() {
            Waiting::Reader(since) => Some(since),
            _ => None,
        };
        let blocked = self.blocked.take();
        self.patience.taken(bytes, blocked.or(held));
        if blocked.is_some() {
            self.unblocked = Instant::now();
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Timed<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        if result.is_pending() {
            return self.poll_impatient(cx).map(Err);
        }
        if buf.filled().len() > before {
            self.activity.received();
        }
        result
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Timed<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.poll_taken(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.poll_taken(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Flushing a socket takes nothing off our hands, but TLS keeps bytes that were taken, and they go now or never.
        let result = Pin::new(&mut self.io).poll_flush(cx);
        if result.is_pending() {
            return self.poll_taken(cx, Poll::Pending).map_ok(|_| ());
        }
        if self.blocked.is_some() {
            self.note_taken(0);
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx).map_ok(|()| 0);
        self.poll_taken(cx, result).map_ok(|_| ())
    }
}
