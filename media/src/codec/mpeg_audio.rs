//! MPEG-1 and MPEG-2 audio, Layers II and III: the header of a frame (ISO/IEC 11172-3 §2.4.2.3, and ISO/IEC 13818-3
//! §2.4.2.3 for the lower sampling rates).
//!
//! There is no record: frames say everything, and MP4 keeps which of the two standards it is beside rate and channels.
//! Layer I, and frames of a free bit rate, whose length no header says, are none here.

use super::Error;

/// Samples per second by `sampling_frequency`: of MPEG-1, and those of MPEG-2 are half as many.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];
/// Samples of a frame of Layer II, and of Layer III of MPEG-1.
const FRAME: u32 = 1152;
/// Bytes of a header without its checksum.
const HEADER: usize = 4;

/// kbit/s by `bitrate_index` less one.
type BitRates = [u16; 14];
const LAYER_2: BitRates = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const LAYER_3: BitRates = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOWER: BitRates = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// MPEG-1 or MPEG-2 audio with what is the same in all its frames.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MpegAudio {
    /// Samples per second: 32000, 44100 or 48000 of MPEG-1, 16000, 22050 or 24000 of MPEG-2.
    pub sample_rate: u32,
    /// Channels, 1 or 2.
    pub channels: u8,
    /// Samples of the usual frame: 1152. Those of Layer III of MPEG-2 have 576, see [`frame_samples`].
    pub frame_length: u32,
}

impl MpegAudio {
    /// Audio of so many samples a second and channels; an error where there are no frames of it.
    pub fn new(sample_rate: u32, channels: u8) -> Result<MpegAudio, Error> {
        if !RATES.iter().any(|rate| [*rate, rate / 2].contains(&sample_rate)) {
            return Err(invalid(format!("{sample_rate} samples per second")));
        }
        if !(1..=2).contains(&channels) {
            return Err(invalid(format!("{channels} channels")));
        }
        Ok(MpegAudio { sample_rate, channels, frame_length: FRAME })
    }

    /// What a frame says.
    pub fn from_frame(frame: &[u8]) -> Result<MpegAudio, Error> {
        let truncated = Error::Truncated { codec: CODEC, len: frame.len() };
        let head = frame.first_chunk().ok_or(truncated)?;
        let Header { sample_rate, channels, .. } =
            Header::of(*head).ok_or_else(|| invalid(format!("{head:02x?} is no header of a frame")))?;
        MpegAudio::new(sample_rate, channels)
    }

    /// Whether it is of the lower sampling rates, which MPEG-2 added (ISO/IEC 13818-3).
    pub fn is_mpeg2(&self) -> bool {
        self.sample_rate < 32_000
    }

    /// `objectTypeIndication` (ISO/IEC 14496-1 §7.2.6.6.2): 0x6b of MPEG-1, 0x69 of MPEG-2.
    pub fn object_type_indication(&self) -> u8 {
        if self.is_mpeg2() { 0x69 } else { 0x6b }
    }

    /// `mp4a.6B` or `mp4a.69` (RFC 6381 §3.3).
    pub fn rfc6381(&self) -> String {
        format!("mp4a.{:02X}", self.object_type_indication())
    }
}

/// Bytes of the frame that begins here; `None` where none does.
pub fn frame_size(bytes: &[u8]) -> Option<usize> {
    Some(Header::of(*bytes.first_chunk()?)?.size)
}

/// Samples of a frame; `None` for what is none.
pub fn frame_samples(frame: &[u8]) -> Option<u32> {
    Some(Header::of(*frame.first_chunk()?)?.samples)
}

/// What the header of a frame says.
struct Header {
    sample_rate: u32,
    channels: u8,
    /// Of the frame.
    samples: u32,
    /// Bytes of the frame, header included: 24 to 1729.
    size: usize,
}

