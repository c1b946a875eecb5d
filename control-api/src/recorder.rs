//! What the control API asks of whoever records.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Records live entries. What is refused is said in a sentence.
pub trait Recorder: Send + Sync {
    /// What is done for an entry.
    fn status(&self, entry: &str) -> RecorderStatus;

    /// Records an entry from the segment on that is on air now, whatever its mode.
    fn start<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<(), String>>;

    /// Lets segments go by, from the next one on.
    fn pause(&self, entry: &str) -> Result<(), String>;

    /// Records again, from the next segment on.
    fn resume(&self, entry: &str) -> Result<(), String>;

    /// Ends the recording. With `close`, what comes later is in a new one.
    fn stop<'a>(&'a self, entry: &'a str, close: bool) -> BoxFuture<'a, Result<(), String>>;
}

/// What is done for an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecorderStatus {
    /// What the recorder does.
    pub state: RecorderState,
    /// The recording that is written to, or was last.
    pub recording: Option<Arc<str>>,
    /// Bytes of media in it.
    pub bytes: u64,
    /// How long it is.
    pub length: Duration,
    /// What was lost lately, oldest first.
    pub gaps: Vec<RecordingGap>,
    /// Why nothing is recorded, where it should be.
    pub reason: Option<String>,
}

/// What the recorder does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RecorderState {
    /// Nothing.
    #[default]
    Off,
    /// It records.
    Recording,
    /// It lets segments go by.
    Paused,
    /// It should record and cannot.
    Failed,
}

/// Segments that were on air and are not recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordingGap {
    /// Of which rendition.
    pub rendition: Arc<str>,
    /// N of the first.
    pub first: u64,
    /// N of the last; `None` while more are lost.
    pub last: Option<u64>,
    /// Why, in a word.
    pub reason: &'static str,
    /// The same in a sentence.
    pub text: String,
}

/// Nobody records.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecorder;

impl Recorder for NoRecorder {
    fn status(&self, _: &str) -> RecorderStatus {
        RecorderStatus::default()
    }

    fn start<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(std::future::ready(nobody()))
    }

    fn pause(&self, _: &str) -> Result<(), String> {
        nobody()
    }

    fn resume(&self, _: &str) -> Result<(), String> {
        nobody()
    }

    fn stop<'a>(&'a self, _: &'a str, _: bool) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(std::future::ready(nobody()))
    }
}

fn nobody() -> Result<(), String> {
    Err("this server records nothing".to_owned())
}
