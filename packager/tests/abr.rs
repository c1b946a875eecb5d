//! Several pushes into one presentation: boundaries that all renditions share, one sound, and pushes that come and go.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::transport::Transport;
use common::witness::Witness;
use common::{FIRST, START, audio_track, check, check_each, moof, video_track};
use media::codec::Aac;
use media::{Codec, Kind, Sample, Sync, Timescale, Track, TrackId, WallTime};
use packager::manifest::{Options, dash, hls};
use packager::ts::Program;
use packager::{FeedId, Notice, Now, Numbers, Packager, Presentation, Record, Rendition, Segment, Settings};
use proptest::prelude::*;

/// A packager with several encoders before it. All times are milliseconds.
struct Studio {
    packager: Packager,
    log: Vec<Record>,
    notices: Vec<Notice>,
    witness: Witness,
    base: Instant,
    pushes: Vec<Push>,
    clock: i64,
}

/// One output of an encoder.
#[derive(Clone, Debug)]
struct Push {
    name: Option<&'static str>,
    /// Frames per second as a fraction.
    rate: (i64, i64),
    /// Frames between keyframes.
    gop: i64,
    /// Frames between the first picture and the first keyframe.
    phase: i64,
    /// Its timestamp when it begins.
    stamp: i64,
    /// When it begins.
    begins: i64,
    /// How long media takes from there to here.
    delay: i64,
    /// When its sound is on: from, until.
    sound: (i64, i64),
    channels: u8,
    /// When it goes.
    ends: i64,
    /// From when on its stamps are off, and by how much.
    step: (i64, i64),
    feed: Option<FeedId>,
    pictures: i64,
    frames: i64,
}

const NEVER: i64 = i64::MAX / 4;

/// 25 fps with a keyframe every two seconds, and sound.
fn push(name: &'static str) -> Push {
    Push {
        name: Some(name),
        rate: (25, 1),
        gop: 50,
        phase: 0,
        stamp: 0,
        begins: 0,
        delay: 0,
        sound: (0, NEVER),
        channels: 2,
        ends: NEVER,
        step: (NEVER, 0),
        feed: None,
        pictures: 0,
        frames: 0,
    }
}

impl Push {
    /// When its next sample arrives, and whether that is a picture.
    fn next(&self) -> (i64, bool) {
        let picture = self.picture_at() + self.begins + self.delay;
        let mut sound = self.sound_at() + self.begins + self.delay;
        if !(self.sound.0..self.sound.1).contains(&(sound - self.delay)) {
            sound = NEVER;
        }
        (picture.min(sound), picture <= sound)
    }

    fn picture_at(&self) -> i64 {
        let (frames, per) = self.rate;
        (self.pictures * 1000 * per + frames / 2) / frames
    }

    fn sound_at(&self) -> i64 {
        (self.frames * 64 + 1) / 3
    }

    fn off(&self, at: i64) -> i64 {
        self.stamp + if at + self.begins >= self.step.0 { self.step.1 } else { 0 }
    }
}

impl Studio {
    fn new(pushes: impl IntoIterator<Item = Push>) -> Studio {
        let packager = Packager::new(Arc::new(Settings::default()), Numbers::unknown(START), false);
        let (log, notices, pushes) = (Vec::new(), Vec::new(), pushes.into_iter().collect());
        let witness = Witness::default();
        Studio { packager, log, notices, witness, base: Instant::now(), pushes, clock: 0 }
    }

    fn now(&self) -> Now {
        let wall = WallTime::from_millis(START.micros() / 1000 + self.clock);
        Now { instant: self.base + Duration::from_millis(self.clock as u64), wall }
    }

    /// Everything up to that time, in order of arrival.
    fn until(&mut self, end: i64) -> &mut Studio {
        loop {
            let due = |push: &Push| push.next().0.min(push.ends);
            let Some(at) = (0..self.pushes.len()).min_by_key(|&at| due(&self.pushes[at])) else { break };
            let when = due(&self.pushes[at]);
            if when >= end {
                break;
            }
            self.tick(when);
            if when >= self.pushes[at].ends {
                let push = self.pushes.remove(at);
                push.feed.into_iter().for_each(|feed| self.packager.leave(feed, self.now()));
            } else {
                self.send(at);
            }
            self.take_log();
            self.notices.extend(self.packager.take_notices());
        }
        self.tick(end);
        self
    }

