//! What is lost, from where to where and why.

use std::ops::RangeInclusive;
use std::sync::Arc;

use container::index::{Reason, Record};

use super::Writer;
use crate::contents::Gap;
use crate::policy::Outcome;

impl Writer {
    /// Nobody is told any more that it is stored: who has it in memory may let go of it then.
    pub(super) fn lose(&mut self, name: &Arc<str>, first: u64, last: u64, reason: Reason, note: &str) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        self.outcomes.retain(|told| !is_of(told, name, first..=last));
        let begins = lane.lost.is_none();
        if let Some(before) = lane.lose(first, last, reason, note) {
            let record = gap_record(lane.id, before);
            self.say(&record);
        }
        if begins {
            let gap = Gap { first, last, reason, note: note.to_owned() };
            self.outcomes.push(Outcome::Lost { rendition: name.clone(), gap });
        }
    }

    pub(super) fn resumed(&mut self, name: &Arc<str>, number: u64) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        if let Some(gap) = lane.lost.take() {
            let record = gap_record(lane.id, gap);
            self.say(&record);
            self.outcomes.push(Outcome::Resumed { rendition: name.clone(), number });
        }
    }

    /// Writes down gaps that have no end yet.
    pub(super) fn note_gaps(&mut self) {
        let gaps: Vec<Record> = self
            .lanes
            .values_mut()
            .filter_map(|lane| lane.lost.take().map(|gap| gap_record(lane.id, gap)))
            .collect();
        gaps.iter().for_each(|record| self.say(record));
    }
}

/// Whether it says that one of these segments is stored.
fn is_of(told: &Outcome, name: &Arc<str>, numbers: RangeInclusive<u64>) -> bool {
    matches!(told, Outcome::Stored { rendition, number, .. } if rendition == name && numbers.contains(number))
}

fn gap_record(rendition: u32, gap: Gap) -> Record {
    let Gap { first, last, reason, note } = gap;
    Record::Gap { rendition, first, last, reason, note }
}
