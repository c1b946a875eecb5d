//! Headers of Enhanced RTMP: ExVideoTagHeader and ExAudioTagHeader, with modifiers and several tracks.

use media::Kind;

use super::legacy::COMMAND;
use super::reader::{Reader, Stop};
use super::{Content, Data, Error, FourCc, Packet, Tag, Tracks};

/// Packet types (VideoPacketType, AudioPacketType). Those without a kind in their name are the same for both.
pub(super) mod packet {
    pub(in super::super) const SEQUENCE_START: u8 = 0;
    pub(in super::super) const CODED_FRAMES: u8 = 1;
    pub(in super::super) const SEQUENCE_END: u8 = 2;
    pub(in super::super) const VIDEO_CODED_FRAMES_X: u8 = 3;
    pub(in super::super) const VIDEO_METADATA: u8 = 4;
    pub(in super::super) const AUDIO_MULTICHANNEL_CONFIG: u8 = 4;
    pub(in super::super) const VIDEO_MPEG2TS_SEQUENCE_START: u8 = 5;
    pub(in super::super) const AUDIO_MULTITRACK: u8 = 5;
    pub(in super::super) const VIDEO_MULTITRACK: u8 = 6;
    pub(in super::super) const MOD_EX: u8 = 7;
}

/// Ways to carry tracks (AvMultitrackType).
const ONE_TRACK: u8 = 0;
const MANY_TRACKS: u8 = 1;
const MANY_TRACKS_MANY_CODECS: u8 = 2;

/// The modifier that is defined.
const TIMESTAMP_OFFSET_NANO: u8 = 0;
/// The most that it may say.
const MAX_NANOS: u32 = 999_999;

/// What a packet type and the frame type in front of it say of the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Says {
    pub(super) kind: Kind,
    pub(super) packet: u8,
    pub(super) keyframe: bool,
}

pub(super) fn read(kind: Kind, first: u8, reader: &mut Reader<'_>) -> Result<Tag, Stop> {
    let frame_type = first >> 4 & 7;
    let keyframe = kind == Kind::Audio || matches!(frame_type, 1 | 4);
    let (mut packet, mut nanos) = (first & 0x0f, 0);
    while packet == packet::MOD_EX {
        packet = modifier(kind, reader, &mut nanos)?;
    }
    let content = match (kind, packet) {
        (Kind::Video, packet) if frame_type == COMMAND && packet != packet::VIDEO_METADATA => {
            Content::Nothing
        }
        (Kind::Video, packet::VIDEO_MULTITRACK) | (Kind::Audio, packet::AUDIO_MULTITRACK) => {
            multitrack(kind, keyframe, reader)?
        }
        (kind, packet) => {
            let says = Says::new(kind, packet, keyframe)?;
            let codec = FourCc(reader.take()?);
            Content::Packet(Packet { track: 0, codec, data: says.data(codec, reader)? })
        }
    };
    Ok(Tag { header: reader.at(), enhanced: true, nanos, content })
}

/// One modifier, and the packet type that follows it. What one says that is not known is no reason not to go on.
fn modifier(kind: Kind, reader: &mut Reader<'_>, nanos: &mut u32) -> Result<u8, Stop> {
    let [size] = reader.take()?;
    let size = match size {
        u8::MAX => usize::from(u16::from_be_bytes(reader.take()?)) + 1,
        size => usize::from(size) + 1,
    };
    let data = reader.slice(size)?.ok_or(Error::TooLong { kind: kind.as_str() })?;
    let [next] = reader.take()?;
    if let (TIMESTAMP_OFFSET_NANO, &[a, b, c, ..]) = (next >> 4, data) {
        *nanos = u32::from_be_bytes([0, a, b, c]).min(MAX_NANOS);
    }
    Ok(next & 0x0f)
}

fn multitrack(kind: Kind, keyframe: bool, reader: &mut Reader<'_>) -> Result<Content, Stop> {
    let [both] = reader.take()?;
    let says = Says::new(kind, both & 0x0f, keyframe)?;
    Ok(match both >> 4 {
        ONE_TRACK => {
            let codec = FourCc(reader.take()?);
            let [track] = reader.take()?;
            Content::Packet(Packet { track, codec, data: says.data(codec, reader)? })
        }
        MANY_TRACKS => Content::Tracks(Tracks { says, codec: Some(FourCc(reader.take()?)) }),
        MANY_TRACKS_MANY_CODECS => Content::Tracks(Tracks { says, codec: None }),
        _ => return Err(Error::Reserved { kind: kind.as_str(), packet: both }.into()),
    })
}

impl Says {
    /// Refuses what is reserved, and what must not be inside a multitrack packet: another one, a modifier.
    fn new(kind: Kind, packet: u8, keyframe: bool) -> Result<Says, Error> {
        let known = match kind {
            Kind::Video => packet <= packet::VIDEO_MPEG2TS_SEQUENCE_START,
            Kind::Audio => packet <= packet::SEQUENCE_END || packet == packet::AUDIO_MULTICHANNEL_CONFIG,
        };
        match known {
            true => Ok(Says { kind, packet, keyframe }),
            false => Err(Error::Reserved { kind: kind.as_str(), packet }),
        }
    }

    /// What the payload of a track is, with the composition time in front of it.
    pub(super) fn data(self, codec: FourCc, reader: &mut Reader<'_>) -> Result<Data, Stop> {
        let frame = |composition_time| Data::Frame { keyframe: self.keyframe, composition_time };
        Ok(match (self.kind, self.packet) {
            (_, packet::SEQUENCE_START) => Data::Configuration,
            (Kind::Video, packet::CODED_FRAMES) if codec.has_composition_time() => frame(reader.signed_24()?),
            (_, packet::CODED_FRAMES) | (Kind::Video, packet::VIDEO_CODED_FRAMES_X) => frame(0),
            (_, packet::SEQUENCE_END) => Data::End,
            (Kind::Audio, _) => Data::Channels,
            (Kind::Video, _) => Data::Aside,
        })
    }
}
