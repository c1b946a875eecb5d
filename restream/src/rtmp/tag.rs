//! What stands before a configuration or a frame in an RTMP message: FLV tag headers (Adobe FLV 10.1, Annex E.4), and
//! those of Enhanced RTMP for codecs that came later.

use bytes::Bytes;
use media::{Codec, Kind, Sync};

use super::amf::{self, Value};

/// A tag without its payload.
pub type Head = Vec<u8>;

/// Whether RTMP has a name for a codec. Of MPEG audio it knows Layer III alone.
pub fn is_known(codec: &Codec) -> bool {
    !matches!(codec, Codec::MpegAudio(_))
}

/// Codecs that need Enhanced RTMP, as its `fourCcList` names them; `None` for those that RTMP always had, and those
/// that it cannot carry.
pub fn four_cc(codec: &Codec) -> Option<&'static str> {
    match codec {
        Codec::Avc(_) | Codec::Aac(_) | Codec::MpegAudio(_) => None,
        Codec::Hevc(_) => Some("hvc1"),
        Codec::Av1(_) => Some("av01"),
        Codec::Vp9(_) => Some("vp09"),
        Codec::Opus(_) => Some("Opus"),
        Codec::Ac3(_) => Some("ac-3"),
        Codec::Eac3(_) => Some("ec-3"),
        Codec::Flac(_) => Some("fLaC"),
    }
}

/// Packet types of Enhanced RTMP.
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
/// The same without a composition time, which is zero.
const CODED_FRAMES_X: u8 = 3;

/// The tag that says how what follows is coded; none where frames say it themselves.
pub fn configuration(codec: &Codec) -> Option<(Head, Bytes)> {
    Some(match codec {
        Codec::Avc(avc) => (vec![0x17, 0, 0, 0, 0], avc.record.clone()),
        Codec::Aac(aac) => (vec![0xaf, 0], aac.config.clone()),
        Codec::Ac3(_) | Codec::Eac3(_) | Codec::MpegAudio(_) => return None,
        Codec::Opus(opus) => (enhanced(codec, true, SEQUENCE_START), opus_head(&opus.record)),
        Codec::Flac(flac) => {
            // The marker, and the head of a metadata block that is the last (RFC 9639 §8.1).
            let block = [b"fLaC\x80\0\0\x22", &flac.record[..]].concat();
            (enhanced(codec, true, SEQUENCE_START), block.into())
        }
        Codec::Hevc(_) | Codec::Av1(_) | Codec::Vp9(_) => {
            (enhanced(codec, true, SEQUENCE_START), codec.record().clone())
        }
    })
}

/// The head of a frame. `composition` is how many milliseconds it is shown after it is decoded.
pub fn frame(codec: &Codec, sync: Sync, composition: i32) -> Head {
    let key = sync != Sync::No;
    let [_, a, b, c] = composition.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
    match codec {
        Codec::Avc(_) => vec![if key { 0x17 } else { 0x27 }, 1, a, b, c],
        Codec::Aac(_) => vec![0xaf, 1],
        Codec::Hevc(_) if composition == 0 => enhanced(codec, key, CODED_FRAMES_X),
        Codec::Hevc(_) => [&enhanced(codec, key, CODED_FRAMES)[..], &[a, b, c]].concat(),
        _ => enhanced(codec, key, CODED_FRAMES),
    }
}

/// The header of Enhanced RTMP: kind, packet type, four characters.
fn enhanced(codec: &Codec, key: bool, packet: u8) -> Head {
    let first = match (codec.kind(), key) {
        (Kind::Audio, _) => 0x90,
        (_, true) => 0x90,
        (_, false) => 0xa0,
    };
    let mut head = vec![first | packet];
    head.extend_from_slice(four_cc(codec).unwrap_or("avc1").as_bytes());
    head
}

/// The identification header (RFC 7845 §5.1) out of what MP4 keeps, whose numbers are big-endian.
fn opus_head(record: &[u8]) -> Bytes {
    let Some((&[_, channels, s0, s1, r0, r1, r2, r3, g0, g1], rest)) = record.split_first_chunk::<10>()
    else {
        return Bytes::new();
    };
    let mut head = b"OpusHead\x01".to_vec();
    head.extend_from_slice(&[channels, s1, s0, r3, r2, r1, r0, g1, g0]);
    head.extend_from_slice(rest);
    head.into()
}

/// What `@setDataFrame` says of a stream (Adobe FLV 10.1, E.5).
pub fn metadata(video: Option<&Codec>, audio: Option<&Codec>, frame_rate: Option<f64>) -> Bytes {
    let agent = concat!("Headwater/", env!("CARGO_PKG_VERSION"));
    let mut facts: Vec<(&str, Value)> = vec![("encoder", agent.into())];
    if let Some((video, picture)) = video.and_then(|video| Some((video, video.picture()?))) {
        facts.push(("width", f64::from(picture.width).into()));
        facts.push(("height", f64::from(picture.height).into()));
        facts.push(("videocodecid", codec_id(video, 7.0).into()));
    }
    if let Some(rate) = frame_rate {
        facts.push(("framerate", rate.into()));
    }
    if let Some((audio, sound)) = audio.and_then(|audio| Some((audio, audio.sound()?))) {
        facts.push(("audiosamplerate", f64::from(sound.sample_rate).into()));
        facts.push(("audiochannels", f64::from(sound.channels).into()));
        facts.push(("stereo", Value::Boolean(sound.channels > 1)));
        facts.push(("audiocodecid", codec_id(audio, 10.0).into()));
    }
    amf::write(&["@setDataFrame".into(), "onMetaData".into(), amf::object(facts)]).into()
}

/// Enhanced RTMP takes the four characters as a number.
fn codec_id(codec: &Codec, usual: f64) -> f64 {
    let four = four_cc(codec).and_then(|four_cc| four_cc.as_bytes().first_chunk().copied());
    four.map_or(usual, |four| f64::from(u32::from_be_bytes(four)))
}

#[cfg(test)]
mod tests {
    use media::codec::{Aac, MpegAudio, Opus};

    use super::*;

    #[test]
    fn heads_are_those_of_the_format() {
        let aac = Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid"));
        assert_eq!(configuration(&aac), Some((vec![0xaf, 0], Bytes::from_static(&[0x11, 0x90]))));
        assert_eq!(frame(&aac, Sync::Yes, 0), [0xaf, 1]);
        let opus = Codec::Opus(Opus::new(2, 312).expect("valid"));
        let (head, body) = configuration(&opus).expect("it has one");
        assert_eq!(head, b"\x90Opus");
        assert_eq!(body[..], b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"[..]);
        let again = Opus::parse(body).expect("it is read as it is written");
        assert_eq!(Codec::Opus(again), opus);
        assert_eq!(frame(&opus, Sync::Yes, 0), b"\x91Opus");
        let mpeg = Codec::MpegAudio(MpegAudio::new(48_000, 2).expect("valid"));
        assert!(is_known(&aac) && is_known(&opus) && !is_known(&mpeg));
    }
}
