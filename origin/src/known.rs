//! Which stored segments are in memory, and which are being read: the longest unused go first.
//!
//! A recording is watched from its beginning to its end, so that how often something was used says little; and what was
//! read ahead nobody has used yet. What is let go of is gone at once: room for it is counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashlink::LinkedHashMap;
use packager::presentation::{Part, StoredFile};
use tokio::sync::watch;

use crate::problem::Problem;

/// Says which bytes these are, whatever presentations show them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Name {
    pub(crate) file: Arc<StoredFile>,
    pub(crate) offset: u64,
}

/// The parts of a segment.
pub(crate) type Parts = Arc<[Arc<Part>]>;

/// What comes of a reading.
pub(crate) type Outcome = Result<Parts, Problem>;

/// A reading that goes on: who waits for it is told here.
pub(crate) type Reading = watch::Receiver<Option<Outcome>>;

/// What is known of some bytes.
pub(crate) enum Known {
    Kept(Parts),
    Reading(Reading),
}

/// All that is known.
pub(crate) struct Shelf(Mutex<State>);

struct State {
    reading: HashMap<Name, Reading>,
    /// The longest unused first.
    kept: LinkedHashMap<Name, Parts>,
    bytes: u64,
    most: u64,
}

impl Shelf {
    /// Keeps as many bytes as that.
    pub(crate) fn new(most: u64) -> Shelf {
        Shelf(Mutex::new(State { reading: HashMap::new(), kept: LinkedHashMap::new(), bytes: 0, most }))
    }

    /// What is known of these bytes, which are used now.
    pub(crate) fn get(&self, name: &Name) -> Option<Known> {
        self.state().get(name)
    }

    /// The same; where nothing is, `begin` makes a reading.
    pub(crate) fn get_or_read(&self, name: &Name, begin: impl FnOnce() -> Reading) -> Known {
        let mut state = self.state();
        state.get(name).unwrap_or_else(|| {
            let reading = begin();
            state.reading.insert(name.clone(), reading.clone());
            Known::Reading(reading)
        })
    }

    /// A reading is over.
    pub(crate) fn ended(&self, name: &Name, outcome: &Outcome) {
        let mut state = self.state();
        state.reading.remove(name);
        if let Ok(parts) = outcome {
            state.keep(name.clone(), parts.clone());
        }
        let old = state.shed(0);
        drop(state);
        drop(old);
    }

    /// Lets go of as much as that, whatever may be kept.
    pub(crate) fn give_way(&self, bytes: u64) {
        let old = self.state().shed(bytes);
        drop(old);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole at every step: nothing in here panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn get(&mut self, name: &Name) -> Option<Known> {
        if let Some(parts) = self.kept.to_back(name) {
            return Some(Known::Kept(parts.clone()));
        }
        let reading = self.reading.get(name)?;
        // One that panicked tells nobody anything any more.
        let goes_on = reading.has_changed().is_ok() || reading.borrow().is_some();
        goes_on.then(|| Known::Reading(reading.clone()))
    }

    fn keep(&mut self, name: Name, parts: Parts) {
        self.bytes += bytes(&parts);
        if let Some(before) = self.kept.insert(name, parts) {
            self.bytes -= bytes(&before);
        }
    }

    /// Takes out the longest unused, until no more is kept than may be and `more` are free beside that.
    fn shed(&mut self, more: u64) -> Vec<Parts> {
        let least = self.bytes.saturating_sub(more).min(self.most);
        let mut old = Vec::new();
        while self.bytes > least
            && let Some((_, parts)) = self.kept.pop_front()
        {
            self.bytes -= bytes(&parts);
            old.push(parts);
        }
        old
    }
}

fn bytes(parts: &Parts) -> u64 {
    parts.iter().map(|part| part.len).sum()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn name(offset: u64) -> Name {
        let file = StoredFile { store: "demo/rec".into(), name: "video-1.1.1.mp4".into() };
        Name { file: Arc::new(file), offset }
    }

    fn parts(len: u64) -> Parts {
        let (header, payload) = (Bytes::new(), Vec::new());
        Arc::new([Arc::new(Part {
            index: 0,
            start: 0,
            duration: 1,
            independent: true,
            header,
            payload,
            len,
        })])
    }

    fn kept(shelf: &Shelf) -> Vec<u64> {
        shelf.state().kept.keys().map(|name| name.offset).collect()
    }

    #[test]
    fn the_longest_unused_goes_first_and_at_once() {
        let shelf = Shelf::new(30);
        let first = parts(10);
        shelf.ended(&name(0), &Ok(first.clone()));
        for offset in 1..3 {
            shelf.ended(&name(offset), &Ok(parts(10)));
        }
        assert!(matches!(shelf.get(&name(1)), Some(Known::Kept(_))));
        shelf.ended(&name(3), &Ok(parts(10)));
        assert_eq!(kept(&shelf), [2, 1, 3]);
        assert_eq!(Arc::strong_count(&first), 1, "nobody holds it any more");
        shelf.give_way(11);
        assert_eq!(kept(&shelf), [3]);
        shelf.ended(&name(4), &Ok(parts(31)));
        assert_eq!((kept(&shelf), shelf.state().bytes), (vec![], 0), "larger than all that may be kept");
    }

    #[test]
    fn a_reading_is_shared_until_it_ends() {
        let shelf = Shelf::new(30);
        let (tell, told) = watch::channel(None);
        let mut begun = 0;
        for _ in 0..3 {
            shelf.get_or_read(&name(0), || {
                begun += 1;
                told.clone()
            });
        }
        assert_eq!(begun, 1);
        shelf.ended(&name(0), &Err(Problem::StorageFailed));
        assert!(shelf.get(&name(0)).is_none(), "what failed may do better the next time");
        shelf.get_or_read(&name(0), || told.clone());
        drop((tell, told));
        assert!(shelf.get(&name(0)).is_none(), "what panicked will tell nothing");
    }
}
