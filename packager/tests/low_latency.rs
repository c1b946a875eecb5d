//! What low-latency players rely on, after every few frames of random streams: encoders of any rate, with and without
//! audio, that go away and come back, and audio that falls silent.

mod common;
#[path = "common/playlist.rs"]
mod playlist;

use std::time::Duration;

use common::{Publisher, moof};
use media::{Kind, Sync, TrackId};
use packager::manifest::hls::{self, Directives, Reload};
use packager::manifest::{Options, hls::media};
use packager::presentation::{Lookup, Part as Made};
use packager::{Presentation, Rendition, Settings};
use playlist::{Part, Playlist};
use proptest::prelude::*;

/// What an encoder does.
#[derive(Clone, Debug)]
enum Act {
    /// Sends so many pictures, with audio or without.
    Send { frames: i64, audio: bool },
    /// Is away for so many milliseconds.
    Leave { millis: i64 },
}

#[derive(Clone, Debug)]
struct Show {
    fps: i64,
    gop: i64,
    part: u64,
    window: u64,
    acts: Vec<Act>,
}

fn show() -> impl Strategy<Value = Show> {
    let act = prop_oneof![
        4 => (20i64..200).prop_map(|frames| Act::Send { frames, audio: true }),
        1 => (20i64..200).prop_map(|frames| Act::Send { frames, audio: false }),
        1 => (500i64..5000).prop_map(|millis| Act::Leave { millis }),
    ];
    let fps = prop::sample::select(vec![5, 6, 7, 8, 10, 12, 15, 24, 25, 30, 50, 60]);
    let part = prop::sample::select(vec![200, 250, 334, 500, 1000]);
    (fps, 1u32..5, part, 6u64..40, prop::collection::vec(act, 1..5)).prop_map(
        |(fps, gop, part, window, acts)| Show { fps, gop: fps * i64::from(gop) / 2 + 1, part, window, acts },
    )
}

impl Show {
    /// Runs the show; `look` is called after every third picture, with what there is by then.
    fn run(&self, mut look: impl FnMut(&Publisher)) {
        let settings = Settings {
            part: Duration::from_millis(self.part),
            window: Duration::from_secs(self.window),
            ..Settings::default()
        };
        let mut publisher = Publisher::new(settings).both();
        let (mut now, mut audio_frames, mut back) = (0, 0, false);
        for act in self.acts.iter().chain([&Act::Send { frames: 90, audio: true }]) {
            match *act {
                Act::Leave { millis } => {
                    publisher.interrupt();
                    (now, back) = (now + millis, true);
                    audio_frames = (now * 3).div_euclid(64) + 1;
                }
                Act::Send { frames, audio } => {
                    // An encoder comes back with what it had.
                    let audio = audio || std::mem::take(&mut back);
                    for frame in 0..frames {
                        let at = now + (frame * 1000 + self.fps / 2) / self.fps;
                        publisher.elapsed = Duration::from_millis(at as u64);
                        while audio_frames * 64 / 3 <= at {
                            if audio {
                                publisher.push(TrackId::AUDIO, audio_frames * 64 / 3, 0, Sync::Yes);
                            }
                            audio_frames += 1;
                        }
                        let sync = if frame % self.gop == 0 { Sync::Yes } else { Sync::No };
                        publisher.push(TrackId::VIDEO, at, 0, sync);
                        if frame % 3 == 0 && publisher.packager.presentation().is_some() {
                            look(&publisher);
                        }
                    }
                    now += frames * 1000 / self.fps;
                }
            }
        }
    }
}

/// What was seen of a rendition so far.
#[derive(Default)]
struct Watched {
    first: Option<Playlist>,
    /// The playlist before, and one that is about half a skip boundary old.
    last: Option<Playlist>,
    known: Option<Playlist>,
}

