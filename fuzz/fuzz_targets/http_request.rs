//! Any method, target and headers that HTTP can carry, against a stream that is live.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId, WallTime};
use origin::{Settings, router};
use packager::{Now, Numbers, Packager};
use stream::{Air, Found, NoStorage, Source, View, Viewer};
use tower::ServiceExt;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: u8,
    /// Below the entry, or anywhere.
    below: bool,
    target: &'a str,
    headers: Vec<(u8, &'a [u8])>,
}

/// The headers that mean something here.
const HEADERS: [&str; 7] = [
    "range",
    "if-range",
    "if-none-match",
    "accept-encoding",
    "origin",
    "access-control-request-method",
    "if-modified-since",
];

struct One(Arc<View>);

impl Source for One {
    fn find(&self, entry: &str, session: Option<u64>, _: Viewer) -> Found {
        let here = entry == "demo" && session.is_none_or(|id| id == self.0.presentation.session.id);
        if here { Found::View(self.0.clone()) } else { Found::Unknown }
    }
}

static ROUTER: LazyLock<Router> =
    LazyLock::new(|| router(&Settings::default(), Arc::new(One(view())), Arc::new(NoStorage)));

fuzz_target!(|input: Input<'_>| {
    let target = if input.below { format!("/play/demo/{}", input.target) } else { input.target.to_owned() };
    let Ok(uri) = target.parse::<Uri>() else { return };
    let method = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::TRACE];
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    *request.method_mut() = method[usize::from(input.method) % method.len()].clone();
    for (name, value) in input.headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            let name = HEADERS[usize::from(name) % HEADERS.len()];
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    let answer = ROUTER.clone().oneshot(request).now_or_never().expect("nothing is waited for");
    let answer = answer.expect("infallible");
    let status = answer.status().as_u16();
    assert!([200, 204, 206, 304, 400, 404, 405, 410, 416].contains(&status), "{status}");
    let body = answer.into_body().collect().now_or_never().expect("it is there").expect("whole");
    assert!(body.to_bytes().len() < 1 << 20);
});

/// Eleven seconds of pictures.
fn view() -> Arc<View> {
    let base = Instant::now();
    let start = WallTime::from_millis(1_795_309_432_000);
    let mut packager = Packager::new(Arc::default(), Numbers::unknown(start), false);
    let avc = Avc::parse(Bytes::from_static(fuzz::peer::AVC_RECORD)).expect("valid");
    let track = Track::new(Codec::Avc(avc), Timescale::MILLIS);
    packager.announce(true, false);
    packager.track(TrackId::VIDEO, track);
    for frame in 0..275i64 {
        let now = Now { instant: base + Duration::from_millis(frame as u64 * 40), wall: start };
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        let data = vec![frame as u8; 100].into();
        let sample = Sample { dts: frame * 40, composition_offset: 0, duration: 0, sync, data };
        packager.push(TrackId::VIDEO, sample, now);
    }
    Arc::new(View::new(Arc::new(packager.presentation().expect("segments").clone()), Air::Live, None))
}