    fn tick(&mut self, to: i64) {
        while let Some(due) = self.packager.deadline(self.now().instant) {
            let due = (due - self.base).as_millis() as i64 + 1;
            if due > to || due <= self.clock {
                break;
            }
            self.clock = due;
            self.packager.tick(self.now());
            self.take_log();
        }
        self.clock = self.clock.max(to);
    }

    fn take_log(&mut self) {
        let made = self.packager.take_log();
        if made.iter().any(|record| matches!(record, Record::Segment { .. } | Record::Closed { .. })) {
            self.witness.look(self.packager.presentation());
        }
        self.log.extend(made);
    }

    fn send(&mut self, at: usize) {
        let now = self.now();
        let push = &mut self.pushes[at];
        let packager = &mut self.packager;
        let feed = *push.feed.get_or_insert_with(|| {
            let feed = packager.join(push.name);
            packager.announce_of(feed, true, push.sound.1 > 0);
            packager.track_of(feed, TrackId::VIDEO, video_track());
            if push.sound.1 > 0 {
                packager.track_of(feed, TrackId::AUDIO, sound(push.channels));
            }
            feed
        });
        let (_, picture) = push.next();
        if picture {
            let key = push.pictures >= push.phase && (push.pictures - push.phase) % push.gop == 0;
            let dts = push.picture_at();
            let data = format!("{:?} picture {}", push.name, push.pictures);
            let sample = sample(dts + push.off(dts), if key { Sync::Yes } else { Sync::No }, data);
            push.pictures += 1;
            packager.push_of(feed, TrackId::VIDEO, sample, now);
        } else {
            let dts = push.sound_at();
            let data = format!("{:?} sound {}", push.name, push.frames);
            let sample = sample(dts + push.off(dts), Sync::Yes, data);
            push.frames += 1;
            packager.push_of(feed, TrackId::AUDIO, sample, now);
        }
    }

    fn presentation(&self) -> &Presentation {
        self.packager.presentation().expect("something was made")
    }

    fn rendition(&self, name: &str) -> &Arc<Rendition> {
        self.presentation().rendition(name).expect("rendition")
    }

    fn segments(&self, name: &str) -> Vec<Arc<Segment>> {
        self.rendition(name).segments.values().cloned().collect()
    }

    fn names(&self) -> Vec<&str> {
        self.presentation().renditions.iter().map(|rendition| &*rendition.name).collect()
    }

    fn periods(&self) -> BTreeSet<u64> {
        let all = self.presentation().renditions.iter().flat_map(|rendition| rendition.segments.values());
        all.map(|segment| segment.period.number - FIRST).collect()
    }

    /// Numbers of the segments that a rendition has with media, from zero.
    fn media(&self, name: &str) -> Vec<u64> {
        let segments = self.segments(name);
        segments.iter().filter(|segment| !segment.is_gap()).map(|segment| segment.number - FIRST).collect()
    }

    /// What every rendition keeps: [`check`], and the pushes whose sound it has, in order.
    fn sounds(&self) -> Vec<String> {
        let mut heard: Vec<String> = Vec::new();
        for payload in payloads(self.rendition("audio-1")) {
            let of = payload.split('"').nth(1).unwrap_or_default().to_owned();
            if heard.last() != Some(&of) {
                heard.push(of);
            }
        }
        heard
    }
}

fn sample(dts: i64, sync: Sync, data: String) -> Sample {
    Sample { dts, composition_offset: 0, duration: 0, sync, data: data.into_bytes().into() }
}

fn sound(channels: u8) -> Track {
    match channels {
        2 => audio_track(),
        _ => {
            let mono = Aac::parse(Bytes::from_static(&[0x11, 0x88])).expect("valid");
            Track::new(Codec::Aac(mono), Timescale::MILLIS)
        }
    }
}

