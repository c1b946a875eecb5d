//! How an input does: its task writes, anybody reads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use media::WallTime;
use stream::Link;
use tokio::time::Instant;

use crate::ts;

/// Where an input stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum State {
    /// It does not run.
    #[default]
    Off,
    /// It calls, or opens a port.
    Connecting,
    /// It is on air.
    Running,
    /// It could run and waits: for a sender, for media, for its entry's time.
    Waiting,
    /// A try failed; it will be tried again.
    Failed,
}

/// How an input does.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: WallTime,
    /// What it waits for, or why it failed last; `None` once it runs.
    pub error: Option<String>,
    /// How often it called or opened its port since it runs or was changed.
    pub attempts: u64,
    /// When it is tried again.
    pub next_attempt: Option<WallTime>,
    /// The sender that it takes media from, or took it from last.
    pub peer: Option<SocketAddr>,
    /// Bytes that came since it runs or was changed.
    pub bytes: u64,
    /// Bits a second while it is on air.
    pub bitrate: u64,
    /// Datagrams, of inputs that receive these.
    pub datagrams: Option<Datagrams>,
    /// How the network to the sender does, or did, where SRT measures it.
    pub link: Option<Link>,
    /// What the transport stream was like since it went on air last.
    pub ts: ts::Counters,
}

/// What came of datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Datagrams {
    /// That were received.
    pub received: u64,
    /// That the kernel had no room for.
    pub dropped: u64,
    /// From another sender than the one that is on.
    pub foreign: u64,
    /// RTP packets that came late or twice, and datagrams larger than any network carries.
    pub unusable: u64,
}

/// Bytes are counted for so long to say how many a second.
const RATE: Duration = Duration::from_secs(1);

/// The place where a status is written. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Board(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    status: Status,
    /// Since when bytes are counted, and how many.
    rate: (Instant, u64),
}

impl Board {
    pub(super) fn new() -> Board {
        let status = Status {
            state: State::Off,
            since: now(),
            error: None,
            attempts: 0,
            next_attempt: None,
            peer: None,
            bytes: 0,
            bitrate: 0,
            datagrams: None,
            link: None,
            ts: ts::Counters::default(),
        };
        Board(Arc::new(Mutex::new(Inner { status, rate: (Instant::now(), 0) })))
    }

    pub(super) fn status(&self) -> Status {
        self.inner().status.clone()
    }

    /// Stands there from now on, if it did not before.
    pub(super) fn stand(&self, state: State, error: Option<String>) {
        let mut inner = self.inner();
        let status = &mut inner.status;
        if status.state != state {
            (status.state, status.since) = (state, now());
        }
        (status.error, status.next_attempt) = (error, None);
        if state != State::Running {
            status.bitrate = 0;
        }
    }

    /// A try begins. Why the last one failed is still of interest.
    pub(super) fn attempt(&self) {
        let error = self.inner().status.error.take();
        self.stand(State::Connecting, error);
        self.inner().status.attempts += 1;
    }

    /// It failed, and is tried again after a pause.
    pub(super) fn failed(&self, why: String, pause: Duration) {
        self.stand(State::Failed, Some(why));
        self.inner().status.next_attempt = Some((SystemTime::now() + pause).into());
    }

    /// On air, with media of this peer.
    pub(super) fn running(&self, peer: SocketAddr) {
        self.stand(State::Running, None);
        let mut inner = self.inner();
        inner.status.peer = Some(peer);
        inner.rate = (Instant::now(), 0);
    }

    /// Media came.
    pub(super) fn received(&self, bytes: usize, ts: ts::Counters) {
        let mut inner = self.inner();
        let (since, count) = inner.rate;
        let (elapsed, count) = (since.elapsed(), count + bytes as u64);
        inner.rate.1 = count;
        if elapsed >= RATE {
            inner.rate = (Instant::now(), 0);
            if inner.status.state == State::Running {
                inner.status.bitrate = (count as f64 * 8.0 / elapsed.as_secs_f64()) as u64;
            }
        }
        inner.status.bytes += bytes as u64;
        inner.status.ts = ts;
    }

    pub(super) fn datagrams(&self, datagrams: Datagrams) {
        self.inner().status.datagrams = Some(datagrams);
    }

    pub(super) fn measured(&self, link: Link) {
        self.inner().status.link = Some(link);
    }

    // Plain numbers, whole at every step: a panic elsewhere cannot have broken them.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A short word for metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Off => "off",
            State::Connecting => "connecting",
            State::Running => "running",
            State::Waiting => "waiting",
            State::Failed => "failed",
        }
    }
}

fn now() -> WallTime {
    SystemTime::now().into()
}
