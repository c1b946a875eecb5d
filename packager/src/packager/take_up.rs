//! A session that is resumed goes on with what was on air of it.

use std::sync::Arc;
use std::time::Duration;

use media::{Kind, WallTime};

use super::Packager;
use crate::presentation::{Presentation, Record, Segment};

/// Segments that may have been seen and are nowhere: what lies before more of them is not gone on with.
pub(crate) const LONGEST_HOLE: u64 = 256;

impl Packager {
    /// Goes on with what was on air of the session before the process died: URLs, playlists and Periods stay, and numbers
    /// that may have been seen and are nowhere are gaps once something follows them. Called before anything is pushed;
    /// what does not belong to the session that is resumed is not taken up.
    pub fn take_up(&mut self, aired: &Presentation, wall: WallTime) {
        let (segments, newest) = (in_order(aired), newest(aired));
        let Some(newest) = newest.filter(|it| it.period.number >= self.numbers.session) else { return };
        self.catch_up(newest);
        let lost = self.numbers.segment.checked_sub(newest.number).filter(|&lost| lost <= LONGEST_HOLE);
        let Some(lost) = lost.filter(|_| self.presentation.is_none() && self.running.is_none()) else {
            return;
        };
        self.burnt = (lost > 0).then_some(self.numbers.segment);
        let Some(session) = self.session() else { return };
        let mut presentation = Presentation::new(session, wall);
        presentation.spans = aired.spans.clone();
        for (name, kind, segment) in segments {
            presentation.go_on(name, kind, segment.clone(), newest.number);
        }
        self.say_again(aired, &mut presentation, wall);
        let period = newest.period.number;
        presentation.apply(Record::Closed { period, renewed: false }, wall);
        presentation.drop_gap_at_edge();
        self.presentation = Some(presentation);
        self.lie_behind(newest, lost);
    }

    /// Where the numbers could not be stored any more, but what they number was: no other segment and no other Period gets
    /// one of those, nor that of the segment that was being made.
    fn catch_up(&mut self, newest: &Segment) {
        let numbers = &mut self.numbers;
        if newest.number > numbers.segment {
            (numbers.segment, numbers.closed) = (newest.number + 1, false);
        }
        if newest.period.number > numbers.period {
            numbers.period = newest.period.number;
            numbers.discontinuity = newest.period.discontinuity + 1;
        }
    }

    /// What is known of each rendition.
    fn say_again(&self, aired: &Presentation, presentation: &mut Presentation, wall: WallTime) {
        for known in &aired.renditions {
            let (rendition, kind) = (known.name.clone(), known.kind);
            let given = self.numbers.bitrates.get(&rendition).copied();
            let bitrate = given.or(known.named_bitrate);
            let named =
                bitrate.map(|bitrate| Record::Bitrate { rendition: rendition.clone(), kind, bitrate });
            let rate = known
                .frame_rate
                .map(|frame_rate| Record::FrameRate { rendition: rendition.clone(), frame_rate });
            let captions = Record::Captions { rendition, captions: known.captions };
            let captions = (known.kind == Kind::Video).then_some(captions);
            let all = named.into_iter().chain(rate).chain(captions);
            all.for_each(|record| presentation.apply(record, wall));
        }
    }

    /// What comes next begins behind all that may have been seen: as if each segment that is nowhere had been as long as
    /// the last one.
    fn lie_behind(&mut self, newest: &Segment, lost: u64) {
        let micros = newest.span().micros().saturating_mul(lost as i64);
        let end = newest.end_position().saturating_add(micros);
        let end = Duration::from_micros(u64::try_from(end).unwrap_or(0));
        self.numbers.elapsed = self.numbers.elapsed.max(end);
        let until = WallTime::from_micros(newest.wall_end().micros().saturating_add(micros));
        self.numbers.until = self.numbers.until.max(until);
    }
}

fn newest(aired: &Presentation) -> Option<&Arc<Segment>> {
    aired.renditions.iter().filter_map(|rendition| rendition.last()).max_by_key(|last| last.number)
}

/// All segments, as they came: by number, and the renditions in their order.
fn in_order(aired: &Presentation) -> Vec<(&Arc<str>, Kind, &Arc<Segment>)> {
    let each = aired.renditions.iter().flat_map(|it| it.shown().map(|segment| (&it.name, it.kind, segment)));
    let mut all: Vec<_> = each.collect();
    all.sort_by_key(|(_, _, segment)| segment.number);
    all
}
