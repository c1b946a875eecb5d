//! What of an entry's own settings is for its stream.

use std::sync::Arc;

use catalog::entry::Latency;
use catalog::{LiveSettings, Quotas};
use stream::Settings;
use stream::health::Plan;

/// The configured settings with an entry's own over them, made to fit each other: an entry that asks for longer
/// segments has a playlist that holds enough of them.
pub(super) fn apply(base: &Settings, own: &LiveSettings, quotas: Quotas) -> Settings {
    /// The fewest segments that a live playlist may hold (RFC 8216bis §6.2.2).
    const SEGMENTS: u32 = 3;
    let mut packager = packager::Settings::clone(&base.packager);
    packager.segment = own.segment.unwrap_or(packager.segment);
    packager.part = own.part.unwrap_or(packager.part).min(packager.segment);
    packager.low_latency = own.latency.map_or(packager.low_latency, |latency| latency == Latency::Low);
    packager.window = own.window.unwrap_or(packager.window).max(packager.segment * SEGMENTS);
    packager.dvr_window = own.dvr.unwrap_or(packager.dvr_window).max(packager.window);
    // An entry that asks for another length of segments has other needs than those that were configured.
    if own.segment.is_some() {
        packager.target_duration = None;
    }
    let reconnect = own.reconnect.unwrap_or(base.reconnect);
    let plan = Plan {
        segment: packager.segment,
        low_latency: own.latency == Some(Latency::Low),
        max_bitrate: quotas.bitrate,
        ..base.plan.clone()
    };
    Settings { reconnect, packager: Arc::new(packager), plan, ..base.clone() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_entrys_settings_win_and_the_rest_is_made_to_fit() {
        let base = Settings::default();
        let apply = |own: &LiveSettings| apply(&base, own, Quotas::default());
        assert_eq!(apply(&LiveSettings::default()), base);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let own = LiveSettings { segment: seconds(20), reconnect: seconds(5), ..LiveSettings::default() };
        let applied = apply(&own);
        assert_eq!(
            (applied.reconnect, applied.packager.segment),
            (Duration::from_secs(5), Duration::from_secs(20))
        );
        assert_eq!(applied.packager.window, Duration::from_secs(60), "three segments");
        let own = LiveSettings { latency: Some(Latency::Standard), ..LiveSettings::default() };
        assert!(!apply(&own).packager.low_latency && base.packager.low_latency);
        let own = LiveSettings { window: seconds(600), dvr: seconds(60), ..LiveSettings::default() };
        assert_eq!(apply(&own).packager.dvr_window, Duration::from_secs(600));
    }
}
