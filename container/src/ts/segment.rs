//! A segment: units of both streams by decode time, tables among them, and the clock.

use std::ops::Range;

use bytes::Bytes;
use media::Sync;

use super::elementary::nal::Standard;
use super::packet::{Adaptation, Packets};
use super::{COUNTER_CYCLE, Framing, PACKET, Pid, annex_b, pes, psi};

/// How far the clock runs behind decode times, so that a unit has arrived when it is decoded. Ticks of 90 kHz.
const LEAD: i64 = 27_000;
/// The clock comes at least as often; §2.7.2 wants it every 100 ms.
const CLOCK_INTERVAL: i64 = 8_100;
/// Audio frames go together while they last no longer: a unit of its own for each costs half a packet of stuffing.
const AUDIO_UNIT: i64 = 8_000;
/// More would not fit a length of 16 bits, were all as long as ADTS can say.
const MOST_FRAMES: usize = 7;
/// Tables come at least as often; measurement guidelines want them every half second.
const TABLE_INTERVAL: i64 = 45_000;
/// Beyond this nothing is added to what a segment holds, however long its frames say that they last.
const LONGEST: i64 = 60 * 90_000;

/// One coded picture or audio frame. Times are ticks of 90 kHz and need not fit 33 bits.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// Presentation time.
    pub pts: i64,
    /// Decode time; that of audio is its presentation time.
    pub dts: i64,
    /// Ticks until the next frame.
    pub duration: i64,
    /// Whether decoding may begin here.
    pub sync: Sync,
    /// Length-prefixed NAL units, or one frame of sound: raw AAC, or MPEG audio with its header.
    pub data: Bytes,
}

/// H.264 pictures in decode order.
#[derive(Clone, PartialEq, Debug)]
pub struct Video {
    /// Bytes of the length before each NAL unit.
    pub length_size: u8,
    /// What decoders have to know, as NAL units.
    pub parameter_sets: Vec<Bytes>,
    /// At least one; decode times do not fall.
    pub frames: Vec<Frame>,
}

impl Video {
    fn form(&self) -> annex_b::Form<'_> {
        let Video { length_size, parameter_sets, .. } = self;
        annex_b::Form { standard: Standard::Avc, length_size: *length_size, parameter_sets }
    }
}

/// Frames of sound.
#[derive(Clone, PartialEq, Debug)]
pub struct Audio {
    /// How they stand in the stream.
    pub framing: Framing,
    /// Ticks that a frame sounds.
    pub frame_duration: i64,
    /// At least one, in order. One that the framing does not take is left out.
    pub frames: Vec<Frame>,
}

/// A whole segment. Streams without a frame are not in it; a segment of none is empty.
pub fn segment(video: Option<&Video>, audio: Option<&Audio>) -> Vec<u8> {
    let video = video.filter(|video| !video.frames.is_empty());
    let audio = audio.filter(|audio| audio.frames.iter().any(|frame| audio.framing.takes(&frame.data)));
    let Some(units) = Units::of(video, audio) else {
        return Vec::new();
    };
    let mut writer = Writer {
        packets: Packets::with_capacity(units.estimate(video, audio)),
        unit: Vec::new(),
        tables: [
            psi::association(),
            psi::map(video.is_some(), audio.map(|audio| audio.framing.stream_type())),
        ],
        clock: if video.is_some() { Pid::Video } else { Pid::Audio },
    };
    writer.write(&units, video, audio);
    writer.packets.into_bytes()
}

/// What is sent at a time.
#[derive(Clone, PartialEq, Debug)]
struct Unit {
    at: i64,
    content: Content,
}

#[derive(Clone, PartialEq, Debug)]
enum Content {
    /// The picture at this place.
    Picture(usize),
    /// Audio frames that go together.
    Sound(Range<usize>),
    /// The clock, because nothing else of its stream comes for long.
    Clock,
    Tables,
}

/// What a segment sends, in order.
#[derive(Debug)]
struct Units(Vec<Unit>);

