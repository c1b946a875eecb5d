//! The tracks of a program: pictures and sound with their times.

use std::fmt;

use media::payload::{BlockSizes, Writer};
use media::{Codec, Language, Sync, Track, TrackId};

use super::audio::{Audio, Frame};
use super::clock::{Clock, Unwrapped, near};
use super::metadata::Cues;
use super::stamps::Stamp;
use super::video::{Access, Picture, Video};
use super::{CLOCK, Exit, sample};

/// How far apart decoding and showing may be, in ticks: ten seconds. What goes beyond is no time that anybody means.
const DELAY: i64 = 900_000;
/// How long a picture lasts for want of anything better, in ticks: 40 ms.
const PICTURE: i64 = 3600;

/// One elementary stream that is carried.
#[derive(Debug)]
pub(super) enum Slot {
    Video(Box<VideoTrack>),
    Audio(Box<AudioTrack>),
    Metadata(Cues),
}

#[derive(Debug)]
pub(super) struct VideoTrack {
    pub(super) units: Video,
    timing: Timing,
}

#[derive(Debug)]
pub(super) struct AudioTrack {
    pub(super) frames: Audio,
    timing: Timing,
    /// The last time that was said, and samples since then.
    since: Option<(i64, u64)>,
}

/// Where the samples of a track go, and when they are.
struct Timing {
    id: TrackId,
    language: Option<Language>,
    writer: Writer,
    clock: Clock,
    last: Option<i64>,
    /// Between the last two samples, in ticks.
    step: i64,
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timing").field("id", &self.id).field("last", &self.last).finish_non_exhaustive()
    }
}

impl Timing {
    fn new(id: TrackId, language: Option<Language>) -> Timing {
        let (writer, clock) = (Writer::new(BlockSizes::default()), Clock::default());
        Timing { id, language, writer, clock, last: None, step: PICTURE }
    }

    fn describe(&self, codec: &Codec, exit: &mut Exit<'_>) {
        let track = Track::new(codec.clone(), CLOCK).with_language(self.language.clone());
        exit.track(self.id, track);
    }

    /// The decode time of the next sample. One without a stamp follows the last one; there is none to follow at first.
    fn next(&mut self, said: Option<i64>, exit: &mut Exit<'_>) -> Option<Unwrapped> {
        let time = said.or_else(|| Some(self.last?.saturating_add(self.step)))?;
        let unwrapped = self.clock.unwrap(exit.shared, time);
        if let Some(last) = self.last
            && !unwrapped.jumped
            && said.is_some()
        {
            self.step = (unwrapped.time - last).clamp(1, 2 * CLOCK_HZ);
        }
        self.last = Some(unwrapped.time);
        Some(unwrapped)
    }
}

const CLOCK_HZ: i64 = 90_000;

/// Any clock of milliseconds, for the rate alone.
fn millis(ticks: i64) -> u32 {
    (ticks / 90) as u32
}

impl VideoTrack {
    pub(super) fn new(id: TrackId, language: Option<Language>, units: Video) -> VideoTrack {
        VideoTrack { units, timing: Timing::new(id, language) }
    }

    pub(super) fn data(&mut self, bytes: &[u8], exit: &mut Exit<'_>) {
        let timing = &mut self.timing;
        self.units.data(bytes, &mut |picture| timing.picture(picture, exit));
    }

    pub(super) fn end(&mut self, exit: &mut Exit<'_>) {
        let timing = &mut self.timing;
        self.units.end(&mut |picture| timing.picture(picture, exit));
    }
}

impl Timing {
    fn picture(&mut self, picture: Picture<'_>, exit: &mut Exit<'_>) {
        match picture {
            Picture::Configured(codec) => self.describe(codec, exit),
            Picture::Refused => exit.counters.refused += 1,
            Picture::Unconfigured => exit.counters.unconfigured += 1,
            Picture::Dropped => exit.counters.dropped += 1,
            Picture::Whole(access) => self.access(&access, exit),
        }
    }

    fn access(&mut self, access: &Access<'_>, exit: &mut Exit<'_>) {
        let times = access.stamp.and_then(|stamp| stamp.times);
        let Some(Unwrapped { time, jumped }) = self.next(times.map(|times| times.dts), exit) else {
            exit.counters.unconfigured += 1;
            return;
        };
        let offset = times.map_or(0, |times| near(times.dts, times.pts) - times.dts);
        let offset = if offset.abs() <= DELAY { offset as i32 } else { 0 };
        if let Some((data, sync)) = access.write(&mut self.writer, millis(time)) {
            exit.sample(self.id, sample(time, offset, sync, data), jumped);
        }
    }
}

impl AudioTrack {
    pub(super) fn new(id: TrackId, language: Option<Language>, frames: Audio) -> AudioTrack {
        AudioTrack { frames, timing: Timing::new(id, language), since: None }
    }

    pub(super) fn data(&mut self, bytes: &[u8], exit: &mut Exit<'_>) {
        let (timing, since) = (&mut self.timing, &mut self.since);
        self.frames.data(bytes, &mut |frame| timing.frame(frame, since, exit));
    }

    pub(super) fn end(&mut self, exit: &mut Exit<'_>) {
        let (timing, since) = (&mut self.timing, &mut self.since);
        self.frames.end(&mut |frame| timing.frame(frame, since, exit));
    }
}

impl Timing {
    fn frame(&mut self, frame: Frame<'_>, since: &mut Option<(i64, u64)>, exit: &mut Exit<'_>) {
        match frame {
            Frame::Configured(codec) => self.describe(codec, exit),
            Frame::Refused => exit.counters.refused += 1,
            Frame::Unconfigured => exit.counters.unconfigured += 1,
            Frame::Junk(bytes) => exit.counters.junk += bytes as u64,
            Frame::Whole { stamp, data, codec } => self.sound(stamp, data, codec, since, exit),
        }
    }

    /// Frames of one PES packet follow each other exactly.
    fn sound(
        &mut self,
        stamp: Option<Stamp>,
        data: &[u8],
        codec: &Codec,
        since: &mut Option<(i64, u64)>,
        exit: &mut Exit<'_>,
    ) {
        if let Some(times) = stamp.and_then(|stamp| stamp.times) {
            *since = Some((times.pts, 0));
        }
        let rate = codec.sound().map_or(48_000, |sound| u64::from(sound.sample_rate).max(1));
        let counted = since.map(|(from, samples)| {
            from.saturating_add((samples.saturating_mul(CLOCK_HZ as u64) / rate).min(1 << 40) as i64)
        });
        let Some(Unwrapped { time, jumped }) = self.next(counted, exit) else {
            exit.counters.unconfigured += 1;
            return;
        };
        if let Some((_, samples)) = since {
            *samples += u64::from(codec.sample_duration(data).unwrap_or(0));
        }
        let mut place = self.writer.reserve(data.len(), millis(time));
        place.write(data);
        exit.sample(self.id, sample(time, 0, Sync::Yes, place.finish()), jumped);
    }
}
