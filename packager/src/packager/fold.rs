//! From the log of what was made to the snapshot, and what an operator should know of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use media::WallTime;

use super::Packager;
use crate::bitrates;
use crate::notice::Notice;
use crate::presentation::{Presentation, Record, Retention, Session};

impl Packager {
    /// Takes what was made into the snapshot, as soon as there can be one.
    pub(super) fn fold(&mut self, wall: WallTime) {
        self.numbers.target_duration = self.fixed.target_duration;
        self.numbers.part_target = self.fixed.part_target;
        self.numbers.longest_gop = self.fixed.longest_gop;
        self.numbers.at = wall;
        if self.presentation.is_none() {
            let Some(session) = self.session().filter(|_| self.complete()) else {
                return;
            };
            self.warn_of_length(session.target_duration);
            self.presentation = Some(Presentation::new(session, wall));
        }
        let Some(presentation) = &mut self.presentation else {
            return;
        };
        for record in self.made.drain(..) {
            if let Some(named) = bitrates::naming(&mut self.numbers, presentation, &record) {
                presentation.apply(named.clone(), wall);
                self.log.push(named);
            }
            self.settling.before(&record, presentation);
            presentation.apply(record.clone(), wall);
            self.log.push(record);
        }
    }

    pub(super) fn warn_of_length(&mut self, target_duration: u32) {
        let wanted = self.settings.segment;
        let chosen = self.settings.target_duration.is_some();
        if !chosen && f64::from(target_duration) >= wanted.as_secs_f64().ceil() * 2.0 {
            self.notices.push(Notice::LongSegments { target_duration, wanted });
        }
    }

    pub(super) fn warn_of_forced_cuts(&mut self) {
        if let (false, Some(target_duration)) = (self.forced, self.fixed.target_duration)
            && self.counts().forced_cuts > 0
        {
            self.forced = true;
            self.notices.push(Notice::ForcedCut { target_duration });
        }
    }

    pub(super) fn warn_of_misfits(&mut self) {
        let Some(running) = &mut self.running else { return };
        for id in running.timeline.take_misfits() {
            self.notices.push(Notice::Misaligned { rendition: self.roster.name(id) });
        }
    }

    /// Whether every rendition that has a part has a whole segment, so that no first playlist is empty. One that
    /// lags by more than a segment is not waited for.
    pub(super) fn complete(&self) -> bool {
        let mut segments: BTreeMap<&str, u32> = BTreeMap::new();
        for record in &self.made {
            match record {
                Record::Part { rendition, .. } => *segments.entry(rendition).or_default() += 0,
                Record::Segment { rendition, .. } => *segments.entry(rendition).or_default() += 1,
                _ => {}
            }
        }
        let lagging = segments.values().any(|&count| count > 1);
        let over = self.running.is_none() && segments.values().any(|&count| count > 0);
        over || lagging || (!segments.is_empty() && segments.values().all(|&count| count > 0))
    }

    pub(super) fn session(&self) -> Option<Arc<Session>> {
        let (target_duration, part_target) = (self.fixed.target_duration?, self.fixed.part_target?);
        let settings = &self.settings;
        let longest = Duration::from_secs(target_duration.into());
        // No segment may go that leaves less than that (RFC 8216bis §6.2.2).
        let window = settings.window.max(longest * 3);
        Some(Arc::new(Session {
            id: self.numbers.session,
            target_duration,
            part_target,
            low_latency: settings.low_latency,
            window,
            retention: Retention {
                live: window * 2 + longest,
                dvr: settings.dvr_window,
                dvr_bytes: settings.dvr_memory,
                max_bytes: settings.limits.rendition_bytes,
            },
            burnt: self.burnt,
        }))
    }
}
