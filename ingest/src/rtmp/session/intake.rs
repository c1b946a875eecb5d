//! Media messages to inputs of a publication.
//!
//! A track is what came with one number among its kind; what names none is track 0, whatever its header. What speakers
//! channels are for (MultichannelConfig) and what color pictures have (Metadata) is not read: all codecs that are taken
//! say so themselves.

mod described;

use std::collections::BTreeMap;

use container::flv::{self, Content, Data, FourCc, Packet, Tag};
use media::{Codec, Kind, Sample, Slice, Timescale, Track, TrackId};
use stream::Input;

use super::super::amf::{Object, Value};
use super::super::clock::Clock;
use super::super::message::{Message, kind};
use super::counters::Counters;
use super::{Fault, adts};
use described::Described;

/// Messages of codecs that are not taken after which a publisher is refused who sends nothing else of the kind: one to
/// two seconds. Beside a track that is taken they do no harm.
const UNKNOWN_ALONE: u64 = 60;

/// The tracks of one publication as far as they are known.
pub(super) struct Intake {
    clock: Clock,
    /// Tracks of each kind at most.
    limit: u8,
    tracks: BTreeMap<TrackId, Described>,
    /// The configuration of the first audio track was made from ADTS headers.
    adts: bool,
    announced: bool,
    begun: bool,
    /// Messages of unknown codecs: pictures, sound.
    unknown: (u64, u64),
    counters: Counters,
}

/// What of a message is the same for all of its packets.
#[derive(Clone, Copy)]
struct Stamp {
    kind: Kind,
    enhanced: bool,
    /// Milliseconds, wrapping.
    timestamp: u32,
    /// To be added to those.
    nanos: u32,
    /// Milliseconds after that.
    later: i64,
}

