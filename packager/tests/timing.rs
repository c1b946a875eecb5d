//! The timing rules, each with what it promises.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{FIRST, Publisher, START, audio_track, check};
use media::codec::Aac;
use media::{Codec, Kind, Sync, Timescale, Track, TrackId, WallTime};
use packager::{Lookup, Numbers, Presentation, Settings};

fn settings() -> Settings {
    Settings::default()
}

fn audio_for(publisher: &mut Publisher, from: i64, until: i64) {
    for frame in 0.. {
        let at = from + frame * 64 / 3;
        if at >= until {
            break;
        }
        publisher.elapsed = Duration::from_millis(at as u64);
        publisher.push(TrackId::AUDIO, at, 0, Sync::Yes);
    }
}

#[test]
fn a_gop_equal_to_the_target_gives_segments_equal_to_the_target() {
    for (fps, gop, millis) in
        [(30, 60, 2000), (25, 50, 2000), (50, 100, 2000), (24, 48, 2000), (30, 30, 2000)]
    {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, fps * 21, fps, gop, true);
        let durations = publisher.durations("video-1");
        assert!(durations.len() >= 9);
        assert!(durations.iter().all(|&d| d == millis), "{fps} fps, GOP {gop}: {durations:?}");
        assert_eq!(publisher.presentation().session.target_duration, 2);
        check(publisher.presentation());
    }
}

#[test]
fn segments_end_at_the_first_keyframe_past_nine_tenths_of_the_target() {
    // GOP in frames at 25 fps → segment in ms and target duration in s.
    for (gop, millis, target) in [(24, 1920, 2), (125, 5000, 5), (10, 2000, 2), (37, 2960, 3), (46, 1840, 2)]
    {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, 25 * 40, 25, gop, true);
        let durations = publisher.durations("video-1");
        assert!(durations.iter().all(|&d| d == millis), "GOP {gop}: {durations:?}");
        assert_eq!(publisher.presentation().session.target_duration, target, "GOP {gop}");
        check(publisher.presentation());
    }
}

#[test]
fn a_longer_gop_later_is_cut_at_the_target_duration_and_takes_independence_away() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 50 * 3, 25, 50, true);
    assert!(publisher.rendition("video-1").independent);
    publisher.live(6000, 25 * 7, 25, 1000, true);
    let video = publisher.rendition("video-1");
    assert_eq!(publisher.durations("video-1"), [2000; 6]);
    assert!(!video.independent && publisher.rendition("audio-1").independent);
    let forced: Vec<bool> = publisher.segments("video-1").iter().map(|s| s.independent()).collect();
    assert_eq!(forced, [true, true, true, true, false, false]);
    assert_eq!(publisher.packager.counts().forced_cuts, 3);
    check(publisher.presentation());
}

#[test]
fn the_first_playlist_waits_no_longer_than_the_probe_for_a_keyframe() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 12, 25, 100_000, true);
    assert_eq!(publisher.presentation().session.target_duration, 10);
    assert_eq!(publisher.durations("video-1"), [10_000]);
}

#[test]
fn a_publisher_without_a_keyframe_is_heard_as_sound_and_told_of_once() {
    let mut publisher = Publisher::new(settings()).both();
    for frame in 0..500 {
        publisher.elapsed = Duration::from_millis(frame * 40);
        publisher.push(TrackId::AUDIO, frame as i64 * 40, 0, Sync::Yes);
        publisher.push(TrackId::VIDEO, frame as i64 * 40, 0, Sync::No);
    }
    let told = publisher.packager.take_notices();
    assert_eq!(told.iter().filter(|notice| **notice == packager::Notice::NoKeyframe).count(), 1, "{told:?}");
    assert!(publisher.presentation().rendition("video-1").is_none());
    assert!(publisher.rendition("audio-1").segments.size() >= 2);
    check(publisher.presentation());
}

#[test]
fn an_operator_is_told_once_of_keyframes_that_are_far_apart() {
    let told = |gop: i64, more: i64| {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, gop * 4, 25, gop, true);
        publisher.live(gop * 160, more * 25, 25, 100_000, true);
        publisher.packager.take_notices()
    };
    assert!(told(50, 0).is_empty() && told(75, 0).is_empty());
    let wanted = Duration::from_secs(2);
    assert_eq!(told(250, 0), [packager::Notice::LongSegments { target_duration: 10, wanted }]);
    assert_eq!(told(50, 9), [packager::Notice::ForcedCut { target_duration: 2 }]);
}

