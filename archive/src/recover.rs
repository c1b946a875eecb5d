//! Taking up a recording whose writer died: what the index says and what the files hold become one again.
//!
//! - The index is cut behind its last whole frame.
//! - What it says beyond the last point at which everything was synced is looked at: in the same boot of the machine
//!   a file that is long enough holds what was written; after another one the checksum decides. A file is cut where
//!   the first part is not what was written.
//! - Whole fragments behind what the index knows are taken up, in the same boot. After another one nothing vouches for
//!   their payload, and no sync had promised them: they are cut off.
//! - A segment that was being made keeps its whole parts. It is marked as not whole, because on air its number may have
//!   come to name more.
//! - An index that is gone, or damaged inside, is rebuilt from the files of media: numbers from their names, times from
//!   their boxes. What they do not tell (wall-clock anchors, sessions) is estimated, and the contents say so.
//!
//! After that everything is synced, and the index says so.

mod media;
mod rebuild;
mod save;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use container::index::{Checksum, Item, Reader, Reason, Record, TooLong};

use crate::contents::{Contents, Entry, PartPlace, Place};
use crate::files::{Files, Listed};
use crate::layout::{INDEX, MediaName, OLD_INDEX};
use crate::moved::{self, Moved};
use media::Walk;
pub use media::checksum;

/// The longest index that is read, in bytes: a day of three renditions takes about 20 MB.
pub const MAX_INDEX: u64 = 1 << 30;

/// A recording that could not be taken up or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// At which file or folder.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// An index longer than [`MAX_INDEX`].
    #[error("{}: an index of {len} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Bytes.
        len: u64,
    },
    /// An index that cannot be read, of media that is in another store: it cannot be made anew from here.
    #[error("{}: the index cannot be read, and its media was moved to another store", path.display())]
    Moved {
        /// Of which folder.
        path: PathBuf,
    },
    /// Something that fits no index.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// What was found and done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repairs {
    /// Bytes at the end of the index that were no whole frame.
    pub torn: u64,
    /// Bytes inside the index that were not what was written.
    pub damaged: u64,
    /// Whether the index was made anew from the media.
    pub rebuilt: bool,
    /// Bytes of media that were cut off.
    pub cut: u64,
    /// Parts that were in the media and not in the index.
    pub adopted: u32,
    /// Segments that the index knew and that are lost, all or in part.
    pub lost: u64,
    /// Files of media that nothing is known of.
    pub unclaimed: Vec<String>,
}

/// A recording that can be gone on with.
#[derive(Debug)]
pub struct Recovered {
    /// What it holds.
    pub contents: Contents,
    /// What was done.
    pub repairs: Repairs,
    /// Bytes of its index.
    pub(crate) index_len: u64,
}

/// Reads what a recording holds, and repairs nothing.
pub fn read(files: &dyn Files, folder: &Path) -> Result<Contents, Error> {
    let bytes = read_index(files, &folder.join(INDEX))?;
    let mut contents = Contents::default();
    let reader = Reader::new(&bytes).ok();
    for item in reader.into_iter().flatten() {
        if let Item::Record(record) = item {
            contents.take(record);
        }
    }
    Ok(contents)
}

/// Whether an index was rebuilt without knowing everything: then wall-clock anchors, sessions and discontinuity numbers
/// are estimated.
pub fn is_estimated(contents: &Contents) -> bool {
    contents.facts.contains_key(&(None, rebuild::REBUILT.to_owned()))
}

/// Takes a recording up for writing; one that is not there begins.
pub fn open(files: &dyn Files, folder: &Path) -> Result<Recovered, Error> {
    files.create_folder(folder).map_err(at(folder))?;
    let mut listed = files.list(folder).map_err(at(folder))?;
    let moved = moved::read(files, folder).map_err(at(folder))?;
    moved::add(&mut listed, &moved);
    let mut recovery = Recovery {
        files,
        folder,
        listed,
        moved,
        contents: Contents::default(),
        log: Vec::new(),
        repairs: Repairs::default(),
        whole: 0,
    };
    recovery.run()?;
    let index_len = recovery.save()?;
    Ok(Recovered { contents: recovery.contents, repairs: recovery.repairs, index_len })
}

struct Recovery<'a> {
    files: &'a dyn Files,
    folder: &'a Path,
    listed: Vec<Listed>,
    /// Which of them are in another store: they stay as they are.
    moved: Moved,
    contents: Contents,
    /// What the index does not say yet.
    log: Vec<Record>,
    repairs: Repairs,
    /// How much of the index stays as it is; zero where it is written anew.
    whole: u64,
}

