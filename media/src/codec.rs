//! Codecs with their configuration, and the strings by which manifests name them (RFC 6381).
//!
//! A configuration comes as the record that MP4 keeps, or is made of what stands in the bitstream. Samples are
//! pictures of length-prefixed NAL units (H.264, H.265), OBUs without temporal delimiters (AV1) or frames (VP9), and raw
//! frames of sound. Decoding is nobody's business here.

pub mod aac;
pub mod ac3;
pub mod av1;
pub mod avc;
pub(crate) mod bits;
mod color;
pub mod eac3;
pub mod flac;
pub mod hevc;
pub mod mpeg_audio;
pub mod opus;
pub mod vp9;

pub use aac::Aac;
pub use ac3::Ac3;
pub use av1::Av1;
pub use avc::Avc;
pub use color::{Color, VideoRange};
pub use eac3::Eac3;
pub use flac::Flac;
pub use hevc::Hevc;
pub use mpeg_audio::MpegAudio;
pub use opus::Opus;
pub use vp9::Vp9;

use bytes::Bytes;

use crate::sample::Sync;
use crate::track::Kind;

/// A codec with its out-of-band configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Codec {
    /// H.264 with an AVCDecoderConfigurationRecord.
    Avc(Avc),
    /// H.265 with an HEVCDecoderConfigurationRecord.
    Hevc(Hevc),
    /// AV1 with an AV1CodecConfigurationRecord.
    Av1(Av1),
    /// VP9 with a VPCodecConfigurationRecord.
    Vp9(Vp9),
    /// AAC with an AudioSpecificConfig.
    Aac(Aac),
    /// Opus with an OpusSpecificBox.
    Opus(Opus),
    /// AC-3 with an AC3SpecificBox.
    Ac3(Ac3),
    /// E-AC-3 with an EC3SpecificBox.
    Eac3(Eac3),
    /// FLAC with STREAMINFO.
    Flac(Flac),
    /// MPEG-1 or MPEG-2 audio, Layer II or III, whose frames say everything.
    MpegAudio(MpegAudio),
}

/// What is the same of all codecs of pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// Shape of a pixel, horizontal to vertical.
    pub pixel_aspect: (u16, u16),
    /// Pictures may be fields.
    pub interlaced: bool,
    /// What is said of color, where something is.
    pub color: Option<Color>,
}

impl Picture {
    /// Width and height at which it is meant to be shown, in square pixels.
    pub fn display_size(&self) -> (u32, u32) {
        display_size((self.width, self.height), self.pixel_aspect)
    }

    /// How bright it may be; [`VideoRange::Sdr`] where nothing is said.
    pub fn range(&self) -> VideoRange {
        self.color.map_or(VideoRange::Sdr, Color::range)
    }
}

/// What is the same of all codecs of sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sound {
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// Samples of the usual frame; see [`Codec::sample_duration`].
    pub frame_length: u32,
}

impl Codec {
    /// What this codec codes.
    pub fn kind(&self) -> Kind {
        match self {
            Codec::Avc(_) | Codec::Hevc(_) | Codec::Av1(_) | Codec::Vp9(_) => Kind::Video,
            Codec::Aac(_)
            | Codec::Opus(_)
            | Codec::Ac3(_)
            | Codec::Eac3(_)
            | Codec::Flac(_)
            | Codec::MpegAudio(_) => Kind::Audio,
        }
    }

