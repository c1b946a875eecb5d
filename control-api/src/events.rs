//! Events as they happen: server-sent events (WHATWG HTML §9.2), which go on where a reader left off.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use catalog::events::{Kind, Subscription};
use catalog::{Catalog, Change, Changes, Event, Scope, TokenId, changes};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use media::WallTime;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, interval_at};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::check::Check;
use crate::control::Control;
use crate::problem::{self, Problem};
use crate::query::Query;
use crate::roles::Viewer;
use crate::subscribers::Place;

/// Comes first: after how many milliseconds to connect again.
const BEGINNING: &str = "retry: 1000\n\n";
/// Comes next where something may be missing.
const RESET: &str = "event: reset\ndata: {\"type\":\"reset\"}\n\n";
const BEAT: &str = ": still here\n\n";
/// Longest id of an entry, in characters.
const ENTRY: usize = 64;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Go on after this event; 0 is everything that is kept. The header `Last-Event-ID` wins.
    #[param(minimum = 0)]
    last_event_id: Option<u64>,
    /// Of this entry only.
    #[param(max_length = 64)]
    entry: Option<String>,
    /// Of this kind only, as in `publish.started`.
    #[param(max_length = 64, example = "publish.started")]
    kind: Option<String>,
}

/// Follows events as they happen.
///
/// Server-sent events: each has an `id`, its kind as `event`, and as `data` the JSON that webhooks are sent: `type`,
/// `timestamp` and `data`. Whoever connects again with `Last-Event-ID`, as browsers do, is told what he missed. An event
/// `reset` comes first where that is not kept any more: read anew what you keep. The stream ends when the token does, and
/// for readers who are too slow.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "followEvents",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event.", max_length = 20)),
    responses((status = 200, description = "Events, without an end.", body = String, content_type = "text/event-stream"))
)]
async fn follow(
    viewer: Viewer,
    State(control): State<Control>,
    headers: HeaderMap,
    Query(query): Query<EventQuery>,
) -> Result<Response, Problem> {
    let filter = query.filter()?;
    let after = last(&headers).or(query.last_event_id);
    let place = control.subscribers().enter(&viewer.token().id).ok_or_else(full)?;
    let catalog = control.catalog().clone();
    let events = catalog.events().subscribe(viewer.scope().clone(), after);
    let heartbeat = control.settings().heartbeat;
    let feed = Feed {
        beginning: Some(events.reset),
        events,
        filter,
        changes: Some(catalog.changes()),
        token: viewer.token().id.clone(),
        beats: interval_at(Instant::now() + heartbeat, heartbeat),
        catalog,
        _place: place,
    };
    let pieces = stream::unfold(feed, async |mut feed| {
        let piece = feed.next().await?;
        Some((Ok::<Bytes, Infallible>(piece), feed))
    });
    Ok((headers_of_a_feed(), Body::from_stream(pieces)).into_response())
}

fn headers_of_a_feed() -> [(HeaderName, &'static str); 3] {
    // The last one is for nginx, which otherwise gathers what should go out at once.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), (unbuffered, "no")]
}

fn full() -> Problem {
    Problem::new(problem::Kind::TooMany, "too many follow the events already, with this token or at all")
        .after(15)
}

/// The id in the header. One that we cannot have given is after everything: its reader is told to read anew.
fn last(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get("last-event-id")?;
    Some(value.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX))
}

#[derive(Debug)]
struct Filter {
    entry: Option<String>,
    kind: Option<Kind>,
}

impl EventQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let mut check = Check::default();
        if let Some(entry) = &self.entry {
            check.text("entry", entry, ENTRY);
        }
        let kind = self.kind.as_deref().map(Kind::parse);
        check.ensure(kind != Some(None), "kind", || "is no kind of event".to_owned());
        check.done().map(|()| Filter { entry: self.entry.clone(), kind: kind.flatten() })
    }
}

impl Filter {
    fn admits(&self, event: &Event) -> bool {
        let entry = self.entry.as_ref().is_none_or(|entry| event.entry.as_ref() == Some(entry));
        entry && self.kind.is_none_or(|kind| event.kind == kind)
    }
}

/// What one reader is sent.
struct Feed {
    /// At first: whether something may be missing.
    beginning: Option<bool>,
    events: Subscription,
    filter: Filter,
    changes: Option<Changes>,
    token: TokenId,
    beats: Interval,
    catalog: Catalog,
    _place: Place,
}

impl Feed {
    /// The next piece; `None` when the reader is too slow, the token is good no more, or the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(reset) = self.beginning.take() {
            return Some(if reset {
                [BEGINNING, RESET].concat().into()
            } else {
                Bytes::from_static(BEGINNING.as_bytes())
            });
        }
        loop {
            tokio::select! {
                event = self.events.next() => {
                    let event = event.ok()?;
                    if self.filter.admits(&event) {
                        return Some(piece(&event));
                    }
                }
                _ = self.beats.tick() => {
                    return self.is_good().await.then(|| Bytes::from_static(BEAT.as_bytes()));
                }
                change = changed(&mut self.changes) => {
                    if change.is_none_or(|it| it.kind == changes::Kind::Token) && !self.is_good().await {
                        return None;
                    }
                }
            }
        }
    }

    /// Whether the token still opens something. A database that is away ends nobody's stream.
    async fn is_good(&self) -> bool {
        match self.catalog.tokens().get(&Scope::All, &self.token).await {
            Ok(token) => {
                let now = WallTime::from(SystemTime::now());
                token.revoked.is_none() && token.expires.is_none_or(|end| now < end)
            }
            Err(error) => error.is_retryable(),
        }
    }
}

/// The JSON has no line break in it.
fn piece(event: &Arc<Event>) -> Bytes {
    format!("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.kind, event.payload()).into()
}

/// The next change; `None` when some were missed. Waits for ever when the catalog tells no more.
async fn changed(changes: &mut Option<Changes>) -> Option<Change> {
    if let Some(listener) = changes {
        match listener.recv().await {
            Ok(change) => return Some(change),
            Err(RecvError::Lagged(_)) => return None,
            Err(RecvError::Closed) => *changes = None,
        }
    }
    std::future::pending().await
}