impl Recovery<'_> {
    fn run(&mut self) -> Result<(), Error> {
        self.fold_index()?;
        let same_boot = self.contents.boot.is_some() && self.contents.boot == self.files.boot();
        self.check_unsynced(same_boot)?;
        self.settle_ends(same_boot)?;
        if self.whole == 0 && !self.moved.is_empty() {
            return Err(Error::Moved { path: self.folder.to_owned() });
        }
        if self.whole == 0 {
            self.rebuild()?;
        }
        self.close();
        let known = |name: &str| self.contents.files.iter().any(|file| file.name == name);
        let unclaimed =
            self.listed.iter().filter(|it| MediaName::parse(&it.name).is_some() && !known(&it.name));
        self.repairs.unclaimed = unclaimed.map(|it| it.name.clone()).collect();
        Ok(())
    }

    fn fold_index(&mut self) -> Result<(), Error> {
        let path = self.folder.join(INDEX);
        if self.length(INDEX).is_none() {
            return Ok(());
        }
        let bytes = read_index(self.files, &path)?;
        let Ok(mut reader) = Reader::new(&bytes) else {
            return self.files.rename(&path, &self.folder.join(OLD_INDEX)).map_err(at(&path));
        };
        let mut held = Vec::new();
        let mut damage: Option<Range<usize>> = None;
        for item in reader.by_ref() {
            match item {
                Item::Record(Record::Synced) => {
                    held.drain(..).for_each(|record| self.contents.take(record));
                    self.contents.take(Record::Synced);
                    self.repairs.damaged += damage.take().map_or(0, |range| range.len() as u64);
                }
                Item::Record(record) if damage.is_some() => held.push(record),
                Item::Record(record) => self.contents.take(record),
                Item::Unknown => {}
                Item::Damage(range) => damage = Some(damage.map_or(range.clone(), |it| it.start..range.end)),
            }
        }
        // What was written after the last sync may have reached the disk in any order: it counts up to its first hole.
        let whole = damage.map_or(reader.position(), |range| range.start);
        self.repairs.torn = (bytes.len() - whole) as u64;
        self.whole = if self.repairs.damaged == 0 { whole as u64 } else { 0 };
        Ok(())
    }

    fn length(&self, name: &str) -> Option<u64> {
        self.listed.iter().find(|file| file.name == name).map(|file| file.len)
    }

    fn is_moved(&self, file: u32) -> bool {
        self.moved.contains_key(&self.contents.files[file as usize].name)
    }

    fn path(&self, file: u32) -> PathBuf {
        self.folder.join(&self.contents.files[file as usize].name)
    }

    /// Says something that the index does not say.
    fn say(&mut self, record: Record) {
        self.contents.take(record.clone());
        self.log.push(record);
    }

    /// Looks at what the index knows and does not know to be safe.
    fn check_unsynced(&mut self, same_boot: bool) -> Result<(), Error> {
        let mut doubtful = self.contents.unsynced.clone();
        doubtful.sort_by_key(|part| (part.file, part.offset));
        for parts in doubtful.chunk_by(|a, b| a.file == b.file) {
            let file = parts[0].file;
            if self.is_moved(file) {
                continue;
            }
            let len = self.length(&self.contents.files[file as usize].name).unwrap_or(0);
            let good = if same_boot { len } else { self.good_end(file, parts)?.min(len) };
            if good < self.contents.end_of(file) {
                self.lose(file, good, Reason::Interrupted);
            }
        }
        Ok(())
    }

    /// Where the first part is not what was written.
    fn good_end(&self, file: u32, parts: &[PartPlace]) -> Result<u64, Error> {
        let path = self.path(file);
        let init = &self.contents.files[file as usize].init;
        let begins = self.files.read(&path, 0, init.len()).unwrap_or_default();
        if begins != *init {
            return Ok(0);
        }
        for part in parts {
            if checksum(self.files, &path, part.offset, part.len) != Some(part.checksum) {
                return Ok(part.offset);
            }
        }
        Ok(parts.last().map_or(0, PartPlace::end))
    }

    /// Nothing of a file from `good` on is there, or is what it was.
    fn lose(&mut self, file: u32, good: u64, reason: Reason) {
        let rendition = self.contents.files[file as usize].rendition;
        let recorded = &mut self.contents.renditions[rendition as usize];
        recorded.open.retain(|part| part.file != file || part.end() <= good);
        let ends_behind = |entry: &&Entry| match entry.place {
            Place::Stored { file: of, offset, len, .. } => of == file && offset.saturating_add(len) > good,
            Place::Silence { .. } => false,
        };
        let lost: Vec<Entry> = recorded.segments.iter().filter(ends_behind).copied().collect();
        self.repairs.lost += lost.len() as u64;
        for run in lost.chunk_by(|a, b| a.number + 1 == b.number) {
            let (first, last) = (run[0].number, run[run.len() - 1].number);
            let note = "what was written did not reach the disk".to_owned();
            self.say(Record::Gap { rendition, first, last, reason, note });
        }
        if let Some(first) = lost.first() {
            self.keep_beginning(file, first, good);
        }
    }

    /// The whole parts of a segment whose end is lost.
    fn keep_beginning(&mut self, file: u32, entry: &Entry, good: u64) {
        let Place::Stored { offset, .. } = entry.place else { return };
        let mut parts = Vec::new();
        let path = self.path(file);
        let mut walk = Walk::new(self.files, &path, offset, good);
        while let Some(part) = walk.next(file, entry.number, parts.len() as u32) {
            parts.push(part);
        }
        if let Some(record) = segment(&parts, false) {
            self.say(record);
        }
    }

    /// Makes each file as long as the index knows it, or the index know what else is whole in it.
    fn settle_ends(&mut self, same_boot: bool) -> Result<(), Error> {
        for file in 0..self.contents.files.len() as u32 {
            if self.is_moved(file) {
                continue;
            }
            let len = self.length(&self.contents.files[file as usize].name).unwrap_or(0);
            if len < self.contents.end_of(file) {
                self.lose(file, len, Reason::Damaged);
            }
            if same_boot && len > self.contents.end_of(file) {
                self.adopt(file, len);
            }
            let end = self.contents.end_of(file);
            if end < len && self.whole > 0 {
                let path = self.path(file);
                self.files.cut(&path, end).map_err(at(&path))?;
                self.repairs.cut += len - end;
            }
        }
        Ok(())
    }

    /// Takes up whole fragments behind what the index knows of a file.
    fn adopt(&mut self, file: u32, len: u64) {
        let path = self.path(file);
        let about = &self.contents.files[file as usize];
        let rendition = about.rendition as usize;
        let mut walk = Walk::new(self.files, &path, self.contents.end_of(file), len);
        loop {
            let open = self.contents.renditions[rendition].open.clone();
            let open: Vec<PartPlace> = open.into_iter().filter(|part| part.file == file).collect();
            let next = self.next_number(file);
            let (number, index) = open.first().map_or((next, 0), |first| (first.number, open.len() as u32));
            let Some(mut part) = walk.next(file, number, index) else { return };
            if walk.begins_segment && !open.is_empty() {
                self.log.extend(segment(&open, true).inspect(|it| self.contents.take(it.clone())));
                (part.number, part.index) = (number + 1, 0);
            } else if !walk.begins_segment && open.is_empty() {
                return;
            }
            self.repairs.adopted += 1;
            self.say(part.record());
        }
    }

    /// N of the segment that follows the last one of a file.
    fn next_number(&self, file: u32) -> u64 {
        let about = &self.contents.files[file as usize];
        let segments = self.contents.renditions[about.rendition as usize].segments.iter().rev();
        let mut of_file =
            segments.filter(|it| matches!(it.place, Place::Stored { file: of, .. } if of == file));
        of_file.next().map_or(about.first, |last| last.number + 1)
    }

    /// Nothing more comes in what was open.
    fn close(&mut self) {
        for rendition in 0..self.contents.renditions.len() {
            let open = std::mem::take(&mut self.contents.renditions[rendition].open);
            if let Some(record) = segment(&open, false) {
                self.say(record);
            }
        }
        let newest = self.contents.periods.keys().next_back().copied();
        if let Some(period) = newest.filter(|&newest| self.contents.closed < Some(newest)) {
            self.say(Record::Closed { period });
        }
    }
}

/// The record of a segment that is made of these parts.
fn segment(parts: &[PartPlace], whole: bool) -> Option<Record> {
    let (first, last) = (parts.first()?, parts.last()?);
    let mut checksum = Checksum::default();
    parts.iter().for_each(|part| checksum.join(part.checksum, part.len));
    let media = last.start + last.duration - first.start;
    Some(Record::Segment {
        file: first.file,
        number: first.number,
        offset: first.offset,
        len: last.end() - first.offset,
        start: first.start,
        duration: media,
        independent: first.independent,
        checksum: checksum.value(),
        parts: parts.len() as u32,
        whole,
        media,
    })
}

fn read_index(files: &dyn Files, path: &Path) -> Result<bytes::Bytes, Error> {
    let bytes = files.read(path, 0, MAX_INDEX as usize + 1).map_err(at(path))?;
    let len = bytes.len() as u64;
    if len > MAX_INDEX {
        return Err(Error::TooLarge { path: path.to_owned(), len });
    }
    Ok(bytes)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
