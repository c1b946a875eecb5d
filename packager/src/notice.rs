//! What an operator should know of a publisher, in plain words with a remedy where there is one.

use std::fmt;
use std::time::Duration;

use media::TrackId;

/// Something about a publisher that an operator can act on. For the log and the status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Timestamps stepped.
    Step {
        /// Which track.
        id: TrackId,
        /// By how much, in milliseconds.
        millis: i64,
    },
    /// A track appeared or changed its configuration.
    TrackChanged {
        /// Which track.
        id: TrackId,
    },
    /// The publisher's clock lags behind the server's.
    Drift {
        /// By how much.
        lag: Duration,
    },
    /// The publisher sends video but no keyframe.
    NoKeyframe,
    /// Keyframes are so far apart that segments are much longer than wanted.
    LongSegments {
        /// EXT-X-TARGETDURATION of the session, in seconds.
        target_duration: u32,
        /// What is wanted.
        wanted: Duration,
    },
    /// A segment had to begin without a keyframe.
    ForcedCut {
        /// EXT-X-TARGETDURATION of the session, in seconds.
        target_duration: u32,
    },
    /// A track cannot be packaged.
    Refused {
        /// Which track.
        id: TrackId,
        /// Why.
        reason: String,
    },
}

impl Notice {
    /// What it is about, in a word.
    pub fn topic(&self) -> &'static str {
        match self {
            Notice::Step { .. } => "step",
            Notice::TrackChanged { .. } => "track",
            Notice::Drift { .. } => "drift",
            Notice::NoKeyframe => "keyframe",
            Notice::LongSegments { .. } => "length",
            Notice::ForcedCut { .. } => "cut",
            Notice::Refused { .. } => "refused",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Step { id, millis } => write!(f, "timestamps of {id} stepped by {millis} ms: new period"),
            Notice::TrackChanged { id } => {
                write!(f, "{id} appeared or changed: new period at the next keyframe")
            }
            Notice::Drift { lag } => write!(f, "encoder clock lags by {} ms: new period", lag.as_millis()),
            Notice::NoKeyframe => {
                write!(f, "video without a keyframe: check the encoder's keyframe interval")
            }
            Notice::LongSegments { target_duration, wanted } => write!(
                f,
                "segments last up to {target_duration} s instead of {} s, and so does joining: \
                 set the encoder's keyframe interval to {} s",
                wanted.as_secs_f64(),
                wanted.as_secs_f64()
            ),
            Notice::ForcedCut { target_duration } => write!(
                f,
                "no keyframe within {target_duration} s: segments begin without one, and players join late; \
                 check the encoder's keyframe interval"
            ),
            Notice::Refused { id, reason } => write!(f, "{id} cannot be packaged: {reason}"),
        }
    }
}
