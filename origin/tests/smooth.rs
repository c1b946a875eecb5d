//! Smooth Streaming over HTTP: every spelling of its URLs, what may be cached and for how long, and whose memory leaves.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use common::client::get;
use common::serve;
use common::shelf::{START, Shelf};
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RANGE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use media::codec::{Aac, Codec};
use media::payload::{BlockSizes, Writer};
use media::{Sample, Sync, Timescale, Track, TrackId};
use origin::{Settings, router};
use packager::{Now, Numbers, Packager};
use stream::{Air, Found, NoStorage, Source, View, Viewer};
use tokio::sync::watch;
use tower::ServiceExt;

/// AAC of so many seconds, in segments of two.
fn sound(seconds: u64) -> Packager {
    let mut packager = Packager::new(Arc::default(), Numbers::unknown(START), false);
    let config = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    packager.announce(false, true);
    packager.track(TrackId::AUDIO, Track::new(Codec::Aac(config), Timescale::MILLIS));
    let (base, mut writer) = (Instant::now(), Writer::new(BlockSizes::default()));
    for frame in 0..seconds * 375 / 8 {
        let millis = frame * 64 / 3;
        let now = Now { instant: base + Duration::from_millis(millis), wall: START };
        let mut place = writer.reserve(300, millis as u32);
        place.write(&[frame as u8; 300]);
        let (dts, data) = (millis as i64, place.finish());
        packager.push(
            TrackId::AUDIO,
            Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data },
            now,
        );
    }
    packager
}

fn view(packager: &Packager) -> Arc<View> {
    let presentation = packager.presentation().expect("segments").clone();
    Arc::new(View::new(Arc::new(presentation), Air::Live, None))
}

/// The entry `demo` with ten seconds of sound, live or over.
fn shelf(over: bool) -> (Arc<Shelf>, Packager) {
    let mut packager = sound(11);
    if over {
        packager.end(START);
    }
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![view(&packager)]);
    (shelf, packager)
}

async fn ask(router: &Router, target: &str, headers: &[(http::HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::get(target);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    router.clone().oneshot(request).await.expect("infallible")
}

async fn body(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.expect("a body").to_bytes().to_vec()
}

/// What a client makes of the manifest: the URL of each chunk.
async fn chunks(router: &Router) -> Vec<String> {
    let manifest = body(ask(router, "/play/demo/Manifest", &[]).await).await;
    let text = String::from_utf8(manifest).expect("UTF-8");
    let value = |text: &str| text.split('"').next().unwrap_or_default().to_owned();
    let bitrate = text.split(" Bitrate=\"").nth(1).map(value).expect("a bitrate");
    let times = text.split("<c t=\"").skip(1).map(value);
    times.map(|time| format!("QualityLevels({bitrate})/Fragments(audio={time})")).collect()
}

#[tokio::test]
async fn the_manifest_has_any_case_and_is_cached_as_long_as_an_mpd() {
    let router = router(&Settings::default(), shelf(false).0, Arc::new(NoStorage));
    let mut tags = Vec::new();
    for target in ["Manifest", "manifest", "MANIFEST", "manifest?s=1795309432"] {
        for entry in ["demo", "demo.ism", "demo.isml"] {
            let answer = ask(&router, &format!("/play/{entry}/{target}"), &[]).await;
            assert_eq!(answer.status(), 200, "{entry}/{target}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/vnd.ms-sstr+xml");
            assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=1");
            tags.push(answer.headers()[ETAG].clone());
        }
    }
    assert!(tags.iter().all(|tag| tag == tags[0]));
    let known = [(IF_NONE_MATCH, tags[0].to_str().expect("ASCII"))];
    assert_eq!(ask(&router, "/play/demo/Manifest", &known).await.status(), 304);
}

#[tokio::test]
async fn an_ended_one_may_begin_anew_soon() {
    let router = router(&Settings::default(), shelf(true).0, Arc::new(NoStorage));
    let answer = ask(&router, "/play/demo/Manifest", &[]).await;
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=2");
    assert!(!String::from_utf8(body(answer).await).expect("UTF-8").contains("IsLive"));
}

/// A player with a clock of its own begins at zero. Who names a session had it live, and stays on its timeline.
#[tokio::test]
async fn one_that_has_been_over_for_long_counts_from_zero_ms_sstr_2_2_2_6() {
    let router = router(&Settings::default(), shelf(true).0, Arc::new(NoStorage));
    let manifest =
        async |target: &str| String::from_utf8(body(ask(&router, target, &[]).await).await).expect("UTF-8");
    let (zero, unix) =
        (manifest("/play/demo/Manifest").await, manifest("/play/demo/Manifest?s=1795309432").await);
    let begin = format!("from/1795309432/{}", START.micros() * 10);
    assert!(zero.contains(&format!("Url=\"{begin}/QualityLevels({{bitrate}})")), "{zero}");
    assert!(zero.contains("<c t=\"0\" "), "{zero}");
    assert!(unix.contains("Url=\"QualityLevels({bitrate})") && !unix.contains("<c t=\"0\" "), "{unix}");
    assert_eq!(unix, manifest("/play/demo/Manifest?start=0").await, "a window is on it too");

    let bitrate = zero.split(" Bitrate=\"").nth(1).and_then(|it| it.split('"').next()).expect("a bitrate");
    let fragment = format!("QualityLevels({bitrate})/Fragments(audio=0)");
    let answer = ask(&router, &format!("/play/demo/{begin}/{fragment}"), &[]).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[CONTENT_TYPE]),
        (200, &"audio/mp4".parse().expect("a type"))
    );
    assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
    for (name, status) in [
        (format!("{begin}/QualityLevels({bitrate})/Fragments(audio=8)"), 410),
        (format!("{begin}1/{fragment}"), 410),
        (format!("{begin}/QualityLevels({bitrate})/Fragments(video=0)"), 404),
        (format!("{begin}/QualityLevels(1{bitrate})/Fragments(audio=0)"), 404),
        (format!("{}/{fragment}", begin.replace("1795309432/", "1795309433/")), 404),
        (fragment.clone(), 410),
        (format!("{begin}/Manifest"), 404),
    ] {
        assert_eq!(ask(&router, &format!("/play/demo/{name}"), &[]).await.status(), status, "{name}");
    }
}

