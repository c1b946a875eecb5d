//! A process dies, another one goes on with the session: what was on air stays under its names, and manifests go on from
//! there.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::files::Files;
use archive::{Contents, Cursor, Step, Sync, reading, recover};
use common::faulty::Faulty;
use common::publisher::{Publisher, check};
use common::{Aired, record, writer};
use media::WallTime;
use packager::manifest::{Options, dash, hls, smooth};
use packager::presentation::Lookup;
use packager::{Numbers, Packager, Presentation, Record, Settings};

const FOLDER: &str = "/r";

fn settings() -> Settings {
    Settings { window: Duration::from_secs(20), ..Settings::default() }
}

/// What is on air when the process dies, what was recorded of it, and the numbers that were stored.
struct Died {
    live: Publisher,
    contents: Contents,
    numbers: Numbers,
}

/// Two periods; the process dies in the middle of a segment.
fn died() -> Died {
    let mut live = Publisher::new(settings()).both();
    live.live(0, 300, 30, 30, true);
    live.interrupt();
    live.live(20_000, 330, 30, 30, true);
    dies(live)
}

/// The process dies now.
fn dies(live: Publisher) -> Died {
    let faulty = Faulty::default();
    let files: Arc<dyn Files> = Arc::new(faulty.clone());
    record(&mut writer(&files, Path::new(FOLDER), Sync::Segment), &Aired::of(&live).steps);
    // As the server does when it starts.
    recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    let contents = recover::read(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    let numbers = live.packager.numbers().clone();
    Died { live, contents, numbers }
}

fn aired(died: &Died) -> Presentation {
    let session = died.numbers.session;
    reading::aired(&[(&died.contents, &Arc::from("demo/rec_1"))], session).expect("it was recorded")
}

/// The next process, which knows what the last one left.
fn resumed(died: &Died, aired: Option<&Presentation>) -> Publisher {
    let mut next = Publisher::resuming(settings(), died.numbers.clone(), true);
    if let Some(aired) = aired {
        let wall = WallTime::from_micros(died.live.now().wall.micros() + 3_000_000);
        next.packager.take_up(aired, wall);
    }
    next.both()
}

fn open(live: &Publisher) -> u64 {
    live.rendition("video-1").open.as_ref().expect("it died in the middle").number
}

/// `S` elements, templates and attributes of a Period.
fn period(mpd: &str, id: u64) -> &str {
    let from = mpd.find(&format!("<Period id=\"{id}\"")).unwrap_or_else(|| panic!("no period {id} in {mpd}"));
    let end = mpd[from..].find("</Period>").expect("it ends");
    &mpd[from..from + end]
}

fn attribute<'a>(text: &'a str, name: &str) -> &'a str {
    let from =
        text.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {text}")) + name.len() + 3;
    text[from..].split('"').next().expect("it ends")
}

fn tag<'a>(playlist: &'a str, name: &str) -> &'a str {
    let line = playlist.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {playlist}"))
}

fn media(of: &Publisher, rendition: &str) -> String {
    hls::media(
        of.presentation(),
        of.rendition(rendition),
        &Options { low_latency: false, ..Options::default() },
    )
}

#[test]
fn segments_of_before_stay_under_their_names() {
    let died = died();
    let next = resumed(&died, Some(&aired(&died)));
    let numbers =
        |of: &Publisher, name: &str| of.segments(name).iter().map(|it| it.number).collect::<Vec<_>>();
    for name in ["video-1", "audio-1"] {
        assert_eq!(numbers(&next, name), numbers(&died.live, name));
        for (ours, theirs) in next.segments(name).iter().zip(&died.live.segments(name)) {
            assert_eq!(
                (ours.start, ours.duration, ours.len()),
                (theirs.start, theirs.duration, theirs.len())
            );
            assert_eq!((&ours.period, ours.init()), (&theirs.period, theirs.init()));
        }
    }
    assert_eq!(next.presentation().spans, died.live.presentation().spans);
    let session = |of: &Publisher| of.presentation().session.id;
    assert_eq!(session(&next), session(&died.live));
    assert_eq!(next.rendition("video-1").held_bytes(), 0);
}

#[test]
fn sound_whose_encoder_had_left_ends_with_its_media_until_something_follows() {
    let mut live = Publisher::new(settings()).both();
    live.live(0, 240, 30, 60, true);
    // The first picture of a segment, and no sound of it.
    live.push(media::TrackId::VIDEO, 8000, 0, media::Sync::Yes);
    live.interrupt();
    let died = dies(live);
    let mut next = resumed(&died, Some(&aired(&died)));
    for name in ["video-1", "audio-1"] {
        assert_eq!(media(&next, name), media(&died.live, name));
    }
    let gaps = |of: &Publisher| media(of, "audio-1").matches("#EXT-X-GAP").count();
    assert_eq!((gaps(&died.live), gaps(&next)), (0, 0));
    next.live(40_000, 150, 30, 30, true);
    check(next.presentation());
    assert_eq!(gaps(&next), 1);
}

