//! What overrides the configuration for one live entry.

use std::time::Duration;

use catalog::LiveSettings;
use media::WallTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::LiveDefaults;
use crate::body::clearable;
use crate::check::Check;
use crate::length::Length;
use crate::words::{Latency, Recorder};
use crate::{length, retention, times};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// What overrides the configuration. What is left out stays as it is; `null` takes the configured value. A length is
/// written like `2s`, `500ms` or `1h 30m`.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveSettingsPatch {
    /// Length of a segment to aim at; 1 s to 30 s.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    segment: Option<Option<String>>,
    /// Length of a part; 100 ms to 2 s, not above `segment`.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    part: Option<Option<String>>,
    /// Length of the live playlist; at least three segments, at most 10 min.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    window: Option<Option<String>>,
    /// How far back a viewer may go while live; at least `window`, at most 7 days.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    dvr: Option<Option<String>>,
    /// How long a stream waits for its encoder to come back before it ends; 0 s to 1 h.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    reconnect: Option<Option<String>>,
    /// What becomes of what was on air.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Recorder>)]
    recorder: Option<Option<Recorder>>,
    /// How far behind the encoder players are meant to be.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Latency>)]
    latency: Option<Option<Latency>>,
    /// The stream keys open nothing before this.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Option<String>>,
    /// Nor from this on; a session that is on is cut.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Option<String>>,
    /// Its recordings are kept so long after their end; 1 h to 3650 d. What is protected stays, here and below, and is
    /// not counted.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    keep_age: Option<Option<String>>,
    /// So many of its recordings are kept.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    keep_count: Option<Option<u32>>,
    /// So many bytes of its recordings are kept, and the newest in any case.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u64>, minimum = 1_048_576, maximum = 1_125_899_906_842_624_u64)]
    keep_size: Option<Option<u64>>,
}

/// What overrides the configuration; `null` takes the configured value.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveSettings)]
pub(crate) struct LiveSettingsView {
    /// Length of a segment to aim at.
    #[schema(required, value_type = Option<Length>)]
    segment: Option<String>,
    /// Length of a part.
    #[schema(required, value_type = Option<Length>)]
    part: Option<String>,
    /// Length of the live playlist.
    #[schema(required, value_type = Option<Length>)]
    window: Option<String>,
    /// How far back a viewer may go while live.
    #[schema(required, value_type = Option<Length>)]
    dvr: Option<String>,
    /// How long a stream waits for its encoder to come back before it ends.
    #[schema(required, value_type = Option<Length>)]
    reconnect: Option<String>,
    /// What becomes of what was on air.
    #[schema(required)]
    recorder: Option<Recorder>,
    /// How far behind the encoder players are meant to be.
    #[schema(required)]
    latency: Option<Latency>,
    /// The stream keys open nothing before this.
    #[schema(required, format = DateTime)]
    starts_at: Option<String>,
    /// Nor from this on.
    #[schema(required, format = DateTime)]
    ends_at: Option<String>,
    /// Its recordings are kept so long after their end.
    #[schema(required, value_type = Option<Length>)]
    keep_age: Option<String>,
    /// So many of its recordings are kept.
    #[schema(required)]
    keep_count: Option<u32>,
    /// So many bytes of its recordings are kept.
    #[schema(required)]
    keep_size: Option<u64>,
}

impl LiveSettingsPatch {
    /// Merges into what there is. What cannot be is collected and left as it was.
    pub(crate) fn apply(&self, settings: &mut LiveSettings, check: &mut Check) {
        length_of("segment", &self.segment, SECOND..=30 * SECOND, &mut settings.segment, check);
        length_of("part", &self.part, SECOND / 10..=2 * SECOND, &mut settings.part, check);
        length_of("window", &self.window, 3 * SECOND..=10 * MINUTE, &mut settings.window, check);
        length_of("dvr", &self.dvr, 3 * SECOND..=7 * DAY, &mut settings.dvr, check);
        length_of("reconnect", &self.reconnect, Duration::ZERO..=HOUR, &mut settings.reconnect, check);
        time_of("starts_at", &self.starts_at, &mut settings.starts_at, check);
        time_of("ends_at", &self.ends_at, &mut settings.ends_at, check);
        let keep = retention::Patch { age: &self.keep_age, count: self.keep_count, size: self.keep_size };
        keep.apply("settings", &mut settings.keep, check);
        if let Some(recorder) = self.recorder {
            settings.recorder = recorder.map(Into::into);
        }
        if let Some(latency) = self.latency {
            settings.latency = latency.map(Into::into);
        }
    }
}

impl LiveSettingsView {
    pub(crate) fn new(settings: &LiveSettings) -> LiveSettingsView {
        let show = |length: Option<Duration>| length.map(length::format);
        LiveSettingsView {
            segment: show(settings.segment),
            part: show(settings.part),
            window: show(settings.window),
            dvr: show(settings.dvr),
            reconnect: show(settings.reconnect),
            recorder: settings.recorder.map(Recorder::from),
            latency: settings.latency.map(Latency::from),
            starts_at: times::show(settings.starts_at),
            ends_at: times::show(settings.ends_at),
            keep_age: show(settings.keep.age),
            keep_count: settings.keep.count,
            keep_size: settings.keep.bytes,
        }
    }
}

/// Whether the lengths go together, with the configured ones where an entry has none.
pub(crate) fn check(settings: &LiveSettings, configured: &LiveDefaults, check: &mut Check) {
    let segment = settings.segment.unwrap_or(configured.segment);
    let part = settings.part.unwrap_or(configured.part);
    let window = settings.window.unwrap_or(configured.window);
    let dvr = settings.dvr.unwrap_or(configured.dvr);
    check.ensure(part <= segment, "settings.part", || {
        format!("is above the segment, {}", length::format(segment))
    });
    check.ensure(window >= 3 * segment, "settings.window", || {
        format!("is less than three segments, {}", length::format(3 * segment))
    });
    check.ensure(dvr >= window, "settings.dvr", || {
        format!("is less than the window, {}", length::format(window))
    });
    let ordered = settings.starts_at.zip(settings.ends_at).is_none_or(|(start, end)| start < end);
    check.ensure(ordered, "settings.ends_at", || "is not after starts_at".to_owned());
}

fn length_of(
    name: &str,
    text: &Option<Option<String>>,
    range: std::ops::RangeInclusive<Duration>,
    into: &mut Option<Duration>,
    check: &mut Check,
) {
    match text {
        None => {}
        Some(None) => *into = None,
        Some(Some(text)) => *into = check.length(&format!("settings.{name}"), text, range).or(*into),
    }
}

fn time_of(name: &str, text: &Option<Option<String>>, into: &mut Option<WallTime>, check: &mut Check) {
    match text {
        None => {}
        Some(None) => *into = None,
        Some(Some(text)) => *into = check.time(&format!("settings.{name}"), text).or(*into),
    }
}
