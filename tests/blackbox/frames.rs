//! Thirty seconds in real time come back through HLS and through DASH, frame by frame.

use std::thread;

use crate::compare::assert_whole;
use crate::support::download::Fetched;
use crate::support::hls::Media;
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::{Download, Push, Server};

const RENDITIONS: [&str; 2] = ["video-1", "audio-1"];

/// Ends soon, so that a client that follows it does.
const SHORT_RECONNECT: &str = "stream.reconnect = \"2s\"\n";

/// What the segments of the video last.
#[derive(Clone, Copy)]
struct Cut {
    /// All but the first and the last.
    millis: f64,
    /// The first.
    first: f64,
    /// How far any of them may be off.
    tolerance: f64,
}

/// A GOP of two seconds, which is the target.
const TARGET: Cut = Cut { millis: 2000.0, first: 2000.0, tolerance: 0.0 };
/// x264 begins an open GOP with the pictures that are shown before its keyframe, but not the first one.
const OPEN: Cut = Cut { first: 1960.0, ..TARGET };
/// Sixty frames of 1001/30 ms; each end is rounded to a millisecond.
const NTSC: Cut = Cut { millis: 2002.0, first: 2002.0, tolerance: 1.0 };

#[test]
fn every_frame_of_thirty_seconds_comes_back() {
    let long = Source { seconds: 30, ..USUAL };
    let kinds = [
        ("b-frames", long, TARGET),
        ("pyramid", Source { b_frames: 3, x264: "b-pyramid=normal", ..long }, TARGET),
        ("closed", Source { b_frames: 0, rate: "30", gop: 60, audio_rate: 44_100, ..long }, TARGET),
        ("open", Source { x264: "open-gop=1:b-pyramid=none", ..long }, OPEN),
        ("ntsc", Source { rate: "30000/1001", gop: 60, ..long }, NTSC),
    ];
    let files: Vec<_> = kinds.iter().map(|(_, source, _)| source.file()).collect();
    let server = Server::start(SHORT_RECONNECT, &kinds.each_ref().map(|(entry, ..)| *entry));
    thread::scope(|scope| {
        for ((entry, _, cut), file) in kinds.iter().zip(&files) {
            let (play, push) = (server.play(entry), Push::live(&server, entry, file));
            let name = thread::Builder::new().name(format!("frames of {entry}"));
            let whole = move || {
                let (hls, dash) = follow(&play);
                push.done();
                assert_eq!(hls.stretches.len(), RENDITIONS.len());
                assert_same_segments(&hls, &dash);
                assert_whole(file, &hls, &RENDITIONS);
                assert_cuts(&hls, *cut);
                assert_playlists(&play);
            };
            name.spawn_scoped(scope, whole).expect("a thread");
        }
    });
}

/// By both ways at once.
fn follow(play: &Entry) -> (Download, Download) {
    thread::scope(|scope| {
        let hls = scope.spawn(|| Download::hls(play));
        let dash = Download::dash(play);
        (hls.join().expect("HLS can be followed"), dash)
    })
}

/// HLS and DASH name the same URLs, and got the same bytes from them.
fn assert_same_segments(hls: &Download, dash: &Download) {
    for rendition in RENDITIONS {
        let (hls, dash) = (hls.of(rendition), dash.of(rendition));
        assert_eq!(hls.len(), dash.len());
        for (hls, dash) in hls.iter().zip(&dash) {
            assert_eq!((&hls.init, &hls.header), (&dash.init, &dash.header));
            let named = |fetched: &[Fetched]| fetched.iter().map(|s| s.uri.clone()).collect::<Vec<_>>();
            assert_eq!(named(&hls.segments), named(&dash.segments));
            for (hls, dash) in hls.segments.iter().zip(&dash.segments) {
                assert!(hls.body == dash.body, "{} has two bodies", hls.uri);
                assert!((hls.duration - dash.duration).abs() < 1e-5, "{} has two lengths", hls.uri);
            }
        }
    }
}

/// A GOP equal to the target gives segments equal to the target, but for the microsecond by which playlists of parts run
/// ahead.
fn assert_cuts(hls: &Download, cut: Cut) {
    let segments = &hls.of("video-1")[0].segments;
    let millis: Vec<f64> = segments.iter().map(|segment| segment.duration * 1000.0).collect();
    let (last, whole) = millis.split_last().expect("there are segments");
    let first = whole.iter().take(1).all(|first| (first - cut.first).abs() <= cut.tolerance + 2e-3);
    let others = whole.iter().skip(1).all(|other| (other - cut.millis).abs() <= cut.tolerance + 2e-3);
    assert!(first && others && *last <= cut.millis + 1.1, "{millis:?}");
    let numbers = |rendition: &str| -> Vec<u64> {
        hls.of(rendition)[0].segments.iter().map(|segment| segment.number).collect()
    };
    assert_eq!(numbers("video-1"), numbers("audio-1"));
}

/// What the playlists say once everything is over.
fn assert_playlists(play: &Entry) {
    for rendition in RENDITIONS {
        let media = Media::parse(&play.wait_for(&format!("{rendition}.m3u8")));
        assert!(media.ended);
        assert_eq!(media.discontinuities(), 0);
        let longest = media.segments.iter().map(|segment| segment.seconds()).fold(0.0, f64::max);
        assert!(longest.round() <= f64::from(media.target_duration), "{longest}");
        assert_eq!(media.target_duration, 2);
    }
}
