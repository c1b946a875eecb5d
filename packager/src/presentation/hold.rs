//! What a rendition holds: how far back it reaches, and what of that is in memory.
//!
//! Near the edge everything is in memory: what playlists list, and what just left them (RFC 8216bis §6.2.2). Farther back
//! memory lets go of what is in storage; what is not has a budget. What exceeds that goes with all before it, or leaves
//! a gap where older segments are in storage.

use std::sync::Arc;
use std::time::Duration;

use rpds::RedBlackTreeMapSync;

use super::rendition::Rendition;
use super::segment::Segment;
use super::stored::Stored;

/// What a segment counts for at least in windows, so that a publisher whose timestamps jump all the time cannot make
/// playlists of millions of slivers.
const LEAST: Duration = Duration::from_millis(100);

/// Sums over what is held, so that nobody has to walk the whole of a long window.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Hold {
    /// What all of it counts for.
    span: Duration,
    /// Bytes of it in memory.
    bytes: u64,
    /// Those of them that lie before `near`.
    far_bytes: u64,
    /// Where the live playlists begin.
    pub(super) window: Stretch,
    /// What is in memory whatever else.
    near: Stretch,
    /// Nothing before it is in memory.
    unstored: u64,
    /// The newest number that was let go of; zero for none.
    forgotten: u64,
}

/// The newest segments.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Stretch {
    /// Number of the first.
    pub(super) first: u64,
    /// What they count for together.
    span: Duration,
}

impl Stretch {
    /// The newest of these, and of `more` behind them, that make up `length` together.
    fn slid(
        mut self,
        segments: &RedBlackTreeMapSync<u64, Arc<Segment>>,
        more: Duration,
        length: Duration,
    ) -> Stretch {
        self.span += more;
        for (_, first) in segments.range(self.first..) {
            let without = self.span.saturating_sub(counted(first));
            if without < length {
                break;
            }
            self = Stretch { first: first.number + 1, span: without };
        }
        self
    }

    fn without(&mut self, number: u64, counts: Duration) {
        if number >= self.first {
            *self = Stretch { first: number + 1, span: self.span.saturating_sub(counts) };
        }
    }
}

impl Rendition {
    /// Takes the next segment, and lets go of what may go. Gives the newest number that cannot be had any more though
    /// older ones can.
    pub(super) fn append(&mut self, segment: Arc<Segment>) -> Option<u64> {
        if !segment.is_gap() {
            self.bitrate.add(segment.len(), segment.span());
            self.independent &= segment.independent();
        }
        self.open = None;
        let counts = counted(&segment);
        self.hold.span += counts;
        self.hold.bytes += segment.held();
        self.hold.window.span += counts;
        self.hold.near.span += counts;
        self.segments.insert_mut(segment.number, segment);
        let (window, live) = (self.session.window, self.session.retention.live);
        self.hold.window = self.hold.window.slid(&self.segments, Duration::ZERO, window);
        self.recede(self.hold.near.slid(&self.segments, Duration::ZERO, live));
        self.trim()
    }

    /// The bytes of a segment are in storage. Nothing happens where it is not here, or is not of these bytes.
    pub(super) fn settle(&mut self, number: u64, stored: Stored) {
        let Some(segment) = self.segments.get(&number).cloned() else { return };
        let Some(init) = segment.init().filter(|_| segment.held() > 0 && segment.len() == stored.len) else {
            return;
        };
        let stored = Stored { init: init.clone(), ..stored };
        self.replace(&segment, segment.as_stored(stored));
    }

    /// The first number that is still near the edge when `coming` is appended: what is stored of those before it need
    /// not be in memory.
    pub(crate) fn near_with(&self, coming: &Segment) -> u64 {
        let follows = self.last().is_some_and(|last| last.number + 1 == coming.number);
        let full = self.hold.bytes.saturating_add(coming.len()) > self.session.retention.max_bytes;
        if !follows || full {
            return u64::MAX;
        }
        self.hold.near.slid(&self.segments, counted(coming), self.session.retention.live).first
    }

