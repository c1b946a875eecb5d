//! The newest events, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use media::WallTime;

use super::{Event, KEPT, KEPT_BYTES, size};

/// What an event takes beside its data, about.
const OVERHEAD: usize = 256;

/// The newest events in the order of their ids, and which was the last that is not among them.
#[derive(Debug, Default)]
pub(super) struct Ring {
    events: VecDeque<(Arc<Event>, usize)>,
    bytes: usize,
    last: u64,
    forgotten: u64,
}

impl Ring {
    /// The id that an event is given now.
    pub(super) fn next_id(&self, now: WallTime) -> u64 {
        let millis = u64::try_from(now.micros() / 1000).unwrap_or_default();
        millis.max(self.last + 1)
    }

    /// Takes the next one in.
    pub(super) fn push(&mut self, event: Arc<Event>) {
        let size = OVERHEAD + size(&event.data);
        self.last = event.id;
        self.bytes += size;
        self.events.push_back((event, size));
        while self.events.len() > KEPT || self.bytes > KEPT_BYTES {
            self.forget_oldest();
        }
    }

    /// The newest id, also of an event that is not here any more.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether everything after this event is here.
    pub(super) fn knows(&self, id: u64) -> bool {
        id == self.forgotten || self.events.binary_search_by_key(&id, |(event, _)| event.id).is_ok()
    }

    /// What came after an event.
    pub(super) fn after(&self, id: u64) -> impl Iterator<Item = &Arc<Event>> {
        let first = self.events.partition_point(|(event, _)| event.id <= id);
        self.events.range(first..).map(|(event, _)| event)
    }

    fn forget_oldest(&mut self) {
        if let Some((event, size)) = self.events.pop_front() {
            self.bytes -= size;
            self.forgotten = event.id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Kind, NewEvent};
    use serde_json::{Map, json};

    fn event(id: u64, data: usize) -> Arc<Event> {
        let data: Map<_, _> = [("x".to_owned(), json!("y".repeat(data)))].into_iter().collect();
        let at = WallTime::from_millis(0);
        let new = NewEvent { account: None, entry: None, kind: Kind::StreamLive, at, data };
        Arc::new(new.with_id(id))
    }

    fn ids(ring: &Ring, after: u64) -> Vec<u64> {
        ring.after(after).map(|event| event.id).collect()
    }

    #[test]
    fn an_id_is_the_clock_or_one_more_than_the_last() {
        let mut ring = Ring::default();
        let at = |millis| WallTime::from_millis(millis);
        assert_eq!(ring.next_id(at(1000)), 1000);
        ring.push(event(1000, 0));
        assert_eq!(ring.next_id(at(1000)), 1001);
        assert_eq!(ring.next_id(at(5)), 1001, "a clock that was set back");
        assert_eq!(ring.next_id(at(2000)), 2000);
    }

    #[test]
    fn an_event_is_known_while_all_after_it_is_kept() {
        let mut ring = Ring::default();
        (1..=KEPT as u64 + 5).for_each(|id| ring.push(event(id * 2, 0)));
        assert!(!ring.knows(8), "what came next is not kept");
        assert!(ring.knows(10) && ring.knows(12), "all that came after is kept");
        assert!(!ring.knows(13), "there never was such an event");
        assert_eq!(ids(&ring, 10).len(), KEPT);
        let newest = (KEPT as u64 + 5) * 2;
        assert_eq!(ids(&ring, newest - 4), [newest - 2, newest]);
        assert!(ring.knows(newest) && ids(&ring, newest).is_empty());
    }

    #[test]
    fn large_events_push_out_earlier() {
        let mut ring = Ring::default();
        let each = 8000;
        (1..=KEPT as u64).for_each(|id| ring.push(event(id, each)));
        let kept = ids(&ring, 0).len();
        assert!(kept < KEPT_BYTES / each && kept > KEPT_BYTES / (each + 2 * OVERHEAD), "{kept}");
    }
}
