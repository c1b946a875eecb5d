//! How often somebody may ask.
//!
//! A *token* has a rate of its own. A *source*, which is an address, has one for tokens that the catalog does not know:
//! guessing becomes slow, and costs the database nothing beyond it. Who holds a token is not locked out when somebody at
//! the same address guesses.
//!
//! All of it is bounded: where more sources or tokens come than are remembered, the idlest are forgotten.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use access::subscriber;
use catalog::TokenId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;

/// Sources and tokens remembered at once, each.
const REMEMBERED: u64 = 10_000;
/// An idle bucket is full again long before.
const IDLE: Duration = Duration::from_secs(600);

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// What is left to a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    /// Requests at once.
    pub(crate) limit: u32,
    /// Of these, how many are left.
    pub(crate) remaining: u32,
    /// Seconds until all are there again, or until the next one where none is left.
    pub(crate) reset: u64,
}

/// The rate of each token.
#[derive(Debug)]
pub(crate) struct Tokens {
    quota: Quota,
    buckets: Cache<TokenId, Arc<Bucket>>,
}

impl Tokens {
    pub(crate) fn new(rate: NonZeroU32, burst: NonZeroU32) -> Tokens {
        Tokens { quota: Quota::per_second(rate).allow_burst(burst), buckets: cache(IDLE) }
    }

    /// Takes one; `Err` when none is left.
    pub(crate) fn take(&self, token: &TokenId) -> Result<Left, Left> {
        let bucket = self.buckets.get_with_by_ref(token, || bucket(self.quota));
        take(&bucket)
    }
}

/// The rate of each source, for tokens that nobody knows.
#[derive(Debug)]
pub(crate) struct Sources {
    quota: Quota,
    buckets: Cache<IpAddr, Arc<Bucket>>,
}

impl Sources {
    pub(crate) fn new(a_minute: NonZeroU32) -> Sources {
        Sources { quota: Quota::per_minute(a_minute), buckets: cache(IDLE) }
    }

    /// Whether a source may try another token; `Err` with the seconds to wait. A peer without an address is one source.
    pub(crate) fn may_guess(&self, source: Option<IpAddr>) -> Result<(), u64> {
        let source = subscriber(source.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let bucket = self.buckets.get_with_by_ref(&source, || bucket(self.quota));
        take(&bucket).map(drop).map_err(|left| left.reset)
    }
}

fn cache<K, V>(idle: Duration) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(REMEMBERED).time_to_idle(idle).build()
}

fn bucket(quota: Quota) -> Arc<Bucket> {
    Arc::new(RateLimiter::direct(quota).with_middleware())
}

fn take(bucket: &Bucket) -> Result<Left, Left> {
    match bucket.check() {
        Ok(state) => {
            let (quota, remaining) = (state.quota(), state.remaining_burst_capacity());
            let limit = quota.burst_size().get();
            let missing = limit.saturating_sub(remaining);
            Ok(Left { limit, remaining, reset: seconds(quota.replenish_interval().saturating_mul(missing)) })
        }
        Err(until) => {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Err(Left { limit: until.quota().burst_size().get(), remaining: 0, reset: seconds(wait).max(1) })
        }
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("not zero")
    }

    fn token(id: &str) -> TokenId {
        TokenId::parse(id).expect("an id")
    }

    #[test]
    fn a_token_has_a_burst_and_others_their_own() {
        let tokens = Tokens::new(number(1), number(3));
        let (one, two) = (token("tok_00000001"), token("tok_00000002"));
        let left: Vec<_> = (0..3).map(|_| tokens.take(&one).map(|left| left.remaining)).collect();
        assert_eq!(left, [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(tokens.take(&one), Err(Left { limit: 3, remaining: 0, reset: 1 }));
        assert!(tokens.take(&two).is_ok());
    }

    #[test]
    fn guessing_becomes_slow_for_one_address() {
        let sources = Sources::new(number(5));
        let here = Some(IpAddr::from([192, 0, 2, 7]));
        assert_eq!((0..100).filter(|_| sources.may_guess(here).is_ok()).count(), 5);
        assert!(sources.may_guess(here).is_err_and(|wait| (1..=12).contains(&wait)));
        assert_eq!(sources.may_guess(Some(IpAddr::from([192, 0, 2, 8]))), Ok(()));
    }
}
