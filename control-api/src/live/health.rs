//! What a publisher sends, measured, and what should be known before it goes on air.

use std::time::Duration;

use serde::Serialize;
use stream::health::{self, Health};
use utoipa::ToSchema;

/// What a publisher sends.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveHealth)]
pub(super) struct HealthView {
    /// Whether it is ready to go on air.
    verdict: Verdict,
    /// What should be known, the worst first.
    findings: Vec<FindingView>,
    /// Its tracks.
    tracks: Vec<TrackView>,
    /// Bits a second of all tracks over the last ten seconds.
    bitrate: u64,
    /// Milliseconds by which media lags behind the clock, or is ahead of it where negative; `null` until that is known.
    #[schema(required)]
    drift: Option<i64>,
    /// Steps of the timestamps.
    jumps: u64,
}

/// Whether a publisher is ready to go on air.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// Too little was seen yet.
    Measuring,
    /// Nothing speaks against it; there may be notes and warnings.
    Ready,
    /// Some finding is a problem.
    NotReady,
}

/// How much a finding matters.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Severity {
    /// Good to know.
    Note,
    /// Some viewers will notice.
    Warning,
    /// Not fit to go on air.
    Problem,
}

/// One thing to know about what a publisher sends.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveFinding)]
struct FindingView {
    /// A stable name.
    #[schema(example = "keyframe_interval_long")]
    code: &'static str,
    /// How much it matters.
    severity: Severity,
    /// Which track, where it is about one.
    #[schema(required)]
    track: Option<String>,
    /// What was measured, in words.
    message: String,
    /// What to do about it.
    remedy: String,
}

/// What one track brings.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveTrack)]
struct TrackView {
    /// Which track.
    #[schema(example = "video-1")]
    id: String,
    /// The codec as manifests name it (RFC 6381).
    #[schema(example = "avc1.64001F")]
    codec: String,
    /// Coded width in pixels; video only.
    #[schema(required)]
    width: Option<u32>,
    /// Coded height in pixels; video only.
    #[schema(required)]
    height: Option<u32>,
    /// Frames a second, to the hundredth; video only, once there are some.
    #[schema(required)]
    frame_rate: Option<f64>,
    /// Frames do not come at even distances.
    variable_frame_rate: bool,
    /// Pictures arrive in another order than they are shown in.
    b_frames: bool,
    /// Distances of the latest keyframes; `null` until there were two.
    #[schema(required)]
    keyframe_interval: Option<KeyframeIntervalView>,
    /// Samples a second; audio only.
    #[schema(required)]
    sample_rate: Option<u32>,
    /// Channels; audio only.
    #[schema(required)]
    channels: Option<u32>,
    /// Bits a second over the last ten seconds.
    bitrate: u64,
    /// Pictures or audio frames so far.
    samples: u64,
    /// Bytes so far.
    bytes: u64,
    /// Steps of the timestamps.
    jumps: u64,
    /// Holes in the sound.
    gaps: u64,
    /// Seconds since its last sample.
    silent: f64,
}

/// Distances of the latest keyframes, in seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveKeyframeInterval)]
struct KeyframeIntervalView {
    /// The newest.
    last: f64,
    /// The shortest.
    shortest: f64,
    /// The longest.
    longest: f64,
}

impl HealthView {
    pub(super) fn new(health: &Health) -> HealthView {
        HealthView {
            verdict: match health.verdict {
                health::Verdict::Measuring => Verdict::Measuring,
                health::Verdict::Ready => Verdict::Ready,
                health::Verdict::NotReady => Verdict::NotReady,
            },
            findings: health.findings.iter().map(FindingView::new).collect(),
            tracks: health.tracks.iter().map(TrackView::new).collect(),
            bitrate: health.bitrate,
            drift: health.drift,
            jumps: health.jumps,
        }
    }
}

impl FindingView {
    fn new(finding: &health::Finding) -> FindingView {
        FindingView {
            code: finding.code,
            severity: match finding.severity {
                health::Severity::Note => Severity::Note,
                health::Severity::Warning => Severity::Warning,
                health::Severity::Problem => Severity::Problem,
            },
            track: finding.track.map(|track| track.to_string()),
            message: finding.message.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}

impl TrackView {
    fn new(track: &health::TrackHealth) -> TrackView {
        TrackView {
            id: track.id.to_string(),
            codec: track.codec.clone(),
            width: track.width,
            height: track.height,
            frame_rate: track.frame_rate,
            variable_frame_rate: track.variable_frame_rate,
            b_frames: track.b_frames,
            keyframe_interval: track.keyframe_interval.map(KeyframeIntervalView::new),
            sample_rate: track.sample_rate,
            channels: track.channels,
            bitrate: track.bitrate,
            samples: track.samples,
            bytes: track.bytes,
            jumps: track.jumps,
            gaps: track.gaps,
            silent: seconds(track.silent),
        }
    }
}

impl KeyframeIntervalView {
    fn new(interval: health::KeyframeInterval) -> KeyframeIntervalView {
        KeyframeIntervalView {
            last: seconds(interval.last),
            shortest: seconds(interval.shortest),
            longest: seconds(interval.longest),
        }
    }
}

/// To the millisecond.
fn seconds(length: Duration) -> f64 {
    length.as_millis() as f64 / 1000.0
}
