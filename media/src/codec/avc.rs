//! H.264: the AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1) and the NAL units of a sample.

mod parameters;
mod record;

use bytes::Bytes;
use h264_reader::avcc::AvcDecoderConfigurationRecord;
use h264_reader::nal::sps::{FrameMbsFlags, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};

use self::record::record;
use super::{Color, Error};
use crate::sample::Sync;

/// H.264 with its decoder configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Avc {
    /// The AVCDecoderConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Coded picture width after cropping, in pixels.
    pub width: u16,
    /// Coded picture height after cropping, in pixels.
    pub height: u16,
    /// Shape of a pixel, horizontal to vertical.
    pub pixel_aspect: (u16, u16),
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Pictures may be fields, or frames of two interleaved ones (frame_mbs_only_flag is 0). Encoders that can code
    /// interlaced pictures say so of progressive ones now and then.
    pub interlaced: bool,
    /// What the sequence parameter set says of color, where it does.
    pub color: Option<Color>,
    /// Parameter sets also stand in the samples, and may change there: the sample entry is `avc3`.
    pub in_band: bool,
}

impl Avc {
    /// Reads an AVCDecoderConfigurationRecord.
    pub fn parse(record: Bytes) -> Result<Avc, Error> {
        let parsed = AvcDecoderConfigurationRecord::try_from(&record[..])
            .map_err(|e| invalid(format!("decoder configuration record: {e:?}")))?;
        let length_size = parsed.length_size_minus_one() + 1;
        if length_size == 3 {
            return Err(invalid("NAL unit lengths of 3 bytes are reserved".into()));
        }
        let sps = parsed
            .sequence_parameter_sets()
            .next()
            .ok_or_else(|| invalid("no sequence parameter set".into()))?
            .map_err(|e| invalid(format!("sequence parameter set: {e:?}")))?;
        if sps.is_empty() {
            // h264-reader takes a NAL unit without its header for a bug of its caller.
            return Err(invalid("sequence parameter set: no bytes".into()));
        }
        let sps = SeqParameterSet::from_bits(RefNal::new(sps, &[], true).rbsp_bits())
            .map_err(|e| invalid(format!("sequence parameter set: {e:?}")))?;
        let (width, height) = sps.pixel_dimensions().map_err(|e| invalid(format!("picture size: {e:?}")))?;
        let size = |pixels: u32| {
            u16::try_from(pixels)
                .ok()
                .filter(|&pixels| pixels > 0)
                .ok_or_else(|| invalid(format!("picture of {width}x{height}")))
        };
        let (width, height) = (size(width)?, size(height)?);
        let pixel_aspect = sps
            .vui_parameters
            .as_ref()
            .and_then(|vui| vui.aspect_ratio_info.as_ref())
            .and_then(|aspect| aspect.get())
            .unwrap_or((1, 1));
        let interlaced = sps.frame_mbs_flags != FrameMbsFlags::Frames;
        let color = color(&sps);
        Ok(Avc { width, height, pixel_aspect, length_size, interlaced, color, in_band: false, record })
    }

    /// Makes the record of parameter sets as they stand in a bitstream: NAL units without start codes, at least one of
    /// each. Samples are to have 4-byte lengths.
    pub fn from_parameter_sets<T: AsRef<[u8]>>(sps: &[T], pps: &[T]) -> Result<Avc, Error> {
        Avc::parse(record(sps, pps)?)
    }

    /// The same, with parameter sets in the samples too.
    pub fn with_in_band(self) -> Avc {
        Avc { in_band: true, ..self }
    }

    /// `avc1.64001f`, `avc3.64001f` and the like (RFC 6381 §3.3, ISO/IEC 14496-15 Annex E).
    pub fn rfc6381(&self) -> String {
        let byte = |at: usize| self.record.get(at).copied().unwrap_or(0);
        let entry = if self.in_band { "avc3" } else { "avc1" };
        format!("{entry}.{:02x}{:02x}{:02x}", byte(1), byte(2), byte(3))
    }

    /// Width and height at which the picture is meant to be shown, in square pixels.
    pub fn display_size(&self) -> (u32, u32) {
        super::display_size((self.width, self.height), self.pixel_aspect)
    }

