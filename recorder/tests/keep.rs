//! Recordings go by their limits and for room, from a real folder; what is protected, open or referred to stays.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use archive::files::{Append, Disk, Files, Listed, Space};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use media::WallTime;
use recorder::KeepFree;
use recorder::keep::{Candidate, Facts, Inventory, Keeper, Known, Limits, Settings, Unanswered, Why};
use tempfile::TempDir;

const DAY: i64 = 86_400_000_000;
/// What each recording holds.
const BYTES: usize = 1000;

/// The machine's files, on a disk of so many bytes.
struct Small {
    root: PathBuf,
    total: u64,
    refusing: Arc<AtomicBool>,
}

impl Small {
    fn check(&self) -> io::Result<()> {
        if self.refusing.load(Ordering::Relaxed) { Err(io::Error::from_raw_os_error(30)) } else { Ok(()) }
    }
}

impl Files for Small {
    fn boot(&self) -> Option<String> {
        Disk.boot()
    }
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.create_folder(folder)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        Disk.list(folder)
    }
    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        Disk.folders(folder)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Disk.append(path)
    }
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Bytes> {
        Disk.read(path, offset, len)
    }
    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        Disk.cut(path, len)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check().and_then(|()| Disk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check().and_then(|()| Disk.remove(path))
    }
    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.remove_folder(folder)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.sync_folder(folder)
    }
    fn space(&self, _: &Path) -> io::Result<Space> {
        let used: u64 = archive::removal::recordings(&Disk, &self.root)?.iter().map(|it| it.bytes).sum();
        Ok(Space { free: self.total.saturating_sub(used), total: self.total })
    }
}

/// What is known, in memory.
#[derive(Default)]
struct Books {
    page: Mutex<Page>,
    root: PathBuf,
}

#[derive(Default)]
struct Page {
    known: Known,
    open: BTreeSet<String>,
    removed: BTreeMap<String, String>,
    gone: Vec<String>,
    /// What was said of copies: of which recording, and whether its files were there.
    going: Vec<(String, bool)>,
    /// So often there is no room for a note.
    no_room: u32,
    reasons: Vec<String>,
    away: bool,
    protected_meanwhile: bool,
}

impl Books {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().expect("no test panics with it")
    }

    fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Page) -> T,
    ) -> BoxFuture<'_, Result<T, Unanswered>> {
        let mut page = self.page();
        let answer = if page.away { Err(Unanswered("away".to_owned())) } else { Ok(work(&mut page)) };
        Box::pin(async { answer })
    }
}

impl Inventory for Books {
    fn known(&self) -> BoxFuture<'_, Result<Known, Unanswered>> {
        self.answer(|page| page.known.clone())
    }

    fn is_open(&self, _: &str, recording: &str) -> bool {
        self.page().open.contains(recording)
    }

    fn release(&self, _: &str, recording: &str) -> bool {
        !self.page().open.contains(recording)
    }

    fn remove<'a>(&'a self, chosen: &'a Candidate, why: Why) -> BoxFuture<'a, Result<bool, Unanswered>> {
        let (entry, recording) = (chosen.entry.clone(), chosen.recording.clone());
        self.answer(move |page| {
            if page.protected_meanwhile {
                return false;
            }
            page.reasons.push(why.to_string());
            page.known.recordings.remove(&(entry.clone(), recording.clone()));
            page.removed.insert(recording.to_string(), entry.to_string());
            true
        })
    }

    fn removed(&self) -> BoxFuture<'_, Result<Vec<(String, String)>, Unanswered>> {
        self.answer(|page| page.removed.iter().map(|(it, entry)| (entry.clone(), it.clone())).collect())
    }

    fn going<'a>(&'a self, entry: &'a str, recording: &'a str) -> BoxFuture<'a, io::Result<()>> {
        let mut page = self.page();
        page.going.push((recording.to_owned(), self.root.join(entry).join(recording).exists()));
        let full = page.no_room > 0;
        page.no_room = page.no_room.saturating_sub(1);
        Box::pin(async move { if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) } })
    }

    fn gone<'a>(&'a self, _: &'a str, recording: &'a str) -> BoxFuture<'a, Result<(), Unanswered>> {
        let recording = recording.to_owned();
        self.answer(move |page| {
            page.removed.remove(&recording);
            page.gone.push(recording);
        })
    }
}

/// Recordings `1`, `2`, … of an entry in a folder; the first ended the longest ago.
struct House {
    folder: TempDir,
    books: Arc<Books>,
    keeper: Keeper,
    refusing: Arc<AtomicBool>,
}

