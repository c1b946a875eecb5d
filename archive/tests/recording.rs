//! What a recording says of a stream: presentations, gaps and their reasons, reports.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::contents::Gap;
use archive::files::{Disk, Files};
use archive::reading::{self, Options};
use archive::recover::{self, is_estimated};
use archive::times::Times;
use archive::{Contents, Cursor, Outcome, Policy, Roll, Shelf, Step, Sync, Unreadable, Writer, integrity};
use bytes::Bytes;
use common::faulty::Faulty;
use common::publisher::{Publisher, check, video_track};
use common::{Aired, record, writer};
use container::index::Reason;
use media::TrackId;
use packager::manifest::{Options as Asked, dash, hls};
use packager::presentation::Segment;
use packager::{Presentation, Settings};

const FOLDER: &str = "/r";
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const ENOENT: i32 = 2;

fn files(faulty: &Faulty) -> Arc<dyn Files> {
    Arc::new(faulty.clone())
}

fn recorded(faulty: &Faulty, steps: &[Step]) -> (Contents, Vec<Outcome>) {
    let mut writer = writer(&files(faulty), Path::new(FOLDER), Sync::Segment);
    let outcomes = record(&mut writer, steps);
    (read(faulty), outcomes)
}

fn read(faulty: &Faulty) -> Contents {
    recover::read(faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"))
}

fn shown(contents: &Contents) -> Presentation {
    let options = Options { ended: true, partial: false };
    reading::presentation(contents, &Arc::from("r"), options).expect("something to show")
}

fn load(faulty: &Faulty, segment: &Segment) -> Bytes {
    let stored = segment.stored().expect("stored");
    let path = Path::new(FOLDER).join(&*stored.file.name);
    faulty.read(&path, stored.offset, stored.len as usize).expect("readable")
}

/// Two periods, kept whole by the packager itself.
fn publisher() -> Publisher {
    let settings = Settings { window: Duration::from_secs(3600), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 240, 30, 30, true);
    publisher.interrupt();
    publisher.live(20_000, 240, 30, 30, true);
    publisher.end();
    publisher
}

/// The steps from the first part of segment `from` to the last of segment `to`, of all renditions.
fn around(steps: &[Step], from: u64, to: u64) -> (usize, usize) {
    let number = |step: &Step| match step {
        Step::Made(packager::Record::Part { number, .. }) => Some(*number),
        Step::Made(packager::Record::Segment { segment, .. }) => Some(segment.number),
        _ => None,
    };
    let of = |wanted: u64| move |step: &Step| number(step) == Some(wanted);
    let first = steps.iter().position(of(from)).expect("on air");
    let last = steps.iter().rposition(of(to)).expect("on air");
    (first, last + 1)
}

fn gaps(contents: &Contents, rendition: &str) -> Vec<(u64, u64, Reason)> {
    let report = integrity::report(contents);
    let of = report.renditions.iter().find(|it| it.name == rendition).expect("a rendition");
    of.gaps.iter().map(|gap| (gap.first, gap.last, gap.reason)).collect()
}

#[test]
fn a_recording_makes_the_manifests_that_the_stream_had_at_its_end() {
    let publisher = publisher();
    let aired = Aired::of(&publisher);
    let faulty = Faulty::default();
    let contents = recorded(&faulty, &aired.steps).0;
    let (ours, theirs) = (shown(&contents), publisher.presentation());
    check(&ours);
    let asked = Asked::default();
    assert_eq!(hls::multivariant(&ours, &asked), hls::multivariant(theirs, &asked));
    assert_eq!(dash::mpd(&ours, &asked), dash::mpd(theirs, &asked));
    for (ours, theirs) in ours.renditions.iter().zip(&theirs.renditions) {
        assert_eq!(
            hls::media(publisher.presentation(), ours, &asked),
            hls::media(publisher.presentation(), theirs, &asked)
        );
        for (segment, live) in ours.segments.values().zip(theirs.segments.values()) {
            let loaded = segment.loaded(&load(&faulty, segment)).expect("whole fragments");
            assert_eq!(
                loaded.pieces().flatten().collect::<Vec<_>>(),
                live.pieces().flatten().collect::<Vec<_>>()
            );
            assert_eq!(loaded.parts().len(), live.parts().len());
        }
    }
}

#[test]
fn a_whole_recording_has_a_clean_report() {
    let aired = Aired::stream(2, 8);
    let faulty = Faulty::default();
    let (contents, outcomes) = recorded(&faulty, &aired.steps);
    let report = integrity::report(&contents);
    assert!(report.is_complete() && !report.estimated);
    let stored: u64 = report.renditions.iter().map(|it| it.stored).sum();
    assert_eq!(stored as usize, aired.segments.len());
    assert_eq!(outcomes.len(), aired.segments.len(), "each is told of once, and nothing else: {outcomes:?}");
    let verified = integrity::verify(&faulty, Path::new(FOLDER), &contents);
    assert_eq!((verified.checked as usize, verified.damaged.len()), (aired.segments.len(), 0));
}

#[test]
fn a_byte_that_changed_on_the_disk_is_found() {
    let aired = Aired::stream(1, 8);
    let faulty = Faulty::default();
    let contents = recorded(&faulty, &aired.steps).0;
    let file = contents.files.iter().find(|file| file.name.starts_with("video")).expect("video");
    faulty.flip(&Path::new(FOLDER).join(&file.name), file.init.len() + 300);
    let verified = integrity::verify(&faulty, Path::new(FOLDER), &contents);
    let damaged = |number, missing| integrity::Damaged { rendition: "video-1".to_owned(), number, missing };
    let numbers = aired.numbers("video-1");
    assert_eq!(verified.damaged, [damaged(numbers[0], false)]);
    faulty.remove(&Path::new(FOLDER).join(&file.name)).expect("removed");
    let verified = integrity::verify(&faulty, Path::new(FOLDER), &contents);
    assert!(numbers.iter().all(|number| verified.damaged.contains(&damaged(*number, true))));
}

/// Records with a disaster around the third segment; gives its number.
fn with_disaster(
    faulty: &Faulty,
    aired: &Aired,
    begin: impl Fn(&Faulty),
    end: impl Fn(&Faulty),
) -> (Vec<Outcome>, u64) {
    let number = aired.numbers("video-1")[2];
    let (from, to) = around(&aired.steps, number, number);
    let mut writer = writer(&files(faulty), Path::new(FOLDER), Sync::Segment);
    let mut outcomes = record(&mut writer, &aired.steps[..from]);
    begin(faulty);
    outcomes.extend(record(&mut writer, &aired.steps[from..to]));
    end(faulty);
    outcomes.extend(record(&mut writer, &aired.steps[to..]));
    (outcomes, number)
}

fn lost(outcomes: &[Outcome]) -> Vec<(&str, Reason)> {
    let of = |outcome| match outcome {
        &Outcome::Lost { ref rendition, gap: Gap { reason, .. } } => Some((&**rendition, reason)),
        _ => None,
    };
    outcomes.iter().filter_map(of).collect()
}

/// The segments of a rendition that were said to be stored.
fn stored<'a>(outcomes: &'a [Outcome], name: &'a str) -> impl Iterator<Item = u64> + 'a {
    outcomes.iter().filter_map(move |outcome| match outcome {
        Outcome::Stored { rendition, number, .. } if &**rendition == name => Some(*number),
        _ => None,
    })
}

fn resumed(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|it| matches!(it, Outcome::Resumed { .. })).count()
}

