//! One rendition of a recording being written: its file, and the segment in the making.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use container::index::{Checksum, Reason, Record};
use packager::presentation::{Init, Part, Segment, Stored, StoredFile};

use crate::contents::Gap;
use crate::files::{Append, Files};

/// One rendition being written.
pub(crate) struct Lane {
    pub id: u32,
    pub file: Option<MediaOut>,
    pub making: Option<Making>,
    /// What was lost and is not in the index yet.
    pub lost: Option<Gap>,
}

/// A file of media being written.
pub(crate) struct MediaOut {
    pub id: u32,
    pub path: PathBuf,
    pub name: Arc<StoredFile>,
    pub period: u64,
    pub init: Arc<Init>,
    /// N of the segment that may follow.
    pub next: u64,
    end: u64,
    out: Box<dyn Append>,
    /// The first segment with bytes that are not synced.
    pub not_safe: Option<Unsafe>,
}

/// From where on nobody knows what reached the disk.
#[derive(Clone, Copy)]
pub(crate) struct Unsafe {
    /// N of the segment.
    pub number: u64,
    /// Where that begins in the file.
    pub offset: u64,
}

/// A segment in the making.
pub(crate) struct Making {
    pub number: u64,
    /// Where it begins in the file, once something of it is there.
    pub offset: Option<u64>,
    pub state: Result<OpenOut, Loss>,
}

/// Why something is not recorded, and in words.
pub(crate) type Loss = (Reason, String);

/// What of it is in the file.
#[derive(Default)]
pub(crate) struct OpenOut {
    offset: u64,
    len: u64,
    start: i64,
    independent: bool,
    pub parts: u32,
    checksum: Checksum,
}

impl Lane {
    pub fn new(id: u32) -> Lane {
        Lane { id, file: None, making: None, lost: None }
    }

    /// Whether segment `number` can follow in the file that is open.
    pub fn continues(&self, number: u64, init: &Arc<Init>) -> bool {
        self.file.as_ref().is_some_and(|file| {
            file.next == number
                && file.period == init.period
                && (Arc::ptr_eq(&file.init, init) || file.init == *init)
        })
    }

    /// Whether nothing more comes of segment `number` here.
    pub fn has_closed(&self, number: u64) -> bool {
        self.file.as_ref().is_none_or(|file| file.next > number)
    }

    /// Notes that a segment is lost. Says whether that begins a gap.
    pub fn lose(&mut self, first: u64, last: u64, reason: Reason, note: &str) -> Option<Gap> {
        match &mut self.lost {
            Some(lost) if lost.last + 1 == first && lost.reason == reason => {
                lost.last = last;
                None
            }
            lost => lost.replace(Gap { first, last, reason, note: note.to_owned() }),
        }
    }

    /// Writes a part of the segment in the making, and gives its record.
    pub fn append(&mut self, number: u64, part: &Part) -> io::Result<Option<Record>> {
        let (Some(file), Some(Making { offset, state: Ok(open), .. })) = (&mut self.file, &mut self.making)
        else {
            return Ok(None);
        };
        let pieces: Vec<&[u8]> = part.pieces().map(|piece| &piece[..]).collect();
        let checksum = Checksum::of(pieces.iter().copied());
        let begins = *offset.get_or_insert(file.end);
        file.out.append(&pieces)?;
        file.not_safe.get_or_insert(Unsafe { number, offset: begins });
        if open.parts == 0 {
            *open = OpenOut {
                offset: file.end,
                start: part.start,
                independent: part.independent,
                ..OpenOut::default()
            };
        }
        let at = file.end;
        file.end += part.len;
        open.len += part.len;
        open.parts += 1;
        open.checksum.join(checksum, part.len);
        Ok(Some(Record::Part {
            file: file.id,
            number,
            index: part.index,
            offset: at,
            len: part.len,
            start: part.start,
            duration: part.duration,
            independent: part.independent,
            checksum,
        }))
    }

    /// Closes the segment in the making if it is all there: its record, and where it is.
    pub fn close(&mut self, segment: &Segment) -> Option<(Record, Stored)> {
        let (file, Making { number, state, .. }) = (self.file.as_mut()?, self.making.take()?);
        let open = state.ok()?;
        file.next = number + 1;
        let (offset, len, checksum) = (open.offset, open.len, open.checksum.value());
        let record = Record::Segment {
            file: file.id,
            number,
            offset,
            len,
            start: open.start,
            duration: segment.duration,
            independent: open.independent,
            checksum,
            parts: open.parts,
            whole: true,
            media: segment.media(),
        };
        let stored = Stored {
            init: file.init.clone(),
            file: file.name.clone(),
            offset,
            len,
            checksum,
            independent: open.independent,
            media: segment.media(),
            only: None,
        };
        Some((record, stored))
    }

    /// Gives up the file behind its last whole segment: a segment that will not be whole is taken away from it, and the
    /// file with its only one.
    pub fn withdraw(&mut self, files: &dyn Files) -> Option<MediaOut> {
        let file = self.file.take()?;
        let end = self.making.as_ref().and_then(|making| making.offset).unwrap_or(file.end);
        // Best effort: what is behind the last segment that the index knows is not taken for whole anyway.
        let _ = match end > file.init.bytes.len() as u64 {
            true => files.cut(&file.path, end),
            false => files.remove(&file.path),
        };
        Some(file)
    }
}

impl MediaOut {
    /// Begins a file with its initialization segment.
    pub fn create(
        files: &dyn Files,
        folder: &Path,
        name: Arc<StoredFile>,
        id: u32,
        number: u64,
        init: Arc<Init>,
    ) -> io::Result<MediaOut> {
        let path = folder.join(&*name.name);
        let mut out = files.append(&path)?;
        // One of this name can only be left from a failure: its number was never shown to be here.
        files.cut(&path, 0)?;
        // Best effort: a file without a beginning can be played by nobody.
        out.append(&[&init.bytes]).inspect_err(|_| drop(files.remove(&path)))?;
        let (period, end) = (init.period, init.bytes.len() as u64);
        let not_safe = Some(Unsafe { number, offset: end });
        Ok(MediaOut { id, path, name, period, init, next: number, end, out, not_safe })
    }

    pub fn sync(&mut self) -> io::Result<()> {
        if self.not_safe.is_some() {
            self.out.sync()?;
            self.not_safe = None;
        }
        Ok(())
    }
}

/// What a failure of the file system means for a recording.
pub(crate) fn reason_of(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Reason::NoSpace,
        _ => Reason::Failed,
    }
}
