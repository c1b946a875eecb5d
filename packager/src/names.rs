//! Every URL of the playback plane, written and parsed here and nowhere else (the public contract).
//!
//! ```text
//! /play/ENTRY/master.m3u8            multivariant playlist
//! /play/ENTRY/manifest.mpd           MPD
//! /play/ENTRY/RENDITION.m3u8         media playlist
//! /play/ENTRY/RENDITION/init-P.mp4   initialization segment of period P
//! /play/ENTRY/RENDITION/N.m4s        segment N
//! /play/ENTRY/RENDITION/N.K.m4s      part K of segment N
//! /play/ENTRY/RENDITION/N.0-K.m4s    parts 0 to K of segment N, where the rest is lost
//! /play/ENTRY/time                   the server's clock, for UTCTiming
//! /play/ENTRY/ts/master.m3u8         multivariant playlist of MPEG-TS
//! /play/ENTRY/ts/RENDITION.m3u8      media playlist of MPEG-TS
//! /play/ENTRY/ts/RENDITION/N.ts      segment N as MPEG-TS
//! /play/ENTRY/Manifest               Smooth client manifest; what is below it: see `smooth`
//! /play/ENTRY/thumb.jpg              a picture
//! /play/ENTRY/download.mp4           all of it as one file
//! /play/ENTRY/storyboard.vtt         small pictures at regular times; `storyboard` names their sheets
//! ```
//!
//! Inside manifests every URI is relative to the manifest, so that a body is the same for every viewer.

pub mod smooth;

use std::fmt;

use crate::storyboard::Sheet;

/// What a path below `/play/ENTRY/` names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// The HLS multivariant playlist.
    Multivariant,
    /// The DASH MPD.
    Mpd,
    /// The HLS media playlist of a rendition.
    Playlist {
        /// Rendition name.
        rendition: String,
    },
    /// The initialization segment of a period.
    Init {
        /// Rendition name.
        rendition: String,
        /// P.
        period: u64,
    },
    /// A segment.
    Segment {
        /// Rendition name.
        rendition: String,
        /// N.
        number: u64,
    },
    /// A part of a segment.
    Part {
        /// Rendition name.
        rendition: String,
        /// N.
        number: u64,
        /// K.
        index: u32,
    },
    /// The first parts of a segment of which the rest is lost. It has a name of its own, because somebody may have seen
    /// the segment whole.
    Parts {
        /// Rendition name.
        rendition: String,
        /// N.
        number: u64,
        /// The last part.
        last: u32,
    },
    /// The server's clock.
    Time,
    /// The Smooth client manifest.
    Smooth,
    /// A Smooth fragment.
    Fragment(smooth::FragmentName),
    /// The same media as MPEG-TS, below `ts/`.
    Ts(Ts),
    /// What is made of single pictures.
    Picture(Picture),
    /// All of it as one MP4.
    Download,
}

/// What is made of single pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Picture {
    /// The picture of the moment that the query says.
    Thumbnail,
    /// The WebVTT file of small pictures at regular times.
    Storyboard,
    /// Some of them in one image.
    Sheet(Sheet),
}

impl Picture {
    fn parse(path: &str) -> Option<Picture> {
        match path {
            "thumb.jpg" => Some(Picture::Thumbnail),
            "storyboard.vtt" => Some(Picture::Storyboard),
            _ => Sheet::parse(path).map(Picture::Sheet),
        }
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Picture::Thumbnail => f.write_str("thumb.jpg"),
            Picture::Storyboard => f.write_str("storyboard.vtt"),
            Picture::Sheet(sheet) => sheet.fmt(f),
        }
    }
}

/// What a path below `/play/ENTRY/ts/` names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ts {
    /// The HLS multivariant playlist.
    Multivariant,
    /// The HLS media playlist of a rendition.
    Playlist {
        /// Rendition name.
        rendition: String,
    },
    /// A segment, a video's with its sound.
    Segment {
        /// Rendition name.
        rendition: String,
        /// N.
        number: u64,
    },
}

