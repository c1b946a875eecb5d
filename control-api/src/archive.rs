//! What looks after the files of recordings: somebody else does, and is asked through this.

use std::sync::Arc;

use catalog::recordings::Deleted;
use catalog::{EntryId, RecordingId};
use futures_util::future::BoxFuture;
use media::WallTime;

/// What looks after the files of recordings.
pub trait Archive: Send + Sync {
    /// A recording was taken out of the catalog. When this returns nobody is shown it any more, and its files are gone
    /// where they may go; where the file system refuses, they go later.
    fn removed<'a>(
        &'a self,
        entry: &'a EntryId,
        recording: &'a RecordingId,
        deleted: Deleted,
    ) -> BoxFuture<'a, ()>;

    /// What a recording has and lacks; with `verify` after reading all of it, which takes as long as that takes, and
    /// stops when the future is dropped.
    fn integrity<'a>(
        &'a self,
        entry: &'a EntryId,
        recording: &'a RecordingId,
        verify: bool,
    ) -> BoxFuture<'a, Result<Integrity, Unreadable>>;

    /// How far a recording is on its way to the object store; `None` where there is no store, or that cannot be told.
    fn copy<'a>(&'a self, entry: &'a EntryId, recording: &'a RecordingId) -> BoxFuture<'a, Option<Copied>>;
}

/// How far a recording is on its way to the object store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// What is being done with it.
    pub stage: CopyStage,
    /// Bytes of media that are final.
    pub bytes: u64,
    /// Those of them that the store has.
    pub uploaded: u64,
    /// Whether the last try failed; others follow.
    pub failing: bool,
}

/// What is done with a recording for the object store, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyStage {
    /// It is recorded, and its parts follow.
    Growing,
    /// The rest of it follows, and is verified.
    Uploading,
    /// All of it is there, and here as well.
    Complete,
    /// Its media is there alone.
    Moved,
}

/// Why nothing can be said of a recording.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// It has no files.
    #[error("the files of the recording are not there")]
    Missing,
    /// Another one is being read.
    #[error("another recording is being verified")]
    Busy,
    /// The file system failed.
    #[error("the files of the recording cannot be read: {0}")]
    Failed(String),
}

/// What a recording has and lacks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Integrity {
    /// Rendition by rendition.
    pub renditions: Vec<OfRendition>,
    /// Whether times and sessions are estimated, because the index was lost and made anew from the media.
    pub estimated: bool,
    /// What reading all of it found; `None` where nobody asked.
    pub verified: Option<Verified>,
}

/// What a recording has and lacks of a rendition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OfRendition {
    /// Its name.
    pub name: String,
    /// Segments that it had on air.
    pub expected: u64,
    /// Those that are here, whole.
    pub stored: u64,
    /// Those of which only the first parts are here.
    pub partial: u64,
    /// Those that had no media on air either.
    pub silent: u64,
    /// Bytes of media.
    pub bytes: u64,
    /// What is missing, in order.
    pub gaps: Vec<Gap>,
}

/// Segments that were on air and are not in a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// Since when, where that is known.
    pub from: Option<WallTime>,
    /// Until when, where that is known.
    pub until: Option<WallTime>,
    /// Why, in a word.
    pub reason: &'static str,
    /// The same in a sentence.
    pub note: String,
}

/// What reading all of a recording found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Segments that were read.
    pub checked: u64,
    /// Those that are not what was written.
    pub damaged: Vec<DamagedSegment>,
}

/// A segment that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DamagedSegment {
    /// Of which rendition.
    pub rendition: String,
    /// Its number.
    pub number: u64,
    /// Where it was read.
    pub place: Place,
    /// Whether there is nothing of it, or nothing that can be read.
    pub missing: bool,
}

/// Where media is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Here.
    Disk,
    /// In the object store alone.
    ObjectStore,
}

/// Where nobody looks after files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoArchive;

impl NoArchive {
    /// To be shared.
    pub fn shared() -> Arc<dyn Archive> {
        Arc::new(NoArchive)
    }
}

impl Archive for NoArchive {
    fn removed<'a>(&'a self, _: &'a EntryId, _: &'a RecordingId, _: Deleted) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn integrity<'a>(
        &'a self,
        _: &'a EntryId,
        _: &'a RecordingId,
        _: bool,
    ) -> BoxFuture<'a, Result<Integrity, Unreadable>> {
        Box::pin(async { Err(Unreadable::Missing) })
    }

    fn copy<'a>(&'a self, _: &'a EntryId, _: &'a RecordingId) -> BoxFuture<'a, Option<Copied>> {
        Box::pin(async { None })
    }
}
