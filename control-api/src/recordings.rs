//! Recordings of an entry.

use axum::Json;
use axum::extract::State;
use catalog::EntryId;
use catalog::recordings::Recording;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::control::Control;
use crate::id::Id;
use crate::page::Listed;
use crate::problem::Problem;
use crate::roles::Viewer;
use crate::times;
use crate::words::RecordingState;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list))
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
    Id(id): Id<EntryId>,
) -> Result<Json<Listed<RecordingView>>, Problem> {
    let recordings = control.catalog().recordings().list(viewer.scope(), &id).await?;
    Ok(Json(Listed::all(recordings.into_iter().map(RecordingView::new).collect())))
}

impl RecordingView {
    fn new(recording: Recording) -> RecordingView {
        RecordingView {
            id: recording.id.to_string(),
            entry: recording.entry.to_string(),
            session: recording.session,
            state: recording.progress.state.into(),
            started: recording.started.to_string(),
            ended: times::show(recording.progress.ended),
            bytes: recording.progress.bytes,
            protected: recording.protected,
        }
    }
}
