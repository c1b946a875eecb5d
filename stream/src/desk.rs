//! What somebody who looks after a stream sees of it.
//!
//! The owner writes, anybody reads, and nobody waits for longer than it takes to copy a few fields.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use media::WallTime;
use packager::FeedId;
use tokio::time::Instant;

use crate::health::{Health, Plan, Probe, Verdict};
use crate::link::{Board, Link};
use crate::metadata::{Kept, Metadata, Place, Scheme};
use crate::status::{Meter, State};
use crate::{Air, Ended, Leg, Pass, Peer, Protocol, Status, Timeline};

/// A stream at one instant.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The entry.
    pub entry: Arc<str>,
    /// Where it stands.
    pub state: State,
    /// Whom it is for.
    pub air: Air,
    /// The session that is on, or was last.
    pub session: Option<u64>,
    /// Whether that session has something to play.
    pub playable: bool,
    /// Since when it stands there.
    pub since: WallTime,
    /// Who publishes.
    pub legs: Vec<LegReport>,
    /// Its counters.
    pub status: Status,
    /// The publisher that left last.
    pub last: Option<LastLeg>,
    /// The newest timed metadata, oldest first.
    pub metadata: Vec<Metadata>,
}

/// A publisher that is on.
#[derive(Clone, PartialEq, Debug)]
pub struct LegReport {
    /// Which leg it is.
    pub leg: Leg,
    /// The rendition of a switching set that it names.
    pub rendition: Option<Arc<str>>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// How.
    pub protocol: Protocol,
    /// Since when.
    pub since: WallTime,
    /// What it sends.
    pub health: Health,
    /// How the network to it does, where the protocol measures that.
    pub link: Option<Arc<Link>>,
}

/// A publisher that was on.
#[derive(Clone, PartialEq, Debug)]
pub struct LastLeg {
    /// Which leg it was.
    pub leg: Leg,
    /// The rendition of a switching set that it named.
    pub rendition: Option<Arc<str>>,
    /// Where it came from.
    pub peer: SocketAddr,
    /// When it left.
    pub at: WallTime,
    /// Why, in words.
    pub reason: String,
}

/// The part that owner and readers share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) meter: Meter,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    state: State,
    since: WallTime,
    air: Air,
    session: Option<u64>,
    playable: bool,
    on: Vec<OnAir>,
    last: Option<LastLeg>,
    metadata: Kept,
    timelines: Arc<[Timeline]>,
}

/// Which publisher is meant.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// Its push, as the packager knows it.
    pub(crate) feed: FeedId,
    pub(crate) leg: Leg,
    pub(crate) rendition: Option<Arc<str>>,
    pub(crate) peer: Peer,
}

#[derive(Clone, Debug)]
struct OnAir {
    seat: Seat,
    since: WallTime,
    pass: Arc<dyn Pass>,
    probe: Arc<Mutex<Probe>>,
    board: Board,
    plan: Plan,
    /// Its keyframes are not where the other renditions have theirs.
    misaligned: bool,
    /// What was told of its health last.
    told: Option<Arc<Health>>,
}

impl Desk {
    pub(crate) fn new(air: Air) -> Desk {
        let facts = Facts {
            state: State::Waiting,
            since: now(),
            air,
            session: None,
            playable: false,
            on: Vec::new(),
            last: None,
            metadata: Kept::default(),
            timelines: Arc::default(),
        };
        Desk { meter: Meter::default(), facts: Mutex::new(facts) }
    }

    pub(crate) fn report(&self, entry: Arc<str>) -> Report {
        let status = self.status(entry.clone());
        let facts = self.facts();
        Report {
            entry,
            state: facts.state,
            air: facts.air,
            session: facts.session,
            playable: facts.playable,
            since: facts.since,
            legs: facts.on.iter().map(OnAir::report).collect(),
            status,
            last: facts.last.clone(),
            metadata: facts.metadata.all(),
        }
    }

    pub(crate) fn status(&self, entry: Arc<str>) -> Status {
        let state = self.facts().state;
        self.meter.status(entry, state)
    }

