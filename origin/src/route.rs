//! From a request to an answer.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::FutureExt;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, Method, Uri};
use packager::manifest::hls::Reload;
use packager::manifest::{Options, dash, hls};
use packager::names::{Resource, Ts};
use stream::{Found, Source, Storage, View, Viewer};
use tokio::time::timeout;

use crate::blocking::{Bell, Blocking, Look};
use crate::cache_control::Class;
use crate::download::Downloads;
use crate::freshness::Freshness;
use crate::immutable::Immutable;
use crate::loading::Loading;
use crate::manifest::{Key, Renderings, Which};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::target::{Directives, Query};
use crate::ts::Muxed;
use crate::{answer, cors, download, fetch, growing, hint, lookup, still, target};

/// The playback plane: `/play/ENTRY/…`. Other routers may be merged with it; it has no fallback of its own.
/// Segments that left memory are read from `storage`.
pub fn router(settings: &Settings, source: Arc<dyn Source>, storage: Arc<dyn Storage>) -> Router {
    counted(settings, source, storage, &Metrics::default())
}

/// The same, counting in `metrics` who waits, and what is read.
pub(crate) fn counted(
    settings: &Settings,
    source: Arc<dyn Source>,
    storage: Arc<dyn Storage>,
    metrics: &Metrics,
) -> Router {
    let origin = Arc::new(Origin::new(settings, source, storage, metrics));
    Router::new().route("/play/{*below}", any(play)).with_state(origin)
}

async fn play(State(origin): State<Arc<Origin>>, request: Request) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD => {
            let viewer = request.extensions().get().copied().unwrap_or(Viewer::Public);
            let ready = origin.ready(request.uri(), viewer).await;
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            let answer = match (ready, target::parse(uri.path())) {
                (Err(problem), _) => Err(problem),
                (Ok(()), Ok((entry, Resource::Ts(name)))) => {
                    origin.ts(entry, name, method, uri, headers, viewer).await
                }
                (Ok(()), Ok((entry, Resource::Picture(picture)))) => {
                    let stills = still::maker(request.extensions());
                    origin.picture(&still::Asked { entry, picture, viewer, uri, headers, stills }).await
                }
                (Ok(()), Ok((entry, Resource::Download))) => {
                    origin.download(&download::Asked { entry, viewer, method, uri, headers }).await
                }
                (Ok(()), Ok((entry, resource))) if fetch::is_media(&resource) => {
                    origin.fetch(&fetch::Asked { entry, viewer, method, headers }, &resource).await
                }
                (Ok(()), _) => origin.answer(uri, headers, viewer),
            };
            let mut response = answer.unwrap_or_else(Problem::into_response);
            if viewer == Viewer::Producer {
                response.headers_mut().insert(CACHE_CONTROL, Class::Producer.cache_control());
            }
            response
        }
        Method::OPTIONS => cors::preflight(),
        _ => Problem::Method.into_response(),
    }
}

pub(crate) struct Origin {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) renderings: Renderings,
    pub(crate) muxed: Muxed,
    pub(crate) loading: Loading,
    pub(crate) downloads: Downloads,
    read_patience: Duration,
    freshness: Freshness,
    blocking: Blocking,
    pub(crate) start_hold: Duration,
}

/// Of what a manifest is asked for, and by whom.
pub(crate) struct Wanted<'a> {
    pub(crate) entry: &'a str,
    pub(crate) query: Query,
    pub(crate) viewer: Viewer,
}

impl Origin {
    fn new(
        settings: &Settings,
        source: Arc<dyn Source>,
        storage: Arc<dyn Storage>,
        metrics: &Metrics,
    ) -> Origin {
        let freshness = Freshness::new(settings.max_tracked_entries);
        let blocking = Blocking::new(settings.max_waiting, metrics.blocked.clone());
        let (start_hold, read_patience) = (settings.start_hold, settings.read_patience);
        let downloads = Downloads::new(settings, storage.clone());
        let loading = Loading::new(settings, storage, &metrics.loads);
        let (renderings, muxed) = (Renderings::new(settings), Muxed::new(settings));
        Origin {
            source,
            renderings,
            muxed,
            loading,
            downloads,
            read_patience,
            freshness,
            blocking,
            start_hold,
        }
    }

