//! URLs of Smooth Streaming ([MS-SSTR] §2.2.1 and §2.2.3).
//!
//! ```text
//! /play/ENTRY/Manifest
//! /play/ENTRY/QualityLevels(B)/Fragments(NAME=T)       a fragment: the stream NAME, in the quality B, at the time T
//! /play/ENTRY/QualityLevels(B)/FragmentInfo(NAME=T)    its metadata alone
//! /play/ENTRY/from/SESSION/Z/QualityLevels(B)/…        the same of a session or recording that is over
//! ```
//!
//! T counts from the Unix epoch, or, where a name begins with `from`, from the chunk of SESSION that begins at the time Z
//! since the Unix epoch: all that is needed to find it again is in the name. Both in units of 100 ns.
//!
//! The same below `/play/ENTRY.ism/` and `/play/ENTRY.isml/`, by which some clients know Smooth. They also write the
//! words in any case, and `(`, `)` and `=` as they are or percent-encoded; numbers and names have one spelling here too.

use std::fmt;

use super::{Resource, number};

/// What the times of a presentation that is over count from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zero {
    /// SESSION: that of which fragments are.
    pub session: u64,
    /// Z: when the chunk begins that begins at zero, in units of 100 ns since the Unix epoch.
    pub time: u64,
}

/// What the URL of a fragment says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FragmentName {
    /// What T counts from; the Unix epoch where nothing is said.
    pub zero: Option<Zero>,
    /// B: the bitrate that names the quality, in bits per second.
    pub bitrate: u32,
    /// NAME of the StreamIndex.
    pub stream: String,
    /// T: when the fragment begins, in the manifest's units.
    pub time: u64,
    /// Whether the payload is not wanted ([MS-SSTR] §2.2.4, FragmentMetadataResponse).
    pub metadata_only: bool,
}

/// What stands before the name of a fragment, without the slash between.
impl fmt::Display for Zero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from/{}/{}", self.session, self.time)
    }
}

impl fmt::Display for FragmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FragmentName { zero, bitrate, stream, time, metadata_only } = self;
        if let Some(zero) = zero {
            write!(f, "{zero}/")?;
        }
        let noun = if *metadata_only { "FragmentInfo" } else { "Fragments" };
        write!(f, "QualityLevels({bitrate})/{noun}({stream}={time})")
    }
}

/// The entry id in a path segment that may be the name of a publishing point: `ENTRY`, `ENTRY.ism` or `ENTRY.isml`, and
/// whether it was one.
pub fn publishing_point(segment: &str) -> (&str, bool) {
    let entry = segment.rsplit_once('.').filter(|(_, extension)| {
        extension.eq_ignore_ascii_case("ism") || extension.eq_ignore_ascii_case("isml")
    });
    entry.map_or((segment, false), |(entry, _)| (entry, true))
}

/// Whether a path below an entry is that of the client manifest.
pub fn is_manifest(path: &str) -> bool {
    path.eq_ignore_ascii_case("manifest")
}

pub(super) fn parse(path: &str) -> Option<Resource> {
    if is_manifest(path) {
        return Some(Resource::Smooth);
    }
    let (zero, path) = match path.strip_prefix("from/") {
        Some(rest) => zero(rest).map(|(zero, path)| (Some(zero), path))?,
        None => (None, path),
    };
    let (quality, rest) = path.split_once('/')?;
    let bitrate = number(argument(quality, "QualityLevels")?)?;
    let fragment = |noun| argument(rest, noun);
    let (argument, metadata_only) = match fragment("Fragments") {
        Some(argument) => (argument, false),
        None => (fragment("FragmentInfo")?, true),
    };
    let (stream, time) = argument.split_once('=').or_else(|| split_encoded(argument, "%3D"))?;
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let named = (1..=40).contains(&stream.len()) && stream.bytes().all(plain);
    let bitrate = u32::try_from(bitrate).ok().filter(|_| named)?;
    let (stream, time) = (stream.to_owned(), number(time)?);
    Some(Resource::Fragment(FragmentName { zero, bitrate, stream, time, metadata_only }))
}

/// What T counts from, and what stands behind that.
fn zero(path: &str) -> Option<(Zero, &str)> {
    let (session, rest) = path.split_once('/')?;
    let (time, rest) = rest.split_once('/')?;
    Some((Zero { session: number(session)?, time: number(time)? }, rest))
}

/// What stands in the parentheses behind a word. Nothing in it may be encoded again, which its reader sees to.
fn argument<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(word.len())?;
    let rest = rest.strip_prefix('(').or_else(|| rest.strip_prefix("%28"))?;
    let argument = rest.strip_suffix(')').or_else(|| rest.strip_suffix("%29"))?;
    found.eq_ignore_ascii_case(word).then_some(argument)
}

