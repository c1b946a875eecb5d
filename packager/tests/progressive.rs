//! A presentation as one file: every sample once, where and when the tables say.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::Publisher;
use mp4_atom::{Any, DecodeMaybe, Moov, StszSamples, Trak};
use packager::progressive::{Builder, Fragment, Layout, Place, Plan, Unfit};
use packager::{Period, Presentation, Segment, Settings};

/// Two periods of eight seconds.
fn presentation() -> Presentation {
    let settings = Settings { window: Duration::from_secs(3600), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 240, 30, 30, true);
    publisher.interrupt();
    publisher.live(20_000, 240, 30, 30, true);
    publisher.end();
    publisher.presentation().clone()
}

fn layout(presentation: &Presentation, rendition: Option<&str>) -> Result<Layout, Unfit> {
    let plan = Plan::new(presentation, rendition)?;
    let mut builder = Builder::new(&plan);
    for (at, segment) in &plan.segments {
        builder.add(*at, segment, Fragment::in_memory(segment))?;
    }
    builder.finish()
}

fn bytes(layout: &Layout) -> Vec<u8> {
    let mut file = layout.head.to_vec();
    for piece in &layout.pieces {
        assert_eq!(piece.at, file.len() as u64, "pieces follow each other");
        let Place::Memory(payload) = &piece.place else { panic!("everything is in memory") };
        file.extend(payload.iter().flatten());
    }
    assert_eq!(file.len() as u64, layout.len);
    file
}

fn moov(file: &[u8]) -> Moov {
    let mut rest = file;
    loop {
        match Any::decode_maybe(&mut rest).expect("valid boxes") {
            Some(Any::Moov(moov)) => return moov,
            Some(_) => {}
            None => panic!("no moov"),
        }
    }
}

/// Offset, size and decode time of each sample (ISO/IEC 14496-12 §8.6.1.2, §8.7).
fn samples(trak: &Trak) -> Vec<(u64, u32, u64)> {
    let stbl = &trak.mdia.minf.stbl;
    let StszSamples::Different { sizes } = &stbl.stsz.samples else { panic!("sizes differ") };
    let durations = stbl.stts.entries.iter().flat_map(|it| (0..it.sample_count).map(|_| it.sample_delta));
    let (mut sizes, mut durations, mut at, mut all) = (sizes.iter(), durations, 0, Vec::new());
    for (chunk, &place) in (1..).zip(&stbl.co64.as_ref().expect("co64").entries) {
        let run = stbl.stsc.entries.iter().rev().find(|it| it.first_chunk <= chunk).expect("a run");
        let mut place = place;
        for _ in 0..run.samples_per_chunk {
            let size = *sizes.next().expect("a size");
            all.push((place, size, at));
            place += u64::from(size);
            at += u64::from(durations.next().expect("a duration"));
        }
    }
    assert_eq!((sizes.next(), durations.next()), (None, None), "the tables agree");
    all
}

#[test]
fn every_sample_is_in_it_once_where_the_tables_say() {
    let presentation = presentation();
    let file = bytes(&layout(&presentation, None).expect("a file"));
    let moov = moov(&file);
    assert_eq!(moov.trak.len(), 2, "the video and its sound");
    for (trak, name) in moov.trak.iter().zip(["video-1", "audio-1"]) {
        let rendition = presentation.rendition(name).expect("there");
        let payload = rendition.shown().flat_map(|it| it.parts()).flat_map(|part| &part.payload);
        let aired: Vec<u8> = payload.flatten().copied().collect();
        let samples = samples(trak);
        let found = samples.iter().flat_map(|&(at, size, _)| &file[at as usize..at as usize + size as usize]);
        assert!(found.eq(&aired), "{name} is what was on air");
    }
}

/// Periods are laid end to end; each track is where it is beside the others.
#[test]
fn samples_are_shown_when_they_are_in_the_presentation() {
    let presentation = presentation();
    let moov = moov(&layout(&presentation, None).expect("a file").head);
    for (trak, name) in moov.trak.iter().zip(["video-1", "audio-1"]) {
        let samples = samples(trak);
        let delay =
            trak.edts.as_ref().and_then(|it| it.elst.as_ref()).map_or(0, |it| it.entries[0].segment_duration);
        let hz = f64::from(trak.mdia.mdhd.timescale);
        let mut first = 0;
        for segment in presentation.rendition(name).expect("there").shown() {
            let shown = delay as f64 / 90_000.0 + samples[first].2 as f64 / hz;
            let off = shown - segment.position() as f64 / 1e6;
            assert!(off.abs() < 0.001, "{name}: segment {} is {off} s off", segment.number);
            first += segment.parts().iter().map(|part| count(part)).sum::<usize>();
        }
    }
    let length = moov.mvhd.duration as f64 / 90_000.0;
    assert!((15.9..16.3).contains(&length), "what lies between periods is left out: {length} s");
}

fn count(part: &packager::Part) -> usize {
    container::mp4::parse_fragment(&part.header).expect("ours").samples.len()
}

#[test]
fn segments_go_in_turns_so_that_playback_needs_no_more_than_it_shows() {
    let plan = Plan::new(&presentation(), None).expect("a plan");
    let numbers: Vec<(u64, usize)> = plan.segments.iter().map(|(at, it)| (it.number, *at)).collect();
    assert!(numbers.is_sorted() && numbers.len() > 8, "{numbers:?}");
    assert_eq!(numbers[0].0, numbers[1].0, "a video segment, then the sound of the same time");
}

#[test]
fn a_rendition_can_be_asked_for_and_must_be_there() {
    let presentation = presentation();
    assert_eq!(moov(&layout(&presentation, Some("audio-1")).expect("a file").head).trak.len(), 1);
    assert_eq!(moov(&layout(&presentation, Some("video-1")).expect("a file").head).trak.len(), 2);
    assert!(matches!(layout(&presentation, Some("video-9")), Err(Unfit::NoSuchRendition)));
    let nothing = Presentation { renditions: Vec::new(), ..presentation };
    assert!(matches!(layout(&nothing, None), Err(Unfit::Empty)));
}

#[test]
fn a_file_has_a_longest_length() {
    let mut presentation = presentation();
    let rendition = Arc::make_mut(&mut presentation.renditions[0]);
    let last = rendition.last().expect("a segment").clone();
    let period = Period { elapsed: Duration::from_secs(13 * 3600), ..Period::clone(&last.period) };
    let late = Segment { number: last.number + 1, period: Arc::new(period), ..Segment::clone(&last) };
    rendition.segments.insert_mut(late.number, Arc::new(late));
    assert!(matches!(Plan::new(&presentation, None), Err(Unfit::TooLong)));
}

#[test]
fn a_range_of_bytes_is_in_the_pieces_that_are_said() {
    let layout = layout(&presentation(), None).expect("a file");
    let of = |range| layout.within(&range).iter().map(|it| it.at).collect::<Vec<_>>();
    let (first, second) = (&layout.pieces[0], &layout.pieces[1]);
    assert_eq!(of(0..layout.len).len(), layout.pieces.len());
    assert_eq!(of(0..first.at), [0; 0], "the head alone");
    assert_eq!(of(first.at..second.at), [first.at]);
    assert_eq!(of(second.at - 1..second.at + 1), [first.at, second.at]);
    assert_eq!(of(layout.len - 1..layout.len).len(), 1);
}
