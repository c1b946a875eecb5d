//! MPEG-TS over HTTP: what is answered, with which headers, and when it is not there.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::client::{ask, get};
use common::serve;
use common::shelf::{START, Shelf};
use media::codec::{Aac, Av1, Avc, Opus};
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::manifest::{Options, hls_ts};
use packager::ts::program;
use packager::{Now, Numbers, Packager, Presentation, Settings};
use stream::{Air, View};

const AVC_RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");

fn track(codec: Codec) -> Track {
    Track::new(codec, Timescale::MILLIS)
}

/// So many seconds of pictures with sound beside them, a keyframe every two.
fn published(seconds: i64, end: bool) -> Presentation {
    let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    published_in(Codec::Avc(avc), Codec::Aac(aac), seconds, end)
}

fn published_in(pictures: Codec, sound: Codec, seconds: i64, end: bool) -> Presentation {
    let mut packager = Packager::new(Arc::new(Settings::default()), Numbers::unknown(START), false);
    packager.track(TrackId::VIDEO, track(pictures));
    packager.track(TrackId::AUDIO, track(sound));
    let begun = Instant::now();
    let mut send = |id: TrackId, dts: i64, sync: Sync, data: &[u8]| {
        let now = Now { instant: begun + Duration::from_millis(dts as u64), wall: START };
        let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data: data.to_vec().into() };
        packager.push(id, sample, now);
    };
    for picture in 0..seconds * 25 {
        send(TrackId::AUDIO, picture * 40, Sync::Yes, b"sound");
        let sync = if picture % 50 == 0 { Sync::Yes } else { Sync::No };
        send(TrackId::VIDEO, picture * 40, sync, b"\0\0\0\x07picture");
    }
    if end {
        packager.end(START);
    }
    packager.presentation().expect("something to play").clone()
}

fn shelf(presentation: &Presentation) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![Arc::new(View::new(Arc::new(presentation.clone()), Air::Live, None))]);
    shelf
}

#[tokio::test]
async fn a_segment_has_its_bytes_type_tag_and_lasts_for_ever() {
    let presentation = published(7, false);
    let server = serve(shelf(&presentation)).await;
    let video = presentation.rendition("video-1").expect("a rendition");
    let number = video.last().expect("a segment").number;
    let expected = program(&presentation, video, number).expect("it is there").mux().expect("our own");
    let target = format!("/play/demo/ts/video-1/{number}.ts");
    let reply = get(server.address, &target).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "video/mp2t"));
    assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(reply.body == expected);
    let etag = reply.header("etag").to_owned();
    let known = ask(server.address, "GET", &target, &[("If-None-Match", &etag)]).await;
    assert_eq!((known.status, known.header("etag")), (304, &*etag));
    let part = ask(server.address, "GET", &target, &[("Range", "bytes=188-375")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &expected[188..376]));
    let fragments = get(server.address, &format!("/play/demo/video-1/{number}.m4s")).await;
    assert_ne!(fragments.header("etag"), etag, "RFC 9110 §8.8.1: other bytes, another tag");
}

#[tokio::test]
async fn what_is_not_there_is_answered_as_for_fragments() {
    let presentation = published(7, false);
    let server = serve(shelf(&presentation)).await;
    let last = presentation.rendition("video-1").and_then(|video| video.last()).expect("a segment").number;
    for (name, status) in [
        (format!("video-1/{}.ts", last + 1), 404),
        (format!("video-1/{}.ts", last - 1000), 410),
        (format!("video-9/{last}.ts"), 404),
        ("video-9.m3u8".to_owned(), 404),
        ("manifest.mpd".to_owned(), 404),
        ("video-1.m3u8?s=x".to_owned(), 400),
    ] {
        let reply = get(server.address, &format!("/play/demo/ts/{name}")).await;
        assert_eq!(reply.status, status, "{name}");
        reply.problem();
    }
    assert_eq!(get(server.address, "/play/none/ts/master.m3u8").await.status, 404);
}

#[tokio::test]
async fn codecs_that_neither_mpeg_ts_nor_smooth_have_a_name_for_are_refused_with_the_reason() {
    // SVT-AV1, 320x180.
    const AV1: &[u8] = &[0x81, 0, 0x0c, 0, 0x0a, 0x0b, 2, 0, 0, 5, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02];
    let av1 = Av1::parse(Bytes::from_static(AV1)).expect("valid");
    let opus = Opus::new(2, 312).expect("stereo");
    let presentation = published_in(Codec::Av1(av1), Codec::Opus(opus), 7, false);
    let server = serve(shelf(&presentation)).await;
    for (name, reason) in [
        ("ts/master.m3u8", "not-for-ts"),
        ("ts/video-1.m3u8", "not-for-ts"),
        ("Manifest", "not-for-smooth"),
    ] {
        let reply = get(server.address, &format!("/play/demo/{name}")).await;
        assert_eq!(reply.status, 404, "{name}");
        assert!(String::from_utf8_lossy(&reply.body).contains(reason), "{name}");
    }
    for name in ["master.m3u8", "manifest.mpd", "video-1.m3u8"] {
        assert_eq!(get(server.address, &format!("/play/demo/{name}")).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn playlists_are_those_of_the_packager() {
    for (end, cache_control) in [(false, "public, max-age=1"), (true, "public, max-age=2")] {
        let presentation = published(9, end);
        let server = serve(shelf(&presentation)).await;
        let options = Options::default();
        for name in ["video-1", "audio-1"] {
            let reply = get(server.address, &format!("/play/demo/ts/{name}.m3u8")).await;
            let rendition = presentation.rendition(name).expect("a rendition");
            let expected = hls_ts::media(&presentation, rendition, &options);
            assert_eq!((reply.status, reply.header("cache-control")), (200, cache_control), "{name}");
            assert_eq!(reply.header("content-type"), "application/vnd.apple.mpegurl");
            assert_eq!(String::from_utf8(reply.body), Ok(expected));
        }
        let reply = get(server.address, "/play/demo/ts/master.m3u8").await;
        assert_eq!(reply.header("cache-control"), "public, max-age=2");
        assert_eq!(String::from_utf8(reply.body), Ok(hls_ts::multivariant(&presentation, &options)));
    }
}
