//! MPEG audio where PES packets end anywhere, and headers say anything.

use media::Codec;
use media::codec::MpegAudio;

use super::mux::{AUDIO, Mux};
use super::seen::{Seen, audio};

const FRAME: usize = 96;
/// Of 48 kHz.
const TICKS: i64 = 1152 * 90_000 / 48_000;

/// One of 32 kbit/s and one channel, with what looks like the header of a longer one somewhere inside.
fn frame(number: usize) -> Vec<u8> {
    let mut frame = vec![number as u8 & 0x7f; FRAME];
    frame[..4].copy_from_slice(&[0xff, 0xfd, 0x14, 0xc0]);
    let inside = 10 + number * 7 % 80;
    frame[inside..inside + 4].copy_from_slice(&[0xff, 0xfd, 0xa4, 0x04]);
    frame
}

/// A stream of MPEG-1 audio, in PES packets of these bytes, each with the time of the first frame that begins in it.
fn cut(frames: usize, from: usize, packet: usize) -> Seen {
    let bytes: Vec<u8> = (0..frames).flat_map(frame).collect();
    let mut mux = Mux::new(&[(0x03, AUDIO, b"\x0a\x04deu\0")]);
    for at in (from..bytes.len()).step_by(packet) {
        let first = at.div_ceil(FRAME) as i64;
        mux.sound(AUDIO, 90_000 + first * TICKS, &bytes[at..(at + packet).min(bytes.len())]);
    }
    Seen::of(&mux.bytes)
}

#[test]
fn frames_are_found_wherever_packets_begin_and_end() {
    for (from, packet) in [(0, 3 * FRAME), (30, 250), (95, 97), (1, 1000), (50, 300)] {
        let seen = cut(60, from, packet);
        let first = from.div_ceil(FRAME);
        let expected: Vec<u8> = (first..60).flat_map(frame).collect();
        assert!(seen.payload(audio(0)) == expected, "from {from}, packets of {packet}");
        let times: Vec<i64> = seen.times(audio(0)).iter().map(|it| it.0).collect();
        let meant: Vec<i64> = (first..60).map(|at| 90_000 + at as i64 * TICKS).collect();
        assert_eq!(times, meant, "from {from}, packets of {packet}");
        assert_eq!(seen.counters.junk as usize, (FRAME - from % FRAME) % FRAME);
        let tracks = seen.tracks(audio(0));
        assert_eq!(tracks.len(), 1, "headers inside of frames are none");
        assert_eq!(tracks[0].codec, Codec::MpegAudio(MpegAudio::new(48_000, 1).unwrap()));
        assert_eq!(tracks[0].language.as_ref().map(|it| it.as_str()), Some("de"));
    }
}

#[test]
fn another_rate_is_the_same_track_described_anew() {
    let mut mux = Mux::new(&[(0x03, AUDIO, &[])]);
    (0..10).for_each(|at| mux.sound(AUDIO, at * TICKS, &frame(at as usize)));
    // 44.1 kHz, stereo: 104 bytes.
    let other = [&[0xff, 0xfd, 0x10, 0x04][..], &[0; 100]].concat();
    (10..20).for_each(|at| mux.sound(AUDIO, at * TICKS, &other));
    let seen = Seen::of(&mux.bytes);
    let told: Vec<_> = seen.tracks(audio(0)).iter().filter_map(|track| track.codec.sound()).collect();
    let told: Vec<_> = told.iter().map(|sound| (sound.sample_rate, sound.channels)).collect();
    assert_eq!((told, seen.counters.audio), (vec![(48_000, 1), (44_100, 2)], 20));
}

#[test]
fn headers_that_make_no_sense_are_junk() {
    for head in [
        [0xff; 4],
        [0xff, 0xff, 0xa4, 0],
        [0xff, 0xfd, 0x04, 0],
        [0xff, 0xfd, 0xf4, 0],
        [0xff, 0xfd, 0xac, 0],
    ] {
        let mut mux = Mux::new(&[(0x04, AUDIO, &[])]);
        let bytes = head.repeat(5000);
        bytes.chunks(2000).for_each(|packet| mux.sound(AUDIO, 0, packet));
        let seen = Seen::of(&mux.bytes);
        assert_eq!((seen.counters.audio, seen.tracks(audio(0)).len()), (0, 0), "{head:02x?}");
        // Up to three bytes at the end may be the beginning of a header.
        assert!((19_997..=20_000).contains(&seen.counters.junk), "{head:02x?}: {}", seen.counters.junk);
    }
}
