//! E-AC-3: the EC3SpecificBox (ETSI TS 102 366 Annex F.6) and the syncframes of a sample (Annex E.1.2).

use bytes::Bytes;

use super::Error;
use super::ac3::{CHANNELS, LFE, MAPS, RATES};
use super::bits::{BitWriter, Bits};

/// Samples of an audio block.
const BLOCK: u32 = 256;

/// E-AC-3 with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eac3 {
    /// The body of the EC3SpecificBox `dec3`.
    pub record: Bytes,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels of the first program, dependent substreams and that of low frequencies included.
    pub channels: u8,
    /// Samples per sample of MP4: six blocks, 1536. What a peer puts into one may be fewer, see [`frame_samples`].
    pub frame_length: u32,
    map: u16,
}

impl Eac3 {
    /// Reads the body of `dec3`.
    pub fn parse(record: Bytes) -> Result<Eac3, Error> {
        let mut bits = Bits::new("E-AC-3", &record);
        bits.skip(13 + 3)?;
        let rate = bits.take(2)? as usize;
        bits.skip(5 + 1 + 1 + 3)?;
        let (acmod, lfe) = (bits.take(3)?, bits.flag()?);
        bits.skip(3)?;
        let locations = if bits.take(4)? > 0 { bits.take(9)? as u16 } else { 0 };
        // Half rates have no code of their own here, but what is sampled at them is not made any more.
        let sample_rate = *RATES.get(rate).ok_or_else(|| invalid("sample rate code 3".into()))?;
        let map = MAPS[acmod as usize & 7] | if lfe { LFE } else { 0 } | at_locations(locations);
        Ok(Eac3 { channels: channels(map, acmod), sample_rate, frame_length: 6 * BLOCK, map, record })
    }

    /// Makes the record of a sample: an independent substream, and those that depend on it.
    pub fn from_frame(sample: &[u8]) -> Result<Eac3, Error> {
        let first = Frame::parse(sample)?;
        if first.kind == 1 {
            return Err(invalid("begins with a dependent substream".into()));
        }
        let rate = RATES.iter().position(|&rate| rate == first.sample_rate);
        let rate = rate.ok_or_else(|| invalid(format!("{} Hz", first.sample_rate)))?;
        let (mut bytes, mut dependent, mut locations, mut rest) = (0u64, 0u32, 0u16, sample);
        while let Ok(frame) = Frame::parse(rest) {
            bytes += frame.size as u64;
            if frame.kind == 1 {
                dependent = (dependent + 1).min(15);
                locations |= frame.locations;
            }
            let Some(after) = rest.get(frame.size..) else { break };
            rest = after;
        }
        let samples = u64::from(frame_samples(sample).unwrap_or(6 * BLOCK));
        let kbits = (bytes * 8 * u64::from(first.sample_rate) / samples / 1000).min(0x1fff) as u32;
        let mut record = BitWriter::default();
        record.put(kbits, 13).put(0, 3);
        record.put(rate as u32, 2).put(first.bsid, 5).put(0, 2).put(0, 3).put(first.acmod, 3);
        record.put(first.lfe.into(), 1).put(0, 3).put(dependent, 4);
        if dependent > 0 {
            record.put(locations.into(), 9)
        } else {
            record.put(0, 1)
        };
        Eac3::parse(record.finish().into())
    }

    /// `ec-3`.
    pub fn rfc6381(&self) -> String {
        "ec-3".into()
    }

    /// Channels by place, as [`Ac3::channel_map`](super::Ac3::channel_map).
    pub fn channel_map(&self) -> u16 {
        self.map
    }
}

/// Samples of a sample: blocks of its independent substream times 256; `None` for what is not E-AC-3.
pub fn frame_samples(sample: &[u8]) -> Option<u32> {
    let (mut blocks, mut rest) = (0, sample);
    while let Ok(frame) = Frame::parse(rest) {
        if frame.kind != 1 && frame.substream == 0 {
            blocks += frame.blocks;
        }
        rest = rest.get(frame.size..).unwrap_or_default();
    }
    (blocks > 0).then_some(blocks * BLOCK)
}

/// Bytes of the syncframe that begins here, and whether it depends on the one before it; `None` where none begins.
pub fn frame_size(frame: &[u8]) -> Option<(usize, bool)> {
    Frame::parse(frame).ok().map(|frame| (frame.size, frame.kind == 1))
}

/// `chan_loc` (Annex F.6.1) in the order of a channel map (§E.1.3.1.8).
fn at_locations(locations: u16) -> u16 {
    // Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2.
    const PLACES: [u16; 9] = [0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010, 0x0008, 0x0002];
    PLACES.iter().enumerate().filter(|(bit, _)| locations >> bit & 1 == 1).map(|(_, place)| place).sum()
}