#[test]
fn the_target_duration_never_changes_within_a_session() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 6, 25, 50, true);
    publisher.interrupt();
    publisher.packager.begin();
    let mut publisher = publisher.both();
    publisher.live(9000, 25 * 11, 25, 125, true);
    assert_eq!(publisher.presentation().session.target_duration, 2);
    assert!(publisher.durations("video-1").iter().all(|&d| d <= 2000));
    check(publisher.presentation());
}

#[test]
fn the_next_session_knows_the_longest_gop_of_the_last() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 21, 25, 125, true);
    publisher.end();
    let numbers = publisher.packager.numbers().clone();
    let mut next = Publisher::resuming(settings(), numbers, false).both();
    next.live(60_000, 25 * 6, 25, 50, true);
    assert_eq!(next.presentation().session.target_duration, 5);
}

#[test]
fn audio_is_cut_at_the_first_frame_that_starts_at_or_after_the_boundary() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 10, 25, 50, true);
    for (audio, video) in publisher.segments("audio-1").iter().zip(publisher.segments("video-1")) {
        let late = audio.start_time().micros() - video.start_time().micros();
        assert!((0..21_334).contains(&late), "{late} µs");
        assert_eq!(audio.duration % 1024, 0);
    }
}

#[test]
fn media_time_begins_at_zero_in_every_period_with_one_zero_for_all_tracks() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live_shifted(0, 123_456, 25 * 5, 25, 50, true);
    publisher.interrupt();
    publisher.packager.begin();
    let mut publisher = publisher.both();
    publisher.live_shifted(8000, 5_000_000, 25 * 5, 25, 50, true);
    for name in ["video-1", "audio-1"] {
        let firsts: Vec<_> = publisher.segments(name).into_iter().filter(|s| s.start == 0).collect();
        assert_eq!(firsts.iter().map(|s| s.period.number).collect::<Vec<_>>(), [FIRST, FIRST + 1], "{name}");
    }
}

#[test]
fn audio_that_begins_a_frame_before_the_video_is_kept_and_in_sync() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.push(TrackId::AUDIO, 79, 0, Sync::Yes);
    for frame in 0..60 {
        publisher.push(TrackId::AUDIO, 100 + frame * 64 / 3, 0, Sync::Yes);
    }
    for frame in 0..101 {
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, 100 + frame * 40, 0, sync);
    }
    publisher.end();
    let (video, audio) = (publisher.segments("video-1"), publisher.segments("audio-1"));
    assert_eq!((audio[0].start, video[0].start), (0, 21 * 90));
    assert_eq!(publisher.durations("video-1"), [2000, 2000, 40]);
    assert_eq!(publisher.presentation().session.target_duration, 2);
}

#[test]
fn a_returning_encoder_goes_on_with_growing_numbers_and_a_stepped_date() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    publisher.interrupt();
    publisher.packager.begin();
    let mut publisher = publisher.both();
    publisher.live_shifted(10_000, -10_000, 25 * 5, 25, 50, true);
    let segments = publisher.segments("video-1");
    let numbers: Vec<_> = segments.iter().map(|s| s.number - FIRST).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert_eq!(segments[2].duration, 90_000, "the open segment is closed where the encoder left");
    assert_eq!(segments[3].period.number, FIRST + 1);
    assert_eq!(segments[3].wall_time(), WallTime::from_millis(START.micros() / 1000 + 10_000));
    check(publisher.presentation());
}

#[test]
fn timestamps_that_step_begin_a_new_period_and_lose_nothing() {
    for shift in [-10_000, 3_600_000, -3_600_000] {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live_shifted(0, 20_000_000, 25 * 4, 25, 50, true);
        publisher.live_shifted(4000, 20_000_000 + shift, 25 * 4 + 1, 25, 50, true);
        let periods: Vec<_> = publisher.segments("video-1").iter().map(|s| s.period.number - FIRST).collect();
        assert_eq!(periods, [0, 0, 1, 1], "shift {shift}");
        assert_eq!(publisher.durations("video-1"), [2000; 4], "shift {shift}");
        assert_eq!(publisher.packager.take_notices().len(), 1);
        check(publisher.presentation());
    }
}

