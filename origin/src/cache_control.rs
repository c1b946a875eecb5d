//! How long an answer may be kept: the one table.
//!
//! It is the same for entries that ask for a token. A cache in front leaves `/t/TOKEN` out of its key, so that all
//! viewers share one copy of a body; whether the token is good it asks itself or the origin. What is seen with a
//! producer's token is the exception, because the same key is another body for the public then, or none.

use http::HeaderValue;

/// What an answer is, as far as caches care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Initialization segments, finished segments and parts: names are burnt, bodies never change.
    Immutable,
    /// A media playlist or MPD that will change.
    Live {
        /// In seconds.
        target_duration: u32,
    },
    /// A media playlist that was asked for by what it lists (RFC 8216bis §6.2.5.2): it is what it is to everybody who
    /// asks so, and nobody does once it is old.
    Awaited {
        /// In seconds.
        target_duration: u32,
    },
    /// An MPD that has news with every part: a player asks each time and is mostly told 304; what is shared by many is
    /// asked for once a second, which is no more than half of any target duration that has parts.
    LowLatency,
    /// A picture that another will take the place of with the next segment.
    Picture {
        /// In seconds.
        target_duration: u32,
    },
    /// A multivariant playlist while live.
    Multivariant {
        /// Whether its body changed within the last minute.
        unsettled: bool,
    },
    /// Any manifest of an ended live entry, because it may go live again.
    Ended,
    /// Any manifest of a recording or a clip that will not change.
    Vod,
    /// 404 of what may come, and 410.
    Absent,
    /// Anything that a producer sees: it may be in preview.
    Producer,
    /// Errors that are over in a moment, or are the request's own, and the clock.
    Never,
}

impl Class {
    /// The value of Cache-Control (RFC 9111 §5.2, RFC 8246).
    pub(crate) fn cache_control(self) -> HeaderValue {
        match self {
            Class::Immutable => HeaderValue::from_static("public, max-age=31536000, immutable"),
            Class::Live { target_duration } => max_age((target_duration / 2).max(1)),
            Class::Picture { target_duration } => max_age(target_duration.max(1)),
            Class::Awaited { target_duration } => max_age(target_duration.saturating_mul(6)),
            Class::LowLatency => HeaderValue::from_static("public, max-age=0, s-maxage=1"),
            Class::Multivariant { unsettled: true } | Class::Ended => max_age(2),
            Class::Multivariant { unsettled: false } => max_age(30),
            Class::Vod => max_age(3600),
            Class::Absent => max_age(1),
            Class::Producer => HeaderValue::from_static("private, no-store"),
            Class::Never => HeaderValue::from_static("no-store"),
        }
    }
}

fn max_age(seconds: u32) -> HeaderValue {
    HeaderValue::try_from(format!("public, max-age={seconds}"))
        .expect("digits after plain text are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        for (class, value) in [
            (Class::Immutable, "public, max-age=31536000, immutable"),
            (Class::Live { target_duration: 1 }, "public, max-age=1"),
            (Class::Live { target_duration: 2 }, "public, max-age=1"),
            (Class::Live { target_duration: 5 }, "public, max-age=2"),
            (Class::Live { target_duration: 6 }, "public, max-age=3"),
            (Class::Picture { target_duration: 2 }, "public, max-age=2"),
            (Class::Awaited { target_duration: 2 }, "public, max-age=12"),
            (Class::LowLatency, "public, max-age=0, s-maxage=1"),
            (Class::Multivariant { unsettled: true }, "public, max-age=2"),
            (Class::Multivariant { unsettled: false }, "public, max-age=30"),
            (Class::Ended, "public, max-age=2"),
            (Class::Vod, "public, max-age=3600"),
            (Class::Absent, "public, max-age=1"),
            (Class::Producer, "private, no-store"),
            (Class::Never, "no-store"),
        ] {
            assert_eq!(class.cache_control(), value, "{class:?}");
        }
    }
}
