//! Parts in playlists, one rule at a time (RFC 8216bis).

mod common;
#[path = "common/playlist.rs"]
mod playlist;

use std::time::Duration;

use common::Publisher;
use media::{Sync, TrackId};
use packager::Settings;
use packager::manifest::hls::{self, Directives, Reload};
use packager::manifest::{Options, hls::media};
use playlist::Playlist;

fn playlist(publisher: &Publisher, name: &str, options: Options) -> Playlist {
    Playlist::parse(&media(publisher.presentation(), publisher.rendition(name), &options))
}

fn live(settings: Settings, seconds: i64, fps: i64) -> Publisher {
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, seconds * fps, fps, fps * 2, true);
    publisher
}

/// §4.4.4.9: no part is longer than the target, and none but the last of a segment shorter than 85 % of it, whatever
/// rate divides it how badly.
#[test]
fn parts_fill_the_target_at_any_frame_rate() {
    for fps in (1..=60).chain([75, 100, 120]) {
        for part in [100, 200, 334, 500, 1000] {
            let settings = Settings { part: Duration::from_millis(part), ..Settings::default() };
            let publisher = live(settings, 8, fps);
            let target = publisher.presentation().session.part_target.as_secs_f64();
            assert!(
                target <= 1.5 * part as f64 / 1000.0 || fps * part as i64 <= 2000,
                "{target} at {fps} fps"
            );
            for segment in playlist(&publisher, "video-1", Options::default()).segments {
                let Some((last, rest)) = segment.parts.split_last() else { continue };
                let full = |seconds: f64| (0.85 * target..=target + 1e-9).contains(&seconds);
                let bad = rest.iter().find(|part| !part.independent && !full(part.seconds));
                assert!(
                    bad.is_none() && last.seconds <= target + 1e-9,
                    "{fps} fps, {part} ms: {bad:?}, {target}"
                );
            }
        }
    }
}

/// §6.2.1: where the sound goes off, stretches without media are GAP=YES up to the end of the segment, and the segments
/// after it are gaps with such parts alone; nothing is hinted at that is not expected.
#[test]
fn a_rendition_that_goes_off_lists_gaps() {
    let mut publisher = live(Settings::default(), 5, 25);
    for frame in 0..200 {
        let at = 5000 + frame * 40;
        publisher.elapsed = Duration::from_millis(at as u64);
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, at, 0, sync);
        if frame == 110 {
            let audio = playlist(&publisher, "audio-1", Options::default());
            let broken = audio.segments.iter().find(|it| it.parts.last().is_some_and(|part| part.gap));
            let broken = broken.expect("the sound broke off");
            assert!(!broken.gap && broken.parts.iter().any(|part| !part.gap), "what there is can be played");
        }
    }
    let audio = playlist(&publisher, "audio-1", Options::default());
    let (video, last) = (playlist(&publisher, "video-1", Options::default()), audio.segments.last());
    let last = last.expect("a segment");
    assert!(last.gap && last.parts.len() == 4 && last.parts.iter().all(|part| part.gap));
    assert_eq!(audio.next(), video.next(), "its numbers go on");
    assert!(audio.hints.is_empty() && video.hints.len() == 1);
    assert_eq!(video.reports, [("audio-1.m3u8".to_owned(), last.number, Some(3))]);
    let ask = |part| {
        let asked = Directives { msn: last.number, part: Some(part) };
        hls::reload(publisher.rendition("audio-1"), true, asked)
    };
    assert_eq!((ask(3), ask(4)), (Reload::Ready, Reload::Wait), "part 4 is part 0 of the next");
}

/// Where an encoder leaves with the first pictures of a segment sent and no sound of it, the sound ends where it ends:
/// hls.js does not see the end behind an EXT-X-GAP, and Shaka fails of one at the edge. Once something follows, the number
/// is listed as a gap, which begins where the sound broke off (§6.2.1: numbers and times go on).
#[test]
fn what_breaks_off_before_the_last_segment_is_a_gap_only_once_something_follows() {
    let mut publisher = live(Settings::default(), 4, 25);
    publisher.push(TrackId::VIDEO, 4000, 0, Sync::Yes);
    publisher.push(TrackId::VIDEO, 4040, 0, Sync::No);
    publisher.interrupt();
    let lists = |publisher: &Publisher| {
        ["video-1", "audio-1"].map(|name| playlist(publisher, name, Options::default()))
    };
    let [video, audio] = lists(&publisher);
    let (newest, last) = (video.segments.last().expect("video"), audio.segments.last().expect("audio"));
    assert_eq!((newest.number, newest.parts.len()), (last.number + 1, 1), "video alone has it");
    assert!(!last.gap && !last.parts.is_empty() && last.parts.iter().all(|part| !part.gap));
    assert!(last.seconds < 2.0 && audio.open.is_empty() && audio.hints.is_empty());
    let next = Directives { msn: last.number + 1, part: Some(0) };
    assert_eq!(hls::reload(publisher.rendition("audio-1"), true, next), Reload::Wait);

    publisher.live(9000, 100, 25, 50, true);
    let [video, audio] = lists(&publisher);
    let at = audio.segments.iter().position(|it| it.gap).expect("a gap");
    let [before, gap, behind] = &audio.segments[at - 1..at + 2] else { unreachable!() };
    assert_eq!((before.number, before.seconds), (last.number, last.seconds), "what was listed stays");
    assert_eq!((gap.number, behind.discontinuity), (newest.number, gap.discontinuity + 1));
    let total = |list: &Playlist| list.segments[..=at].iter().map(|it| it.seconds).sum::<f64>();
    assert!((total(&audio) - total(&video)).abs() < 0.05, "{} {}", total(&audio), total(&video));
    assert_eq!(audio.next(), video.next());

    let mut ended = live(Settings::default(), 4, 25);
    ended.push(TrackId::VIDEO, 4000, 0, Sync::Yes);
    ended.end();
    let [video, audio] = lists(&ended);
    assert_eq!(video.segments.len(), audio.segments.len() + 1);
    assert!(audio.segments.iter().all(|it| !it.gap && it.parts.iter().all(|part| !part.gap)));
}

