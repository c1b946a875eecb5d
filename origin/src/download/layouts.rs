//! Where each byte of a file is: made of the headers of its fragments, once however many ask.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use container::mp4::{WalkError, fragment_extent};
use futures_util::stream::iter;
use futures_util::{StreamExt, TryStreamExt};
use moka::sync::Cache;
use packager::Segment;
use packager::presentation::StoredFile;
use packager::progressive::{Builder, Fragment, Layout, Place, Plan, Unfit};
use packager::window::Window;
use sha2::{Digest, Sha256};
use stream::{Storage, Unavailable, View};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;

use crate::problem::Problem;
use crate::settings::Settings;

/// Bytes that are read to find the header of a fragment; more where these are not enough.
const HEADER: u64 = 2 << 10;
/// Segments whose headers are read at a time, for one file.
const SEGMENTS: usize = 8;
/// Files that are laid out at a time.
const MAKERS: usize = 4;

/// Says which file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    version: u64,
    window: Option<Window>,
    rendition: Option<Box<str>>,
}

impl Key {
    pub(super) fn new(view: &View, window: Option<Window>, rendition: Option<&str>) -> Key {
        Key { version: view.version, window, rendition: rendition.map(Box::from) }
    }
}

/// A layout with what tells it from all others.
pub(super) struct Made {
    pub(super) layout: Layout,
    pub(super) tag: String,
}

/// Layouts that were made lately.
#[derive(Clone)]
pub(super) struct Layouts(Arc<Inner>);

struct Inner {
    known: Cache<Key, Arc<Made>>,
    storage: Arc<dyn Storage>,
    patience: Duration,
    /// One of them is held while a file is laid out: always the same for the same.
    makers: [Mutex<()>; MAKERS],
    hasher: RandomState,
}

impl Layouts {
    pub(super) fn new(settings: &Settings, storage: Arc<dyn Storage>) -> Layouts {
        let weight = |made: &Arc<Made>| u32::try_from(made.layout.weight()).unwrap_or(u32::MAX);
        let known = Cache::builder()
            .max_capacity(settings.download_cache_bytes)
            .weigher(move |_: &Key, made: &Arc<Made>| weight(made))
            .build();
        let makers = std::array::from_fn(|_| Mutex::new(()));
        let (patience, hasher) = (settings.download_patience, RandomState::new());
        Layouts(Arc::new(Inner { known, storage, patience, makers, hasher }))
    }

    /// The layout of that name. Those who ask while it is being made wait for it, but not for ever; it is made to its end
    /// though who asked may leave.
    pub(super) async fn get(
        &self,
        key: Key,
        plan: impl FnOnce() -> Result<Plan, Problem>,
    ) -> Result<Arc<Made>, Problem> {
        if let Some(made) = self.0.known.get(&key) {
            return Ok(made);
        }
        let making = tokio::spawn(self.0.clone().made(key, plan()?));
        match timeout(self.0.patience, making).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(Problem::StorageFailed),
            Err(_) => Err(Problem::StorageSlow),
        }
    }
}

impl Inner {
    async fn made(self: Arc<Inner>, key: Key, plan: Plan) -> Result<Arc<Made>, Problem> {
        let one = &self.makers[self.hasher.hash_one(&key) as usize % MAKERS];
        let _one = one.lock().await;
        if let Some(made) = self.known.get(&key) {
            return Ok(made);
        }
        let made = Arc::new(self.make(plan).await?);
        self.known.insert(key, made.clone());
        Ok(made)
    }

    async fn make(&self, plan: Plan) -> Result<Made, Problem> {
        let (mut builder, mut bytes) = (Builder::new(&plan), Sha256::new());
        let storage = self.storage.clone();
        let read = move |(rendition, segment): (usize, Arc<Segment>)| {
            let storage = storage.clone();
            async move {
                let fragments = fragments(&*storage, &segment).await?;
                Ok::<_, Problem>((rendition, segment, fragments))
            }
        };
        let mut segments = iter(plan.segments).map(read).buffered(SEGMENTS);
        while let Some((rendition, segment, fragments)) = segments.try_next().await? {
            identify(&mut bytes, rendition, &segment);
            builder.add(rendition, &segment, fragments).map_err(|unfit| problem(&unfit))?;
        }
        let layout = builder.finish().map_err(|unfit| problem(&unfit))?;
        bytes.update(&layout.head);
        let tag = bytes.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Made { layout, tag })
    }
}

/// Which bytes a segment has: numbers are burnt, and a checksum is that of the bytes.
fn identify(bytes: &mut Sha256, rendition: usize, segment: &Segment) {
    let checksum = segment.stored().map_or(0, |stored| stored.checksum);
    bytes.update((rendition as u64).to_be_bytes());
    bytes.update(segment.number.to_be_bytes());
    bytes.update(segment.len().to_be_bytes());
    bytes.update(checksum.to_be_bytes());
}

/// The fragments of a segment, of which headers alone are read.
async fn fragments(storage: &dyn Storage, segment: &Segment) -> Result<Vec<Fragment>, Problem> {
    let Some(stored) = segment.stored() else { return Ok(Fragment::in_memory(segment)) };
    let (mut at, end) = (stored.offset, stored.offset.saturating_add(stored.len));
    let mut fragments = Vec::new();
    while at < end {
        let (header, len) = header(storage, &stored.file, at, end).await?;
        let place = at + header.len() as u64;
        at = place.saturating_add(len);
        fragments.push(Fragment { header, place: Place::Stored(stored.file.clone(), place), len });
    }
    if at == end { Ok(fragments) } else { Err(Problem::Damaged) }
}

/// What stands before the payload of the fragment at `at`, and the bytes of that.
async fn header(
    storage: &dyn Storage,
    file: &StoredFile,
    at: u64,
    end: u64,
) -> Result<(Bytes, u64), Problem> {
    let mut wanted = HEADER;
    loop {
        let until = end.min(at.saturating_add(wanted));
        let bytes = storage.read(file, at..until).await.map_err(|why| unavailable(&why))?;
        match fragment_extent(&bytes) {
            Ok(extent) => return Ok((bytes.slice(..extent.header.min(bytes.len())), extent.payload)),
            Err(WalkError::Needs(more)) if until < end => wanted = (more as u64).saturating_add(HEADER),
            Err(_) => return Err(Problem::Damaged),
        }
    }
}

pub(super) fn unavailable(why: &Unavailable) -> Problem {
    match why {
        Unavailable::Gone => Problem::Gone,
        Unavailable::Damaged(_) => Problem::Damaged,
        Unavailable::Failed(_) => Problem::StorageFailed,
    }
}

pub(super) fn problem(unfit: &Unfit) -> Problem {
    match unfit {
        Unfit::NoSuchRendition => Problem::NoSuchRendition,
        Unfit::Empty => Problem::Gone,
        Unfit::TooLong | Unfit::TooMany => Problem::TooLong,
        Unfit::Unlike(_) => Problem::NotOneFile,
        Unfit::Unencodable(_) | Unfit::Malformed(_) => {
            warn!(%unfit, "a file cannot be laid out");
            Problem::Damaged
        }
    }
}
