//! What somebody who looks after a stream sees of it.
//!
//! The owner writes, anybody reads, and nobody waits for longer than it takes to copy a few fields.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use media::WallTime;
use tokio::time::Instant;

use crate::health::{Health, Plan, Probe, Verdict};
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
}

/// A publisher that is on.
#[derive(Clone, PartialEq, Debug)]
pub struct LegReport {
    /// Which leg it is.
    pub leg: Leg,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// How.
    pub protocol: Protocol,
    /// Since when.
    pub since: WallTime,
    /// What it sends.
    pub health: Health,
}

/// A publisher that was on.
#[derive(Clone, PartialEq, Debug)]
pub struct LastLeg {
    /// Which leg it was.
    pub leg: Leg,
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
    on: Option<OnAir>,
    last: Option<LastLeg>,
    timelines: Arc<[Timeline]>,
}

#[derive(Clone, Debug)]
struct OnAir {
    leg: Leg,
    peer: Peer,
    since: WallTime,
    pass: Arc<dyn Pass>,
    probe: Arc<Mutex<Probe>>,
    plan: Plan,
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
            on: None,
            last: None,
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
        }
    }

    pub(crate) fn status(&self, entry: Arc<str>) -> Status {
        let state = self.facts().state;
        self.meter.status(entry, state)
    }

    /// Why the publisher that is on has to go, if it has to.
    pub(crate) fn recheck(&self) -> Option<Ended> {
        // Asked outside the lock: what it looks at has locks of its own.
        let pass = self.facts().on.as_ref().map(|on| on.pass.clone());
        pass.and_then(|pass| pass.check())
    }

    /// What the publisher that is on sends, if that is news since it was asked last.
    pub(crate) fn news(&self) -> Option<(Leg, Arc<Health>)> {
        let mut facts = self.facts();
        let on = facts.on.as_mut()?;
        let health = on.health();
        if health.verdict == Verdict::Measuring || on.told.as_ref().is_some_and(|told| !health.is_news(told))
        {
            return None;
        }
        let health = Arc::new(health);
        on.told = Some(health.clone());
        Some((on.leg, health))
    }

    /// A publisher is on; what it sends is to be noted in the probe.
    pub(crate) fn enter(&self, leg: Leg, peer: Peer, pass: Arc<dyn Pass>, plan: Plan) -> Arc<Mutex<Probe>> {
        let probe = Arc::new(Mutex::new(Probe::new(Instant::now().into_std())));
        let on = OnAir { leg, peer, since: now(), pass, probe: probe.clone(), plan, told: None };
        let mut facts = self.facts();
        facts.on = Some(on);
        facts.stand(State::Publishing);
        probe
    }

    /// The publisher is gone; says who it was.
    pub(crate) fn leave(&self, reason: String) -> Option<(Leg, Peer)> {
        let mut facts = self.facts();
        let on = facts.on.take()?;
        facts.last = Some(LastLeg { leg: on.leg, peer: on.peer.address, at: now(), reason });
        Some((on.leg, on.peer))
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
            leg: self.leg,
            peer: self.peer.address,
            protocol: self.peer.protocol,
            since: self.since,
            health: self.health(),
        }
    }

    fn health(&self) -> Health {
        let probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        probe.health(Instant::now().into_std(), &self.plan)
    }
}

fn now() -> WallTime {
    WallTime::from(SystemTime::now())
}
