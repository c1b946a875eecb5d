//! What was read of indexes, within a limit of bytes: what was not asked for the longest goes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::loaded::Loaded;
use super::recordings::Recording;

pub(super) struct Cache {
    most: u64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_entry: HashMap<Arc<str>, Vec<Slot>>,
    bytes: u64,
    /// Counts up with each use.
    uses: u64,
}

struct Slot {
    id: Arc<str>,
    loaded: Arc<Loaded>,
    used: u64,
}

impl Cache {
    /// Keeps up to `most` bytes, and what was put in last in any case.
    pub(super) fn new(most: u64) -> Cache {
        Cache { most, held: Mutex::default() }
    }

    /// What was read of a recording.
    pub(super) fn get(&self, recording: &Recording) -> Option<Arc<Loaded>> {
        let mut held = self.lock();
        held.uses += 1;
        let used = held.uses;
        let slot = held.by_entry.get_mut(&recording.entry)?.iter_mut().find(|it| it.id == recording.id)?;
        slot.used = used;
        Some(slot.loaded.clone())
    }

    /// What is held of an entry's recordings, in no order. Is no use of them.
    pub(super) fn all(&self, entry: &str) -> Vec<Arc<Loaded>> {
        let held = self.lock();
        held.by_entry.get(entry).into_iter().flatten().map(|slot| slot.loaded.clone()).collect()
    }

    pub(super) fn put(&self, recording: &Recording, loaded: Loaded) {
        let mut held = self.lock();
        held.take(&recording.entry, &recording.id);
        held.uses += 1;
        held.bytes += loaded.bytes;
        let slot = Slot { id: recording.id.clone(), loaded: Arc::new(loaded), used: held.uses };
        held.by_entry.entry(recording.entry.clone()).or_default().push(slot);
        while held.bytes > self.most && held.drop_oldest() {}
    }

    pub(super) fn remove(&self, recording: &Recording) {
        self.lock().take(&recording.entry, &recording.id);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // No code that can panic runs while it is held.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn take(&mut self, entry: &Arc<str>, id: &Arc<str>) {
        let Some(slots) = self.by_entry.get_mut(entry) else { return };
        if let Some(at) = slots.iter().position(|slot| slot.id == *id) {
            self.bytes -= slots.swap_remove(at).loaded.bytes;
        }
        if slots.is_empty() {
            self.by_entry.remove(entry);
        }
    }

    /// Says whether there was one beside the newest.
    fn drop_oldest(&mut self) -> bool {
        let slots =
            self.by_entry.iter().flat_map(|(entry, slots)| slots.iter().map(move |slot| (entry, slot)));
        let oldest = slots.min_by_key(|(_, slot)| slot.used).filter(|(_, slot)| slot.used < self.uses);
        let Some((entry, id)) = oldest.map(|(entry, slot)| (entry.clone(), slot.id.clone())) else {
            return false;
        };
        self.take(&entry, &id);
        true
    }
}