#[test]
fn a_full_disk_is_a_gap_and_recording_goes_on_when_there_is_room() {
    let aired = Aired::stream(1, 12);
    let faulty = Faulty::default();
    let full = |faulty: &Faulty| faulty.limit(Some(faulty.used() + 150));
    let (outcomes, number) = with_disaster(&faulty, &aired, full, |faulty| faulty.limit(None));
    assert_eq!(lost(&outcomes), [("video-1", Reason::NoSpace), ("audio-1", Reason::NoSpace)]);
    assert_eq!(resumed(&outcomes), 2);
    let contents = read(&faulty);
    for rendition in ["video-1", "audio-1"] {
        let [(first, last, Reason::NoSpace)] = gaps(&contents, rendition)[..] else { panic!("one gap") };
        assert!(first <= number && number <= last && last - first <= 1);
    }
    aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
    let repairs = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}")).repairs;
    assert_eq!(repairs.adopted + u32::from(repairs.rebuilt), 0);
}

#[test]
fn what_is_to_stay_free_is_not_written_to() {
    let aired = Aired::stream(1, 6);
    let faulty = Faulty::default();
    faulty.limit(Some(100_000));
    let policy = Policy { sync: Sync::Segment, keep_free: 1 << 20 };
    let open = Writer::open(files(&faulty), Path::new(FOLDER), "r".into(), policy, Instant::now(), 0);
    let outcomes = record(&mut open.unwrap_or_else(|error| panic!("{error}")).0, &aired.steps);
    assert_eq!(lost(&outcomes), [("video-1", Reason::NoSpace), ("audio-1", Reason::NoSpace)]);
    assert!(
        reading::presentation(&read(&faulty), &"r".into(), Options { ended: true, partial: false }).is_none()
    );
}

