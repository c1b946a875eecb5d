//! Where segments end: at keyframes of the reference, or where none comes in time.

use std::sync::Arc;
use std::time::Duration;

use media::{Kind, MediaTime, Sample, Sync};

use super::{Fixed, Timeline};
use crate::presentation::{FrameRate, Record, Span};
use crate::settings::Settings;

/// How much longer than the target duration a segment may be before it is cut at any picture: EXTINF is
/// compared rounded to the nearest second (RFC 8216bis §4.4.3.1).
pub(super) const TOLERANCE_MICROS: i64 = 450_000;
/// What millisecond timestamps may take from a duration.
pub(super) const ROUNDING_MICROS: i64 = 2_000;

impl Timeline {
    /// Whether a sample of the reference begins a segment (the timing rules of ARCHITECTURE.md).
    ///
    /// A keyframe does past nine tenths of the target. Where none comes until the target duration, a picture
    /// does that is shown after all before it: then nothing that follows is shown before the segment begins.
    pub(super) fn begins(&self, sample: &Sample, start: MediaTime, fixed: &Fixed) -> bool {
        let elapsed = start.micros() - self.bound(self.number()).micros();
        let target = self.settings.segment.as_micros() as i64;
        let (bytes, samples) = self.tracks[self.reference].lane.size();
        let limits = &self.settings.limits;
        // Where an earlier reference was further, the others have placed what lies before that.
        if samples == 0 || start < self.decided {
            return false;
        }
        (sample.sync != Sync::No && elapsed * 10 >= target * 9)
            || (elapsed >= self.longest_micros(fixed) - ROUNDING_MICROS && sample.pts() > self.shown)
            || bytes >= limits.segment_bytes
            || samples >= limits.segment_samples
    }

    /// How long a segment may be in whole seconds.
    pub(super) fn longest_micros(&self, fixed: &Fixed) -> i64 {
        match fixed.target_duration {
            Some(seconds) => i64::from(seconds) * 1_000_000,
            None => self.settings.probe.as_micros() as i64,
        }
    }

    /// Puts a sample of the reference where it belongs, and cuts before it where a segment ends.
    pub(super) fn place(&mut self, sample: Sample, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let lane = &self.tracks[self.reference].lane;
        let start = lane.time(sample.dts);
        let end = lane.time(sample.dts + i64::from(sample.duration));
        if let ([first], false) = (self.bounds.make_contiguous(), self.begun) {
            *first = start;
        }
        self.begun = true;
        self.note_gop(&sample, start, fixed);
        let with = end.micros() - self.bound(self.number()).micros();
        let too_long = with > self.longest_micros(fixed) + TOLERANCE_MICROS;
        if too_long && start >= self.decided && self.tracks[self.reference].lane.has_samples() {
            self.cut(start, sample.sync, fixed, log);
        }
        self.shown = self.shown.max(sample.pts());
        let frame = end.duration().unwrap_or_default().saturating_sub(start.duration().unwrap_or_default());
        let part = self.settings.part;
        self.part_target = *fixed.part_target.get_or_insert_with(|| part_target(part, frame));
        let track = &mut self.tracks[self.reference];
        track.placed = sample.dts + i64::from(sample.duration);
        track.lane.add(sample, track.at, self.part_target, log);
        self.decided = self.decided.max(end);
    }

    /// Ends the open segment of the reference at `start`, and that of tracks that are off with it.
    pub(super) fn cut(&mut self, start: MediaTime, sync: Sync, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let number = self.number();
        if sync == Sync::No {
            self.counts.forced_cuts += 1;
            self.forced.push_back(number + 1);
        }
        let elapsed = start.micros() - self.bound(number).micros();
        self.fix_target(elapsed, fixed);
        self.measure_rate(elapsed, log);
        self.bounds.push_back(start);
        for at in 0..self.tracks.len() {
            let track = &self.tracks[at];
            let ends = at == self.reference || (track.is_off() && track.queue.is_empty());
            if ends {
                self.advance(at, number + 1, at == self.reference, log);
            }
        }
        if std::mem::take(&mut self.regroup) {
            log.push(self.span(number + 1, start));
        }
        self.trim();
    }

    /// What goes together from a segment on that begins at `start`.
    pub(super) fn span(&self, first: u64, start: MediaTime) -> Record {
        let on = self.tracks.iter().filter(|track| !track.is_off());
        let renditions = on.map(|track| (track.id.kind, track.lane.name().clone())).collect();
        Record::Span(Arc::new(Span { period: self.period.clone(), first, start, renditions }))
    }

    /// The first segment says how long segments are, unless a setting does.
    pub(super) fn fix_target(&self, elapsed_micros: i64, fixed: &mut Fixed) {
        let first = Duration::from_micros(elapsed_micros.max(0) as u64);
        let measured = || target_duration(&self.settings, first, fixed.longest_gop);
        let target = || self.settings.target_duration.unwrap_or_else(measured);
        fixed.target_duration = fixed.target_duration.or_else(|| Some(target()));
    }

    pub(super) fn measure_rate(&mut self, elapsed_micros: i64, log: &mut Vec<Record>) {
        let track = &mut self.tracks[self.reference];
        if track.measured_rate || track.id.kind != Kind::Video {
            return;
        }
        track.measured_rate = true;
        let (_, frames) = track.lane.size();
        if let Some(frame_rate) = FrameRate::nearest(frames, elapsed_micros) {
            log.push(Record::FrameRate { rendition: track.lane.name().clone(), frame_rate });
        }
    }

    pub(super) fn note_gop(&mut self, sample: &Sample, start: MediaTime, fixed: &mut Fixed) {
        if self.tracks[self.reference].id.kind != Kind::Video || sample.sync == Sync::No {
            return;
        }
        if let Some(last) = self.last_key.replace(start) {
            let gop = Duration::from_micros((start.micros() - last.micros()).max(0) as u64);
            fixed.longest_gop = fixed.longest_gop.max(gop);
        }
    }
}

/// PART-TARGET from the setting and the first frame: a part must not be longer, and not shorter than 85 % of it
/// (RFC 8216bis §4.4.4.9), so where whole frames leave too much of the setting empty it is a number of frames.
fn part_target(setting: Duration, frame: Duration) -> Duration {
    /// By how much a frame may be longer or shorter than the first one, through millisecond timestamps.
    const ROUNDING: Duration = Duration::from_millis(1);
    let frames = setting.as_micros() / (frame + ROUNDING).as_micros();
    let filled = frame.as_micros() * frames;
    if filled * 100 >= setting.as_micros() * 87 {
        return setting;
    }
    let nearest = (setting.as_micros() * 2 / frame.as_micros().max(1)).div_ceil(2).clamp(2, 1000) as u32;
    let target = (frame + ROUNDING) * nearest + ROUNDING;
    Duration::from_millis(target.as_micros().div_ceil(1000) as u64)
}

/// EXT-X-TARGETDURATION from the first segment and the longest GOP of the session before.
fn target_duration(settings: &Settings, first: Duration, longest_gop: Duration) -> u32 {
    let target = settings.segment.as_micros();
    let gop = longest_gop.min(settings.probe).as_micros();
    // Segments end at the first keyframe past nine tenths of the target.
    let usual = if gop == 0 { 0 } else { (target * 9).div_ceil(gop * 10).max(1) * gop };
    let micros = target.max(usual).max(first.as_micros());
    // A GOP of a whole number of seconds stays that number through millisecond rounding.
    micros.saturating_sub(ROUNDING_MICROS as u128).div_ceil(1_000_000).max(1) as u32
}
