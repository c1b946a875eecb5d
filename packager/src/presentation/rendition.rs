//! A rendition with its segments, and what is measured of it.

use std::sync::Arc;
use std::time::Duration;

use media::{Captions, Kind, MediaTime};
use rpds::RedBlackTreeMapSync;

use super::Session;
use super::hold::{Hold, counted};
use super::segment::{Init, Open, Part, Segment};
use super::slice::{Bounds, Slice};

/// Bits per second as measured over the session.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bitrate {
    /// The largest of any segment (BANDWIDTH).
    pub peak: u64,
    /// Over everything (AVERAGE-BANDWIDTH).
    pub average: u64,
    bits: u64,
    micros: u64,
}

impl Bitrate {
    pub(super) fn add(&mut self, bytes: u64, span: MediaTime) {
        let micros = span.micros().max(1) as u64;
        self.bits = self.bits.saturating_add(bytes * 8);
        self.micros = self.micros.saturating_add(micros);
        let rate = |bits: u64, micros: u64| {
            u64::try_from(u128::from(bits) * 1_000_000 / u128::from(micros.max(1))).unwrap_or(u64::MAX)
        };
        // A sliver at the end of a period says nothing about the rate (RFC 8216bis §4.4.6.2 measures over
        // 0.5 to 1.5 target durations).
        if micros >= 500_000 || self.peak == 0 {
            self.peak = self.peak.max(rate(bytes * 8, micros));
        }
        self.average = rate(self.bits, self.micros);
    }
}

/// A track with its segments, at one quality or language.
#[derive(Clone, PartialEq, Debug)]
pub struct Rendition {
    /// Its name in URLs, `video-1`, stable for the life of the entry.
    pub name: Arc<str>,
    /// What it carries.
    pub kind: Kind,
    /// What is fixed for the session.
    pub session: Arc<Session>,
    /// Everything that can be fetched, by number.
    pub segments: RedBlackTreeMapSync<u64, Arc<Segment>>,
    /// The segment being made.
    pub open: Option<Open>,
    /// Whether every segment of the session began with a sync sample (EXT-X-INDEPENDENT-SEGMENTS).
    pub independent: bool,
    /// Measured rates.
    pub bitrate: Bitrate,
    /// The bitrate by which Smooth URLs name it, in bits per second: unique among renditions of its kind, and never
    /// another. `None` before its first segment.
    pub named_bitrate: Option<u32>,
    /// Frames per second as measured over the first segment of the latest period; video only.
    pub frame_rate: Option<FrameRate>,
    /// Captions that its pictures carried at any time in the session.
    pub captions: Captions,
    /// Whether the session is over: no segment will follow.
    pub ended: bool,
    /// What of the segments is shown.
    bounds: Bounds,
    /// Whether playlists list all of that.
    entire: bool,
    /// Whether the session went on when this ended.
    cut_off: bool,
    pub(super) hold: Hold,
}

/// Frames per second as a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRate {
    /// Numerator.
    pub frames: u32,
    /// Denominator, in seconds.
    pub per: u32,
}

impl FrameRate {
    /// The customary rate nearest to `frames` in `micros`, or what was measured where none is near.
    pub fn nearest(frames: usize, micros: i64) -> Option<FrameRate> {
        const CUSTOMARY: [(u32, u32); 12] = [
            (24_000, 1001),
            (24, 1),
            (25, 1),
            (30_000, 1001),
            (30, 1),
            (50, 1),
            (60_000, 1001),
            (60, 1),
            (100, 1),
            (120, 1),
            (15, 1),
            (10, 1),
        ];
        let measured = frames as f64 * 1e6 / micros as f64;
        if micros < 100_000 || !measured.is_finite() || measured <= 0.0 {
            return None;
        }
        let off = |&(frames, per): &(u32, u32)| (f64::from(frames) / f64::from(per) / measured - 1.0).abs();
        let nearest = CUSTOMARY.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)))?;
        let (frames, per) =
            if off(&nearest) < 0.005 { nearest } else { ((measured * 1000.0).round() as u32, 1000) };
        Some(FrameRate { frames, per })
    }

    /// As a decimal, frames per second.
    pub fn per_second(self) -> f64 {
        f64::from(self.frames) / f64::from(self.per)
    }
}

/// What a number asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Lookup<'a, T> {
    /// It is there.
    Found(&'a T),
    /// It may come (404, cached for a moment).
    NotYet,
    /// It was there, or was burnt, and never comes again (410).
    Gone,
}

impl Rendition {
    pub(super) fn new(name: Arc<str>, kind: Kind, session: Arc<Session>) -> Rendition {
        Rendition {
            name,
            kind,
            session,
            segments: RedBlackTreeMapSync::new_sync(),
            open: None,
            independent: true,
            bitrate: Bitrate::default(),
            named_bitrate: None,
            frame_rate: None,
            captions: Captions::default(),
            ended: false,
            bounds: Bounds::ALL,
            entire: false,
            cut_off: false,
            hold: Hold::default(),
        }
    }