#[test]
fn a_file_that_cannot_be_written_is_a_gap_of_its_rendition() {
    let aired = Aired::stream(1, 12);
    let faulty = Faulty::default();
    let failing = |faulty: &Faulty| faulty.fail(Some(("write", "video", EIO)));
    let (outcomes, number) = with_disaster(&faulty, &aired, failing, |faulty| faulty.fail(None));
    assert_eq!(lost(&outcomes), [("video-1", Reason::Failed)]);
    let contents = read(&faulty);
    assert_eq!(gaps(&contents, "video-1"), [(number, number, Reason::Failed)]);
    for file in
        faulty.list(Path::new(FOLDER)).expect("a folder").iter().filter(|it| it.name.ends_with(".mp4"))
    {
        assert!(
            contents.files.iter().any(|known| known.name == file.name && file.len >= known.init.len() as u64)
        );
    }
    assert_eq!(gaps(&contents, "audio-1"), []);
    let presentation = shown(&contents);
    check(&presentation);
    let video = presentation.rendition("video-1").expect("video");
    let listed = hls::media(&presentation, video, &Asked::default());
    assert_eq!(
        listed.matches("#EXT-X-GAP").count(),
        1,
        "RFC 8216bis §4.4.4.7: one rendition lacks it\n{listed}"
    );
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 0);
}

#[test]
fn what_could_not_be_synced_is_not_said_to_be_there() {
    let aired = Aired::stream(1, 12);
    let faulty = Faulty::default();
    let failing = |faulty: &Faulty| faulty.fail(Some(("sync", "video", EIO)));
    let (outcomes, number) = with_disaster(&faulty, &aired, failing, |faulty| faulty.fail(None));
    assert_eq!(lost(&outcomes), [("video-1", Reason::Failed)]);
    let gaps = gaps(&read(&faulty), "video-1");
    assert!(gaps.iter().any(|&(first, last, _)| (first..=last).contains(&number)), "{gaps:?}");
    let missing = |wanted: u64| gaps.iter().any(|&(first, last, _)| (first..=last).contains(&wanted));
    let said: Vec<u64> = stored(&outcomes, "video-1").filter(|number| missing(*number)).collect();
    assert_eq!(said, [], "what has it in memory keeps it there");
}

#[test]
fn what_is_written_to_a_folder_that_is_gone_is_lost_and_said_so() {
    let aired = Aired::stream(1, 12);
    let faulty = Faulty::default();
    let [.., number] = aired.numbers("video-1")[..] else { panic!("segments") };
    let (from, _) = around(&aired.steps, aired.numbers("video-1")[2], number);
    let mut writer = writer(&files(&faulty), Path::new(FOLDER), Sync::Segment);
    record(&mut writer, &aired.steps[..from]);
    faulty.fail(Some(("space", "r", ENOENT)));
    let outcomes = record(&mut writer, &aired.steps[from..]);
    assert_eq!(lost(&outcomes), [("video-1", Reason::Failed), ("audio-1", Reason::Failed)]);
    let told = |rendition| stored(&outcomes, rendition).any(|stored| stored == number);
    assert!(!told("video-1") && !told("audio-1"), "files without a name hold nothing");
}

#[test]
fn an_index_that_fails_is_written_when_it_can_be_again() {
    let aired = Aired::stream(1, 12);
    for (call, error) in [("write", EIO), ("write", ENOSPC), ("sync", EIO)] {
        let faulty = Faulty::default();
        let failing = |faulty: &Faulty| faulty.fail(Some((call, "index", error)));
        let (_, number) = with_disaster(&faulty, &aired, failing, |faulty| faulty.fail(None));
        let contents = read(&faulty);
        for rendition in ["video-1", "audio-1"] {
            let gaps = gaps(&contents, rendition);
            assert!(
                gaps.iter().all(|&(first, last, _)| first <= number + 1 && last + 1 >= number),
                "{gaps:?}"
            );
            assert!(gaps.iter().map(|(first, last, _)| last - first + 1).sum::<u64>() <= 2);
        }
        aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
        faulty.cut_power(7);
        let recovered = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
        aired.check_bytes(&faulty, Path::new(FOLDER), &recovered.contents);
    }
}

