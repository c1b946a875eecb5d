//! Bits of a configuration, most significant first, and the codes that they are written in.

use super::Error;

/// Most bytes of a parameter set that are looked at; those of encoders take about fifty.
const MOST_BYTES: usize = 4096;

/// Reads bits; running out of them is an error that names the codec.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    codec: &'static str,
}

impl<'a> Bits<'a> {
    pub(super) fn new(codec: &'static str, bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, at: 0, codec }
    }

    /// The next `count` bits, 32 at most.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Error> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Ok(value)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Error> {
        let byte = self.bytes.get(self.at / 8);
        let byte = byte.ok_or(Error::Truncated { codec: self.codec, len: self.bytes.len() })?;
        let flag = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(flag)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(8)? as u8)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.at = self.at.saturating_add(count);
        if self.at > self.bytes.len() * 8 {
            return Err(Error::Truncated { codec: self.codec, len: self.bytes.len() });
        }
        Ok(())
    }

    /// `ue(v)`: Exp-Golomb (ITU-T H.265 §9.2).
    pub(super) fn exp_golomb(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                let what = "an Exp-Golomb code of more than 32 bits".into();
                return Err(Error::Invalid { codec: self.codec, what });
            }
        }
        Ok((1u32 << zeros) - 1 + self.take(zeros)?)
    }

    /// `uvlc()` (AV1 §4.10.3): the same, but that a long run of zeros stands for the largest number.
    pub(super) fn uvlc(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        Ok(if zeros >= 32 { u32::MAX } else { (1u32 << zeros) - 1 + self.take(zeros)? })
    }
}

/// Writes bits.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    used: u32,
}

impl BitWriter {
    pub(super) fn put(&mut self, value: u32, count: u32) -> &mut BitWriter {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
        self
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// What a NAL unit says, without the bytes that keep start codes out of it (ITU-T H.264 §7.4.1, H.265 §7.4.2).
pub(crate) fn unescaped(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let mut zeros = 0;
    bytes.iter().copied().filter(move |&byte| {
        let escape = zeros >= 2 && byte == 3;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        !escape
    })
}

/// The beginning of a parameter set's RBSP.
pub(super) fn rbsp(bytes: &[u8]) -> Vec<u8> {
    unescaped(bytes).take(MOST_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_counts_zeros() {
        let mut bits = Bits::new("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<_> = (0..5).map(|_| bits.exp_golomb().expect("bits")).collect();
        assert_eq!(read, [0, 1, 2, 3, 4], "ITU-T H.265 table 9-2");
        assert!(Bits::new("test", &[0; 9]).exp_golomb().is_err());
    }

    #[test]
    fn what_was_written_is_read() {
        let mut writer = BitWriter::default();
        let bytes = writer.put(5, 3).put(0x1ff, 9).put(1, 4).finish();
        let mut bits = Bits::new("test", &bytes);
        assert_eq!([bits.take(3), bits.take(9), bits.take(4)], [Ok(5), Ok(0x1ff), Ok(1)]);
        assert_eq!(bits.take(1), Err(Error::Truncated { codec: "test", len: 2 }));
    }
}
