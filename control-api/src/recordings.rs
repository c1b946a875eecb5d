//! Recordings of an entry.

mod integrity;
mod one;

use axum::Json;
use axum::extract::State;
use catalog::EntryId;
use catalog::recordings::Recording;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::archive::Copied;
use crate::base::Base;
use crate::control::Control;
use crate::entries::Playback;
use crate::id::Id;
use crate::page::Listed;
use crate::problem::Problem;
use crate::roles::Viewer;
use crate::times;
use crate::words::{CopyStage, RecordingState};

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).merge(one::router()).merge(integrity::router())
}

/// A recording of an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
struct RecordingView {
    /// Its id.
    id: String,
    /// Of which entry.
    entry: String,
    /// Of which session.
    session: u64,
    /// How far it is.
    state: RecordingState,
    /// When it began.
    #[schema(format = DateTime)]
    started: String,
    /// When it ended; `null` while it grows.
    #[schema(required, format = DateTime)]
    ended: Option<String>,
    /// Its size.
    bytes: u64,
    /// Cleaning up leaves it.
    protected: bool,
    /// How far it is on its way to the object store; `null` without one.
    #[schema(required)]
    object_store: Option<CopyView>,
    /// Where it is watched, by itself. While it grows that is what there is of it.
    playback: Playback,
}

/// How far a recording is on its way to the object store.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordingCopy)]
struct CopyView {
    /// What is being done with it.
    stage: CopyStage,
    /// Bytes of media that are final.
    bytes: u64,
    /// Those of them that the store has.
    uploaded_bytes: u64,
    /// Whether the last try failed. Others follow, for as long as it takes; what is not there yet stays on the disk.
    failing: bool,
}

/// Lists the recordings of an entry, the oldest first. All of them are on one page.
#[utoipa::path(
    get, path = "/entries/{id}/recordings", tag = "entries", operation_id = "listRecordings",
    params(("id" = String, Path)),
    responses((status = 200, description = "All of them.", body = Listed<RecordingView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Json<Listed<RecordingView>>, Problem> {
    let recordings = control.catalog().recordings().list(viewer.scope(), &id).await?;
    let mut views = Vec::with_capacity(recordings.len());
    for recording in recordings {
        views.push(RecordingView::of(recording, &control, &base).await);
    }
    Ok(Json(Listed::all(views)))
}

impl RecordingView {
    async fn of(recording: Recording, control: &Control, base: &Base) -> RecordingView {
        let copy = control.archive().copy(&recording.entry, &recording.id).await;
        RecordingView {
            id: recording.id.to_string(),
            entry: recording.entry.to_string(),
            session: recording.session,
            state: recording.progress.state.into(),
            started: recording.started.to_string(),
            ended: times::show(recording.progress.ended),
            bytes: recording.progress.bytes,
            protected: recording.protected,
            object_store: copy.map(CopyView::new),
            playback: Playback::new(recording.id.as_str(), base),
        }
    }
}

impl CopyView {
    fn new(copy: Copied) -> CopyView {
        let Copied { stage, bytes, uploaded, failing } = copy;
        CopyView { stage: stage.into(), bytes, uploaded_bytes: uploaded, failing }
    }
}
