//! The publisher of a stream, as its owner knows it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use packager::FeedId;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::health::Probe;
use crate::link::Board;
use crate::{Ended, Input, Peer, Publication, Takeover};

/// Inputs that may wait for the owner before the publisher has to.
const INPUTS: usize = 256;
/// A publisher silent for this long may be pushed out (`stream.takeover = "stale"`).
const STALE: Duration = Duration::from_secs(1);
/// For so long after a healthy publisher was pushed out by one from its own address, the newcomer stays: two encoders
/// that both try again would take the stream from each other all the time.
const SETTLE: Duration = Duration::from_secs(60);

pub(super) struct Publisher {
    /// Its push, as the packager knows it.
    pub(super) feed: FeedId,
    /// The rendition of a switching set that it names.
    pub(super) rendition: Option<Arc<str>>,
    pub(super) peer: Peer,
    pub(super) inputs: mpsc::Receiver<Input>,
    ended: watch::Sender<Option<Ended>>,
    farewell: Arc<OnceLock<String>>,
    leaves: Arc<AtomicBool>,
    heard: Instant,
    /// When it pushed a healthy one out.
    pushed: Option<Instant>,
    probe: Arc<Mutex<Probe>>,
}

impl Publisher {
    /// One that begins now, and its own end.
    pub(super) fn new(
        feed: FeedId,
        rendition: Option<Arc<str>>,
        peer: Peer,
        pushed: Option<Instant>,
        (probe, board): (Arc<Mutex<Probe>>, Board),
    ) -> (Publisher, Publication) {
        let (sender, inputs) = mpsc::channel(INPUTS);
        let (ended, watcher) = watch::channel(None);
        let (farewell, leaves) = <(Arc<OnceLock<String>>, Arc<AtomicBool>)>::default();
        let publication = Publication {
            inputs: sender,
            ended: watcher,
            farewell: farewell.clone(),
            leaves: leaves.clone(),
            board,
        };
        let heard = Instant::now();
        let publisher =
            Publisher { feed, rendition, peer, inputs, ended, farewell, leaves, heard, pushed, probe };
        (publisher, publication)
    }

    /// Tells it that it has to go.
    pub(super) fn cut(&self, why: Ended) {
        self.ended.send_replace(Some(why));
    }

    /// Whether it leaves by itself when it is asked to.
    pub(super) fn leaves_when_asked(&self) -> bool {
        self.leaves.load(Ordering::Acquire)
    }

    /// Why it left, as it said itself.
    pub(super) fn farewell(&self) -> String {
        self.farewell.get().cloned().unwrap_or_else(|| "the encoder left".to_owned())
    }

    /// Takes note of an input before it is packaged.
    pub(super) fn note(&mut self, input: &Input) {
        self.heard = Instant::now();
        let now = self.heard.into_std();
        // Counters, whole at every step: a panic elsewhere cannot have broken them.
        let mut probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        match input {
            Input::Announce { .. } | Input::Metadata { .. } => {}
            Input::Track { id, track } => probe.track(*id, track, now),
            Input::Sample { id, sample } => probe.sample(*id, sample, now),
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        !self.inputs.is_closed() && self.heard.elapsed() < STALE
    }

    /// Whether it makes room for a newcomer.
    pub(super) fn gives_way(&self, newcomer: Peer, takeover: Takeover) -> bool {
        let gone = self.inputs.is_closed();
        let settles = self.pushed.is_some_and(|pushed| pushed.elapsed() < SETTLE);
        let same = self.peer.address.ip() == newcomer.address.ip();
        gone || match takeover {
            Takeover::Always => true,
            Takeover::Never => false,
            Takeover::Stale => !self.is_healthy() || (same && !settles),
        }
    }
}
