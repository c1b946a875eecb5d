//! Memory lets go of what is in storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Packager;
use crate::presentation::{Presentation, Record, Stored};

/// What is known to be in storage and still in memory, by rendition and number: no more than there are segments in memory.
#[derive(Debug, Default)]
pub(super) struct Settling(BTreeMap<Arc<str>, BTreeMap<u64, Stored>>);

impl Packager {
    /// The bytes of a finished segment are in storage. Near the edge it stays in memory, so that live playlists depend on
    /// no disk; once it is farther back, memory lets go of it with the next segment of its rendition, so that nobody who
    /// watches that has to look again. Nothing happens where the segment is not in memory.
    pub fn settle(&mut self, rendition: &str, number: u64, stored: Stored) {
        let known = self.presentation.as_ref().and_then(|presentation| presentation.rendition(rendition));
        let Some(rendition) = known else { return };
        if rendition.segments.get(&number).is_some_and(|segment| segment.held() > 0) {
            self.settling.0.entry(rendition.name.clone()).or_default().insert(number, stored);
        }
    }
}

impl Settling {
    /// Settles what need not be in memory once `record` is applied.
    pub(super) fn before(&mut self, record: &Record, presentation: &mut Presentation) {
        let Record::Segment { rendition: name, segment, .. } = record else { return };
        let (Some(waiting), Some(rendition)) = (self.0.get_mut(name), presentation.rendition(name)) else {
            return;
        };
        let near = waiting.split_off(&rendition.near_with(segment));
        for (number, stored) in std::mem::replace(waiting, near) {
            presentation.settle(name, number, stored);
        }
    }
}
