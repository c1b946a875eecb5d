//! Stored segments in memory again, for whoever asks.
//!
//! A segment is read once however many ask, a few are read at a time, and what was read is kept for a while. Whoever asks
//! waits no longer than a limit, and then the reading goes on for who asks again; one that hangs keeps its place, so that
//! a disk that stands still takes a few threads and not all. The bytes of all that are read, kept or being sent are
//! limited together: an answer that is taken slowly holds its segment, and thousands of those would hold a recording.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packager::presentation::{Content, Part, Stored};
use packager::{Presentation, Segment};
use stream::{Quiet, Storage, Unavailable, isolated};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::known::{Known, Name, Outcome, Parts, Reading, Shelf};
use crate::metrics::Loads;
use crate::problem::Problem;
use crate::settings::Settings;

/// What room is counted in.
const GRAIN: u64 = 1 << 10;

/// Reads stored segments.
#[derive(Clone)]
pub(crate) struct Loading {
    shelf: Arc<Shelf>,
    /// How many readings may have been begun and not ended.
    queue: Arc<Semaphore>,
    patience: Duration,
    reader: Arc<Reader>,
}

struct Reader {
    storage: Arc<dyn Storage>,
    places: Semaphore,
    room: Arc<Semaphore>,
    /// All there is of it, in grains.
    room_grains: u32,
    patience: Duration,
    loads: Loads,
    quiet: Quiet,
}

impl Loading {
    pub(crate) fn new(settings: &Settings, storage: Arc<dyn Storage>, loads: &Loads) -> Loading {
        let room_grains = grains(settings.media_cache_bytes.saturating_add(settings.max_media_bytes));
        let reader = Reader {
            storage,
            places: Semaphore::new(settings.max_reads),
            room: Arc::new(Semaphore::new(room_grains as usize)),
            room_grains,
            patience: settings.read_patience,
            loads: loads.clone(),
            quiet: Quiet::default(),
        };
        let queue = Arc::new(Semaphore::new(settings.max_loading));
        let shelf = Arc::new(Shelf::new(settings.media_cache_bytes));
        Loading { shelf, queue, patience: settings.read_patience, reader: Arc::new(reader) }
    }

    /// The segment with its parts in memory, as it was on air.
    pub(crate) async fn load(&self, segment: &Arc<Segment>) -> Result<Arc<Segment>, Problem> {
        let Some(stored) = segment.stored() else { return Ok(segment.clone()) };
        let parts = match self.known(segment, stored) {
            Ok(Known::Kept(parts)) => parts,
            Ok(Known::Reading(reading)) => self.outcome(reading).await?,
            Err(problem) => {
                self.reader.loads.ended(problem);
                return Err(problem);
            }
        };
        Ok(Arc::new(with_parts(segment, stored, &parts)))
    }

    /// Begins to read what a rendition has behind a segment that is asked for, where its storage is worth that and there
    /// is room.
    pub(crate) fn ahead(&self, presentation: &Presentation, rendition: &str, number: u64) {
        let Some(rendition) = presentation.rendition(rendition) else { return };
        let next = rendition.shown_from(number.saturating_add(1));
        for segment in next.take(self.reader.storage.read_ahead()) {
            if let Some(stored) = segment.stored().filter(|stored| self.is_at_ease(stored.len)) {
                // Who asks for it is told why not.
                let _ = self.known(segment, stored);
            }
        }
    }

    /// Half of everything is for who asks now.
    fn is_at_ease(&self, len: u64) -> bool {
        let Reader { places, room_grains, .. } = &*self.reader;
        places.available_permits() > 0 && self.reader.has_room(len + u64::from(*room_grains) * GRAIN / 2)
    }

    /// What is known of these bytes; where that is nothing, they begin to be read.
    fn known(&self, segment: &Arc<Segment>, stored: &Stored) -> Result<Known, Problem> {
        let name = Name { file: stored.file.clone(), offset: stored.offset };
        if let Some(known) = self.shelf.get(&name) {
            self.reader.loads.shared();
            return Ok(known);
        }
        let waiting = self.queue.clone().try_acquire_owned().map_err(|_| Problem::TooManyLoads)?;
        Ok(self.shelf.get_or_read(&name, || self.begin(name.clone(), segment.clone(), stored.len, waiting)))
    }

