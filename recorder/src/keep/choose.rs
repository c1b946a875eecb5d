//! Which recordings go: a function of what there is, of the limits, of the room and of the time.
//!
//! - What somebody needs (see [`Bound`]) never goes. What is protected or referred to is not counted either, so that
//!   protecting old shows does not cost the new ones; what is open counts.
//! - *Age* counts from a recording's end.
//! - *Count* and *size* keep the newest, and the newest of all whatever its size: a show does not vanish because it was
//!   long. Those of an account hold for the recordings of all its entries together.
//! - *Room* takes the oldest first, whosever they are, until enough is free; none that is in another store, because that
//!   would lose all of it for the little that is here. Where all that may go would not be enough to
//!   record again, because others fill the disk, none goes for it: it would be lost for nothing.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use media::WallTime;

/// How much of what was recorded is kept; `None` is without limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// How long after its end.
    pub age: Option<Duration>,
    /// How many.
    pub count: Option<u32>,
    /// How many bytes.
    pub bytes: Option<u64>,
}

impl Limits {
    /// These, and where one is left open that of `others`.
    pub fn or(self, others: Limits) -> Limits {
        Limits {
            age: self.age.or(others.age),
            count: self.count.or(others.count),
            bytes: self.bytes.or(others.bytes),
        }
    }
}

/// A recording, as far as it matters whether it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Whose; `None` for entries that the configuration names.
    pub account: Option<Arc<str>>,
    /// Of which entry.
    pub entry: Arc<str>,
    /// Which.
    pub recording: Arc<str>,
    /// When it ended; of one that is open, now.
    pub ended: WallTime,
    /// Its size.
    pub bytes: u64,
    /// Whether some of it is in another store alone.
    pub moved: bool,
    /// What keeps it.
    pub bound: Option<Bound>,
    /// What holds for its entry.
    pub limits: Limits,
}

/// Why a recording must not go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// It is being written.
    Open,
    /// Somebody protected it.
    Protected,
    /// Clips are made of it.
    Referred,
}

/// Room on the file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// What is free.
    pub free: u64,
    /// What is to be free.
    pub wanted: u64,
    /// Below this nothing is recorded; at most `wanted`.
    pub least: u64,
}

/// A recording that goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// Which of the candidates.
    pub at: usize,
    /// Why.
    pub why: Why,
}

/// Why a recording goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Its end is longer ago than so.
    Age(Duration),
    /// There are so many newer ones of its entry.
    Count(u32),
    /// The newer ones of its entry fill so many bytes with it.
    Bytes(u64),
    /// There are so many newer ones of its account.
    AccountCount(u32),
    /// The newer ones of its account fill so many bytes with it.
    AccountBytes(u64),
    /// Less is free than is to be.
    Room(Room),
}

/// The recordings that go, those that go by limits first, then those that make room, the oldest first.
///
/// `accounts` has what holds for accounts as a whole, where something does.
pub fn choose(
    candidates: &[Candidate],
    accounts: &HashMap<Arc<str>, Limits>,
    now: WallTime,
    room: Option<Room>,
) -> Vec<Chosen> {
    let mut choice = Choice::new(candidates);
    choice.by_age(accounts, now);
    choice.by_group(|it| Some((it.entry.clone(), it.limits)), Why::Count, Why::Bytes);
    let of_account =
        |it: &Candidate| it.account.clone().and_then(|id| Some((id.clone(), *accounts.get(&id)?)));
    choice.by_group(of_account, Why::AccountCount, Why::AccountBytes);
    if let Some(room) = room {
        choice.by_room(room);
    }
    choice.chosen
}

struct Choice<'a> {
    candidates: &'a [Candidate],
    /// The oldest first.
    order: Vec<usize>,
    gone: BTreeSet<usize>,
    chosen: Vec<Chosen>,
}

impl<'a> Choice<'a> {
    fn new(candidates: &'a [Candidate]) -> Choice<'a> {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|&at| candidates[at].age());
        Choice { candidates, order, gone: BTreeSet::new(), chosen: Vec::new() }
    }

    fn by_age(&mut self, accounts: &HashMap<Arc<str>, Limits>, now: WallTime) {
        for at in self.order.clone() {
            let candidate = &self.candidates[at];
            let account = candidate.account.as_ref().and_then(|id| accounts.get(id)?.age);
            let Some(most) = candidate.limits.age.into_iter().chain(account).min() else { continue };
            let age = now.micros().saturating_sub(candidate.ended.micros());
            if u128::try_from(age).is_ok_and(|age| age > most.as_micros()) {
                self.take(at, Why::Age(most));
            }
        }
    }

