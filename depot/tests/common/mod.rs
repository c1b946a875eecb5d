//! A recording on a disk, and an object store that fails as those do.
#![allow(dead_code)]

pub mod flaky;
#[path = "../../../archive/tests/common/mod.rs"]
pub mod recorded;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::files::{Disk, Files};
use archive::reading::{self, Options};
use archive::{Policy, Shelf, Step, Writer, recover};
use bytes::Bytes;
use depot::{Bucket, Depot, Progress, Settings, Stage};
use flaky::Flaky;
use futures_util::future::BoxFuture;
use media::{Sample, Sync, TrackId};
use packager::presentation::{Content, StoredFile};
use packager::{Presentation, Segment, Settings as Packaging};
use recorded::Aired;
use recorded::publisher::Publisher;
use stream::{Storage, Unavailable};

/// The recording of most tests.
pub const STORE: &str = "entry/rec_00000001";

/// A stream of `seconds` seconds with a large video: about 2.4 MB each.
pub fn large(seconds: i64) -> Aired {
    let settings = Packaging { window: Duration::from_secs(600), ..Packaging::default() };
    let mut publisher = Publisher::new(settings).both();
    push(&mut publisher, 0, seconds);
    publisher.end();
    Aired::of(&publisher)
}

/// The same in two periods.
pub fn interrupted(seconds: i64) -> Aired {
    let settings = Packaging { window: Duration::from_secs(600), ..Packaging::default() };
    let mut publisher = Publisher::new(settings).both();
    push(&mut publisher, 0, seconds);
    publisher.interrupt();
    push(&mut publisher, seconds + 2, seconds);
    publisher.end();
    Aired::of(&publisher)
}

fn push(publisher: &mut Publisher, from: i64, seconds: i64) {
    for frame in 0..seconds * 30 {
        let at = from * 1000 + (frame * 1000 + 15) / 30;
        publisher.elapsed = Duration::from_millis(at as u64);
        let sync = if frame % 30 == 0 { Sync::Yes } else { Sync::No };
        // No two pictures alike, so that nothing can be taken for something else.
        let data: Vec<u8> =
            (0..80_000u32).map(|byte| (byte.wrapping_mul(31) >> 3) as u8 ^ at as u8).collect();
        sample(publisher, TrackId::VIDEO, at, sync, data);
        sample(publisher, TrackId::AUDIO, at, Sync::Yes, vec![at as u8; 200]);
    }
}

fn sample(publisher: &mut Publisher, id: TrackId, at: i64, sync: Sync, data: Vec<u8>) {
    let sample = Sample { dts: at, composition_offset: 0, duration: 0, sync, data: data.into() };
    publisher.packager.push(id, sample, publisher.now());
    publisher.log.extend(publisher.packager.take_log());
}

/// A data directory, and a store for it.
pub struct House {
    pub folder: tempfile::TempDir,
    pub flaky: Flaky,
}

impl House {
    pub fn new() -> House {
        House { folder: tempfile::tempdir().expect("a folder"), flaky: Flaky::default() }
    }

    pub fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// The folder of the recording.
    pub fn path(&self) -> PathBuf {
        self.recordings().join(STORE)
    }

    pub fn bucket(&self) -> Bucket {
        Bucket::new(Arc::new(self.flaky.clone()), "shows")
    }

    pub fn depot(&self, keep_local: Option<Duration>) -> Depot {
        self.depot_with(self.bucket(), keep_local)
    }

    pub fn depot_with(&self, bucket: Bucket, keep_local: Option<Duration>) -> Depot {
        let (recordings, state) = (self.recordings(), self.folder.path().join("depot"));
        Depot::new(bucket, Arc::new(Disk), Settings { recordings, state, keep_local })
    }

    pub fn writer(&self) -> Writer {
        let files: Arc<dyn Files> = Arc::new(Disk);
        let policy = Policy { sync: archive::Sync::Segment, keep_free: 0 };
        let opened = Writer::open(files, &self.path(), STORE.into(), policy, Instant::now(), 0);
        opened.unwrap_or_else(|error| panic!("{error}")).0
    }

    /// A whole recording that nobody writes to any more.
    pub fn record(&self, aired: &Aired) {
        let mut writer = self.writer();
        write(&mut writer, &aired.steps);
        writer.finish(Instant::now()).expect("safe");
    }

    pub fn contents(&self) -> archive::Contents {
        recover::read(&Disk, &self.path()).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn presentation(&self) -> Presentation {
        let options = Options { ended: true, partial: false };
        reading::presentation(&self.contents(), &STORE.into(), options).expect("something to show")
    }

    /// Names and bytes of the files of media here.
    pub fn media(&self) -> Vec<(String, Vec<u8>)> {
        let entries =
            std::fs::read_dir(self.path()).expect("a folder").map(|it| it.expect("an entry").path());
        let media = entries.filter(|path| path.extension().is_some_and(|it| it == "mp4"));
        let mut media: Vec<_> = media
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read(&path).expect("readable"))
            })
            .collect();
        media.sort();
        media
    }

    pub fn local(&self) -> Arc<dyn Storage> {
        Arc::new(Local(Shelf::new(Arc::new(Disk), self.recordings())))
    }

    pub async fn wait_complete(&self, depot: &Depot) {
        until("everything is there", || self.stage(depot) >= Stage::Complete).await;
    }

    pub async fn wait_moved(&self, depot: &Depot) {
        until("its media went", || self.stage(depot) == Stage::Moved).await;
    }

    pub fn stage(&self, depot: &Depot) -> Stage {
        self.progress(depot).stage
    }

    pub fn progress(&self, depot: &Depot) -> Progress {
        depot.progress_of(STORE).expect("readable")
    }
}

pub fn write(writer: &mut Writer, steps: &[Step]) {
    recorded::record(writer, steps);
}

/// Waits for a state. Where the clock is paused this takes no time.
pub async fn until(what: &str, is: impl Fn() -> bool) {
    let start = tokio::time::Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(3600), "{what}: not after an hour");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every segment that was on air, played from `storage`, is byte for byte what it was. Gives how many there are.
pub async fn play(aired: &Aired, presentation: &Presentation, storage: &dyn Storage) -> usize {
    let mut played = 0;
    for rendition in &presentation.renditions {
        for segment in rendition.segments.values().filter(|it| it.content != Content::Gap) {
            let loaded = storage.load(segment).await.unwrap_or_else(|error| panic!("{error}"));
            let bytes: Vec<u8> = loaded.pieces().flatten().copied().collect();
            let key = (rendition.name.to_string(), segment.number);
            assert!(bytes == aired.segments[&key].concat(), "{key:?} is not what was on air");
            played += 1;
        }
    }
    assert_eq!(played, aired.segments.len(), "all of it is there");
    played
}

/// The disk here, as whoever plays recordings reads it.
struct Local(Shelf);

impl Storage for Local {
    fn read<'a>(
        &'a self,
        file: &'a StoredFile,
        range: std::ops::Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, Unavailable>> {
        Box::pin(std::future::ready(self.0.read(file, range).map_err(|_| Unavailable::Gone)))
    }

    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>> {
        Box::pin(std::future::ready(self.0.load(segment).map(Arc::new).map_err(|_| Unavailable::Gone)))
    }
}