impl Watched {
    fn look(&mut self, publisher: &Publisher, rendition: &Rendition) {
        let presentation = publisher.presentation();
        let text = media(presentation, rendition, &Options::default());
        let list = Playlist::parse(&text);
        let first = self.first.get_or_insert_with(|| list.clone());
        check_constants(first, &list);
        check_parts(&list, rendition);
        check_hints(&list, rendition, publisher.presentation());
        check_dates(&list, rendition);
        check_reports(publisher, rendition, &list);
        check_reload(&list, rendition);
        if let Some(last) = &self.last {
            check_follows(last, &list);
        }
        let known = self.known.get_or_insert_with(|| list.clone());
        check_delta(publisher, rendition, known, &list);
        if list.next() > known.next() + 1 {
            *known = list.clone();
        }
        self.last = Some(list);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn playlists_are_what_low_latency_players_rely_on(show in show()) {
        let mut watched = [("video-1", Watched::default()), ("audio-1", Watched::default())];
        show.run(|publisher| {
            for (name, watched) in &mut watched {
                let rendition = publisher.presentation().rendition(name);
                if let Some(rendition) = rendition.filter(|rendition| !rendition.segments.is_empty()) {
                    watched.look(publisher, rendition);
                }
            }
        });
    }
}

/// RFC 8216bis §4.4.3.1, §4.4.3.7, §4.4.3.8, §6.2.4, §8.
fn check_constants(first: &Playlist, list: &Playlist) {
    assert_eq!(first.target_duration, list.target_duration);
    assert_eq!((&first.control, first.part_target), (&list.control, list.part_target));
    let part_target = list.part_target.expect("PART-TARGET");
    assert!(list.control("PART-HOLD-BACK") >= 3.0 * part_target - 1e-9);
    assert!(list.control("HOLD-BACK") >= 3.0 * list.target_duration);
    assert!(list.control("CAN-SKIP-UNTIL") >= 6.0 * list.target_duration);
    assert!(list.control.as_ref().is_some_and(|control| control.contains("CAN-BLOCK-RELOAD=YES")));
    assert_eq!(list.version, 8);
}

/// RFC 8216bis §4.4.4.9 and §6.2.2: how long parts are, which are independent, and that they make up their segment.
fn check_parts(list: &Playlist, rendition: &Rendition) {
    let target = list.part_target.expect("PART-TARGET");
    let mut behind: f64 = list.open.iter().map(|part| part.seconds).sum();
    for segment in list.segments.iter().rev() {
        // Durations run ahead by a microsecond at most.
        behind += segment.seconds - 1e-6;
        let limit = 3.0 * list.target_duration;
        let unlisted = segment.seconds == 0.0 || has_long_part(rendition, segment.number, target);
        assert_eq!(
            segment.parts.is_empty(),
            unlisted || behind > limit + 2e-5,
            "{} of {}",
            segment.number,
            rendition.name
        );
        let sum: f64 = segment.parts.iter().map(|part| part.seconds).sum();
        if !segment.parts.is_empty() {
            assert!((sum - segment.seconds).abs() < 1e-5 * segment.parts.len() as f64, "{segment:?}");
        }
        check_lengths(&segment.parts, target, true);
        assert!(!segment.gap || segment.parts.iter().all(|part| part.gap), "{segment:?}");
    }
    check_lengths(&list.open, target, false);
    for (number, index, part) in list.parts() {
        check_part(rendition, number, index, part);
    }
}

/// A hole in the sound can make a frame longer than the target: its segment is listed without parts.
fn has_long_part(rendition: &Rendition, number: u64, target: f64) -> bool {
    let Lookup::Found(segment) = rendition.segment(number) else { return false };
    let seconds = |part: &Made| part.duration as f64 / f64::from(segment.scale.hz());
    segment.parts().iter().any(|part| seconds(part) > target + 1e-6)
}

fn check_lengths(parts: &[Part], target: f64, whole: bool) {
    for (at, part) in parts.iter().enumerate() {
        assert!(part.seconds <= target + 1e-9, "{part:?} in {target}");
        let last = whole && at + 1 == parts.len();
        let next_is_gap = parts.get(at + 1).is_some_and(|next| next.gap);
        let exempt = part.independent || part.gap || last || next_is_gap;
        assert!(exempt || part.seconds >= 0.85 * target, "{part:?} of {parts:?} in {target}");
    }
}

/// What is listed can be fetched, unless it says that it cannot, and says so where decoding can begin.
fn check_part(rendition: &Rendition, number: u64, index: u64, part: &Part) {
    assert_eq!(part.uri, format!("{}/{number}.{index}.m4s", rendition.name));
    match rendition.part(number, index as u32) {
        Lookup::Found(made) => {
            assert!(!part.gap);
            assert_eq!(part.independent, holds_sync(rendition.kind, made), "{part:?}");
        }
        _ => assert!(part.gap && !part.independent, "{part:?}"),
    }
}

fn holds_sync(kind: Kind, part: &Made) -> bool {
    let traf = &moof(&part.header).traf[0];
    let flags = traf.trun[0].samples.iter().map(|sample| sample.flags.or(traf.tfhd.default_sample_flags));
    // ISO/IEC 14496-12 §8.8.3.1: sample_is_non_sync_sample.
    kind == Kind::Audio || flags.into_iter().flatten().any(|flags| flags & 0x1_0000 == 0)
}

/// RFC 8216bis §4.4.5.3: one hint, at what is not listed; none at what may never come.
fn check_hints(list: &Playlist, rendition: &Rendition, presentation: &Presentation) {
    let off = list.open.is_empty() && list.segments.last().is_some_and(|last| last.gap);
    let last = rendition.last().map(|last| last.period.number);
    let away = rendition.open.is_none() && presentation.closed == last;
    let parts = list.hints.iter().filter(|(kind, _)| kind == "PART").count();
    assert_eq!(parts, usize::from(!off && !away), "{} of {}", list.next(), rendition.name);
    assert_eq!(list.hints.len(), parts);
    assert!(list.hint().is_none_or(|hint| list.parts().iter().all(|(_, _, part)| part.uri != hint)));
}

/// Milliseconds of an audio frame, and of what dates are rounded by: a boundary lies within one.
const FRAME: f64 = 22.0;

/// RFC 8216bis §4.4.4.6, §6.2.1: dates that do not jump but at a discontinuity.
fn check_dates(list: &Playlist, rendition: &Rendition) {
    assert!(list.segments[0].dated);
    let day = 24 * 3600 * 1000;
    for (listed, segment) in list.segments.iter().zip(rendition.window()) {
        let date = (segment.wall_time().micros() / 1000 % day) as f64;
        assert!(
            (listed.date - date).abs() <= FRAME,
            "{} {}: {} {date}",
            rendition.name,
            listed.number,
            listed.date
        );
    }
    for pair in list.segments.windows(2) {
        let (end, next) = (pair[0].date + pair[0].seconds * 1000.0, pair[1].date);
        let broken = pair[0].discontinuity != pair[1].discontinuity;
        assert_eq!(pair[1].dated, broken, "written where it is news");
        assert!(if broken { next >= end - FRAME } else { (next - end).abs() <= 1.0 }, "{pair:?}");
    }
}

/// RFC 8216bis §4.4.5.4: as fresh as the playlist that carries it.
fn check_reports(publisher: &Publisher, rendition: &Rendition, list: &Playlist) {
    let presentation = publisher.presentation();
    let others = presentation.renditions.iter().filter(|other| other.name != rendition.name);
    let expected: Vec<_> = others
        .filter(|other| !other.segments.is_empty())
        .map(|other| {
            let list = Playlist::parse(&media(presentation, other, &Options::default()));
            let last = list.segments.last().expect("a segment");
            let (msn, parts) = match list.open.len() {
                0 => (last.number, last.parts.len()),
                open => (list.next(), open),
            };
            (format!("{}.m3u8", other.name), msn, (parts as u64).checked_sub(1))
        })
        .collect();
    assert_eq!(list.reports, expected);
}

/// RFC 8216bis §6.2.5.2: what is listed is ready, what is hinted at is waited for.
fn check_reload(list: &Playlist, rendition: &Rendition) {
    let ask = |msn, part| hls::reload(rendition, true, Directives { msn, part });
    for (msn, part, _) in list.parts() {
        assert_eq!(ask(msn, Some(part)), Reload::Ready);
    }
    let next = list.next();
    assert_eq!(ask(next - 1, None), Reload::Ready);
    assert_eq!(ask(next, None), Reload::Wait);
    assert_eq!(ask(next + 1, None), Reload::Wait);
    assert_eq!(ask(next + 2, None), Reload::TooFar);
    let open = list.open.len() as u64;
    assert_eq!(ask(next, Some(open)), Reload::Wait);
    let limit = (3.0 / list.part_target.expect("PART-TARGET").min(1.0) - 1e-9).ceil() as u64;
    assert_eq!(ask(next, Some(open + limit - 1)), Reload::Wait);
    assert_eq!(ask(next, Some(open + limit)), Reload::TooFar);
    let last = list.segments.last().expect("a segment");
    // A segment without parts can only be had whole.
    let past = if list.open.is_empty() && !last.parts.is_empty() { Reload::Wait } else { Reload::Ready };
    assert_eq!(ask(next - 1, Some(last.parts.len() as u64)), past, "part 0 of the next");
}

/// RFC 8216bis §6.2.1, §6.2.2: nothing goes back, nothing changes, and what was hinted at is what comes.
fn check_follows(before: &Playlist, list: &Playlist) {
    assert!(list.sequence >= before.sequence && list.discontinuity_sequence >= before.discontinuity_sequence);
    assert!(list.next() >= before.next());
    for old in &before.segments {
        if let Some(new) = list.segments.iter().find(|new| new.number == old.number) {
            assert_eq!((&old.uri, old.seconds, old.gap), (&new.uri, new.seconds, new.gap));
            assert_eq!((old.discontinuity, &old.map), (new.discontinuity, &new.map));
            assert!(new.parts.is_empty() || old.parts == new.parts);
        }
    }
    let end = before.parts().last().map(|&(msn, part, _)| (msn, part));
    let new = list.parts().into_iter().find(|&(msn, part, _)| Some((msn, part)) > end);
    if let (Some(hint), Some((msn, 0, part))) = (before.hint(), new)
        && msn == before.next() + 1
    {
        let closed = list.segments.iter().find(|segment| segment.number == before.next());
        let made = closed.is_none_or(|closed| closed.parts.len() > before.open.len());
        assert!(!made || hint == part.uri, "{hint} was hinted at, {} came", part.uri);
    } else if let (Some(hint), Some((_, _, part))) = (before.hint(), new) {
        assert!(part.gap || hint == part.uri, "{hint} was hinted at, {} came", part.uri);
    }
}

/// RFC 8216bis §6.2.5.1, §4.4.5.2: a delta update and what was known are the whole playlist.
fn check_delta(publisher: &Publisher, rendition: &Rendition, known: &Playlist, list: &Playlist) {
    let options = Options { skip: true, ..Options::default() };
    let text = media(publisher.presentation(), rendition, &options);
    let delta = Playlist::after(Some(known), &text);
    assert_eq!(delta.version, if delta.skipped > 0 { 9 } else { 8 });
    assert_eq!(delta.skipped > 0, text.contains("EXT-X-SKIP"));
    assert_eq!((delta.sequence, delta.discontinuity_sequence), (list.sequence, list.discontinuity_sequence));
    assert_eq!((&delta.open, &delta.hints, &delta.reports), (&list.open, &list.hints, &list.reports));
    assert_eq!(delta.segments.len(), list.segments.len());
    let mut shown: f64 = 0.0;
    for (at, (merged, whole)) in delta.segments.iter().zip(&list.segments).enumerate() {
        let dates = (merged.date - whole.date).abs();
        let dated = whole.dated;
        assert!(dates <= FRAME, "{dates} ms");
        assert_eq!(
            &playlist::Listed { date: whole.date, dated, ..merged.clone() },
            whole,
            "segment {at} of a delta update"
        );
        shown += if (at as u64) < delta.skipped { 0.0 } else { whole.seconds };
    }
    let boundary = list.control("CAN-SKIP-UNTIL");
    assert!(delta.skipped == 0 || shown >= boundary - 1e-5, "only what is older than the skip boundary");
    let oldest = delta.segments.get(delta.skipped as usize).map_or(0.0, |first| first.seconds);
    assert!(shown - oldest < boundary + 1e-5, "all that is older");
}
