//! How much longer a reader may keep an answer waiting.
//!
//! A pause of [`Settings::write_timeout`] is forgiven to whoever takes something. But an answer holds media in memory,
//! so that a reader who takes a byte now and then would hold for ever what nobody else can fetch any more: patience
//! that was used up comes back only with bytes, at [`Settings::min_rate`].
//!
//! [`Settings::write_timeout`]: crate::Settings::write_timeout
//! [`Settings::min_rate`]: crate::Settings::min_rate

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::Settings;

/// Of one connection.
pub(crate) struct Patience {
    most: Duration,
    /// Bytes a second.
    rate: u32,
    left: Duration,
    /// Until when waiting has been counted.
    counted: Instant,
}

impl Patience {
    /// Nobody has waited yet.
    pub(crate) fn new(settings: &Settings) -> Patience {
        let most = settings.write_timeout;
        Patience { most, rate: settings.min_rate.max(1), left: most, counted: Instant::now() }
    }

    /// When it ends, if the peer takes nothing more of what it has been offered since `since`.
    pub(crate) fn end(&self, since: Instant) -> Instant {
        since.max(self.counted) + self.left
    }

    /// The peer took `bytes`; `since` is when it was offered them, if it kept us waiting.
    pub(crate) fn taken(&mut self, bytes: usize, since: Option<Instant>) {
        let now = Instant::now();
        let waited = since.map(|since| now.saturating_duration_since(since.max(self.counted)));
        self.counted = now;
        let earned = Duration::from_secs(bytes as u64) / self.rate;
        self.left = (self.left.saturating_sub(waited.unwrap_or_default()) + earned).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, pause};

    use super::*;

    /// How long a reader is borne who takes `bytes` each `pause` seconds; at most an hour.
    async fn borne(bytes: usize, pause: u64) -> u64 {
        let settings =
            Settings { write_timeout: Duration::from_secs(30), min_rate: 8000, ..Settings::default() };
        let (mut patience, begun) = (Patience::new(&settings), Instant::now());
        while begun.elapsed().as_secs() < 3600 {
            let offered = Instant::now();
            if patience.end(offered) < offered + Duration::from_secs(pause) {
                return (patience.end(offered) - begun).as_secs();
            }
            advance(Duration::from_secs(pause)).await;
            patience.taken(bytes, Some(offered));
        }
        3600
    }

    #[tokio::test]
    async fn who_takes_enough_is_borne_and_who_drips_is_not() {
        pause();
        assert_eq!(borne(1, 40).await, 30, "a pause");
        assert_eq!(borne(1, 1).await, 30, "a byte each second");
        assert_eq!(borne(4000, 1).await, 59, "half the rate");
        assert_eq!(borne(8000, 1).await, 3600, "the rate");
        assert_eq!(borne(8000 * 25, 25).await, 3600, "in gulps");
    }
}
