//! Recording a live entry while it is on.

use axum::Json;
use axum::extract::State;
use catalog::EntryId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::find;
use crate::body::{OptionalJson, given};
use crate::control::Control;
use crate::id::Id;
use crate::problem::Problem;
use crate::recorder::{RecorderStatus, RecordingGap};
use crate::roles::Producer;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stop))
}

/// What the recorder does for a live entry.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveRecording)]
pub(crate) struct RecordingView {
    /// What it does.
    state: RecorderState,
    /// The recording that is written to, or was last.
    #[schema(required, example = "rec_k3x9p2ab")]
    recording: Option<String>,
    /// Bytes of media in it.
    bytes: u64,
    /// Its length in seconds.
    length: f64,
    /// What was on air and is not in it, the newest last; at most 100, since it was taken up.
    gaps: Vec<GapView>,
    /// Why nothing is recorded, where it should be.
    #[schema(required)]
    reason: Option<String>,
}

/// What the recorder does.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RecorderState {
    /// Nothing.
    Off,
    /// It records.
    Recording,
    /// It lets segments go by.
    Paused,
    /// It should record and cannot; it tries again.
    Failed,
}

/// Segments that were on air and are not recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveRecordingGap)]
struct GapView {
    /// Of which rendition.
    #[schema(example = "video-1")]
    rendition: String,
    /// Number of the first segment.
    first: u64,
    /// Number of the last; `null` while more are lost.
    #[schema(required)]
    last: Option<u64>,
    /// Why, in a word.
    #[schema(example = "no-space")]
    reason: &'static str,
    /// The same in a sentence.
    text: String,
}

/// Starts recording.
///
/// From the segment on that is on air now, whatever the entry's recorder is set to, until the stream ends or somebody
/// stops it. 409 when the entry is not live, or is recorded already.
#[utoipa::path(
    post, path = "/live/{id}/recording/start", tag = "live", operation_id = "startRecording", params(("id" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = RecordingView),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn start(
    producer: Producer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
) -> Result<Json<RecordingView>, Problem> {
    find(&control, producer.scope(), &id).await?;
    control.recorder().start(id.as_str()).await.map_err(Problem::conflict)?;
    Ok(Json(RecordingView::of(&control, &id)))
}

/// Pauses the recording.
///
/// From the next segment on nothing is recorded, and that is noted. 409 when it is not recorded, or is paused already.
#[utoipa::path(
    post, path = "/live/{id}/recording/pause", tag = "live", operation_id = "pauseRecording", params(("id" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = RecordingView),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn pause(
    producer: Producer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
) -> Result<Json<RecordingView>, Problem> {
    find(&control, producer.scope(), &id).await?;
    control.recorder().pause(id.as_str()).map_err(Problem::conflict)?;
    Ok(Json(RecordingView::of(&control, &id)))
}

/// Goes on with a paused recording.
///
/// From the next segment on. 409 when it is not paused.
#[utoipa::path(
    post, path = "/live/{id}/recording/resume", tag = "live", operation_id = "resumeRecording", params(("id" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = RecordingView),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn resume(
    producer: Producer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
) -> Result<Json<RecordingView>, Problem> {
    find(&control, producer.scope(), &id).await?;
    control.recorder().resume(id.as_str()).map_err(Problem::conflict)?;
    Ok(Json(RecordingView::of(&control, &id)))
}

/// How a recording is stopped.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StopRecording {
    /// Whether what is recorded later is a recording of its own, also where recordings are appended to; `false` when left
    /// out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    new: Option<bool>,
}

/// Stops recording.
///
/// The rest of the session is not recorded, unless somebody starts it again. When this is answered the recording is in its
/// files. 409 when it is not recorded.
#[utoipa::path(
    post, path = "/live/{id}/recording/stop", tag = "live", operation_id = "stopRecording", params(("id" = String, Path)),
    request_body = Option<StopRecording>,
    responses(
        (status = 200, description = "As it is now.", body = RecordingView),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn stop(
    producer: Producer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
    OptionalJson(wanted): OptionalJson<StopRecording>,
) -> Result<Json<RecordingView>, Problem> {
    find(&control, producer.scope(), &id).await?;
    let close = wanted.new.unwrap_or(false);
    control.recorder().stop(id.as_str(), close).await.map_err(Problem::conflict)?;
    Ok(Json(RecordingView::of(&control, &id)))
}

impl RecordingView {
    pub(crate) fn of(control: &Control, entry: &EntryId) -> RecordingView {
        let RecorderStatus { state, recording, bytes, length, gaps, reason } =
            control.recorder().status(entry.as_str());
        RecordingView {
            state: state.into(),
            recording: recording.map(|id| id.to_string()),
            bytes,
            length: length.as_millis() as f64 / 1000.0,
            gaps: gaps.into_iter().map(GapView::new).collect(),
            reason,
        }
    }
}

impl GapView {
    fn new(gap: RecordingGap) -> GapView {
        let RecordingGap { rendition, first, last, reason, text } = gap;
        GapView { rendition: rendition.to_string(), first, last, reason, text }
    }
}

impl From<crate::recorder::RecorderState> for RecorderState {
    fn from(state: crate::recorder::RecorderState) -> RecorderState {
        use crate::recorder::RecorderState as Of;
        match state {
            Of::Off => RecorderState::Off,
            Of::Recording => RecorderState::Recording,
            Of::Paused => RecorderState::Paused,
            Of::Failed => RecorderState::Failed,
        }
    }
}
