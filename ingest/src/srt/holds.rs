//! Addresses that are refused for a while, unlooked at.
//!
//! The answer to a handshake cannot be held back as one over TCP can: the thread that would wait receives for all. So who
//! guesses too often is not listened to for a moment, whatever it says: but for a name with which somebody from there
//! was let in before, so that who guesses locks out no encoder that was on air beside him.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who is refused, and until when.
#[derive(Debug)]
pub(super) struct Holds {
    until: Mutex<HashMap<IpAddr, Instant>>,
    /// Who was let in, by name: digests, whose seed is the process's own.
    known: Mutex<HashSet<u64>>,
    seed: RandomState,
    time: Duration,
    most: usize,
}

impl Holds {
    /// Each for that time, so many at once.
    pub(super) fn new(time: Duration, most: usize) -> Holds {
        Holds { until: Mutex::default(), known: Mutex::default(), seed: RandomState::new(), time, most }
    }

    /// Refuses that address from now on.
    pub(super) fn hold(&self, address: IpAddr, now: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= self.most {
            until.retain(|_, until| *until > now);
        }
        if until.len() < self.most {
            until.insert(network(address), now + self.time);
        }
    }

    /// Somebody was let in from there with that name.
    pub(super) fn know(&self, address: IpAddr, name: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(self.seed.hash_one((network(address), name)));
    }

    /// Whether that name is refused from there.
    pub(super) fn holds(&self, address: IpAddr, name: &str, now: Instant) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let held = until.get(&network(address)).is_some_and(|until| *until > now);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        held && !known().contains(&self.seed.hash_one((network(address), name)))
    }
}

/// What one subscriber has: an address of IPv4, a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_held_for_a_while_and_others_are_not() {
        let holds = Holds::new(Duration::from_secs(3), 2);
        let [one, same, other]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|address| address.parse().expect("an address"));
        let now = Instant::now();
        holds.hold(one, now);
        assert!(holds.holds(same, "k", now) && !holds.holds(other, "k", now));
        assert!(!holds.holds(same, "k", now + Duration::from_secs(3)));
        holds.hold(other, now);
        holds.hold("192.0.2.2".parse().expect("an address"), now);
        assert!(!holds.holds("192.0.2.2".parse().expect("an address"), "k", now), "no room");
        let later = now + Duration::from_secs(4);
        holds.hold("192.0.2.2".parse().expect("an address"), later);
        assert!(holds.holds("192.0.2.2".parse().expect("an address"), "k", later), "room was made");
    }

    #[test]
    fn who_was_let_in_before_comes_in_beside_one_who_guesses() {
        let holds = Holds::new(Duration::from_secs(3), 2);
        let [one, other]: [IpAddr; 2] =
            ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().expect("an address"));
        let now = Instant::now();
        holds.know(one, "key");
        [one, other].into_iter().for_each(|address| holds.hold(address, now));
        assert!(!holds.holds(one, "key", now) && holds.holds(one, "other", now));
        assert!(holds.holds(other, "key", now));
    }
}