    /// Waits for what a request may wait for.
    async fn ready(&self, uri: &Uri, viewer: Viewer) -> Result<(), Problem> {
        self.prepare(uri).await;
        self.await_start(uri, viewer).await;
        self.await_smooth(uri, viewer).await;
        self.await_first_part(uri, viewer).await;
        self.await_more(uri, viewer).await
    }

    /// What is stored of an entry may have to be looked up.
    async fn prepare(&self, uri: &Uri) {
        let Ok((entry, resource)) = target::parse(uri.path()) else { return };
        let named = target::query(uri.query()).ok().and_then(|query| query.session);
        let session = resource.session().or(named);
        let mut prepared = self.source.prepare_for(entry, session, &resource);
        if (&mut prepared).now_or_never().is_none() {
            // Found or not, the answer says.
            let _ = timeout(self.read_patience, prepared).await;
        }
    }

    /// A manifest of a stream that is starting is waited for: most players give up after a few refusals.
    async fn await_start(&self, uri: &Uri, viewer: Viewer) {
        let manifests = |resource: &Resource| {
            matches!(resource, Resource::Multivariant | Resource::Mpd | Resource::Playlist { .. })
                || matches!(resource, Resource::Ts(Ts::Multivariant | Ts::Playlist { .. }))
                || *resource == Resource::Smooth
        };
        if let Ok((entry, resource)) = target::parse(uri.path())
            && manifests(&resource)
            && let Ok(Query { session, .. }) = self.query(entry, uri, viewer)
            && let Found::Starting = self.source.find(entry, session, viewer)
        {
            // Started or not, the answer says.
            let _ = timeout(self.start_hold, self.source.started(entry, session, viewer)).await;
        }
    }

    /// Nor is a segment refused that begins within a part.
    async fn await_first_part(&self, uri: &Uri, viewer: Viewer) {
        if let Ok((entry, resource)) = target::parse(uri.path()) {
            growing::await_first_part(&*self.source, entry, viewer, &resource).await;
        }
    }

    /// What a request names and is about to come is waited for (RFC 8216bis §6.2.5.2, §6.2.6).
    async fn await_more(&self, uri: &Uri, viewer: Viewer) -> Result<(), Problem> {
        let (entry, resource) = target::parse(uri.path())?;
        match &resource {
            Resource::Playlist { rendition } => {
                let Some(asked) = target::directives(uri.query())?.reload else { return Ok(()) };
                let wanted = self.wanted(entry, uri, true, viewer)?;
                self.await_listed(&wanted, rendition, asked).await
            }
            Resource::Part { rendition, .. } => {
                let bell = Bell { source: &*self.source, entry, session: None, viewer, rendition };
                let look = |again| hint::look(&self.source.sessions(entry, viewer), &resource, again);
                self.blocking.until(bell, look).await
            }
            _ => Ok(()),
        }
    }

    async fn await_listed(
        &self,
        wanted: &Wanted<'_>,
        rendition: &str,
        asked: hls::Directives,
    ) -> Result<(), Problem> {
        let Wanted { entry, query, viewer } = *wanted;
        let bell = Bell { source: &*self.source, entry, session: query.session, viewer, rendition };
        let look = |_| self.look(wanted, rendition, asked).unwrap_or_else(|problem| Look::Done(Err(problem)));
        self.blocking.until(bell, look).await
    }

    /// Whether a playlist lists what it has to.
    fn look(&self, wanted: &Wanted<'_>, name: &str, asked: hls::Directives) -> Result<Look, Problem> {
        let view = self.view(wanted)?;
        let (rendition, version) = view.rendition(name).ok_or(Problem::NoSuchRendition)?;
        let target_duration = view.presentation.session.target_duration;
        match hls::reload(rendition, wanted.query.options.low_latency, asked) {
            Reload::Ready => Ok(Look::Done(Ok(()))),
            Reload::Wait => Ok(Look::Wait { version, target_duration }),
            Reload::TooFar => Err(Problem::TooFarAhead),
        }
    }