#[test]
fn timestamps_that_step_while_nothing_has_begun_make_no_long_frame() {
    let mut publisher = Publisher::new(settings()).both();
    // The announced audio is waited for meanwhile.
    publisher.live(0, 25, 25, 25, false);
    publisher.live_shifted(1000, 16_000, 25 * 9, 25, 25, false);
    let durations = publisher.durations("video-1");
    assert!(durations.len() >= 4 && durations.iter().all(|&millis| millis <= 2000), "{durations:?}");
    check(publisher.presentation());
}

#[test]
fn a_small_step_back_is_squeezed_not_a_new_period() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 4, 25, 50, true);
    publisher.live_shifted(4000, -200, 25 * 4, 25, 50, true);
    assert!(publisher.segments("video-1").iter().all(|s| s.period.number == FIRST));
    check(publisher.presentation());
}

#[test]
fn audio_only_and_video_only_play() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(false, true);
    publisher.packager.track(TrackId::AUDIO, common::audio_track());
    audio_for(&mut publisher, 0, 10_000);
    assert_eq!(publisher.presentation().renditions.len(), 1);
    assert!(publisher.durations("audio-1").iter().all(|&d| (1800..2000).contains(&d)));
    check(publisher.presentation());

    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(0, 25 * 6, 25, 50, false);
    assert_eq!(publisher.presentation().renditions.len(), 1);
    assert_eq!(publisher.durations("video-1"), [2000, 2000]);
}

#[test]
fn a_track_that_was_announced_and_never_comes_is_waited_for_two_seconds() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(true, true);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(0, 25 * 6, 25, 50, false);
    let video = publisher.segments("video-1");
    assert_eq!(publisher.presentation().renditions.len(), 1);
    assert_eq!(video[0].wall_time(), START, "what arrived during the wait is not lost");
    assert_eq!(publisher.durations("video-1"), [2000, 2000]);
}

#[test]
fn a_track_that_appears_later_opens_a_new_period() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(0, 25 * 10, 25, 50, false);
    publisher.packager.track(TrackId::AUDIO, common::audio_track());
    publisher.live(10_000, 25 * 6 + 1, 25, 50, true);
    let (video, audio) = (publisher.segments("video-1"), publisher.segments("audio-1"));
    assert_eq!(audio[0].period.number, FIRST + 1);
    assert_eq!(audio[0].number, FIRST + 5);
    assert!(video.iter().all(|s| s.period.number == if s.number < FIRST + 5 { FIRST } else { FIRST + 1 }));
    assert_eq!(publisher.durations("video-1"), [2000; 8]);
    check(publisher.presentation());
}

#[test]
fn no_rendition_is_named_before_it_has_a_segment() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 53, 25, 50, true);
    assert!(publisher.presentation().renditions.iter().all(|r| !r.segments.is_empty()));

    let mut back = Publisher::resuming(settings(), publisher.packager.numbers().clone(), true);
    back.interrupt();
    let mut back = back.both();
    for frame in 0..55 {
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        back.push(TrackId::VIDEO, frame * 40, 0, sync);
        back.push(TrackId::AUDIO, frame * 40, 0, Sync::Yes);
        let made = back.packager.presentation();
        assert!(made.is_none_or(|made| made.renditions.iter().all(|r| !r.segments.is_empty())));
    }
    assert!(back.packager.presentation().is_some());

    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(0, 25 * 4, 25, 50, false);
    publisher.packager.track(TrackId::AUDIO, common::audio_track());
    publisher.live(4000, 25, 25, 50, true);
    let playlist = packager::manifest::hls::multivariant(
        publisher.presentation(),
        &packager::manifest::Options::default(),
    );
    assert!(publisher.rendition("audio-1").open.is_some() && !playlist.contains("audio"), "{playlist}");
    publisher.live(5000, 52, 25, 25, true);
    let playlist = packager::manifest::hls::multivariant(
        publisher.presentation(),
        &packager::manifest::Options::default(),
    );
    assert!(playlist.contains("audio-1.m3u8"), "{playlist}");
}

