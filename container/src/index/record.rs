//! What an index says, one thing at a time. The order of variants and fields is the file format: add at the end only.

use serde::{Deserialize, Serialize};

/// One thing about a recording. Numbers are those of the playback URLs: N of segments, P of periods.
///
/// Wall times are microseconds since the Unix epoch; media times are ticks of the rendition; `rendition` and `file` are
/// numbers that an earlier record gave.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Record {
    /// A writer took the recording up.
    Opened {
        /// Which boot of the machine, where that is known: what was written since then is in the files, synced or not.
        boot: Option<String>,
        /// Wall time.
        at: i64,
    },
    /// What is fixed for a session; again when it is taken up after a restart.
    Session {
        /// The number of its first period.
        id: u64,
        /// EXT-X-TARGETDURATION, seconds.
        target_duration: u32,
        /// PART-TARGET, microseconds.
        part_target: u64,
        /// A segment number that was burnt before it.
        burnt: Option<u64>,
        /// Whether its playlists had parts.
        low_latency: bool,
    },
    /// A timeline and its anchor.
    Period {
        /// P.
        number: u64,
        /// Discontinuity sequence number.
        discontinuity: u64,
        /// Wall time of media time zero.
        start: i64,
        /// How long the session had gone on before it, microseconds.
        elapsed: u64,
    },
    /// From here on another set of renditions goes together.
    Span {
        /// P.
        period: u64,
        /// N of its first segment.
        first: u64,
        /// Where that begins in the period.
        start: i64,
        /// Ticks of `start` per second.
        timescale: u32,
        /// The renditions that go together, whether there is anything of them yet or not.
        renditions: Vec<(Kind, String)>,
    },
    /// A rendition gets its number.
    Rendition {
        /// Its number from here on.
        id: u32,
        /// Its name in URLs.
        name: String,
        /// What it carries.
        kind: Kind,
    },
    /// The measured frame rate of a rendition.
    FrameRate {
        /// Which rendition.
        rendition: u32,
        /// Numerator.
        frames: u32,
        /// Denominator, seconds.
        per: u32,
    },
    /// By which bitrate Smooth URLs name a rendition.
    Bitrate {
        /// Which rendition.
        rendition: u32,
        /// Bits per second.
        bits: u32,
    },
    /// A file of media begins.
    File {
        /// Its number from here on.
        id: u32,
        /// Which rendition.
        rendition: u32,
        /// P.
        period: u64,
        /// N of its first segment.
        first: u64,
        /// The initialization segment, with which the file begins.
        init: Vec<u8>,
    },
    /// A part of a segment is in its file.
    Part {
        /// Where.
        file: u32,
        /// N.
        number: u64,
        /// K.
        index: u32,
        /// Where its header begins in the file.
        offset: u64,
        /// Bytes of header and payload.
        len: u64,
        /// Decode time of its first sample.
        start: i64,
        /// Sum of its sample durations.
        duration: i64,
        /// Whether it begins with a sync sample.
        independent: bool,
        /// CRC-32 of its bytes.
        checksum: u32,
    },
    /// A segment will get no further part.
    Segment {
        /// Where.
        file: u32,
        /// N.
        number: u64,
        /// Where it begins in the file.
        offset: u64,
        /// Bytes.
        len: u64,
        /// Decode time of its first sample.
        start: i64,
        /// Ticks until the next segment begins.
        duration: i64,
        /// Whether it begins with a sync sample.
        independent: bool,
        /// CRC-32 of its bytes.
        checksum: u32,
        /// Of how many parts it is.
        parts: u32,
        /// Whether these are all parts that it had on air. Where not, only they have a name.
        whole: bool,
        /// Ticks of all its samples.
        media: i64,
    },
    /// A segment that had no media on air either (EXT-X-GAP).
    Silence {
        /// Which rendition.
        rendition: u32,
        /// N.
        number: u64,
        /// P.
        period: u64,
        /// Where it begins in the period.
        start: i64,
        /// Ticks.
        duration: i64,
        /// Ticks per second.
        timescale: u32,
    },
    /// Segments that were on air and are not here.
    Gap {
        /// Which rendition.
        rendition: u32,
        /// N of the first.
        first: u64,
        /// N of the last.
        last: u64,
        /// Why.
        reason: Reason,
        /// The same in words, for whoever reads the report.
        note: String,
    },
    /// A period in which nothing more comes.
    Closed {
        /// P.
        period: u64,
    },
    /// A session is over.
    End {
        /// Which.
        session: u64,
    },
    /// Everything before this record, here and in the files of media, survives a power cut.
    Synced,
    /// Anything else that is to be known of the recording or of one of its renditions.
    Fact {
        /// Which rendition, if it is about one.
        rendition: Option<u32>,
        /// What kind of fact.
        name: String,
        /// Its value.
        value: Vec<u8>,
    },
}

