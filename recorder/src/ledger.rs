//! What keeps the numbers of each entry: a small file.
//!
//! A file is replaced by rename, so a reader finds the old or the new one. It is written, not synced: it survives
//! the death of the process. What the machine was writing when it lost power may be gone, so a file from another
//! boot is only a lower bound, and numbering goes on from the clock.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::WallTime;
use packager::Numbers;
use packager::numbers::Shown;
use serde::{Deserialize, Serialize};
use stream::Ledger;

const FILE: &str = "numbers.json";
/// Changes with every boot of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Keeps the numbers of each entry in a small file.
#[derive(Debug)]
pub struct FileLedger {
    root: PathBuf,
    boot: Option<String>,
}

impl FileLedger {
    /// A ledger below the data directory, which is created where it is missing.
    pub fn open(data: &Path) -> io::Result<FileLedger> {
        let root = data.join("live");
        fs::create_dir_all(&root)?;
        let boot = fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned());
        Ok(FileLedger { root, boot })
    }

    fn folder(&self, entry: &str) -> io::Result<PathBuf> {
        if !packager::names::is_entry_id(entry) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an entry id"));
        }
        Ok(self.root.join(entry))
    }
}

impl Ledger for FileLedger {
    fn load(&self, entry: &str) -> io::Result<Option<Numbers>> {
        let text = match fs::read(self.folder(entry)?.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let stored: Stored = serde_json::from_slice(&text)?;
        let same_boot = stored.boot == self.boot;
        let numbers = Numbers::from(stored);
        Ok(Some(if same_boot { numbers } else { numbers.beyond(WallTime::from(SystemTime::now())) }))
    }

    fn entries(&self) -> io::Result<Vec<String>> {
        let mut entries = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let name = folder?.file_name();
            entries
                .extend(name.to_str().filter(|name| packager::names::is_entry_id(name)).map(str::to_owned));
        }
        Ok(entries)
    }

    fn store(&self, entry: &str, numbers: &Numbers) -> io::Result<()> {
        let folder = self.folder(entry)?;
        fs::create_dir_all(&folder)?;
        let (new, file) = (folder.join("numbers.new"), folder.join(FILE));
        let mut writer = fs::File::create(&new)?;
        let stored = Stored { boot: self.boot.clone(), ..Stored::from(numbers) };
        writer.write_all(&serde_json::to_vec_pretty(&stored)?)?;
        fs::rename(new, file)
    }
}

/// [`Numbers`] as they stand in the file. Times in microseconds since the Unix epoch, durations in microseconds.
#[derive(Serialize, Deserialize)]
struct Stored {
    session: u64,
    ended: bool,
    segment: u64,
    closed: bool,
    period: u64,
    discontinuity: u64,
    at: i64,
    until: i64,
    target_duration: Option<u32>,
    part_target: Option<u64>,
    longest_gop: u64,
    #[serde(default)]
    elapsed: u64,
    #[serde(default)]
    named: u64,
    /// Nothing in files of earlier versions, which showed the whole of a session to everybody or to nobody.
    #[serde(default)]
    shown: Option<Vec<StoredTimeline>>,
    /// Not in files of earlier versions.
    #[serde(default)]
    bitrates: BTreeMap<String, u32>,
    boot: Option<String>,
}

/// [`Shown`] as it stands in the file.
#[derive(Serialize, Deserialize)]
struct StoredTimeline {
    name: String,
    id: u64,
    first: u64,
    origin: u64,
}

impl From<&Numbers> for Stored {
    fn from(numbers: &Numbers) -> Stored {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Stored {
            session: numbers.session,
            ended: numbers.ended,
            segment: numbers.segment,
            closed: numbers.closed,
            period: numbers.period,
            discontinuity: numbers.discontinuity,
            at: numbers.at.micros(),
            until: numbers.until.micros(),
            target_duration: numbers.target_duration,
            part_target: numbers.part_target.map(micros),
            longest_gop: micros(numbers.longest_gop),
            elapsed: micros(numbers.elapsed),
            named: numbers.named,
            shown: Some(numbers.shown.iter().map(StoredTimeline::from).collect()),
            bitrates: numbers.bitrates.iter().map(|(name, bitrate)| (name.to_string(), *bitrate)).collect(),
            boot: None,
        }
    }
}

