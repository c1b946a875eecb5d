//! What every MPD of a stream holds, and every one after it, whatever the encoder does (ISO/IEC 23009-1; DASH-IF
//! guidelines, Timing Model).

mod common;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use common::{Publisher, audio_track, moof, video_track};
use media::{Sync, TrackId};
use mp4_atom::{Any, DecodeMaybe};
use packager::manifest::{Options, dash};
use packager::{Part, Presentation, Settings};
use proptest::prelude::*;
use roxmltree::{Document, Node};

/// An MPD, with what of it the rules are about.
#[derive(Clone, PartialEq, Debug)]
struct Mpd {
    kind: String,
    availability_start: Option<String>,
    publish_time: String,
    updates: bool,
    /// Seconds.
    longest: f64,
    /// Seconds.
    duration: Option<f64>,
    clock: Option<String>,
    services: usize,
    periods: Vec<Period>,
}

#[derive(Clone, PartialEq, Debug)]
struct Period {
    id: String,
    start: f64,
    duration: Option<f64>,
    sets: Vec<Set>,
    properties: usize,
}

#[derive(Clone, PartialEq, Debug)]
struct Set {
    id: String,
    representation: String,
    timescale: f64,
    offset: i64,
    /// `availabilityTimeOffset` in seconds, where segments may be had before they are whole.
    early: Option<f64>,
    /// Seconds of wall time and ticks of media time that belong together.
    references: Vec<(f64, i64)>,
    /// `S@t` and `S@d` by number.
    segments: BTreeMap<u64, (i64, i64)>,
}

impl Mpd {
    fn of(presentation: &Presentation, options: &Options) -> Mpd {
        let text = dash::mpd(presentation, options);
        let document = Document::parse(&text).expect("well-formed");
        let root = document.root_element();
        Mpd {
            kind: root.attribute("type").expect("a type").to_owned(),
            availability_start: root.attribute("availabilityStartTime").map(str::to_owned),
            publish_time: root.attribute("publishTime").unwrap_or_default().to_owned(),
            updates: root.attribute("minimumUpdatePeriod").is_some(),
            longest: seconds(root.attribute("maxSegmentDuration").expect("maxSegmentDuration")),
            duration: root.attribute("mediaPresentationDuration").map(seconds),
            clock: children(root, "UTCTiming")
                .next()
                .and_then(|node| node.attribute("value"))
                .map(str::to_owned),
            services: children(root, "ServiceDescription").count(),
            periods: children(root, "Period").map(period).collect(),
        }
    }

    fn sets(&self) -> impl Iterator<Item = (&Period, &Set)> {
        self.periods.iter().flat_map(|period| period.sets.iter().map(move |set| (period, set)))
    }
}

fn period(node: Node<'_, '_>) -> Period {
    Period {
        id: node.attribute("id").expect("an id").to_owned(),
        start: seconds(node.attribute("start").expect("a start")),
        duration: node.attribute("duration").map(seconds),
        sets: children(node, "AdaptationSet").map(set).collect(),
        properties: node.descendants().filter(|node| node.has_tag_name("SupplementalProperty")).count(),
    }
}

