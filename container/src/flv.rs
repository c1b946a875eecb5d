//! FLV tag headers, which also begin the audio and video messages of RTMP: Adobe FLV 10.1, Annex E.4, and what Enhanced
//! RTMP v1 and v2 (Veovera) add to them.
//!
//! Headers alone: where the payload lies, of which track it is and what. The payload is looked at in two places only:
//! where one message carries several tracks, and where an AV1 temporal unit begins with its delimiter. The FLV file
//! format around the tags is not here.
//!
//! ```text
//! legacy    | type + codec | packet type | composition time |  payload
//! enhanced  | type + packet | ModEx … | FourCC | composition time |  payload
//! one track | type + Multitrack | ModEx … | kind + packet | FourCC | track | composition time |  payload
//! several   | type + Multitrack | ModEx … | kind + packet | FourCC |  (FourCC) track length payload, …
//! ```

mod codec;
mod enhanced;
mod legacy;
mod reader;
mod tracks;

use media::Kind;

pub use codec::FourCc;
pub use tracks::{MAX_TRACKS, Tracks};

use reader::{Reader, Stop};

/// Most bytes that a tag header has. The longest without modifiers is 13 bytes; the rest is for those.
pub const MAX_HEADER: usize = 64;

/// A tag's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Bytes before the payload.
    pub header: usize,
    /// Whether it is an Enhanced RTMP header.
    pub enhanced: bool,
    /// Nanoseconds to add to the timestamp of the message, less than a millisecond (ModEx TimestampOffsetNano).
    pub nanos: u32,
    /// What follows the header.
    pub content: Content,
}

/// What follows the header of a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// A packet of one track: all of the payload.
    Packet(Packet),
    /// Packets of several tracks.
    Tracks(Tracks),
    /// Nothing that is media: a hint to a player.
    Nothing,
}

/// What is said of one track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Which one of its kind; zero where the header says none.
    pub track: u8,
    /// Its codec. Legacy headers name theirs by a number; here it has its FourCC all the same.
    pub codec: FourCc,
    /// What the payload is.
    pub data: Data,
}

/// What the payload of a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Data {
    /// The codec's configuration. Empty for AC-3 and E-AC-3, whose frames say it themselves.
    Configuration,
    /// One picture, or one frame of audio.
    Frame {
        /// The encoder's claim that decoding may begin here; always so for audio.
        keyframe: bool,
        /// Presentation minus decode time in milliseconds: 24 bits, signed.
        composition_time: i32,
    },
    /// No more frames of this configuration.
    End,
    /// Which speaker each channel is for (MultichannelConfig).
    Channels,
    /// Known, and no media: colour information, a descriptor of MPEG-2 TS.
    Aside,
}

/// A tag that carries nothing usable; the publisher's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The tag ends inside its header.
    #[error("{kind} tag ends after {len} bytes")]
    Truncated {
        /// `video` or `audio`.
        kind: &'static str,
        /// How many bytes there were.
        len: usize,
    },
    /// Modifiers make the header longer than [`MAX_HEADER`].
    #[error("{kind} tag has a header of more than {MAX_HEADER} bytes")]
    TooLong {
        /// `video` or `audio`.
        kind: &'static str,
    },
    /// A packet type, or a way to carry several tracks, that the format does not define or not at this place.
    #[error("{kind} packet type {packet} is reserved")]
    Reserved {
        /// `video` or `audio`.
        kind: &'static str,
        /// The packet type.
        packet: u8,
    },
    /// One message has packets of more than [`MAX_TRACKS`] tracks.
    #[error("{kind} message has packets of more than {MAX_TRACKS} tracks")]
    TooManyTracks {
        /// `video` or `audio`.
        kind: &'static str,
    },
    /// A codec that this server does not take.
    #[error("{codec} {kind} is not supported; use {instead}")]
    Unsupported {
        /// `video` or `audio`.
        kind: &'static str,
        /// The name of the codec.
        codec: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// The same, named by its FourCC.
    #[error("{kind} with the FourCC {codec} is not supported; use {instead}")]
    Unknown {
        /// `video` or `audio`.
        kind: &'static str,
        /// Its FourCC.
        codec: FourCc,
        /// What to use.
        instead: &'static str,
    },
}

/// What to use where a codec is not supported.
pub fn supported(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "H.264, HEVC, AV1 or VP9",
        Kind::Audio => "AAC, Opus, AC-3, E-AC-3 or FLAC",
    }
}

impl Tag {
    /// Reads the header of a tag of that kind; `bytes` may go on behind it.
    ///
    /// An AV1 temporal delimiter at the front of the payload counts to the header: a sample has none
    /// (AV1 in ISO BMFF §2.4).
    pub fn parse(kind: Kind, bytes: &[u8]) -> Result<Tag, Error> {
        match read(kind, bytes) {
            Ok((tag, _)) => Ok(tag),
            Err(Stop::Short(_)) => Err(Error::Truncated { kind: kind.as_str(), len: bytes.len() }),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    /// How many bytes of a tag have to be there to know more than `bytes` of it says; at most [`MAX_HEADER`]. They are
    /// all there when `bytes` is as long.
    pub fn wanted(kind: Kind, bytes: &[u8]) -> usize {
        match read(kind, bytes) {
            Ok((_, wanted)) | Err(Stop::Short(wanted)) => wanted.min(MAX_HEADER),
            Err(Stop::Error(_)) => bytes.len(),
        }
    }
}

/// The tag, and how many bytes have to be there to be sure of it. Nothing behind [`MAX_HEADER`] is looked at, so that a
/// header is the same whether the rest of its message is there or not.
fn read(kind: Kind, bytes: &[u8]) -> Result<(Tag, usize), Stop> {
    let head = bytes.get(..MAX_HEADER).unwrap_or(bytes);
    read_head(kind, head).map_err(|stop| match stop {
        Stop::Short(wanted) if wanted > MAX_HEADER => Error::TooLong { kind: kind.as_str() }.into(),
        stop => stop,
    })
}

fn read_head(kind: Kind, bytes: &[u8]) -> Result<(Tag, usize), Stop> {
    let mut reader = Reader::new(bytes);
    let [first] = reader.take()?;
    let tag = match kind {
        Kind::Video if first & 0x80 != 0 => enhanced::read(kind, first, &mut reader)?,
        Kind::Audio if first >> 4 == 9 => enhanced::read(kind, first, &mut reader)?,
        Kind::Video => legacy::video(first, &mut reader)?,
        Kind::Audio => legacy::audio(first, &mut reader)?,
    };
    let Content::Packet(Packet { codec: FourCc::AV1, data: Data::Frame { .. }, .. }) = tag.content else {
        return Ok((tag, tag.header));
    };
    let delimiter = codec::temporal_delimiter(&bytes[tag.header..]);
    let wanted = tag.header + codec::TEMPORAL_DELIMITER.len();
    Ok((Tag { header: tag.header + delimiter, ..tag }, wanted))
}

#[cfg(test)]
mod tests;
