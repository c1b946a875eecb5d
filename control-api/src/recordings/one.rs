//! One recording: shown, protected, removed.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use catalog::{EntryId, RecordingId};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::RecordingView;
use crate::base::Base;
use crate::body::{Json as Body, given};
use crate::control::Control;
use crate::problem::Problem;
use crate::roles::{Producer, Viewer};

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(get, update, delete))
}

/// The entry and the recording that a path names.
pub(super) struct Named {
    pub(super) entry: EntryId,
    pub(super) recording: RecordingId,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, Problem> {
        let path: Option<Path<(String, String)>> = Path::from_request_parts(parts, state).await.ok();
        let (entry, recording) =
            path.map(|Path(path)| path).ok_or_else(|| Problem::not_found("recording"))?;
        let entry = EntryId::parse(&entry).ok_or_else(|| Problem::not_found("entry"))?;
        let recording = RecordingId::parse(&recording).ok_or_else(|| Problem::not_found("recording"))?;
        Ok(Named { entry, recording })
    }
}

/// What of a recording is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecordingPatch {
    /// Whether limits and a full disk leave it, and nobody can remove it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    protected: Option<bool>,
}

/// Shows a recording.
#[utoipa::path(
    get, path = "/entries/{id}/recordings/{recording}", tag = "entries", operation_id = "getRecording",
    params(("id" = String, Path), ("recording" = String, Path)),
    responses((status = 200, description = "The recording.", body = RecordingView))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    Named { entry, recording }: Named,
) -> Result<Json<RecordingView>, Problem> {
    let found = control.catalog().recordings().get(viewer.scope(), &entry, &recording).await?;
    Ok(Json(RecordingView::of(found, &control, &base).await))
}

/// Protects a recording, or no longer.
///
/// What is protected is not removed by limits (`keep_age`, `keep_count`, `keep_size`) or for room on the disk, and is not
/// counted by them; and nobody can remove it until it is protected no longer.
#[utoipa::path(
    patch, path = "/entries/{id}/recordings/{recording}", tag = "entries", operation_id = "updateRecording",
    params(("id" = String, Path), ("recording" = String, Path)), request_body = RecordingPatch,
    responses((status = 200, description = "The recording.", body = RecordingView))
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Named { entry, recording }: Named,
    Body { value: patch, .. }: Body<RecordingPatch>,
) -> Result<Json<RecordingView>, Problem> {
    let recordings = control.catalog().recordings();
    let old = recordings.get(producer.scope(), &entry, &recording).await?;
    if let Some(protected) = patch.protected.filter(|protected| *protected != old.protected) {
        recordings.protect(&producer.caller(), &recording, protected).await?;
    }
    let new = recordings.get(producer.scope(), &entry, &recording).await?;
    Ok(Json(RecordingView::of(new, &control, &base).await))
}

/// Removes a recording, and its files with it.
///
/// Where clips show it, they go on, and the files go with the last of them. 409 while it is being written or is protected.
#[utoipa::path(
    delete, path = "/entries/{id}/recordings/{recording}", tag = "entries", operation_id = "deleteRecording",
    params(("id" = String, Path), ("recording" = String, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    Named { entry, recording }: Named,
) -> Result<StatusCode, Problem> {
    let deleted = control.catalog().recordings().remove(&producer.caller(), &entry, &recording, None).await?;
    control.archive().removed(&entry, &recording, deleted).await;
    Ok(StatusCode::NO_CONTENT)
}
