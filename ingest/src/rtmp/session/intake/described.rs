//! One track: what its publisher said of it, and the codec that this makes.

use bytes::Bytes;
use container::flv::FourCc;
use media::codec::{self, Aac, Ac3, Av1, Avc, Eac3, Flac, Hevc, Opus, Vp9, vp9};
use media::{Codec, Kind, Timescale, Track};

/// An AV1CodecConfigurationRecord without `configOBUs`.
const BARE_AV1: usize = 4;

/// A track as far as it is known.
#[derive(Debug)]
pub(super) struct Described {
    fourcc: FourCc,
    /// The configuration as it was sent.
    sent: Bytes,
    /// Unknown where a frame has to say the rest.
    codec: Option<Codec>,
    scale: Timescale,
}

impl Described {
    /// What a configuration says. With an enhanced header timestamps may be finer than milliseconds.
    pub(super) fn new(fourcc: FourCc, sent: &[u8], enhanced: bool) -> Result<Described, codec::Error> {
        let sent = Bytes::copy_from_slice(sent);
        let codec = match fourcc {
            FourCc::AVC => Some(Codec::Avc(Avc::parse(sent.clone())?)),
            FourCc::HEVC => Some(Codec::Hevc(Hevc::parse(sent.clone())?)),
            FourCc::AV1 if sent.len() > BARE_AV1 => Some(Codec::Av1(Av1::parse(sent.clone())?)),
            FourCc::AAC => Some(Codec::Aac(Aac::parse(sent.clone())?)),
            FourCc::OPUS => Some(Codec::Opus(Opus::parse(sent.clone())?)),
            FourCc::FLAC => Some(Codec::Flac(Flac::parse(sent.clone())?)),
            _ => None,
        };
        let scale = if enhanced { Timescale::MICROS } else { Timescale::MILLIS };
        Ok(Described { fourcc, sent, codec, scale })
    }

    /// Whether it is taken at all.
    pub(super) fn takes(kind: Kind, fourcc: FourCc) -> bool {
        match kind {
            Kind::Video => matches!(fourcc, FourCc::AVC | FourCc::HEVC | FourCc::AV1 | FourCc::VP9),
            Kind::Audio => {
                fourcc == FourCc::AAC || fourcc == FourCc::OPUS || fourcc == FourCc::FLAC || is_plain(fourcc)
            }
        }
    }

    /// Whether frames say everything, so that no configuration has to come before them.
    pub(super) fn needs_none(fourcc: FourCc) -> bool {
        is_plain(fourcc)
    }

    /// Whether it is what that configuration says.
    pub(super) fn is(&self, fourcc: FourCc, sent: &[u8]) -> bool {
        self.fourcc == fourcc && self.sent == sent
    }

    /// Whether a configuration that came later is the same to whoever decodes. STREAMINFO of FLAC also counts what was
    /// encoded so far, and FFmpeg sends it anew at the end.
    pub(super) fn equals(&self, later: &Described) -> bool {
        match (&self.codec, &later.codec) {
            (Some(Codec::Flac(one)), Some(Codec::Flac(other))) => {
                let format = |flac: &Flac| (flac.sample_rate, flac.channels, flac.bit_depth);
                format(one) == format(other)
            }
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }

    /// Whether frames of that codec are frames of it.
    pub(super) fn holds(&self, fourcc: FourCc) -> bool {
        self.fourcc == fourcc
    }

    /// Its codec, if that is known.
    pub(super) fn codec(&self) -> Option<&Codec> {
        self.codec.as_ref()
    }

    /// The unit of its timestamps.
    pub(super) fn scale(&self) -> Timescale {
        self.scale
    }

    /// The track, if its codec is known.
    pub(super) fn track(&self) -> Option<Track> {
        Some(Track::new(self.codec.clone()?, self.scale))
    }

    /// Takes from a frame what the configuration does not say, or what it says no longer. Says whether the track is
    /// another one now.
    pub(super) fn learn(&mut self, keyframe: bool, frame: &[u8]) -> bool {
        let Some(codec) = self.said_by(keyframe, frame) else { return false };
        self.codec = Some(codec);
        true
    }

    fn said_by(&self, keyframe: bool, frame: &[u8]) -> Option<Codec> {
        match (self.fourcc, &self.codec) {
            (FourCc::AV1, None) if keyframe => Av1::from_sequence_header(frame).ok().map(Codec::Av1),
            (FourCc::VP9, known) if keyframe => {
                let size = vp9::size_of(frame).ok()?;
                let same = matches!(known, Some(Codec::Vp9(vp9)) if (vp9.width, vp9.height) == size);
                let says = || Vp9::parse(self.sent.clone(), size).or_else(|_| Vp9::from_keyframe(frame));
                if same { None } else { says().ok().map(Codec::Vp9) }
            }
            (FourCc::AC3, known) => {
                let says = Ac3::from_frame(frame).ok()?;
                let same = matches!(known, Some(Codec::Ac3(ac3))
                    if (ac3.sample_rate, ac3.channel_map()) == (says.sample_rate, says.channel_map()));
                (!same).then_some(Codec::Ac3(says))
            }
            (FourCc::EAC3, known) => {
                let says = Eac3::from_frame(frame).ok()?;
                let same = matches!(known, Some(Codec::Eac3(eac3))
                    if (eac3.sample_rate, eac3.channel_map()) == (says.sample_rate, says.channel_map()));
                (!same).then_some(Codec::Eac3(says))
            }
            _ => None,
        }
    }
}

fn is_plain(fourcc: FourCc) -> bool {
    matches!(fourcc, FourCc::AC3 | FourCc::EAC3)
}