    fn begin(&self, name: Name, segment: Arc<Segment>, len: u64, waiting: OwnedSemaphorePermit) -> Reading {
        let (tell, reading) = watch::channel(None);
        let (reader, shelf) = (self.reader.clone(), self.shelf.clone());
        let whose = name.file.name.clone();
        tokio::spawn(isolated("reading of a stored segment", whose, async move {
            if !reader.has_room(len) {
                shelf.give_way(len);
            }
            let outcome = reader.read(&segment, len).await;
            shelf.ended(&name, &outcome);
            // Those who asked may all have gone.
            let _ = tell.send(Some(outcome));
            drop(waiting);
        }));
        reading
    }

    async fn outcome(&self, mut reading: Reading) -> Outcome {
        match timeout(self.patience, reading.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(Problem::StorageFailed)),
            Ok(Err(_)) => Err(Problem::StorageFailed),
            Err(_) => {
                self.reader.loads.ended(Problem::StorageSlow);
                Err(Problem::StorageSlow)
            }
        }
    }
}

/// Bytes that a segment in memory takes beside its own.
const OVERHEAD: u64 = 2 << 10;

impl Reader {
    async fn read(&self, segment: &Arc<Segment>, len: u64) -> Outcome {
        let outcome = self.try_read(segment, len).await;
        match &outcome {
            Ok(_) => self.loads.read(len),
            Err(problem) => self.loads.ended(*problem),
        }
        outcome
    }

    async fn try_read(&self, segment: &Arc<Segment>, len: u64) -> Outcome {
        let room = self.room(len).await?;
        let place = timeout(self.patience, self.places.acquire()).await;
        // They are never closed.
        let _place = place.map_err(|_| Problem::StorageSlow)?.map_err(|_| Problem::StorageFailed)?;
        match self.storage.load(segment).await {
            Ok(loaded) => Ok(held(loaded.parts(), &room)),
            Err(unavailable) => Err(self.report(segment.number, &unavailable)),
        }
    }

    fn has_room(&self, len: u64) -> bool {
        self.room.available_permits() >= self.grains(len) as usize
    }

    /// What is larger than all room takes all of it.
    fn grains(&self, len: u64) -> u32 {
        grains(len.saturating_add(OVERHEAD)).min(self.room_grains)
    }

    async fn room(&self, len: u64) -> Result<Arc<Room>, Problem> {
        let permit = timeout(self.patience, self.room.clone().acquire_many_owned(self.grains(len))).await;
        let permit = permit.map_err(|_| Problem::TooManyLoads)?.map_err(|_| Problem::StorageFailed)?;
        Ok(Arc::new(Room::new(permit, &self.loads)))
    }

    /// A line for operators; what was removed was removed on purpose.
    fn report(&self, number: u64, why: &Unavailable) -> Problem {
        let (problem, topic) = match why {
            Unavailable::Gone => {
                debug!(number, "a stored segment was removed");
                return Problem::Gone;
            }
            Unavailable::Damaged(_) => (Problem::Damaged, "damaged"),
            Unavailable::Failed(_) => (Problem::StorageFailed, "failed"),
        };
        if let Some(unsaid) = self.quiet.may_say(topic) {
            warn!(number, %why, unsaid, "a stored segment cannot be served");
        }
        problem
    }
}

/// A place for bytes, until the last reference to them is gone.
struct Room {
    permit: OwnedSemaphorePermit,
    loads: Loads,
}

impl Room {
    fn new(permit: OwnedSemaphorePermit, loads: &Loads) -> Room {
        loads.bytes.inc_by(bytes(&permit));
        Room { permit, loads: loads.clone() }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.loads.bytes.dec_by(bytes(&self.permit));
    }
}

fn bytes(permit: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(permit.num_permits() as u64 * GRAIN).unwrap_or(i64::MAX)
}

fn grains(bytes: u64) -> u32 {
    let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    u32::try_from(bytes.div_ceil(GRAIN)).unwrap_or(u32::MAX).min(most)
}

/// Bytes with their place: an answer may refer to them long after nothing else does.
struct Held {
    bytes: Bytes,
    _room: Arc<Room>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn held(parts: &[Arc<Part>], room: &Arc<Room>) -> Parts {
    let hold = |bytes: &Bytes| Bytes::from_owner(Held { bytes: bytes.clone(), _room: room.clone() });
    let part = |part: &Arc<Part>| {
        let (header, payload) = (hold(&part.header), part.payload.iter().map(hold).collect());
        Arc::new(Part { header, payload, ..Part::clone(part) })
    };
    parts.iter().map(part).collect()
}

/// The same parts may be shown by several presentations, each on its own timeline.
fn with_parts(segment: &Segment, stored: &Stored, parts: &[Arc<Part>]) -> Segment {
    let content = Content::Media { init: stored.init.clone(), parts: parts.to_vec() };
    Segment { content, ..segment.clone() }
}
