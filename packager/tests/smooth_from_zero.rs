//! Smooth Streaming of what is over, with times that count from zero: what [MS-SSTR] demands holds here too, and media
//! and their order are those of the other timeline.
//!
//! `UPDATE_GOLDEN=1 cargo test -p headwater-packager --test smooth_from_zero` writes the golden file anew; review the diff.

mod common;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use common::smooth::{Boxes, Manifest, Stream, boxes, fragment};
use common::{Publisher, golden};
use packager::manifest::{Options, smooth};
use packager::names::smooth::{FragmentName, Zero};
use packager::presentation::{Bounds, Slice};
use packager::{Presentation, Settings};
use smooth::Absent;

/// Twelve seconds of pictures with sound, eight more after an outage of three, and the end.
fn over() -> Publisher {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 301, 25, 50, true);
    publisher.interrupt();
    publisher.live(15_000, 201, 25, 50, true);
    publisher.end();
    publisher
}

fn text(presentation: &Presentation) -> String {
    let options = Options { from_zero: true, ..Options::default() };
    smooth::manifest(presentation, &options).expect("something to list")
}

/// Both timelines, stream by stream.
fn both(presentation: &Presentation) -> Vec<(Stream, Stream)> {
    let (unix, zero) = (Manifest::of(presentation), Manifest::from_zero(presentation));
    let streams = |manifest: Option<Manifest>| manifest.expect("a manifest").streams.into_iter();
    streams(unix).zip(streams(zero)).collect()
}

#[test]
fn golden_manifest() {
    golden("smooth/ended-from-zero.xml", &text(over().presentation()));
}

#[test]
fn only_what_is_over_counts_from_zero() {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 301, 25, 50, true);
    let presentation = publisher.presentation();
    assert_eq!(Some(text(presentation)), smooth::manifest(presentation, &Options::default()));
    let stream = &Manifest::of(presentation).expect("a manifest").streams[0];
    let zero = Some(Zero { session: presentation.session.id, time: stream.chunks[0].time });
    let name = FragmentName { zero, ..stream.name_of(stream.bitrates[0], 0) };
    assert_eq!(fragment(presentation, &name), Err(Absent::NotYet), "it may when it is over");
}

/// [MS-SSTR] §2.2.2.6, and what a player with a clock waits for: the first picture is due at once.
#[test]
fn the_first_chunk_begins_at_zero_and_an_outage_is_left_out() {
    let publisher = over();
    let manifest = Manifest::from_zero(publisher.presentation()).expect("a manifest");
    assert_eq!(manifest.streams.iter().map(|stream| stream.chunks[0].time).min(), Some(0));
    for stream in &manifest.streams {
        for pair in stream.chunks.windows(2) {
            let hole = pair[1].time as i64 - pair[0].end() as i64;
            // The sound of a period ends up to two frames from its pictures.
            let most = if stream.name == "video" { 16 } else { 430_000 };
            assert!((-16..=most).contains(&hole), "{hole} between {pair:?} of {}", stream.name);
        }
    }
    let last = manifest.streams.iter().flat_map(|stream| &stream.chunks).map(|chunk| chunk.end()).max();
    assert_eq!(Some(manifest.duration), last, "[MS-SSTR] §2.2.2.1");
    assert!((199_000_000..=202_000_000).contains(&manifest.duration), "20 s: {}", manifest.duration);
}

/// Sound and pictures are as far apart as they were, and whatever a double can hold is a multiple of eight.
#[test]
fn within_a_period_times_are_moved_by_one_amount() {
    let publisher = over();
    let mut moved: Vec<u64> = Vec::new();
    for (unix, zero) in both(publisher.presentation()) {
        assert_eq!(unix.chunks.len(), zero.chunks.len());
        for (before, after) in unix.chunks.iter().zip(&zero.chunks) {
            assert_eq!((before.duration, after.time % 8), (after.duration, 0));
            moved.push(before.time - after.time);
        }
    }
    moved.sort_unstable();
    moved.dedup();
    assert_eq!(moved.len(), 2, "one for each period: {moved:?}");
    let outage = moved[1] - moved[0];
    assert!((29_000_000..31_000_000).contains(&outage), "{outage}");
}

