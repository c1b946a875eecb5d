//! What goes wrong on the way, and what encoders do.

use media::{Codec, Sync, TrackId};

use super::mux::{AUDIO, DELIMITER, IDR, LARGE, Mux, PACKET, SLICE, SMALL, USUAL, VIDEO, adts, annex_b};
use super::seen::{Seen, audio};
use super::source;
use super::timeline::play;

/// 25 frames a second of pictures that say what they are; sets before the first keyframe alone.
fn pictures(mux: &mut Mux, count: i64) {
    for at in 0..count {
        let time = 90_000 + at * 3600;
        let sets: &[&[u8]] = if at == 0 { &SMALL } else { &[] };
        let slice = if at % 25 == 0 { IDR } else { SLICE };
        mux.picture(VIDEO, time, time, &annex_b(&[&[DELIMITER][..], sets, &[slice]].concat()));
    }
}

#[test]
fn r22_parameter_sets_that_come_once_stay_in_force() {
    let mut mux = Mux::new(&USUAL[..1]);
    pictures(&mut mux, 75);
    let seen = Seen::of(&mux.bytes);
    assert!(matches!(seen.codec(TrackId::VIDEO), Codec::Avc(avc) if avc.width == 320));
    let keys = seen.samples(TrackId::VIDEO).iter().filter(|sample| sample.sync == Sync::Yes).count();
    assert_eq!((seen.counters.video, keys), (75, 3));
    assert!(seen.samples(TrackId::VIDEO).iter().all(|sample| sample.data.len() <= 11), "no sets in samples");
}

#[test]
fn r22_without_parameter_sets_nothing_comes_and_is_counted() {
    let mut mux = Mux::new(&USUAL[..1]);
    (0..10).for_each(|at| mux.picture(VIDEO, at * 3600, at * 3600, &annex_b(&[DELIMITER, SLICE])));
    let seen = Seen::of(&mux.bytes);
    assert_eq!((seen.counters.video, seen.counters.unconfigured), (0, 10));
}

#[test]
fn r21_another_resolution_is_another_track_and_the_same_sets_again_are_not() {
    let mut mux = Mux::new(&USUAL[..1]);
    for at in 0..100i64 {
        let sets = if at < 50 { SMALL } else { LARGE };
        let picture = if at % 25 == 0 { annex_b(&[sets[0], sets[1], IDR]) } else { annex_b(&[SLICE]) };
        mux.picture(VIDEO, at * 3600, at * 3600, &picture);
    }
    let seen = Seen::of(&mux.bytes);
    let widths: Vec<u16> =
        seen.tracks(TrackId::VIDEO).iter().filter_map(|it| it.codec.picture()).map(|it| it.width).collect();
    assert_eq!(widths, [320, 640]);
    assert_eq!(seen.packaged().0, 2, "a period for each");
}

#[test]
fn r21_another_codec_on_the_same_pid_is_the_same_track_described_anew() {
    let first = source::stream(1, "");
    let second = source::stream(1, "-c:v libx265 -x265-params log-level=none -c:a ac3 -output_ts_offset 2");
    let seen = Seen::of(&[first, second].concat());
    let names = |id| seen.tracks(id).iter().map(|track| track.codec.name()).collect::<Vec<_>>();
    assert_eq!(names(TrackId::VIDEO), ["H.264", "H.265"]);
    assert_eq!(names(audio(0)), ["AAC", "AC-3"]);
    assert_eq!(seen.packaged().0, 2, "a period for each");
}

#[test]
fn r23_continuity_errors_cost_the_pictures_that_they_hit() {
    let bytes = source::stream(1, "");
    let packets: Vec<&[u8]> = bytes.chunks(PACKET).collect();
    // One packet in forty is lost.
    let kept: Vec<u8> =
        packets.iter().enumerate().filter(|(at, _)| at % 40 != 20).flat_map(|(_, it)| it.to_vec()).collect();
    let seen = Seen::of(&kept);
    let c = seen.counters;
    let lost = (packets.len() / 40) as u64;
    assert!((lost / 2..=lost + 1).contains(&c.continuity_errors), "{c:?}, {lost} lost");
    assert!(c.video >= 50 - lost && c.video < 50 && c.dropped > 0 && c.audio > 40, "{c:?}");
    assert_eq!(c.jumps, 0);
    let whole = Seen::of(&bytes);
    let all = whole.samples(TrackId::VIDEO);
    let is_whole = |data: &[u8]| all.iter().any(|sample| *sample.data == *data);
    assert!(seen.samples(TrackId::VIDEO).iter().all(|sample| is_whole(&sample.data)), "no picture in pieces");
}

#[test]
fn r23_after_a_loss_of_sync_it_goes_on_within_packets() {
    let bytes = source::stream(1, "");
    let middle = bytes.len() / 2 / PACKET * PACKET;
    for rubbish in [1, 100, 188, 5000] {
        let broken = [&bytes[..middle + 50], &vec![0x47; rubbish], &bytes[middle + 60..]].concat();
        let seen = Seen::of(&broken);
        assert!(seen.counters.sync_losses >= 1, "{:?}", seen.counters);
        assert!(seen.counters.video >= 47, "{:?}", seen.counters);
    }
}