/// Some places of a map are pairs. Two mono channels have no places of their own.
fn channels(map: u16, acmod: u32) -> u8 {
    const PAIRS: u16 = 0x0400 | 0x0200 | 0x0040 | 0x0020 | 0x0010;
    let more = (map & !MAPS[acmod as usize & 7] & !LFE) as u32;
    let lfe = (map & LFE) as u8;
    CHANNELS[acmod as usize & 7]
        + lfe
        + more.count_ones() as u8
        + (more & u32::from(PAIRS)).count_ones() as u8
}

/// The header of a syncframe.
struct Frame {
    /// `strmtyp`: 1 is a dependent substream.
    kind: u32,
    substream: u32,
    size: usize,
    sample_rate: u32,
    blocks: u32,
    acmod: u32,
    lfe: bool,
    bsid: u32,
    /// Places that a dependent substream adds, as `chan_loc`.
    locations: u16,
}

impl Frame {
    fn parse(bytes: &[u8]) -> Result<Frame, Error> {
        let mut bits = Bits::new("E-AC-3", bytes);
        if bits.take(16)? != 0x0b77 {
            return Err(invalid("no syncword".into()));
        }
        let (kind, substream, size) = (bits.take(2)?, bits.take(3)?, 2 * (bits.take(11)? as usize + 1));
        let (rate, second) = (bits.take(2)? as usize, bits.take(2)? as usize);
        let (sample_rate, blocks) = match RATES.get(rate) {
            Some(rate) => (*rate, [1, 2, 3, 6][second]),
            None => (RATES.get(second).ok_or_else(|| invalid("sample rate code 3".into()))? / 2, 6),
        };
        let (acmod, lfe, bsid) = (bits.take(3)?, bits.flag()?, bits.take(5)?);
        if !(11..=16).contains(&bsid) {
            return Err(invalid(format!("bitstream identification {bsid} is not E-AC-3")));
        }
        let mut frame = Frame { kind, substream, size, sample_rate, blocks, acmod, lfe, bsid, locations: 0 };
        if kind == 1 {
            frame.locations = dependent_locations(&mut bits, acmod)?;
        }
        Ok(frame)
    }
}

/// `chanmap` behind the dialogue levels (§E.1.2.2), as `chan_loc`.
fn dependent_locations(bits: &mut Bits<'_>, acmod: u32) -> Result<u16, Error> {
    for _ in 0..if acmod == 0 { 2 } else { 1 } {
        bits.skip(5)?;
        if bits.flag()? {
            bits.skip(8)?;
        }
    }
    if !bits.flag()? {
        return Ok(0);
    }
    // From bit 5 of the map, the most significant being bit 0, places are in the order of `chan_loc`.
    let map = bits.take(16)? as u16;
    let place = |at: u16| map >> (15 - at) & 1;
    Ok((0..8).map(|bit| place(5 + bit) << bit).sum::<u16>() | place(14) << 8)
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "E-AC-3", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FFmpeg, 48 kHz, 5.1, 448 kbit/s.
    const FRAME: &[u8] = &[0x0b, 0x77, 0x03, 0x7f, 0x3f, 0x87, 0xe0, 0x00];

    fn sample() -> Vec<u8> {
        let mut sample = FRAME.to_vec();
        sample.resize(1792, 0);
        sample
    }

    #[test]
    fn a_frame_says_what_the_record_has() {
        let eac3 = Eac3::from_frame(&sample()).expect("a frame");
        assert_eq!((eac3.sample_rate, eac3.channels, eac3.frame_length), (48_000, 6, 1536));
        assert_eq!(eac3.record[..], [0x0e, 0x00, 0x20, 0x0f, 0x00]);
        assert_eq!((eac3.channel_map(), frame_samples(&sample())), (0xf801, Some(1536)));
    }

    #[test]
    fn a_dependent_substream_adds_channels() {
        // strmtyp 1 with acmod 2, and a chanmap that says Lrs/Rrs.
        let mut dependent = BitWriter::default();
        dependent.put(0x0b77, 16).put(1, 2).put(0, 3).put(7, 11).put(0, 2).put(3, 2).put(2, 3).put(0, 1);
        dependent.put(16, 5).put(31, 5).put(0, 1).put(1, 1).put(0x0200, 16);
        let mut dependent = dependent.finish();
        dependent.resize(16, 0);
        let eac3 = Eac3::from_frame(&[sample(), dependent].concat()).expect("7.1");
        assert_eq!((eac3.channels, eac3.channel_map()), (8, 0xfa01));
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..6 {
            assert!(Eac3::from_frame(&FRAME[..end]).is_err(), "{end}");
        }
        for end in 0..4 {
            assert!(
                Eac3::parse(Bytes::from_static(&[0x0e, 0x00, 0x20, 0x0f, 0x00][..end])).is_err(),
                "{end}"
            );
        }
    }
}
