//! AAC: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).

use bytes::Bytes;

use super::Error;

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// AAC with its AudioSpecificConfig.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aac {
    /// The AudioSpecificConfig as the encoder sent it.
    pub config: Bytes,
    /// Audio object type that names the profile: 2 is LC, 5 is HE (explicit SBR), 29 is HE v2.
    pub object_type: u8,
    /// Output samples per second.
    pub sample_rate: u32,
    /// Output channels.
    pub channels: u8,
    /// Output samples per frame: 1024, 960 or 2048 with SBR (1920 for 960).
    pub frame_length: u32,
}

impl Aac {
    /// Reads an AudioSpecificConfig.
    pub fn parse(config: Bytes) -> Result<Aac, Error> {
        let mut bits = Bits { bytes: &config, at: 0 };
        let mut object_type = bits.object_type()?;
        let mut sample_rate = bits.sample_rate()?;
        let configuration = bits.take(4)?;
        let mut sbr = false;
        let profile = object_type;
        if object_type == 5 || object_type == 29 {
            sbr = true;
            sample_rate = bits.sample_rate()?;
            object_type = bits.object_type()?;
        }
        if !matches!(object_type, 1..=4 | 17 | 23) {
            return Err(invalid(format!(
                "audio object type {object_type} is not AAC in frames of 1024 or 960"
            )));
        }
        let short = bits.take(1)? == 1;
        let channels = match configuration {
            0 => return Err(invalid("channels given by a program config element are not supported".into())),
            count @ 1..=6 => count as u8,
            7 | 12 | 14 => 8,
            11 => 7,
            other => return Err(invalid(format!("channel configuration {other} is reserved"))),
        };
        let frame_length = if short { 960 } else { 1024 } * if sbr { 2 } else { 1 };
        // Parametric stereo makes two channels of one.
        let channels = if profile == 29 && channels == 1 { 2 } else { channels };
        Ok(Aac { config, object_type: profile, sample_rate, channels, frame_length })
    }

    /// `mp4a.40.2` and the like (RFC 6381 §3.3).
    pub fn rfc6381(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "AAC", what }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Result<u32, Error> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self
                .bytes
                .get(self.at / 8)
                .ok_or(Error::Truncated { codec: "AAC", len: self.bytes.len() })?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    fn object_type(&mut self) -> Result<u8, Error> {
        Ok(match self.take(5)? {
            31 => 32 + self.take(6)? as u8,
            short => short as u8,
        })
    }

    fn sample_rate(&mut self) -> Result<u32, Error> {
        let rate = match self.take(4)? as usize {
            15 => self.take(24)?,
            index => *RATES
                .get(index)
                .ok_or_else(|| invalid(format!("sampling frequency index {index} is reserved")))?,
        };
        if (7_000..=192_000).contains(&rate) { Ok(rate) } else { Err(invalid(format!("{rate} Hz"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(config: &[u8]) -> Result<Aac, Error> {
        Aac::parse(Bytes::copy_from_slice(config))
    }

    #[test]
    fn low_complexity_stereo() {
        let aac = parse(&[0x11, 0x90]).expect("valid");
        assert_eq!((aac.sample_rate, aac.channels, aac.frame_length), (48_000, 2, 1024));
        assert_eq!(aac.rfc6381(), "mp4a.40.2");
    }

    #[test]
    fn explicit_sbr_counts_at_the_output_rate() {
        // AOT 5, 24 kHz core, stereo, 48 kHz extension, AOT 2.
        let aac = parse(&[0x2b, 0x11, 0x88, 0x00]).expect("valid");
        assert_eq!((aac.object_type, aac.sample_rate, aac.frame_length), (5, 48_000, 2048));
        assert_eq!(aac.rfc6381(), "mp4a.40.5");
    }

    #[test]
    fn frames_of_960() {
        let aac = parse(&[0x12, 0x14]).expect("valid");
        assert_eq!((aac.sample_rate, aac.channels, aac.frame_length), (44_100, 2, 960));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert_eq!(parse(&[]), Err(Error::Truncated { codec: "AAC", len: 0 }));
        assert_eq!(parse(&[0x11]), Err(Error::Truncated { codec: "AAC", len: 1 }));
        assert!(matches!(parse(&[0x16, 0x90]), Err(Error::Invalid { .. })), "reserved rate index");
        assert!(matches!(parse(&[0x11, 0x80]), Err(Error::Invalid { .. })), "program config element");
    }
}
