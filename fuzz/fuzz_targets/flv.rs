//! FLV tags, legacy and enhanced, and the codec configurations inside them.
#![no_main]

use bytes::Bytes;
use container::flv::{Content, Data, FourCc, MAX_HEADER, MAX_TRACKS, Packet, Tag, Tracks};
use fuzz::boxes::check_init;
use ingest::rtmp::message::{Head, Message, kind, split_aggregate};
use libfuzzer_sys::fuzz_target;
use media::codec::{Aac, Avc};
use media::{Codec, Kind};

fuzz_target!(|data: &[u8]| {
    let [read, tag @ ..] = data else { return };
    check_tag(Kind::Video, tag, *read);
    check_tag(Kind::Audio, tag, *read);
    let body = tag.to_vec().into();
    let aggregate =
        Message { kind: kind::AGGREGATE, timestamp: 0, stream_id: 1, head: Head::default(), body };
    let inside: usize =
        split_aggregate(&aggregate).map(|message| message.head.len() + message.body.len()).sum();
    assert!(inside <= tag.len());
});

fn check_tag(kind: Kind, bytes: &[u8], read: u8) {
    let tag = Tag::parse(kind, bytes);
    check_head(kind, bytes, read, tag.is_ok());
    let Ok(tag) = tag else { return };
    assert!(tag.header <= bytes.len() && tag.header <= MAX_HEADER && tag.nanos < 1_000_000);
    let payload = &bytes[tag.header..];
    match tag.content {
        Content::Packet(packet) => check_config(packet, payload),
        Content::Tracks(tracks) => check_tracks(tracks, payload),
        Content::Nothing => {}
    }
}

/// A head that comes in pieces says what one says that comes at once, and no byte of the tag is lost.
fn check_head(kind: Kind, tag: &[u8], read: u8, valid: bool) {
    let message = if kind == Kind::Video { kind::VIDEO } else { kind::AUDIO };
    let (mut head, mut left) = (Head::default(), tag);
    for piece in tag.chunks(usize::from(read).max(1)) {
        let mut rest = piece;
        let whole = head.fill(message, tag.len(), &mut rest);
        left = &left[piece.len() - rest.len()..];
        if whole {
            break;
        }
    }
    assert_eq!([&head, head.behind(), left].concat(), tag);
    assert!(head.len() <= MAX_HEADER);
    assert_eq!(Tag::parse(kind, &head).is_ok(), valid);
}

/// Each track has a place of its own, in order.
fn check_tracks(tracks: Tracks, payload: &[u8]) {
    let (mut end, mut count) = (0, 0);
    for one in tracks.split(payload) {
        count += 1;
        let Ok((packet, at)) = one else { continue };
        assert!(end < at.start && at.start <= at.end && at.end <= payload.len());
        end = at.end;
        check_config(packet, &payload[at]);
    }
    assert!(count <= MAX_TRACKS + 1);
}

fn check_config(packet: Packet, payload: &[u8]) {
    let config = Bytes::copy_from_slice(payload);
    let codec = match packet {
        Packet { data: Data::Configuration, codec: FourCc::AVC, .. } => {
            Avc::parse(config).ok().map(Codec::Avc)
        }
        Packet { data: Data::Configuration, codec: FourCc::AAC, .. } => {
            Aac::parse(config).ok().map(Codec::Aac)
        }
        _ => None,
    };
    codec.into_iter().for_each(check_init);
}
