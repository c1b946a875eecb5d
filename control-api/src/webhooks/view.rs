//! Webhooks and deliveries as they are shown.

use catalog::deliveries::Delivery;
use catalog::events::Kind;
use catalog::{Scope, Secret};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::check::Check;
use crate::times;

/// A webhook, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// Its id.
    #[schema(example = "whk_k3x9p2ab")]
    id: String,
    /// Whose events it is sent; `null` is everybody's.
    #[schema(required)]
    account: Option<String>,
    /// Where they are sent.
    url: String,
    /// What it is for.
    description: String,
    /// Which kinds of events; empty is all of them.
    #[schema(value_type = Vec<EventKind>)]
    kinds: Vec<&'static str>,
    /// Whether events are sent.
    enabled: bool,
    /// Why the server disabled it; `null` when it did not.
    #[schema(required)]
    disabled_reason: Option<String>,
    /// Since when nothing was delivered; `null` while all is well.
    #[schema(required, format = DateTime)]
    failing_since: Option<String>,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// A webhook with a new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedWebhook)]
pub(super) struct SignedView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// What its calls are signed with: the text of a Standard Webhooks secret. It is shown here and never again.
    #[schema(example = "whsec_…")]
    secret: String,
}

/// An event on its way to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    /// Its id, which the receiver sees as `webhook-id`: the same at each try.
    #[schema(example = "dlv_k3x9p2ab")]
    id: String,
    /// Which event; `null` of a test.
    #[schema(required)]
    event: Option<u64>,
    /// Of what kind.
    #[schema(value_type = EventKind)]
    kind: &'static str,
    /// What is sent.
    #[schema(value_type = Object)]
    payload: Option<Box<RawValue>>,
    /// How far it is.
    state: super::deliveries::DeliveryState,
    /// How often it was tried since it was queued.
    attempts: u32,
    /// When it is tried next, while it waits.
    #[schema(required, format = DateTime)]
    next_try: Option<String>,
    /// The HTTP status of the last answer.
    #[schema(required)]
    status: Option<u16>,
    /// Why the last try failed.
    #[schema(required)]
    error: Option<String>,
    /// How the body of the last answer began.
    #[schema(required)]
    answer: Option<String>,
    /// When it was queued first.
    #[schema(format = DateTime)]
    created: String,
    /// When it was over.
    #[schema(required, format = DateTime)]
    finished: Option<String>,
}

/// A kind of event.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = r"^[a-z]+\.[a-z]+$", example = "publish.started")]
#[allow(dead_code, reason = "for the document alone")]
pub(super) struct EventKind(String);

impl WebhookView {
    pub(super) fn new(webhook: &catalog::webhooks::Webhook) -> WebhookView {
        let details = &webhook.details;
        WebhookView {
            id: webhook.id.to_string(),
            account: match &webhook.scope {
                Scope::Account(account) => Some(account.to_string()),
                Scope::All => None,
            },
            url: details.url.clone(),
            description: details.description.clone(),
            kinds: details.kinds.iter().map(|kind| kind.as_str()).collect(),
            enabled: details.enabled,
            disabled_reason: webhook.disabled_reason.clone(),
            failing_since: times::show(webhook.failing_since),
            created: webhook.created.to_string(),
            updated: webhook.updated.to_string(),
            version: webhook.version,
        }
    }
}

impl SignedView {
    pub(super) fn new(webhook: &catalog::webhooks::Webhook, secret: &Secret) -> SignedView {
        SignedView { webhook: WebhookView::new(webhook), secret: secret.expose().to_owned() }
    }
}

impl DeliveryView {
    pub(super) fn new(delivery: Delivery) -> DeliveryView {
        DeliveryView {
            id: delivery.id.to_string(),
            event: delivery.event,
            kind: delivery.kind.as_str(),
            payload: RawValue::from_string(delivery.payload).ok(),
            state: delivery.state.into(),
            attempts: delivery.attempts,
            next_try: times::show(delivery.next_try),
            status: delivery.status,
            error: delivery.error,
            answer: delivery.excerpt,
            created: delivery.created.to_string(),
            finished: times::show(delivery.finished),
        }
    }
}

/// Kinds of events by their words, or what is wrong with them.
pub(super) fn kinds(words: &[String], check: &mut Check) -> Vec<Kind> {
    let read = |(at, word): (usize, &String)| {
        let kind = Kind::parse(word);
        check.ensure(kind.is_some(), &format!("kinds[{at}]"), || "is no kind of event".to_owned());
        kind
    };
    words.iter().enumerate().filter_map(read).collect()
}
