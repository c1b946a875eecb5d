//! A canned capture of an encoder, as ffmpeg sent it over RTMP: seven seconds of H.264 with B-frames and AAC.

use std::time::Duration;

use bytes::Bytes;
use container::flv;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::Settings;

use super::publisher::Publisher;

pub const CAPTURE: &[u8] = include_bytes!("../../../packager/tests/common/capture.flv");

/// The capture, published and over.
pub fn publish() -> Publisher {
    let mut publisher = Publisher::new(Settings::default());
    publisher.packager.announce(true, true);
    for (kind, at, body) in tags() {
        publisher.elapsed = Duration::from_millis(at as u64);
        match kind {
            9 => video(&mut publisher, at, body),
            8 => audio(&mut publisher, at, body),
            _ => {}
        }
    }
    publisher.end();
    publisher
}

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

fn video(publisher: &mut Publisher, at: i64, body: &'static [u8]) {
    match flv::Video::parse(body).expect("a tag header") {
        flv::Video::SequenceHeader => {
            let avc = Avc::parse(Bytes::from_static(&body[5..])).expect("a configuration");
            describe(publisher, TrackId::VIDEO, Codec::Avc(avc));
        }
        flv::Video::Picture { keyframe, composition_time } => {
            let sync = if keyframe { Sync::Yes } else { Sync::No };
            send(publisher, TrackId::VIDEO, at, composition_time, sync, &body[5..]);
        }
        _ => {}
    }
}

fn audio(publisher: &mut Publisher, at: i64, body: &'static [u8]) {
    match flv::Audio::parse(body).expect("a tag header") {
        flv::Audio::SequenceHeader => {
            let aac = Aac::parse(Bytes::from_static(&body[2..])).expect("a configuration");
            describe(publisher, TrackId::AUDIO, Codec::Aac(aac));
        }
        _ => send(publisher, TrackId::AUDIO, at, 0, Sync::Yes, &body[2..]),
    }
}

fn describe(publisher: &mut Publisher, id: TrackId, codec: Codec) {
    publisher.packager.track(id, Track::new(codec, Timescale::MILLIS));
}

fn send(publisher: &mut Publisher, id: TrackId, dts: i64, offset: i32, sync: Sync, data: &[u8]) {
    let sample = Sample { dts, composition_offset: offset, duration: 0, sync, data: data.to_vec().into() };
    publisher.packager.push(id, sample, publisher.now());
    publisher.log.extend(publisher.packager.take_log());
}