#[test]
fn a_pause_is_not_on_the_timeline() {
    let aired = Aired::stream(1, 16);
    let faulty = Faulty::default();
    let numbers = aired.numbers("video-1");
    let mut writer = writer(&files(&faulty), Path::new(FOLDER), Sync::Segment);
    let (from, _) = around(&aired.steps, numbers[2], numbers[2]);
    let (_, to) = around(&aired.steps, numbers[3], numbers[3]);
    record(&mut writer, &aired.steps[..from]);
    writer.pause(true);
    record(&mut writer, &aired.steps[from..to]);
    writer.pause(false);
    record(&mut writer, &aired.steps[to..]);
    let contents = read(&faulty);
    assert!(gaps(&contents, "video-1").iter().all(|gap| gap.2 == Reason::Paused || gap.2 == Reason::Behind));
    let presentation = shown(&contents);
    let video = presentation.rendition("video-1").expect("video");
    let listed = hls::media(&presentation, video, &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{listed}");
    assert!(!listed.contains("#EXT-X-GAP"), "{listed}");
    assert_eq!(listed.matches("#EXT-X-PROGRAM-DATE-TIME").count(), 2, "the clock steps there: {listed}");
    let mpd = dash::mpd(&presentation, &Asked::default());
    assert_eq!(mpd.matches("<Period ").count(), 2, "{mpd}");
    for number in [numbers[0], numbers[4]] {
        assert!(listed.contains(&format!("/{number}.m4s")), "names stay: {listed}");
    }
    assert!(mpd.contains(&format!("startNumber=\"{}\"", numbers[4])), "{mpd}");
}

#[test]
fn sessions_of_a_recording_stand_behind_each_other() {
    let faulty = Faulty::default();
    let mut numbers = None;
    let mut aired = Vec::new();
    for session in 0..3u64 {
        let settings = Settings::default();
        let mut publisher = match numbers.take() {
            None => Publisher::new(settings).both(),
            Some(numbers) => Publisher::resuming(settings, numbers, false).both(),
        };
        publisher.live(session as i64 * 60_000, 180, 30, 30, true);
        publisher.end();
        numbers = Some(publisher.packager.numbers().clone());
        let stream = Aired::of(&publisher);
        // A process each.
        record(&mut writer(&files(&faulty), Path::new(FOLDER), Sync::Segment), &stream.steps);
        aired.push(stream);
    }
    let contents = read(&faulty);
    assert_eq!(contents.sessions.iter().filter(|session| session.ended).count(), 3);
    let presentation = shown(&contents);
    check(&presentation);
    let video = presentation.rendition("video-1").expect("video");
    let all: Vec<u64> = aired.iter().flat_map(|stream| stream.numbers("video-1")).collect();
    assert_eq!(video.segments.keys().copied().collect::<Vec<_>>(), all);
    let listed = hls::media(&presentation, video, &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 2, "RFC 8216bis §4.4.4.3");
    assert!(listed.ends_with("#EXT-X-ENDLIST\n"));
    assert_eq!(dash::mpd(&presentation, &Asked::default()).matches("<Period ").count(), 3);
}

#[test]
fn a_cursor_finds_in_snapshots_what_the_log_said() {
    let mut publisher = Publisher::new(Settings::default()).both();
    let (mut cursor, mut steps) = (Cursor::default(), Vec::new());
    for second in 0..20i64 {
        // Looks now and then, and not at each part.
        publisher.live(second * 1000, 30, 30, 30, true);
        if second % 3 == 0
            && let Some(presentation) = publisher.packager.presentation()
        {
            steps.extend(cursor.follow(presentation));
            assert_eq!(cursor.follow(presentation), [], "nothing is told twice");
        }
    }
    publisher.end();
    steps.extend(cursor.follow(publisher.presentation()));
    let faulty = [Faulty::default(), Faulty::default()];
    let from_snapshots = recorded(&faulty[0], &steps).0;
    let from_log = recorded(&faulty[1], &Aired::of(&publisher).steps).0;
    assert_eq!(
        from_snapshots.renditions.iter().map(|it| it.segments.len()).sum::<usize>(),
        from_log.renditions.iter().map(|it| it.segments.len()).sum::<usize>()
    );
    Aired::of(&publisher).check_bytes(&faulty[0], Path::new(FOLDER), &from_snapshots);
    assert!(integrity::report(&from_snapshots).is_complete());
    assert_eq!(shown(&from_snapshots).spans, shown(&from_log).spans);
}

#[test]
fn sound_that_was_not_there_yet_when_its_encoder_left_is_silence_and_no_loss() {
    let settings = Settings { window: Duration::from_secs(3600), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    let (mut cursor, mut steps) = (Cursor::default(), Vec::new());
    for period in 0..2i64 {
        // Four seconds, and the first picture of the next segment.
        publisher.live(period * 9000, 120, 30, 60, true);
        publisher.push(TrackId::VIDEO, period * 9000 + 4000, 0, media::Sync::Yes);
        publisher.interrupt();
        steps.extend(cursor.follow(publisher.presentation()));
    }
    publisher.end();
    steps.extend(cursor.follow(publisher.presentation()));
    let contents = recorded(&Faulty::default(), &steps).0;
    let report = integrity::report(&contents);
    assert!(report.is_complete(), "{report:?}");
    let silent = |name| report.renditions.iter().find(|it| it.name == name).map(|it| it.silent);
    assert_eq!((silent("video-1"), silent("audio-1")), (Some(0), Some(2)));
    let lists = |presentation: &Presentation| {
        let audio = presentation.rendition("audio-1").expect("sound");
        hls::media(presentation, audio, &Asked { low_latency: false, ..Asked::default() })
    };
    let (aired, found) = (lists(publisher.presentation()), lists(&shown(&contents)));
    let times = |list: &str| -> Vec<f64> {
        let said = list.lines().filter_map(|it| it.strip_prefix("#EXTINF:")?.strip_suffix(','));
        said.map(|it| it.parse().expect("seconds")).collect()
    };
    assert_eq!(times(&aired), times(&found), "{aired}{found}");
}

#[test]
fn a_reader_that_was_away_for_too_long_is_told_what_it_missed() {
    let settings =
        Settings { window: Duration::from_secs(4), dvr_window: Duration::ZERO, ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    let mut cursor = Cursor::default();
    publisher.live(0, 150, 30, 30, true);
    let mut steps = cursor.follow(publisher.presentation());
    publisher.live(5000, 1800, 30, 30, true);
    publisher.end();
    steps.extend(cursor.follow(publisher.presentation()));
    let faulty = Faulty::default();
    let contents = recorded(&faulty, &steps).0;
    let [(first, last, Reason::Behind)] = gaps(&contents, "video-1")[..] else { panic!("one gap") };
    assert!(last - first > 10);
    Aired::of(&publisher).check_bytes(&faulty, Path::new(FOLDER), &contents);
    let presentation = shown(&contents);
    let video = presentation.rendition("video-1").expect("video");
    let listed = hls::media(&presentation, video, &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{listed}");
}

#[test]
fn a_recording_that_begins_while_live_begins_with_a_whole_segment() {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 200, 30, 30, true);
    let from = publisher.rendition("video-1").last().expect("a segment").number + 2;
    let mut cursor = Cursor::new(from);
    let mut steps = cursor.follow(publisher.presentation());
    publisher.live(6667, 300, 30, 30, true);
    publisher.end();
    steps.extend(cursor.follow(publisher.presentation()));
    let faulty = Faulty::default();
    let contents = recorded(&faulty, &steps).0;
    assert!(integrity::report(&contents).is_complete());
    let presentation = shown(&contents);
    for rendition in &presentation.renditions {
        assert_eq!(rendition.segments.keys().next(), Some(&from));
    }
}

#[test]
fn a_lost_index_is_made_again_from_the_media() {
    let publisher = publisher();
    let aired = Aired::of(&publisher);
    let faulty = Faulty::default();
    let before = shown(&recorded(&faulty, &aired.steps).0);
    faulty.remove_file(&Path::new(FOLDER).join("index"));
    let recovered = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    assert!(recovered.repairs.rebuilt && is_estimated(&recovered.contents));
    let contents = read(&faulty);
    assert_eq!(contents.renditions, recovered.contents.renditions, "what was rebuilt is written down");
    aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
    let options = Options { ended: true, partial: true };
    let after = reading::presentation(&contents, &Arc::from("r"), options).expect("something to show");
    for (before, after) in before.renditions.iter().zip(&after.renditions) {
        assert_eq!(before.name, after.name);
        let facts = |segment: &Arc<Segment>| {
            let stored = segment.stored().expect("stored");
            (segment.number, segment.start, stored.offset, stored.len, stored.checksum, stored.init.clone())
        };
        let list = |segments: Vec<&Arc<Segment>>| segments.into_iter().map(facts).collect::<Vec<_>>();
        assert_eq!(list(before.segments.values().collect()), list(after.segments.values().collect()));
    }
    assert_eq!(before.session.target_duration, after.session.target_duration);
    let (again, repairs) = {
        let recovered = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
        (recovered.contents, recovered.repairs)
    };
    assert_eq!((again.renditions, repairs), (contents.renditions, recover::Repairs::default()));
}

#[test]
fn damage_inside_the_index_costs_nothing_that_the_media_have() {
    let aired = Aired::stream(2, 8);
    let faulty = Faulty::default();
    let whole = recorded(&faulty, &aired.steps).0;
    let path = Path::new(FOLDER).join("index");
    let len = faulty.read(&path, 0, usize::MAX).expect("readable").len();
    for at in (8..len * 2 / 3).step_by(41) {
        let faulty = faulty.copy();
        faulty.flip(&path, at);
        let recovered = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
        assert!(recovered.repairs.damaged > 0, "byte {at}");
        let contents = read(&faulty);
        aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
        assert_eq!(common::stored_parts(&contents), common::stored_parts(&whole), "byte {at}");
    }
}

#[test]
fn what_is_no_index_is_put_aside() {
    let aired = Aired::stream(1, 6);
    let faulty = Faulty::default();
    let whole = recorded(&faulty, &aired.steps).0;
    faulty.flip(&Path::new(FOLDER).join("index"), 3);
    let recovered = recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    assert!(recovered.repairs.rebuilt);
    assert_eq!(common::stored_parts(&read(&faulty)), common::stored_parts(&whole));
    let names: Vec<String> =
        faulty.list(Path::new(FOLDER)).expect("listed").into_iter().map(|file| file.name).collect();
    assert!(names.contains(&"index.bad".to_owned()), "{names:?}");
}

#[test]
fn a_clip_is_ranges_of_a_recording_with_a_seam_between_them() {
    let aired = Aired::stream(1, 20);
    let faulty = Faulty::default();
    let contents = recorded(&faulty, &aired.steps).0;
    let numbers = aired.numbers("video-1");
    let ranges = [numbers[1]..=numbers[2], numbers[5]..=numbers[6]];
    let options = Options { ended: true, partial: false };
    let clip = reading::clip(&contents, &Arc::from("r"), options, &ranges).expect("something to show");
    let video = clip.rendition("video-1").expect("video");
    let shown: Vec<u64> = video.segments.keys().copied().collect();
    assert_eq!(shown, [numbers[1], numbers[2], numbers[5], numbers[6]]);
    let listed = hls::media(&clip, video, &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{listed}");
    let mpd = dash::mpd(&clip, &Asked::default());
    assert_eq!(mpd.matches("<Period ").count(), 2, "{mpd}");
    assert!(mpd.contains("mediaPresentationDuration=\"PT8.016S\""), "only what is shown counts: {mpd}");
}

/// All of several recordings.
fn parts(recordings: &[(Contents, Arc<str>)]) -> Vec<reading::Part<'_>> {
    recordings.iter().map(|(contents, store)| (contents, store, &[0..=u64::MAX][..])).collect()
}

/// Two sessions of an entry, a recording each; the second without sound.
fn two_recordings(faulty: &Faulty) -> [Contents; 2] {
    let mut first = Publisher::new(Settings::default()).both();
    first.live(0, 360, 30, 30, true);
    first.end();
    let numbers = first.packager.numbers().clone();
    let mut second = Publisher::resuming(Settings::default(), numbers, false);
    second.packager.announce(true, false);
    second.packager.track(TrackId::VIDEO, video_track());
    second.live(60_000, 360, 30, 30, false);
    second.end();
    let contents = |(folder, publisher): (&str, &Publisher)| {
        let folder = Path::new(folder);
        record(&mut writer(&files(faulty), folder, Sync::Segment), &Aired::of(publisher).steps);
        recover::read(faulty, folder).expect("readable")
    };
    [("/r", &first), ("/s", &second)].map(contents)
}

#[test]
fn a_clip_of_two_recordings_shows_one_behind_the_other() {
    let faulty = Faulty::default();
    let [first, second] = two_recordings(&faulty);
    let numbers =
        |contents: &Contents| contents.renditions[0].segments.iter().map(|it| it.number).collect::<Vec<_>>();
    let (one, two) = (numbers(&first), numbers(&second));
    let stores: [Arc<str>; 2] = ["e/r".into(), "e/s".into()];
    let ranges = [[one[1]..=one[2]], [two[3]..=two[4]]];
    let options = Options { ended: true, partial: false };
    let parts = [(&first, &stores[0], &ranges[0][..]), (&second, &stores[1], &ranges[1][..])];
    let clip = reading::concatenate(&parts, options).expect("something to show");
    let video = clip.rendition("video-1").expect("video");
    let shown: Vec<(u64, &str)> = video
        .segments
        .values()
        .map(|it| (it.number, it.stored().map_or("", |stored| &*stored.file.store)))
        .collect();
    assert_eq!(shown, [(one[1], "e/r"), (one[2], "e/r"), (two[3], "e/s"), (two[4], "e/s")]);
    let listed = hls::media(&clip, video, &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "RFC 8216bis §4.4.4.3: {listed}");
    let audio = hls::media(&clip, clip.rendition("audio-1").expect("audio"), &Asked::default());
    assert_eq!(
        audio.matches("#EXTINF").count(),
        2,
        "what ends a rendition is no gap, players wait there: {audio}"
    );
    assert!(audio.ends_with("#EXT-X-ENDLIST\n"), "{audio}");
    assert!(dash::mpd(&clip, &Asked::default()).contains("mediaPresentationDuration=\"PT8"), "four segments");
}

#[test]
fn what_would_go_back_in_a_clip_is_left_out() {
    let faulty = Faulty::default();
    let [first, second] = two_recordings(&faulty);
    let (store, all) = (Arc::from("r"), [0..=u64::MAX]);
    let options = Options { ended: true, partial: false };
    let parts = [(&second, &store, &all[..]), (&first, &store, &all[..]), (&second, &store, &all[..])];
    let listed = |presentation: Option<Presentation>| {
        let presentation = presentation.expect("something to show");
        hls::media(&presentation, presentation.rendition("video-1").expect("video"), &Asked::default())
    };
    let alone = reading::clip(&second, &store, options, &all);
    assert_eq!(
        listed(reading::concatenate(&parts, options)),
        listed(alone),
        "RFC 8216bis §6.2.1: numbers grow"
    );
}

#[test]
fn a_recording_that_becomes_too_long_goes_on_in_another_one_without_a_hole() {
    let aired = Aired::stream(2, 15);
    let faulty = Faulty::default();
    let files = files(&faulty);
    let folder = |first: u64| format!("/r{first}");
    let open = {
        let files = files.clone();
        Box::new(move |first| {
            let policy = common::policy(Sync::Segment);
            let opened =
                Writer::open(files.clone(), folder(first).as_ref(), "r".into(), policy, Instant::now(), 0);
            opened.map(|(writer, _)| writer)
        })
    };
    let mut roll = Roll::new(writer(&files, Path::new(FOLDER), Sync::Segment), Duration::from_secs(6), open);
    for step in &aired.steps {
        roll.take(std::slice::from_ref(step), Instant::now());
    }
    roll.finish(Instant::now()).expect("nothing fails");
    let mut stored = std::collections::BTreeMap::new();
    let mut recordings = 0;
    let mut rolled: Vec<(Contents, Arc<str>)> = Vec::new();
    for path in ["/r".to_owned()].into_iter().chain(aired.numbers("video-1").into_iter().map(folder)) {
        let Ok(contents) = recover::read(&faulty, Path::new(&path)) else { continue };
        recordings += 1;
        aired.check_bytes(&faulty, Path::new(&path), &contents);
        assert!(integrity::report(&contents).is_complete(), "{path}");
        assert!(contents.renditions.iter().any(|it| it.frame_rate.is_some()), "facts go on: {path}");
        for (key, parts) in common::stored_parts(&contents) {
            assert_eq!(stored.insert(key, parts), None, "each segment is in one recording");
        }
        rolled.push((contents, Arc::from(&path[1..])));
    }
    let all = reading::concatenate(&parts(&rolled), Options { ended: true, partial: false }).expect("shown");
    let listed = hls::media(&all, all.rendition("video-1").expect("video"), &Asked::default());
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "the stream's own alone: {listed}");
    assert!((4..=6).contains(&recordings), "{recordings} recordings of at most 6 s and a segment");
    assert_eq!(stored.len(), aired.segments.len(), "nothing is lost between them");
}

#[test]
fn a_shelf_gives_segments_and_no_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk: Arc<dyn Files> = Arc::new(Disk);
    let publisher = publisher();
    let at = folder.path().join("r");
    record(&mut writer(&disk, &at, Sync::Segment), &Aired::of(&publisher).steps);
    let contents = recover::read(&*disk, &at).unwrap_or_else(|error| panic!("{error}"));
    let shelf = Shelf::new(disk, folder.path().to_owned());
    let shown = shown(&contents);
    for rendition in &shown.renditions {
        for (number, segment) in &rendition.segments {
            let loaded = shelf.load(segment).unwrap_or_else(|error| panic!("{error}"));
            let live = &publisher.rendition(&rendition.name).segments[number];
            assert!(loaded.pieces().flatten().eq(live.pieces().flatten()));
        }
    }
    let file = &contents.files[0];
    let mut bytes = std::fs::read(at.join(&file.name)).expect("readable");
    bytes[file.init.len() + 200] ^= 1;
    std::fs::write(at.join(&file.name), bytes).expect("written");
    let first = shown.renditions[0].segments.values().next().expect("a segment");
    assert!(matches!(shelf.load(first), Err(Unreadable::Damaged { .. })));
}

#[test]
fn what_was_on_air_of_the_segment_in_the_making_is_shown_after_a_crash() {
    let aired = Aired::stream(1, 9);
    let faulty = Faulty::default();
    let numbers = aired.numbers("video-1");
    let (from, _) = around(&aired.steps, numbers[2], numbers[2]);
    let of_video = |step: &&Step| matches!(step, Step::Made(packager::Record::Part { rendition, .. }) if &**rendition == "video-1");
    let taken = from + aired.steps[from..].iter().position(|step| of_video(&step)).expect("parts") + 1;
    record(&mut writer(&files(&faulty), Path::new(FOLDER), Sync::Segment), &aired.steps[..taken]);
    let contents =
        recover::open(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}")).contents;
    let options = Options { ended: true, partial: true };
    let shown = reading::presentation(&contents, &Arc::from("r"), options).expect("something to show");
    let video = shown.rendition("video-1").expect("video");
    let listed = hls::media(&shown, video, &Asked::default());
    let name = format!("video-1/{}.0-0.m4s", numbers[2]);
    assert!(listed.contains(&name), "no URL has two bodies: {listed}");
    assert!(!listed.contains(&format!("/{}.m4s", numbers[2])), "{listed}");
    let mpd = dash::mpd(&shown, &Asked::default());
    assert!(mpd.contains("media=\"video-1/$Number$.0-0.m4s\""), "{mpd}");
    assert!(mpd.contains("media=\"video-1/$Number$.m4s\""), "{mpd}");
    let segment = video.segments.values().next_back().expect("a segment");
    assert_eq!(load(&faulty, segment), aired.segments[&("video-1".to_owned(), numbers[2])][0]);
    aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
}

#[test]
fn a_gap_has_its_times_from_its_neighbours() {
    let aired = Aired::stream(1, 16);
    let faulty = Faulty::default();
    let numbers = aired.numbers("video-1");
    let mut writer = writer(&files(&faulty), Path::new(FOLDER), Sync::Segment);
    let (from, _) = around(&aired.steps, numbers[2], numbers[2]);
    let (_, to) = around(&aired.steps, numbers[3], numbers[3]);
    record(&mut writer, &aired.steps[..from]);
    writer.pause(true);
    record(&mut writer, &aired.steps[from..to]);
    writer.pause(false);
    record(&mut writer, &aired.steps[to..]);
    let contents = read(&faulty);
    let times = Times::of(&contents);
    let report = integrity::report(&contents);
    let gap = report.renditions.iter().find(|it| it.name == "video-1").expect("video").gaps[0].clone();
    let (Some(since), Some(until)) = times.of_gap(&gap) else { panic!("no times of {gap:?}") };
    // Segments of two seconds.
    let missing = i64::try_from(gap.last - gap.first + 1).expect("few") * 2_000_000;
    let length = until.micros() - since.micros();
    assert!((length - missing).abs() < 150_000, "{gap:?}: {length} µs");
    let begun = contents.periods.values().next().expect("a period").start.micros();
    let before = i64::try_from(gap.first - numbers[0]).expect("few") * 2_000_000;
    assert!((since.micros() - begun - before).abs() < 150_000, "{gap:?}: {since}");
    assert_eq!(Times::default().of_gap(&gap), (None, None), "where nothing is known");
}

#[test]
fn verifying_stops_when_nobody_waits_for_it() {
    let (aired, faulty) = (Aired::stream(1, 16), Faulty::default());
    record(&mut writer(&files(&faulty), Path::new(FOLDER), Sync::Segment), &aired.steps);
    let contents = read(&faulty);
    let asked = std::cell::Cell::new(0);
    let is_wanted = || {
        asked.set(asked.get() + 1);
        asked.get() <= 3
    };
    let found = integrity::verify_while(&faulty, Path::new(FOLDER), &contents, &is_wanted);
    assert_eq!((found.checked, asked.get()), (3, 4));
}
