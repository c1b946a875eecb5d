//! What happens to streams, for whoever tells others about it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use media::WallTime;
use tokio::sync::broadcast;

use crate::health::{Finding, Verdict};
use crate::{Leg, Peer, Protocol};

/// How many events a listener may fall behind before it loses the oldest.
pub const BACKLOG: usize = 1024;

/// One event, told as it happens.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Of which entry; `None` where a peer named none that there is.
    pub entry: Option<Arc<str>>,
    /// When.
    pub at: WallTime,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A publisher is on.
    PublishStarted {
        /// Which leg it is.
        leg: Leg,
        /// The rendition of a switching set that it names.
        rendition: Option<Arc<str>>,
        /// Where it comes from.
        peer: Peer,
    },
    /// It is gone.
    PublishStopped {
        /// Which leg it was.
        leg: Leg,
        /// The rendition of a switching set that it named.
        rendition: Option<Arc<str>>,
        /// Where it came from.
        peer: Peer,
        /// Why, in words.
        reason: String,
    },
    /// One was turned away.
    PublishRefused {
        /// Which leg its URL named.
        leg: Leg,
        /// Where it comes from.
        peer: Peer,
        /// A short word.
        reason: &'static str,
        /// The same in a sentence.
        text: String,
    },
    /// What the encoder check finds became something else.
    Health {
        /// Of which leg.
        leg: Leg,
        /// Of which rendition of a switching set.
        rendition: Option<Arc<str>>,
        /// Whether it can go on air.
        verdict: Verdict,
        /// What should be known, the worst first.
        findings: Vec<Finding>,
    },
    /// There is something to play, for producers only.
    Preview,
    /// There is something to play, for the public.
    Live,
    /// The session is over. Not told of a preview that goes live: that is [`What::Live`] alone.
    Ended,
}

/// Where events are told. Nobody waits for who listens.
#[derive(Clone, Debug)]
pub(crate) struct Hub(broadcast::Sender<Event>);

impl Hub {
    pub(crate) fn new() -> Hub {
        Hub(broadcast::Sender::new(BACKLOG))
    }

    pub(crate) fn tell(&self, entry: Option<&Arc<str>>, what: What) {
        let at = WallTime::from(SystemTime::now());
        // Nobody listens: nothing to tell.
        let _ = self.0.send(Event { entry: entry.cloned(), at, what });
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

impl Peer {
    /// A publisher at this address, by this protocol.
    pub fn new(address: SocketAddr, protocol: Protocol) -> Peer {
        Peer { address, protocol }
    }
}
