//! Entries, live and VOD: found, shown, edited, deleted.

mod list;
mod patch;
mod view;

pub(crate) use list::EntryQuery;
pub(crate) use patch::EntryPatch;
pub(crate) use view::{EntryView, Playback};

use axum::extract::State;
use axum::response::Response;
use catalog::{Entry, EntryId, Kind};
use http::{HeaderValue, StatusCode, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::base::Base;
use crate::body::Json;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::id::Id;
use crate::live::Status;
use crate::page::{self, Listed};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::{Producer, Viewer};

/// How often an edit begins anew that others came before.
const ATTEMPTS: usize = 5;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, update, delete))
}

/// Finds entries, the newest first.
///
/// Where `status` is asked for, a page may have fewer items than `limit`, and even none, before the list ends: `next`
/// says whether it has.
#[utoipa::path(
    get, path = "/entries", tag = "entries", operation_id = "listEntries", params(EntryQuery),
    responses((status = 200, description = "A page of them.", body = Listed<EntryView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    uri: Uri,
    Query(query): Query<EntryQuery>,
) -> Result<Response, Problem> {
    let page = query.page(&control, viewer.scope()).await?;
    Ok(page::answer(page, &uri, |(entry, status)| EntryView::new(&entry, status, &base)))
}

/// Shows an entry.
#[utoipa::path(
    get, path = "/entries/{id}", tag = "entries", operation_id = "getEntry",
    params(("id" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The entry.", body = EntryView, headers(("etag" = String, description = "Its version and where it stands."))), (status = 304, description = "Nothing has changed."))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    let entry = control.catalog().entries().get(viewer.scope(), &id).await?;
    let (view, tag) = shown(&control, &base, &entry);
    Ok(answer::found(&view, tag, &conditions))
}

/// Changes an entry.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears.
#[utoipa::path(
    patch, path = "/entries/{id}", tag = "entries", operation_id = "updateEntry",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = EntryPatch,
    responses((status = 200, description = "The entry.", body = EntryView, headers(("etag" = String, description = "Its version and where it stands."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Id(id): Id<EntryId>,
    Json { value: patch, .. }: Json<EntryPatch>,
) -> Result<Response, Problem> {
    let entry = edit(&control, &producer, &id, &conditions, &patch).await?;
    let (view, tag) = shown(&control, &base, &entry);
    Ok(answer::changed(&view, tag))
}

/// Deletes an entry with everything that belongs to it.
#[utoipa::path(
    delete, path = "/entries/{id}", tag = "entries", operation_id = "deleteEntry",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses((status = 204, description = "It is gone."), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<EntryId>,
) -> Result<StatusCode, Problem> {
    let entry = control.catalog().entries().get(producer.scope(), &id).await?;
    remove(&control, &producer, &entry, &conditions).await
}

/// Edits an entry. Where the caller did not say which version he means, somebody else who is faster is no obstacle.
pub(crate) async fn edit(
    control: &Control,
    producer: &Producer,
    id: &EntryId,
    conditions: &Conditions,
    patch: &EntryPatch,
) -> Result<Entry, Problem> {
    let entries = control.catalog().entries();
    for _ in 0..ATTEMPTS {
        let old = entries.get(producer.scope(), id).await?;
        let said = conditions.expected(old.version)?.is_some();
        let mut details = old.details;
        patch.apply(old.kind, &mut details, &control.settings().live)?;
        match entries.update(&producer.caller(), id, Some(old.version), |stored| *stored = details).await {
            Err(catalog::Error::Stale { .. }) if !said => {}
            Err(error) => return Err(error.into()),
            Ok(entry) => {
                // A schedule that is over now cuts who is on.
                control.directory().recheck(Some(id.as_str())).await;
                return Ok(entry);
            }
        }
    }
    Err(Problem::conflict("others keep changing it; try again"))
}

/// Deletes an entry, and ends its stream.
pub(crate) async fn remove(
    control: &Control,
    producer: &Producer,
    entry: &Entry,
    conditions: &Conditions,
) -> Result<StatusCode, Problem> {
    let expected = conditions.expected(entry.version)?;
    control.catalog().entries().delete(&producer.caller(), &entry.id, expected).await?;
    control.directory().remove(entry.id.as_str()).await;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(control: &Control, base: &Base, entry: &Entry) -> (EntryView, HeaderValue) {
    let status = (entry.kind == Kind::Live).then(|| Status::of(control.directory(), &entry.id));
    (EntryView::new(entry, status, base), tag(entry.version, status.map(Status::as_str)))
}
