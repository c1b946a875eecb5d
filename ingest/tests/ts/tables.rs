//! Which program is taken, and what of it.

use media::TrackId;

use super::mux::{AUDIO, IDR, Mux, SMALL, USUAL, VIDEO, adts, annex_b};
use super::seen::{Seen, audio};

fn picture(mux: &mut Mux, pid: u16, time: i64) {
    mux.picture(pid, time, time, &annex_b(&[SMALL[0], SMALL[1], IDR]));
}

#[test]
fn of_several_programs_the_first_with_media_is_taken() {
    let mut mux = Mux::default();
    mux.association(&[(1, 0x1000), (2, 0x1001), (3, 0x1002)]);
    // The maps come in another order; the first program has nothing to play.
    for _ in 0..2 {
        mux.map(3, 0x1002, 0, &[(0x1b, 0x300, &[])]);
        mux.map(2, 0x1001, 0, &[(0x1b, 0x200, &[])]);
        mux.map(1, 0x1000, 0, &[(0x05, 0x100, &[])]);
    }
    for at in 0..3 {
        picture(&mut mux, 0x300, 1_000_000 + at * 3600);
        picture(&mut mux, 0x200, at * 3600);
    }
    let seen = Seen::of(&mux.bytes);
    let times: Vec<i64> = seen.times(TrackId::VIDEO).iter().map(|it| it.1).collect();
    assert!(times == [0, 3600, 7200] || times == [1_000_000, 1_003_600, 1_007_200], "one of them: {times:?}");
    assert_eq!(seen.counters.programs_left_out, 2);
}

#[test]
fn a_program_whose_map_never_comes_is_not_waited_for() {
    let mut mux = Mux::default();
    mux.association(&[(1, 0x1000), (2, 0x1001)]);
    mux.map(2, 0x1001, 0, &USUAL);
    picture(&mut mux, VIDEO, 0);
    mux.map(2, 0x1001, 0, &USUAL);
    (1..4).for_each(|at| picture(&mut mux, VIDEO, at * 3600));
    let seen = Seen::of(&mux.bytes);
    assert_eq!(seen.times(TrackId::VIDEO).iter().map(|it| it.1).collect::<Vec<_>>(), [3600, 7200, 10_800]);
}

#[test]
fn what_is_not_carried_is_said() {
    let teletext: &[u8] = &[0x56, 0];
    let mut mux = Mux::new(&[USUAL[0], (0x06, 0x120, teletext), (0x02, 0x122, &[])]);
    picture(&mut mux, VIDEO, 0);
    mux.sound(0x120, 0, &[0x10; 50]);
    let mut intake = ingest::ts::Intake::new(Default::default());
    intake.push(&mux.bytes, &mut |_| {});
    let told = intake.left_out().join("\n");
    assert!(told.contains("0x120") && told.contains("teletext"), "{told}");
    assert!(told.contains("MPEG-2 video"), "{told}");
    let counters = intake.counters();
    assert_eq!((counters.streams_left_out, counters.unknown), (2, 0));
}

#[test]
fn more_tracks_than_are_carried_are_left_out() {
    let streams: Vec<_> = (0..20u16).map(|at| (0x0f, 0x200 + at, &[][..])).collect();
    let mut mux = Mux::new(&streams);
    for at in 0..20 {
        mux.sound(0x200 + at, 0, &adts(50));
        mux.sound(0x200 + at, 1920, &adts(50));
    }
    let seen = Seen::of(&mux.bytes);
    assert_eq!((seen.counters.audio, seen.counters.streams_left_out), (32, 4));
    assert_eq!(seen.samples(audio(15)).len(), 2);
}

#[test]
fn tracks_are_announced_before_anything_else() {
    let mut mux = Mux::new(&USUAL);
    picture(&mut mux, VIDEO, 0);
    mux.sound(AUDIO, 0, &adts(50));
    picture(&mut mux, VIDEO, 3600);
    let seen = Seen::of(&mux.bytes);
    assert!(matches!(seen.inputs[0], stream::Input::Announce { video: true, audio: true }));
    let described = seen.inputs[1..3].iter().all(|input| matches!(input, stream::Input::Track { .. }));
    assert!(described, "all tracks before the first sample");
}
