//! Before the public sees it: a preview, and the one moment in which it goes live, and back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::dash::Mpd;
use crate::support::hls::{Media, session};
use crate::support::http::{Answer, get};
use crate::support::{Server, within};

/// What whoever has a link to the preview sees.
struct Link {
    under: String,
}

impl Link {
    fn new(show: &Show, server: &Server) -> Link {
        let path = format!("/entries/{}/playback-token", show.id);
        let token = show.api.post(&path, &json!({"preview": true})).done();
        let token = token["token"].as_str().expect("a token");
        Link { under: server.http_url(&format!("t/{token}/play/{}/", show.id)) }
    }

    fn get(&self, name: &str) -> Answer {
        get(&format!("{}{name}", self.under), &[])
    }

    fn wait_for(&self, name: &str) -> String {
        within(20, name, || Some(self.get(name)).filter(|answer| answer.status == 200)).text()
    }

    fn playlist(&self) -> Media {
        Media::parse(&self.wait_for("video-1.m3u8"))
    }
}

/// Whatever the public asks for is not there.
fn assert_nothing(show: &Show, preview: &Media, session: u64) {
    let first = &preview.segments[0];
    let pinned = format!("master.m3u8?s={session}");
    for name in
        ["master.m3u8", "manifest.mpd", "video-1.m3u8", "audio-1.m3u8", &pinned, &first.uri, &first.map]
    {
        let answer = show.public.get(name);
        assert!(matches!(answer.status, 404 | 410), "{name}: {}", answer.status);
    }
}

#[test]
fn a_preview_is_for_those_with_a_link_and_going_live_shows_nothing_of_it() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"air": "preview"}));
    assert_eq!(show.created["air"], "preview");
    let _push = show.publish();
    let link = Link::new(&show, &server);
    let before = session(&link.wait_for("master.m3u8"));
    let preview =
        within(20, "two segments", || Some(link.playlist()).filter(|media| media.segments.len() > 1));
    Mpd::parse(&link.wait_for("manifest.mpd"));
    for segment in &preview.segments {
        assert_eq!(link.get(&segment.uri).status, 200);
    }
    assert_eq!(show.status()["status"], "preview");
    assert_nothing(&show, &preview, before);

    assert_eq!(show.act("go-live").done()["status"], "live");
    let since = Instant::now();
    let live = within(20, "the public sees it", || {
        let answer = show.public.get("video-1.m3u8");
        (answer.status == 200).then(|| Media::parse(&answer.text()))
    });
    // The rest of a segment of a second, and one whole; some more where the machine is busy.
    assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());
    assert_ne!(show.session(), before);
    assert_no_preview(&show, &link, &live, before);
    assert!(Mpd::parse(&show.public.wait_for("manifest.mpd")).updates);
}

/// Not its playlists, nor any of its segments and parts; and who watches it plays on.
fn assert_no_preview(show: &Show, link: &Link, live: &Media, before: u64) {
    let whole = format!("video-1.m3u8?s={before}");
    let preview = within(20, "the preview goes on", || {
        let media = Media::parse(&link.wait_for(&whole));
        (media.last().number > live.last().number).then_some(media)
    });
    assert!(!preview.ended && preview.discontinuities() == 0, "unbroken");
    for name in [whole, format!("master.m3u8?s={before}"), format!("manifest.mpd?s={before}")] {
        assert!(matches!(show.public.get(&name).status, 404 | 410), "{name}");
    }
    let first = live.segments[0].number;
    assert_eq!(live.sequence, first, "RFC 8216bis §4.4.3.2: the numbers are those of the whole");
    let (seen, shown): (Vec<_>, Vec<_>) = preview.segments.iter().partition(|it| it.number < first);
    assert!(!seen.is_empty() && !shown.is_empty());
    for segment in seen {
        let parts = (0..8).map(|part| segment.uri.replace(".m4s", &format!(".{part}.m4s")));
        let transport = format!("ts/{}", segment.uri.replace(".m4s", ".ts"));
        let others = [segment.uri.clone(), segment.uri.replace("video-1", "audio-1"), transport];
        for uri in parts.chain(others) {
            let answer = show.public.get(&uri);
            assert!(matches!(answer.status, 404 | 410), "{uri}: {}", answer.status);
        }
    }
    assert_no_fragment(show, link, live);
    for segment in shown {
        assert_eq!(show.public.get(&segment.uri).status, 200, "{}", segment.uri);
    }
}

/// Nor as Smooth, whose fragments are named by their time.
fn assert_no_fragment(show: &Show, link: &Link, live: &Media) {
    let manifest = link.wait_for("Manifest");
    let value = |text: &str, name: &str| {
        let (_, rest) =
            text.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {manifest}"));
        rest.split_once('"').map(|(value, _)| value.to_owned()).expect("a value")
    };
    let bitrate = value(&manifest, "Bitrate");
    let begins = live.segments[0].program_date_time * 1e4;
    let times: Vec<String> = manifest.split("<c ").skip(1).map(|chunk| value(chunk, "t")).collect();
    let (mut hidden, mut seen) = (0, 0);
    for time in times.iter().take_while(|time| !time.is_empty()) {
        let name = format!("QualityLevels({bitrate})/Fragments(video={time})");
        if link.get(&name).status != 200 {
            continue;
        }
        let before = time.parse::<f64>().expect("a number") < begins - 1e6;
        let status = show.public.get(&name).status;
        assert_eq!(status == 200, !before, "{name}: {status}");
        (hidden, seen) = (hidden + u32::from(before), seen + u32::from(!before));
    }
    assert!(hidden > 0 && seen > 0, "{hidden} hidden and {seen} seen of {manifest}");
}

#[test]
fn taken_back_to_preview_it_ends_for_the_public_in_hls_and_dash_at_once() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    let session = show.session();
    assert_eq!(show.act("preview").done()["status"], "preview");
    let pinned = Media::parse(&show.public.get(&format!("video-1.m3u8?s={session}")).text());
    assert!(pinned.ended);
    let mpd = Mpd::parse(&show.public.get(&format!("manifest.mpd?s={session}")).text());
    assert!(!mpd.dynamic && !mpd.updates);
    assert!(Media::parse(&show.public.get("video-1.m3u8").text()).ended);

    let link = Link::new(&show, &server);
    let over = pinned.last().number;
    let preview = within(20, "the preview goes on behind", || {
        Some(link.playlist()).filter(|media| !media.ended && media.last().number > over + 2)
    });
    for segment in preview.segments.iter().filter(|segment| segment.number > over) {
        assert_ne!(show.public.get(&segment.uri).status, 200, "{}", segment.uri);
    }
    let status: Value = show.status();
    assert_eq!((&status["status"], status["legs"].as_array().map(Vec::len)), (&json!("preview"), Some(1)));
}

#[test]
fn switched_to_and_fro_the_encoder_stays_and_the_last_word_counts() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    let since = show.status()["legs"][0]["since"].clone();
    for _ in 0..5 {
        for (action, status) in [("preview", "preview"), ("preview", "preview"), ("go-live", "live")] {
            assert_eq!(show.act(action).done()["status"], status);
        }
    }
    let media = within(20, "it is live", || Some(show.playlist()).filter(|media| !media.ended));
    assert!(media.discontinuity_sequence > 0 || media.discontinuities() == 0);
    assert_eq!(show.status()["legs"][0]["since"], since, "nobody cut the encoder");
}
