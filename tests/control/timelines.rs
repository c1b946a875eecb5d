//! Named timelines over one stream: one for each show of a day, beside what everybody sees.

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::dash::Mpd;
use crate::support::hls::Media;
use crate::support::{Api, Server, within};

/// The video's playlist of a named timeline, as the public gets it.
fn playlist(show: &Show, name: &str) -> Option<Media> {
    let answer = show.public.get(&format!("video-1.m3u8?timeline={name}"));
    (answer.status == 200).then(|| Media::parse(&answer.text()))
}

fn add(show: &Show, timeline: Value) -> Value {
    show.api.post(&show.path("/timelines"), &timeline).done()
}

#[test]
fn a_show_begins_and_ends_while_the_stream_goes_on() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    let before = show.playlist();
    let created = add(&show, json!({"name": "show"}));
    assert_eq!(created["air"], "live");
    let begun = within(20, "it begins", || playlist(&show, "show"));
    assert!(begun.segments[0].number >= before.last().number, "with what was on air then");
    let master = show.public.get("master.m3u8?timeline=show").text();
    let session =
        show.api.get(&show.path("/timelines/show")).done()["session"].as_u64().expect("it is shown");
    assert!(master.contains(&format!("video-1.m3u8?s={session}")), "children inherit it:\n{master}");
    assert_ne!(session, show.session());
    let mpd = Mpd::parse(&show.public.wait_for("manifest.mpd?timeline=show"));
    assert_eq!(mpd.location, Some(format!("manifest.mpd?s={session}")));

    let end = within(20, "three segments", || playlist(&show, "show").filter(|it| it.segments.len() > 2));
    let at =
        time::OffsetDateTime::from_unix_timestamp_nanos((end.last().end() * 1e6) as i128).expect("a time");
    let at = at.format(&time::format_description::well_known::Rfc3339).expect("a text");
    show.api.patch(&show.path("/timelines/show"), &json!({"end": at})).done();
    let over = within(20, "it ends", || playlist(&show, "show").filter(|media| media.ended));
    assert_eq!(over.last().number, end.last().number);
    assert!(!show.playlist().ended, "the stream goes on");

    show.api.delete(&show.path("/timelines/show")).done();
    assert_eq!(show.public.get("master.m3u8?timeline=show").status, 404);
    assert_eq!(show.public.get(&format!("master.m3u8?s={session}")).status, 404);
}

#[test]
fn a_public_show_over_a_preview_is_all_that_the_public_sees() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"air": "preview"}));
    let _push = show.publish();
    show.when("it is on", |status| status["playable"] == true);
    add(&show, json!({"name": "show"}));
    add(&show, json!({"name": "backstage", "air": "preview"}));
    let begun = within(20, "it begins", || playlist(&show, "show"));
    assert_eq!(show.public.get("master.m3u8").status, 404, "bare it is the public timeline");
    assert_eq!(show.public.get("master.m3u8?timeline=backstage").status, 404);
    assert_eq!(show.public.get("master.m3u8?timeline=preview").status, 404);
    let first = &begun.segments[0];
    assert_eq!(show.public.get(&first.uri).status, 200);
    let earlier = first.uri.replace(&first.number.to_string(), &(first.number - 1).to_string());
    assert_eq!(show.public.get(&earlier).status, 410);
}

#[test]
fn timelines_are_there_again_after_a_restart() {
    let server = Server::start("", &[]);
    let mut show = Show::new(&server, json!({}));
    let push = show.on_air();
    add(&show, json!({"name": "show"}));
    let begun = within(20, "it begins", || playlist(&show, "show"));
    let session = show.api.get(&show.path("/timelines/show")).done()["session"].clone();
    drop(push);
    let server = server.stop().start();
    (show.api, show.public) = (Api::admin(&server), server.play(&show.id));
    show.created = show.api.get(&show.path("")).done();
    let _push = show.publish();
    let goes_on = |media: &Media| media.last().number > begun.last().number;
    let again = within(30, "it goes on", || playlist(&show, "show").filter(goes_on));
    assert_eq!(again.segments[0].number, begun.segments[0].number, "what was recorded is there still");
    assert_eq!(show.api.get(&show.path("/timelines/show")).done()["session"], session, "under the same id");
}
