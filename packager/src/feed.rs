//! One push among those of an entry: what it said of itself, its clock, and its sound while another's is heard.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use media::{Kind, Track, TrackId};

use crate::clock::Clock;
use crate::gather::Held;

/// How much of a sound that is not heard is kept, for the moment in which the one that is heard falls silent.
const STANDBY: Duration = Duration::from_secs(4);
/// Bytes of it.
const STANDBY_BYTES: usize = 1 << 20;

/// Names one push within a packager; never used twice in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FeedId(pub(crate) u32);

/// One push.
#[derive(Debug)]
pub struct Feed {
    pub id: FeedId,
    /// The rendition of a switching set that it names.
    pub rendition: Option<Arc<str>>,
    /// Its tracks as it numbers them.
    pub tracks: BTreeMap<TrackId, Track>,
    /// Which tracks its metadata promises.
    pub announced: Option<(bool, bool)>,
    pub clock: Clock,
    standby: BTreeMap<u8, Standby>,
}

/// The latest frames of a sound that is not heard.
#[derive(Debug, Default)]
struct Standby {
    held: VecDeque<Held>,
    bytes: usize,
}

impl Feed {
    pub fn new(id: FeedId, rendition: Option<Arc<str>>) -> Feed {
        Feed {
            id,
            rendition,
            tracks: BTreeMap::new(),
            announced: None,
            clock: Clock::default(),
            standby: BTreeMap::new(),
        }
    }

    /// What its audio track `index` is.
    pub fn sound(&self, index: u8) -> Option<&Track> {
        self.tracks.get(&TrackId { kind: Kind::Audio, index })
    }

    /// Keeps a frame that is not heard now.
    pub fn stand_by(&mut self, held: Held) {
        self.standby.entry(held.id.index).or_default().push(held);
    }

    /// Gives what was kept of a sound, oldest first.
    pub fn stood_by(&mut self, index: u8) -> VecDeque<Held> {
        self.standby.remove(&index).unwrap_or_default().held
    }

    /// What it keeps of a sound is of another timeline now.
    pub fn forget_standby(&mut self) {
        self.standby.clear();
    }
}

impl Standby {
    fn push(&mut self, held: Held) {
        let newest = held.presented.micros();
        self.bytes += held.sample.data.len();
        self.held.push_back(held);
        let long = STANDBY.as_micros() as i64;
        while let Some(oldest) = self.held.front()
            && (self.bytes > STANDBY_BYTES || newest.saturating_sub(oldest.presented.micros()) > long)
        {
            self.bytes -= oldest.sample.data.len();
            self.held.pop_front();
        }
    }
}
