//! A socket that gives up on a peer who keeps us waiting: for a header, for a request, or to take an answer.
//!
//! `hyper` has a timeout for HTTP/1.1 headers alone: none while it finds out which HTTP is spoken, none for a
//! peer who takes nothing, and none for idle HTTP/2. Here all of them are in one place, below HTTP.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::activity::{Activity, Waiting};
use crate::settings::Settings;

/// `Io` with patience.
pub(crate) struct Timed<Io> {
    io: Io,
    settings: Arc<Settings>,
    activity: Arc<Activity>,
    read_timer: Pin<Box<Sleep>>,
    write_timer: Pin<Box<Sleep>>,
    /// Whether a write waits for the peer, and `write_timer` runs.
    blocked: bool,
    /// When the peer last took something.
    written: Instant,
    /// When it last took something for which it had kept us waiting.
    unblocked: Instant,
}

impl<Io> Timed<Io> {
    pub(crate) fn new(io: Io, settings: Arc<Settings>, activity: Arc<Activity>) -> Timed<Io> {
        let now = Instant::now();
        let timer = || Box::pin(sleep_until(now));
        let (read_timer, write_timer) = (timer(), timer());
        Timed {
            io,
            settings,
            activity,
            read_timer,
            write_timer,
            blocked: false,
            written: now,
            unblocked: now,
        }
    }

    /// When patience ends if nothing more happens.
    ///
    /// Requests end when their last byte is handed over, not when the peer has it: while a write waits, that
    /// is what counts, and afterwards the peer begins anew.
    fn patience(&self) -> Instant {
        match self.activity.waiting() {
            // Somebody else limits these; look again some time.
            _ if self.blocked => Instant::now() + self.settings.write_timeout,
            Waiting::Answer => Instant::now() + self.settings.idle_timeout,
            Waiting::Header(begun) => begun.max(self.unblocked) + self.settings.header_timeout,
            Waiting::Request(since) => since.max(self.unblocked) + self.settings.idle_timeout,
            Waiting::Reader(since) => since.max(self.written) + self.settings.write_timeout,
        }
    }

    /// Ready when the peer has kept us waiting for too long. A timer that is early only asks again.
    fn poll_impatient(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let patience = self.patience();
            if patience <= Instant::now() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            if self.read_timer.is_elapsed() || self.read_timer.deadline() > patience {
                self.read_timer.as_mut().reset(patience);
            }
            ready!(self.read_timer.as_mut().poll(cx));
        }
    }

    /// The result of a write, or of waiting too long for one.
    fn poll_taken<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.written = Instant::now();
            if mem::take(&mut self.blocked) {
                self.unblocked = self.written;
            }
            return result;
        }
        if !self.blocked {
            self.blocked = true;
            self.write_timer.as_mut().reset(Instant::now() + self.settings.write_timeout);
        }
        ready!(self.write_timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
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
        // Flushing a socket takes nothing off our hands, so that it says nothing about the peer.
        let result = Pin::new(&mut self.io).poll_flush(cx);
        if result.is_ready() { result } else { self.poll_taken(cx, result) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.poll_taken(cx, result)
    }
}