impl House {
    fn new(count: i64, limits: Limits, keep_free: KeepFree, total: u64) -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_owned();
        let books = Arc::new(Books { root: root.clone(), ..Books::default() });
        let refusing = Arc::<AtomicBool>::default();
        let files = Small { root: root.clone(), total, refusing: refusing.clone() };
        let keeper = Keeper::new(Settings { limits, keep_free }, Arc::new(files), root, books.clone());
        let house = House { folder, books, keeper, refusing };
        let now = WallTime::from(std::time::SystemTime::now()).micros();
        for name in 1..=count {
            house.write(&name.to_string());
            let ended = Some(WallTime::from_micros(now - (count - name) * DAY));
            house.facts(
                &name.to_string(),
                Facts { account: "acc".into(), ended, protected: false, limits: Limits::default() },
            );
        }
        house
    }

    fn write(&self, name: &str) {
        let folder = self.folder.path().join("show").join(name);
        std::fs::create_dir_all(&folder).expect("created");
        std::fs::write(folder.join("index"), b"").expect("written");
        std::fs::write(folder.join("video.1.1.mp4"), vec![0; BYTES]).expect("written");
    }

    fn facts(&self, name: &str, facts: Facts) {
        self.books.page().known.recordings.insert(("show".into(), name.into()), facts);
    }

    fn protect(&self, name: &str) {
        let key = ("show".into(), name.into());
        self.books.page().known.recordings.get_mut(&key).expect("known").protected = true;
    }

    /// Those that are there.
    fn left(&self) -> String {
        let found = archive::removal::recordings(&Disk, self.folder.path()).expect("listed");
        let mut names: Vec<_> = found.into_iter().map(|it| it.recording).collect();
        names.sort();
        names.concat()
    }

    fn bytes_left(&self) -> u64 {
        fn below(folder: &Path) -> u64 {
            let inside = std::fs::read_dir(folder).expect("listed").map(|it| it.expect("an entry"));
            let size = |it: std::fs::DirEntry| match it.metadata().expect("known") {
                about if about.is_dir() => below(&it.path()),
                about => about.len(),
            };
            inside.map(size).sum()
        }
        below(self.folder.path())
    }
}

const NONE: Limits = Limits { age: None, count: None, bytes: None };
const ROOMY: u64 = 1 << 40;

#[tokio::test]
async fn what_is_beyond_its_limits_goes_with_its_files_and_a_reason() {
    for (limits, left, reason) in [
        (Limits { count: Some(2), ..NONE }, "45", "the newest 2 recordings of an entry are kept"),
        (
            Limits { bytes: Some(3 * BYTES as u64), ..NONE },
            "345",
            "the newest 2.9 KiB of recordings of an entry are kept",
        ),
        (
            Limits { age: Some(Duration::from_secs(86_400 * 3 / 2)), ..NONE },
            "45",
            "it ended more than 36 hours ago",
        ),
        (NONE, "12345", ""),
    ] {
        let house = House::new(5, limits, KeepFree::Percent(10), ROOMY);
        assert_eq!(house.keeper.look().await, 5 - left.len(), "{limits:?}");
        assert_eq!((house.left(), house.bytes_left()), (left.to_owned(), (left.len() * BYTES) as u64));
        let page = house.books.page();
        assert_eq!(page.gone.concat(), "12345"[..5 - left.len()], "the oldest first, and it is told");
        assert!(page.reasons.iter().all(|it| it == reason), "{:?}", page.reasons);
        assert!(page.removed.is_empty(), "nothing is left to be done");
    }
}

#[tokio::test]
async fn an_entry_says_more_than_the_configuration() {
    let house = House::new(4, Limits { count: Some(1), ..NONE }, KeepFree::Bytes(0), ROOMY);
    for name in ["1", "2", "3", "4"] {
        let key = ("show".into(), name.into());
        house.books.page().known.recordings.get_mut(&key).expect("known").limits.count = Some(3);
    }
    house.keeper.look().await;
    assert_eq!(house.left(), "234");
}

#[tokio::test]
async fn a_full_disk_costs_the_oldest_and_nothing_that_somebody_needs() {
    // Of 10 000 bytes 2000 are to be free and 250 more beside them; five recordings leave 1400.
    let house = House::new(5, NONE, KeepFree::Percent(20), 6400);
    house.protect("1");
    house.books.page().known.referred.insert("2".into());
    house.books.page().known.recordings.remove(&("show".into(), "2".into()));
    house.books.page().open.insert("3".to_owned());
    assert_eq!(house.keeper.look().await, 1);
    assert_eq!(house.left(), "1235", "1280 and 160 bytes are to be free: one is enough");
    assert_eq!(house.keeper.look().await, 0, "there is room now");
    house.write("6");
    house.write("7");
    house.keeper.look().await;
    assert_eq!(house.left(), "1237", "what is registered nowhere is judged by when it was written");
}