#[test]
fn a_dash_period_is_shown_with_all_its_adaptation_sets_or_not_at_all() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 4, 25, 50, true);
    publisher.interrupt();
    publisher.packager.begin();
    let mut publisher = publisher.both();
    let mut shown = 0;
    for frame in 0..150 {
        let at = 8000 + frame * 40;
        publisher.elapsed = Duration::from_millis(at as u64);
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, at, 0, sync);
        // Audio that lags by a third of a second.
        publisher.push(TrackId::AUDIO, at - 333, 0, Sync::Yes);
        let mpd =
            packager::manifest::dash::mpd(publisher.presentation(), &packager::manifest::Options::default());
        let periods: Vec<&str> = mpd.split("<Period ").skip(1).collect();
        assert!(periods.iter().all(|period| period.matches("<AdaptationSet").count() == 2), "{mpd}");
        shown = shown.max(periods.len());
    }
    assert_eq!(shown, 2);
}

#[test]
fn discontinuity_sequences_stay_small_and_never_go_back() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    let of = |publisher: &Publisher| publisher.segments("video-1").last().expect("one").period.discontinuity;
    assert_eq!(of(&publisher), 0);
    let numbers = publisher.packager.numbers().clone();
    let mut back = Publisher::resuming(settings(), numbers, true).both();
    back.live(8000, 25 * 5, 25, 50, true);
    assert_eq!(of(&back), 1);
    let playlist = packager::manifest::hls::media(
        back.presentation(),
        back.rendition("video-1"),
        &packager::manifest::Options::default(),
    );
    assert!(
        playlist.contains("#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-IND"),
        "the burnt number's: {playlist}"
    );
}

#[test]
fn late_video_opens_a_new_period_at_its_first_keyframe() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(false, true);
    publisher.packager.track(TrackId::AUDIO, common::audio_track());
    audio_for(&mut publisher, 0, 5000);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(5000, 25 * 6 + 1, 25, 50, true);
    let video = publisher.segments("video-1");
    assert_eq!((video[0].period.number, video[0].start), (FIRST + 1, 0));
    assert_eq!(publisher.durations("video-1"), [2000; 3]);
    check(publisher.presentation());
}

#[test]
fn audio_with_another_configuration_is_in_the_next_period_alone() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    let before = publisher.rendition("audio-1").init().cloned().expect("audio");
    let mono = Aac::parse(Bytes::from_static(&[0x11, 0x88])).expect("valid");
    let track = Track::new(Codec::Aac(mono), Timescale::MILLIS);
    publisher.packager.track(TrackId::AUDIO, track);
    let parts = |publisher: &Publisher| -> usize {
        let audio = publisher.rendition("audio-1");
        let open = audio.open.as_ref().map_or(0, |open| open.parts.len());
        open + audio.segments.values().map(|segment| segment.parts().len()).sum::<usize>()
    };
    let made = parts(&publisher);
    for at in (5000..6000).step_by(40) {
        publisher.elapsed = Duration::from_millis(at as u64);
        publisher.push(TrackId::AUDIO, at, 0, Sync::Yes);
        publisher.push(TrackId::VIDEO, at, 0, Sync::No);
    }
    assert!(parts(&publisher) <= made + 1, "nothing more goes out under the old configuration");
    publisher.live(6000, 25 * 5, 25, 50, true);
    let last = publisher.segments("audio-1").last().cloned().expect("audio");
    let init = last.init().expect("media");
    assert_eq!(init.period, before.period + 1);
    assert_ne!(init.track, before.track);
    check(publisher.presentation());
}

#[test]
fn a_number_that_the_clock_alone_brings_about_is_burnt_too() {
    let mut rose = false;
    for until in (7800..8200).step_by(7) {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, 25 * 5, 25, 50, true);
        // Video falls silent. The last audio frame makes that certain, and it is the clock that lets it go.
        audio_for(&mut publisher, 5000, until);
        let before = publisher.packager.numbers().segment;
        publisher.tick(Duration::from_millis(until as u64 + 2000));
        let open = publisher.presentation().renditions.iter().filter_map(|r| r.open.as_ref());
        let visible = open.map(|open| open.number).max().unwrap_or(0);
        assert!(publisher.packager.numbers().segment >= visible);
        rose |= visible > before;
    }
    assert!(rose, "the clock never brought about a number");
}