impl Units {
    fn of(video: Option<&Video>, audio: Option<&Audio>) -> Option<Units> {
        let pictures = video.map_or_else(Vec::new, |video| pictures(&video.frames));
        let sounds = audio.map_or_else(Vec::new, sounds);
        let (leader, frames) = match (video, audio) {
            (Some(video), _) => (&pictures, &video.frames),
            (None, Some(audio)) => (&sounds, &audio.frames),
            (None, None) => return None,
        };
        let (start, end) = (frames.first()?.dts, frames.last().map(|last| last.dts + last.duration)?);
        let clocks = clocks(leader, end);
        let mut units = [pictures, sounds, clocks].concat();
        units.sort_by_key(|unit| unit.at);
        Some(Units(with_tables(units, start, end)))
    }

    /// Bytes that the segment will have at most, more or less.
    fn estimate(&self, video: Option<&Video>, audio: Option<&Audio>) -> usize {
        let pictures = video.iter().flat_map(|video| &video.frames);
        let frames = pictures.chain(audio.iter().flat_map(|audio| &audio.frames));
        let media: usize = frames.map(|frame| frame.data.len() + 32).sum();
        media / 184 * PACKET + (self.0.len() * 2 + 2 * COUNTER_CYCLE) * PACKET
    }
}

fn pictures(frames: &[Frame]) -> Vec<Unit> {
    let unit = |(at, frame): (usize, &Frame)| Unit { at: frame.dts, content: Content::Picture(at) };
    frames.iter().enumerate().map(unit).collect()
}

/// Audio frames that follow each other, as units. Decoders count the frames of a unit on from the first one, so a frame
/// that lasts longer than it sounds is the last of its unit, and so is one before a frame that is left out.
fn sounds(audio: &Audio) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut goes_on = None;
    for (at, frame) in audio.frames.iter().enumerate() {
        if !audio.framing.takes(&frame.data) {
            continue;
        }
        match units.last_mut() {
            Some(Unit { at: start, content: Content::Sound(range) })
                if goes_on == Some(at)
                    && range.len() < MOST_FRAMES
                    && frame.pts + frame.duration - *start <= AUDIO_UNIT =>
            {
                range.end = at + 1;
            }
            _ => units.push(Unit { at: frame.pts, content: Content::Sound(at..at + 1) }),
        }
        goes_on = (frame.duration <= audio.frame_duration + 1).then_some(at + 1);
    }
    units
}

/// The clock between units of its stream that are far apart, and up to the end.
fn clocks(leader: &[Unit], end: i64) -> Vec<Unit> {
    const MOST: usize = (LONGEST / CLOCK_INTERVAL) as usize;
    let nexts = leader.iter().skip(1).map(|unit| unit.at).chain([end]);
    let between = leader.iter().zip(nexts).flat_map(|(unit, next)| {
        let times = (1..).map(|step| unit.at + step * CLOCK_INTERVAL);
        times.take_while(move |&at| at < next)
    });
    between.take(MOST).map(|at| Unit { at, content: Content::Clock }).collect()
}

/// Tables before everything, and again through the segment, a multiple of sixteen times.
fn with_tables(units: Vec<Unit>, start: i64, end: i64) -> Vec<Unit> {
    let span = (end - start).clamp(1, LONGEST);
    let times = (span / TABLE_INTERVAL + 1).max(1) as usize;
    let times = times.next_multiple_of(COUNTER_CYCLE);
    let due = |time: usize| start + span * time as i64 / times as i64;
    let mut sent = 0;
    let mut all = Vec::with_capacity(units.len() + times);
    for unit in units {
        while sent < times && (sent == 0 || due(sent) <= unit.at) {
            all.push(Unit { at: unit.at, content: Content::Tables });
            sent += 1;
        }
        all.push(unit);
    }
    all.extend((sent..times).map(|_| Unit { at: end, content: Content::Tables }));
    all
}

struct Writer {
    packets: Packets,
    /// The unit that is being put together.
    unit: Vec<u8>,
    tables: [Vec<u8>; 2],
    /// The stream that has the clock.
    clock: Pid,
}

impl Writer {
    fn write(&mut self, units: &Units, video: Option<&Video>, audio: Option<&Audio>) {
        let last_sound = units.0.iter().rposition(|unit| matches!(unit.content, Content::Sound(_)));
        for (at, unit) in units.0.iter().enumerate() {
            match (&unit.content, video, audio) {
                (Content::Tables, ..) => self.tables(),
                (Content::Clock, ..) => self.packets.clock(self.clock, unit.at - LEAD),
                (&Content::Picture(picture), Some(video), _) => self.picture(video, picture),
                (Content::Sound(range), _, Some(audio)) => {
                    self.sound(audio, range.clone(), last_sound == Some(at));
                }
                _ => {}
            }
        }
    }