    /// Applies count and size to those that share a key.
    fn by_group(
        &mut self,
        key: impl Fn(&Candidate) -> Option<(Arc<str>, Limits)>,
        count: fn(u32) -> Why,
        bytes: fn(u64) -> Why,
    ) {
        let mut groups: HashMap<Arc<str>, (Limits, Vec<usize>)> = HashMap::new();
        let left = self.order.iter().filter(|at| !self.gone.contains(at));
        for &at in left.filter(|at| self.candidates[**at].counts()) {
            if let Some((key, limits)) = key(&self.candidates[at]) {
                groups.entry(key).or_insert((limits, Vec::new())).1.push(at);
            }
        }
        let mut over: Vec<(usize, Why)> =
            groups.values().flat_map(|(limits, group)| self.over(limits, group, count, bytes)).collect();
        over.sort_by_key(|(at, _)| self.candidates[*at].age());
        for (at, why) in over {
            self.take(at, why);
        }
    }

    /// Those of a group beyond its limits. Behind the first that is over, all that are older are.
    fn over(
        &self,
        limits: &Limits,
        group: &[usize],
        count: fn(u32) -> Why,
        bytes: fn(u64) -> Why,
    ) -> Vec<(usize, Why)> {
        let (mut why, mut held) = (None, 0_u64);
        let mut over = Vec::new();
        for (newer, &at) in group.iter().rev().enumerate() {
            held = held.saturating_add(self.candidates[at].bytes);
            let many = limits.count.filter(|most| newer as u64 >= u64::from(*most)).map(count);
            let large = limits.bytes.filter(|most| held > *most).map(bytes);
            if newer > 0 {
                why = why.or(many).or(large);
                over.extend(why.map(|why| (at, why)));
            }
        }
        over
    }

    fn by_room(&mut self, room: Room) {
        let bytes = |at: &usize| self.candidates[*at].bytes;
        let went = self.gone.iter().filter(|at| !self.candidates[**at].moved);
        let mut free = went.map(bytes).fold(room.free, u64::saturating_add);
        let here = |at: &&usize| !self.candidates[**at].moved;
        let may_go =
            |at: &&usize| self.candidates[**at].bound.is_none() && !self.gone.contains(at) && here(at);
        let most = self.order.iter().filter(may_go).map(bytes).fold(free, u64::saturating_add);
        let Some(enough) = [room.wanted, room.least].into_iter().find(|enough| *enough <= most) else {
            return;
        };
        for at in self.order.clone() {
            if free >= enough {
                return;
            }
            if !self.candidates[at].moved && self.take(at, Why::Room(room)) {
                free = free.saturating_add(self.candidates[at].bytes);
            }
        }
    }

    /// Whether it goes now, and did not before.
    fn take(&mut self, at: usize, why: Why) -> bool {
        let goes = self.candidates[at].bound.is_none() && self.gone.insert(at);
        if goes {
            self.chosen.push(Chosen { at, why });
        }
        goes
    }
}

impl Candidate {
    /// The oldest has the smallest; no two have the same.
    fn age(&self) -> (WallTime, &str) {
        (self.ended, &self.recording)
    }

    fn counts(&self) -> bool {
        matches!(self.bound, None | Some(Bound::Open))
    }
}

/// In words, for the audit log and for events.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Age(most) => write!(f, "it ended more than {} ago", Length(*most)),
            Why::Count(most) => write!(f, "the newest {most} recordings of an entry are kept"),
            Why::Bytes(most) => write!(f, "the newest {} of recordings of an entry are kept", Size(*most)),
            Why::AccountCount(most) => write!(f, "the newest {most} recordings of the account are kept"),
            Why::AccountBytes(most) => {
                write!(f, "the newest {} of recordings of the account are kept", Size(*most))
            }
            Why::Room(Room { free, wanted, .. }) => {
                write!(f, "{} are to be free on the disk and {} were", Size(*wanted), Size(*free))
            }
        }
    }
}

/// In the largest unit that leaves something before the point.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) if self.0.is_multiple_of(*unit) => write!(f, "{} {name}", self.0 / unit),
            Some((unit, name)) => write!(f, "{:.1} {name}", self.0 as f64 / *unit as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// In the largest unit that divides it.
struct Length(Duration);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3600, "hour"), (60, "minute")];
        let seconds = self.0.as_secs();
        let unit = UNITS.iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
        let (count, name) = unit.map_or((seconds, "second"), |(unit, name)| (seconds / unit, *name));
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