/// §4.4.4.9: a frame that is longer than a part may be leaves its segment without parts; it can be had whole.
#[test]
fn a_segment_with_a_frame_longer_than_the_target_has_no_parts() {
    let mut publisher = live(Settings::default(), 4, 25);
    publisher.push(TrackId::VIDEO, 4000, 0, Sync::Yes);
    publisher.push(TrackId::VIDEO, 4900, 0, Sync::No);
    publisher.push(TrackId::VIDEO, 4940, 0, Sync::No);
    let list = playlist(&publisher, "video-1", Options::default());
    assert!(list.open.is_empty(), "nor is what follows it in the open segment");
    let open = publisher.rendition("video-1").open.as_ref().expect("an open segment");
    assert_eq!(list.hint(), Some(&*format!("video-1/{}.0.m4s", open.number + 1)));
    for frame in 0..30 {
        publisher.push(TrackId::VIDEO, 4980 + frame * 40, 0, Sync::No);
    }
    publisher.push(TrackId::VIDEO, 6200, 0, Sync::Yes);
    publisher.push(TrackId::VIDEO, 6240, 0, Sync::No);
    let list = playlist(&publisher, "video-1", Options::default());
    let long = list.segments.last().expect("a segment");
    assert!(long.parts.is_empty() && !list.segments[list.segments.len() - 2].parts.is_empty());
    let asked = Directives { msn: long.number, part: Some(3) };
    assert_eq!(hls::reload(publisher.rendition("video-1"), true, asked), Reload::Ready);
}

/// Nothing is said of parts where that is switched off, not asked for, or over (§4.4.5.3: no hint beside EXT-X-ENDLIST).
#[test]
fn whole_segments_alone_where_parts_are_not_wanted() {
    let off = live(Settings { low_latency: false, ..Settings::default() }, 20, 25);
    let mut on = live(Settings::default(), 20, 25);
    let plain = Options { low_latency: false, skip: true, ..Options::default() };
    let skip = Options { skip: true, ..Options::default() };
    let texts = |publisher: &Publisher, options| {
        media(publisher.presentation(), publisher.rendition("video-1"), &options)
    };
    let mut plainly = vec![texts(&off, skip), texts(&on, plain)];
    assert_eq!(plainly[0], plainly[1]);
    on.end();
    plainly.push(texts(&on, skip));
    for text in plainly {
        for tag in ["EXT-X-PART", "SERVER-CONTROL", "PRELOAD-HINT", "RENDITION-REPORT", "EXT-X-SKIP"] {
            assert!(!text.contains(tag), "{tag}:\n{text}");
        }
    }
}

/// §6.2.2: no segment goes that would leave less than three target durations, however short the window was meant to be.
#[test]
fn a_window_holds_three_target_durations() {
    let settings = Settings { window: Duration::from_secs(6), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 25 * 60, 25, 25 * 8, true);
    let list = playlist(&publisher, "video-1", Options::default());
    assert_eq!(list.target_duration, 8.0);
    assert!(list.segments.iter().map(|segment| segment.seconds).sum::<f64>() >= 24.0);
}

/// §4.4.4.9: a keyframe within a segment begins a part where that is long enough, and makes one independent anyway.
#[test]
fn a_keyframe_within_a_segment_is_where_decoding_can_begin() {
    let mut publisher = Publisher::new(Settings::default()).both();
    // A keyframe each second, where a part of half a second does not always begin.
    publisher.live(0, 300, 30, 30, true);
    for segment in playlist(&publisher, "video-1", Options::default()).segments {
        let independent: Vec<bool> = segment.parts.iter().map(|part| part.independent).collect();
        assert_eq!(independent.iter().filter(|&&it| it).count(), 2 * usize::from(!independent.is_empty()));
    }
}
