//! SCTE 35, ID3 and KLV come with their time.

use std::sync::Arc;
use std::time::Duration;

use stream::ledger::Forgetful;
use stream::metadata::Scheme;
use stream::{Air, Directory, ForGood, Grant, Input, Leg, Peer, Protocol, Publication};

use super::mux::{CUES, Mux, USUAL, VIDEO};
use super::seen::{Seen, Told};
use super::timeline::play;

/// `time_signal` at this time, from `protocol_version` on.
fn time_signal(pts: i64) -> Vec<u8> {
    let [.., b4, b3, b2, b1, b0] = pts.to_be_bytes();
    vec![0, 0, 0, 0, 0, 0, 0, 0xff, 0xf0, 5, 6, 0xfe | b4, b3, b2, b1, b0, 0, 0]
}

fn metadata(seen: &Seen) -> Vec<(Scheme, i64, Vec<u8>)> {
    let of = |told| match told {
        Told::Metadata(scheme, pts, data) => Some((scheme, pts, data)),
        _ => None,
    };
    seen.told().into_iter().filter_map(of).collect()
}

#[test]
fn a_splice_is_at_its_own_time_on_the_unwrapped_timeline() {
    const TURN: i64 = 1 << 33;
    let mut mux = Mux::new(&[USUAL[0], USUAL[1], (0x86, CUES, &[])]);
    play(&mut mux, TURN - 90_000, 2);
    // Announced four seconds ahead, behind the wrap.
    mux.section(CUES, 0xfc, 0x30, &time_signal(90_000 + 360_000));
    play(&mut mux, 90_000, 1);
    let seen = Seen::of(&mux.bytes);
    let [(Scheme::Scte35, pts, data)] = &metadata(&seen)[..] else { panic!("{:?}", metadata(&seen)) };
    assert_eq!(*pts, TURN + 450_000);
    assert_eq!((data[0], data.len()), (0xfc, 21), "the section without its checksum");
    assert_eq!(seen.counters.metadata, 1);
}

/// A stream of the directory, as anybody has it.
async fn published(directory: &Directory) -> Publication {
    let grant = Grant {
        entry: "demo".into(),
        leg: Leg::Primary,
        rendition: None,
        settings: Arc::default(),
        air: Air::Live,
        pass: Arc::new(ForGood),
    };
    let peer = Peer::new("192.0.2.1:1000".parse().unwrap(), Protocol::Rtmp);
    directory.publish(grant, peer).await.unwrap()
}

#[tokio::test]
async fn a_splice_is_on_the_timeline_of_the_presentation() {
    let mut mux = Mux::new(&[USUAL[0], USUAL[1], (0x86, CUES, &[])]);
    play(&mut mux, 1_000_000, 3);
    mux.section(CUES, 0xfc, 0x30, &time_signal(1_000_000 + 5 * 90_000));
    play(&mut mux, 1_000_000 + 3 * 90_000, 3);
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = published(&directory).await;
    let inputs = Seen::of(&mux.bytes).inputs;
    let samples = inputs.iter().filter(|input| matches!(input, Input::Sample { .. })).count() as u64;
    for input in inputs {
        publication.send(input).await.unwrap();
    }
    let taken = async {
        while directory.report("demo").is_none_or(|report| report.status.samples < samples) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.expect("the owner takes what it is sent");
    let report = directory.report("demo").unwrap();
    let [splice] = &report.metadata[..] else { panic!("{:?}", report.metadata) };
    let place = splice.place.unwrap();
    assert_eq!((splice.scheme, place.time.seconds()), (Scheme::Scte35, 5.0), "since the first keyframe");
    assert_eq!(Some(place.period), report.session, "the session's first period");
    assert_eq!(report.status.metadata, 1);
}

#[test]
fn a_splice_with_a_wrong_checksum_is_counted_and_dropped() {
    let mut mux = Mux::new(&[USUAL[0], (0x86, CUES, &[])]);
    let tables = mux.bytes.len();
    mux.section(CUES, 0xfc, 0x30, &time_signal(0));
    mux.bytes[tables + 20] ^= 1;
    (0..3).for_each(|_| mux.section(CUES + 1, 0xfc, 0x30, &[0; 20]));
    let seen = Seen::of(&mux.bytes);
    assert_eq!((metadata(&seen).len(), seen.counters.crc_errors), (0, 1));
}

#[test]
fn id3_and_klv_are_carried_as_they_come() {
    let id3 = [0x26, 13, 0xff, 0xff, b'I', b'D', b'3', b' ', 0xff, b'I', b'D', b'3', b' ', 0, 0];
    let klv = [5, 4, b'K', b'L', b'V', b'A'];
    let cells = [0x26, 9, 1, 0, 0xff, b'K', b'L', b'V', b'A', 0, 0];
    let mut mux =
        Mux::new(&[USUAL[0], USUAL[1], (0x15, 0x110, &id3), (0x06, 0x111, &klv), (0x15, 0x112, &cells)]);
    play(&mut mux, 0, 1);
    mux.unit(0x110, 0xbd, Some((12_345, 12_345)), b"ID3\x04", true);
    // Asynchronous: no time. The picture before it is the newest thing.
    mux.unit(0x111, 0xbd, None, &[6, 14, 43, 52], true);
    mux.unit(0x112, 0xfc, Some((54_321, 54_321)), &[0, 0, 0xdf, 0, 2, 7, 8, 0, 1, 0xdf, 0, 1, 9], true);
    play(&mut mux, 90_000, 1);
    let seen = Seen::of(&mux.bytes);
    let all = metadata(&seen);
    assert_eq!(all[0], (Scheme::Id3, 12_345, b"ID3\x04".to_vec()));
    assert_eq!((all[1].0, &all[1].2[..]), (Scheme::Klv, &[6, 14, 43, 52][..]));
    assert!((80_000..90_000).contains(&all[1].1), "the time that has come: {}", all[1].1);
    assert_eq!(all[2..], [(Scheme::Klv, 54_321, vec![7, 8]), (Scheme::Klv, 54_321, vec![9])]);
}

#[test]
fn metadata_that_is_too_long_is_dropped() {
    let limits = ingest::ts::Limits { packet: 1000, ..Default::default() };
    let klv = [5, 4, b'K', b'L', b'V', b'A'];
    let mut mux = Mux::new(&[USUAL[0], (0x06, 0x111, &klv)]);
    mux.unit(0x111, 0xbd, None, &[1; 2000], true);
    mux.unit(0x111, 0xbd, None, &[2; 900], true);
    mux.picture(VIDEO, 0, 0, &[0, 0, 1, 9, 0xf0]);
    let mut intake = ingest::ts::Intake::new(limits);
    intake.push(&mux.bytes, &mut |_| {});
    assert_eq!((intake.counters().metadata, intake.counters().dropped), (1, 1));
}
