//! Whatever arrives, nothing panics and nothing grows.

use std::time::{Duration, Instant};

use media::codec::Avc;
use media::{Codec, Kind, Sync, Timescale, Track, TrackId};

use super::encoder::{aac, avc, sample};
use crate::health::meter::Meter;
use crate::health::{MAX_TRACKS, Plan, Probe};

const STAMPS: [i64; 9] = [i64::MIN, i64::MIN + 1, -(1 << 53), -1, 0, 1, 1 << 53, i64::MAX - 1, i64::MAX];
const SCALES: [u32; 4] = [1, 1000, 90_000, u32::MAX];
const PLANS: [Plan; 2] = [
    Plan { segment: Duration::ZERO, low_latency: true, webrtc: true, max_bitrate: Some(0) },
    Plan { segment: Duration::MAX, low_latency: false, webrtc: false, max_bitrate: Some(u64::MAX) },
];

fn tracks(hz: u32) -> [(TrackId, Track); 2] {
    let timescale = Timescale::new(hz).expect("not zero");
    [
        (TrackId::VIDEO, Track::new(Codec::Avc(avc()), timescale)),
        (TrackId::AUDIO, Track::new(Codec::Aac(aac(48_000)), timescale)),
    ]
}

#[test]
fn timestamps_at_the_ends_of_their_range_do_no_harm() {
    for hz in SCALES {
        for first in STAMPS {
            for second in STAMPS {
                for third in STAMPS {
                    extremes(hz, [first, second, third]);
                }
            }
        }
    }
}

/// Three stamps over and over, with offsets from one end to the other, over a minute.
fn extremes(hz: u32, stamps: [i64; 3]) {
    let start = Instant::now();
    let mut probe = Probe::new(start);
    let tracks = tracks(hz);
    tracks.iter().for_each(|(id, track)| probe.track(*id, track, start));
    for n in 0..24u64 {
        let offset = [i32::MIN, 0, i32::MAX][n as usize / 3 % 3];
        let sync = [Sync::Yes, Sync::No, Sync::Recovery][n as usize / 2 % 3];
        let now = start + Duration::from_millis(n * 2500);
        for (id, _) in &tracks {
            probe.sample(*id, &sample(stamps[n as usize % 3], offset, sync, 1), now);
        }
    }
    for plan in &PLANS {
        assert_eq!(probe.health(start + Duration::from_secs(60), plan).tracks.len(), 2);
    }
}

#[test]
fn time_that_stands_still_or_goes_back_does_no_harm() {
    let start = Instant::now() + Duration::from_secs(100);
    let mut probe = Probe::new(start);
    tracks(1000).iter().for_each(|(id, track)| probe.track(*id, track, start));
    for n in 0..1000 {
        let now = start - Duration::from_millis(n as u64 % 7 * 10_000);
        probe.sample(TrackId::VIDEO, &sample(n * 40, 0, Sync::Yes, 1000), now);
    }
    assert_eq!(probe.health(start - Duration::from_secs(50), &Plan::default()).uptime, Duration::ZERO);
}

#[test]
fn a_long_run_with_changing_tracks_holds_what_a_short_one_does() {
    let start = Instant::now();
    let mut probe = Probe::new(start);
    for n in 0..200_000u32 {
        let now = start + Duration::from_millis(u64::from(n) * 33);
        let id = TrackId { kind: Kind::Video, index: (n % 256) as u8 };
        if n % 1000 < 256 {
            let codec = Codec::Avc(Avc { width: (n / 1000 + 1) as u16, ..avc() });
            probe.track(id, &Track::new(codec, Timescale::MILLIS), now);
        }
        probe.sample(id, &sample(i64::from(n) * 33, 0, Sync::Yes, 1), now);
    }
    let health = probe.health(start + Duration::from_secs(6600), &Plan::default());
    assert_eq!(health.tracks.len(), MAX_TRACKS);
    // Three rings and what lies beside them; no field grows with what was sent (see `latest`).
    assert!(size_of::<Meter>() < 1024, "{}", size_of::<Meter>());
    assert!(health.findings.len() < 16 * MAX_TRACKS);
}

#[test]
fn samples_of_a_track_that_was_never_described_are_left_out() {
    let start = Instant::now();
    let mut probe = Probe::new(start);
    probe.sample(TrackId::VIDEO, &sample(0, 0, Sync::Yes, 1000), start);
    let health = probe.health(start + Duration::from_secs(1), &Plan::default());
    assert_eq!((health.tracks.len(), health.bitrate), (0, 0));
}
