//! Whatever an index holds: nothing panics, and nothing is given that was not there.

mod common;

use std::mem::size_of;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use archive::contents::Entry;
use archive::files::Files;
use archive::reading::{Options, presentation};
use archive::{Contents, integrity, recover};
use common::faulty::Faulty;
use container::index::{self, Kind, Reason, Record};
use packager::manifest::{Options as Asked, dash, hls};
use packager::presentation::Segment;
use proptest::prelude::*;

const INIT: &[u8] = include_bytes!("common/init-video.mp4");

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0u64..20, 1 => any::<u64>(), 1 => (1u64 << 53) - 3..1 << 53]
}

fn ticks() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0i64..1_000_000, 1 => any::<i64>(), 1 => (1i64 << 53) - 3..1 << 53]
}

fn id() -> impl Strategy<Value = u32> {
    prop_oneof![9 => 0u32..4, 1 => any::<u32>()]
}

fn a_record() -> impl Strategy<Value = Record> {
    let kind = prop_oneof![Just(Kind::Video), Just(Kind::Audio), Just(Kind::Text)];
    let init = prop_oneof![4 => Just(INIT.to_vec()), 1 => proptest::collection::vec(any::<u8>(), 0..40)];
    prop_oneof![
        (number(), any::<u32>(), any::<u64>(), proptest::option::of(number())).prop_map(
            |(id, target_duration, part_target, burnt)| Record::Session {
                id,
                target_duration,
                part_target,
                burnt,
                low_latency: id % 2 == 0,
            }
        ),
        (number(), number(), ticks(), number()).prop_map(|(number, discontinuity, start, elapsed)| {
            Record::Period { elapsed, number, discontinuity, start }
        }),
        (number(), number(), ticks(), any::<u32>()).prop_map(|(period, first, start, timescale)| {
            Record::Span {
                period,
                first,
                start,
                timescale,
                renditions: vec![(Kind::Audio, "audio-1".into())],
            }
        }),
        (id(), 0u32..9, kind).prop_map(|(id, name, kind)| Record::Rendition {
            id,
            name: format!("video-{name}"),
            kind
        }),
        (id(), any::<u32>(), any::<u32>()).prop_map(|(rendition, frames, per)| Record::FrameRate {
            rendition,
            frames,
            per
        }),
        (id(), id(), number(), number(), init).prop_map(|(id, rendition, period, first, init)| {
            Record::File { id, rendition, period, first, init }
        }),
        (id(), number(), number(), ticks(), ticks(), any::<bool>()).prop_map(
            |(file, number, offset, start, duration, independent)| Record::Part {
                file,
                number,
                index: 0,
                offset,
                len: offset,
                start,
                duration,
                independent,
                checksum: 0
            }
        ),
        (id(), number(), number(), number(), ticks(), ticks(), any::<bool>()).prop_map(
            |(file, number, offset, len, start, duration, whole)| Record::Segment {
                file,
                number,
                offset,
                len,
                start,
                duration,
                independent: true,
                checksum: 0,
                parts: 1,
                whole,
                media: duration
            }
        ),
        (id(), number(), number(), ticks(), ticks(), any::<u32>()).prop_map(
            |(rendition, number, period, start, duration, timescale)| Record::Silence {
                rendition,
                number,
                period,
                start,
                duration,
                timescale
            }
        ),
        (id(), number(), number()).prop_map(|(rendition, first, last)| Record::Gap {
            rendition,
            first,
            last,
            reason: Reason::Failed,
            note: String::new()
        }),
        number().prop_map(|period| Record::Closed { period }),
        Just(Record::Synced),
    ]
}

