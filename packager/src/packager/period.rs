//! Where periods begin and end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use container::mp4::init_segment;
use media::{Kind, MediaTime, Track, TrackId, WallTime};

use super::{Now, Packager, Running};
use crate::align::output_timescale;
use crate::drift::Drift;
use crate::gather::{Beginning, Expected, Held};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::presentation::{Init, Period, Record, Span};
use crate::timeline::{Member, Timeline};

impl Packager {
    /// The running period ends; `renewed` says that the next begins with what is here already.
    pub(super) fn close_period(&mut self, wall: WallTime, renewed: bool) {
        if let Some(running) = self.running.take() {
            let Period { start, number: period, elapsed, .. } = **running.timeline.period();
            let (number, end, counts) = running.timeline.finish(&mut self.fixed, &mut self.made);
            self.counts = self.counts.plus(counts);
            self.numbers.segment = number;
            self.numbers.closed = true;
            self.numbers.until = self.numbers.until.max(start.plus(end));
            self.numbers.elapsed = elapsed + end.duration().unwrap_or_default();
            self.made.push(Record::Closed { period, renewed });
            self.fold(wall);
        }
    }

    /// Begins a period if that can be done now, and gives the samples to begin it with.
    pub(super) fn try_begin(&mut self, now: Now) -> Option<Vec<Held>> {
        let has = |kind| self.tracks.keys().any(|id| id.kind == kind);
        let known = self.begun.then(|| (has(Kind::Video), has(Kind::Audio)));
        let kinds = known.or(self.roster.announced());
        let expected = Expected { kinds, together: !self.roster.is_group(), moment: self.moment() };
        if !self.keyless && self.gather.lacks_key(&self.tracks, &self.settings, now.instant) {
            self.keyless = true;
            self.notices.push(Notice::NoKeyframe);
        }
        let beginning = self.gather.begin(&self.tracks, expected, &self.settings, now.instant)?;
        self.open_period(beginning)
    }

    pub(super) fn open_period(&mut self, beginning: Beginning) -> Option<Vec<Held>> {
        let number = self.numbers.period + 1;
        // Rounded up, so that a period never begins before the one before it ended.
        let until = WallTime::from_micros(self.numbers.until.micros() + 999).floor_millis();
        let start = beginning.wall.floor_millis().max(until);
        let Numbers { discontinuity, elapsed, .. } = self.numbers;
        let period = Arc::new(Period { number, discontinuity, start, elapsed });
        let mut tracks = Vec::new();
        for (id, source) in beginning.tracks {
            match describe(number, &source) {
                Ok(init) => tracks.push(Member { id, name: self.roster.name(id), init, source }),
                Err(reason) => self.refuse(id, reason),
            }
        }
        if tracks.is_empty() {
            return None;
        }
        self.begun = true;
        self.counts.periods += 1;
        self.numbers.discontinuity += 1;
        self.numbers.period = number;
        let first = self.numbers.segment + 1;
        self.made.push(Record::Span(Arc::new(Span {
            period: period.clone(),
            first,
            start: MediaTime::ZERO,
            renditions: tracks.iter().map(|track| (track.id.kind, track.name.clone())).collect(),
        })));
        let timeline = Timeline::new(self.settings.clone(), period, first, tracks, beginning.zero);
        let drift = Drift::new(beginning.now);
        self.running = Some(Running {
            timeline,
            drift,
            renew: false,
            changed: BTreeSet::new(),
            arrived: BTreeMap::new(),
            leaving: None,
        });
        Some(beginning.samples)
    }

    pub(super) fn refuse(&mut self, id: TrackId, reason: String) {
        self.tracks.remove(&id);
        self.notices.push(Notice::Refused { rendition: self.roster.name(id), reason });
    }

    /// How long others are waited for before the first period, so that the first playlist has all of them: outputs of
    /// one encoder connect one after another.
    pub(super) fn moment(&self) -> Duration {
        const MOMENT: Duration = Duration::from_secs(1);
        if self.roster.is_group() && !self.begun { MOMENT } else { Duration::ZERO }
    }
}

/// The initialization segment of a track in a period.
pub(super) fn describe(period: u64, source: &Track) -> Result<Arc<Init>, String> {
    let timescale = output_timescale(&source.codec);
    let track = Track { timescale, ..source.clone() };
    let bytes = init_segment(&track).map_err(|e| e.to_string())?;
    Ok(Arc::new(Init { period, track, bytes }))
}
