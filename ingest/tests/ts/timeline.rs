//! Times: 33 bits that wrap, jumps, and streams that say little.

use media::TrackId;

use super::mux::{AUDIO, DELIMITER, IDR, Mux, SLICE, SMALL, USUAL, VIDEO, adts, annex_b};
use super::seen::{Seen, audio};
use super::source;

const TURN: i64 = 1 << 33;

/// Pictures of 40 ms with a keyframe each second, and sound, for so many seconds from a time on.
pub fn play(mux: &mut Mux, from: i64, seconds: i64) {
    for at in 0..seconds * 25 {
        let time = (from + at * 3600).rem_euclid(TURN);
        let picture = if at % 25 == 0 {
            annex_b(&[DELIMITER, SMALL[0], SMALL[1], IDR])
        } else {
            annex_b(&[DELIMITER, SLICE])
        };
        mux.picture(VIDEO, time, time, &picture);
        // Frames of 1920 ticks, about two for a picture.
        let frames = (at * 3600 / 1920..(at + 1) * 3600 / 1920).map(|frame| from + frame * 1920);
        frames.for_each(|time| mux.sound(AUDIO, time.rem_euclid(TURN), &adts(100)));
    }
}

fn assert_even(times: &[(i64, i64)], step: i64) {
    assert!(times.windows(2).all(|pair| pair[1].1 - pair[0].1 == step), "{times:?}");
}

#[test]
fn r16_times_of_33_bits_wrap_without_a_seam() {
    let bytes = source::stream(1, "-output_ts_offset 95441.5");
    let seen = Seen::of(&bytes);
    let times = seen.times(TrackId::VIDEO);
    assert!(times[0].1 < TURN && times[49].1 > TURN, "it wraps in the middle: {times:?}");
    assert_even(&times, 3600);
    let sound = seen.times(audio(0));
    assert!(sound[0].1 < TURN && sound.last().is_some_and(|last| last.1 > TURN));
    assert!(sound.windows(2).all(|pair| (1919..=1921).contains(&(pair[1].1 - pair[0].1))));
    let (periods, _, dropped) = seen.packaged();
    assert_eq!((periods, dropped, seen.counters.jumps), (1, 0, 0), "one timeline");
}

#[test]
fn r16_each_track_wraps_at_its_own_place() {
    let mut mux = Mux::new(&USUAL);
    // Sound is sent half a second late and so wraps half a second later in the stream.
    for at in 0..50i64 {
        let time = TURN - 25 * 3600 + at * 3600;
        let picture: &[&[u8]] = if at % 25 == 0 { &[SMALL[0], SMALL[1], IDR] } else { &[SLICE] };
        mux.picture(VIDEO, time % TURN, time % TURN, &annex_b(picture));
        mux.sound(AUDIO, (time - 45_000) % TURN, &adts(100));
    }
    let seen = Seen::of(&mux.bytes);
    assert_even(&seen.times(TrackId::VIDEO), 3600);
    assert_even(&seen.times(audio(0)), 3600);
    assert_eq!(seen.times(TrackId::VIDEO)[0].1 - seen.times(audio(0))[0].1, 45_000);
    assert_eq!(seen.counters.jumps, 0);
}

#[test]
fn a_jump_of_the_clock_is_one_step_of_all_tracks() {
    // Back, ahead, and as far as can be.
    for to in [0, 40 * 90_000, TURN / 2 + 10 * 90_000 + 7] {
        let mut mux = Mux::new(&USUAL);
        play(&mut mux, 10 * 90_000, 4);
        mux.restart();
        play(&mut mux, to, 4);
        let seen = Seen::of(&mux.bytes);
        let (video, sound) = (seen.times(TrackId::VIDEO), seen.times(audio(0)));
        assert_eq!(seen.counters.jumps, 2, "one for each track");
        // The last picture and the last frame before the jump went with the counters; which is no loss of what follows.
        let (video, sound) = (video[video.len() - 100], sound[sound.len() - 187]);
        assert_eq!((video.1 - to).rem_euclid(TURN), 0);
        assert_eq!(video.1, sound.1, "both begin anew together");
        let (periods, tracks, _) = seen.packaged();
        assert_eq!(periods, 2, "{tracks:?}");
        assert!(tracks.values().all(|names| names.len() == 2), "{tracks:?}");
    }
}

#[test]
fn several_pictures_in_a_unit_and_a_picture_in_several_units() {
    let mut mux = Mux::new(&USUAL);
    let key = annex_b(&[DELIMITER, SMALL[0], SMALL[1], IDR]);
    let next = annex_b(&[DELIMITER, SLICE]);
    mux.picture(VIDEO, 90_000, 90_000, &key);
    mux.picture(VIDEO, 93_600, 93_600, &next);
    // Two in one, the second without a time of its own.
    mux.picture(VIDEO, 97_200, 97_200, &[&next[..], &next].concat());
    // A slice for each unit: the second is not the first of its picture.
    mux.picture(VIDEO, 104_400, 104_400, &next);
    mux.picture(VIDEO, 104_400, 104_400, &annex_b(&[&[0x41, 0x1a, 9, 9]]));
    // A unit that ends in the middle of a picture, and goes on without a time.
    mux.picture(VIDEO, 108_000, 108_000, &next[..next.len() - 3]);
    mux.unit(VIDEO, 0xe0, None, &next[next.len() - 3..], false);
    mux.picture(VIDEO, 111_600, 111_600, &next);
    let seen = Seen::of(&mux.bytes);
    let times: Vec<i64> = seen.times(TrackId::VIDEO).iter().map(|it| it.1).collect();
    assert_eq!(times, (0..7).map(|at| 90_000 + at * 3600).collect::<Vec<_>>());
    let lengths: Vec<usize> = seen.samples(TrackId::VIDEO).iter().map(|it| it.data.len()).collect();
    assert_eq!(lengths, [11, 10, 10, 10, 18, 10, 10]);
    assert_eq!(seen.counters.dropped, 0);
}

#[test]
fn frames_of_sound_go_over_units() {
    let mut mux = Mux::new(&USUAL);
    let frames: Vec<u8> = (0..6).flat_map(|_| adts(100)).collect();
    // The second unit's time is that of the frame that begins in it, not of the rest of the one before.
    mux.sound(AUDIO, 90_000, &frames[..250]);
    mux.sound(AUDIO, 90_000 + 3 * 1920, &frames[250..]);
    let seen = Seen::of(&mux.bytes);
    let times: Vec<i64> = seen.times(audio(0)).iter().map(|it| it.1).collect();
    assert_eq!(times, (0..6).map(|at| 90_000 + at * 1920).collect::<Vec<_>>());
}
