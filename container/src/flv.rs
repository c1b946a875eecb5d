//! FLV tag headers, which also begin the audio and video messages of RTMP (Adobe FLV 10.1, Annex E.4).
//!
//! Headers alone: where the payload lies and what it is. The payload is never looked at, and the FLV file format
//! around the tags is not here. Enhanced RTMP headers are recognised, not yet read.

/// Most bytes that a tag header of either kind has.
pub const MAX_HEADER: usize = 5;

/// What a video tag carries (E.4.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Video {
    /// An AVCDecoderConfigurationRecord.
    SequenceHeader,
    /// The NAL units of one picture, each with its length before it.
    Picture {
        /// The encoder's claim that decoding may begin here.
        keyframe: bool,
        /// Presentation minus decode time in milliseconds: 24 bits, signed.
        composition_time: i32,
    },
    /// No more pictures of this configuration.
    EndOfSequence,
    /// A hint to a player, not media (frame type 5).
    Command,
    /// An Enhanced RTMP header.
    Enhanced,
}

/// What an audio tag carries (E.4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audio {
    /// An AudioSpecificConfig.
    SequenceHeader,
    /// One raw frame.
    Frame,
    /// An Enhanced RTMP header.
    Enhanced,
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
    /// A packet type that the format does not define.
    #[error("{kind} packet type {packet} is reserved")]
    Reserved {
        /// `video` or `audio`.
        kind: &'static str,
        /// The packet type.
        packet: u8,
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
}

impl Video {
    /// How long the header of a video tag is that begins with `first`.
    pub fn header_len(first: u8) -> usize {
        if is_avc(first) { 5 } else { 1 }
    }

    /// Reads the header; `header` may be longer than that.
    pub fn parse(header: &[u8]) -> Result<Video, Error> {
        let truncated = Error::Truncated { kind: "video", len: header.len() };
        let &first = header.first().ok_or(truncated)?;
        if first & 0x80 != 0 {
            return Ok(Video::Enhanced);
        }
        if first >> 4 == 5 {
            return Ok(Video::Command);
        }
        if !is_avc(first) {
            return Err(Error::Unsupported { kind: "video", codec: video_codec(first), instead: "H.264" });
        }
        let &[_, packet, a, b, c] = header.first_chunk().ok_or(truncated)?;
        match packet {
            0 => Ok(Video::SequenceHeader),
            1 => Ok(Video::Picture {
                keyframe: matches!(first >> 4, 1 | 4),
                composition_time: i32::from_be_bytes([a, b, c, 0]) >> 8,
            }),
            2 => Ok(Video::EndOfSequence),
            packet => Err(Error::Reserved { kind: "video", packet }),
        }
    }
}

impl Audio {
    /// How long the header of an audio tag is that begins with `first`.
    pub fn header_len(first: u8) -> usize {
        if first >> 4 == AAC { 2 } else { 1 }
    }

    /// Reads the header; `header` may be longer than that.
    pub fn parse(header: &[u8]) -> Result<Audio, Error> {
        let truncated = Error::Truncated { kind: "audio", len: header.len() };
        let &first = header.first().ok_or(truncated)?;
        match first >> 4 {
            AAC => match header.get(1).ok_or(truncated)? {
                0 => Ok(Audio::SequenceHeader),
                1 => Ok(Audio::Frame),
                &packet => Err(Error::Reserved { kind: "audio", packet }),
            },
            9 => Ok(Audio::Enhanced),
            format => Err(Error::Unsupported { kind: "audio", codec: audio_codec(format), instead: "AAC" }),
        }
    }
}

const AAC: u8 = 10;

fn is_avc(first: u8) -> bool {
    first & 0x8f == 7
}

fn video_codec(first: u8) -> &'static str {
    match first & 0x0f {
        2 => "Sorenson H.263",
        3 | 6 => "Screen video",
        4 | 5 => "VP6",
        12 => "HEVC without an enhanced header",
        _ => "an unknown codec for",
    }
}

fn audio_codec(format: u8) -> &'static str {
    match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        2 | 14 => "MP3",
        4..=6 => "Nellymoser",
        7 | 8 => "G.711",
        11 => "Speex",
        _ => "an unknown codec for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(header: [u8; 5]) -> Video {
        Video::parse(&header).expect("a picture")
    }

    #[test]
    fn composition_time_is_signed_in_24_bits() {
        assert_eq!(picture([0x27, 1, 0, 0, 80]), Video::Picture { keyframe: false, composition_time: 80 });
        assert_eq!(
            picture([0x17, 1, 0xff, 0xff, 0xb0]),
            Video::Picture { keyframe: true, composition_time: -80 }
        );
        assert_eq!(
            picture([0x17, 1, 0x80, 0, 0]),
            Video::Picture { keyframe: true, composition_time: -(1 << 23) }
        );
    }

    #[test]
    fn packets_that_are_not_pictures() {
        assert_eq!(Video::parse(&[0x17, 0, 0, 0, 0, 1]), Ok(Video::SequenceHeader));
        assert_eq!(Video::parse(&[0x17, 2, 0, 0, 0]), Ok(Video::EndOfSequence));
        assert_eq!(Video::parse(&[0x57, 0]), Ok(Video::Command));
        assert_eq!(Video::parse(&[0x90, b'h', b'v', b'c', b'1']), Ok(Video::Enhanced));
        assert_eq!(Video::parse(&[0x17, 9, 0, 0, 0]), Err(Error::Reserved { kind: "video", packet: 9 }));
        assert_eq!(Audio::parse(&[0xaf, 0]), Ok(Audio::SequenceHeader));
        assert_eq!(Audio::parse(&[0xaf, 1, 0x21]), Ok(Audio::Frame));
        assert_eq!(Audio::parse(&[0x90]), Ok(Audio::Enhanced));
    }

    #[test]
    fn an_unsupported_codec_is_named() {
        let text = |error: Error| error.to_string();
        assert_eq!(Audio::parse(&[0x2f, 0]).map_err(text), Err("MP3 audio is not supported; use AAC".into()));
        assert_eq!(
            Video::parse(&[0x12]).map_err(text),
            Err("Sorenson H.263 video is not supported; use H.264".into())
        );
        assert_eq!(
            Video::parse(&[0x1f]).map_err(text),
            Err("an unknown codec for video is not supported; use H.264".into())
        );
    }

    #[test]
    fn header_lengths_follow_from_the_first_byte() {
        for first in 0..=255u8 {
            let tag = [first, 1, 0, 0, 0];
            let video = Video::header_len(first);
            assert_eq!(Video::parse(&tag[..video]), Video::parse(&tag));
            let audio = Audio::header_len(first);
            assert_eq!(Audio::parse(&tag[..audio]), Audio::parse(&tag));
            assert!(video <= MAX_HEADER && audio <= MAX_HEADER);
        }
    }

    #[test]
    fn short_tags_are_errors() {
        assert_eq!(Video::parse(&[]), Err(Error::Truncated { kind: "video", len: 0 }));
        assert_eq!(Video::parse(&[0x17, 1, 0]), Err(Error::Truncated { kind: "video", len: 3 }));
        assert_eq!(Audio::parse(&[0xaf]), Err(Error::Truncated { kind: "audio", len: 1 }));
    }
}
