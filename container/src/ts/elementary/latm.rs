//! AAC in LATM with LOAS framing (ISO/IEC 14496-3 §1.7): one program, one layer, one frame in a unit, as encoders send it.

use super::Found;

/// Bytes before what `audioMuxLengthBytes` counts.
const HEADER: usize = 3;

/// Takes LOAS units apart; remembers the configuration, which is not in each of them.
#[derive(Debug, Default)]
pub struct Latm {
    config: Option<Config>,
}

/// `StreamMuxConfig`, as far as units depend on it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Config {
    /// The AudioSpecificConfig, its last byte filled up with zeros.
    specific: Vec<u8>,
}

/// A frame of AAC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The AudioSpecificConfig that is in force.
    pub config: Vec<u8>,
    /// The raw frame. In the unit it does not stand at whole bytes.
    pub data: Vec<u8>,
}

/// The length of the LOAS unit at the front (`AudioSyncStream`).
pub fn unit(bytes: &[u8]) -> Found<usize> {
    if matches!(bytes, [first, ..] if *first != 0x56)
        || matches!(bytes, [_, second, ..] if second & 0xe0 != 0xe0)
    {
        return Found::Not;
    }
    let Some(&[_, high, low]) = bytes.first_chunk::<HEADER>() else { return Found::More };
    let length = HEADER + (usize::from(high & 0x1f) << 8 | usize::from(low));
    if length <= bytes.len() { Found::Unit(length) } else { Found::More }
}

impl Latm {
    /// The frame in a whole unit; `None` before a configuration came, and for what is not supported.
    pub fn frame(&mut self, unit: &[u8]) -> Option<Frame> {
        let mut bits = Bits { bytes: unit.get(HEADER..)?, at: 0 };
        let same = bits.take(1)? == 1;
        if !same {
            self.config = mux_config(&mut bits);
        }
        let config = self.config.as_ref()?;
        // `PayloadLengthInfo`: bytes of the frame, in numbers that go on after each 255.
        let mut length = 0;
        loop {
            let more = bits.take(8)? as usize;
            length += more;
            if more != 255 {
                break;
            }
        }
        let data: Option<Vec<u8>> = (0..length).map(|_| bits.take(8).map(|byte| byte as u8)).collect();
        let data = data.filter(|data| !data.is_empty())?;
        Some(Frame { config: config.specific.clone(), data })
    }
}

/// `StreamMuxConfig` (§1.7.3, Table 1.42); `None` for what encoders do not send.
fn mux_config(bits: &mut Bits<'_>) -> Option<Config> {
    let version = bits.take(1)?;
    if version == 1 {
        if bits.take(1)? == 1 {
            return None;
        }
        bits.value()?;
    }
    let (same_time, frames, programs, layers) = (bits.take(1)?, bits.take(6)?, bits.take(4)?, bits.take(3)?);
    if (same_time, frames, programs, layers) != (1, 0, 0, 0) {
        return None;
    }
    let whole = match version {
        1 => Some(bits.value()? as usize),
        _ => None,
    };
    let start = bits.at;
    audio_specific_config(bits)?;
    let length = whole.unwrap_or(bits.at - start);
    if length < bits.at - start {
        return None;
    }
    let specific = bits.copy(start, length)?;
    bits.at = start + length;
    // `frameLengthType` 0 with `latmBufferFullness`.
    if bits.take(3)? != 0 {
        return None;
    }
    bits.take(8)?;
    if bits.take(1)? == 1 {
        other_data(bits, version)?;
    }
    if bits.take(1)? == 1 {
        bits.take(8)?;
    }
    Some(Config { specific })
}

/// The length of what else is in the unit; it stands behind the frame and is left there.
fn other_data(bits: &mut Bits<'_>, version: u32) -> Option<()> {
    if version == 1 {
        bits.value()?;
        return Some(());
    }
    while bits.take(9)? & 0x100 != 0 {}
    Some(())
}

