//! Webhooks: addresses that events are sent to.

mod deliveries;
mod view;

use axum::extract::State;
use axum::response::Response;
use catalog::webhooks::{DESCRIPTION, Details, URL};
use catalog::{Caller, Scope, WebhookId};
use http::{StatusCode, Uri};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{self, Created};
use crate::body::{Json, clearable, given};
use crate::check::Check;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::id::{self, Id};
use crate::idempotency::Repeatable;
use crate::page::{self, Listed, PageQuery};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::Admin;
use view::{SignedView, WebhookView};

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(rotate_secret))
        .merge(deliveries::router())
}

/// What a webhook is created from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// Where events are sent: `http` or `https`, without user, password and fragment. Private addresses are not called
    /// unless the server is configured so.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = r"^https?://(([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)*[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))(:([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(/[A-Za-z0-9._~%!$&()*+,;=:@-]*)*(\?[A-Za-z0-9._~%!$&()*+,;=:@/?-]*)?$",
        example = "https://example.org/hooks/headwater"
    )]
    url: String,
    /// What it is for.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 1000, pattern = r"^[^\u0000]*$")]
    description: Option<Option<String>>,
    /// Which kinds of events; all of them when left out or empty.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<view::EventKind>>, max_items = 50)]
    kinds: Option<Option<Vec<String>>>,
    /// Whose events: for tokens of the whole server, where `null` is everybody's. The token's own account otherwise.
    account: Option<String>,
    /// Whether events are sent; they are when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// What of a webhook is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookPatch {
    /// Where events are sent.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2000, pattern = r"^https?://(([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)*[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))(:([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(/[A-Za-z0-9._~%!$&()*+,;=:@-]*)*(\?[A-Za-z0-9._~%!$&()*+,;=:@/?-]*)?$")]
    url: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 1000, pattern = r"^[^\u0000]*$")]
    description: Option<Option<String>>,
    /// Which kinds of events; `null` or empty is all of them.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<view::EventKind>>, max_items = 50)]
    kinds: Option<Option<Vec<String>>>,
    /// Whether events are sent. What waits when this becomes false is given up; what happens while it is false is not
    /// sent later.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// Lists webhooks, by id.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks", operation_id = "listWebhooks", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Listed<WebhookView>))
)]
async fn list(
    admin: Admin,
    State(control): State<Control>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = control.catalog().webhooks().list(admin.scope(), &query.paging()?).await?;
    Ok(page::answer(page, &uri, |webhook| WebhookView::new(&webhook)))
}

/// Creates a webhook.
///
/// From then on each event that it asks for is sent to its URL by POST, signed as Standard Webhooks says
/// (`webhook-id`, `webhook-timestamp`, `webhook-signature`). The secret is in the answer and never shown again. Answer a
/// call with 2xx; it is made again ever more rarely otherwise. Sent again with the same `Idempotency-Key`, the answer is
/// 409 with the webhook's id.
#[utoipa::path(
    post, path = "/webhooks", tag = "webhooks", operation_id = "createWebhook", request_body = NewWebhook,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Created.", body = SignedView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    admin: Admin,
    State(control): State<Control>,
    repeatable: Repeatable,
    Json { value: new, digest }: Json<NewWebhook>,
) -> Result<Created, Problem> {
    let (scope, details) = new.checked(admin.scope())?;
    let work = async |caller: Caller| {
        let (webhook, secret) = control.catalog().webhooks().create(&caller, scope, details).await?;
        let location = format!("/api/v1/webhooks/{}", webhook.id);
        Ok(Created::new(location, Some(tag(webhook.version, None)), &SignedView::new(&webhook, &secret)))
    };
    let again = async |id: String| {
        Err(Problem::conflict(format!("this was done: the webhook is {id}, and its secret was shown once")))
    };
    repeatable.once(control.catalog(), admin.token(), &digest, false, work, again).await
}

