//! A canned capture of an encoder, as ffmpeg sent it over RTMP: seven seconds of H.264 with B-frames and AAC.

use std::time::Duration;

use bytes::Bytes;
use container::flv;
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sample, Sync, Timescale, Track, TrackId};
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
            9 => media(&mut publisher, Kind::Video, at, body),
            8 => media(&mut publisher, Kind::Audio, at, body),
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

fn media(publisher: &mut Publisher, kind: Kind, at: i64, body: &'static [u8]) {
    let tag = flv::Tag::parse(kind, body).expect("a tag header");
    let flv::Content::Packet(packet) = tag.content else { return };
    let (id, payload) = (TrackId { kind, index: 0 }, &body[tag.header..]);
    match (packet.data, kind) {
        (flv::Data::Configuration, Kind::Video) => {
            let avc = Avc::parse(Bytes::from_static(payload)).expect("a configuration");
            describe(publisher, id, Codec::Avc(avc));
        }
        (flv::Data::Configuration, Kind::Audio) => {
            let aac = Aac::parse(Bytes::from_static(payload)).expect("a configuration");
            describe(publisher, id, Codec::Aac(aac));
        }
        (flv::Data::Frame { keyframe, composition_time }, _) => {
            let sync = if keyframe { Sync::Yes } else { Sync::No };
            send(publisher, id, at, composition_time, sync, payload);
        }
        _ => {}
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