    /// Keeps timed metadata that has come.
    pub(crate) fn metadata(&self, scheme: Scheme, place: Option<Place>, data: Bytes) {
        self.meter.metadata();
        self.facts().metadata.add(scheme, now(), place, data);
    }

    /// Which publishers have to go, and why.
    pub(crate) fn recheck(&self) -> Vec<(FeedId, Ended)> {
        // Asked outside the lock: what it looks at has locks of its own.
        let passes: Vec<_> = self.facts().on.iter().map(|on| (on.seat.feed, on.pass.clone())).collect();
        passes.into_iter().filter_map(|(feed, pass)| Some((feed, pass.check()?))).collect()
    }

    /// What the publishers that are on send, where that is news since it was asked last.
    pub(crate) fn news(&self) -> Vec<(Seat, Arc<Health>)> {
        self.facts().on.iter_mut().filter_map(OnAir::news).collect()
    }

    /// A publisher is on; what it sends is to be noted in the probe, how its network does on the board.
    pub(crate) fn enter(&self, seat: Seat, pass: Arc<dyn Pass>, plan: Plan) -> (Arc<Mutex<Probe>>, Board) {
        let (probe, board) = (Arc::new(Mutex::new(Probe::new(Instant::now().into_std()))), Board::default());
        let watched = (probe.clone(), board.clone());
        let on = OnAir { seat, since: now(), pass, probe, board, plan, misaligned: false, told: None };
        let mut facts = self.facts();
        facts.on.push(on);
        facts.stand(State::Publishing);
        watched
    }

    /// Whether the keyframes of a publisher are where the other renditions have theirs.
    pub(crate) fn align(&self, feed: FeedId, misaligned: bool) {
        let mut facts = self.facts();
        let on = facts.on.iter_mut().find(|on| on.seat.feed == feed);
        on.into_iter().for_each(|on| on.misaligned = misaligned);
    }

    /// A publisher is gone; says who it was.
    pub(crate) fn leave(&self, feed: FeedId, reason: String) -> Option<Seat> {
        let mut facts = self.facts();
        let at = facts.on.iter().position(|on| on.seat.feed == feed)?;
        let Seat { leg, rendition, peer, .. } = facts.on.remove(at).seat;
        facts.last =
            Some(LastLeg { leg, rendition: rendition.clone(), peer: peer.address, at: now(), reason });
        Some(Seat { feed, leg, rendition, peer })
    }

    pub(crate) fn stand(&self, state: State) {
        self.facts().stand(state);
    }

    pub(crate) fn session(&self, id: u64, air: Air, playable: bool) {
        let mut facts = self.facts();
        (facts.session, facts.air, facts.playable) = (Some(id), air, playable);
    }

    /// Notes which named timelines there are. Says whether that is news.
    pub(crate) fn timelines(&self, timelines: &Arc<[Timeline]>) -> bool {
        let mut facts = self.facts();
        let news = facts.timelines != *timelines;
        facts.timelines = timelines.clone();
        news
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        // Plain fields, each whole by itself: a panic elsewhere cannot have broken them.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    fn stand(&mut self, state: State) {
        if self.state != state {
            (self.state, self.since) = (state, now());
        }
    }
}

impl OnAir {
    fn report(&self) -> LegReport {
        LegReport {
            leg: self.seat.leg,
            rendition: self.seat.rendition.clone(),
            peer: self.seat.peer.address,
            protocol: self.seat.peer.protocol,
            since: self.since,
            health: self.health(),
            link: self.board.read(),
        }
    }

    fn health(&self) -> Health {
        let probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let health = probe.health(Instant::now().into_std(), &self.plan);
        if self.misaligned { health.misaligned() } else { health }
    }

    fn news(&mut self) -> Option<(Seat, Arc<Health>)> {
        let health = self.health();
        if health.verdict == Verdict::Measuring
            || self.told.as_ref().is_some_and(|told| !health.is_news(told))
        {
            return None;
        }
        let health = Arc::new(health);
        self.told = Some(health.clone());
        Some((self.seat.clone(), health))
    }
}

fn now() -> WallTime {
    WallTime::from(SystemTime::now())
}