/// Every sample of a rendition as text.
fn payloads(rendition: &Rendition) -> Vec<String> {
    let mut out = Vec::new();
    for part in rendition.segments.values().flat_map(|segment| segment.parts()) {
        let payload: Vec<u8> = part.payload.iter().flatten().copied().collect();
        let mut rest = &payload[..];
        for entry in moof(&part.header).traf[0].trun[0].samples.iter() {
            let (one, more) = rest.split_at(entry.size.expect("a size") as usize);
            out.push(String::from_utf8_lossy(one).into_owned());
            rest = more;
        }
    }
    out
}

/// How far apart segments of one number begin in two renditions at most, in microseconds.
fn apart(studio: &Studio, one: &str, other: &str) -> i64 {
    let others = studio.segments(other);
    let beside = |segment: &Arc<Segment>| {
        let other = others.iter().find(|other| other.number == segment.number && !other.is_gap())?;
        let same = other.period.number == segment.period.number && !segment.is_gap();
        same.then(|| (other.start_time().micros() - segment.start_time().micros()).abs())
    };
    studio.segments(one).iter().filter_map(beside).max().expect("segments of one number")
}

/// RFC 8216bis §6.2.4: segments of one number have matching timestamps in all variants. To the tick, because the outputs
/// of one encoder have the same rounded timestamps.
#[test]
fn outputs_of_one_encoder_have_equal_boundaries_to_the_tick() {
    for (rate, gop) in [((25, 1), 50), ((30_000, 1001), 60), ((24_000, 1001), 48), ((60, 1), 120)] {
        let output = |name, begins| Push { rate, gop, delay: begins, ..push(name) };
        let mut studio = Studio::new([output("1080p", 0), output("720p", 120), output("480p", 340)]);
        studio.until(30_000);
        assert_eq!(studio.names().len(), 4, "{:?}", studio.names());
        for other in ["video-720p", "video-480p"] {
            assert_eq!(apart(&studio, "video-1080p", other), 0, "{rate:?} {other}");
            assert_eq!(studio.media(other), studio.media("video-1080p"), "all of them from the first on");
            assert!(studio.rendition(other).independent);
        }
        assert_eq!(studio.packager.counts().misaligned, 0);
        assert_eq!(studio.presentation().spans.len(), 1);
        assert!(studio.notices.is_empty(), "{:?}", studio.notices);
        check(studio.presentation());
    }
}

/// RFC 8216bis §4.4.6.2.1 and §6.2.4: one audio group for all variants; ISO/IEC 23009-1 §5.3.3.1: one AdaptationSet.
#[test]
fn the_manifests_have_one_switching_set_and_one_sound() {
    let mut studio = Studio::new([push("1080p"), push("720p"), push("480p")]);
    studio.until(12_000);
    let playlist = hls::multivariant(studio.presentation(), &Options::default());
    assert_eq!(playlist.matches("#EXT-X-STREAM-INF").count(), 3, "{playlist}");
    assert_eq!(playlist.matches("TYPE=AUDIO").count(), 1, "{playlist}");
    assert!(playlist.contains("video-720p.m3u8?s="), "{playlist}");
    let mpd = dash::mpd(studio.presentation(), &Options::default());
    assert_eq!(mpd.matches("<AdaptationSet").count(), 2, "{mpd}");
    assert_eq!(mpd.matches("<Representation").count(), 4, "{mpd}");
    assert_eq!(mpd.matches("segmentAlignment=\"true\"").count(), 2, "{mpd}");
}

#[test]
fn two_encoders_on_one_clock_and_another_rounding_stay_within_it() {
    let skewed = Push { stamp: 1, rate: (30_000, 1001), gop: 60, ..push("720p") };
    let mut studio = Studio::new([Push { rate: (30_000, 1001), gop: 60, ..push("1080p") }, skewed]);
    studio.until(30_000);
    assert!(apart(&studio, "video-1080p", "video-720p") <= 2000);
    assert_eq!(studio.packager.counts().misaligned, 0);
    check(studio.presentation());
}