impl Ts {
    fn parse(path: &str) -> Option<Ts> {
        if path == "master.m3u8" {
            return Some(Ts::Multivariant);
        }
        let Some((rendition, file)) = path.split_once('/') else {
            return Some(Ts::Playlist { rendition: rendition_name(path.strip_suffix(".m3u8")?)? });
        };
        let number = number(file.strip_suffix(".ts")?)?;
        Some(Ts::Segment { rendition: rendition_name(rendition)?, number })
    }
}

/// The URI relative to the playlists of MPEG-TS.
impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ts::Multivariant => f.write_str("master.m3u8"),
            Ts::Playlist { rendition } => write!(f, "{rendition}.m3u8"),
            Ts::Segment { rendition, number } => write!(f, "{rendition}/{number}.ts"),
        }
    }
}

impl Resource {
    /// Whether it is of Smooth Streaming, and so is found below `ENTRY.ism` too.
    pub fn is_smooth(&self) -> bool {
        matches!(self, Resource::Smooth | Resource::Fragment(_))
    }

    /// The session that it names by itself.
    pub fn session(&self) -> Option<u64> {
        match self {
            Resource::Fragment(name) => name.zero.map(|zero| zero.session),
            _ => None,
        }
    }

    /// Parses a path below `/play/ENTRY/`, without a leading slash. `None` for anything that is not ours.
    ///
    /// Numbers have one spelling only (no sign, no leading zero), so that no body has two URLs. What names of Smooth may
    /// look like is said in [`smooth`].
    pub fn parse(path: &str) -> Option<Resource> {
        match path {
            "master.m3u8" => return Some(Resource::Multivariant),
            "manifest.mpd" => return Some(Resource::Mpd),
            "time" => return Some(Resource::Time),
            "download.mp4" => return Some(Resource::Download),
            _ => {}
        }
        if let Some(resource) = smooth::parse(path) {
            return Some(resource);
        }
        if let Some(path) = path.strip_prefix("ts/") {
            return Ts::parse(path).map(Resource::Ts);
        }
        if let Some(picture) = Picture::parse(path) {
            return Some(Resource::Picture(picture));
        }
        let Some((rendition, file)) = path.split_once('/') else {
            let rendition = rendition_name(path.strip_suffix(".m3u8")?)?;
            return Some(Resource::Playlist { rendition });
        };
        let rendition = rendition_name(rendition)?;
        if let Some(period) = file.strip_prefix("init-") {
            let period = number(period.strip_suffix(".mp4")?)?;
            return Some(Resource::Init { rendition, period });
        }
        let name = file.strip_suffix(".m4s")?;
        Some(match name.split_once('.') {
            Some((n, range)) if range.starts_with("0-") => Resource::Parts {
                rendition,
                number: number(n)?,
                last: u32::try_from(number(&range[2..])?).ok()?,
            },
            Some((n, k)) => {
                Resource::Part { rendition, number: number(n)?, index: u32::try_from(number(k)?).ok()? }
            }
            None => Resource::Segment { rendition, number: number(name)? },
        })
    }
}

/// The URI relative to the manifests of the entry; what [`Resource::parse`] reads.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Multivariant => f.write_str("master.m3u8"),
            Resource::Mpd => f.write_str("manifest.mpd"),
            Resource::Playlist { rendition } => write!(f, "{rendition}.m3u8"),
            Resource::Init { rendition, period } => write!(f, "{rendition}/init-{period}.mp4"),
            Resource::Segment { rendition, number } => write!(f, "{rendition}/{number}.m4s"),
            Resource::Part { rendition, number, index } => write!(f, "{rendition}/{number}.{index}.m4s"),
            Resource::Time => f.write_str("time"),
            Resource::Ts(ts) => write!(f, "ts/{ts}"),
            Resource::Smooth => f.write_str("Manifest"),
            Resource::Fragment(name) => write!(f, "{name}"),
            Resource::Parts { rendition, number, last } => write!(f, "{rendition}/{number}.0-{last}.m4s"),
            Resource::Picture(picture) => picture.fmt(f),
            Resource::Download => f.write_str("download.mp4"),
        }
    }
}

