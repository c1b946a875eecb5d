//! Playlists, MPDs and boxes of a canned capture, held against files that a person can read.
//!
//! The capture is seven seconds of H.264 with B-frames at 15 fps and AAC at 44.1 kHz, as ffmpeg sends them over
//! RTMP. `UPDATE_GOLDEN=1 cargo test -p headwater-packager --test golden` writes the files anew; review the diff.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Publisher, check, golden};
use container::flv;
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sample, Slice, Sync, Timescale, Track, TrackId};
use mp4_atom::{Any, DecodeMaybe};
use packager::Settings;
use packager::manifest::{Options, dash, hls};

const CAPTURE: &[u8] = include_bytes!("common/capture.flv");

/// The tags of an FLV file: type, timestamp in ms, body.
fn tags() -> impl Iterator<Item = (u8, i64, &'static [u8])> {
    // Nine bytes of file header, then the size of the tag before, each time.
    let mut rest = &CAPTURE[9..];
    std::iter::from_fn(move || {
        let (_, tag) = rest.split_at_checked(4)?;
        let (header, body) = tag.split_at_checked(11)?;
        let number = |at: usize| u32::from_be_bytes([0, header[at], header[at + 1], header[at + 2]]);
        let (body, after) = body.split_at_checked(number(1) as usize)?;
        rest = after;
        Some((header[0], i64::from(number(4) | u32::from(header[7]) << 24), body))
    })
}

/// Publishes the capture; its first tag arrives `from` ms after the start.
fn publish(publisher: &mut Publisher, from: u64) {
    publisher.packager.begin();
    publisher.packager.announce(true, true);
    let mut avc = None;
    for (kind, at, body) in tags() {
        publisher.elapsed = Duration::from_millis(from + at as u64);
        let kind = match kind {
            9 => Kind::Video,
            8 => Kind::Audio,
            _ => continue,
        };
        let tag = flv::Tag::parse(kind, body).expect("a tag header");
        let flv::Content::Packet(packet) = tag.content else { continue };
        let (id, payload) = (TrackId { kind, index: 0 }, &body[tag.header..]);
        match (packet.data, kind) {
            (flv::Data::Configuration, Kind::Video) => {
                let config = Avc::parse(Bytes::from_static(payload)).expect("a configuration");
                avc = Some(config.clone());
                describe(publisher, id, Codec::Avc(config));
            }
            (flv::Data::Configuration, Kind::Audio) => {
                let config = Aac::parse(Bytes::from_static(payload)).expect("a configuration");
                describe(publisher, id, Codec::Aac(config));
            }
            (flv::Data::Frame { keyframe, composition_time }, Kind::Video) => {
                let sync = avc.as_ref().expect("configured").classify(keyframe, payload);
                send(publisher, id, at, composition_time, sync, payload);
            }
            (flv::Data::Frame { .. }, Kind::Audio) => send(publisher, id, at, 0, Sync::Yes, payload),
            _ => {}
        }
    }
}

fn describe(publisher: &mut Publisher, id: TrackId, codec: Codec) {
    publisher.packager.track(id, Track::new(codec, Timescale::MILLIS));
}

fn send(publisher: &mut Publisher, id: TrackId, dts: i64, offset: i32, sync: Sync, data: &[u8]) {
    let data: Slice = data.to_vec().into();
    let sample = Sample { dts, composition_offset: offset, duration: 0, sync, data };
    publisher.packager.push(id, sample, publisher.now());
    publisher.log.extend(publisher.packager.take_log());
}

#[test]
fn live_after_seven_seconds() {
    let mut publisher = Publisher::new(Settings::default());
    publish(&mut publisher, 0);
    let presentation = publisher.presentation();
    check(presentation);
    golden("live/master.m3u8", &hls::multivariant(presentation, &Options::default()));
    golden(
        "live/video-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("video-1"), &Options::default()),
    );
    golden(
        "live/audio-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("audio-1"), &Options::default()),
    );
    golden("live/manifest.mpd", &dash::mpd(presentation, &Options::default()));
    assert_eq!(
        dash::mpd(presentation, &Options::default().pinned()),
        dash::mpd(presentation, &Options::default()),
        "pinning changes nothing yet"
    );
}

#[test]
fn ended_after_seven_seconds() {
    let mut publisher = Publisher::new(Settings::default());
    publish(&mut publisher, 0);
    publisher.end();
    let presentation = publisher.presentation();
    check(presentation);
    golden("ended/master.m3u8", &hls::multivariant(presentation, &Options::default()));
    golden(
        "ended/video-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("video-1"), &Options::default()),
    );
    golden("ended/manifest.mpd", &dash::mpd(presentation, &Options::default()));
    golden("ended/manifest-of-session.mpd", &dash::mpd(presentation, &Options::default().pinned()));
}

#[test]
fn an_encoder_that_was_away_for_three_seconds() {
    let mut publisher = Publisher::new(Settings::default());
    publish(&mut publisher, 0);
    publisher.interrupt();
    golden("away/manifest-while-away.mpd", &dash::mpd(publisher.presentation(), &Options::default()));
    publish(&mut publisher, 10_000);
    let presentation = publisher.presentation();
    check(presentation);
    golden(
        "away/video-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("video-1"), &Options::default()),
    );
    golden(
        "away/audio-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("audio-1"), &Options::default()),
    );
    golden("away/manifest.mpd", &dash::mpd(presentation, &Options::default()));
    publisher.end();
    golden("away/manifest-ended.mpd", &dash::mpd(publisher.presentation(), &Options::default()));
}

#[test]
fn a_delta_update_over_a_discontinuity() {
    let mut publisher = Publisher::new(Settings::default());
    for from in [0, 10_000, 20_000] {
        publish(&mut publisher, from);
        publisher.interrupt();
    }
    let skip = Options { skip: true, ..Options::default() };
    let (presentation, video) = (publisher.presentation(), publisher.rendition("video-1"));
    golden("delta/video-1.m3u8", &hls::media(presentation, video, &skip));
}

#[test]
fn the_window_slides_over_a_discontinuity() {
    let mut publisher = Publisher::new(Settings { window: Duration::from_secs(6), ..Settings::default() });
    publish(&mut publisher, 0);
    publisher.interrupt();
    publish(&mut publisher, 10_000);
    check(publisher.presentation());
    golden(
        "slid/video-1.m3u8",
        &hls::media(publisher.presentation(), publisher.rendition("video-1"), &Options::default()),
    );
    golden("slid/manifest.mpd", &dash::mpd(publisher.presentation(), &Options::default()));
}

#[test]
fn boxes_as_an_independent_parser_reads_them() {
    let mut publisher = Publisher::new(Settings::default());
    publish(&mut publisher, 0);
    for name in ["video-1", "audio-1"] {
        let segments = publisher.segments(name);
        let first = segments.first().expect("a segment");
        golden(&format!("boxes/{name}-init.txt"), &boxes(&first.init().expect("media").bytes));
        let pieces: Vec<u8> = first.pieces().flatten().copied().collect();
        golden(&format!("boxes/{name}-segment.txt"), &boxes(&pieces));
    }
}

fn boxes(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut out = String::new();
    while let Some(any) = Any::decode_maybe(&mut rest).expect("valid boxes") {
        out += &match any {
            Any::Mdat(mdat) => format!("Mdat({} bytes)\n", mdat.data.len()),
            other => format!("{other:#?}\n"),
        };
    }
    assert!(rest.is_empty(), "nothing stands behind the last box");
    out
}