fn set(node: Node<'_, '_>) -> Set {
    let template = node.descendants().find(|node| node.tag_name().name() == "SegmentTemplate").expect("one");
    let number =
        |name: &str| template.attribute(name).expect("an attribute").parse::<i64>().expect("a number");
    let early = template.attribute("availabilityTimeOffset").map(|text| text.parse().expect("a number"));
    assert_eq!(early.is_some(), template.attribute("availabilityTimeComplete") == Some("false"));
    let mut segments = BTreeMap::new();
    let (mut next, mut end) = (number("startNumber") as u64, None);
    for s in template.descendants().filter(|node| node.tag_name().name() == "S") {
        let ticks = |name: &str| s.attribute(name).map(|text| text.parse::<i64>().expect("a number"));
        let (start, length) = (ticks("t").expect("each S has t"), ticks("d").expect("each S has d"));
        assert!(end.is_none_or(|end| end == start) && length > 0, "no gap, no overlap, nothing empty");
        for nth in 0..=ticks("r").unwrap_or(0) {
            segments.insert(next, (start + nth * length, length));
            end = Some(start + (nth + 1) * length);
            next += 1;
        }
    }
    let reference = |node: Node<'_, '_>| {
        let wall = node.attribute("wallClockTime").expect("a time");
        let media = node.attribute("presentationTime").expect("a time").parse().expect("ticks");
        (unix_seconds(wall), media)
    };
    let representation = children(node, "Representation").next().expect("a Representation");
    Set {
        id: node.attribute("id").expect("an id").to_owned(),
        representation: representation.attribute("id").expect("an id").to_owned(),
        timescale: number("timescale") as f64,
        offset: number("presentationTimeOffset"),
        early,
        references: children(node, "ProducerReferenceTime").map(reference).collect(),
        segments,
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn seconds(text: &str) -> f64 {
    let digits = text.strip_prefix("PT").and_then(|text| text.strip_suffix('S')).expect("PT…S");
    digits.parse().expect("seconds")
}

/// Of a time on 2026-11-22, when all that is published here is.
fn unix_seconds(text: &str) -> f64 {
    let clock = text.strip_prefix("2026-11-22T").and_then(|text| text.strip_suffix('Z')).expect("that day");
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
    1_795_305_600.0 + parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
}

/// The parts of a segment that can be had, and its duration once it is whole.
fn made<'a>(
    presentation: &'a Presentation,
    name: &str,
    number: u64,
) -> (&'a [std::sync::Arc<Part>], Option<i64>) {
    let rendition = presentation.rendition(name).expect("what is listed is there");
    match rendition.open.as_ref().filter(|open| open.number == number) {
        Some(open) => (&open.parts, None),
        None => {
            let segment = rendition.segments.get(&number).expect("what is listed can be fetched");
            (segment.parts(), Some(segment.duration))
        }
    }
}

/// `media_time` and wall time in seconds of a segment's `prft`.
fn prft(part: &Part) -> (u64, f64) {
    let mut rest = &part.header[..];
    while let Some(any) = Any::decode_maybe(&mut rest).expect("valid boxes") {
        if let Any::Prft(prft) = any {
            let fraction = (prft.ntp_timestamp & 0xffff_ffff) as f64 / 4_294_967_296.0;
            return (prft.media_time, ((prft.ntp_timestamp >> 32) - 2_208_988_800) as f64 + fraction);
        }
    }
    panic!("a segment begins with prft");
}

/// What holds for one live MPD.
fn check(presentation: &Presentation, mpd: &Mpd) {
    assert_eq!((&mpd.kind[..], mpd.updates), ("dynamic", true));
    assert_eq!(mpd.availability_start.as_deref(), Some("1970-01-01T00:00:00Z"), "one for ever");
    assert_eq!(mpd.clock.as_deref(), Some("time"), "Timing Model: UTCTiming SHALL be there");
    let ids: Vec<_> = mpd.periods.iter().map(|period| &period.id).collect();
    assert!(ids.iter().all(|id| ids.iter().filter(|other| other == &id).count() == 1), "§5.3.2.2: {ids:?}");
    for (period, set) in mpd.sets() {
        assert_eq!(period.properties, 0, "neither continuity nor connectivity is claimed of a new timeline");
        let last = *set.segments.keys().last().expect("no empty SegmentTimeline");
        let wall = |media: i64| period.start + (media - set.offset) as f64 / set.timescale;
        for (&number, &(start, length)) in &set.segments {
            let (parts, whole) = made(presentation, &set.representation, number);
            let first = parts.first().expect("§5.3.9.5: what is listed has a part");
            let tfdt =
                moof(&first.header).traf[0].tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time as i64);
            assert_eq!(tfdt, Some(start), "Timing Model: S@t is the tfdt exactly");
            let (media, produced) = prft(first);
            assert_eq!(media as i64, start, "ISO/IEC 14496-12 §8.16.5");
            assert!((produced - wall(start)).abs() < 0.001, "prft agrees with availabilityStartTime");
            assert!(length as f64 / set.timescale <= mpd.longest + 1e-6, "§5.3.1.2: maxSegmentDuration");
            let grown: i64 = parts.iter().map(|part| part.duration).sum();
            match whole {
                Some(duration) => assert_eq!(length, duration, "{number} is whole"),
                None => assert!(number == last && set.early.is_some() && length >= grown, "{number} grows"),
            }
            // §5.3.9.5: it can be had `early` before its end, and then has its first part; the last of a period that is over
            // is cut short, and there already.
            let over = presentation.closed.is_some_and(|closed| period.id == closed.to_string());
            let cut = number == last && whole.is_some() && (over || period.duration.is_some());
            if let Some(early) = set.early.filter(|_| !cut) {
                let due = (length - first.duration) as f64 / set.timescale;
                assert!(early <= due + 1e-6, "{number} is promised {early} s early, and has a part at {due}");
            }
        }
        assert_eq!(set.references.is_empty(), set.early.is_none());
        for &(at, media) in &set.references {
            assert!((at - wall(media)).abs() < 0.001, "§5.12: ProducerReferenceTime agrees with them too");
        }
    }
    let early = mpd.sets().all(|(_, set)| set.early.is_some());
    assert_eq!(mpd.services > 0 && !mpd.periods.is_empty(), early && !mpd.periods.is_empty(), "§5.13");
}

