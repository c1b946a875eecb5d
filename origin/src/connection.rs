//! One connection, from its first byte to its last: HTTP/1.1, or HTTP/2 by ALPN or with prior knowledge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::header::CONTENT_LENGTH;
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use stream::isolated;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::activity::{Activity, Running, Watched};
use crate::framed::Gathered;
use crate::gate;
use crate::guard::{Admitted, Guard};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::timeout::Timed;

/// Why a connection ended early.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// How a connection came.
#[derive(Clone, Copy)]
pub(crate) struct Via {
    /// Its peer; `None` where it has no address.
    pub(crate) peer: Option<SocketAddr>,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
}

impl Via {
    /// Not over a network.
    pub(crate) const PROCESS: Via = Via { peer: None, tls: false };
}

/// What all connections of a server share.
pub(crate) struct Connections {
    settings: Arc<Settings>,
    router: Router,
    metrics: Arc<Metrics>,
    guard: Arc<Guard>,
    builder: auto::Builder<Isolating>,
}

impl Connections {
    pub(crate) fn new(settings: Settings, router: Router, metrics: Metrics, guard: Guard) -> Connections {
        Connections {
            builder: builder(&settings),
            settings: Arc::new(settings),
            router,
            metrics: Arc::new(metrics),
            guard: Arc::new(guard),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Answers until the peer goes, keeps us waiting too long, or `shutdown` is cancelled and the running
    /// answers are finished or out of time.
    pub(crate) async fn serve<Io>(&self, io: Io, via: Via, shutdown: &CancellationToken) -> Result<(), Error>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let activity = Activity::new();
        let io = TokioIo::new(Timed::new(io, self.settings.clone(), activity.clone()));
        let service = service_fn(|mut request: Request<Incoming>| {
            let running = activity.request(request.version() == Version::HTTP_2);
            let admitted = self.admit(&mut request, via);
            let edge = (self.router.clone(), self.metrics.clone(), self.guard.clone());
            answer(edge, request, running, admitted)
        });
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let ended = tokio::select! {
            result = connection.as_mut() => Some(result),
            () = shutdown.cancelled() => None,
        };
        let result = match ended {
            Some(result) => result,
            None => {
                connection.as_mut().graceful_shutdown();
                timeout(self.settings.drain_timeout, connection).await.unwrap_or_else(|it| Err(it.into()))
            }
        };
        activity.given_up().map_or(result, |why| Err(why.into()))
    }

    fn admit(&self, request: &mut Request<Incoming>, via: Via) -> Result<Admitted, Problem> {
        let Via { peer, tls } = via;
        let admitted = match gate::refuse(request, self.settings.max_target_bytes) {
            Some(problem) => Err(problem),
            None => self.guard.admit(request, peer.map(|peer| peer.ip())),
        };
        // For routers that are merged with ours and want to know whom they answer.
        if let Some(peer) = peer.filter(|_| !request.uri().path().starts_with("/play/")) {
            let client = self.guard.client(request, peer);
            request.extensions_mut().insert(client);
            if tls {
                request.extensions_mut().insert(Scheme::HTTPS);
            }
        }
        // Who asks for what is not there is told so like anybody, and not mentioned.
        if let Err(problem) = admitted.as_ref()
            && *problem != Problem::NoSuchPath
        {
            let client = peer.map(|peer| self.guard.client(request, peer));
            self.metrics.refusals.note(client, problem.word(), problem);
        }
        admitted
    }
}

fn builder(settings: &Settings) -> auto::Builder<Isolating> {
    let mut builder = auto::Builder::new(Isolating);
    builder
        .http1()
        .max_headers(settings.max_headers)
        .max_buf_size((settings.max_header_bytes as usize).max(8192))
        // Pieces go out as they are, in vectored writes.
        .writev(true);
    builder
        .http2()
        .max_concurrent_streams(settings.max_streams)
        .max_pending_accept_reset_streams(settings.max_resets)
        .max_local_error_reset_streams(settings.max_resets)
        // With it comes a limit of CONTINUATION frames (CVE-2024-27316).
        .max_header_list_size(settings.max_header_bytes)
        .initial_stream_window_size(settings.stream_window)
        .initial_connection_window_size(settings.connection_window)
        .max_send_buf_size(settings.stream_buffer);
    builder
}

/// Runs the streams of an HTTP/2 connection: a panic ends its own and no other.
#[derive(Clone)]
struct Isolating;

impl<F> Executor<F> for Isolating
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(isolated("HTTP/2 stream", "a connection", stream));
    }
}

async fn answer(
    (mut router, metrics, guard): (Router, Arc<Metrics>, Arc<Guard>),
    request: Request<Incoming>,
    running: Running,
    admitted: Result<Admitted, Problem>,
) -> Result<Response<Watched>, Infallible> {
    let (uri, framed) = (request.uri().clone(), request.version() == Version::HTTP_2);
    let mut response = match admitted {
        Err(problem) => problem.into_response(),
        Ok(admitted) => {
            let response = router.call(request.map(Body::new)).await?;
            guard.count(admitted, uri.path(), response.status());
            response
        }
    };
    if response.status() == StatusCode::NOT_MODIFIED {
        // It would have to be the length of what is not sent (RFC 9110 §8.6); the router thinks of zero.
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    let bytes = metrics.answered(uri.path(), &response);
    let body = |body| if framed { Body::new(Gathered::new(body)) } else { body };
    Ok(response.map(|it| running.watch(body(it), bytes)))
}