/// What stands before an encoded mark and behind it; its hexadecimal digits may be of either case.
fn split_encoded<'a>(text: &'a str, encoded: &str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_at(text.find('%')?);
    let (code, after) = rest.split_at_checked(encoded.len())?;
    code.eq_ignore_ascii_case(encoded).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_spell_the_words_and_the_marks_as_they_like() {
        let expected = FragmentName {
            zero: None,
            bitrate: 2_500_000,
            stream: "video".into(),
            time: 17_953_094_320_000_000,
            metadata_only: false,
        };
        for path in [
            "QualityLevels(2500000)/Fragments(video=17953094320000000)",
            "qualitylevels(2500000)/fragments(video=17953094320000000)",
            "QualityLevels%282500000%29/Fragments%28video%3D17953094320000000%29",
            "QUALITYLEVELS(2500000%29/Fragments%28video%3d17953094320000000)",
        ] {
            assert_eq!(Resource::parse(path), Some(Resource::Fragment(expected.clone())), "{path}");
        }
        let path = "QualityLevels(2500000)/FragmentInfo(video=17953094320000000)";
        let metadata = FragmentName { metadata_only: true, ..expected };
        assert_eq!(Resource::parse(path), Some(Resource::Fragment(metadata.clone())));
        let path = "from/4503599627370496/17953094320000000/qualityLevels(2500000)/fragments%28video=0)";
        let zero = Some(Zero { session: 1 << 52, time: 17_953_094_320_000_000 });
        let first = FragmentName { zero, time: 0, metadata_only: false, ..metadata };
        assert_eq!(Resource::parse(path), Some(Resource::Fragment(first)));
        for path in ["Manifest", "manifest", "MANIFEST"] {
            assert_eq!(Resource::parse(path), Some(Resource::Smooth));
        }
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        for path in [
            "Manifest/",
            "Manifest/Manifest",
            "Manifes%74",
            "QualityLevels(1)",
            "QualityLevels(1)/",
            "QualityLevels()/Fragments(video=1)",
            "QualityLevels(01)/Fragments(video=1)",
            "QualityLevels(-1)/Fragments(video=1)",
            "QualityLevels(4294967296)/Fragments(video=1)",
            "QualityLevels(1)/Fragments(video=18446744073709551616)",
            "QualityLevels(1)/Fragments(video=1",
            "QualityLevels(1)/Fragments(video=1)x",
            "QualityLevels(1)x/Fragments(video=1)",
            "QualityLevels (1)/Fragments(video=1)",
            "QualityLevels(1)/Fragments((video=1)",
            "QualityLevels(1)/Fragments(video=1))",
            "QualityLevels(1)/Fragments(=1)",
            "QualityLevels(1)/Fragments(Video=1)",
            "QualityLevels(1)/Fragments(a/b=1)",
            "QualityLevels(1)/Fragments(%2e%2e=1)",
            "QualityLevels(1)/Fragments%2528video=1)",
            "QualityLevels(1)/Fragments(video=1%3D)",
            "QualityLevels(1)/Fragments(vidéo=1)",
            "QualityLevels(1)/KeyFrames(video=1)",
            "QualityLevels(1)/Fragments(video=1)/Fragments(video=1)",
            "from",
            "from/1/2",
            "from/1/2/",
            "from/1/2/Manifest",
            "from/1/2/time",
            "from/1/2/video-1/7.m4s",
            "from/1/QualityLevels(1)/Fragments(video=1)",
            "from/1/2/3/QualityLevels(1)/Fragments(video=1)",
            "from/1/2/from/1/2/QualityLevels(1)/Fragments(video=1)",
            "from//2/QualityLevels(1)/Fragments(video=1)",
            "from/1//QualityLevels(1)/Fragments(video=1)",
            "from/01/2/QualityLevels(1)/Fragments(video=1)",
            "from/1/02/QualityLevels(1)/Fragments(video=1)",
            "from/1/-2/QualityLevels(1)/Fragments(video=1)",
            "from/1/18446744073709551616/QualityLevels(1)/Fragments(video=1)",
            "from/%31/2/QualityLevels(1)/Fragments(video=1)",
            "from/../2/QualityLevels(1)/Fragments(video=1)",
            "From/1/2/QualityLevels(1)/Fragments(video=1)",
            "/from/1/2/QualityLevels(1)/Fragments(video=1)",
        ] {
            assert_eq!(Resource::parse(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_publishing_point_is_an_entry_with_its_extension() {
        for (segment, expected) in [
            ("demo", ("demo", false)),
            ("demo.ism", ("demo", true)),
            ("demo.isml", ("demo", true)),
            ("0_k3x9p2ab.ISM", ("0_k3x9p2ab", true)),
            ("demo.ism.ism", ("demo.ism", true)),
            ("demo.mp4", ("demo.mp4", false)),
            (".ism", ("", true)),
        ] {
            assert_eq!(publishing_point(segment), expected, "{segment}");
        }
    }
}
