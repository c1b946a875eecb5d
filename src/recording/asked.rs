//! What the control API asks of the recorder.

use std::pin::Pin;

use control_api::{RecorderState, RecorderStatus, RecordingGap};
use recorder::{Activity, Missing, Recorder};

/// The recorder, as the control API knows it.
pub(crate) struct Asked(pub(crate) Recorder);

/// What `futures_util` calls a `BoxFuture`.
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl control_api::Recorder for Asked {
    fn status(&self, entry: &str) -> RecorderStatus {
        let recorder::Status { activity, recording, bytes, length, gaps, reason } = self.0.status(entry);
        let (state, gaps) = (state(activity), gaps.into_iter().map(gap).collect());
        RecorderStatus { state, recording, bytes, length, gaps, reason }
    }

    fn start<'a>(&'a self, entry: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.0.start(entry).await.map_err(|refused| refused.to_string()) })
    }

    fn pause(&self, entry: &str) -> Result<(), String> {
        self.0.pause(entry).map_err(|refused| refused.to_string())
    }

    fn resume(&self, entry: &str) -> Result<(), String> {
        self.0.resume(entry).map_err(|refused| refused.to_string())
    }

    fn stop<'a>(&'a self, entry: &'a str, close: bool) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { self.0.stop(entry, close).await.map_err(|refused| refused.to_string()) })
    }
}

fn state(activity: Activity) -> RecorderState {
    match activity {
        Activity::Off => RecorderState::Off,
        Activity::Recording => RecorderState::Recording,
        Activity::Paused => RecorderState::Paused,
        Activity::Failed => RecorderState::Failed,
    }
}

fn gap(missing: Missing) -> RecordingGap {
    let Missing { rendition, first, last, reason, note } = missing;
    RecordingGap { rendition, first, last, reason: reason.as_str(), text: note }
}