impl From<Stored> for Numbers {
    fn from(stored: Stored) -> Numbers {
        let whole = || Shown::whole(stored.session);
        let timelines = stored.shown.map(|all| all.into_iter().map(Shown::from).collect());
        Numbers {
            shown: timelines.unwrap_or_else(|| [whole()].into()),
            elapsed: Duration::from_micros(stored.elapsed),
            named: stored.named,
            session: stored.session,
            ended: stored.ended,
            segment: stored.segment,
            closed: stored.closed,
            period: stored.period,
            discontinuity: stored.discontinuity,
            at: WallTime::from_micros(stored.at),
            until: WallTime::from_micros(stored.until),
            target_duration: stored.target_duration,
            part_target: stored.part_target.map(Duration::from_micros),
            longest_gop: Duration::from_micros(stored.longest_gop),
            bitrates: Arc::new(named(stored.bitrates)),
        }
    }
}

impl From<&Shown> for StoredTimeline {
    fn from(shown: &Shown) -> StoredTimeline {
        let origin = u64::try_from(shown.origin.as_micros()).unwrap_or(u64::MAX);
        StoredTimeline { name: shown.name.to_string(), id: shown.id, first: shown.first, origin }
    }
}

impl From<StoredTimeline> for Shown {
    fn from(stored: StoredTimeline) -> Shown {
        let StoredTimeline { name, id, first, origin } = stored;
        Shown { name: name.into(), id, first, origin: Duration::from_micros(origin) }
    }
}

fn named(bitrates: BTreeMap<String, u32>) -> BTreeMap<Arc<str>, u32> {
    bitrates.into_iter().map(|(name, bitrate)| (Arc::from(name), bitrate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Numbers {
        Numbers {
            target_duration: Some(2),
            part_target: Some(Duration::from_millis(500)),
            closed: false,
            ended: false,
            bitrates: Arc::new(BTreeMap::from([("video-1".into(), 2_500_000), ("audio-1".into(), 128_000)])),
            ..Numbers::unknown(WallTime::from_millis(1_795_309_432_017))
        }
    }

    #[test]
    fn another_process_reads_what_this_one_stored() {
        let data = tempfile::tempdir().expect("a directory");
        let ledger = FileLedger::open(data.path()).expect("writable");
        ledger.store("demo", &numbers()).expect("stored");
        let other = FileLedger::open(data.path()).expect("writable");
        assert_eq!(other.load("demo").expect("readable"), Some(numbers()));
        assert_eq!(other.entries().expect("readable"), ["demo"]);
        assert_eq!(other.load("else").expect("readable"), None);
    }

    #[test]
    fn a_file_of_a_version_without_smooth_is_read() {
        let data = tempfile::tempdir().expect("a directory");
        let ledger = FileLedger::open(data.path()).expect("writable");
        ledger.store("demo", &numbers()).expect("stored");
        let file = data.path().join("live/demo/numbers.json");
        let text = fs::read_to_string(&file).expect("stored");
        let mut stored: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        stored.as_object_mut().expect("an object").remove("bitrates");
        fs::write(&file, stored.to_string()).expect("written");
        let expected = Numbers { bitrates: Arc::default(), ..numbers() };
        assert_eq!(ledger.load("demo").expect("readable"), Some(expected));
    }

    #[test]
    fn after_another_boot_the_file_is_a_lower_bound() {
        let data = tempfile::tempdir().expect("a directory");
        let before =
            FileLedger { boot: Some("one".into()), ..FileLedger::open(data.path()).expect("writable") };
        before.store("demo", &numbers()).expect("stored");
        let after =
            FileLedger { boot: Some("two".into()), ..FileLedger::open(data.path()).expect("writable") };
        let read = after.load("demo").expect("readable").expect("stored");
        assert!(read.segment >= numbers().segment + 1000 && read.period >= numbers().period + 1000);
        assert_eq!((read.session, read.closed), (numbers().session, true));
    }

    #[test]
    fn a_torn_file_is_an_error_and_not_a_number() {
        let data = tempfile::tempdir().expect("a directory");
        let ledger = FileLedger::open(data.path()).expect("writable");
        ledger.store("demo", &numbers()).expect("stored");
        fs::write(data.path().join("live/demo/numbers.json"), b"{\"session\": 17").expect("written");
        assert!(ledger.load("demo").is_err());
    }

    #[test]
    fn no_entry_leaves_its_folder() {
        let data = tempfile::tempdir().expect("a directory");
        let ledger = FileLedger::open(data.path()).expect("writable");
        for entry in ["../demo", "/etc", "a/b", ""] {
            assert!(ledger.store(entry, &numbers()).is_err(), "{entry:?}");
        }
    }
}