    /// Everything that can be answered at once.
    fn answer(&self, uri: &Uri, headers: &HeaderMap, viewer: Viewer) -> Result<Response, Problem> {
        let (entry, resource) = target::parse(uri.path())?;
        let wanted = || self.wanted(entry, uri, matches!(resource, Resource::Playlist { .. }), viewer);
        match resource {
            Resource::Time => Ok(answer::clock(SystemTime::now().into())),
            Resource::Multivariant => self.multivariant(&wanted()?, headers),
            Resource::Mpd => self.mpd(&wanted()?, headers),
            Resource::Playlist { ref rendition } => {
                let directives = target::directives(uri.query())?;
                self.playlist(&wanted()?, rendition, directives, headers)
            }
            Resource::Smooth => self.smooth(&wanted()?, headers),
            _ => Err(Problem::NoSuchPath),
        }
    }

    /// What a query asks for, with the timeline that it names as the session that this is.
    pub(crate) fn query(&self, entry: &str, uri: &Uri, viewer: Viewer) -> Result<Query, Problem> {
        let mut query = target::query(uri.query())?;
        if let Some(name) = target::timeline(uri.query())? {
            let session = self.source.timeline(entry, name, viewer);
            query.session = Some(session.ok_or(Problem::NoSuchTimeline)?);
        }
        Ok(query)
    }

    /// The same with its window, as the newest snapshot resolves it: however many points of time are asked for, there
    /// are no more renderings than there are pairs of segments. A `child` is asked for again and again.
    pub(crate) fn wanted<'a>(
        &self,
        entry: &'a str,
        uri: &Uri,
        child: bool,
        viewer: Viewer,
    ) -> Result<Wanted<'a>, Problem> {
        let mut wanted = Wanted { entry, query: self.query(entry, uri, viewer)?, viewer };
        if child && wanted.query.session.is_none() && wanted.query.asked.is_none() {
            wanted.query.session = self.source.newest_session(entry, viewer);
        }
        if let Some(asked) = wanted.query.asked {
            let window = self.view(&wanted)?.presentation.window(asked)?;
            wanted.query.options.window = Some(if child { window.reloaded(asked) } else { window });
        }
        Ok(wanted)
    }

    fn multivariant(&self, wanted: &Wanted<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let presentation = &view.presentation;
        let key = Key { version: view.version, which: Which::Multivariant, options: wanted.query.options };
        let rendered = self.renderings.get(key, || hls::multivariant(presentation, &key.options));
        let etag = &rendered.plain().etag;
        // Which window is asked for is no change of the body.
        let unsettled = key.options.window.is_some()
            || self.freshness.unsettled(wanted.entry, presentation.session.id, etag, Instant::now());
        let class = settled(&view).unwrap_or(Class::Multivariant { unsettled });
        Ok(answer::manifest(&rendered, answer::HLS, class, headers))
    }

    /// The media playlist. Where it has to list something it does so by now.
    fn playlist(
        &self,
        wanted: &Wanted<'_>,
        name: &str,
        directives: Directives,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let (rendition, version) = view.rendition(name).ok_or(Problem::NoSuchRendition)?;
        if rendition.last().is_none() {
            return Err(Problem::Starting);
        }
        let options = Options { skip: directives.skip, ..wanted.query.options };
        let key = Key { version, which: Which::Playlist, options };
        let rendered = self.renderings.get(key, || hls::media(&view.presentation, rendition, &key.options));
        let class = match timely(rendition.ended, &view) {
            Class::Live { target_duration } if directives.reload.is_some() => {
                Class::Awaited { target_duration }
            }
            class => class,
        };
        Ok(answer::manifest(&rendered, answer::HLS, class, headers))
    }

    fn mpd(&self, wanted: &Wanted<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let key = Key { version: view.version, which: Which::Mpd, options: wanted.query.options };
        let rendered = self.renderings.get(key, || dash::mpd(&view.presentation, &key.options));
        let class = match dash::is_low_latency(&view.presentation, &key.options) {
            true => Class::LowLatency,
            false => timely(view.presentation.ended, &view),
        };
        Ok(answer::manifest(&rendered, answer::DASH, class, headers))
    }

    /// The snapshot that a manifest is asked of, once there is something to show.
    pub(crate) fn view(&self, wanted: &Wanted<'_>) -> Result<Arc<View>, Problem> {
        match self.source.find(wanted.entry, wanted.query.session, wanted.viewer) {
            Found::View(view) if view.presentation.playable() => Ok(match &wanted.query.options.window {
                Some(window) => Arc::new(view.windowed(window)),
                None => view,
            }),
            found => Err(why_not(&found)),
        }
    }

    pub(crate) fn immutable(
        &self,
        entry: &str,
        resource: &Resource,
        viewer: Viewer,
    ) -> Result<Immutable, Problem> {
        let found = lookup::find(&self.source.sessions(entry, viewer), resource);
        found.unwrap_or_else(|| Err(self.why_no_media(entry, viewer)))
    }

    /// Why no session knows of some media.
    pub(crate) fn why_no_media(&self, entry: &str, viewer: Viewer) -> Problem {
        match self.source.find(entry, None, viewer) {
            Found::View(view) if view.presentation.playable() => Problem::NoSuchRendition,
            found => why_not(&found),
        }
    }
}

