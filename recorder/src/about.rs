//! What is known of a recording without reading it: a small file beside its index, `about.json`.
//!
//! It is replaced by rename and synced, when a recording begins, is paused, and ends. What a crash left of it is said by
//! the recording itself: [`About::of`] reads that.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::Contents;
use archive::contents::Place;
use archive::files::Files;
use container::mp4::parse_init;
use media::{MediaTime, Timescale, WallTime};
use serde::{Deserialize, Serialize};

/// The file.
pub const FILE: &str = "about.json";
const NEW_FILE: &str = "about.json.new";
/// The longest that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// A recording, as far as it is known without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// Of which entry.
    pub entry: Arc<str>,
    /// Its id, and the name of its folder.
    pub id: Arc<str>,
    /// How far it is.
    pub state: State,
    /// The session with which it began.
    pub session: u64,
    /// The session that it recorded last.
    pub last_session: u64,
    /// N of its first segment: of two recordings of an entry, the later one has the larger.
    pub first: u64,
    /// When it began.
    pub started: WallTime,
    /// When it ended; `None` while it grows.
    pub ended: Option<WallTime>,
    /// Bytes of media.
    pub bytes: u64,
    /// Its length: of its longest rendition.
    pub length: Duration,
    /// Whether somebody paused it.
    pub paused: bool,
    /// Whether somebody closed it: what comes is not recorded behind it.
    pub closed: bool,
}

/// How far a recording is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It grows.
    Open,
    /// It ended with its session, or was stopped.
    Finished,
    /// It ended with the server or its disk.
    Interrupted,
}

/// What a recording holds, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Extent {
    /// N of its first segment.
    pub first: Option<u64>,
    /// N of the one that may come next.
    pub next: u64,
    /// Bytes of media.
    pub bytes: u64,
    /// Of its longest rendition.
    pub length: Duration,
}

impl About {
    /// A recording of which only the files are there.
    pub(crate) fn of(entry: &Arc<str>, id: &Arc<str>, contents: &Contents) -> About {
        let session = |facts: Option<&archive::contents::SessionFacts>| facts.map_or(0, |it| it.id);
        let begins = contents.periods.values().next().map_or(WallTime::default(), |period| period.start);
        let extent = Extent::of(contents);
        let over = contents.sessions.last().is_some_and(|session| session.ended);
        About {
            entry: entry.clone(),
            id: id.clone(),
            state: if over { State::Finished } else { State::Interrupted },
            session: session(contents.sessions.first()),
            last_session: session(contents.sessions.last()),
            first: extent.first.unwrap_or(0),
            started: begins,
            ended: Some(WallTime::from_micros(begins.micros() + extent.length.as_micros() as i64)),
            bytes: extent.bytes,
            length: extent.length,
            paused: false,
            closed: false,
        }
    }

    /// Reads the file in the folder of a recording; `None` where there is none, or what is there is torn.
    pub(crate) fn read(
        files: &dyn Files,
        folder: &Path,
        entry: &Arc<str>,
        id: &Arc<str>,
    ) -> io::Result<Option<About>> {
        match files.read(&folder.join(FILE), 0, LONGEST) {
            Ok(bytes) => {
                let stored: Option<Stored> = serde_json::from_slice(&bytes).ok();
                Ok(stored.map(|stored| stored.about(entry, id)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file. When this returns it survives a power cut.
    pub(crate) fn write(&self, files: &dyn Files, folder: &Path) -> io::Result<()> {
        let (new, file) = (folder.join(NEW_FILE), folder.join(FILE));
        let text = serde_json::to_vec_pretty(&Stored::of(self))?;
        let mut out = files.append(&new)?;
        files.cut(&new, 0)?;
        out.append(&[&text])?;
        out.sync()?;
        files.rename(&new, &file)?;
        files.sync_folder(folder)
    }

    /// The same with what it holds now.
    pub(crate) fn with(self, extent: &Extent) -> About {
        let first = extent.first.unwrap_or(self.first);
        About { first, bytes: extent.bytes, length: extent.length, ..self }
    }
}

impl Extent {
    pub(crate) fn of(contents: &Contents) -> Extent {
        let scales: Vec<Option<Timescale>> = contents
            .files
            .iter()
            .map(|file| parse_init(&file.init).ok().map(|track| track.timescale))
            .collect();
        let mut extent = Extent::default();
        for rendition in &contents.renditions {
            let mut ticks = BTreeMap::<u32, (Timescale, i64)>::new();
            for entry in &rendition.segments {
                extent.see(entry.number, entry.number);
                let Place::Stored { file, len, .. } = entry.place else { continue };
                extent.bytes += len;
                if let Some(Some(scale)) = scales.get(file as usize) {
                    ticks.entry(scale.hz()).or_insert((*scale, 0)).1 += entry.duration;
                }
            }
            rendition.gaps.iter().for_each(|gap| extent.see(gap.first, gap.last));
            let length = ticks.values().filter_map(|&(scale, sum)| MediaTime::new(sum, scale).duration());
            extent.length = extent.length.max(length.sum());
        }
        extent
    }

    fn see(&mut self, first: u64, last: u64) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.next = self.next.max(last.saturating_add(1));
    }
}

/// [`About`] as it stands in the file. Times in microseconds since the Unix epoch, lengths in microseconds.
#[derive(Serialize, Deserialize)]
struct Stored {
    state: State,
    session: u64,
    last_session: u64,
    first: u64,
    started: i64,
    ended: Option<i64>,
    bytes: u64,
    length: u64,
    paused: bool,
    closed: bool,
}

impl Stored {
    fn of(about: &About) -> Stored {
        Stored {
            state: about.state,
            session: about.session,
            last_session: about.last_session,
            first: about.first,
            started: about.started.micros(),
            ended: about.ended.map(WallTime::micros),
            bytes: about.bytes,
            length: u64::try_from(about.length.as_micros()).unwrap_or(u64::MAX),
            paused: about.paused,
            closed: about.closed,
        }
    }

    fn about(self, entry: &Arc<str>, id: &Arc<str>) -> About {
        About {
            entry: entry.clone(),
            id: id.clone(),
            state: self.state,
            session: self.session,
            last_session: self.last_session,
            first: self.first,
            started: WallTime::from_micros(self.started),
            ended: self.ended.map(WallTime::from_micros),
            bytes: self.bytes,
            length: Duration::from_micros(self.length),
            paused: self.paused,
            closed: self.closed,
        }
    }
}