/// Passes over an AudioSpecificConfig (§1.6.2.1) of the object types that stand in frames of 1024 or 960.
fn audio_specific_config(bits: &mut Bits<'_>) -> Option<()> {
    let mut object_type = bits.object_type()?;
    bits.sample_rate()?;
    let channels = bits.take(4)?;
    if matches!(object_type, 5 | 29) {
        bits.sample_rate()?;
        object_type = bits.object_type()?;
    }
    // GASpecificConfig (§4.4.1); a program config element is not supported.
    if !matches!(object_type, 1..=4) || channels == 0 {
        return None;
    }
    bits.take(1)?;
    if bits.take(1)? == 1 {
        bits.take(14)?;
    }
    bits.take(1).filter(|extension| *extension == 0).map(drop)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        if count == 8 {
            return self.byte();
        }
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn byte(&mut self) -> Option<u32> {
        let (at, shift) = (self.at / 8, self.at % 8);
        let high = u32::from(*self.bytes.get(at)?);
        let low = if shift == 0 { 0 } else { u32::from(*self.bytes.get(at + 1)?) };
        self.at += 8;
        Some((high << 8 | low) >> (8 - shift) & 0xff)
    }

    fn copy(&self, start: usize, length: usize) -> Option<Vec<u8>> {
        let mut bits = Bits { bytes: self.bytes, at: start };
        let mut bytes = Vec::with_capacity(length.div_ceil(8).min(64));
        for left in (0..length.div_ceil(8)).map(|at| length - at * 8) {
            let count = left.min(8);
            bytes.push((bits.take(count)? << (8 - count)) as u8);
        }
        Some(bytes)
    }

    /// `LatmGetValue`.
    fn value(&mut self) -> Option<u32> {
        let count = self.take(2)? + 1;
        (0..count).try_fold(0u32, |sum, _| Some(sum << 8 | self.take(8)?))
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            short => Some(short),
        }
    }

    fn sample_rate(&mut self) -> Option<()> {
        if self.take(4)? == 15 {
            self.take(24)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as 0 and 1, spaces aside, behind a LOAS header.
    fn loas(bits: &str, data: &[u8]) -> Vec<u8> {
        let data = data.iter().map(|byte| format!("{byte:08b}"));
        let all: String = bits.to_owned() + &data.collect::<String>();
        let mut all: Vec<u8> = all.bytes().filter(|byte| *byte != b' ').map(|byte| byte - b'0').collect();
        all.resize(all.len().next_multiple_of(8), 0);
        let bytes: Vec<u8> =
            all.chunks(8).map(|bits| bits.iter().fold(0, |sum, bit| sum << 1 | bit)).collect();
        [&[0x56, 0xe0 | (bytes.len() >> 8) as u8, bytes.len() as u8][..], &bytes].concat()
    }

    // A new configuration: version 0, LC, 48 kHz, stereo, no other data, no checksum; then three bytes.
    const FIRST: &str = "0 0 1 000000 0000 000 00010 0011 0010 000 000 11111111 0 0 00000011";

    #[test]
    fn the_configuration_stays_in_force() {
        let mut latm = Latm::default();
        let next = loas("1 00000010", &[7, 8]);
        assert_eq!(latm.frame(&next), None, "before there is one");
        let first = latm.frame(&loas(FIRST, &[1, 2, 3])).expect("a frame");
        assert_eq!(first, Frame { config: vec![0x11, 0x90], data: vec![1, 2, 3] });
        assert_eq!(latm.frame(&next), Some(Frame { config: vec![0x11, 0x90], data: vec![7, 8] }));
    }

    #[test]
    fn units_end_where_they_say() {
        let first = loas(FIRST, &[1, 2, 3]);
        assert_eq!(unit(&[&first[..], &[0x56]].concat()), Found::Unit(first.len()));
        (0..first.len()).for_each(|end| assert_eq!(unit(&first[..end]), Found::More, "{end} bytes"));
        assert_eq!(unit(&[0x56, 0x10]), Found::Not);
    }

    #[test]
    fn what_breaks_off_is_no_frame() {
        let first = loas(FIRST, &[1, 2, 3]);
        (0..first.len() - 1)
            .for_each(|end| assert_eq!(Latm::default().frame(&first[..end]), None, "{end} bytes"));
    }
}