    /// What a sample that the encoder marked as a keyframe really is.
    ///
    /// Encoders mark the intra pictures of an open GOP as keyframes too; only an IDR picture cuts every
    /// reference to what was before (ITU-T H.264 §7.4.1.2.4).
    pub fn classify(&self, keyframe: bool, sample: &[u8]) -> Sync {
        if !keyframe {
            return Sync::No;
        }
        let idr = nal_units(self.length_size, sample).any(|nal| nal.first().is_some_and(|b| b & 0x1f == 5));
        if idr { Sync::Yes } else { Sync::Recovery }
    }
}

/// The NAL units of a length-prefixed sample; a unit that claims more than there is ends the walk.
pub fn nal_units(length_size: u8, mut sample: &[u8]) -> impl Iterator<Item = &[u8]> {
    let prefix = usize::from(length_size);
    std::iter::from_fn(move || {
        let (length, rest) = sample.split_at_checked(prefix)?;
        let length = length.iter().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
        let (nal, rest) = rest.split_at_checked(length)?;
        sample = rest;
        Some(nal)
    })
}

fn color(sps: &SeqParameterSet) -> Option<Color> {
    let signal = sps.vui_parameters.as_ref()?.video_signal_type.as_ref()?;
    let mut color = Color { full_range: signal.video_full_range_flag, ..Color::UNSAID };
    if let Some(said) = &signal.colour_description {
        color.primaries = said.colour_primaries;
        color.transfer = said.transfer_characteristics;
        color.matrix = said.matrix_coefficients;
    }
    color.said()
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "H.264", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // x264, High@3.1, 1280x720, VUI with square pixels.
    const RECORD: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
        0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
        0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
    ];

    #[test]
    fn reads_size_and_profile() {
        let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        assert_eq!((avc.width, avc.height, avc.length_size), (1280, 720, 4));
        assert_eq!(avc.display_size(), (1280, 720));
        assert_eq!(avc.rfc6381(), "avc1.64001f");
    }

    // x264, 720x576, coded as fields.
    const INTERLACED: &[u8] = &[
        0x01, 0xf4, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0xf4, 0x00, 0x1e, 0x91, 0x9b, 0x28, 0x16, 0x84,
        0x9b, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x21, 0xf1, 0x42, 0x99, 0x60,
        0x01, 0x00, 0x06, 0x68, 0xfb, 0xa3, 0xc4, 0x48, 0x44, 0xff, 0xf8, 0xf8, 0x00,
    ];

    #[test]
    fn tells_fields_from_frames() {
        let interlaced = |record| Avc::parse(Bytes::from_static(record)).expect("valid").interlaced;
        assert!(interlaced(INTERLACED));
        assert!(!interlaced(RECORD));
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..RECORD.len() - 3 {
            let _ = Avc::parse(Bytes::from_static(&RECORD[..end]));
        }
        assert!(Avc::parse(Bytes::from_static(&RECORD[..20])).is_err());
    }

    #[test]
    fn a_parameter_set_of_no_bytes_is_an_error_and_no_panic() {
        assert!(Avc::parse(Bytes::from_static(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0, 0])).is_err());
        assert!(Avc::parse(Bytes::from_static(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, 0])).is_err());
    }

    #[test]
    fn an_open_gop_picture_is_not_a_sync_sample() {
        let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        let idr = [0, 0, 0, 2, 0x67, 0, 0, 0, 0, 1, 0x65];
        let recovery = [0, 0, 0, 1, 0x06, 0, 0, 0, 1, 0x41];
        assert_eq!(avc.classify(true, &idr), Sync::Yes);
        assert_eq!(avc.classify(true, &recovery), Sync::Recovery);
        assert_eq!(avc.classify(false, &idr), Sync::No);
    }

    #[test]
    fn a_nal_length_beyond_the_sample_ends_the_walk() {
        assert_eq!(nal_units(4, &[0, 0, 0, 1, 9, 0xff, 0xff, 0xff, 0xff, 1]).count(), 1);
        assert_eq!(nal_units(4, &[0, 0]).count(), 0);
    }
}