/// Shows a webhook.
#[utoipa::path(
    get, path = "/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook",
    params(("id" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The webhook.", body = WebhookView, headers(("etag" = String, description = "Its version."))), (status = 304, description = "Nothing has changed."))
)]
async fn get(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<WebhookId>,
) -> Result<Response, Problem> {
    let webhook = control.catalog().webhooks().get(admin.scope(), &id).await?;
    let state = webhook.failing_since.map(|_| "failing");
    Ok(answer::found(&WebhookView::new(&webhook), tag(webhook.version, state), &conditions))
}

/// Changes a webhook.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears.
#[utoipa::path(
    patch, path = "/webhooks/{id}", tag = "webhooks", operation_id = "updateWebhook",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = WebhookPatch,
    responses((status = 200, description = "The webhook.", body = WebhookView, headers(("etag" = String, description = "Its version."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<WebhookId>,
    Json { value: patch, .. }: Json<WebhookPatch>,
) -> Result<Response, Problem> {
    let webhooks = control.catalog().webhooks();
    let old = webhooks.get(admin.scope(), &id).await?;
    conditions.expected(old.version)?;
    let mut details = old.details;
    patch.apply(&mut details)?;
    let new = webhooks.update(&admin.caller(), &id, Some(old.version), |it| *it = details).await?;
    Ok(answer::changed(&WebhookView::new(&new), tag(new.version, None)))
}

/// Deletes a webhook, with what waits for it and what is remembered of it.
#[utoipa::path(
    delete, path = "/webhooks/{id}", tag = "webhooks", operation_id = "deleteWebhook",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses((status = 204, description = "It is gone."), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn delete(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode, Problem> {
    let webhooks = control.catalog().webhooks();
    let old = webhooks.get(admin.scope(), &id).await?;
    let expected = conditions.expected(old.version)?;
    webhooks.delete(&admin.caller(), &id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a webhook's secret.
///
/// The new one is in the answer and never shown again. For a day calls are signed with both.
#[utoipa::path(
    post, path = "/webhooks/{id}/rotate-secret", tag = "webhooks", operation_id = "rotateWebhookSecret",
    params(("id" = String, Path)),
    responses((status = 200, description = "The webhook with its new secret.", body = SignedView, headers(("etag" = String, description = "Its version."))))
)]
async fn rotate_secret(
    admin: Admin,
    State(control): State<Control>,
    Id(id): Id<WebhookId>,
) -> Result<Response, Problem> {
    let (webhook, secret) = control.catalog().webhooks().rotate(&admin.caller(), &id).await?;
    Ok(answer::changed(&SignedView::new(&webhook, &secret), tag(webhook.version, None)))
}

impl NewWebhook {
    /// Whose events, and what is stored; or everything that is wrong with it.
    fn checked(self, scope: &Scope) -> Result<(Scope, Details), Problem> {
        let NewWebhook { url, description, kinds, account, enabled } = self;
        let mut details =
            Details { url: String::new(), description: String::new(), kinds: Vec::new(), enabled: true };
        WebhookPatch { url: Some(url), description, kinds, enabled }.apply(&mut details)?;
        let scope = match account {
            None => scope.clone(),
            Some(account) => Scope::Account(id::account(&account, scope)?),
        };
        Ok((scope, details))
    }
}

impl WebhookPatch {
    fn apply(self, details: &mut Details) -> Result<(), Problem> {
        let mut check = Check::default();
        if let Some(url) = self.url {
            check.named("url", &url, URL);
            details.url = url;
        }
        if let Some(description) = self.description {
            details.description = description.unwrap_or_default();
            check.text("description", &details.description, DESCRIPTION);
        }
        if let Some(kinds) = self.kinds {
            details.kinds = view::kinds(&kinds.unwrap_or_default(), &mut check);
        }
        details.enabled = self.enabled.unwrap_or(details.enabled);
        check.done()
    }
}