impl Intake {
    /// Of a publication that may have so many tracks of each kind.
    pub(super) fn new(limit: u8) -> Intake {
        Intake {
            clock: Clock::default(),
            limit,
            tracks: BTreeMap::new(),
            adts: false,
            announced: false,
            begun: false,
            unknown: (0, 0),
            counters: Counters::default(),
        }
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    fn ignore(&mut self) {
        self.counters.ignored += 1;
    }

    /// Turns an audio or video message into inputs.
    pub(super) fn media(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        match self.message(message, out) {
            refused @ Err(Fault::Tag(flv::Error::Unsupported { .. } | flv::Error::Unknown { .. })) => refused,
            Err(Fault::Tag(_)) => {
                self.ignore();
                Ok(())
            }
            other => other,
        }
    }

    /// What metadata announces: once, and only before the media itself says it.
    ///
    /// Encoders disagree about which properties they send, and some send none that are true.
    pub(super) fn metadata(&mut self, metadata: &Object) -> Option<Input> {
        let any = |names: &[&str]| names.iter().any(|name| metadata.get(name).is_some_and(says_something));
        let video = any(&["videocodecid", "width", "videodatarate", "videoTrackIdInfoMap"]);
        let audio = any(&["audiocodecid", "audiosamplerate", "audiodatarate", "audioTrackIdInfoMap"]);
        if self.announced || self.begun || !(video || audio) {
            return None;
        }
        self.announced = true;
        Some(Input::Announce { video, audio })
    }

    fn message(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        let kind = if message.kind == kind::VIDEO { Kind::Video } else { Kind::Audio };
        let tag = Tag::parse(kind, &message.head)?;
        self.counters.enhanced += u64::from(tag.enhanced);
        let (enhanced, nanos, timestamp) = (tag.enhanced, tag.nanos, message.timestamp);
        let stamp = Stamp { kind, enhanced, timestamp, nanos, later: 0 };
        match tag.content {
            Content::Nothing => {}
            Content::Packet(packet) => self.packet(stamp, packet, message.body, out)?,
            Content::Tracks(tracks) => {
                for one in tracks.split(&message.body) {
                    let (packet, at) = one?;
                    self.packet(stamp, packet, message.body.slice(at), out)?;
                }
            }
        }
        Ok(())
    }

    fn packet(
        &mut self,
        stamp: Stamp,
        packet: Packet,
        data: Slice,
        out: &mut dyn FnMut(Input),
    ) -> Result<(), Fault> {
        let id = TrackId { kind: stamp.kind, index: packet.track };
        if packet.track >= self.limit {
            self.ignore();
            return Ok(());
        }
        if !Described::takes(id.kind, packet.codec) {
            return Ok(self.miss(id.kind, packet.codec)?);
        }
        match packet.data {
            Data::End | Data::Channels | Data::Aside => {}
            Data::Configuration if data.is_empty() && !Described::needs_none(packet.codec) => self.ignore(),
            Data::Configuration => {
                self.adts &= id != TrackId::AUDIO;
                self.configure(stamp, id, packet.codec, &data, out)?;
            }
            Data::Frame { .. } if data.is_empty() => self.ignore(),
            Data::Frame { .. } if self.has_adts(stamp, id, packet.codec, &data) => {
                self.adts_frames(stamp, data, out)?;
            }
            Data::Frame { keyframe, composition_time } => {
                self.frame(stamp, id, packet.codec, (keyframe, composition_time), data, out)?;
            }
        }
        Ok(())
    }

    /// A codec that is not taken is skipped beside one that is; a publisher of nothing else is told why.
    fn miss(&mut self, kind: Kind, codec: FourCc) -> Result<(), flv::Error> {
        self.ignore();
        let unknown = match kind {
            Kind::Video => &mut self.unknown.0,
            Kind::Audio => &mut self.unknown.1,
        };
        *unknown += 1;
        if *unknown < UNKNOWN_ALONE || self.tracks.keys().any(|id| id.kind == kind) {
            return Ok(());
        }
        Err(flv::Error::Unknown { kind: kind.as_str(), codec, instead: flv::supported(kind) })
    }

    /// A configuration that is repeated says nothing new.
    fn configure(
        &mut self,
        stamp: Stamp,
        id: TrackId,
        codec: FourCc,
        config: &[u8],
        out: &mut dyn FnMut(Input),
    ) -> Result<(), Fault> {
        let known = self.tracks.get(&id);
        if known.is_some_and(|known| known.is(codec, config)) {
            return Ok(());
        }
        let described = Described::new(codec, config, stamp.enhanced)?;
        if known.is_some_and(|known| known.equals(&described)) {
            return Ok(());
        }
        self.tell(id, described.track(), out);
        self.tracks.insert(id, described);
        Ok(())
    }

    fn tell(&mut self, id: TrackId, track: Option<Track>, out: &mut dyn FnMut(Input)) {
        if let Some(track) = track {
            self.begun = true;
            out(Input::Track { id, track });
        }
    }

    /// A picture, or a frame of audio.
    fn frame(
        &mut self,
        stamp: Stamp,
        id: TrackId,
        codec: FourCc,
        (keyframe, offset): (bool, i32),
        data: Slice,
        out: &mut dyn FnMut(Input),
    ) -> Result<(), Fault> {
        if Described::needs_none(codec) && !self.tracks.contains_key(&id) {
            self.tracks.insert(id, Described::new(codec, &[], stamp.enhanced)?);
        }
        let known = self.tracks.get_mut(&id).filter(|known| known.holds(codec));
        let learned = known.map(|known| (known.learn(keyframe, &data), &*known));
        let Some((other, known, said)) =
            learned.and_then(|(other, known)| Some((other, known, known.codec()?)))
        else {
            self.counters.unconfigured += 1;
            return Ok(());
        };
        let sync = said.classify(keyframe, &data);
        let millis = self.clock.unwrap(stamp.timestamp) + stamp.later;
        let (dts, composition_offset) = stamp.times(millis, known.scale(), offset);
        match id.kind {
            Kind::Video => self.counters.video += 1,
            Kind::Audio => self.counters.audio += 1,
        }
        let track = if other { known.track() } else { None };
        self.tell(id, track, out);
        out(Input::Sample { id, sample: Sample { dts, composition_offset, duration: 0, sync, data } });
        Ok(())
    }

    /// Whether it is AAC of an encoder that sends ADTS headers and no configuration.
    fn has_adts(&self, stamp: Stamp, id: TrackId, codec: FourCc, data: &[u8]) -> bool {
        let unsaid = id == TrackId::AUDIO && (self.adts || !self.tracks.contains_key(&id));
        unsaid && !stamp.enhanced && codec == FourCc::AAC && adts::parse(data).is_some()
    }

    fn adts_frames(&mut self, stamp: Stamp, data: Slice, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        let (mut at, mut stamp) = (0, stamp);
        while let Some(frame) = data.get(at..).and_then(adts::parse) {
            self.adts = true;
            self.configure(stamp, TrackId::AUDIO, FourCc::AAC, &frame.config, out)?;
            let raw = data.slice(at + frame.start..at + frame.end);
            self.frame(stamp, TrackId::AUDIO, FourCc::AAC, (true, 0), raw, out)?;
            stamp.later += self.aac_frame_millis();
            at += frame.end;
        }
        Ok(())
    }

    fn aac_frame_millis(&self) -> i64 {
        match self.tracks.get(&TrackId::AUDIO).and_then(Described::codec) {
            Some(Codec::Aac(aac)) => i64::from(aac.frame_length) * 1000 / i64::from(aac.sample_rate),
            _ => 0,
        }
    }
}

impl Stamp {
    /// Decode time and composition offset in ticks of a track.
    fn times(self, millis: i64, scale: Timescale, offset: i32) -> (i64, i32) {
        match scale == Timescale::MILLIS {
            true => (millis, offset),
            false => (millis * 1000 + i64::from(self.nanos / 1000), offset.saturating_mul(1000)),
        }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Number(number) => *number > 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Object(properties) => !properties.0.is_empty(),
        _ => false,
    }
}