#[test]
fn r23_without_tables_it_waits_and_goes_on_when_they_come() {
    let (mut before, mut after) = (Mux::default(), Mux::new(&USUAL));
    play(&mut before, 0, 2);
    play(&mut after, 180_000, 2);
    let seen = Seen::of(&[before.bytes, after.bytes].concat());
    assert!(seen.counters.unknown > 50, "{:?}", seen.counters);
    assert_eq!(seen.times(TrackId::VIDEO)[0].1, 180_000, "with the first picture after the tables");
}

#[test]
fn r23_tables_that_change_keep_what_stays_and_name_anew_what_comes() {
    let mut mux = Mux::new(&[USUAL[0], USUAL[1], (0x0f, 0x110, &[])]);
    play(&mut mux, 0, 2);
    // The first sound is gone, another one comes on a PID of its own.
    mux.map(1, 0x1000, 1, &[USUAL[0], (0x0f, 0x110, &[]), (0x81, 0x120, &[])]);
    for at in 0..20 {
        let time = 180_000 + at * 3600;
        mux.picture(VIDEO, time, time, &annex_b(&[DELIMITER, SLICE]));
        mux.sound(0x110, time, &adts(100));
        mux.sound(AUDIO, time, &adts(100));
    }
    let seen = Seen::of(&mux.bytes);
    assert_eq!(seen.tracks(TrackId::VIDEO).len(), 1, "what stays is not told again");
    assert_eq!(seen.samples(audio(1)).len(), 20, "the second sound is the second still");
    let of_first = seen.samples(audio(0)).len();
    assert_eq!(of_first, 93, "what the tables do not name any more is not taken");
    assert_eq!(seen.counters.unknown, 20);
}

#[test]
fn scrambled_streams_are_counted_and_no_media() {
    let mut mux = Mux::new(&USUAL);
    let tables = mux.bytes.len();
    play(&mut mux, 0, 1);
    mux.bytes[tables..].chunks_mut(PACKET).for_each(|packet| packet[3] |= 0x80);
    let seen = Seen::of(&mux.bytes);
    assert_eq!((seen.counters.video, seen.counters.audio), (0, 0));
    assert!(seen.counters.scrambled > 50, "{:?}", seen.counters);
}

#[test]
fn a_picture_that_is_too_long_is_dropped_and_the_next_is_taken() {
    let limits = ingest::ts::Limits { picture: 4096, ..Default::default() };
    let mut mux = Mux::new(&USUAL[..1]);
    let long = [IDR, &vec![0x55; 9000]].concat();
    for (at, slice) in [IDR, &long, SLICE, SLICE].into_iter().enumerate() {
        let time = at as i64 * 3600;
        mux.picture(VIDEO, time, time, &annex_b(&[DELIMITER, SMALL[0], SMALL[1], slice]));
    }
    let (mut intake, mut times) = (ingest::ts::Intake::new(limits), Vec::new());
    let mut note = |input| {
        if let stream::Input::Sample { sample, .. } = input {
            times.push(sample.dts);
        }
    };
    intake.push(&mux.bytes, &mut note);
    intake.finish(true, &mut note);
    assert_eq!(times, [0, 7200, 10_800]);
    assert_eq!(intake.counters().dropped, 1);
}

/// A PES packet with its length is over before the picture is, whose end only the next one would show.
#[test]
fn the_last_picture_of_who_said_goodbye_is_whole_where_its_packet_says_its_length_too() {
    let slice = [SLICE, &[0x55; 300]].concat();
    for bounded in [false, true] {
        let mut mux = Mux::new(&USUAL[..1]);
        for (at, slice) in [IDR, &slice, &slice].into_iter().enumerate() {
            let (time, unit) = (at as i64 * 3600, annex_b(&[DELIMITER, SMALL[0], SMALL[1], slice]));
            mux.unit(VIDEO, 0xe0, Some((time, time)), &unit, bounded);
        }
        let pictures = |bytes: &[u8]| Seen::of(bytes).times(TrackId::VIDEO).len();
        assert_eq!(pictures(&mux.bytes), 3, "bounded: {bounded}");
        if bounded {
            assert_eq!(pictures(&mux.bytes[..mux.bytes.len() - PACKET]), 2, "its end is missing");
        }
    }
}

#[test]
fn what_the_transport_lost_drops_what_is_open() {
    let mut mux = Mux::new(&USUAL[..1]);
    pictures(&mut mux, 4);
    let (mut intake, mut count) = (ingest::ts::Intake::new(Default::default()), 0);
    let mut note = |input| count += u64::from(matches!(input, stream::Input::Sample { .. }));
    intake.push(&mux.bytes, &mut note);
    intake.lost();
    let mut mux = Mux::default();
    pictures(&mut mux, 4);
    intake.push(&mux.bytes, &mut note);
    intake.finish(false, &mut note);
    assert_eq!(count, 3 + 3, "the last one of each has no end");
}