/// Nobody had it live, so that it need not be over for long; and what is live has no such names.
#[tokio::test]
async fn what_is_on_demand_counts_from_zero_and_what_is_live_does_not() {
    let (shelf, packager) = shelf(false);
    let fragment = chunks(&router(&Settings::default(), shelf.clone(), Arc::new(NoStorage))).await.remove(0);
    let router = router(&Settings::default(), shelf.clone(), Arc::new(NoStorage));
    let begin = format!("from/1795309432/{}", START.micros() * 10);
    let at_zero = fragment.replace(&(START.micros() * 10).to_string(), "0");
    assert_eq!(ask(&router, &format!("/play/demo/{begin}/{at_zero}"), &[]).await.status(), 404, "not yet");

    let mut presentation = packager.presentation().expect("segments").clone();
    presentation.apply(packager::Record::End, SystemTime::now().into());
    let just_over = View::new(Arc::new(presentation), Air::Live, None);
    shelf.put("rec_12345678", vec![Arc::new(just_over.on_demand())]);
    shelf.put("just-over", vec![Arc::new(just_over)]);
    for (entry, from_zero) in [("rec_12345678", true), ("just-over", false)] {
        let answer = ask(&router, &format!("/play/{entry}/Manifest"), &[]).await;
        assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=2", "{entry}: it may go on");
        let text = String::from_utf8(body(answer).await).expect("UTF-8");
        assert_eq!(text.contains(&begin), from_zero, "{entry}: {text}");
    }
}

#[tokio::test]
async fn a_fragment_has_one_body_however_it_is_spelled_ms_sstr_2_2_3() {
    let router = router(&Settings::default(), shelf(false).0, Arc::new(NoStorage));
    let chunks = chunks(&router).await;
    assert_eq!(chunks.len(), 5, "all but the last, of which is not known what follows");
    let plain = &chunks[1];
    let encoded = plain.replace('(', "%28").replace(')', "%29").replace('=', "%3d");
    let expected = body(ask(&router, &format!("/play/demo/{plain}"), &[]).await).await;
    for target in [
        format!("/play/demo/{encoded}"),
        format!("/play/demo.ism/{plain}"),
        format!("/play/demo.isml/{}", encoded.to_lowercase()),
        format!("/play/demo/{}", plain.replace("Fragments", "fragments")),
    ] {
        let answer = ask(&router, &target, &[]).await;
        assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(answer.headers()[CONTENT_TYPE], "audio/mp4");
        assert!(body(answer).await == expected, "{target}");
    }
}