impl Header {
    fn of([sync, kind, rates, mode]: [u8; HEADER]) -> Option<Header> {
        if sync != 0xff || kind & 0xf0 != 0xf0 {
            return None;
        }
        let mpeg2 = kind & 8 == 0;
        let layer3 = match kind >> 1 & 3 {
            0b10 => false,
            0b01 => true,
            _ => return None,
        };
        let bit_rates = match (mpeg2, layer3) {
            (true, _) => LOWER,
            (_, true) => LAYER_3,
            _ => LAYER_2,
        };
        // 0 is a free bit rate, 15 is forbidden.
        let bit_rate = u32::from(*bit_rates.get(usize::from(rates >> 4).checked_sub(1)?)?) * 1000;
        let sample_rate = RATES.get(usize::from(rates >> 2 & 3))? >> u32::from(mpeg2);
        let samples = if mpeg2 && layer3 { FRAME / 2 } else { FRAME };
        let padding = u32::from(rates >> 1 & 1);
        let size = (samples / 8 * bit_rate / sample_rate + padding) as usize;
        Some(Header { sample_rate, channels: if mode >> 6 == 3 { 1 } else { 2 }, samples, size })
    }
}

const CODEC: &str = "MPEG audio";

fn invalid(what: String) -> Error {
    Error::Invalid { codec: CODEC, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers that FFmpeg wrote, and what ffprobe says of their frames.
    #[test]
    fn a_frame_says_its_rate_channels_length_and_samples() {
        let cases: [([u8; 4], _); 5] = [
            ([0xff, 0xfd, 0xa4, 0x04], (48_000, 2, 576, 1152, "mp4a.6B")),
            ([0xff, 0xf5, 0x84, 0xc4], (24_000, 1, 384, 1152, "mp4a.69")),
            // 192 kbit/s at 44.1 kHz, with a byte of padding and without.
            ([0xff, 0xfd, 0xa2, 0x04], (44_100, 2, 627, 1152, "mp4a.6B")),
            ([0xff, 0xfd, 0xa0, 0xc4], (44_100, 1, 626, 1152, "mp4a.6B")),
            // Layer III of MPEG-2, 64 kbit/s.
            ([0xff, 0xf3, 0x84, 0x44], (24_000, 2, 192, 576, "mp4a.69")),
        ];
        for (head, expected) in cases {
            let audio = MpegAudio::from_frame(&head).expect("a frame");
            let (size, samples) = (frame_size(&head).expect("it"), frame_samples(&head).expect("it"));
            let name = audio.rfc6381();
            assert_eq!((audio.sample_rate, audio.channels, size, samples, name.as_str()), expected);
            assert_eq!(audio.frame_length, 1152);
        }
    }

    #[test]
    fn what_is_reserved_or_has_no_length_is_refused() {
        let cases = [
            ([0xff, 0xed, 0xa4, 0], "eleven bits of the syncword"),
            ([0xff, 0xff, 0xa4, 0], "Layer I"),
            ([0xff, 0xf9, 0xa4, 0], "the reserved layer"),
            ([0xff, 0xfd, 0x04, 0], "a free bit rate"),
            ([0xff, 0xfd, 0xf4, 0], "the forbidden bit rate"),
            ([0xff, 0xfd, 0xac, 0], "the reserved sampling frequency"),
        ];
        for (head, what) in cases {
            assert!(MpegAudio::from_frame(&head).is_err(), "{what}");
            assert_eq!((frame_size(&head), frame_samples(&head)), (None, None), "{what}");
        }
        for end in 0..4 {
            assert!(MpegAudio::from_frame(&[0xff, 0xfd, 0xa4][..end.min(3)]).is_err(), "{end}");
        }
        assert!(MpegAudio::new(96_000, 2).is_err() && MpegAudio::new(48_000, 6).is_err());
    }

    /// All that a peer can say in four bytes has a length that can be waited for, and a rate that is one.
    #[test]
    fn every_header_has_a_length_within_bounds_or_none() {
        for rest in 0..=0xff_ffffu32 {
            let [_, kind, rates, mode] = rest.to_be_bytes();
            // What follows the mode changes nothing.
            if mode & 0x3f != 0 {
                continue;
            }
            let head = [0xff, kind, rates, mode];
            let size = frame_size(&head);
            assert!(size.is_none_or(|size| (24..=1729).contains(&size)), "{head:02x?}: {size:?}");
            assert_eq!(MpegAudio::from_frame(&head).is_ok(), size.is_some(), "{head:02x?}");
        }
    }
}