/// What holds between an MPD and a later one (Timing Model, "MPD updates").
fn check_update(before: &Mpd, after: &Mpd, finished: &HashMap<(String, u64), (i64, i64)>) {
    assert!(after.publish_time > before.publish_time, "§5.3.1.2: publishTime rises");
    let kept: Vec<_> = before
        .periods
        .iter()
        .skip_while(|old| Some(&old.id) != after.periods.first().map(|p| &p.id))
        .collect();
    assert!(kept.len() <= after.periods.len(), "no Period goes away but the oldest");
    for (old, new) in kept.into_iter().zip(&after.periods) {
        assert_eq!((&old.id, old.start), (&new.id, new.start), "ids, order and starts are for ever");
        assert!(old.duration.is_none_or(|length| new.duration == Some(length)), "and so is a duration");
        let sets = |period: &Period| -> Vec<_> {
            period.sets.iter().map(|set| (set.id.clone(), set.representation.clone(), set.offset)).collect()
        };
        assert_eq!(sets(old), sets(new), "a Period keeps its AdaptationSets");
        for (old, new) in old.sets.iter().zip(&new.sets) {
            assert!(old.segments.keys().next() <= new.segments.keys().next(), "only the oldest go");
            for (number, (start, _)) in &old.segments {
                let now = new.segments.get(number);
                assert!(now.is_none_or(|now| now.0 == *start), "S@t of {number} never changes");
            }
        }
    }
    for (_, set) in after.sets() {
        for (number, listed) in &set.segments {
            let was = finished.get(&(set.representation.clone(), *number));
            assert!(was.is_none_or(|was| was == listed), "{number} was whole: {was:?}, now {listed:?}");
        }
    }
}

/// Whoever asks for the MPD after each part.
#[derive(Default)]
struct Watcher {
    last: Option<Mpd>,
    /// Segments that were listed whole.
    finished: HashMap<(String, u64), (i64, i64)>,
    /// How often an open segment was listed with another duration than before.
    corrections: usize,
    records: usize,
}

impl Watcher {
    fn look(&mut self, publisher: &Publisher) {
        if self.records == publisher.log.len() {
            return;
        }
        self.records = publisher.log.len();
        let Some(presentation) = publisher.packager.presentation().filter(|it| it.playable()) else { return };
        let plain = Mpd::of(presentation, &Options { low_latency: false, ..Options::default() });
        check(presentation, &plain);
        assert!(plain.sets().all(|(_, set)| set.early.is_none()), "?ll=0 lists whole segments alone");
        let mpd = Mpd::of(presentation, &Options::default());
        check(presentation, &mpd);
        if let Some(before) = self.last.take() {
            check_update(&before, &mpd, &self.finished);
            self.corrections += corrections(&before, &mpd);
        }
        for (_, set) in mpd.sets() {
            let whole = |number: &u64| made(presentation, &set.representation, *number).1.is_some();
            let whole = set.segments.iter().filter(|(number, _)| whole(number));
            self.finished.extend(whole.map(|(n, listed)| ((set.representation.clone(), *n), *listed)));
        }
        self.last = Some(mpd);
    }
}

/// How many segments have another duration than before.
fn corrections(before: &Mpd, after: &Mpd) -> usize {
    let listed = |mpd: &Mpd| -> HashMap<(String, u64), i64> {
        let all = mpd.sets().flat_map(|(_, set)| {
            set.segments.iter().map(|(number, listed)| ((set.representation.clone(), *number), listed.1))
        });
        all.collect()
    };
    let now = listed(after);
    listed(before).iter().filter(|(key, length)| now.get(key).is_some_and(|now| now != *length)).count()
}

/// A publisher's stay.
#[derive(Clone, Debug)]
struct Stay {
    fps: i64,
    gops: Vec<u32>,
    frames: u32,
    audio: bool,
    /// Milliseconds for which it is away afterwards.
    away: i64,
}

/// Publishes for that long from `at` ms on, looked at all the time; returns when it is over.
fn publish(publisher: &mut Publisher, watcher: &mut Watcher, at: i64, stay: &Stay) -> i64 {
    publisher.packager.begin();
    publisher.packager.announce(true, stay.audio);
    publisher.packager.track(TrackId::VIDEO, video_track());
    if stay.audio {
        publisher.packager.track(TrackId::AUDIO, audio_track());
    }
    let keys: Vec<i64> = stay
        .gops
        .iter()
        .cycle()
        .scan(0, |sum, gop| Some(std::mem::replace(sum, *sum + i64::from(*gop))))
        .take_while(|&key| key < i64::from(stay.frames))
        .collect();
    let (mut sound, mut now) = (0, at);
    for frame in 0..i64::from(stay.frames) {
        now = at + (frame * 1000 + stay.fps / 2) / stay.fps;
        publisher.elapsed = Duration::from_millis(now as u64);
        while stay.audio && at + sound * 64 / 3 <= now {
            publisher.push(TrackId::AUDIO, at + sound * 64 / 3, 0, Sync::Yes);
            watcher.look(publisher);
            sound += 1;
        }
        let sync = if keys.binary_search(&frame).is_ok() { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, now, 0, sync);
        watcher.look(publisher);
    }
    now
}