    /// Ends with its last media, though others go on for a moment.
    pub(super) fn drop_last_gaps(&mut self) {
        while let Some((&number, _)) = self.segments.last().filter(|(_, last)| last.is_gap()) {
            self.segments.remove_mut(&number);
        }
    }

    /// The newest finished segment.
    pub fn last(&self) -> Option<&Arc<Segment>> {
        self.shown().next_back()
    }

    /// Number of the oldest segment that can be fetched.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.shown().next().map(|segment| segment.number)
    }

    /// Every finished segment that can be fetched, oldest first.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        self.shown_from(0)
    }

    /// Those from this number on.
    pub fn shown_from(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        let (first, last) = (number.max(self.bounds.first), self.bounds.last);
        let some = (first <= last).then(|| self.segments.range(first..=last));
        some.into_iter().flatten().map(|(_, segment)| segment)
    }

    /// The newest of them below this number.
    pub(crate) fn shown_before(&self, number: u64) -> Option<&Arc<Segment>> {
        let (first, end) = (self.bounds.first, number.min(self.bounds.last.saturating_add(1)));
        let some = (first < end).then(|| self.segments.range(first..end));
        some.and_then(|mut some| some.next_back()).map(|(_, segment)| segment)
    }

    /// The finished segments after this number, also those that a slice does not show: their times alone are for who
    /// sees the slice.
    pub(crate) fn later(&self, number: u64) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.range(number.saturating_add(1)..).map(|(_, segment)| segment)
    }

    /// Whether the session is over, and not only the slice.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && !self.cut_off
    }

    /// Whether newcomers should be told of it: it has a segment, and is not off at the edge. A lone gap in the
    /// last segment of a period is no death.
    pub fn alive(&self) -> bool {
        let newest = if self.ended { usize::MAX } else { 2 };
        self.shown().rev().take(newest).any(|segment| !segment.is_gap())
    }

    /// The newest initialization segment.
    pub fn init(&self) -> Option<&Arc<Init>> {
        match &self.open {
            Some(open) => Some(&open.init),
            None => self.shown().rev().find_map(|segment| segment.init()),
        }
    }

    /// Segment `number` as playlists list it, with media or as a gap.
    pub fn listed(&self, number: u64) -> Option<&Arc<Segment>> {
        self.segments.get(&number).filter(|_| self.bounds.contains(number))
    }

    /// Segment `number`.
    pub fn segment(&self, number: u64) -> Lookup<'_, Arc<Segment>> {
        if !self.bounds.contains(number) {
            return Lookup::Gone;
        }
        match self.segments.get(&number) {
            Some(segment) if !segment.is_gap() => Lookup::Found(segment),
            Some(_) => Lookup::Gone,
            None if self.last().is_some_and(|last| number < last.number) || self.ended => Lookup::Gone,
            None => Lookup::NotYet,
        }
    }

    /// Part `index` of segment `number`, finished or not.
    pub fn part(&self, number: u64, index: u32) -> Lookup<'_, Arc<Part>> {
        if let Some(open) = self.open.as_ref().filter(|open| open.number == number) {
            return open.parts.get(index as usize).map_or(Lookup::NotYet, Lookup::Found);
        }
        match self.segment(number) {
            Lookup::Found(segment) => segment.parts().get(index as usize).map_or(Lookup::Gone, Lookup::Found),
            Lookup::NotYet => Lookup::NotYet,
            Lookup::Gone => Lookup::Gone,
        }
    }

    /// The initialization segment of period `number`.
    pub fn init_of(&self, number: u64) -> Option<&Arc<Init>> {
        let open = self.open.as_ref().map(|open| &open.init);
        open.into_iter()
            .chain(self.shown().rev().filter_map(|segment| segment.init()))
            .find(|init| init.period == number)
    }

    /// The segments that a playlist lists: the newest whose durations make up the session's window, or all that a
    /// slice shows.
    ///
    /// The first of them never goes back, because a longer tail only ever lets older ones go.
    pub fn window(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        let first = match (self.entire, self.bounds.last) {
            (true, _) => 0,
            (false, u64::MAX) => self.hold.window.first,
            // It is over while the whole goes on, which has slid further.
            (false, _) => self.last_window(),
        };
        self.shown_from(first)
    }

    fn last_window(&self) -> u64 {
        let mut listed = Duration::ZERO;
        let mut reaches = |segment: &&Arc<Segment>| {
            listed += counted(segment);
            listed >= self.session.window
        };
        self.shown().rev().find(&mut reaches).map_or(0, |segment| segment.number)
    }

    /// What a slice shows of it.
    pub(super) fn slice(&self, slice: &Slice, session: &Arc<Session>) -> Rendition {
        let mut cut = self.clone();
        cut.session = session.clone();
        cut.bounds = slice.bounds;
        cut.entire = slice.entire;
        cut.cut_off = slice.ended && !cut.is_over();
        cut.ended |= slice.ended;
        cut.open = cut.open.filter(|open| !cut.ended && slice.bounds.contains(open.number));
        cut
    }

    /// Lets go of what is not shown.
    pub(super) fn detach(&mut self) {
        self.segments = self.shown().map(|segment| (segment.number, segment.clone())).collect();
    }
}