/// What a rendition carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Text.
    Text,
}

/// Why segments are missing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Reason {
    /// The process or the machine ended before they were written, or before what was written was safe.
    Interrupted,
    /// The file system was full, or would have been beyond what is to stay free.
    NoSpace,
    /// The file system failed.
    Failed,
    /// Writing was slower than the stream for too long.
    Behind,
    /// Somebody paused the recording.
    Paused,
    /// What was stored is not what was written.
    Damaged,
    /// The index was lost, and media did not tell.
    Unknown,
}

impl Reason {
    /// In a word, for reports and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Interrupted => "interrupted",
            Reason::NoSpace => "no-space",
            Reason::Failed => "failed",
            Reason::Behind => "behind",
            Reason::Paused => "paused",
            Reason::Damaged => "damaged",
            Reason::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// How many kinds there are.
    pub const KINDS: u8 = 16;

    /// One of each kind, in the order of the format.
    pub fn each() -> Vec<Record> {
        let (number, period) = (1_795_309_440, 1_795_309_432);
        vec![
            Record::Opened { boot: Some("a".into()), at: -1 },
            Record::Session {
                id: period,
                target_duration: 2,
                part_target: 500_000,
                burnt: None,
                low_latency: true,
            },
            Record::Period { number: period, discontinuity: 3, start: 1_795_309_432_000_000, elapsed: 7 },
            Record::Span {
                period,
                first: number,
                start: 0,
                timescale: 90_000,
                renditions: vec![(Kind::Video, "v".into())],
            },
            Record::Rendition { id: 0, name: "video-1".into(), kind: Kind::Video },
            Record::FrameRate { rendition: 0, frames: 30_000, per: 1001 },
            Record::Bitrate { rendition: 0, bits: 3_000_000 },
            Record::File { id: 0, rendition: 0, period, first: number, init: vec![1, 2, 3] },
            Record::Part {
                file: 0,
                number,
                index: 0,
                offset: 700,
                len: 187_500,
                start: 180_000,
                duration: 45_000,
                independent: true,
                checksum: 0xcbf4_3926,
            },
            Record::Segment {
                file: 0,
                number,
                offset: 700,
                len: 750_000,
                start: 180_000,
                duration: 180_000,
                independent: true,
                checksum: 7,
                parts: 4,
                whole: true,
                media: 180_000,
            },
            Record::Silence {
                rendition: 1,
                number,
                period,
                start: 96_000,
                duration: 96_000,
                timescale: 48_000,
            },
            Record::Gap {
                rendition: 0,
                first: number,
                last: number + 1,
                reason: Reason::NoSpace,
                note: "full".into(),
            },
            Record::Closed { period },
            Record::End { session: period },
            Record::Synced,
            Record::Fact { rendition: None, name: "x".into(), value: vec![9] },
        ]
    }

    /// The format of files that exist: a change here makes them unreadable.
    #[test]
    fn the_encoding_of_each_kind_stays() {
        let encoded: Vec<String> = each().iter().map(hex).collect();
        assert_eq!(encoded.len(), usize::from(KINDS));
        assert_eq!(encoded, EXPECTED);
    }

    fn hex(record: &Record) -> String {
        let bytes = postcard::to_allocvec(record).expect("encodes");
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    const EXPECTED: &[&str] = &[
        "0001016101",
        "01f8fe88d80602a0c21e0001",
        "02f8fe88d8060380b8a6cfe1b4b00607",
        "03f8fe88d80680ff88d8060090bf0501000176",
        "040007766964656f2d3100",
        "0500b0ea01e907",
        "0600c08db701",
        "070000f8fe88d80680ff88d80603010203",
        "080080ff88d80600bc05ecb80bc0fc1590bf0501a6f2d0df0c",
        "090080ff88d806bc05b0e32dc0fc15c0fc1501070401c0fc15",
        "0a0180ff88d806f8fe88d80680dc0b80dc0b80f702",
        "0b0080ff88d80681ff88d806010466756c6c",
        "0cf8fe88d806",
        "0df8fe88d806",
        "0e",
        "0f0001780109",
    ];
}
