//! What the encoder check says of encoders that are set up wrong: in words, with what to do about it.

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::{Push, Server};

/// A small picture with a tone, set up well.
const GOOD: Encoder = Encoder { before: "-re", filter: "null", video: GOP, audio: "-c:a aac -b:a 64k" };
const GOP: &str = "-g 50 -keyint_min 50 -sc_threshold 0 -bf 0";

/// How an ffmpeg is set up.
#[derive(Clone, Copy)]
struct Encoder {
    before: &'static str,
    filter: &'static str,
    video: &'static str,
    audio: &'static str,
}

impl Encoder {
    fn line(&self, url: &str) -> String {
        let Encoder { before, filter, video, audio } = self;
        format!(
            "ffmpeg -hide_banner -nostdin -loglevel error {before} -f lavfi -i testsrc2=size=320x180:rate=25 \
             {before} -f lavfi -i sine=frequency=440:sample_rate=48000 -vf \"{filter}\" -c:v libx264 \
             -preset ultrafast -pix_fmt yuv420p -threads 1 {video} {audio} -t 90 -f flv '{url}'"
        )
    }
}

/// An encoder, and that it is found to be ready or not with this finding.
fn check(encoder: Encoder, verdict: &str, code: &str, severity: &str, words: &[&str]) {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"settings": {"segment": "2s"}}));
    let _push = Push::pasted(&encoder.line(show.url()));
    let status = show.within(60, &format!("{code} and {verdict}"), |status| {
        let health = &status["legs"][0]["health"];
        health["verdict"] == verdict && finding(health, code).is_some()
    });
    let found = finding(&status["legs"][0]["health"], code).expect("it was there");
    assert_eq!(found["severity"], severity, "{found:#}");
    let said = format!("{} {}", found["message"], found["remedy"]);
    for word in words {
        assert!(said.contains(word), "no {word:?} in {found:#}");
    }
}

fn finding<'a>(health: &'a Value, code: &str) -> Option<&'a Value> {
    health["findings"].as_array()?.iter().find(|finding| finding["code"] == code)
}

#[test]
fn keyframes_that_never_come_are_a_problem() {
    let encoder = Encoder { video: "-g 600 -keyint_min 600 -sc_threshold 0 -bf 0", ..GOOD };
    check(encoder, "not_ready", "keyframe_interval_long", "problem", &["keyframe interval to 2 s"]);
}

#[test]
fn keyframes_that_come_late_are_a_warning() {
    let encoder = Encoder { video: "-g 200 -keyint_min 200 -sc_threshold 0 -bf 0", ..GOOD };
    check(encoder, "ready", "keyframe_interval_long", "warning", &["keyframe interval to 2 s"]);
}

#[test]
fn a_file_that_is_sent_at_once_is_a_problem() {
    let encoder = Encoder { before: "", ..GOOD };
    check(encoder, "not_ready", "fast_delivery", "problem", &["ffmpeg: -re before -i"]);
}

#[test]
fn no_sound_is_a_warning() {
    let encoder = Encoder { audio: "-an", ..GOOD };
    check(encoder, "ready", "no_audio", "warning", &["no sound track", "a silent track is better than none"]);
}

#[test]
fn no_picture_may_be_meant_so() {
    let encoder = Encoder { video: "-vn", filter: "null", ..GOOD };
    check(encoder, "ready", "no_video", "note", &["Right for an audio programme"]);
}

#[test]
fn pictures_at_uneven_distances_are_a_warning() {
    let encoder = Encoder { filter: "settb=1/1000,setpts='(N+0.6*mod(N,2))*40'", video: UNEVEN, ..GOOD };
    check(encoder, "ready", "variable_frame_rate", "warning", &["constant frame rate"]);
}

const UNEVEN: &str = "-vsync vfr -enc_time_base 1/1000 -g 50 -keyint_min 50 -sc_threshold 0 -bf 0";

#[test]
fn fields_are_a_warning() {
    let encoder = Encoder { video: "-flags +ilme+ildct -g 50 -keyint_min 50 -sc_threshold 0 -bf 0", ..GOOD };
    check(encoder, "ready", "interlaced", "warning", &["deinterlace"]);
}

#[test]
fn an_encoder_that_sends_nothing_more_is_a_problem() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let push = Push::pasted(&GOOD.line(show.url()));
    show.within(60, "ready", |status| status["legs"][0]["health"]["verdict"] == "ready");
    push.pause();
    let stalled = show.when("not ready", |status| status["legs"][0]["health"]["verdict"] == "not_ready");
    assert!(finding(&stalled["legs"][0]["health"], "stalled").is_some(), "{stalled:#}");
}
