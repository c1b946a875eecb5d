//! Codecs, profiles and formats.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Sync, Timescale, Track, TrackId};

use super::encoder::{Encoder, aac, avc, check, sample};
use crate::health::Severity::{self, Note, Warning};
use crate::health::{Plan, Probe};

fn video(change: impl FnOnce(&mut Avc), expected: &[(&str, Severity)]) {
    let mut avc = avc();
    change(&mut avc);
    check(Encoder { video: Some(avc), ..Encoder::default() }, 10.0, expected);
}

fn audio(change: impl FnOnce(&mut Aac), expected: &[(&str, Severity)]) {
    let mut aac = aac(48_000);
    change(&mut aac);
    check(Encoder { audio: Some(aac), ..Encoder::default() }, 10.0, expected);
}

fn patched(record: &Bytes, at: usize, byte: u8) -> Bytes {
    let mut record = record.to_vec();
    record[at] = byte;
    record.into()
}

#[test]
fn profiles_that_some_players_lack_are_a_warning() {
    for profile in [66, 77, 100] {
        video(|avc| avc.record = patched(&avc.record, 1, profile), &[]);
    }
    for profile in [88, 110, 122, 244, 44, 118, 0] {
        video(|avc| avc.record = patched(&avc.record, 1, profile), &[("video_profile", Warning)]);
    }
}

#[test]
fn levels_above_5_2_are_a_warning() {
    video(|avc| avc.record = patched(&avc.record, 3, 52), &[]);
    video(|avc| avc.record = patched(&avc.record, 3, 60), &[("video_level", Warning)]);
}

#[test]
fn fields_are_a_warning() {
    video(|avc| avc.interlaced = true, &[("interlaced", Warning)]);
}

#[test]
fn sound_that_some_players_lack_is_a_warning() {
    audio(|aac| aac.object_type = 5, &[]);
    audio(|aac| aac.object_type = 1, &[("audio_profile", Warning)]);
    audio(|aac| aac.channels = 6, &[("audio_channels", Warning)]);
    audio(|aac| aac.channels = 1, &[]);
    audio(|aac| aac.sample_rate = 96_000, &[("audio_sample_rate", Warning)]);
    audio(|aac| aac.sample_rate = 22_050, &[("audio_sample_rate", Note)]);
    audio(|aac| aac.sample_rate = 44_100, &[]);
}

#[test]
fn tracks_that_change_again_and_again_are_a_warning() {
    let changed = |count: u16| {
        let start = Instant::now();
        let mut probe = Probe::new(start);
        for n in 0..=count {
            let codec = Codec::Avc(Avc { width: 640 + n, ..avc() });
            probe.track(TrackId::VIDEO, &Track::new(codec, Timescale::MILLIS), start);
            probe.sample(TrackId::VIDEO, &sample(i64::from(n) * 40, 0, Sync::Yes, 1), start);
        }
        let findings = probe.health(start + Duration::from_secs(1), &Plan::default()).findings;
        findings.iter().any(|finding| finding.code == "track_changes")
    };
    assert!(changed(3));
    assert!(!changed(2));
}
