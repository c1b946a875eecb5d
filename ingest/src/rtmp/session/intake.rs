//! Media messages to inputs of a publication.

use bytes::Bytes;
use container::flv::{self, Audio, Video};
use media::codec::{Aac, Avc, Codec};
use media::{Sample, Slice, Sync, Timescale, Track};
use stream::{Input, TrackId};

use super::super::amf::{Object, Value};
use super::super::clock::Clock;
use super::super::message::{Message, kind};
use super::{Fault, adts};

/// Enhanced messages without plain video after which a publisher is refused: about two seconds.
const ENHANCED_ALONE: u64 = 60;

/// What came, and what of it was of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Bytes of the connection.
    pub bytes: u64,
    /// Pictures passed on.
    pub video: u64,
    /// Audio frames passed on.
    pub audio: u64,
    /// Samples that came before the configuration of their track.
    pub unconfigured: u64,
    /// Messages with an Enhanced RTMP header.
    pub enhanced: u64,
    /// Messages that are empty, malformed, unknown or out of place.
    pub ignored: u64,
    /// Messages that the peer did not finish.
    pub aborted: u64,
}

impl Counters {
    /// What came since there were so many. None of them goes back but where a message stream was published on anew in one
    /// breath.
    pub(crate) fn since(self, before: Counters) -> Counters {
        Counters {
            bytes: self.bytes.saturating_sub(before.bytes),
            video: self.video.saturating_sub(before.video),
            audio: self.audio.saturating_sub(before.audio),
            unconfigured: self.unconfigured.saturating_sub(before.unconfigured),
            enhanced: self.enhanced.saturating_sub(before.enhanced),
            ignored: self.ignored.saturating_sub(before.ignored),
            aborted: self.aborted.saturating_sub(before.aborted),
        }
    }

    /// Both together.
    pub(super) fn and(self, other: Counters) -> Counters {
        Counters {
            bytes: self.bytes + other.bytes,
            video: self.video + other.video,
            audio: self.audio + other.audio,
            unconfigured: self.unconfigured + other.unconfigured,
            enhanced: self.enhanced + other.enhanced,
            ignored: self.ignored + other.ignored,
            aborted: self.aborted + other.aborted,
        }
    }
}

/// The tracks of one publication as far as they are known.
#[derive(Default)]
pub(super) struct Intake {
    clock: Clock,
    video: Option<Avc>,
    audio: Option<Aac>,
    /// The configuration of `audio` was made from ADTS headers.
    adts: bool,
    announced: bool,
    begun: bool,
    counters: Counters,
}

impl Intake {
    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    pub(super) fn ignore(&mut self) {
        self.counters.ignored += 1;
    }

