//! One timeline out of wrapping timestamps.

use stream::TrackId;

use super::client::Client;

fn audio(client: &mut Client, timestamp: u32) {
    client.audio(timestamp, &[0xaf, 1, 0x21, 0x10]).unwrap();
}

#[test]
fn past_24_bits() {
    let mut client = Client::with_tracks();
    for timestamp in [0xff_ffd0, 0xff_fff8, 0x100_0020, 0x100_0048] {
        client.picture(timestamp).unwrap();
    }
    assert_eq!(client.times(), [0xff_ffd0, 0xff_fff8, 0x100_0020, 0x100_0048]);
}

/// FFmpeg and librtmp, after 24.86 days.
#[test]
fn wrap_at_31_bits() {
    let mut client = Client::with_tracks();
    client.format = 0;
    client.picture(0x7fff_fff0).unwrap();
    audio(&mut client, 0x7fff_fff8);
    client.picture(0x18).unwrap();
    audio(&mut client, 0x7fff_fffe);
    audio(&mut client, 0x15);
    client.picture(0x40).unwrap();
    let top = 0x8000_0000;
    assert_eq!(client.times(), [0x7fff_fff0, 0x7fff_fff8, top + 0x18, 0x7fff_fffe, top + 0x15, top + 0x40]);
}

/// Everybody else, after 49.7 days.
#[test]
fn wrap_at_32_bits() {
    for format in [0, 3] {
        let mut client = Client::with_tracks();
        client.format = format;
        for timestamp in [0xffff_ffa0, 0xffff_ffc8, 0xffff_fff0, 0x18] {
            client.picture(timestamp).unwrap();
        }
        assert_eq!(client.times(), [0xffff_ffa0, 0xffff_ffc8, 0xffff_fff0, 0x1_0000_0018]);
    }
}

#[test]
fn jumps_back_and_offsets_between_tracks_are_passed_on() {
    let mut client = Client::with_tracks();
    client.format = 0;
    client.picture(20_000).unwrap();
    audio(&mut client, 15_000);
    client.picture(10_000).unwrap();
    client.picture(0).unwrap();
    assert_eq!(client.times(), [20_000, 15_000, 10_000, 0]);
}

/// Sequence headers say nothing about time: encoders give them zero, also at a late start.
#[test]
fn timestamps_of_sequence_headers_do_not_count() {
    let mut client = Client::with_tracks();
    client.picture(0x7fff_ccb0).unwrap();
    client.video_config(0).unwrap();
    client.picture(0x7fff_ccd8).unwrap();
    assert_eq!(client.times(), [0x7fff_ccb0, 0x7fff_ccd8]);
}

#[test]
fn composition_time_has_a_sign() {
    let mut client = Client::with_tracks();
    for [a, b, c] in [[0, 0, 80], [0xff, 0xff, 0xb0]] {
        client.video(1000, &[0x27, 1, a, b, c, 0, 0, 0, 1, 0x41]).unwrap();
    }
    let offsets: Vec<i32> =
        client.samples(TrackId::VIDEO).iter().map(|sample| sample.composition_offset).collect();
    assert_eq!(offsets, [80, -80]);
}
