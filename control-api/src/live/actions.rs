//! What is done to a live entry on the day.

use axum::extract::State;
use axum::response::Response;
use catalog::{EntryId, Secret};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::LiveView;
use super::{answer, find};
use crate::base::Base;
use crate::body::{OptionalJson, given};
use crate::control::Control;
use crate::id::Id;
use crate::problem::Problem;
use crate::roles::Producer;
use crate::words::Leg;

/// Shows the stream to everybody.
///
/// One switch, on all outputs at once. An entry that is not on air yet will be seen by everybody as soon as it is.
/// Doing it twice is as good as once.
#[utoipa::path(
    post, path = "/live/{id}/go-live", tag = "live", operation_id = "goLive", params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))))
)]
pub(super) async fn go_live(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    switch(&control, &producer, &base, &id, catalog::Air::Live).await
}

/// Takes the stream back to preview: its own people can watch.
///
/// One switch, on all outputs at once. Doing it twice is as good as once.
#[utoipa::path(
    post, path = "/live/{id}/preview", tag = "live", operation_id = "preview", params(("id" = String, Path)),
    responses((status = 200, description = "As it is now.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))))
)]
pub(super) async fn preview(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    switch(&control, &producer, &base, &id, catalog::Air::Preview).await
}

async fn switch(
    control: &Control,
    producer: &Producer,
    base: &Base,
    id: &EntryId,
    air: catalog::Air,
) -> Result<Response, Problem> {
    let mut entry = find(control, producer.scope(), id).await?;
    if entry.air != Some(air) {
        entry = control.catalog().entries().switch(&producer.caller(), id, air).await?;
    }
    // Also where nothing was to be stored: a session may have begun otherwise.
    control.directory().switch(id.as_str(), of_stream(air)).await;
    answer(control, base, producer.scope(), &entry, true).await
}

pub(super) fn of_stream(air: catalog::Air) -> stream::Air {
    match air {
        catalog::Air::Preview => stream::Air::Preview,
        catalog::Air::Live => stream::Air::Live,
    }
}

/// Ends the stream.
///
/// Players are told that it is over; the encoder is disconnected. 409 when nothing is on.
#[utoipa::path(
    post, path = "/live/{id}/end", tag = "live", operation_id = "endLive", params(("id" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) async fn end(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    let entry = find(&control, producer.scope(), &id).await?;
    if !control.directory().end(id.as_str()).await {
        return Err(Problem::conflict("nothing is on: there is no stream to end"));
    }
    answer(&control, &base, producer.scope(), &entry, true).await
}

/// Disconnects the encoder.
///
/// The stream waits for it to come back, as after any disconnection. 409 when nobody publishes.
#[utoipa::path(
    post, path = "/live/{id}/disconnect", tag = "live", operation_id = "disconnect", params(("id" = String, Path)),
    responses(
        (status = 200, description = "As it is now.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) async fn disconnect(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    let entry = find(&control, producer.scope(), &id).await?;
    if !control.directory().disconnect(id.as_str()).await {
        return Err(Problem::conflict("nobody publishes: there is no encoder to disconnect"));
    }
    answer(&control, &base, producer.scope(), &entry, true).await
}

/// Which key is to be replaced, and by what.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKey {
    /// Of which leg; `primary` when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Leg, required = false)]
    leg: Option<Leg>,
    /// The new key, where somebody wants to choose it; a random one when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 8, max_length = 128, pattern = "^[A-Za-z0-9_-]{8,128}$")]
    key: Option<String>,
}

/// Replaces a stream key.
///
/// The old one opens nothing from now on, and a session that came in with it is cut. 409 when a chosen key is taken.
#[utoipa::path(
    post, path = "/live/{id}/rotate-key", tag = "live", operation_id = "rotateKey", params(("id" = String, Path)),
    request_body = Option<RotateKey>,
    responses(
        (status = 200, description = "As it is now.", body = LiveView, headers(("etag" = String, description = "Its version and where it stands."))),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) async fn rotate_key(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
    OptionalJson(wanted): OptionalJson<RotateKey>,
) -> Result<Response, Problem> {
    find(&control, producer.scope(), &id).await?;
    let (keys, caller) = (control.catalog().stream_keys(), producer.caller());
    let leg = wanted.leg.unwrap_or(Leg::Primary).into();
    match wanted.key {
        None => drop(keys.rotate(&caller, &id, leg).await?),
        Some(key) => keys.set(&caller, &id, leg, Secret::new(key)).await?,
    }
    control.directory().recheck(Some(id.as_str())).await;
    let entry = find(&control, producer.scope(), &id).await?;
    answer(&control, &base, producer.scope(), &entry, true).await
}