    /// Turns an audio or video message into inputs.
    pub(super) fn media(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        let result = match message.kind {
            kind::VIDEO => self.video(message, out),
            _ => self.audio(message, out),
        };
        match result {
            Err(Fault::Tag(flv::Error::Truncated { .. } | flv::Error::Reserved { .. })) => {
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
        let video = any(&["videocodecid", "width", "videodatarate"]);
        let audio = any(&["audiocodecid", "audiosamplerate", "audiodatarate"]);
        if self.announced || self.begun || !(video || audio) {
            return None;
        }
        self.announced = true;
        Some(Input::Announce { video, audio })
    }

    fn video(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        match Video::parse(&message.head)? {
            Video::Enhanced => {
                self.counters.enhanced += 1;
                self.miss_legacy_video()?;
            }
            Video::Command | Video::EndOfSequence => {}
            Video::SequenceHeader | Video::Picture { .. } if message.body.is_empty() => self.ignore(),
            Video::SequenceHeader => self.video_config(&message.body, out)?,
            Video::Picture { keyframe, composition_time } => {
                self.picture(message, keyframe, composition_time, out);
            }
        }
        Ok(())
    }

    /// Enhanced messages beside plain ones are skipped; a publisher that sends no others is told why.
    fn miss_legacy_video(&self) -> Result<(), flv::Error> {
        if self.video.is_some() || self.counters.enhanced < ENHANCED_ALONE {
            return Ok(());
        }
        let codec = "enhanced RTMP (HEVC, AV1, VP9)";
        Err(flv::Error::Unsupported { kind: "video", codec, instead: "H.264" })
    }

    fn video_config(&mut self, record: &[u8], out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        if self.video.as_ref().is_some_and(|avc| avc.record == record) {
            return Ok(());
        }
        let avc = Avc::parse(Bytes::copy_from_slice(record))?;
        self.video = Some(avc.clone());
        self.track(TrackId::VIDEO, Codec::Avc(avc), out);
        Ok(())
    }

    fn picture(&mut self, message: Message, keyframe: bool, offset: i32, out: &mut dyn FnMut(Input)) {
        let Some(avc) = &self.video else {
            self.counters.unconfigured += 1;
            return;
        };
        let sync = avc.classify(keyframe, &message.body);
        let dts = self.clock.unwrap(message.timestamp);
        self.counters.video += 1;
        out(sample(TrackId::VIDEO, dts, offset, sync, message.body));
    }

    fn audio(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        match Audio::parse(&message.head)? {
            Audio::Enhanced => self.counters.enhanced += 1,
            Audio::SequenceHeader | Audio::Frame if message.body.is_empty() => self.ignore(),
            Audio::SequenceHeader => {
                self.adts = false;
                self.audio_config(&message.body, out)?;
            }
            Audio::Frame => self.frames(message, out)?,
        }
        Ok(())
    }

    fn audio_config(&mut self, config: &[u8], out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        if self.audio.as_ref().is_some_and(|aac| aac.config == config) {
            return Ok(());
        }
        let aac = Aac::parse(Bytes::copy_from_slice(config))?;
        self.audio = Some(aac.clone());
        self.track(TrackId::AUDIO, Codec::Aac(aac), out);
        Ok(())
    }

    /// One raw frame, or ADTS frames from an encoder that sends no sequence header.
    fn frames(&mut self, message: Message, out: &mut dyn FnMut(Input)) -> Result<(), Fault> {
        let mut at = 0;
        let mut dts = None;
        if self.audio.is_none() || self.adts {
            while let Some(frame) = message.body.get(at..).and_then(adts::parse) {
                self.adts = true;
                self.audio_config(&frame.config, out)?;
                let first = *dts.get_or_insert_with(|| self.clock.unwrap(message.timestamp));
                self.frame(first, message.body.slice(at + frame.start..at + frame.end), out);
                dts = Some(first + self.frame_millis());
                at += frame.end;
            }
        }
        if at == 0 && self.audio.is_some() {
            let dts = self.clock.unwrap(message.timestamp);
            self.frame(dts, message.body, out);
        } else if at == 0 {
            self.counters.unconfigured += 1;
        }
        Ok(())
    }

    fn frame(&mut self, dts: i64, data: Slice, out: &mut dyn FnMut(Input)) {
        self.counters.audio += 1;
        out(sample(TrackId::AUDIO, dts, 0, Sync::Yes, data));
    }

    fn frame_millis(&self) -> i64 {
        self.audio.as_ref().map_or(0, |aac| i64::from(aac.frame_length) * 1000 / i64::from(aac.sample_rate))
    }

    fn track(&mut self, id: TrackId, codec: Codec, out: &mut dyn FnMut(Input)) {
        self.begun = true;
        out(Input::Track { id, track: Track::new(codec, Timescale::MILLIS) });
    }
}

fn sample(id: TrackId, dts: i64, composition_offset: i32, sync: Sync, data: Slice) -> Input {
    Input::Sample { id, sample: Sample { dts, composition_offset, duration: 0, sync, data } }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Number(number) => *number > 0.0,
        Value::String(text) => !text.is_empty(),
        _ => false,
    }
}