/// [MS-SSTR] §2.2.3, §2.2.4.4, §2.2.4.5.
#[test]
fn fragments_stand_where_the_manifest_says_and_tell_of_none_that_follow() {
    let publisher = over();
    let presentation = publisher.presentation();
    for stream in Manifest::from_zero(presentation).expect("a manifest").streams {
        for (name, chunk) in stream.names().iter().zip(&stream.chunks) {
            let Boxes { tfxd, tfrf, moof } = boxes(&fragment(presentation, name).expect("listed"));
            assert_eq!((tfxd, tfrf), (*chunk, Vec::new()));
            let traf = &moof.traf[0];
            let samples = traf.trun[0].samples.iter();
            let durations = samples.map(|it| it.duration.or(traf.tfhd.default_sample_duration));
            let sum: u64 = durations.map(|it| u64::from(it.expect("a duration"))).sum();
            assert_eq!(sum, chunk.duration, "of the samples");
        }
    }
}

#[test]
fn the_payload_is_the_memory_of_the_other_timeline() {
    let publisher = over();
    let presentation = publisher.presentation();
    let place = |piece: &Bytes| (piece.as_ptr(), piece.len());
    for (unix, zero) in both(presentation) {
        for (unix, zero) in unix.names().iter().zip(&zero.names()) {
            let [unix, zero] = [unix, zero].map(|name| fragment(presentation, name).expect("listed"));
            assert_ne!(unix.header, zero.header);
            let places = |of: &smooth::Fragment| of.pieces().skip(1).map(place).collect::<Vec<_>>();
            assert_eq!(places(&unix), places(&zero));
        }
    }
}

/// [MS-SSTR] §2.2.3: a name that no manifest has is refused, however near it comes.
#[test]
fn nothing_else_can_be_fetched() {
    let publisher = over();
    let presentation = publisher.presentation();
    for stream in Manifest::from_zero(presentation).expect("a manifest").streams {
        let (zero, chunk) = (stream.zero.expect("from zero"), stream.chunks[1]);
        let get = |zero, time| {
            fragment(presentation, &FragmentName { zero, ..stream.name_of(stream.bitrates[0], time) })
        };
        assert!(get(Some(zero), chunk.time).is_ok());
        for time in [chunk.time + 8, chunk.time - 8, stream.chunks[0].time + 8, 1 << 60, u64::MAX] {
            assert_eq!(get(Some(zero), time), Err(Absent::Gone), "{time}");
        }
        for time in [0, zero.time - 8, zero.time + 1, u64::MAX] {
            assert_eq!(get(Some(Zero { time, ..zero }), chunk.time), Err(Absent::Gone), "from {time}");
        }
        assert_ne!(
            get(None, chunk.time).map(|it| it.segment.number),
            get(Some(zero), chunk.time).map(|it| it.segment.number)
        );
    }
}

/// What is held of a session that was not recorded is more than its manifest lists.
#[test]
fn what_comes_before_the_list_is_not_at_zero() {
    let settings = Settings { window: Duration::from_secs(6), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 301, 25, 50, true);
    publisher.end();
    let presentation = publisher.presentation();
    for stream in Manifest::from_zero(presentation).expect("a manifest").streams {
        assert!(stream.chunks.len() < 5, "{stream:?}");
        for (name, chunk) in stream.names().iter().zip(&stream.chunks) {
            assert_eq!(boxes(&fragment(presentation, name).expect("listed")).tfxd, *chunk);
        }
    }
}

/// A recording that goes on, or of which more is shown, has another first chunk or more behind the last one. What was
/// served under a name stays what it was.
#[test]
fn a_name_has_one_body_whatever_else_is_shown() {
    let publisher = over();
    let whole = publisher.presentation();
    let first = *whole.renditions[0].segments.keys().next().expect("segments");
    let mut seen = HashMap::new();
    for (from, to) in [(0, 4), (0, 7), (2, 7), (0, u64::MAX), (4, u64::MAX)] {
        let bounds = Bounds { first: first + from, last: first.saturating_add(to) };
        // Wherever its positions count from.
        let origin = Duration::from_secs(from);
        let slice = Slice { session: 7, bounds, origin, entire: true, ended: true };
        let shown = whole.slice(slice);
        let Some(manifest) = Manifest::from_zero(&shown) else { panic!("nothing of {bounds:?}") };
        for name in manifest.streams.iter().flat_map(Stream::names) {
            let bytes: Vec<u8> =
                fragment(&shown, &name).expect("listed").pieces().flatten().copied().collect();
            let before = seen.insert(name.to_string(), bytes.clone());
            assert!(before.is_none_or(|before| before == bytes), "{name}");
        }
    }
    assert!(seen.len() > 20, "{}", seen.len());
}
