//! Several tracks of a kind in one push: renditions of one switching set, and sounds beside each other.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{FIRST, Publisher, audio_track, check, video_track};
use media::codec::{Aac, Hevc};
use media::{Codec, Kind, Sync, Timescale, Track, TrackId};
use packager::manifest::{Options, dash, hls};
use packager::{Notice, Settings};

const VIDEO_2: TrackId = TrackId { kind: Kind::Video, index: 1 };
const VIDEO_3: TrackId = TrackId { kind: Kind::Video, index: 2 };
const AUDIO_2: TrackId = TrackId { kind: Kind::Audio, index: 1 };
const PICTURES: [TrackId; 3] = [TrackId::VIDEO, VIDEO_2, VIDEO_3];

/// 25 fps with a keyframe every two seconds in each of the pictures, and AAC in each of the sounds, from `from` ms on.
/// Where they come at the same moment, `sound_first` says which.
fn send(publisher: &mut Publisher, from: i64, seconds: i64, tracks: &[TrackId], sound_first: bool) {
    let mut sounds = 0;
    for frame in 0..seconds * 25 {
        let at = frame * 40;
        publisher.elapsed = Duration::from_millis((from + at) as u64);
        let kinds = if sound_first { [Kind::Audio, Kind::Video] } else { [Kind::Video, Kind::Audio] };
        for kind in kinds {
            let of = || tracks.iter().filter(|id| id.kind == kind);
            if kind == Kind::Video {
                let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
                of().for_each(|&id| publisher.push(id, from + at, 0, sync));
                continue;
            }
            while sounds * 64 / 3 <= at {
                of().for_each(|&id| publisher.push(id, from + sounds * 64 / 3, 0, Sync::Yes));
                sounds += 1;
            }
        }
    }
}

fn describe(publisher: &mut Publisher, tracks: &[TrackId]) {
    for &id in tracks {
        let track = if id.kind == Kind::Video { video_track() } else { audio_track() };
        publisher.packager.track(id, track);
    }
}

fn numbers(publisher: &Publisher, name: &str) -> Vec<(u64, bool)> {
    let segments = publisher.segments(name);
    segments.iter().map(|segment| (segment.number - FIRST, segment.is_gap())).collect()
}

#[test]
fn all_pictures_of_a_push_are_one_switching_set() {
    for sound_first in [true, false] {
        let mut publisher = Publisher::new(Settings::default());
        let all = [&PICTURES[..], &[TrackId::AUDIO, AUDIO_2]].concat();
        publisher.packager.announce(true, true);
        describe(&mut publisher, &all);
        send(&mut publisher, 0, 20, &all, sound_first);
        let first = numbers(&publisher, "video-1");
        assert!(first.len() >= 9 && first.iter().all(|&(_, gap)| !gap));
        for name in ["video-2", "video-3"] {
            assert_eq!(numbers(&publisher, name), first, "{name}: all of them from the first on");
            let starts = |name| publisher.segments(name).iter().map(|it| it.start).collect::<Vec<_>>();
            assert_eq!(starts(name), starts("video-1"), "at the same ticks");
        }
        assert!(numbers(&publisher, "audio-2").iter().all(|&(_, gap)| !gap));
        assert_eq!(publisher.packager.counts().periods, 1);
        assert_eq!(publisher.packager.take_notices(), []);
        let playlist = hls::multivariant(publisher.presentation(), &Options::default());
        assert_eq!(playlist.matches("#EXT-X-STREAM-INF").count(), 3, "{playlist}");
        let mpd = dash::mpd(publisher.presentation(), &Options::default());
        assert_eq!(mpd.matches("contentType=\"video\"").count(), 1, "{mpd}");
        check(publisher.presentation());
    }
}

#[test]
fn pictures_that_are_described_late_join_the_running_period() {
    let mut publisher = Publisher::new(Settings::default());
    describe(&mut publisher, &[TrackId::VIDEO, TrackId::AUDIO]);
    send(&mut publisher, 0, 10, &[TrackId::VIDEO, TrackId::AUDIO], false);
    let all = [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO, AUDIO_2];
    describe(&mut publisher, &all);
    send(&mut publisher, 10_000, 10, &all, false);
    assert_eq!(publisher.packager.counts().periods, 1);
    for name in ["video-2", "audio-2"] {
        let media = numbers(&publisher, name);
        let there = media.iter().filter(|&&(_, gap)| !gap);
        assert!(there.clone().count() >= 3, "{name}: {media:?}");
        assert!(there.clone().all(|&(number, _)| number > 4), "{name}: {media:?}");
    }
    check(publisher.presentation());
}

