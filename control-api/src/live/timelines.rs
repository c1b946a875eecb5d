//! Named timelines of a live entry: stretches of what is on air that are watched under a name of their own.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use catalog::timelines::{Details, MOST, NAME, RESERVED, Timeline};
use catalog::{Caller, EntryId};
use http::StatusCode;
use http::request::Parts;
use media::WallTime;
use serde::{Deserialize, Serialize};
use stream::{Source, Viewer as Watcher};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::find;
use crate::answer::{self, Created};
use crate::base::Base;
use crate::body::{Json, clearable, given};
use crate::check::Check;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::id::Id;
use crate::idempotency::Repeatable;
use crate::page::Listed;
use crate::problem::Problem;
use crate::roles::{Producer, Viewer};
use crate::words::Air;

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// What a timeline is created from. A name is enough.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTimeline {
    /// What `?timeline=` in playback URLs says. Not `public` and not `preview`.
    #[schema(min_length = 1, max_length = 32, pattern = "^[a-z0-9-]+$", example = "evening-show")]
    name: String,
    /// It begins with what is on air then; now when left out. Also a time that is over, as far as it is held.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, format = DateTime)]
    start: Option<String>,
    /// It ends with what is on air then; with the stream when left out.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Option<String>>,
    /// Whom it is for; `live` when left out. What lies in it is shown to everybody then, also where the stream is in
    /// preview.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Air, required = false)]
    air: Option<Air>,
}

/// What of a timeline is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TimelinePatch {
    /// It begins with what is on air then. Who watches begins anew when this changes.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, format = DateTime)]
    start: Option<String>,
    /// It ends with what is on air then; `null` with the stream.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Option<String>>,
    /// Whom it is for. Who watches begins anew when this changes.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Air, required = false)]
    air: Option<Air>,
}

