//! Headers of Adobe FLV 10.1 (E.4.2.1, E.4.3.1). HEVC under the codec number 12, which is no part of it and which
//! encoders in China send, is read as well: its header is that of H.264.

use media::Kind;

use super::reader::{Reader, Stop};
use super::{Content, Data, Error, FourCc, Packet, Tag, supported};

/// Frame type of what is no picture.
pub(super) const COMMAND: u8 = 5;
const AAC: u8 = 10;

pub(super) fn video(first: u8, reader: &mut Reader<'_>) -> Result<Tag, Stop> {
    if first >> 4 == COMMAND {
        return Ok(tag(reader, Content::Nothing));
    }
    let codec = match first & 0x0f {
        7 => FourCc::AVC,
        12 => FourCc::HEVC,
        codec => return Err(unsupported(Kind::Video, video_codec(codec)).into()),
    };
    let [packet] = reader.take()?;
    let composition_time = reader.signed_24()?;
    let data = match packet {
        0 => Data::Configuration,
        1 => Data::Frame { keyframe: matches!(first >> 4, 1 | 4), composition_time },
        2 => Data::End,
        packet => return Err(Error::Reserved { kind: "video", packet }.into()),
    };
    Ok(tag(reader, Content::Packet(Packet { track: 0, codec, data })))
}

pub(super) fn audio(first: u8, reader: &mut Reader<'_>) -> Result<Tag, Stop> {
    if first >> 4 != AAC {
        return Err(unsupported(Kind::Audio, audio_codec(first >> 4)).into());
    }
    let data = match reader.take()? {
        [0] => Data::Configuration,
        [1] => Data::Frame { keyframe: true, composition_time: 0 },
        [packet] => return Err(Error::Reserved { kind: "audio", packet }.into()),
    };
    Ok(tag(reader, Content::Packet(Packet { track: 0, codec: FourCc::AAC, data })))
}

fn tag(reader: &Reader<'_>, content: Content) -> Tag {
    Tag { header: reader.at(), enhanced: false, nanos: 0, content }
}

fn unsupported(kind: Kind, codec: &'static str) -> Error {
    Error::Unsupported { kind: kind.as_str(), codec, instead: supported(kind) }
}

fn video_codec(codec: u8) -> &'static str {
    match codec {
        2 => "Sorenson H.263",
        3 | 6 => "Screen video",
        4 | 5 => "VP6",
        _ => "an unknown codec for",
    }
}

fn audio_codec(format: u8) -> &'static str {
    match format {
        0 | 3 => "PCM",
        1 => "ADPCM",
        2 | 14 => "MP3",
        4..=6 => "Nellymoser",
        7 | 8 => "G.711",
        11 => "Speex",
        _ => "an unknown codec for",
    }
}
