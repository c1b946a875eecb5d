//! Who guesses at stream keys has to wait; who has one does not.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use access::subscriber;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use stream::Quiet;

/// How long the answer to a guess is held back. A connection may only be so long without publishing.
const HOLD: Duration = Duration::from_secs(3);
/// Addresses that are remembered; beyond that, those whose guesses are long past are forgotten.
const ADDRESSES: usize = 10_000;

/// Counts wrong keys by address.
pub(super) struct Guesses {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    quiet: Quiet,
}

impl Guesses {
    /// So many a minute are answered at once.
    pub(super) fn new(per_minute: u32) -> Guesses {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Guesses { limiter: RateLimiter::keyed(quota), quiet: Quiet::default() }
    }

    /// Somebody had a wrong key: holds him up where it was one too many.
    pub(super) async fn slow(&self, from: IpAddr) {
        if self.limiter.len() > ADDRESSES {
            self.limiter.retain_recent();
        }
        if self.limiter.check_key(&subscriber(from)).is_ok() {
            return;
        }
        if let Some(unsaid) = self.quiet.may_say("guesses") {
            tracing::warn!(address = %from.to_canonical(), unsaid, "many wrong stream keys from there: answers are held back");
        }
        tokio::time::sleep(HOLD).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    async fn waits(guesses: &Guesses, from: &str) -> bool {
        let before = Instant::now();
        guesses.slow(from.parse().expect("an address")).await;
        before.elapsed() > Duration::ZERO
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_waits_and_others_do_not() {
        let guesses = Guesses::new(3);
        for _ in 0..3 {
            assert!(!waits(&guesses, "192.0.2.1").await);
        }
        assert!(waits(&guesses, "::ffff:192.0.2.1").await, "the same address");
        assert!(!waits(&guesses, "192.0.2.2").await);
        for last in 1..=3 {
            assert!(!waits(&guesses, &format!("2001:db8::{last}")).await);
        }
        assert!(waits(&guesses, "2001:db8::4").await, "the same network");
    }
}