#[tokio::test]
async fn a_fragment_comes_in_ranges_and_its_metadata_alone_ms_sstr_2_2_4() {
    let router = router(&Settings::default(), shelf(false).0, Arc::new(NoStorage));
    let target = format!("/play/demo/{}", chunks(&router).await[0]);
    let whole = body(ask(&router, &target, &[]).await).await;
    let part = ask(&router, &target, &[(RANGE, "bytes=4-1999")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert!(body(part).await == whole[4..2000]);

    let moof = u32::from_be_bytes(whole[..4].try_into().expect("four bytes")) as usize;
    let info = ask(&router, &target.replace("Fragments", "FragmentInfo"), &[]).await;
    let tag = info.headers()[ETAG].clone();
    assert!(body(info).await == whole[..moof], "moof, and nothing behind it");
    assert_ne!(tag, ask(&router, &target, &[]).await.headers()[ETAG], "another body");
}

#[tokio::test]
async fn what_is_not_there_says_whether_it_may_come() {
    let router = router(&Settings::default(), shelf(false).0, Arc::new(NoStorage));
    let chunks = chunks(&router).await;
    let time = |chunk: &str| {
        chunk.rsplit('=').next().and_then(|it| it.trim_end_matches(')').parse().ok()).unwrap_or(0u64)
    };
    let (first, last) = (&chunks[0], chunks.last().expect("chunks"));
    let at = |time_of: u64| last.replace(&time(last).to_string(), &time_of.to_string());
    for (name, status) in [
        (at(time(last) + 20_000_000), 404),
        (at(time(last) + 200_000_000), 404),
        (at(time(first) - 8), 410),
        (at(time(first) + 8), 410),
    ] {
        let answer = ask(&router, &format!("/play/demo/{name}"), &[]).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[CACHE_CONTROL]),
            (status, &"public, max-age=1".parse().expect("a value")),
            "{name}"
        );
    }
    for target in [
        last.replace("QualityLevels(", "QualityLevels(1"),
        last.replace("audio", "video"),
        "QualityLevels(1)/KeyFrames(audio=1)".to_owned(),
    ] {
        assert_eq!(ask(&router, &format!("/play/demo/{target}"), &[]).await.status(), 404, "{target}");
    }
    for target in ["/play/demo.ism/manifest.mpd", "/play/demo.ism/audio-1.m3u8", "/play/demo.mp4/Manifest"] {
        assert_eq!(ask(&router, target, &[]).await.status(), 404, "{target}");
    }
}

#[tokio::test]
async fn the_payload_that_leaves_is_the_memory_that_hls_and_dash_send() {
    let (shelf, packager) = shelf(false);
    let router = router(&Settings::default(), shelf, Arc::new(NoStorage));
    let answer = ask(&router, &format!("/play/demo/{}", chunks(&router).await[1]), &[]).await;
    let mut sent = answer.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = sent.frame().await {
        frames.push(frame.expect("a frame").into_data().expect("data"));
    }
    let presentation = packager.presentation().expect("segments");
    let segments = &presentation.rendition("audio-1").expect("sound").segments;
    let segment = segments.values().nth(1).expect("a segment");
    let place = |piece: &Bytes| (piece.as_ptr(), piece.len());
    let payload: Vec<_> = segment.parts().iter().flat_map(|part| &part.payload).map(place).collect();
    assert_eq!(frames[1..].iter().map(place).collect::<Vec<_>>(), payload);
}

#[tokio::test]
async fn a_real_client_gets_both_from_a_real_server() {
    let (shelf, _) = shelf(false);
    let running = serve(shelf.clone()).await;
    let manifest = get(running.address, "/play/demo.ism/Manifest").await;
    assert_eq!((manifest.status, manifest.header("content-type")), (200, "application/vnd.ms-sstr+xml"));
    let chunk = &chunks(&router(&Settings::default(), shelf, Arc::new(NoStorage))).await[0];
    let fragment = get(running.address, &format!("/play/demo.ism/{chunk}")).await;
    assert_eq!((fragment.status, &fragment.body[4..8]), (200, &b"moof"[..]));
}

/// A stream of which nothing is known but the newest view.
struct Growing(watch::Receiver<Arc<View>>);

impl Source for Growing {
    fn find(&self, _: &str, _: Option<u64>, _: Viewer) -> Found {
        Found::View(self.0.borrow().clone())
    }

    fn changed<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        let mut view = self.0.clone();
        Box::pin(async move {
            let version = |view: &Arc<View>| view.rendition(rendition).map(|(_, version)| version);
            let _ = view.wait_for(|view| version(view) != Some(seen)).await;
        })
    }
}

async fn waited(source: Arc<Growing>) -> (u16, u128) {
    let since = tokio::time::Instant::now();
    let answer =
        ask(&router(&Settings::default(), source, Arc::new(NoStorage)), "/play/demo/Manifest", &[]).await;
    (answer.status().as_u16(), since.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn a_manifest_is_waited_for_until_it_is_known_what_follows_the_first_chunk() {
    let (newest, seen) = watch::channel(view(&sound(3)));
    let asked = tokio::spawn(waited(Arc::new(Growing(seen))));
    tokio::time::sleep(Duration::from_secs(2)).await;
    newest.send_replace(view(&sound(5)));
    assert_eq!(asked.await.expect("no panic"), (200, 2000));
}

#[tokio::test(start_paused = true)]
async fn but_not_for_ever() {
    let (_newest, seen) = watch::channel(view(&sound(3)));
    let (status, millis) = waited(Arc::new(Growing(seen))).await;
    assert_eq!(status, 503);
    assert!((6000..6010).contains(&millis), "{millis}");
}
