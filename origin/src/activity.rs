//! What a connection is doing: its requests say so, and its socket asks, to know for what it waits.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use crate::timeout::GivenUp;

/// For what a connection waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waiting {
    /// For the header of a request that the peer began to send at this time.
    Header(Instant),
    /// For the next request, since this time.
    Request(Instant),
    /// For the peer to take more of an answer, since this time.
    Reader(Instant),
    /// For an answer to be made.
    Answer,
}

/// Shared by one socket and all requests on it.
pub(crate) struct Activity(Mutex<State>);

struct State {
    /// When the peer began a header that it has not finished. A new connection counts as a header begun.
    header: Option<Instant>,
    /// When the last request ended.
    idle: Instant,
    /// Requests not yet answered to the last byte.
    requests: usize,
    /// Answers of which the transport has not asked for more.
    held: usize,
    /// Since when `held` is more than zero.
    held_since: Instant,
    /// Between requests, HTTP/2 sends frames that begin no header.
    framed: bool,
    given_up: Option<GivenUp>,
}

impl Activity {
    /// A connection accepted now.
    pub(crate) fn new() -> Arc<Activity> {
        let now = Instant::now();
        let (header, framed, given_up) = (Some(now), false, None);
        let state = State { header, idle: now, requests: 0, held: 0, held_since: now, framed, given_up };
        Arc::new(Activity(Mutex::new(state)))
    }

    /// The peer sent something.
    pub(crate) fn received(&self) {
        self.with(|state| {
            if state.requests == 0 && !state.framed {
                state.header.get_or_insert_with(Instant::now);
            }
        });
    }

    /// The header of a request is complete; `framed` for HTTP/2.
    pub(crate) fn request(self: &Arc<Self>, framed: bool) -> Running {
        self.with(|state| {
            state.header = None;
            state.framed |= framed;
            state.requests += 1;
        });
        Running { activity: self.clone(), held: false }
    }

    /// For what it waits.
    pub(crate) fn waiting(&self) -> Waiting {
        self.with(|state| match state.header {
            _ if state.held > 0 => Waiting::Reader(state.held_since),
            _ if state.requests > 0 => Waiting::Answer,
            Some(begun) => Waiting::Header(begun),
            None => Waiting::Request(state.idle),
        })
    }

    /// The peer was given up on. HTTP/2 keeps of an error of its socket no more than the kind.
    pub(crate) fn give_up(&self, why: GivenUp) {
        self.with(|state| state.given_up = Some(why));
    }

    /// Why the peer was given up on, where it was.
    pub(crate) fn given_up(&self) -> Option<GivenUp> {
        self.with(|state| state.given_up)
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        // The state is plain numbers, whole at every step: a panic elsewhere cannot have broken it.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request that is being answered; dropped with the last byte.
pub(crate) struct Running {
    activity: Arc<Activity>,
    held: bool,
}

impl Running {
    /// The answer's body, watched; its bytes are counted as they go.
    pub(crate) fn watch(mut self, body: Body, bytes: Counter) -> Watched {
        self.hold(true);
        Watched { body, bytes, running: self }
    }

    /// Whether the transport holds a piece of the answer, or did not ask for one.
    fn hold(&mut self, held: bool) {
        if self.held == held {
            return;
        }
        self.held = held;
        self.activity.with(|state| match held {
            true => {
                if state.held == 0 {
                    state.held_since = Instant::now();
                }
                state.held += 1;
            }
            false => state.held -= 1,
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hold(false);
        self.activity.with(|state| {
            state.requests -= 1;
            state.idle = Instant::now();
        });
    }
}

/// A body that tells what the transport does with it, and is otherwise what it was.
pub(crate) struct Watched {
    body: Body,
    bytes: Counter,
    running: Running,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        // Once more held since now, or waiting for whoever makes the body.
        self.running.hold(false);
        self.running.hold(frame.is_ready());
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.bytes.inc_by(data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
