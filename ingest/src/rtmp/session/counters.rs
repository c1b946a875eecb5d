//! What came, in numbers.

/// What came, and what of it was of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Bytes of the connection.
    pub bytes: u64,
    /// Pictures passed on.
    pub video: u64,
    /// Audio frames passed on.
    pub audio: u64,
    /// Samples that came before the configuration of their track.
    pub unconfigured: u64,
    /// Messages with an Enhanced RTMP header.
    pub enhanced: u64,
    /// Messages, or packets of a track in one, that are empty, malformed, unknown or out of place.
    pub ignored: u64,
    /// Messages that the peer did not finish.
    pub aborted: u64,
}

impl Counters {
    /// What came since there were so many. None of them goes back but where a message stream was published on anew in one
    /// breath.
    pub(crate) fn since(self, before: Counters) -> Counters {
        self.with(before, u64::saturating_sub)
    }

    /// Both together.
    pub(super) fn and(self, other: Counters) -> Counters {
        self.with(other, u64::saturating_add)
    }

    fn with(self, other: Counters, what: impl Fn(u64, u64) -> u64) -> Counters {
        Counters {
            bytes: what(self.bytes, other.bytes),
            video: what(self.video, other.video),
            audio: what(self.audio, other.audio),
            unconfigured: what(self.unconfigured, other.unconfigured),
            enhanced: what(self.enhanced, other.enhanced),
            ignored: what(self.ignored, other.ignored),
            aborted: what(self.aborted, other.aborted),
        }
    }
}
