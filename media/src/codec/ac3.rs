//! AC-3: the AC3SpecificBox (ETSI TS 102 366 Annex F.4) and the header of a syncframe (§4.3 and §4.4).

use bytes::Bytes;

use super::Error;
use super::bits::{BitWriter, Bits};

/// Samples per second by `fscod`.
pub(super) const RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// kbit/s by `frmsizecod / 2`.
const BIT_RATES: [u16; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
/// Full-range channels by `acmod` (table 4.3).
pub(super) const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];
/// Which those are, in the order of [`Ac3::channel_map`].
pub(super) const MAPS: [u16; 8] = [0xa000, 0x4000, 0xa000, 0xe000, 0xa100, 0xe100, 0xb800, 0xf800];
/// The channel of low frequencies, in the order of [`Ac3::channel_map`].
pub(super) const LFE: u16 = 1;

/// AC-3 with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ac3 {
    /// The body of the AC3SpecificBox `dac3`.
    pub record: Bytes,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels, that of low frequencies included.
    pub channels: u8,
    /// Samples per frame: always 1536.
    pub frame_length: u32,
}

impl Ac3 {
    /// Reads the body of `dac3`.
    pub fn parse(record: Bytes) -> Result<Ac3, Error> {
        let mut bits = Bits::new("AC-3", &record);
        let rate = bits.take(2)?;
        bits.skip(5 + 3)?;
        let (acmod, lfe, bit_rate) = (bits.take(3)?, bits.take(1)?, bits.take(5)?);
        bits.skip(5)?;
        if bit_rate as usize >= BIT_RATES.len() {
            return Err(invalid(format!("bit rate code {bit_rate} is reserved")));
        }
        let sample_rate =
            *RATES.get(rate as usize).ok_or_else(|| invalid("sample rate code 3 is reserved".into()))?;
        let channels = CHANNELS[acmod as usize & 7] + lfe as u8;
        let record = record.slice(..3);
        Ok(Ac3 { record, sample_rate, channels, frame_length: 1536 })
    }

    /// Makes the record of a syncframe.
    pub fn from_frame(frame: &[u8]) -> Result<Ac3, Error> {
        let mut bits = Bits::new("AC-3", frame);
        if bits.take(16)? != 0x0b77 {
            return Err(invalid("no syncword".into()));
        }
        bits.skip(16)?;
        let (rate, size) = (bits.take(2)?, bits.take(6)?);
        let (bsid, bsmod, acmod) = (bits.take(5)?, bits.take(3)?, bits.take(3)?);
        if bsid > 8 {
            return Err(invalid(format!("bitstream identification {bsid} is not AC-3")));
        }
        // cmixlev, surmixlev and dsurmod are there or not (§4.3.2).
        bits.skip(if acmod & 1 == 1 && acmod != 1 { 2 } else { 0 })?;
        bits.skip(if acmod & 4 == 4 { 2 } else { 0 })?;
        bits.skip(if acmod == 2 { 2 } else { 0 })?;
        let lfe = bits.take(1)?;
        let mut record = BitWriter::default();
        record.put(rate, 2).put(bsid, 5).put(bsmod, 3).put(acmod, 3).put(lfe, 1).put(size >> 1, 5).put(0, 5);
        Ac3::parse(record.finish().into())
    }

    /// `ac-3`.
    pub fn rfc6381(&self) -> String {
        "ac-3".into()
    }

    /// Channels by place, L is the most significant bit (`audio_channel_configuration:2011` of Dolby, ETSI TS 102 366
    /// §I.1.2.1).
    pub fn channel_map(&self) -> u16 {
        let byte = |at: usize| self.record.get(at).copied().unwrap_or(0);
        MAPS[usize::from(byte(1) >> 3 & 7)] | if byte(1) >> 2 & 1 == 1 { LFE } else { 0 }
    }
}

/// Bytes of the syncframe that begins here; `None` where none does (table 4.13).
pub fn frame_size(frame: &[u8]) -> Option<usize> {
    let &[0x0b, 0x77, _, _, code, bsid, ..] = frame else { return None };
    let (rate, size) = (usize::from(code >> 6), usize::from(code & 0x3f));
    let (rate, bit_rate) = (*RATES.get(rate)?, u32::from(*BIT_RATES.get(size >> 1)?));
    if bsid >> 3 > 8 {
        return None;
    }
    // 1536 samples in words of 16 bits; at 44.1 kHz every second size is a word longer.
    let words = bit_rate * 1000 * 1536 / 16 / rate;
    Some(2 * (words as usize + if rate == 44_100 { size & 1 } else { 0 }))
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "AC-3", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FFmpeg, 48 kHz, 5.1, 448 kbit/s.
    const FRAME: &[u8] = &[0x0b, 0x77, 0x3c, 0x0a, 0x1e, 0x40, 0xe1, 0xdf, 0x84, 0x00];

    #[test]
    fn a_frame_says_what_the_record_has() {
        let ac3 = Ac3::from_frame(FRAME).expect("a frame");
        assert_eq!((ac3.sample_rate, ac3.channels, ac3.frame_length), (48_000, 6, 1536));
        assert_eq!(ac3.record[..], [0x10, 0x3d, 0xe0]);
        assert_eq!(ac3.channel_map(), 0xf801);
        assert_eq!(frame_size(FRAME), Some(1792));
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..7 {
            assert!(Ac3::from_frame(&FRAME[..end]).is_err(), "{end}");
            assert!(frame_size(&FRAME[..end.min(5)]).is_none(), "{end}");
        }
        for end in 0..3 {
            assert!(Ac3::parse(Bytes::from_static(&[0x10, 0x3d, 0xe0][..end])).is_err(), "{end}");
        }
    }
}
