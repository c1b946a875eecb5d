//! How frames of sound stand in their stream, and what the map calls that.

use media::Codec;

use super::adts::Adts;

/// `frame_length` of ADTS has 13 bits; no frame of MPEG audio is as long.
const MOST: usize = (1 << 13) - 1;

/// The framing of a track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Framing(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// AAC, each frame behind a header.
    Adts(Adts),
    /// MPEG-1 audio, whose frames have headers of their own.
    Mpeg1,
    /// The same of MPEG-2.
    Mpeg2,
}

impl Framing {
    /// The framing of a codec. `None` for what is not written here: pictures, sound but AAC and MPEG audio, and AAC that
    /// ADTS headers cannot describe.
    pub fn of(codec: &Codec) -> Option<Framing> {
        Some(Framing(match codec {
            Codec::Aac(aac) => Kind::Adts(Adts::of(aac)?),
            Codec::MpegAudio(audio) if audio.is_mpeg2() => Kind::Mpeg2,
            Codec::MpegAudio(_) => Kind::Mpeg1,
            _ => return None,
        }))
    }

    /// `stream_type` (ISO/IEC 13818-1 Table 2-34).
    pub(super) fn stream_type(self) -> u8 {
        match self.0 {
            Kind::Adts(_) => 0x0f,
            Kind::Mpeg1 => 0x03,
            Kind::Mpeg2 => 0x04,
        }
    }

    /// Whether a frame can stand in the stream: it is not longer than a header can say.
    pub(super) fn takes(self, frame: &[u8]) -> bool {
        let header = if let Kind::Adts(_) = self.0 { Adts::HEADER } else { 0 };
        frame.len() + header <= MOST
    }

    /// Writes a frame with what stands before it; nothing where it does not take it.
    pub(super) fn write(self, out: &mut Vec<u8>, frame: &[u8]) {
        if !self.takes(frame) {
            return;
        }
        if let Kind::Adts(adts) = self.0 {
            adts.write(out, frame.len());
        }
        out.extend_from_slice(frame);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::codec::{Aac, MpegAudio, Opus};

    use super::*;

    fn aac() -> Framing {
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        Framing::of(&Codec::Aac(aac)).expect("it fits")
    }

    #[test]
    fn frames_of_mpeg_audio_stand_as_they_are() {
        let framing = |rate| Framing::of(&Codec::MpegAudio(MpegAudio::new(rate, 2).expect("it")));
        let (mpeg1, mpeg2) = (framing(32_000).expect("it"), framing(24_000).expect("it"));
        assert_eq!([aac(), mpeg1, mpeg2].map(Framing::stream_type), [0x0f, 0x03, 0x04]);
        let mut out = Vec::new();
        mpeg1.write(&mut out, &[0xff, 0xfd, 0xa4, 0]);
        mpeg2.write(&mut out, &[0xff, 0xf5, 0x84, 0]);
        assert_eq!(out, [0xff, 0xfd, 0xa4, 0, 0xff, 0xf5, 0x84, 0]);
        assert_eq!(Framing::of(&Codec::Opus(Opus::new(2, 312).expect("Opus"))), None);
    }

    #[test]
    fn a_frame_that_is_too_long_is_left_out() {
        let mut out = Vec::new();
        aac().write(&mut out, &[0; 8185]);
        assert!(out.is_empty() && !aac().takes(&[0; 8185]));
        aac().write(&mut out, &[0; 8184]);
        assert_eq!(out.len(), 8191);
    }
}
