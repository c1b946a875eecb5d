//! The header that an AAC frame carries where there is no AudioSpecificConfig (ISO/IEC 14496-3 §1.A.2.2).

use media::codec::Aac;

/// What the headers of a track have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Adts {
    /// Audio object type less one.
    profile: u8,
    frequency_index: u8,
    channels: u8,
}

impl Adts {
    /// Bytes of the header, without CRC.
    pub(super) const HEADER: usize = 7;

    /// The headers of a track. `None` where they cannot say what it is: other object types than the first four beside
    /// HE (which is told by its core, and found by decoders), rates that have no index, more than seven channels'
    /// worth of configuration, frames of 960 samples.
    pub(super) fn of(aac: &Aac) -> Option<Adts> {
        let mut config = aac.config.iter().take(4).copied().chain(std::iter::repeat(0));
        let word = config.by_ref().take(4).fold(0u32, |word, byte| word << 8 | u32::from(byte));
        let field = |from: u32, bits: u32| (word << from >> (32 - bits)) as u8;
        let (frequency_index, channels) = (field(5, 4), field(9, 4));
        // HE says its extended rate, then the object type of its core.
        let extended = matches!(aac.object_type, 5 | 29);
        let core = if extended { field(17, 5) } else { field(0, 5) };
        let escaped = frequency_index > 12 || extended && field(13, 4) > 12;
        let whole = matches!(aac.frame_length, 1024 | 2048);
        let fits = (1..=4).contains(&core) && (1..=7).contains(&channels) && !escaped && whole;
        fits.then(|| Adts { profile: core - 1, frequency_index, channels })
    }

    /// Writes the header of a frame of so many bytes, which it can say: 8184 at most.
    pub(super) fn write(self, out: &mut Vec<u8>, frame: usize) {
        let len = frame + Adts::HEADER;
        // MPEG-4, no CRC; buffer fullness is that of a variable rate.
        out.extend_from_slice(&[
            0xff,
            0xf1,
            self.profile << 6 | self.frequency_index << 2 | self.channels >> 2,
            self.channels << 6 | (len >> 11) as u8,
            (len >> 3) as u8,
            (len << 5) as u8 | 0x1f,
            0xfc,
        ]);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn adts(config: &'static [u8]) -> Option<Adts> {
        Adts::of(&Aac::parse(Bytes::from_static(config)).expect("valid"))
    }

    #[test]
    fn low_complexity_stereo() {
        let mut out = Vec::new();
        adts(&[0x11, 0x90]).expect("it fits").write(&mut out, 300);
        assert_eq!(out, [0xff, 0xf1, 0x4c, 0x80, 0x26, 0x7f, 0xfc], "48 kHz, 2 channels, 307 bytes");
    }

    #[test]
    fn high_efficiency_is_told_by_its_core() {
        // 24 kHz core of stereo, 48 kHz extension, LC.
        let he = adts(&[0x2b, 0x11, 0x88, 0x00]);
        assert_eq!(he, Some(Adts { profile: 1, frequency_index: 6, channels: 2 }));
    }

    #[test]
    fn what_a_header_cannot_say_has_none() {
        assert_eq!(adts(&[0x12, 0x14]), None, "frames of 960");
        assert_eq!(adts(&[0xb9, 0x90]), None, "low delay");
        assert_eq!(adts(&[0x11, 0xd8]), None, "configuration 11");
    }
}
