//! What becomes of a target, for whoever asks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use media::WallTime;

/// The bitrate is measured over so long.
const WINDOW: Duration = Duration::from_secs(5);

/// Where a target stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum State {
    /// Switched off.
    #[default]
    Off,
    /// The entry is not live, or has not what is to be sent.
    Waiting,
    /// It is being connected to.
    Connecting,
    /// It is sent the entry.
    Sending,
    /// It could not be reached, or was lost, and is tried again.
    Retrying,
    /// It said no, or must not be sent to; it is tried again ever more rarely.
    Refused,
}

impl State {
    /// Each of them.
    pub const ALL: [State; 6] =
        [State::Off, State::Waiting, State::Connecting, State::Sending, State::Retrying, State::Refused];

    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Off => "off",
            State::Waiting => "waiting",
            State::Connecting => "connecting",
            State::Sending => "sending",
            State::Retrying => "retrying",
            State::Refused => "refused",
        }
    }
}

/// How a target does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: WallTime,
    /// What went wrong last, in words; nothing since it is sent to without fault.
    pub error: Option<String>,
    /// Attempts to connect since it was switched on.
    pub attempts: u64,
    /// When it is tried again.
    pub next_attempt: Option<WallTime>,
    /// The renditions that it is sent.
    pub renditions: Vec<Arc<str>>,
    /// Bytes that it took since it was switched on.
    pub bytes: u64,
    /// Frames that it was sent.
    pub frames: u64,
    /// Frames that were left out because it was too slow.
    pub skipped: u64,
    /// How far it is behind what there is.
    pub behind: Duration,
    /// Bits per second that it takes now.
    pub bitrate: u64,
}

impl Default for Status {
    fn default() -> Status {
        Status {
            state: State::Off,
            since: now(),
            error: None,
            attempts: 0,
            next_attempt: None,
            renditions: Vec::new(),
            bytes: 0,
            frames: 0,
            skipped: 0,
            behind: Duration::ZERO,
            bitrate: 0,
        }
    }
}

/// Where a target's status is kept.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    status: Status,
    /// When how many bytes had been taken.
    taken: VecDeque<(Instant, u64)>,
}

impl Board {
    pub(crate) fn read(&self) -> Status {
        let mut kept = self.kept();
        kept.measure(Instant::now());
        kept.status.clone()
    }

    pub(crate) fn state(&self) -> State {
        self.kept().status.state
    }

    /// Another state; the same again leaves its time.
    pub(crate) fn turn(&self, state: State) {
        self.change(|status| {
            if status.state != state {
                (status.state, status.since) = (state, now());
            }
            if state != State::Retrying && state != State::Refused {
                status.next_attempt = None;
            }
            if state != State::Sending {
                status.behind = Duration::ZERO;
                status.renditions = Vec::new();
            }
        });
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.kept().status);
    }

    /// The target took so many bytes.
    pub(crate) fn took(&self, bytes: u64) {
        let mut kept = self.kept();
        kept.status.bytes += bytes;
        let entry = (Instant::now(), kept.status.bytes);
        kept.taken.push_back(entry);
        kept.measure(entry.0);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn measure(&mut self, now: Instant) {
        while let Some((at, _)) = self.taken.front()
            && (now.saturating_duration_since(*at) > WINDOW || self.taken.len() > 1000)
        {
            self.taken.pop_front();
        }
        let since = self.taken.front().copied().filter(|_| self.taken.len() > 1);
        self.status.bitrate = since.map_or(0, |(at, before)| {
            let millis = now.saturating_duration_since(at).as_millis().max(500) as u64;
            (self.status.bytes - before).saturating_mul(8000) / millis
        });
    }
}

pub(crate) fn now() -> WallTime {
    WallTime::from(SystemTime::now())
}
