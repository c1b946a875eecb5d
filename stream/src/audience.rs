//! How many watch: distinct viewers of an entry in the last half minute.
//!
//! A player asks for a manifest every few seconds. Who asked is noted as a number that cannot be turned back, and kept
//! for 15 to 30 s, so that the count follows an audience that comes and goes. Viewers that look alike from here (one
//! address and one kind of player) are one; what a cache in front answers is not seen at all.
//!
//! Not here: who is a viewer, which the edge decides that makes the number.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dashmap::DashMap;

/// After so long a generation of viewers makes room for the next; after twice as long it is forgotten.
const GENERATION: Duration = Duration::from_secs(15);

/// How many are told apart. Beyond that a count says "at least".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Viewers of one entry in a generation.
    pub viewers: usize,
    /// Viewers of all entries, in memory: 16 to 30 bytes each.
    pub total: usize,
}

/// The audiences of all entries.
pub struct Audience {
    crowds: DashMap<Arc<str>, Crowd>,
    held: AtomicUsize,
    swept: Mutex<Option<Instant>>,
    limits: Limits,
}

/// Viewers of one entry: those seen in this generation, and those seen in the one before and not since.
struct Crowd {
    since: Instant,
    now: HashSet<u64>,
    before: HashSet<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { viewers: 200_000, total: 1_000_000 }
    }
}

impl Default for Audience {
    fn default() -> Audience {
        Audience::new(Limits::default())
    }
}

impl Audience {
    /// Nobody yet.
    pub fn new(limits: Limits) -> Audience {
        Audience { crowds: DashMap::new(), held: AtomicUsize::new(0), swept: Mutex::default(), limits }
    }

    /// Somebody watches an entry. The entry has to be one that is there: names are kept.
    pub fn note(&self, entry: &str, viewer: u64, now: Instant) {
        if self.is_full() {
            self.sweep(now);
        }
        if let Some(mut crowd) = self.crowds.get_mut(entry) {
            return self.enter(&mut crowd, viewer, now);
        }
        self.sweep(now);
        let mut crowd = self.crowds.entry(entry.into()).or_insert_with(|| Crowd::new(now));
        self.enter(&mut crowd, viewer, now);
    }

    /// How many watched in the last 15 to 30 s.
    pub fn count(&self, entry: &str, now: Instant) -> u64 {
        self.crowds.get_mut(entry).map_or(0, |mut crowd| {
            self.turn(&mut crowd, now);
            crowd.len() as u64
        })
    }

    fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) >= self.limits.total
    }

    fn enter(&self, crowd: &mut Crowd, viewer: u64, now: Instant) {
        self.turn(crowd, now);
        if crowd.now.contains(&viewer) {
            return;
        }
        if crowd.before.remove(&viewer) {
            crowd.now.insert(viewer);
        } else if crowd.len() < self.limits.viewers && !self.is_full() {
            crowd.now.insert(viewer);
            self.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn turn(&self, crowd: &mut Crowd, now: Instant) {
        self.held.fetch_sub(crowd.turn(now), Ordering::Relaxed);
    }

    /// Forgets entries that nobody watches any more; once in a generation is enough.
    fn sweep(&self, now: Instant) {
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.is_some_and(|at| now.saturating_duration_since(at) < GENERATION) {
            return;
        }
        *swept = Some(now);
        self.crowds.retain(|_, crowd| {
            self.turn(crowd, now);
            crowd.len() > 0
        });
    }
}

impl std::fmt::Debug for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audience").field("entries", &self.crowds.len()).finish_non_exhaustive()
    }
}

impl Crowd {
    fn new(now: Instant) -> Crowd {
        Crowd { since: now, now: HashSet::new(), before: HashSet::new() }
    }

    fn len(&self) -> usize {
        self.now.len() + self.before.len()
    }

    /// Begins another generation when it is time; returns how many were forgotten.
    fn turn(&mut self, now: Instant) -> usize {
        let past = now.saturating_duration_since(self.since).as_secs() / GENERATION.as_secs();
        match past {
            0 => return 0,
            1 => self.since += GENERATION,
            _ => self.since = now,
        }
        let mut forgotten = std::mem::replace(&mut self.before, std::mem::take(&mut self.now)).len();
        if past > 1 {
            forgotten += std::mem::take(&mut self.before).len();
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_asks_again_is_counted_once() {
        let (audience, start) = (Audience::default(), Instant::now());
        for second in 0..100 {
            audience.note("x", 1, start + seconds(second));
            audience.note("x", 2, start + seconds(second));
            assert_eq!(audience.count("x", start + seconds(second)), 2);
        }
        assert_eq!(audience.count("y", start), 0);
    }

    #[test]
    fn who_left_is_forgotten_after_15_to_30_seconds() {
        for (seen, last) in [(0, 29), (14, 29), (15, 44)] {
            let (audience, start) = (Audience::default(), Instant::now());
            audience.note("x", 1, start);
            audience.note("x", 2, start + seconds(seen));
            for second in seen..60 {
                let others = u64::from(second < 30);
                let counted = audience.count("x", start + seconds(second)) - others;
                assert_eq!(counted, u64::from(second <= last), "seen at {seen}, asked at {second}");
            }
        }
    }

    #[test]
    fn an_audience_that_left_long_ago_is_gone_at_once() {
        let (audience, start) = (Audience::default(), Instant::now());
        audience.note("x", 1, start);
        assert_eq!(audience.count("x", start + seconds(3600)), 0);
        audience.note("y", 1, start + seconds(3600));
        assert_eq!(audience.crowds.len(), 1, "the name is not kept for ever");
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let (audience, start) = (Audience::new(Limits { viewers: 10, total: 15 }), Instant::now());
        (0..100).for_each(|viewer| audience.note("x", viewer, start));
        (0..100).for_each(|viewer| audience.note("y", viewer, start));
        assert_eq!([audience.count("x", start), audience.count("y", start)], [10, 5]);
        assert_eq!(audience.held.load(Ordering::Relaxed), 15);
        let later = start + seconds(60);
        assert_eq!([audience.count("x", later), audience.count("y", later)], [0, 0]);
        assert_eq!(audience.held.load(Ordering::Relaxed), 0);
        audience.note("y", 1, later);
        assert_eq!(audience.count("y", later), 1);
    }
}