/// One that falls silent leaves gaps, and the others go on.
#[test]
fn pictures_that_stop_take_nobody_with_them() {
    for (gone, left) in [(VIDEO_2, TrackId::VIDEO), (TrackId::VIDEO, VIDEO_2)] {
        let mut publisher = Publisher::new(Settings::default());
        let all = [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO];
        describe(&mut publisher, &all);
        send(&mut publisher, 0, 10, &all, false);
        send(&mut publisher, 10_000, 20, &[left, TrackId::AUDIO], false);
        assert_eq!(publisher.packager.counts().periods, 1, "without {gone}");
        let there = numbers(&publisher, &left.to_string());
        assert!(there.len() >= 13 && there.iter().all(|&(_, gap)| !gap), "without {gone}: {there:?}");
        assert!(numbers(&publisher, &gone.to_string()).iter().any(|&(_, gap)| gap), "{gone}");
        check(publisher.presentation());
    }
}

#[test]
fn a_sound_that_changes_begins_one_period_for_all() {
    let mut publisher = Publisher::new(Settings::default());
    let all = [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO, AUDIO_2];
    describe(&mut publisher, &all);
    send(&mut publisher, 0, 10, &all, false);
    let mono = Aac::parse(Bytes::from_static(&[0x11, 0x88])).expect("valid");
    publisher.packager.track(AUDIO_2, Track { codec: Codec::Aac(mono), ..audio_track() });
    send(&mut publisher, 10_000, 10, &all, false);
    assert_eq!(publisher.packager.counts().periods, 2);
    let notices = publisher.packager.take_notices();
    assert!(matches!(&notices[..], [Notice::TrackChanged { rendition }] if &**rendition == "audio-2"));
    for name in ["video-1", "video-2", "audio-1", "audio-2"] {
        let segments = publisher.segments(name);
        let later = segments.iter().filter(|segment| segment.start_time().micros() < 1_000_000);
        assert_eq!(later.count(), 2, "{name} begins with each period");
        assert!(segments.iter().all(|segment| !segment.is_gap()), "{name}");
    }
    check(publisher.presentation());
}

/// As an ffmpeg sends them by MPEG-TS: packets of sound come when they are full.
#[test]
fn sound_that_comes_behind_the_pictures_is_whole_where_they_change() {
    const BEHIND: i64 = 480;
    let mut publisher = Publisher::new(Settings::default()).both();
    let mut sounds = 0;
    for frame in 0..20 * 25 {
        let at = frame * 40;
        publisher.elapsed = Duration::from_millis(at as u64);
        if frame == 10 * 25 {
            let other =
                Hevc::parse(Bytes::from_static(include_bytes!("common/hvcc-1080p-pq.bin"))).expect("valid");
            publisher.packager.track(TrackId::VIDEO, Track::new(Codec::Hevc(other), Timescale::MILLIS));
        }
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, at, 0, sync);
        while at >= BEHIND && sounds * 64 / 3 <= at - BEHIND {
            publisher.push(TrackId::AUDIO, sounds * 64 / 3, 0, Sync::Yes);
            sounds += 1;
        }
        // dash.js goes to the end of a Period that it knows to be over, and may stay there until the next is listed.
        let mpd = publisher.packager.presentation().map(|it| dash::mpd(it, &Options::default()));
        let newest = mpd.as_ref().and_then(|mpd| mpd.lines().rfind(|line| line.contains("<Period ")));
        assert!(newest.is_none_or(|newest| !newest.contains("duration=")), "at {at}: {newest:?}");
    }
    let counts = publisher.packager.counts();
    assert_eq!((counts.periods, counts.dropped), (2, 0));
    let sound = publisher.segments("audio-1");
    let ends = sound.iter().filter(|it| it.period.number == sound[0].period.number);
    let end = ends.map(|it| it.start_time().micros() + it.span().micros()).max().expect("segments");
    assert!((9_980_000..=10_022_000).contains(&end), "{end}");
    let pictures = publisher.segments("video-1");
    let first =
        pictures.iter().find(|it| it.period.number != pictures[0].period.number).expect("two periods");
    assert!(first.start_time().micros() < 22_000, "the next begins where the pictures change: {first:?}");
    check(publisher.presentation());
}

/// Of a push that goes back: all of its tracks step at once.
#[test]
fn timestamps_that_step_begin_one_period_for_all() {
    let mut publisher = Publisher::new(Settings::default());
    let all = [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO];
    describe(&mut publisher, &all);
    send(&mut publisher, 0, 10, &all, true);
    send(&mut publisher, 100_000, 10, &all, true);
    assert_eq!(publisher.packager.counts().periods, 2);
    assert_eq!(numbers(&publisher, "video-2"), numbers(&publisher, "video-1"));
    check(publisher.presentation());
}