#[test]
fn audio_that_stops_leaves_gaps_and_its_return_a_new_period() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 6, 25, 50, true);
    publisher.live(6000, 25 * 10, 25, 50, false);
    let audio = publisher.rendition("audio-1").clone();
    assert!(!audio.alive(), "newcomers are not told of it");
    assert!(audio.last().is_some_and(|last| last.is_gap()));
    assert_eq!(publisher.presentation().spans.len(), 2, "DASH gets a Period without it");
    publisher.live(16_000, 25 * 6 + 1, 25, 50, true);
    assert!(publisher.rendition("audio-1").alive());
    let video = publisher.segments("video-1");
    assert_eq!(video.last().map(|s| s.period.number), Some(FIRST + 1));
    assert_eq!(publisher.durations("video-1"), [2000; 11]);
    let lasts: Vec<_> = ["video-1", "audio-1"].iter().map(|n| publisher.segments(n).len()).collect();
    assert!(lasts[0] - lasts[1] <= 1, "both list every number: {lasts:?}");
    check(publisher.presentation());
}

#[test]
fn video_that_stops_hands_the_boundaries_to_the_audio() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 6, 25, 50, true);
    audio_for(&mut publisher, 6000, 20_000);
    assert!(!publisher.rendition("video-1").alive());
    assert!(
        publisher.durations("audio-1").iter().all(|&d| d <= 2022),
        "{:?}",
        publisher.durations("audio-1")
    );
    publisher.live(20_000, 25 * 6 + 1, 25, 50, true);
    assert!(publisher.rendition("video-1").alive());
    assert_eq!(publisher.segments("video-1").last().map(|s| s.period.number), Some(FIRST + 1));
    check(publisher.presentation());
}

/// One picture that is shown long before it is decoded, and audio that goes on where that was.
#[test]
fn a_hole_where_the_audio_takes_over_is_listed_in_segments_of_the_target_duration() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.packager.track(TrackId::AUDIO, audio_track());
    audio_for(&mut publisher, 0, 16_000);
    publisher.push(TrackId::VIDEO, 23_000, -19_000, Sync::Yes);
    audio_for(&mut publisher, 16_000, 32_000);
    for name in ["video-1", "audio-1"] {
        let durations = publisher.durations(name);
        assert!(durations.iter().all(|&millis| millis <= 2450), "{name}: {durations:?}");
    }
    check(publisher.presentation());
}

/// The audio was let go as too far from the keyframe; what is decoded at another time is not what is shown then.
#[test]
fn a_track_is_placed_by_when_it_is_shown() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.packager.track(TrackId::AUDIO, audio_track());
    audio_for(&mut publisher, 0, 26_000);
    for frame in 1..40i64 {
        publisher.elapsed += Duration::from_millis(1500);
        let sync = if frame == 1 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, frame * 6000, 10_000, sync);
    }
    for name in ["video-1", "audio-1"] {
        let durations = publisher.durations(name);
        assert!(durations.iter().all(|&millis| millis <= 2450), "{name}: {durations:?}");
    }
    check(publisher.presentation());
}

#[test]
fn a_skew_of_five_seconds_between_the_tracks_is_kept() {
    for skew in [5000, -5000] {
        let mut publisher = Publisher::new(settings()).both();
        for frame in 0..750 {
            publisher.elapsed = Duration::from_millis(frame * 40);
            let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
            publisher.push(TrackId::VIDEO, 10_000 + frame as i64 * 40, 0, sync);
            for audio in (frame * 15 / 8)..((frame + 1) * 15 / 8) {
                publisher.push(TrackId::AUDIO, 10_000 + skew + audio as i64 * 64 / 3, 0, Sync::Yes);
            }
        }
        assert!(publisher.segments("video-1").iter().all(|s| s.period.number == FIRST), "skew {skew}");
        let alive = publisher.segments("audio-1").iter().filter(|s| !s.is_gap()).count();
        assert!(alive >= 10, "skew {skew}: {alive} segments with audio");
        check(publisher.presentation());
    }
}