/// A named timeline of a live entry.
#[derive(Serialize, ToSchema)]
#[schema(as = Timeline)]
struct TimelineView {
    /// Its name.
    #[schema(example = "evening-show")]
    name: String,
    /// It begins with what is on air then.
    #[schema(format = DateTime)]
    start: String,
    /// It ends with what is on air then; with the stream where that is `null`.
    #[schema(required, format = DateTime)]
    end: Option<String>,
    /// Whom it is for.
    air: Air,
    /// What `s` in playlist URLs of it says while it is shown; `null` while it is not.
    #[schema(required)]
    session: Option<u64>,
    /// Its HLS multivariant playlist.
    hls: String,
    /// Its MPD.
    dash: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// The entry and the timeline that a path names.
struct Named {
    entry: EntryId,
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, Problem> {
        let path: Option<Path<(String, String)>> = Path::from_request_parts(parts, state).await.ok();
        let (entry, name) = path.map(|Path(path)| path).ok_or_else(|| Problem::not_found("timeline"))?;
        let entry = EntryId::parse(&entry).ok_or_else(|| Problem::not_found("entry"))?;
        Ok(Named { entry, name })
    }
}

/// Lists the timelines of a live entry, by name.
#[utoipa::path(
    get, path = "/live/{id}/timelines", tag = "live", operation_id = "listTimelines", params(("id" = String, Path)),
    responses((status = 200, description = "All of them.", body = Listed<TimelineView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    find(&control, viewer.scope(), &id).await?;
    let all = control.catalog().timelines().list(viewer.scope(), &id).await?;
    let views = all.iter().map(|timeline| TimelineView::new(&control, &base, &id, timeline));
    Ok(axum::Json(Listed::all(views.collect())).into_response())
}

/// Adds a timeline to a live entry.
///
/// It shows what of the stream lies between its start and its end, under `?timeline=NAME` of every manifest, and goes on
/// while other timelines begin and end. It is there for each stream of the entry that comes into its time. 409 when the
/// name is taken, or the entry has 16.
#[utoipa::path(
    post, path = "/live/{id}/timelines", tag = "live", operation_id = "createTimeline", request_body = NewTimeline,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 201, description = "Created.", body = TimelineView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    repeatable: Repeatable,
    Id(id): Id<EntryId>,
    Json { value: new, digest }: Json<NewTimeline>,
) -> Result<Created, Problem> {
    find(&control, producer.scope(), &id).await?;
    let (name, details) = new.checked()?;
    let created = |timeline: &Timeline| {
        let view = TimelineView::new(&control, &base, &id, timeline);
        let location = format!("/api/v1/live/{id}/timelines/{}", timeline.name);
        Created::new(location, Some(tag(timeline.version, None)), &view)
    };
    let work = async |caller: Caller| {
        let timeline = control.catalog().timelines().create(&caller, &id, &name, details).await?;
        show(&control, &id).await;
        Ok(created(&timeline))
    };
    let again =
        async |_| Ok(created(&control.catalog().timelines().get(producer.scope(), &id, &name).await?));
    repeatable.once(control.catalog(), producer.token(), &digest, true, work, again).await
}

/// Shows a timeline.
#[utoipa::path(
    get, path = "/live/{id}/timelines/{name}", tag = "live", operation_id = "getTimeline",
    params(("id" = String, Path), ("name" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The timeline.", body = TimelineView, headers(("etag" = String, description = "Its version."))), (status = 304, description = "Nothing has changed."))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Named { entry, name }: Named,
) -> Result<Response, Problem> {
    let timeline = control.catalog().timelines().get(viewer.scope(), &entry, &name).await?;
    let view = TimelineView::new(&control, &base, &entry, &timeline);
    let shown = view.session.map(|_| "shown");
    Ok(answer::found(&view, tag(timeline.version, shown), &conditions))
}

/// Changes a timeline.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears. A new end is an end for those who
/// watch; an end in the past takes what comes after it away at once.
#[utoipa::path(
    patch, path = "/live/{id}/timelines/{name}", tag = "live", operation_id = "updateTimeline",
    params(("id" = String, Path), ("name" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = TimelinePatch,
    responses((status = 200, description = "The timeline.", body = TimelineView, headers(("etag" = String, description = "Its version."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    conditions: Conditions,
    Named { entry, name }: Named,
    Json { value: patch, .. }: Json<TimelinePatch>,
) -> Result<Response, Problem> {
    let timelines = control.catalog().timelines();
    let old = timelines.get(producer.scope(), &entry, &name).await?;
    conditions.expected(old.version)?;
    let details = patch.applied(old.details)?;
    let caller = producer.caller();
    let new = timelines.update(&caller, &entry, &name, Some(old.version), |it| *it = details).await?;
    show(&control, &entry).await;
    let view = TimelineView::new(&control, &base, &entry, &new);
    Ok(answer::changed(&view, tag(new.version, view.session.map(|_| "shown"))))
}

/// Deletes a timeline. Who watches it gets nothing more.
#[utoipa::path(
    delete, path = "/live/{id}/timelines/{name}", tag = "live", operation_id = "deleteTimeline",
    params(("id" = String, Path), ("name" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses((status = 204, description = "It is gone."), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    Named { entry, name }: Named,
) -> Result<StatusCode, Problem> {
    let timelines = control.catalog().timelines();
    let old = timelines.get(producer.scope(), &entry, &name).await?;
    let expected = conditions.expected(old.version)?;
    timelines.delete(&producer.caller(), &entry, &name, expected).await?;
    show(&control, &entry).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the stream that is on.
async fn show(control: &Control, entry: &EntryId) {
    if let Some(live) = control.catalog().keys().entry(entry) {
        let timelines: Arc<[_]> = live.timelines.iter().map(of_stream).collect();
        control.directory().show_timelines(entry.as_str(), timelines).await;
    }
}

fn of_stream(timeline: &Timeline) -> stream::Timeline {
    let Details { start, end, air } = timeline.details;
    stream::Timeline { name: timeline.name.as_str().into(), start, end, air: super::actions::of_stream(air) }
}

impl NewTimeline {
    fn checked(self) -> Result<(String, Details), Problem> {
        let mut check = Check::default();
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let plain = (1..=NAME).contains(&self.name.len()) && self.name.bytes().all(legal);
        check.ensure(plain, "name", || format!("is not 1 to {NAME} of a-z 0-9 -"));
        check.ensure(!RESERVED.contains(&self.name.as_str()), "name", || {
            "stands for something else".to_owned()
        });
        let details = Details { start: SystemTime::now().into(), end: None, air: catalog::Air::Live };
        let patch = TimelinePatch { start: self.start, end: self.end, air: self.air };
        let details = patch.apply(details, &mut check);
        check.done().map(|()| (self.name, details))
    }
}

impl TimelinePatch {
    fn applied(self, details: Details) -> Result<Details, Problem> {
        let mut check = Check::default();
        let details = self.apply(details, &mut check);
        check.done().map(|()| details)
    }

    fn apply(self, mut details: Details, check: &mut Check) -> Details {
        if let Some(start) = self.start.and_then(|start| check.time("start", &start)) {
            details.start = start;
        }
        if let Some(end) = self.end {
            details.end = end.and_then(|end| check.time("end", &end));
        }
        details.air = self.air.map_or(details.air, Into::into);
        let ordered = details.end.is_none_or(|end| end > details.start);
        check.ensure(ordered, "end", || "is not after start".to_owned());
        details
    }
}

impl TimelineView {
    fn new(control: &Control, base: &Base, entry: &EntryId, timeline: &Timeline) -> TimelineView {
        let Details { start, end, air } = timeline.details;
        let url = |manifest: &str| base.http(&format!("/play/{entry}/{manifest}?timeline={}", timeline.name));
        TimelineView {
            name: timeline.name.clone(),
            start: start.to_string(),
            end: end.map(|end: WallTime| end.to_string()),
            air: air.into(),
            session: control.directory().timeline(entry.as_str(), &timeline.name, Watcher::Producer),
            hls: url("master.m3u8"),
            dash: url("manifest.mpd"),
            created: timeline.created.to_string(),
            updated: timeline.updated.to_string(),
            version: timeline.version,
        }
    }
}

const _: () = assert!(MOST == 16, "the description of POST says so");