    /// Whether it is not known any more what this number was.
    pub(crate) fn has_forgotten(&self, number: u64) -> bool {
        number <= self.hold.forgotten
    }

    /// The number before `first` that nobody can have, where nothing was ever held of it.
    pub(crate) fn burnt_before(&self, first: u64) -> Option<u64> {
        let burnt = self.session.burnt.filter(|burnt| burnt + 1 == first)?;
        (self.segments.get(&burnt).is_none() && !self.has_forgotten(burnt)).then_some(burnt)
    }

    /// Bytes of finished segments in memory.
    pub fn held_bytes(&self) -> u64 {
        self.hold.bytes
    }

    /// Lets everything go: it begins anew.
    pub(super) fn clear(&mut self) {
        let forgotten = self.segments.last().map_or(self.hold.forgotten, |(&number, _)| number);
        self.segments = RedBlackTreeMapSync::new_sync();
        self.hold = Hold { forgotten, ..Hold::default() };
    }

    /// Lets everything go but the newest segment: others have gone on for longer than anything stays.
    pub(super) fn forget(&mut self) {
        while self.segments.size() > 1 {
            self.drop_oldest();
        }
    }

    /// What is near the edge begins later.
    fn recede(&mut self, near: Stretch) {
        let left = self.segments.range(self.hold.near.first..near.first);
        self.hold.far_bytes += left.map(|(_, segment)| segment.held()).sum::<u64>();
        self.hold.near = near;
    }

    fn trim(&mut self) -> Option<u64> {
        let (live, dvr) = (self.session.retention.live, self.session.retention.dvr);
        while let Some((_, oldest)) = self.segments.first() {
            let without = self.hold.span.saturating_sub(counted(oldest));
            if self.segments.size() <= 1 || without < live || self.hold.span <= dvr {
                break;
            }
            self.drop_oldest();
        }
        let mut lost = None;
        while self.is_full() && self.segments.size() > 1 {
            lost = self.release().or(lost);
        }
        lost
    }

    fn is_full(&self) -> bool {
        let retention = &self.session.retention;
        self.hold.bytes > retention.max_bytes || self.hold.far_bytes > retention.dvr_bytes
    }

    /// Lets the oldest segment go that is in memory. Gives its number where older ones stay.
    fn release(&mut self) -> Option<u64> {
        let mut from = self.segments.range(self.hold.unstored..).map(|(_, segment)| segment);
        let segment = from.find(|segment| segment.held() > 0)?.clone();
        self.hold.unstored = segment.number;
        while let Some((&oldest, first)) = self.segments.first() {
            if oldest < segment.number && !first.is_gap() {
                self.replace(&segment, segment.as_gap());
                return Some(segment.number);
            }
            self.drop_oldest();
            if oldest == segment.number {
                break;
            }
        }
        None
    }

    /// Puts what says the same time in the place of a segment in memory.
    fn replace(&mut self, segment: &Segment, with: Segment) {
        self.let_go_of(segment);
        self.segments.insert_mut(segment.number, Arc::new(with));
    }

    fn let_go_of(&mut self, segment: &Segment) {
        self.hold.bytes -= segment.held();
        if segment.number < self.hold.near.first {
            self.hold.far_bytes -= segment.held();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((&number, oldest)) = self.segments.first() else { return };
        let (counts, oldest) = (counted(oldest), oldest.clone());
        self.let_go_of(&oldest);
        self.segments.remove_mut(&number);
        self.hold.span = self.hold.span.saturating_sub(counts);
        self.hold.forgotten = number;
        self.hold.window.without(number, counts);
        self.hold.near.without(number, counts);
    }
}

/// What a segment counts for.
pub(super) fn counted(segment: &Segment) -> Duration {
    segment.span().duration().unwrap_or_default().max(LEAST)
}
