//! Live entries: provisioned, watched and run.

mod actions;
mod create;
mod health;
mod link;
mod metadata;
mod recording;
pub(crate) mod settings;
pub(crate) mod srt;
mod status;
mod timelines;
mod view;

pub(crate) use status::Status;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use catalog::{Entry, EntryId, Kind, Scope};
use http::{HeaderValue, StatusCode, Uri};
use status::StatusView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use view::LiveView;

use crate::base::Base;
use crate::body::Json;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::entries::{EntryPatch, EntryQuery, EntryView, edit};
use crate::id::Id;
use crate::page::Listed;
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::{Producer, Viewer};
use crate::{answer as answers, page};

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list, create::create))
        .routes(routes!(get, update, delete))
        .routes(routes!(status))
        .routes(routes!(actions::go_live))
        .routes(routes!(actions::preview))
        .routes(routes!(actions::end))
        .routes(routes!(actions::disconnect))
        .routes(routes!(actions::rotate_key))
        .merge(timelines::router())
        .merge(recording::router())
}

/// Lists live entries, the newest first.
///
/// As `/entries` does, of live ones only. Where `status` is asked for, a page may have fewer items than `limit`, and
/// even none, before the list ends: `next` says whether it has.
#[utoipa::path(
    get, path = "/live", tag = "live", operation_id = "listLive", params(EntryQuery),
    responses((status = 200, description = "A page of them, without keys.", body = Listed<EntryView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    uri: Uri,
    Query(query): Query<EntryQuery>,
) -> Result<Response, Problem> {
    let page = query.of_kind(Kind::Live)?.page(&control, viewer.scope()).await?;
    Ok(page::answer(page, &uri, |(entry, status)| EntryView::new(&entry, status, &base)))
}

/// Shows a live entry, with everything that is needed to go on air.
#[utoipa::path(
    get, path = "/live/{id}", tag = "live", operation_id = "getLive",
    params(("id" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The live entry.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))), (status = 304, description = "Nothing has changed."))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    let entry = find(&control, viewer.scope(), &id).await?;
    if conditions.has(&shown_tag(&control, &entry)) {
        return Ok(answers::found(&(), shown_tag(&control, &entry), &conditions));
    }
    answer(&control, &base, viewer.scope(), &entry, viewer.sees_keys()).await
}

/// Where a live entry stands, and how its encoders do.
#[utoipa::path(
    get, path = "/live/{id}/status", tag = "live", operation_id = "liveStatus", params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = StatusView))
)]
async fn status(
    viewer: Viewer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
) -> Result<axum::Json<StatusView>, Problem> {
    find(&control, viewer.scope(), &id).await?;
    Ok(axum::Json(StatusView::of(&control, &id)))
}

/// Changes a live entry.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears.
#[utoipa::path(
    patch, path = "/live/{id}", tag = "live", operation_id = "updateLive",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = EntryPatch,
    responses((status = 200, description = "The live entry.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Id(id): Id<EntryId>,
    Json { value: patch, .. }: Json<EntryPatch>,
) -> Result<Response, Problem> {
    find(&control, producer.scope(), &id).await?;
    let entry = edit(&control, &producer, &id, &conditions, &patch).await?;
    answer(&control, &base, producer.scope(), &entry, true).await
}

/// Deletes a live entry, and ends its stream.
#[utoipa::path(
    delete, path = "/live/{id}", tag = "live", operation_id = "deleteLive",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses((status = 204, description = "It is gone."), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<EntryId>,
) -> Result<StatusCode, Problem> {
    let entry = find(&control, producer.scope(), &id).await?;
    crate::entries::remove(&control, &producer, &entry, &conditions).await
}

/// A live entry within a scope.
async fn find(control: &Control, scope: &Scope, id: &EntryId) -> Result<Entry, Problem> {
    let entry = control.catalog().entries().get(scope, id).await?;
    if entry.kind == Kind::Live { Ok(entry) } else { Err(Problem::not_found("live entry")) }
}

/// The entry as it is now.
async fn answer(
    control: &Control,
    base: &Base,
    scope: &Scope,
    entry: &Entry,
    with_keys: bool,
) -> Result<Response, Problem> {
    let keys = match with_keys {
        true => Some(control.catalog().stream_keys().get(scope, &entry.id).await?),
        false => None,
    };
    let view = LiveView::new(control, base, entry, keys.as_ref());
    Ok(answers::changed(&view, shown_tag(control, entry)).into_response())
}

/// Where it stands is in the answer, and so in its tag.
fn shown_tag(control: &Control, entry: &Entry) -> HeaderValue {
    tag(entry.version, Some(Status::of(control.directory(), &entry.id).as_str()))
}
