//! What one publisher sends, measured, and what whoever puts it on air should know before that.
//!
//! A [`Probe`] is told of every track and sample and costs some tens of nanoseconds for each; [`Probe::health`] says
//! what it saw, as numbers and as [`Finding`]s in plain words, each with what to do about it, and one [`Verdict`].
//!
//! What is found out, by the code that stays the same while wording changes:
//!
//! | code | |
//! |---|---|
//! | `no_media` `no_video` `no_audio` `video_lost` `audio_lost` | nothing came, or nothing any more |
//! | `stalled` `stalls` | nothing comes right now; nothing came for a while |
//! | `slow_delivery` `fast_delivery` `delayed` | media arrives slower or faster than it plays, or later than it did |
//! | `clock_drift` `skew` `timestamps_jump` | the encoder's clock runs off; sound and picture are apart; stamps step |
//! | `keyframes_misaligned` | where players can change from one rendition of a switching set to another |
//! | `no_keyframe` `keyframe_interval_long` `keyframe_interval_irregular` `keyframe_interval_uneven` `open_gop` | where players can join |
//! | `variable_frame_rate` `frame_rate_low` `frames_missing` `b_frames` | pictures |
//! | `audio_gaps` | sound |
//! | `bitrate_high` | more than was planned |
//! | `video_profile` `video_level` `interlaced` `audio_profile` `audio_channels` `audio_sample_rate` | what some players lack |
//! | `track_changes` | picture size or codec change again and again |
//!
//! Nothing here reads a clock, waits or allocates per sample. Deliberately absent: what a stream does with its media
//! (the packager's numbers are in [`crate::status`]), what a publisher may send (that is for the protocols), and
//! pictures and sounds themselves, which nobody decodes here.

mod clock;
mod facts;
mod findings;
mod frames;
mod gop;
mod latest;
mod meter;
mod order;
mod probe;
mod rate;
mod recent;
#[cfg(test)]
mod tests;
mod words;

pub use probe::{MAX_TRACKS, Probe};

use std::time::Duration;

use media::TrackId;

/// What the stream is meant for: findings are measured against it.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// What a segment should last (`packager.segment`).
    pub segment: Duration,
    /// Viewers are to be a few seconds behind at most.
    pub low_latency: bool,
    /// Some watch by WebRTC.
    pub webrtc: bool,
    /// What the network, the quota or the CDN was planned for, all tracks together, in bits per second.
    pub max_bitrate: Option<u64>,
}

/// Segments of two seconds, nothing special.
impl Default for Plan {
    fn default() -> Self {
        Plan { segment: Duration::from_secs(2), low_latency: false, webrtc: false, max_bitrate: None }
    }
}

/// What a publisher sends, at one instant.
#[derive(Clone, PartialEq, Debug)]
pub struct Health {
    /// Its tracks in the order in which they were described, at most [`MAX_TRACKS`].
    pub tracks: Vec<TrackHealth>,
    /// Bits per second of all tracks over the last ten seconds.
    pub bitrate: u64,
    /// Since it began to publish.
    pub uptime: Duration,
    /// Milliseconds by which media lags (+) or leads (−) the clock, compared with how it arrived at first, or since
    /// the last step of its timestamps. The smallest lag of five seconds counts, so that jitter does not show.
    /// `None` until that is known.
    pub drift: Option<i64>,
    /// Steps of the timestamps, of the track that had most.
    pub jumps: u64,
    /// What should be known, the worst first.
    pub findings: Vec<Finding>,
    /// Whether it can go on air.
    pub verdict: Verdict,
}

impl Health {
    /// The same of a publisher whose keyframes are not where the other renditions of its entry have theirs.
    pub(crate) fn misaligned(mut self) -> Health {
        self.findings.push(findings::misaligned());
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self
    }

    /// Whether there is something to tell since `before`: another verdict, or another set of findings. Numbers and
    /// wording alone are no news.
    pub fn is_news(&self, before: &Health) -> bool {
        self.verdict != before.verdict
            || !self.findings.iter().map(Finding::kind).eq(before.findings.iter().map(Finding::kind))
    }
}

/// What one track brings.
#[derive(Clone, PartialEq, Debug)]
pub struct TrackHealth {
    /// Which track.
    pub id: TrackId,
    /// The codec as manifests name it (RFC 6381).
    pub codec: String,
    /// Coded width in pixels; video only.
    pub width: Option<u32>,
    /// Coded height in pixels; video only.
    pub height: Option<u32>,
    /// Samples per second; audio only.
    pub sample_rate: Option<u32>,
    /// Channels; audio only.
    pub channels: Option<u32>,
    /// Frames per second over the last 256 frames, to the hundredth; video only, once there are some.
    pub frame_rate: Option<f64>,
    /// Frames do not come at even distances, beyond what the rounding of timestamps explains.
    pub variable_frame_rate: bool,
    /// The video may be coded as fields.
    pub interlaced: bool,
    /// Bits per second over the last ten seconds.
    pub bitrate: u64,
    /// Distances of keyframes in media time; `None` until there were two.
    pub keyframe_interval: Option<KeyframeInterval>,
    /// Pictures arrive in another order than they are shown in, or did within the last ten seconds.
    pub b_frames: bool,
    /// Some of the latest keyframes do not cut references to what was before.
    pub open_gop: bool,
    /// Samples so far.
    pub samples: u64,
    /// Payload bytes so far.
    pub bytes: u64,
    /// Steps of the timestamps: back, or ahead of the clock by more than a second.
    pub jumps: u64,
    /// Holes in the sound.
    pub gaps: u64,
    /// Since its last sample, or since it was described.
    pub silent: Duration,
}

/// Distances of the last sixteen keyframes, in media time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyframeInterval {
    /// The newest.
    pub last: Duration,
    /// The shortest.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
}

/// How much a finding matters; later ones are worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Some viewers will notice.
    Warning,
    /// Not fit to go on air.
    Problem,
}

impl Severity {
    /// `note`, `warning`, `problem`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        }
    }
}

/// One thing to know about what a publisher sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// A stable name in lower case, see the module's table.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Which track, where it is about one.
    pub track: Option<TrackId>,
    /// What was measured, in words for who runs the event.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    fn kind(&self) -> (&'static str, Severity, Option<TrackId>) {
        (self.code, self.severity, self.track)
    }
}

/// Whether a publisher is ready to go on air.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Too little was seen yet: five seconds of media, and two keyframes where there is video.
    Measuring,
    /// Nothing speaks against it; there may be notes and warnings.
    Ready,
    /// Some finding is a problem.
    NotReady,
}

impl Verdict {
    /// `measuring`, `ready`, `not_ready`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Measuring => "measuring",
            Verdict::Ready => "ready",
            Verdict::NotReady => "not_ready",
        }
    }
}
