//! Captions that the pictures carry: found, told of from the first manifest on, and for as long as the session lasts.

mod common;

use std::time::Duration;

use common::Publisher;
use media::{Sample, Sync, TrackId};
use packager::manifest::{Options, dash, hls, hls_ts};
use packager::{Presentation, Settings};

/// Pop-on captions of CC1 (field 1), as an encoder with parity sends them.
const CC1: [u8; 3] = [0xfc, 0x94, 0x20];
/// CC3 (field 2), paint-on.
const CC3: [u8; 3] = [0xfd, 0x15, 0x29];
/// A packet of CEA-708 with a block of service 1.
const SERVICE: [[u8; 3]; 2] = [[0xff, 0x02, 0x21], [0xfe, b'H', 0]];
const PADDING: [u8; 3] = [0xfc, 0x80, 0x80];

/// A picture with these triplets in an SEI message before its slice (ATSC A/53 Part 4 §6.2.3).
fn picture(triplets: &[[u8; 3]]) -> Vec<u8> {
    let count = 0x40 | triplets.len() as u8;
    let mut message = vec![0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 3, count, 0xff];
    message.extend(triplets.iter().flatten());
    message.push(0xff);
    let sei = [&[6, 4, message.len() as u8][..], &message, &[0x80]].concat();
    let units: [&[u8]; 2] = [&sei, &[0x65, 0x88]];
    units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat()).collect()
}

/// Seconds of pictures from `from` on, with these triplets in each.
fn publish(publisher: &mut Publisher, from: i64, seconds: i64, triplets: &[[u8; 3]]) {
    for frame in 0..seconds * 25 {
        let dts = from * 1000 + frame * 40;
        publisher.elapsed = Duration::from_millis(dts as u64);
        publisher.push(TrackId::AUDIO, dts, 0, Sync::Yes);
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data: picture(triplets).into() };
        publisher.packager.push(TrackId::VIDEO, sample, publisher.now());
    }
}

fn publisher() -> Publisher {
    Publisher::new(Settings::default()).both()
}

fn manifests(presentation: &Presentation) -> [String; 3] {
    let options = Options::default();
    [
        hls::multivariant(presentation, &options),
        hls_ts::multivariant(presentation, &options),
        dash::mpd(presentation, &options),
    ]
}

#[test]
fn captions_are_told_of_in_the_first_manifest() {
    let mut publisher = publisher();
    for second in 0.. {
        publish(&mut publisher, second, 1, &[CC1, SERVICE[0], SERVICE[1]]);
        if publisher.packager.presentation().is_some() {
            break;
        }
    }
    let [master, ts, mpd] = manifests(publisher.presentation());
    for playlist in [master, ts] {
        for name in ["CC1", "SERVICE1"] {
            let media = format!(
                "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"captions\",NAME=\"{name}\",DEFAULT=NO,\
                 AUTOSELECT=YES,INSTREAM-ID=\"{name}\"\n"
            );
            assert!(playlist.contains(&media), "RFC 8216bis §4.4.6.1: {playlist}");
        }
        let variants = playlist.lines().filter(|line| line.starts_with("#EXT-X-STREAM-INF:"));
        let said: Vec<bool> = variants.map(|line| line.ends_with(",CLOSED-CAPTIONS=\"captions\"")).collect();
        assert!(!said.is_empty() && said.iter().all(|said| *said), "RFC 8216bis §4.4.6.2: {playlist}");
    }
    for (standard, value) in [("cea-608", "CC1=und"), ("cea-708", "1=lang:und")] {
        let descriptor =
            format!("<Accessibility schemeIdUri=\"urn:scte:dash:cc:{standard}:2015\" value=\"{value}\"/>");
        assert_eq!(mpd.matches(&descriptor).count(), 1, "ANSI/SCTE 214-1: {mpd}");
    }
}

#[test]
fn what_begins_later_is_told_of_later_and_stays() {
    let mut publisher = publisher();
    publish(&mut publisher, 0, 6, &[PADDING]);
    for manifest in manifests(publisher.presentation()) {
        assert!(!manifest.contains("CAPTIONS") && !manifest.contains("Accessibility"), "{manifest}");
    }
    publish(&mut publisher, 6, 4, &[CC1, CC3]);
    publisher.interrupt();
    publisher.packager.begin();
    publisher = publisher.both();
    publish(&mut publisher, 15, 6, &[PADDING]);
    publisher.end();
    let [master, _, mpd] = manifests(publisher.presentation());
    assert!(master.contains("INSTREAM-ID=\"CC1\"") && master.contains("INSTREAM-ID=\"CC3\""), "{master}");
    assert!(mpd.contains("value=\"CC1=und;CC3=und\""), "{mpd}");
}

#[test]
fn nothing_ever_says_that_there_are_none() {
    let mut publisher = publisher();
    publish(&mut publisher, 0, 6, &[PADDING]);
    for manifest in manifests(publisher.presentation()) {
        assert!(!manifest.contains("CLOSED-CAPTIONS=NONE"), "RFC 8216bis §4.4.6.2: {manifest}");
    }
}