#[tokio::test]
async fn nothing_goes_where_nobody_knows_what_is_protected() {
    let house = House::new(3, Limits { count: Some(1), ..NONE }, KeepFree::Percent(100), 100);
    house.books.page().away = true;
    assert_eq!((house.keeper.look().await, house.left().as_str()), (0, "123"));
    house.books.page().away = false;
    house.books.page().protected_meanwhile = true;
    assert_eq!((house.keeper.look().await, house.left().as_str()), (0, "123"), "somebody was faster");
    house.books.page().protected_meanwhile = false;
    assert_eq!((house.keeper.look().await, house.left().as_str()), (2, "3"));
}

#[tokio::test]
async fn files_that_resist_go_later() {
    let house = House::new(3, Limits { count: Some(2), ..NONE }, KeepFree::Bytes(0), ROOMY);
    house.refusing.store(true, Ordering::Relaxed);
    assert_eq!(house.keeper.look().await, 0);
    assert_eq!(house.left(), "123", "a read-only file system keeps it");
    assert_eq!(house.books.page().removed.len(), 1, "and it is remembered");
    house.refusing.store(false, Ordering::Relaxed);
    assert_eq!(house.keeper.look().await, 1);
    assert_eq!((house.left().as_str(), house.books.page().gone.concat().as_str()), ("23", "1"));
}

#[tokio::test]
async fn that_copies_go_is_noted_before_the_first_file_goes() {
    let limits = Limits { count: Some(1), ..NONE };
    let going = |page: &Page| page.going.iter().map(|(it, here)| format!("{it} {here}")).collect::<Vec<_>>();
    let house = House::new(2, limits, KeepFree::Bytes(0), ROOMY);
    assert_eq!(house.keeper.look().await, 1);
    assert_eq!(going(&house.books.page()), ["1 true"], "who dies now knows at the next start");

    let house = House::new(2, limits, KeepFree::Bytes(0), ROOMY);
    house.books.page().no_room = 1;
    assert_eq!(house.keeper.look().await, 1, "a full disk is no reason to keep files");
    assert_eq!(going(&house.books.page()), ["1 true", "1 false"]);

    let house = House::new(2, limits, KeepFree::Bytes(0), ROOMY);
    house.books.page().no_room = 2;
    assert_eq!(house.keeper.look().await, 0);
    assert_eq!(house.books.page().removed.len(), 1, "it is remembered by the inventory until it is noted");
    house.keeper.clean().await.expect("clean");
    assert_eq!((house.books.page().removed.len(), house.left().as_str()), (0, "2"));
    assert_eq!(house.books.page().going.len(), 3);
}

#[tokio::test]
async fn what_a_process_left_half_done_is_finished_at_the_start() {
    let house = House::new(3, NONE, KeepFree::Bytes(0), ROOMY);
    let at = |name: &str| house.folder.path().join("show").join(name);
    std::fs::rename(at("1"), at(".trash-1")).expect("renamed");
    house
        .books
        .page()
        .removed
        .extend([("1".to_owned(), "show".to_owned()), ("2".to_owned(), "show".to_owned())]);
    house.books.page().open.insert("3".to_owned());
    house.books.page().removed.insert("3".to_owned(), "show".to_owned());
    house.keeper.clean().await.expect("clean");
    assert_eq!((house.left().as_str(), house.bytes_left()), ("3", BYTES as u64));
    assert_eq!(house.books.page().removed.keys().cloned().collect::<String>(), "3", "one that is open waits");
    house.books.page().open.clear();
    house.keeper.clean().await.expect("clean");
    assert_eq!((house.left().as_str(), house.books.page().removed.len()), ("", 0));
}

#[tokio::test(start_paused = true)]
async fn the_disk_is_looked_at_every_few_seconds_and_at_once_when_a_recording_found_no_room() {
    let house = House::new(2, NONE, KeepFree::Bytes(1000), 3200);
    let keeper = house.keeper.clone();
    let running = tokio::spawn(async move { keeper.run().await });
    let until = async |left: &str| {
        let begun = tokio::time::Instant::now();
        while house.left() != left {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < Duration::from_secs(40), "{} instead of {left}", house.left());
        }
        begun.elapsed()
    };
    assert!(until("12").await < Duration::from_secs(1), "there is room");
    house.write("3");
    assert!(until("23").await <= Duration::from_secs(25));
    house.write("4");
    house.keeper.look_soon();
    assert!(until("34").await <= Duration::from_secs(4));
    running.abort();
}