#[test]
fn open_gops_are_cut_at_their_pictures_without_claiming_independence() {
    let mut publisher = Publisher::new(settings()).both();
    for frame in 0..201 {
        publisher.elapsed = Duration::from_millis(frame * 40);
        publisher.push(TrackId::AUDIO, frame as i64 * 40, 0, Sync::Yes);
        let sync = match frame % 50 {
            0 if frame == 0 => Sync::Yes,
            0 => Sync::Recovery,
            _ => Sync::No,
        };
        publisher.push(TrackId::VIDEO, frame as i64 * 40, 0, sync);
    }
    assert_eq!(publisher.durations("video-1"), [2000; 4]);
    let independent: Vec<_> = publisher.segments("video-1").iter().map(|s| s.independent()).collect();
    assert_eq!(independent, [true, false, false, false]);
    assert!(!publisher.rendition("video-1").independent);
}

#[test]
fn a_stalled_part_is_closed_by_the_clock_and_what_follows_has_no_gap() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    let parts = |publisher: &Publisher| {
        let open = publisher.rendition("video-1").open.clone().expect("open");
        open.parts.iter().map(|part| part.duration).sum::<i64>()
    };
    let before = parts(&publisher);
    let due = publisher.packager.deadline(publisher.now().instant).expect("something is due");
    assert!(due > publisher.now().instant);
    publisher.tick(Duration::from_millis(4960 + 750));
    assert_eq!(parts(&publisher), 90_000, "all 25 pictures of the second, {before} before");
    publisher.live(5800, 25 * 5, 25, 50, true);
    assert!(publisher.segments("video-1").iter().all(|s| s.period.number == FIRST));
    check(publisher.presentation());
}

#[test]
fn parts_are_at_most_the_target_and_at_least_85_percent_of_it_unless_last() {
    for fps in [24, 25, 30, 50, 60] {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, fps * 10, fps, fps * 2, true);
        for name in ["video-1", "audio-1"] {
            for segment in publisher.segments(name) {
                let (last, rest) = segment.parts().split_last().expect("parts");
                let millis = |ticks: i64| ticks * 1000 / i64::from(segment.scale.hz());
                assert!(rest.iter().all(|part| (425..=500).contains(&millis(part.duration))), "{fps} {name}");
                assert!(millis(last.duration) <= 500);
            }
        }
    }
}

#[test]
fn the_part_target_is_at_least_two_frames() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 20, 1, 2, true);
    assert_eq!(publisher.presentation().session.part_target, Duration::from_millis(2003));
}

#[test]
fn an_encoder_clock_that_lags_gets_a_new_anchor() {
    let mut publisher = Publisher::new(settings()).both();
    for second in 0..120 {
        // Two percent slow.
        for frame in 0..25 {
            let dts = second * 1000 + frame * 40;
            publisher.elapsed = Duration::from_millis((dts + dts / 50) as u64);
            publisher.push(TrackId::AUDIO, dts, 0, Sync::Yes);
            let sync = if frame == 0 { Sync::Yes } else { Sync::No };
            publisher.push(TrackId::VIDEO, dts, 0, sync);
        }
    }
    let presentation: &Presentation = publisher.presentation();
    let last = publisher.segments("video-1").last().cloned().expect("segments");
    assert!(last.period.number > FIRST);
    let off = (publisher.now().wall - last.wall_time()).micros();
    assert!(off < 5_000_000, "the date is {off} µs behind");
    check(presentation);
}

#[test]
fn a_wall_clock_that_steps_back_moves_no_date() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    publisher.interrupt();
    let numbers = Numbers { closed: true, ..publisher.packager.numbers().clone() };
    let until = numbers.until;
    let mut back = Publisher::resuming(settings(), numbers, true).both();
    // Its clock begins at START again: five seconds earlier.
    back.live(0, 25 * 5, 25, 50, true);
    assert!(back.segments("video-1")[0].wall_time() >= until);
}