    /// As people write it: `H.264`, `AAC`, …
    pub fn name(&self) -> &'static str {
        match self {
            Codec::Avc(_) => "H.264",
            Codec::Hevc(_) => "H.265",
            Codec::Av1(_) => "AV1",
            Codec::Vp9(_) => "VP9",
            Codec::Aac(_) => "AAC",
            Codec::Opus(_) => "Opus",
            Codec::Ac3(_) => "AC-3",
            Codec::Eac3(_) => "E-AC-3",
            Codec::Flac(_) => "FLAC",
            Codec::MpegAudio(_) => "MPEG audio",
        }
    }

    /// The value of CODECS and `@codecs` (RFC 6381).
    pub fn rfc6381(&self) -> String {
        match self {
            Codec::Avc(avc) => avc.rfc6381(),
            Codec::Hevc(hevc) => hevc.rfc6381(),
            Codec::Av1(av1) => av1.rfc6381(),
            Codec::Vp9(vp9) => vp9.rfc6381(),
            Codec::Aac(aac) => aac.rfc6381(),
            Codec::Opus(opus) => opus.rfc6381(),
            Codec::Ac3(ac3) => ac3.rfc6381(),
            Codec::Eac3(eac3) => eac3.rfc6381(),
            Codec::Flac(flac) => flac.rfc6381(),
            Codec::MpegAudio(audio) => audio.rfc6381(),
        }
    }

    /// Its configuration record, as MP4 keeps it. Empty for MPEG audio, which has none.
    pub fn record(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        match self {
            Codec::Avc(avc) => &avc.record,
            Codec::Hevc(hevc) => &hevc.record,
            Codec::Av1(av1) => &av1.record,
            Codec::Vp9(vp9) => &vp9.record,
            Codec::Aac(aac) => &aac.config,
            Codec::Opus(opus) => &opus.record,
            Codec::Ac3(ac3) => &ac3.record,
            Codec::Eac3(eac3) => &eac3.record,
            Codec::Flac(flac) => &flac.record,
            Codec::MpegAudio(_) => &NONE,
        }
    }

    /// Pictures that it codes; `None` for sound.
    pub fn picture(&self) -> Option<Picture> {
        let square =
            |width, height, color| Picture { width, height, pixel_aspect: (1, 1), interlaced: false, color };
        match self {
            Codec::Avc(Avc { width, height, pixel_aspect, interlaced, color, .. })
            | Codec::Hevc(Hevc { width, height, pixel_aspect, interlaced, color, .. }) => Some(Picture {
                width: *width,
                height: *height,
                pixel_aspect: *pixel_aspect,
                interlaced: *interlaced,
                color: *color,
            }),
            Codec::Av1(av1) => Some(square(av1.width, av1.height, av1.color)),
            Codec::Vp9(vp9) => Some(square(vp9.width, vp9.height, vp9.color)),
            _ => None,
        }
    }

    /// Sound that it codes; `None` for pictures.
    pub fn sound(&self) -> Option<Sound> {
        let (sample_rate, channels, frame_length) = match self {
            Codec::Aac(aac) => (aac.sample_rate, aac.channels, aac.frame_length),
            Codec::Opus(opus) => (opus.sample_rate, opus.channels, opus.frame_length),
            Codec::Ac3(ac3) => (ac3.sample_rate, ac3.channels, ac3.frame_length),
            Codec::Eac3(eac3) => (eac3.sample_rate, eac3.channels, eac3.frame_length),
            Codec::Flac(flac) => (flac.sample_rate, flac.channels, flac.frame_length),
            Codec::MpegAudio(audio) => (audio.sample_rate, audio.channels, audio.frame_length),
            _ => return None,
        };
        Some(Sound { sample_rate, channels, frame_length })
    }

    /// Bytes of the length before each NAL unit of a sample, where there are NAL units.
    pub fn nal_length_size(&self) -> Option<u8> {
        match self {
            Codec::Avc(avc) => Some(avc.length_size),
            Codec::Hevc(hevc) => Some(hevc.length_size),
            _ => None,
        }
    }

    /// What a sample that the encoder marked as a keyframe, or did not, really is. Sound is always [`Sync::Yes`].
    pub fn classify(&self, keyframe: bool, sample: &[u8]) -> Sync {
        match self {
            Codec::Avc(avc) => avc.classify(keyframe, sample),
            Codec::Hevc(hevc) => hevc.classify(keyframe, sample),
            Codec::Av1(av1) => av1.classify(keyframe, sample),
            Codec::Vp9(vp9) => vp9.classify(keyframe, sample),
            _ => Sync::Yes,
        }
    }

    /// How long a sample of sound lasts, in samples per second of the codec: what it says itself, or what all have.
    /// `None` for pictures, and for what is not valid.
    pub fn sample_duration(&self, sample: &[u8]) -> Option<u32> {
        match self {
            Codec::Aac(aac) => Some(aac.frame_length),
            Codec::Ac3(ac3) => Some(ac3.frame_length),
            Codec::Opus(_) => opus::packet_samples(sample),
            Codec::Eac3(_) => eac3::frame_samples(sample),
            Codec::Flac(_) => flac::frame_samples(sample),
            Codec::MpegAudio(_) => mpeg_audio::frame_samples(sample),
            _ => None,
        }
    }
}

fn display_size((width, height): (u16, u16), (horizontal, vertical): (u16, u16)) -> (u32, u32) {
    let (horizontal, vertical) = (u64::from(horizontal), u64::from(vertical));
    let width = (u64::from(width) * horizontal + vertical / 2) / vertical.max(1);
    (width.min(u64::from(u32::MAX)) as u32, u32::from(height))
}

/// A codec configuration that cannot be used; the publisher's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The configuration ends early.
    #[error("{codec} configuration ends after {len} bytes")]
    Truncated {
        /// Which codec.
        codec: &'static str,
        /// How many bytes there were.
        len: usize,
    },
    /// A field has a value that makes no sense or that is not supported.
    #[error("{codec} configuration: {what}")]
    Invalid {
        /// Which codec.
        codec: &'static str,
        /// What is wrong.
        what: String,
    },
}
