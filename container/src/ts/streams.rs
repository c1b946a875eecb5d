//! What a stream that goes on may be of, how the map names it, and what stands around its frames.

use bytes::Bytes;
use media::Codec;
use media::codec::Opus;

use super::annex_b::{self, Form};
use super::elementary::nal::Standard;
use super::segment::Frame;
use super::{Framing, pes, psi};

/// A longer frame of sound could not say its length (ISO/IEC 13818-1 §2.4.3.7, `PES_packet_length` with room for headers).
const LONGEST: usize = 60_000;
/// `registration_descriptor` (ISO/IEC 13818-1 §2.6.8).
const REGISTRATION: [u8; 2] = [0x05, 4];

/// Pictures of H.264 or H.265.
#[derive(Clone, PartialEq, Debug)]
pub struct Pictures {
    standard: Standard,
    length_size: u8,
    parameter_sets: Vec<Bytes>,
}

/// Sound, with what stands before each of its frames.
#[derive(Clone, PartialEq, Debug)]
pub struct Sound(Family);

#[derive(Clone, PartialEq, Debug)]
enum Family {
    /// AAC and MPEG audio.
    Framed(Framing),
    /// AC-3 (ATSC A/52 Annex A).
    Ac3,
    /// E-AC-3 (ATSC A/52 Annex G).
    Eac3,
    /// Opus of so many channels, 1 to 8 ("Carriage of Opus in MPEG-2 TS", ETSI TS 103 491 Annex A).
    Opus(u8),
}

impl Pictures {
    /// `None` where MPEG-TS has no agreed place for the codec.
    pub fn of(codec: &Codec) -> Option<Pictures> {
        let (standard, length_size, parameter_sets) = match codec {
            Codec::Avc(avc) => (Standard::Avc, avc.length_size, avc.parameter_sets()),
            Codec::Hevc(hevc) => (Standard::Hevc, hevc.length_size, hevc.parameter_sets()),
            _ => return None,
        };
        Some(Pictures { standard, length_size, parameter_sets })
    }

    pub(super) fn stream(&self) -> psi::Stream {
        match self.standard {
            Standard::Avc => psi::AVC,
            Standard::Hevc => psi::Stream { stream_type: 0x24, descriptors: Vec::new() },
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, frame: &Frame) {
        let Pictures { standard, length_size, parameter_sets } = self;
        let form = Form { standard: *standard, length_size: *length_size, parameter_sets };
        annex_b::write(out, form, frame, false);
    }
}

impl Sound {
    /// `None` where MPEG-TS has no agreed place for the codec, or what stands before frames cannot say what this is.
    pub fn of(codec: &Codec) -> Option<Sound> {
        let family = match codec {
            Codec::Ac3(_) => Family::Ac3,
            Codec::Eac3(_) => Family::Eac3,
            Codec::Opus(opus) => Family::Opus(is_usual(opus).then_some(opus.channels)?),
            codec => Family::Framed(Framing::of(codec)?),
        };
        Some(Sound(family))
    }

    pub(super) fn stream(&self) -> psi::Stream {
        let registered = |stream_type, name: &[u8; 4], more: &[u8]| psi::Stream {
            stream_type,
            descriptors: [&REGISTRATION[..], name, more].concat(),
        };
        match self.0 {
            Family::Framed(framing) => {
                psi::Stream { stream_type: framing.stream_type(), descriptors: Vec::new() }
            }
            Family::Ac3 => registered(0x81, b"AC-3", &[]),
            Family::Eac3 => registered(0x87, b"EAC3", &[]),
            // Private data, and `channel_config_code` in an extension descriptor.
            Family::Opus(channels) => registered(0x06, b"Opus", &[0x7f, 2, 0x80, channels]),
        }
    }

    pub(super) fn stream_id(&self) -> u8 {
        match self.0 {
            Family::Framed(_) => pes::AUDIO,
            Family::Ac3 | Family::Eac3 | Family::Opus(_) => pes::PRIVATE,
        }
    }

    /// Whether a frame can be written.
    pub(super) fn fits(&self, frame: &[u8]) -> bool {
        match self.0 {
            Family::Framed(framing) => framing.takes(frame),
            Family::Ac3 | Family::Eac3 | Family::Opus(_) => !frame.is_empty() && frame.len() <= LONGEST,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, frame: &[u8]) {
        match &self.0 {
            Family::Framed(framing) => framing.write(out, frame),
            // Each frame begins with a word of its own.
            Family::Ac3 | Family::Eac3 => out.extend_from_slice(frame),
            Family::Opus(_) => {
                // A control header without trims and extensions; a size goes on after each 255.
                out.extend_from_slice(&[0x7f, 0xe0]);
                out.resize(out.len() + frame.len() / 255, 255);
                out.push((frame.len() % 255) as u8);
                out.extend_from_slice(frame);
            }
        }
    }
}

/// Whether the channels are those that their number says (RFC 7845 §5.1.1): behind version, channels, pre-skip, rate and
/// gain stands how streams become channels.
fn is_usual(opus: &Opus) -> bool {
    const MAPPING: usize = 10;
    let usual = Opus::new(opus.channels, opus.pre_skip);
    usual.is_ok_and(|usual| usual.record.get(MAPPING..) == opus.record.get(MAPPING..))
}

#[cfg(test)]
mod tests {
    use super::super::elementary::{Found, opus};
    use super::*;

    fn opus_of(channels: u8) -> Option<Sound> {
        Sound::of(&Codec::Opus(Opus::new(channels, 312).expect("valid")))
    }

    #[test]
    fn opus_is_read_back_whatever_its_size() {
        let sound = opus_of(2).expect("it is carried");
        for size in [1, 254, 255, 256, 510, 1275, 4000] {
            let (mut out, frame) = (Vec::new(), vec![7; size]);
            sound.write(&mut out, &frame);
            let Found::Unit(unit) = opus::unit(&out) else { panic!("{size}: {:?}", opus::unit(&out)) };
            assert_eq!((&out[unit.start..unit.end], unit.end), (&frame[..], out.len()));
        }
        assert!(!sound.fits(&[]) && !sound.fits(&[0; LONGEST + 1]));
    }

    #[test]
    fn the_map_names_what_has_no_type_of_its_own() {
        let stream = opus_of(6).expect("it is carried").stream();
        assert_eq!(stream.stream_type, 6);
        assert_eq!(stream.descriptors, [5, 4, b'O', b'p', b'u', b's', 0x7f, 2, 0x80, 6]);
    }

    #[test]
    fn opus_in_channels_that_its_number_does_not_say_is_not_carried() {
        let usual = Opus::new(6, 312).expect("valid");
        let mut record = usual.record.to_vec();
        *record.last_mut().expect("a mapping") ^= 1;
        let other = Opus { record: record.into(), ..usual };
        assert_eq!(Sound::of(&Codec::Opus(other)), None);
    }
}