#[test]
fn after_an_unclean_end_numbers_go_on_beyond_what_may_have_been_seen() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    let numbers = publisher.packager.numbers().clone();
    assert!(!numbers.closed);
    let seen = publisher.rendition("video-1").open.as_ref().expect("open").number;
    assert_eq!(numbers.segment, seen);
    let mut back = Publisher::resuming(settings(), numbers.clone(), true).both();
    back.live(8000, 25 * 5, 25, 50, true);
    assert_eq!(back.segments("video-1")[0].number, seen + 1);
    assert_eq!(back.presentation().session.id, publisher.presentation().session.id);
    assert_eq!(back.presentation().session.burnt, Some(seen));
    let playlist = packager::manifest::hls::media(
        back.presentation(),
        back.rendition("video-1"),
        &packager::manifest::Options::default(),
    );
    assert!(playlist.contains(&format!("#EXT-X-MEDIA-SEQUENCE:{seen}\n")), "{playlist}");
    assert!(playlist.contains(&format!("#EXT-X-GAP\n#EXTINF:2.000000,\nvideo-1/{seen}.m4s\n")), "{playlist}");
    assert!(matches!(back.rendition("video-1").segment(seen), Lookup::Gone));
}

#[test]
fn what_left_the_playlist_stays_as_long_as_the_longest_playlist() {
    let mut publisher = Publisher::new(Settings { window: Duration::from_secs(10), ..settings() }).both();
    publisher.live(0, 25 * 100, 25, 50, true);
    let video = publisher.rendition("video-1");
    assert_eq!(video.window().count(), 5);
    assert!((11..=12).contains(&video.segments.size()), "{}", video.segments.size());
    let oldest = *video.segments.keys().next().expect("one");
    assert!(matches!(video.segment(oldest - 1), Lookup::Gone));
    assert!(matches!(video.segment(u64::MAX), Lookup::NotYet));
}

#[test]
fn a_publisher_whose_clock_stands_still_meets_bounds() {
    let limits = packager::Limits { rendition_bytes: 100_000, segment_samples: 100, ..Default::default() };
    let mut publisher = Publisher::new(Settings { limits, ..settings() }).both();
    publisher.live(0, 25 * 5, 25, 50, true);
    for _ in 0..10_000 {
        publisher.push(TrackId::VIDEO, 5000, 0, Sync::No);
        publisher.push(TrackId::AUDIO, 5000, 0, Sync::Yes);
    }
    let held: u64 = publisher.segments("video-1").iter().map(|segment| segment.len()).sum();
    assert!(held <= 150_000, "{held} bytes held");
    check(publisher.presentation());
}

/// A keyframe each time, half a minute from the last: each makes a segment of one frame, or of less.
#[test]
fn timestamps_that_jump_all_the_time_make_no_endless_playlist() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.live(0, 25 * 5, 25, 50, false);
    for jump in 1..20_000 {
        publisher.push(TrackId::VIDEO, 5000 + jump % 2 * 30_000, 0, Sync::Yes);
    }
    let video = publisher.rendition("video-1");
    assert!(video.window().count() <= 300, "{} listed", video.window().count());
    assert!(video.segments.size() <= 640, "{} held", video.segments.size());
    assert!(publisher.presentation().spans.len() <= 640);
    check(publisher.presentation());
}

#[test]
fn a_rendition_that_died_long_ago_holds_one_segment_and_no_spans() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 60, 25, 50, true);
    for outage in 1..20i64 {
        publisher.interrupt();
        publisher.packager.begin();
        publisher.packager.announce(true, false);
        publisher.packager.track(TrackId::VIDEO, common::video_track());
        publisher.live(outage * 61_000, 25 * 60, 25, 50, false);
    }
    assert_eq!(publisher.rendition("audio-1").segments.size(), 1);
    assert!(publisher.presentation().spans.len() <= 3, "{}", publisher.presentation().spans.len());
    check(publisher.presentation());
}

#[test]
fn the_presentation_is_the_fold_of_the_log() {
    let mut publisher = Publisher::new(settings()).both();
    publisher.live(0, 25 * 20, 25, 50, true);
    publisher.end();
    let made = publisher.presentation();
    let mut folded = Presentation::new(made.session.clone(), START);
    for record in publisher.log.clone() {
        folded.apply(record, START);
    }
    folded.published = made.published;
    assert!(folded == *made);
}

#[test]
fn the_same_samples_and_numbers_give_the_same_bytes() {
    let run = || {
        let mut publisher = Publisher::new(settings()).both();
        publisher.live(0, 25 * 20, 25, 50, true);
        publisher.end();
        publisher
    };
    assert!(run().log == run().log);
    let kinds: Vec<Kind> = run().presentation().renditions.iter().map(|r| r.kind).collect();
    assert_eq!(kinds.len(), 2);
}