/// RFC 8216bis §4.4.2.1: EXT-X-INDEPENDENT-SEGMENTS is a claim about every segment of a playlist.
#[test]
fn keyframes_elsewhere_are_cut_at_the_boundary_and_told_of() {
    // Every 2 s as well, and 1.2 s later than the others'.
    let late = Push { phase: 30, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), late]);
    studio.until(30_000);
    let misaligned = studio.rendition("video-720p");
    assert!(!misaligned.independent && studio.rendition("video-1080p").independent);
    assert!(apart(&studio, "video-1080p", "video-720p") <= 60_000);
    assert!(studio.packager.counts().misaligned >= 10);
    let told = studio.notices.iter().filter(|notice| matches!(notice, Notice::Misaligned { .. }));
    assert_eq!(told.count(), 1, "{:?}", studio.notices);
    let feed = |at: usize| studio.pushes[at].feed.expect("on");
    assert!(studio.packager.is_misaligned(feed(1)) && !studio.packager.is_misaligned(feed(0)));
    let mpd = dash::mpd(studio.presentation(), &Options::default());
    let period = mpd.rsplit("<Period").next().unwrap_or_default();
    assert!(period.matches("startWithSAP").count() == 1, "of the sound alone: {mpd}");
    check(studio.presentation());
}

#[test]
fn a_keyframe_a_little_late_is_waited_for() {
    // A third of a second.
    let late = Push { phase: 8, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), late]);
    studio.until(20_000);
    assert!(studio.rendition("video-720p").independent);
    assert_eq!(apart(&studio, "video-1080p", "video-720p"), 320_000);
    let mpd = dash::mpd(studio.presentation(), &Options::default());
    assert_eq!(mpd.matches("segmentAlignment").count(), 1, "of the sound alone: {mpd}");
    check(studio.presentation());
}

#[test]
fn another_clock_is_found_by_arrival_and_snapped_to_the_keyframes() {
    // Its clock began elsewhere, and its media takes 300 ms longer.
    let other = Push { stamp: 7_654_321, begins: 4000, delay: 300, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), other]);
    studio.until(30_000);
    assert_eq!(apart(&studio, "video-1080p", "video-720p"), 0);
    assert!(studio.rendition("video-720p").independent);
    assert_eq!(studio.periods().len(), 1);
    check(studio.presentation());
}

/// ISO/IEC 23009-1 §5.3.2: what goes together changes with a Period; RFC 8216bis: no EXT-X-DISCONTINUITY is needed.
#[test]
fn who_comes_late_joins_the_running_period_at_a_boundary() {
    let late = Push { begins: 9000, stamp: 9000, gop: 25, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), late]);
    studio.until(30_000);
    assert_eq!(studio.periods().len(), 1, "no new period");
    let joined = studio.media("video-720p");
    assert_eq!(joined[0], 5, "the first boundary at which it has a keyframe, at 10 s");
    assert_eq!(apart(&studio, "video-1080p", "video-720p"), 0);
    let spans: Vec<u64> = studio.presentation().spans.iter().map(|span| span.first - FIRST).collect();
    assert_eq!(spans, [0, 5], "a DASH Period with it");
    let playlist = hls::media(studio.presentation(), studio.rendition("video-720p"), &Options::default());
    assert!(!playlist.contains("DISCONTINUITY\n"), "{playlist}");
    assert!(playlist.contains(&format!("#EXT-X-MEDIA-SEQUENCE:{}\n", FIRST + 5)), "{playlist}");
    assert!(studio.rendition("video-720p").independent);
    check(studio.presentation());
}

#[test]
fn who_comes_very_late_is_in_no_manifest_before_it_has_a_segment() {
    let late = Push { begins: 10_300, stamp: 10_300, phase: 43, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), late]);
    for at in (4000..20_000).step_by(50) {
        let presentation = studio.until(at).presentation();
        let master = hls::multivariant(presentation, &Options::default());
        let has = presentation.rendition("video-720p").is_some_and(|late| !late.segments.is_empty());
        assert_eq!(master.contains("video-720p"), has, "at {at}: {master}");
    }
}