pub(crate) fn why_not(found: &Found) -> Problem {
    match found {
        Found::Unknown => Problem::UnknownEntry,
        Found::Offline => Problem::NotLive,
        Found::Starting | Found::View(_) => Problem::Starting,
    }
}

/// How long a manifest may be kept that changes while its session lasts.
pub(crate) fn timely(ended: bool, view: &View) -> Class {
    match ended {
        true if view.lasting => Class::Vod,
        true => Class::Ended,
        false => Class::Live { target_duration: view.presentation.session.target_duration },
    }
}

/// How long a manifest may be kept whose session is over.
pub(crate) fn settled(view: &View) -> Option<Class> {
    view.presentation.ended.then(|| timely(true, view))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use futures_util::future::BoxFuture;
    use media::{Kind, Timescale, WallTime};
    use packager::presentation::{Content, Period, Presentation, Record, Retention, Segment, Session};
    use stream::{Air, NoStorage};
    use tokio::sync::watch;
    use tower::ServiceExt;

    use super::*;

    struct One(Arc<View>);

    impl Source for One {
        fn find(&self, _: &str, _: Option<u64>, _: Viewer) -> Found {
            Found::View(self.0.clone())
        }
    }

    /// One rendition with one segment.
    fn view() -> Arc<View> {
        view_of(1)
    }

    /// One rendition with segments up to `last`: gaps, which are enough to be listed.
    fn view_of(last: u64) -> Arc<View> {
        let minute = Duration::from_secs(60);
        let retention = Retention { live: minute, dvr: minute, dvr_bytes: 0, max_bytes: 0 };
        let session = Session {
            id: 1,
            target_duration: 2,
            part_target: Duration::from_millis(500),
            low_latency: true,
            window: minute,
            retention,
            burnt: None,
        };
        let mut presentation = Presentation::new(Arc::new(session), WallTime::from_millis(0));
        let start = WallTime::from_millis(0);
        let period = Arc::new(Period { number: 1, discontinuity: 0, start, elapsed: Duration::ZERO });
        for number in 1..=last {
            let segment = Arc::new(Segment {
                number,
                period: period.clone(),
                start: 0,
                duration: 180_000,
                scale: Timescale::VIDEO,
                content: Content::Gap,
            });
            let record = Record::Segment { rendition: "video-1".into(), kind: Kind::Video, segment };
            presentation.apply(record, WallTime::from_millis(1));
        }
        Arc::new(View::new(Arc::new(presentation), Air::Live, None))
    }

    #[test]
    fn a_hundred_players_cost_one_rendering_of_each_manifest() {
        let origin = Origin::new(
            &Settings::default(),
            Arc::new(One(view())),
            Arc::new(NoStorage),
            &Metrics::default(),
        );
        let targets = ["/play/x/master.m3u8", "/play/x/manifest.mpd", "/play/x/video-1.m3u8"];
        let start = Barrier::new(100);
        thread::scope(|scope| {
            for player in 0..100 {
                let (origin, start) = (&origin, &start);
                scope.spawn(move || {
                    start.wait();
                    for target in targets.iter().cycle().skip(player).take(30) {
                        let (target, headers) = (Uri::from_static(target), HeaderMap::new());
                        let answer = origin.answer(&target, &headers, Viewer::Public);
                        assert_eq!(answer.expect("an answer").status(), 200);
                    }
                });
            }
        });
        assert_eq!(origin.renderings.count(), 3);
    }

    #[test]
    fn windows_cost_as_many_renderings_as_there_are_segments_to_tell_apart() {
        let origin = Origin::new(
            &Settings::default(),
            Arc::new(One(view())),
            Arc::new(NoStorage),
            &Metrics::default(),
        );
        let ask = |query: String| {
            let target: Uri = format!("/play/x/video-1.m3u8?{query}").parse().expect("a URI");
            origin.answer(&target, &HeaderMap::new(), Viewer::Public).map(|it| it.status())
        };
        for micros in 0..1000 {
            assert_eq!(ask(format!("start=0.{micros:06}")), Ok(http::StatusCode::OK));
            assert_eq!(ask(format!("start=1970-01-01T00:00:00.{micros:06}Z")), Ok(http::StatusCode::OK));
        }
        assert_eq!(origin.renderings.count(), 1);
        assert_eq!(ask("start=3".to_owned()), Err(Problem::NotYet));
        assert_eq!(ask("start=1&end=0.5".to_owned()), Err(Problem::EmptyWindow));
    }

    /// A stream that starts when it is told to.
    struct Late(watch::Receiver<Option<Arc<View>>>);

    impl Source for Late {
        fn find(&self, _: &str, _: Option<u64>, _: Viewer) -> Found {
            self.0.borrow().clone().map_or(Found::Starting, Found::View)
        }

        fn started<'a>(&'a self, _: &'a str, _: Option<u64>, _: Viewer) -> BoxFuture<'a, ()> {
            let mut view = self.0.clone();
            Box::pin(async move {
                let _ = view.wait_for(Option::is_some).await;
            })
        }
    }

    /// A source whose newest view is told to who waits.
    struct Growing(watch::Sender<Arc<View>>);

    impl Source for Growing {
        fn find(&self, _: &str, _: Option<u64>, _: Viewer) -> Found {
            Found::View(self.0.borrow().clone())
        }

        fn changed<'a>(
            &'a self,
            _: &'a str,
            _: Option<u64>,
            _: Viewer,
            name: &'a str,
            seen: u64,
        ) -> BoxFuture<'a, ()> {
            let mut view = self.0.subscribe();
            Box::pin(async move {
                let _ = view
                    .wait_for(|view| view.rendition(name).map(|(_, version)| version) != Some(seen))
                    .await;
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_who_wait_for_a_segment_cost_one_rendering() {
        let (first, second) = (view_of(1), view_of(2));
        let source = Arc::new(Growing(watch::Sender::new(first)));
        let metrics = Metrics::default();
        let origin =
            Arc::new(Origin::new(&Settings::default(), source.clone(), Arc::new(NoStorage), &metrics));
        let waiting: Vec<_> = (0..1000).map(|_| tokio::spawn(wait_for_two(origin.clone()))).collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((metrics.blocked.get(), origin.renderings.count()), (1000, 0));
        source.0.send_replace(second);
        for answer in waiting {
            assert_eq!(answer.await.expect("no panic"), 200);
        }
        assert_eq!((metrics.blocked.get(), origin.renderings.count()), (0, 1));
    }

    async fn wait_for_two(origin: Arc<Origin>) -> u16 {
        let target = Uri::from_static("/play/x/video-1.m3u8?_HLS_msn=2");
        origin.await_more(&target, Viewer::Public).await.expect("it comes");
        let answer = origin.answer(&target, &HeaderMap::new(), Viewer::Public);
        answer.expect("an answer").status().as_u16()
    }

    async fn ask(source: Arc<Late>) -> (u16, Duration) {
        let request = Request::get("/play/x/master.m3u8").body(axum::body::Body::empty()).expect("valid");
        let since = tokio::time::Instant::now();
        let answer = router(&Settings::default(), source, Arc::new(NoStorage))
            .oneshot(request)
            .await
            .expect("infallible");
        (answer.status().as_u16(), since.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_starting_is_waited_for() {
        let (start, started) = watch::channel(None);
        let asked = tokio::spawn(ask(Arc::new(Late(started))));
        tokio::time::sleep(Duration::from_secs(3)).await;
        start.send_replace(Some(view()));
        assert_eq!(asked.await.expect("no panic"), (200, Duration::from_secs(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn but_not_for_ever() {
        let (_start, started) = watch::channel(None);
        let (status, waited) = ask(Arc::new(Late(started))).await;
        assert_eq!(status, 503);
        assert!((6000..6010).contains(&waited.as_millis()), "{waited:?}");
    }
}