#[test]
fn playlists_go_on_where_they_were_rfc8216bis_6_2_2() {
    let died = died();
    let mut next = resumed(&died, Some(&aired(&died)));
    for name in ["video-1", "audio-1"] {
        let (before, after) = (media(&died.live, name), media(&next, name));
        assert_eq!(after, before, "all that was a segment is there, before anybody publishes");
    }
    next.live(40_000, 150, 30, 30, true);
    check(next.presentation());
    let lost = open(&died.live);
    for name in ["video-1", "audio-1"] {
        let (before, after) = (media(&died.live, name), media(&next, name));
        let sequence = |text: &str, tag_name| tag(text, tag_name).parse::<u64>().expect("a number");
        for name in ["#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-DISCONTINUITY-SEQUENCE:"] {
            assert!(sequence(&after, name) >= sequence(&before, name));
        }
        assert_eq!(tag(&after, "#EXT-X-TARGETDURATION:"), tag(&before, "#EXT-X-TARGETDURATION:"));
        // What both list they list alike, at the same distance from the sequence number (§6.2.2).
        let uris = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.ends_with(".m4s")).map(str::to_owned).collect()
        };
        let (before_uris, after_uris) = (uris(&before), uris(&after));
        let behind = (sequence(&after, "#EXT-X-MEDIA-SEQUENCE:")
            - sequence(&before, "#EXT-X-MEDIA-SEQUENCE:")) as usize;
        assert!(
            behind < before_uris.len() && after_uris.starts_with(&before_uris[behind..]),
            "{before}\n{after}"
        );
        // §4.4.4.7: the number that was burnt is a gap, once, before the discontinuity.
        let gap = format!("/{lost}.m4s\n#EXT-X-DISCONTINUITY");
        assert_eq!(after.matches("#EXT-X-GAP").count(), 1, "{after}");
        assert!(after.contains(&gap), "{after}");
    }
    assert!(matches!(next.rendition("video-1").segment(lost), Lookup::Gone));
}

#[test]
fn a_burnt_number_is_not_listed_again_when_it_has_left_the_window() {
    let died = died();
    let mut next = resumed(&died, Some(&aired(&died)));
    let mut last = 0;
    for second in 40..100 {
        next.live(second * 1000, 30, 30, 30, true);
        let playlist = media(&next, "video-1");
        let sequence: u64 = tag(&playlist, "#EXT-X-MEDIA-SEQUENCE:").parse().expect("a number");
        assert!(sequence >= last, "MEDIA-SEQUENCE never goes back (RFC 8216bis §4.4.3.2): {playlist}");
        last = sequence;
    }
    assert!(!media(&next, "video-1").contains("#EXT-X-GAP"));
}

#[test]
fn an_mpd_keeps_the_periods_that_players_know_iso23009_1_5_3_2() {
    let died = died();
    let mut next = resumed(&died, Some(&aired(&died)));
    let options = Options { low_latency: false, ..Options::default() };
    let before = dash::mpd(died.live.presentation(), &options);
    let waiting = dash::mpd(next.presentation(), &options);
    next.live(40_000, 150, 30, 30, true);
    let after = dash::mpd(next.presentation(), &options);
    let known: Vec<u64> = died.live.presentation().spans.iter().map(|span| span.period.number).collect();
    assert_eq!(known.len(), 2);
    for id in known {
        for later in [&waiting, &after] {
            let (ours, theirs) = (period(later, id), period(&before, id));
            for name in ["start", "presentationTimeOffset", "initialization", "media", "timescale", "codecs"]
            {
                assert_eq!(attribute(ours, name), attribute(theirs, name));
            }
            assert!(ours.contains(" duration=\""), "nothing more comes in it");
        }
        assert_eq!(period(&waiting, id).matches("<S ").count(), period(&before, id).matches("<S ").count());
    }
    for name in ["availabilityStartTime", "timeShiftBufferDepth", "maxSegmentDuration"] {
        assert_eq!(attribute(&after, name), attribute(&before, name));
    }
    assert!(attribute(&after, "publishTime") > attribute(&before, "publishTime"));
    assert_eq!(after.matches("<Period ").count(), 3);
}