/// A recording that can be shown, before whatever else comes.
fn beginning() -> Vec<Record> {
    vec![
        Record::Session { id: 1, target_duration: 2, part_target: 500_000, burnt: None, low_latency: true },
        Record::Period { number: 1, discontinuity: 0, start: 1_795_309_432_000_000, elapsed: 0 },
        Record::Span { period: 1, first: 1, start: 0, timescale: 90_000, renditions: Vec::new() },
        Record::Rendition { id: 0, name: "video-1".into(), kind: Kind::Video },
        Record::File { id: 0, rendition: 0, period: 1, first: 1, init: INIT.to_vec() },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_index_brings_a_reader_down(records in proptest::collection::vec(a_record(), 0..60), partial: bool) {
        let mut contents = Contents::default();
        beginning().into_iter().chain(records).for_each(|record| contents.take(record));
        integrity::report(&contents);
        if let Some(shown) = presentation(&contents, &Arc::from("r"), Options { ended: true, partial }) {
            hls::multivariant(&shown, &Asked::default());
            dash::mpd(&shown, &Asked::default());
            for rendition in &shown.renditions {
                hls::media(&shown, rendition, &Asked::default());
            }
        }
        let mut again = Contents::default();
        contents.records().into_iter().for_each(|record| again.take(record));
        prop_assert_eq!(common::stored_parts(&again), common::stored_parts(&contents));
    }

    #[test]
    fn no_index_brings_a_recovery_down(records in proptest::collection::vec(a_record(), 0..40), media: bool) {
        let faulty = Faulty::default();
        let mut bytes = Vec::new();
        index::begin(&mut bytes);
        for record in beginning().iter().chain(&records) {
            index::write(&mut bytes, record).expect("short");
        }
        let folder = Path::new("/r");
        faulty.append(&folder.join("index")).and_then(|mut file| file.append(&[&bytes])).expect("written");
        if media {
            let file = folder.join("video-1.1.1.mp4");
            faulty.append(&file).and_then(|mut file| file.append(&[INIT, &bytes])).expect("written");
        }
        recover::open(&faulty, folder).expect("nothing fails here");
        recover::open(&faulty, folder).expect("nothing fails here");
    }
}

/// A day of segments of 2 s in three renditions, four parts each.
fn day() -> Vec<u8> {
    const SEGMENTS: u64 = 43_200;
    let mut bytes = Vec::new();
    index::begin(&mut bytes);
    let mut put = |record: &Record| index::write(&mut bytes, record).expect("short");
    beginning().iter().for_each(&mut put);
    for id in 1..3u32 {
        put(&Record::Rendition { id, name: format!("video-{}", id + 1), kind: Kind::Video });
        put(&Record::File { id, rendition: id, period: 1, first: 1, init: INIT.to_vec() });
    }
    for number in 1..=SEGMENTS {
        for file in 0..3u32 {
            let (offset, len, start) = (number * 1_500_000, 1_500_000, number as i64 * 180_000);
            for index in 0..4u32 {
                let offset = offset + u64::from(index) * 375_000;
                let (independent, checksum) = (index == 0, u32::MAX - index);
                let (len, duration) = (375_000, 45_000);
                put(&Record::Part {
                    file,
                    number,
                    index,
                    offset,
                    len,
                    start,
                    duration,
                    independent,
                    checksum,
                });
            }
            let (duration, independent, checksum, parts, whole) = (180_000, true, u32::MAX, 4, true);
            put(&Record::Segment {
                file,
                number,
                offset,
                len,
                start,
                duration,
                independent,
                checksum,
                parts,
                whole,
                media: duration,
            });
            put(&Record::Synced);
        }
    }
    bytes
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[test]
fn a_day_loads_at_once_and_takes_little_memory() {
    let faulty = Faulty::default();
    let bytes = day();
    let path = Path::new("/r/index");
    faulty.append(path).and_then(|mut file| file.append(&[&bytes])).expect("written");
    let (before, begun) = (resident(), Instant::now());
    let contents = recover::read(&faulty, Path::new("/r")).expect("readable");
    let read = begun.elapsed();
    let shown = presentation(&contents, &Arc::from("r"), Options { ended: true, partial: false });
    let shown = shown.expect("something to show");
    let (made, all) = (begun.elapsed() - read, resident());
    let segments: usize = shown.renditions.iter().map(|it| it.segments.size()).sum();
    assert_eq!(segments, 3 * 43_200);
    println!(
        "{} MB of index, read in {read:?}, presentation in {made:?}; {} bytes a segment in all",
        bytes.len() >> 20,
        all.saturating_sub(before) / segments as u64
    );
    assert!(size_of::<Entry>() <= 72 && size_of::<Segment>() <= 120, "what a segment costs stays small");
}
