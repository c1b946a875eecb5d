//! A stream that was on air, its segments in memory or in storage, and a storage that does as it is told.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::presentation::{Content, Stored, StoredFile};
use packager::{Now, Numbers, Packager, Presentation, Segment, Settings};
use stream::{Air, Storage, Unavailable, View};
use tokio::sync::Semaphore;

use super::shelf::{START, joined};

const AVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/avcc-720p.bin");

/// So many seconds of 25 pictures each with a keyframe, and sound; over.
pub(crate) fn published(seconds: i64) -> Presentation {
    let settings = Settings { dvr_memory: 100 << 20, ..Settings::default() };
    let mut packager = Packager::new(Arc::new(settings), Numbers::unknown(START), false);
    let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    packager.announce(true, true);
    for (id, codec) in [(TrackId::VIDEO, Codec::Avc(avc)), (TrackId::AUDIO, Codec::Aac(aac))] {
        packager.track(id, Track::new(codec, Timescale::MILLIS));
    }
    let begun = Instant::now();
    let mut send = |id: TrackId, dts: i64, sync: Sync, data: Vec<u8>| {
        let now = Now { instant: begun + Duration::from_millis(dts as u64), wall: START };
        packager.push(id, Sample { dts, composition_offset: 0, duration: 0, sync, data: data.into() }, now);
    };
    for picture in 0..seconds * 25 {
        send(TrackId::AUDIO, picture * 40, Sync::Yes, vec![picture as u8; 60]);
        let sync = if picture % 25 == 0 { Sync::Yes } else { Sync::No };
        let unit = [&[0, 0, 0, 204][..], &(picture as u32).to_be_bytes(), &[7; 200]].concat();
        send(TrackId::VIDEO, picture * 40, sync, unit);
    }
    packager.end(START);
    packager.presentation().expect("something to play").clone()
}

pub(crate) fn view(presentation: &Presentation) -> Arc<View> {
    Arc::new(View::new(Arc::new(presentation.clone()), Air::Live, None))
}

/// All permits of the door.
pub(crate) const DOOR: u32 = 1 << 20;

/// What a read does.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    Fails(Unavailable),
    /// It never ends.
    Hangs,
    Panics,
}

/// A storage of segments in memory, which counts what is asked of it.
pub(crate) struct Depot {
    segments: Mutex<HashMap<(StoredFile, u64), Bytes>>,
    pub(crate) mood: Mutex<Mood>,
    /// Loads go through here one by one, where a test holds it shut.
    pub(crate) door: Semaphore,
    pub(crate) loads: AtomicUsize,
    pub(crate) reads: AtomicUsize,
    pub(crate) at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
    ahead: usize,
}

impl Depot {
    pub(crate) fn new() -> Depot {
        Depot {
            segments: Mutex::default(),
            mood: Mutex::default(),
            door: Semaphore::new(DOOR as usize),
            loads: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            ahead: 0,
        }
    }

    pub(crate) fn reading_ahead(self, ahead: usize) -> Depot {
        Depot { ahead, ..self }
    }

    /// The same presentation with all of its bytes here.
    pub(crate) fn take(&self, presentation: &Presentation) -> Presentation {
        let mut settled = presentation.clone();
        for rendition in &presentation.renditions {
            let mut offset = 700;
            for segment in rendition.segments.values().filter(|segment| !segment.is_gap()) {
                let stored = self.store(&rendition.name, offset, segment);
                offset += stored.len;
                settled.settle(&rendition.name, segment.number, stored);
            }
        }
        settled
    }

    /// The same, where of the segment in place `at` of a rendition only the first part was saved; with what is left.
    pub(crate) fn take_partly(
        &self,
        presentation: &Presentation,
        rendition: &str,
        at: usize,
    ) -> (Presentation, Vec<u8>) {
        let mut settled = self.take(presentation);
        let it = settled.renditions.iter().position(|it| &*it.name == rendition).expect("a rendition");
        let segment = presentation.renditions[it].segments.values().nth(at).expect("a segment");
        let bytes = joined(segment.parts()[0].pieces());
        let rendition = Arc::make_mut(&mut settled.renditions[it]);
        let mut left = Segment::clone(rendition.segments.get(&segment.number).expect("it is there"));
        let mut stored = left.stored().expect("it is stored").clone();
        (stored.len, stored.only) = (bytes.len() as u64, Some(0));
        let place = ((*stored.file).clone(), stored.offset);
        self.segments.lock().expect("no panic").insert(place, bytes.clone().into());
        left.content = Content::Stored(stored);
        rendition.segments.insert_mut(left.number, Arc::new(left));
        (settled, bytes)
    }

    fn store(&self, rendition: &str, offset: u64, segment: &Segment) -> Stored {
        let file = StoredFile { store: "demo/rec".into(), name: format!("{rendition}.1.1.mp4").into() };
        let bytes = joined(segment.pieces());
        self.segments.lock().expect("no panic").insert((file.clone(), offset), bytes.into());
        Stored {
            init: segment.init().expect("media").clone(),
            file: Arc::new(file),
            offset,
            len: segment.len(),
            checksum: 0,
            media: segment.media(),
            independent: segment.independent(),
            only: None,
        }
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().expect("no panic") = mood;
    }

    fn bytes(&self, segment: &Segment) -> Result<Bytes, Unavailable> {
        let stored = segment.stored().expect("it is stored");
        let segments = self.segments.lock().expect("no panic");
        // A fresh copy, as a disk gives it.
        let bytes = segments.get(&((*stored.file).clone(), stored.offset)).ok_or(Unavailable::Gone)?;
        Ok(Bytes::copy_from_slice(bytes))
    }

    /// Bytes of one segment, wherever in its file.
    fn range(&self, file: &StoredFile, range: Range<u64>) -> Option<Bytes> {
        let segments = self.segments.lock().expect("no panic");
        segments.iter().find_map(|((of, offset), bytes)| {
            let (start, end) = (range.start.checked_sub(*offset)?, range.end.checked_sub(*offset)?);
            let inside = bytes.get(start as usize..end as usize)?;
            (of == file).then(|| Bytes::copy_from_slice(inside))
        })
    }

    async fn fetch(&self, segment: &Arc<Segment>) -> Result<Arc<Segment>, Unavailable> {
        let mood = self.mood.lock().expect("no panic").clone();
        match mood {
            Mood::Well => {
                let _through = self.door.acquire().await.expect("never closed");
                Ok(Arc::new(segment.loaded(&self.bytes(segment)?).expect("whole fragments")))
            }
            Mood::Fails(why) => Err(why),
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("a storage that a test broke"),
        }
    }
}

impl Storage for Depot {
    fn read<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, Unavailable>> {
        Box::pin(async move {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let mood = self.mood.lock().expect("no panic").clone();
            match mood {
                Mood::Well => self.range(file, range).ok_or(Unavailable::Gone),
                Mood::Fails(why) => Err(why),
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("a storage that a test broke"),
            }
        })
    }

    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>> {
        Box::pin(async move {
            self.loads.fetch_add(1, Ordering::SeqCst);
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            let loaded = self.fetch(segment).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            loaded
        })
    }

    fn read_ahead(&self) -> usize {
        self.ahead
    }
}