fn stay() -> impl Strategy<Value = Stay> {
    let fps = prop_oneof![Just(15i64), Just(25), Just(30)];
    let gops = prop::collection::vec(8u32..100, 1..4);
    (fps, gops, 40u32..400, any::<bool>(), 100i64..8000).prop_map(|(fps, gops, frames, audio, away)| Stay {
        fps,
        gops,
        frames,
        audio,
        away,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn each_mpd_is_legal_and_follows_from_the_one_before(stays in prop::collection::vec(stay(), 1..4)) {
        let mut publisher = Publisher::new(Settings { window: Duration::from_secs(10), ..Settings::default() });
        let (mut watcher, mut at) = (Watcher::default(), 0);
        for stay in &stays {
            at = publish(&mut publisher, &mut watcher, at, stay);
            publisher.interrupt();
            watcher.look(&publisher);
            at += stay.away;
            publisher.elapsed = Duration::from_millis(at as u64);
        }
        publisher.end();
        let presentation = publisher.presentation();
        if !presentation.playable() {
            return Ok(());
        }
        let over = Mpd::of(presentation, &Options::default().pinned());
        if let Some(before) = &watcher.last {
            check_update(before, &over, &watcher.finished);
        }
        check_end(&over);
    }
}

/// The end of a live presentation: of a fixed length, never asked for again, on its timeline.
fn check_end(over: &Mpd) {
    assert_eq!((&over.kind[..], over.updates, over.services), ("static", false, 0));
    let Some(last) = over.periods.last() else { return };
    let end = last.start + last.duration.expect("all Periods are over");
    assert!(
        over.duration.is_some_and(|duration| (duration - end).abs() < 1e-5),
        "{:?}, {end}",
        over.duration
    );
    assert!(over.sets().all(|(_, set)| set.early.is_none()), "everything is whole");
}

/// A fixed distance of keyframes is foreseen: no listed duration is ever put right, neither the pictures' nor the sound's.
#[test]
fn an_encoder_with_a_fixed_group_of_pictures_is_listed_right_from_the_first_part() {
    for (fps, gop) in [(25, 50), (30, 60), (30, 30), (25, 36)] {
        let mut publisher = Publisher::new(Settings::default());
        let mut watcher = Watcher::default();
        let stay = Stay { fps, gops: vec![gop], frames: 600, audio: true, away: 0 };
        publish(&mut publisher, &mut watcher, 0, &stay);
        assert_eq!(watcher.corrections, 0, "{fps} fps, a keyframe each {gop}");
        let mpd = watcher.last.expect("an MPD");
        let grows = |set: &Set| {
            let last = *set.segments.keys().last().expect("a segment");
            publisher.rendition(&set.representation).open.as_ref().is_some_and(|open| open.number == last)
        };
        assert!(mpd.sets().all(|(_, set)| grows(set)), "and the open segments are listed");
    }
}

/// Keyframes at any distance: what was foreseen is put right, within the rules that hold for every update.
#[test]
fn what_was_foreseen_wrongly_is_put_right_when_the_segment_is_whole() {
    let mut publisher = Publisher::new(Settings::default());
    let mut watcher = Watcher::default();
    let stay = Stay { fps: 25, gops: vec![75, 60, 50, 46], frames: 600, audio: true, away: 0 };
    publish(&mut publisher, &mut watcher, 0, &stay);
    assert!(watcher.corrections > 0, "{}", watcher.corrections);
}

/// Parts as long as segments leave nothing to be early with.
#[test]
fn parts_as_long_as_segments_make_a_plain_mpd() {
    let part = Duration::from_secs(2);
    let mut publisher = Publisher::new(Settings { part, ..Settings::default() });
    let mut watcher = Watcher::default();
    publish(
        &mut publisher,
        &mut watcher,
        0,
        &Stay { fps: 25, gops: vec![50], frames: 300, audio: true, away: 0 },
    );
    let mpd = watcher.last.expect("an MPD");
    assert!(mpd.services == 0 && mpd.sets().all(|(_, set)| set.early.is_none()));
}
