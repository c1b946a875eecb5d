//! What was sent to a webhook, or waits; a test call, and sending again.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use catalog::{DeliveryId, WebhookId};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::DeliveryView;
use crate::control::Control;
use crate::id::Id;
use crate::page::{self, Listed};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::Admin;

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(test))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(redeliver))
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeliveryState {
    /// It waits for its turn, its first or another one.
    Queued,
    /// It was taken.
    Delivered,
    /// It was given up.
    Dead,
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveryQuery {
    /// As far as this only.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// At most so many items.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 4096)]
    cursor: Option<String>,
}

/// Sends a test event to a webhook, now.
///
/// The answer is the delivery, which the call follows at once; its own URL says what came of it. 409 when the webhook is
/// disabled.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", tag = "webhooks", operation_id = "testWebhook", params(("id" = String, Path)),
    responses(
        (status = 202, description = "It is on its way.", body = DeliveryView, headers(("location" = String, description = "Where it is."))),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn test(
    admin: Admin,
    State(control): State<Control>,
    Id(id): Id<WebhookId>,
) -> Result<Response, Problem> {
    let delivery = control.catalog().webhooks().test(&admin.caller(), &id).await?;
    Ok(on_its_way(delivery))
}

/// Lists what was sent to a webhook, or waits: the latest first.
#[utoipa::path(
    get, path = "/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    params(("id" = String, Path), DeliveryQuery),
    responses((status = 200, description = "A page of them.", body = Listed<DeliveryView>))
)]
async fn list(
    admin: Admin,
    State(control): State<Control>,
    uri: Uri,
    Id(id): Id<WebhookId>,
    Query(query): Query<DeliveryQuery>,
) -> Result<Response, Problem> {
    let (state, paging) = (query.state.map(Into::into), page::paging(query.limit, query.cursor)?);
    let page = control.catalog().webhooks().deliveries(admin.scope(), &id, state, &paging).await?;
    Ok(page::answer(page, &uri, DeliveryView::new))
}

/// Shows what was sent, and what came of it.
#[utoipa::path(
    get, path = "/webhooks/{id}/deliveries/{delivery}", tag = "webhooks", operation_id = "getDelivery",
    params(("id" = String, Path), ("delivery" = String, Path)),
    responses((status = 200, description = "The delivery.", body = DeliveryView))
)]
async fn get(
    admin: Admin,
    State(control): State<Control>,
    Path(path): Path<(String, String)>,
) -> Result<Json<DeliveryView>, Problem> {
    let (id, delivery) = ids(&path)?;
    let delivery = control.catalog().webhooks().delivery(admin.scope(), &id, &delivery).await?;
    Ok(Json(DeliveryView::new(delivery)))
}

/// Sends something again, now: what is over as if it were new, what waits before its turn.
///
/// The receiver sees the same `webhook-id`. 409 when the webhook is disabled.
#[utoipa::path(
    post, path = "/webhooks/{id}/deliveries/{delivery}/redeliver", tag = "webhooks", operation_id = "redeliver",
    params(("id" = String, Path), ("delivery" = String, Path)),
    responses(
        (status = 202, description = "It is on its way.", body = DeliveryView, headers(("location" = String, description = "Where it is."))),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn redeliver(
    admin: Admin,
    State(control): State<Control>,
    Path(path): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (id, delivery) = ids(&path)?;
    let delivery = control.catalog().webhooks().redeliver(&admin.caller(), &id, &delivery).await?;
    Ok(on_its_way(delivery))
}

fn ids((webhook, delivery): &(String, String)) -> Result<(WebhookId, DeliveryId), Problem> {
    let webhook = WebhookId::parse(webhook).ok_or_else(|| Problem::not_found("webhook"))?;
    let delivery = DeliveryId::parse(delivery).ok_or_else(|| Problem::not_found("delivery"))?;
    Ok((webhook, delivery))
}

fn on_its_way(delivery: catalog::deliveries::Delivery) -> Response {
    let location = format!("/api/v1/webhooks/{}/deliveries/{}", delivery.webhook, delivery.id);
    (StatusCode::ACCEPTED, [(http::header::LOCATION, location)], Json(DeliveryView::new(delivery)))
        .into_response()
}

impl From<DeliveryState> for catalog::deliveries::State {
    fn from(state: DeliveryState) -> catalog::deliveries::State {
        match state {
            DeliveryState::Queued => catalog::deliveries::State::Queued,
            DeliveryState::Delivered => catalog::deliveries::State::Delivered,
            DeliveryState::Dead => catalog::deliveries::State::Dead,
        }
    }
}

impl From<catalog::deliveries::State> for DeliveryState {
    fn from(state: catalog::deliveries::State) -> DeliveryState {
        match state {
            catalog::deliveries::State::Queued => DeliveryState::Queued,
            catalog::deliveries::State::Delivered => DeliveryState::Delivered,
            catalog::deliveries::State::Dead => DeliveryState::Dead,
        }
    }
}