    fn tables(&mut self) {
        let [association, map] = &self.tables;
        self.packets.unit(Pid::Association, association, Adaptation::default());
        self.packets.unit(Pid::Map, map, Adaptation::default());
    }

    fn picture(&mut self, video: &Video, at: usize) {
        let frame = &video.frames[at];
        self.unit.clear();
        pes::begin(&mut self.unit, pes::VIDEO, frame.pts, frame.dts);
        annex_b::write(&mut self.unit, video.form(), frame, at == 0);
        let adaptation = Adaptation { random_access: frame.sync != Sync::No, clock: Some(frame.dts - LEAD) };
        self.send(Pid::Video, adaptation, at + 1 == video.frames.len());
    }

    fn sound(&mut self, audio: &Audio, range: Range<usize>, last: bool) {
        let frames = &audio.frames[range];
        let Some(first) = frames.first() else {
            return;
        };
        self.unit.clear();
        pes::begin(&mut self.unit, pes::AUDIO, first.pts, first.pts);
        frames.iter().for_each(|frame| audio.framing.write(&mut self.unit, &frame.data));
        let alone = self.clock == Pid::Audio;
        let adaptation = Adaptation { random_access: alone, clock: alone.then_some(first.pts - LEAD) };
        self.send(Pid::Audio, adaptation, last);
    }

    fn send(&mut self, pid: Pid, adaptation: Adaptation, last: bool) {
        pes::finish(&mut self.unit);
        match last {
            true => self.packets.last_unit(pid, &self.unit, adaptation),
            false => self.packets.unit(pid, &self.unit, adaptation),
        }
    }
}

#[cfg(test)]
mod tests {
    use media::Codec;
    use media::codec::Aac;

    use super::*;

    fn frame(at: i64, duration: i64, data: &'static [u8]) -> Frame {
        Frame { pts: at, dts: at, duration, sync: Sync::Yes, data: Bytes::from_static(data) }
    }

    fn audio(frames: Vec<Frame>) -> Audio {
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        let framing = Framing::of(&Codec::Aac(aac)).expect("it fits");
        Audio { framing, frame_duration: 1920, frames }
    }

    fn video(frames: Vec<Frame>) -> Video {
        Video { length_size: 4, parameter_sets: Vec::new(), frames }
    }

    /// Sounds of a segment as the frames that go together.
    fn together(frames: Vec<Frame>) -> Vec<usize> {
        let units = sounds(&audio(frames)).into_iter().map(|unit| unit.content);
        let len = |content| if let Content::Sound(range) = content { range.len() } else { 0 };
        units.map(len).collect()
    }

    #[test]
    fn frames_that_follow_each_other_go_together_for_a_while() {
        let even = (0..10).map(|at| frame(at * 1920, 1920, b"sound")).collect();
        assert_eq!(together(even), [4, 4, 2]);
    }

    #[test]
    fn a_hole_in_the_sound_begins_a_unit() {
        let hole = vec![frame(0, 1920, b"a"), frame(1920, 5000, b"b"), frame(6920, 1920, b"c")];
        assert_eq!(together(hole), [2, 1], "decoders would place the third right after the second");
        let long: &[u8] = &[0; 9000];
        let left_out = vec![frame(0, 1920, b"a"), frame(1920, 1920, long), frame(3840, 1920, b"c")];
        assert_eq!(together(left_out), [1, 1]);
    }

    #[test]
    fn nothing_makes_nothing() {
        assert!(segment(None, None).is_empty());
        assert!(segment(Some(&video(Vec::new())), Some(&audio(Vec::new()))).is_empty());
        assert!(segment(None, Some(&audio(vec![frame(0, 1, &[0; 9000])]))).is_empty());
    }

    #[test]
    fn times_that_make_no_sense_cost_little() {
        let far = [0, 1 << 40, 0, 1 << 40, 5];
        let frames: Vec<Frame> = far.iter().map(|&at| frame(at, 1 << 40, b"\0\0\0\x01e")).collect();
        let most = 2000 * PACKET;
        assert!(segment(Some(&video(frames.clone())), None).len() < most);
        assert!(segment(None, Some(&audio(frames))).len() < most);
    }
}