/// Whether `id` can be an entry id: 1 to 64 of `[a-z0-9_-]`, beginning with a letter or digit.
///
/// Generated ids are `0_` and eight of `[a-z0-9]`; the configuration may choose its own.
pub fn is_entry_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

fn rendition_name(name: &str) -> Option<String> {
    let (kind, quality) = name.split_once('-')?;
    let known = matches!(kind, "video" | "audio" | "text");
    let plain = (1..=32).contains(&quality.len())
        && quality.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    (known && plain).then(|| name.to_owned())
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let one_spelling = text == "0" || !text.starts_with('0');
    if plain && one_spelling { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_what_was_written() {
        let rendition = || "video-720p".to_owned();
        for resource in [
            Resource::Multivariant,
            Resource::Mpd,
            Resource::Time,
            Resource::Download,
            Resource::Picture(Picture::Thumbnail),
            Resource::Picture(Picture::Storyboard),
            Resource::Picture(Picture::Sheet(Sheet { first: 100, step: 2, count: 25 })),
            Resource::Playlist { rendition: rendition() },
            Resource::Init { rendition: rendition(), period: 1_795_309_432 },
            Resource::Segment { rendition: rendition(), number: u64::MAX },
            Resource::Part { rendition: rendition(), number: 7, index: 0 },
            Resource::Ts(Ts::Multivariant),
            Resource::Ts(Ts::Playlist { rendition: rendition() }),
            Resource::Ts(Ts::Segment { rendition: rendition(), number: 7 }),
            Resource::Smooth,
            Resource::Fragment(smooth::FragmentName {
                bitrate: 2_500_000,
                zero: None,
                stream: "audio-eng".into(),
                time: u64::MAX,
                metadata_only: true,
            }),
            Resource::Fragment(smooth::FragmentName {
                zero: Some(smooth::Zero { session: u64::MAX, time: 0 }),
                bitrate: 0,
                stream: "video".into(),
                time: 0,
                metadata_only: false,
            }),
            Resource::Parts { rendition: rendition(), number: 7, last: 3 },
        ] {
            assert_eq!(Resource::parse(&resource.to_string()), Some(resource));
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for path in [
            "",
            "/",
            "master.m3u8/",
            "video-1",
            "video-1/",
            "video-1/07.m4s",
            "video-1/+7.m4s",
            "video-1/7.00.m4s",
            "video-1/7.0-.m4s",
            "video-1/7.0-03.m4s",
            "video-1/7.1-3.m4s",
            "video-1/7.4294967296.m4s",
            "video-1/18446744073709551616.m4s",
            "../video-1/7.m4s",
            "video-1/../7.m4s",
            "video-1/7.m4s/x",
            "Video-1/7.m4s",
            "video-/7.m4s",
            "video-1/init-.mp4",
            "video-1/init-7.m4s",
            "movie-1/7.m4s",
            "video-1/7.m4s\0",
            "ts",
            "ts/",
            "ts/manifest.mpd",
            "ts/ts/master.m3u8",
            "ts/video-1/07.ts",
            "ts/video-1/7.m4s",
            "ts/video-1/7.0.ts",
            "video-1/7.ts",
        ] {
            assert_eq!(Resource::parse(path), None, "{path:?}");
        }
    }

    #[test]
    fn entry_ids_are_plain() {
        assert!(is_entry_id("0_k3x9p2ab") && is_entry_id("demo"));
        for id in ["", "_x", "a/b", "..", "A", "a b", "é", &"a".repeat(65)] {
            assert!(!is_entry_id(id), "{id:?}");
        }
    }
}