#[test]
fn the_reference_dies_and_another_leads_without_a_new_period() {
    let mut studio = Studio::new([Push { ends: 10_700, ..push("1080p") }, push("720p"), push("480p")]);
    studio.until(30_000);
    assert_eq!(studio.periods().len(), 1);
    assert!(!studio.rendition("video-1080p").alive(), "it leaves the multivariant playlist");
    assert_eq!(studio.media("video-1080p"), (0..6).collect::<Vec<_>>());
    assert_eq!(studio.media("video-720p"), (0..14).collect::<Vec<_>>());
    assert_eq!(apart(&studio, "video-720p", "video-480p"), 0);
    assert!(studio.rendition("video-720p").independent && studio.rendition("video-480p").independent);
    let last = |name| studio.segments(name).last().map(|last| last.number);
    assert!(last("video-1080p") >= last("video-720p").map(|last| last - 1), "gaps go on");
    check(studio.presentation());
}

#[test]
fn a_reference_that_only_falls_silent_hands_over_too() {
    let mut studio = Studio::new([push("1080p"), push("720p")]);
    studio.until(10_700);
    studio.pushes.remove(0);
    studio.until(30_000);
    assert_eq!(studio.periods().len(), 1);
    assert!(!studio.rendition("video-1080p").alive());
    assert!(studio.media("video-720p").len() >= 13);
    assert_eq!(studio.sounds(), ["1080p", "720p"]);
    check(studio.presentation());
}

/// Every frame of the sound once, in order, without a hole.
fn assert_unbroken(studio: &Studio) {
    let frames = payloads(studio.rendition("audio-1"));
    let number = |payload: &String| payload.rsplit(' ').next().and_then(|n| n.parse::<i64>().ok());
    let numbers: Vec<i64> = frames.iter().filter_map(number).collect();
    assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>());
    let audio = studio.segments("audio-1");
    let parts: Vec<_> = audio.iter().flat_map(|segment| segment.parts()).collect();
    assert!(parts.windows(2).all(|pair| pair[0].start + pair[0].duration == pair[1].start));
    assert!(parts.iter().all(|part| part.duration % 1024 == 0), "frames of nominal length");
}

/// ISO/IEC 14496-12 §8.8.12: decode times go on where the last fragment ended.
#[test]
fn another_push_carries_on_the_sound_when_its_push_leaves() {
    for delay in [0, 150, 700] {
        let mut studio = Studio::new([
            Push { ends: 11_130, ..push("1080p") },
            Push { delay, ..push("720p") },
            Push { delay, ..push("480p") },
        ]);
        studio.until(20_000);
        assert_eq!(studio.sounds(), ["1080p", "720p"], "delay {delay}");
        assert_unbroken(&studio);
        assert_eq!(studio.periods().len(), 1);
        check(studio.presentation());
    }
}

#[test]
fn a_sound_that_falls_silent_is_replaced_after_a_second() {
    let mut studio = Studio::new([Push { sound: (0, 9500), ..push("1080p") }, push("720p")]);
    studio.until(20_000);
    assert_eq!(studio.sounds(), ["1080p", "720p"]);
    assert_unbroken(&studio);
    assert_eq!((studio.periods().len(), studio.presentation().spans.len()), (1, 1));
    check(studio.presentation());
}

#[test]
fn a_sound_of_another_format_is_not_heard_while_the_elected_lives_and_begins_a_period_after() {
    let other = Push { channels: 1, ..push("720p") };
    let mut studio = Studio::new([Push { ends: 12_000, ..push("1080p") }, other]);
    studio.until(11_900);
    assert_eq!(studio.sounds(), ["1080p"]);
    assert!(studio.notices.iter().any(|notice| matches!(notice, Notice::OtherSound { .. })));
    studio.until(24_000);
    assert_eq!(studio.sounds(), ["1080p", "720p"]);
    assert_eq!(studio.periods().len(), 2, "another AudioSpecificConfig needs another init segment");
    check(studio.presentation());
}

