//! What was live is on demand as soon as it is over, under the same URLs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::dash::Mpd;
use crate::support::hls::{Media, session};
use crate::support::http::get;
use crate::support::wait::throughout;
use crate::support::{Server, within};

/// Numbers from here on name recordings where others name sessions.
const RECORDINGS: u64 = 1 << 52;
/// From the end to all of it on demand. A second is promised; this machine does other things as well.
const SOON: Duration = Duration::from_secs(2);

/// The whole of the recording, as soon as that is what the bare URLs show.
fn on_demand(show: &Show) -> Media {
    let recording = within(10, "a recording", || {
        Some(session(&show.public.wait_for("master.m3u8"))).filter(|shown| *shown >= RECORDINGS)
    });
    Media::parse(&show.public.wait_for(&format!("video-1.m3u8?s={recording}")))
}

fn playlist(show: &Show, segments: usize) -> Media {
    within(20, "some segments", || Some(show.playlist()).filter(|media| media.segments.len() >= segments))
}

#[test]
fn what_was_live_is_on_demand_at_once_and_live_again_when_it_is() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    let (live, first) = (playlist(&show, 4), show.session());
    let aired: Vec<_> = live.segments.iter().map(|segment| show.public.get(&segment.uri)).collect();

    show.act("end").done();
    let ended = Instant::now();
    let vod = on_demand(&show);
    assert!(ended.elapsed() < SOON, "{:?}", ended.elapsed());
    assert!(vod.ended && vod.sequence == live.segments[0].number, "{vod:?}");
    let last = Media::parse(&show.public.wait_for(&format!("video-1.m3u8?s={first}")));
    assert!(last.ended, "RFC 8216bis §4.4.3.4: who watched it comes to its end");
    assert_eq!(vod.segments.last().map(|it| it.number), last.segments.last().map(|it| it.number));
    for (segment, aired) in live.segments.iter().zip(&aired) {
        let stored = show.public.get(&segment.uri);
        assert_eq!((stored.status, stored.header("etag")), (200, aired.header("etag")), "{}", segment.uri);
        assert!(stored.body == aired.body, "{} has the bytes that were on air", segment.uri);
    }
    assert_formats(&show, &vod);
    assert_recording(&server, &show, &vod);

    // For so long an encoder that comes by itself is left outside.
    throughout(Duration::from_millis(3200), || assert!(show.session() >= RECORDINGS));
    let _again = show.publish();
    let second = within(20, "live again", || Some(show.session()).filter(|shown| *shown < RECORDINGS));
    assert!(second > first);
    assert!(playlist(&show, 1).sequence > vod.segments.last().expect("one").number);
    assert_eq!(show.status()["vod"], false);
}

/// The same in DASH and in Smooth, and nothing of it for long in a cache: it may be live again.
fn assert_formats(show: &Show, vod: &Media) {
    let seconds: f64 = vod.segments.iter().map(|segment| segment.seconds()).sum();
    let mpd = Mpd::parse(&show.public.wait_for("manifest.mpd"));
    assert!(!mpd.dynamic && mpd.availability_start.is_none() && mpd.periods[0].start == 0.0, "{mpd:?}");
    let duration = mpd.duration.expect("a duration");
    assert!((duration - seconds).abs() < 0.2, "{duration} s of {seconds} s");
    let smooth = show.public.wait_for("Manifest");
    assert!(!smooth.contains("IsLive"), "[MS-SSTR] 2.2.2.1: {smooth}");
    for name in ["master.m3u8", "manifest.mpd", "Manifest"] {
        assert_eq!(show.public.get(name).header("cache-control"), "public, max-age=2", "{name}");
    }
    let status = show.status();
    let fields = ["status", "vod", "playable"].map(|name| status[name].clone());
    assert_eq!(fields, [json!("ended"), json!(true), json!(true)]);
}

/// It is listed, played by itself, and as open as its entry.
fn assert_recording(server: &Server, show: &Show, vod: &Media) {
    let path = format!("/entries/{}", show.id);
    let listed = within(10, "a recording in the list", || {
        let listed = show.api.get(&format!("{path}/recordings")).done();
        listed["items"].get(0).cloned()
    });
    let hls = listed["playback"]["hls"].as_str().expect("a URL").to_owned();
    let master = get(&hls, &[]);
    assert_eq!(master.status, 200, "{hls}");
    let number = session(&master.text());
    let child = hls.replace("master.m3u8", &format!("video-1.m3u8?s={number}"));
    assert_eq!(Media::parse(&get(&child, &[]).text()).segments, vod.segments);

    show.api.patch(&path, &json!({"access": {"playback": "signed"}})).done();
    assert_eq!(get(&hls, &[]).status, 401, "as its entry");
    let token = show.api.post(&format!("{path}/playback-token"), &Value::Null).done();
    let token = token["token"].as_str().expect("a token");
    let id = listed["id"].as_str().expect("an id");
    let signed = server.http_url(&format!("t/{token}/play/{id}/master.m3u8"));
    assert_eq!(get(&signed, &[]).status, 200);
    show.api.patch(&path, &json!({"access": {"playback": "open"}})).done();
}

#[test]
fn a_deleted_entry_takes_its_recordings_off_at_once() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    playlist(&show, 2);
    show.act("end").done();
    let vod = on_demand(&show);
    let listed = show.api.get(&format!("/entries/{}/recordings", show.id)).done();
    let hls = listed["items"][0]["playback"]["hls"].as_str().expect("a URL").to_owned();
    assert_eq!(get(&hls, &[]).status, 200);
    show.api.delete(&format!("/entries/{}", show.id)).done();
    assert_eq!(get(&hls, &[]).status, 404);
    for name in ["master.m3u8", "manifest.mpd", &vod.segments[0].uri] {
        assert!(matches!(show.public.get(name).status, 404 | 410), "{name}");
    }
}