#[test]
fn smooth_goes_on_on_its_timeline() {
    let died = died();
    let mut next = resumed(&died, Some(&aired(&died)));
    next.live(40_000, 240, 30, 30, true);
    let manifest =
        |of: &Publisher| smooth::manifest(of.presentation(), &Options::default()).expect("to play");
    let (before, after) = (manifest(&died.live), manifest(&next));
    let chunks = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains("<c ")).map(str::to_owned).collect()
    };
    let common = chunks(&before).into_iter().filter(|chunk| chunks(&after).contains(chunk)).count();
    assert!(common >= 6, "{common} in both of\n{before}\n{after}");
    let level = |text: &str| attribute(text, "Bitrate").to_owned();
    assert_eq!(level(&after), level(&before));
}

#[test]
fn a_second_death_changes_nothing() {
    let died = died();
    let aired = aired(&died);
    let first = resumed(&died, Some(&aired));
    let second = resumed(&died, Some(&aired));
    assert_eq!(media(&first, "video-1"), media(&second, "video-1"));
}

#[test]
fn without_a_history_the_burnt_number_stands_before_what_follows() {
    let died = died();
    let mut next = resumed(&died, None);
    next.live(40_000, 150, 30, 30, true);
    let playlist = media(&next, "video-1");
    assert!(playlist.contains(&format!("/{}.m4s\n#EXT-X-DISCONTINUITY", open(&died.live))), "{playlist}");
}

#[test]
fn what_belongs_to_another_session_or_is_long_gone_is_not_taken_up() {
    let died = died();
    let aired = aired(&died);
    let taken = |numbers: Numbers| {
        let mut packager = Packager::new(Arc::new(settings()), numbers, true);
        packager.take_up(&aired, WallTime::default());
        packager.presentation().is_some()
    };
    assert!(taken(died.numbers.clone()));
    assert!(!taken(Numbers { session: died.numbers.session + 100, ..died.numbers.clone() }));
    assert!(!taken(Numbers { segment: died.numbers.segment + 1000, ..died.numbers.clone() }));
    let contents = &died.contents;
    assert!(reading::aired(&[(contents, &Arc::from("r"))], died.numbers.session + 100).is_none());
}

#[test]
fn numbers_that_were_recorded_and_not_stored_are_not_given_again() {
    let died = died();
    let aired = aired(&died);
    let numbers =
        Numbers { segment: died.numbers.segment - 4, period: died.numbers.period - 1, ..died.numbers };
    let mut packager = Packager::new(Arc::new(settings()), numbers, true);
    packager.take_up(&aired, WallTime::default());
    let newest = aired.renditions.iter().filter_map(|it| it.last()).max_by_key(|it| it.number).expect("one");
    let known = packager.numbers();
    assert_eq!((known.segment, known.closed), (newest.number + 1, false), "one more was being made");
    assert_eq!((known.period, known.discontinuity), (newest.period.number, newest.period.discontinuity + 1));
}

#[test]
fn what_was_not_recorded_is_a_gap_between_what_was() {
    let mut died = died();
    for rendition in &mut died.contents.renditions {
        rendition.segments.drain(1..3);
    }
    let next = resumed(&died, Some(&aired(&died)));
    for name in ["video-1", "audio-1"] {
        let segments = next.segments(name);
        assert!(segments.windows(2).all(|pair| pair[0].number + 1 == pair[1].number), "numbers count on");
        let gaps: Vec<bool> = segments.iter().map(|it| it.is_gap()).collect();
        assert_eq!(gaps[..4], [false, true, true, false]);
        // The time that is missing is known: it lies between two segments of a period.
        let (end, next) = (segments[0].wall_end(), segments[3].wall_time());
        let missing: i64 = segments[1..3].iter().map(|it| it.span().micros()).sum();
        assert!(((next - end).micros() - missing).abs() <= 30_000, "{name}: {missing} µs of gaps");
    }
    check(next.presentation());
    assert_eq!(next.presentation().spans.len(), 3, "an MPD has a Period behind the hole");
}

#[test]
fn what_was_recorded_before_is_not_recorded_again_and_not_said_to_be_lost() {
    let died = died();
    let mut next = resumed(&died, Some(&aired(&died)));
    next.live(40_000, 150, 30, 30, true);
    let steps = Cursor::default().follow(next.presentation());
    let first = open(&died.live);
    for step in &steps {
        match step {
            Step::Made(Record::Part { number, .. }) => assert!(*number > first),
            Step::Made(Record::Segment { segment, .. }) => assert!(segment.number >= first),
            Step::Missed { .. } => panic!("{step:?}"),
            _ => {}
        }
    }
    assert!(steps.iter().any(|step| matches!(step, Step::Made(Record::Part { .. }))));
}