#[test]
fn sound_from_one_push_alone_leaves_gaps_and_comes_back_in_the_same_period() {
    let silent = |name| Push { sound: (0, 0), ..push(name) };
    let back = Push { begins: 16_000, stamp: 16_000, ..push("1080p") };
    let mut studio = Studio::new([Push { ends: 9000, ..push("1080p") }, silent("720p"), back]);
    studio.until(15_900);
    assert!(!studio.rendition("audio-1").alive());
    studio.until(30_000);
    assert!(studio.rendition("audio-1").alive());
    assert_eq!(studio.periods().len(), 1);
    check(studio.presentation());
}

/// The name stands for one configuration in a period: RENDITION/init-P.mp4 is one resource.
#[test]
fn who_returns_unchanged_rejoins_the_same_period() {
    let back = Push { begins: 16_000, stamp: 16_000, ..push("720p") };
    let mut studio = Studio::new([push("1080p"), Push { ends: 9500, ..push("720p") }, back]);
    studio.until(30_000);
    assert_eq!(studio.periods().len(), 1);
    let media = studio.media("video-720p");
    assert_eq!(media, [0, 1, 2, 3, 4, 9, 10, 11, 12, 13], "gaps meanwhile, and from the boundary after on");
    let inits: Vec<_> = studio.segments("video-720p").iter().filter_map(|s| s.init().cloned()).collect();
    assert!(inits.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(apart(&studio, "video-1080p", "video-720p"), 0);
    check(studio.presentation());
}

#[test]
fn timestamps_that_step_in_one_push_are_moved_and_end_no_period() {
    for (name, by) in [(0, 3_600_000), (0, -3000), (1, 3_600_000), (1, -3000), (1, 5000)] {
        let mut pushes = [push("1080p"), push("720p")];
        pushes[name].step = (10_000, by);
        let mut studio = Studio::new(pushes);
        studio.until(30_000);
        assert_eq!(studio.periods().len(), 1, "{name} {by}");
        assert!(studio.rendition("video-1080p").alive() && studio.rendition("video-720p").alive());
        assert!(studio.rendition("audio-1").alive());
        assert!(studio.notices.iter().any(|notice| matches!(notice, Notice::Moved { .. })));
        assert_eq!(apart(&studio, "video-1080p", "video-720p"), 0, "{name} {by}");
        check(studio.presentation());
    }
}

#[test]
fn the_last_push_ends_the_period_and_the_next_begins_one() {
    let back = |name| Push { begins: 16_000, ..push(name) };
    let first = [Push { ends: 9000, ..push("1080p") }, Push { ends: 9500, ..push("720p") }];
    let mut studio = Studio::new(first.into_iter().chain([back("720p"), back("1080p")]));
    studio.until(12_000);
    assert_eq!(studio.presentation().closed, Some(FIRST));
    studio.until(30_000);
    assert_eq!(studio.periods().len(), 2);
    assert_eq!(apart(&studio, "video-1080p", "video-720p"), 0);
    check(studio.presentation());
}

#[test]
fn a_push_without_a_name_is_video_1_beside_the_named() {
    let mut studio = Studio::new([Push { name: None, ..push("") }, push("720p")]);
    studio.until(12_000);
    let names: BTreeSet<&str> = studio.names().into_iter().collect();
    assert_eq!(names, BTreeSet::from(["audio-1", "video-1", "video-720p"]));
    check(studio.presentation());
}

/// Names are a session's for good, so there is an end to them.
#[test]
fn there_is_an_end_to_the_names_of_a_session() {
    const NAMES: [&str; 33] = [
        "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b0", "b1", "b2", "b3", "b4", "b5", "b6",
        "b7", "b8", "b9", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "d0", "d1", "d2",
    ];
    let mut studio = Studio::new(NAMES.map(push));
    studio.until(9000);
    let videos = studio.presentation().renditions.iter().filter(|rendition| rendition.kind == Kind::Video);
    assert_eq!(videos.count(), 30);
    let refused = studio.notices.iter().filter(|notice| matches!(notice, Notice::Refused { .. }));
    assert_eq!(refused.count(), 3);
    check(studio.presentation());
}

fn any_push(name: &'static str) -> impl Strategy<Value = Push> {
    (
        prop_oneof![Just((25i64, 1i64)), Just((30_000, 1001)), Just((50, 1)), Just((15, 1))],
        10i64..150,
        0i64..60,
        prop_oneof![Just(0i64), -900i64..900, Just(5_000_000)],
        0i64..12_000,
        0i64..800,
        (0i64..10_000, 0i64..30_000),
        1u8..3,
        prop_oneof![Just(NEVER), 1000i64..25_000],
        prop_oneof![Just((NEVER, 0i64)), (0i64..20_000, -20_000i64..20_000)],
    )
        .prop_map(move |(rate, gop, phase, stamp, begins, delay, (from, long), channels, ends, step)| {
            Push {
                rate,
                gop,
                phase,
                stamp: stamp + begins,
                begins,
                delay,
                sound: (from, from + long),
                channels,
                ends: ends.max(begins + delay + 1),
                step,
                ..push(name)
            }
        })
}

/// The first push has no sound; the second brings it, at once or later.
#[test]
fn a_video_goes_with_the_sound_of_another_push() {
    for begins in [300, 5_000] {
        let silent = Push { sound: (0, 0), ..push("1080p") };
        let mut studio = Studio::new([silent, Push { begins, ..push("720p") }]);
        studio.until(16_000);
        let sound = |(key, program): (&(Arc<str>, u64), &Program)| (key.1 - FIRST, program.sound.is_some());
        let of_first = studio.witness.0.iter().filter(|((name, _), _)| &**name == "video-1080p");
        let with: Vec<u64> = of_first.map(sound).filter(|(_, has)| *has).map(|(number, _)| number).collect();
        let (first, last) = (studio.media("audio-1")[0], studio.media("video-1080p").len() as u64 - 1);
        assert!(with.iter().all(|number| *number >= first) && with.len() >= 4, "{with:?}");
        assert!(with.last().is_some_and(|newest| newest + 1 >= last), "{with:?} up to {last}");
        assert_eq!(with[0], first, "from where there is sound");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Whatever three encoders do: decode times have no gap or overlap in a rendition, a number is the same time in all,
    /// and nothing panics.
    #[test]
    fn whatever_they_do_the_timeline_holds(
        one in any_push("1080p"), two in any_push("720p"), three in any_push("480p"), again in any_push("720p"),
    ) {
        let again = Push { begins: two.ends.min(26_000) + again.begins / 4, ..again };
        let mut studio = Studio::new([one, two, three, again]);
        studio.until(28_000);
        studio.packager.end(studio.now().wall);
        studio.witness.look(studio.packager.presentation());
        if let Some(presentation) = studio.packager.presentation() {
            check_each(presentation);
            let programs = studio.witness.0.values().map(|program| program.mux().expect("our own"));
            programs.for_each(|file| drop(Transport::read(&file)));
            within_bounds(presentation)?;
        }
    }
}

/// Pictures of one number begin together, but for half a target before the boundary's keyframe and as much after it.
fn within_bounds(presentation: &Presentation) -> Result<(), TestCaseError> {
    let videos = || presentation.renditions.iter().filter(|rendition| rendition.kind == Kind::Video);
    for one in videos() {
        for segment in one.segments.values().filter(|segment| !segment.is_gap()) {
            for other in videos() {
                let Some(beside) = other.segments.get(&segment.number).filter(|beside| !beside.is_gap())
                else {
                    continue;
                };
                prop_assert_eq!(beside.period.number, segment.period.number);
                let off = (beside.start_time().micros() - segment.start_time().micros()).abs();
                prop_assert!(off <= 2_100_000, "{} and {} begin {} µs apart", one.name, other.name, off);
            }
        }
    }
    Ok(())
}
