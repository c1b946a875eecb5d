//! What an operator should know of a publisher, in plain words with a remedy where there is one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something about a publisher that an operator can act on. For the log and the status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Timestamps stepped.
    Step {
        /// Of which rendition.
        rendition: Arc<str>,
        /// By how much, in milliseconds.
        millis: i64,
    },
    /// A track appeared or changed its configuration.
    TrackChanged {
        /// Of which rendition.
        rendition: Arc<str>,
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
    /// Timestamps of one push stepped while others went on.
    Moved {
        /// Of which rendition.
        rendition: Arc<str>,
    },
    /// Segments of a rendition do not begin with a keyframe where the others' do.
    Misaligned {
        /// Which one.
        rendition: Arc<str>,
    },
    /// The sound of one push is not what the others send, and is not used.
    OtherSound {
        /// The push: its rendition, or its place in words.
        rendition: Arc<str>,
    },
    /// A track cannot be packaged.
    Refused {
        /// Of which rendition.
        rendition: Arc<str>,
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
            Notice::Moved { .. } => "moved",
            Notice::Misaligned { .. } => "aligned",
            Notice::OtherSound { .. } => "sound",
            Notice::Refused { .. } => "refused",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Step { rendition, millis } => {
                write!(f, "timestamps of {rendition} stepped by {millis} ms: new period")
            }
            Notice::TrackChanged { rendition } => {
                write!(f, "{rendition} appeared or changed: new period at the next keyframe")
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
            Notice::Moved { rendition } => {
                write!(
                    f,
                    "timestamps of {rendition} stepped: it leaves gaps and joins again, the others go on"
                )
            }
            Notice::Misaligned { rendition } => write!(
                f,
                "keyframes of {rendition} are not where the other renditions have theirs: \
                 set the same keyframe interval in every output and force keyframes at the same times"
            ),
            Notice::OtherSound { rendition } => write!(
                f,
                "the sound of {rendition} has another format than the one that is heard, and is not used: \
                 set the same audio codec, sample rate and channels in every output"
            ),
            Notice::Refused { rendition, reason } => write!(f, "{rendition} cannot be packaged: {reason}"),
        }
    }
}
