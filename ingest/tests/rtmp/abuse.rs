//! What a hostile peer may try; the session ends it with a reason and within its limits.

use std::time::{Duration, Instant};

use ingest::rtmp::amf::{self, Value};
use ingest::rtmp::chunk;
use ingest::rtmp::message::kind;
use ingest::rtmp::session::Fault;
use ingest::rtmp::{Limits, Session};
use proptest::prelude::*;

use super::chunker::basic;
use super::client::{Client, amf_values};

#[test]
fn garbage_instead_of_a_handshake() {
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 2, 0], &[0; 5000], &[0xff; 5000], b"\x06"] {
        let now = Instant::now();
        let mut session = Session::new(Limits::default(), now);
        assert!(matches!(session.handle(garbage, now).unwrap_err().fault, Fault::Handshake(_)));
        assert_eq!(session.poll_transmit(), None);
    }
}

#[test]
fn silence_and_half_a_handshake() {
    for sent in [0, 1, 700, 1537, 3072] {
        let now = Instant::now();
        let mut session = Session::new(Limits::default(), now);
        session.handle(&[3; 3073][..sent], now).unwrap();
        assert_eq!(session.deadline(), now + Duration::from_secs(10));
        assert!(session.handle_timeout(now + Duration::from_secs(9)).is_ok());
        let error = session.handle_timeout(now + Duration::from_secs(10)).unwrap_err();
        assert!(matches!(error.fault, Fault::Slow { .. }));
    }
}

#[test]
fn nested_and_numbered_amf() {
    let deep = [&amf_values(&["connect".into(), 1.0.into()])[..], &[3, 0, 1, b'a'].repeat(60_000)].concat();
    let wide =
        [&amf_values(&["connect".into(), 1.0.into()])[..], &[0x0a, 0xff, 0xff, 0xff, 0xff], &[5; 9000]];
    let mut client = Client::new();
    let error = client.send(kind::COMMAND, 0, 0, deep.clone()).unwrap_err();
    assert!(matches!(error.fault, Fault::Amf(amf::Error::TooDeep { .. })));
    let error = Client::new().send(kind::COMMAND, 0, 0, wide.concat()).unwrap_err();
    assert!(matches!(error.fault, Fault::Amf(amf::Error::TooMany { .. })));
    let error = Client::publishing().send(kind::DATA, 0, 0, deep).unwrap_err();
    assert!(matches!(error.fault, Fault::Amf(amf::Error::TooDeep { .. })));
}

/// The first chunk of a video message that declares `len` bytes.
fn begin(csid: u32, len: u32) -> Vec<u8> {
    let [_, a, b, c] = len.to_be_bytes();
    [&basic(csid, 0)[..], &[0, 0, 0, a, b, c, kind::VIDEO, 1, 0, 0, 0], &[7; 128]].concat()
}

#[test]
fn many_chunk_streams_with_long_messages() {
    let cut = |len: u32| {
        let mut client = Client::new();
        (100..7000u32).find_map(|csid| client.bytes(&begin(csid, len)).err()).unwrap().fault
    };
    assert_eq!(cut(1000), Fault::Chunk(chunk::Error::TooManyStreams { limit: 64 }));
    assert_eq!(cut(4 << 20), Fault::Chunk(chunk::Error::TooMuchInProgress { limit: 16 << 20 }));
    let too_long = chunk::Error::MessageTooLong { kind: kind::VIDEO, len: 16 << 20 >> 1 | 1, limit: 8 << 20 };
    assert_eq!(cut(8 << 20 | 1), Fault::Chunk(too_long));
}

/// The limit is on what is in progress, not on what has been.
#[test]
fn aborted_and_finished_messages_make_room() {
    let mut client = Client::with_tracks();
    for round in 0..10 {
        client.bytes(&begin(6, 8 << 20)).unwrap();
        client.send(kind::ABORT, 0, 0, 6u32.to_be_bytes().to_vec()).unwrap();
        client.video(round * 40, &vec![0x27; 4 << 20]).unwrap();
    }
    assert_eq!(client.session.counters().aborted, 10);
}

#[test]
fn each_type_of_message_has_its_own_longest() {
    for (kind, len) in [(kind::COMMAND, 256 << 10), (kind::DATA, 256 << 10), (kind::AGGREGATE, 1 << 20)] {
        let error = Client::new().send(kind, 0, 0, vec![0; len + 1]).unwrap_err();
        let fault = chunk::Error::MessageTooLong { kind, len: len + 1, limit: len };
        assert_eq!(error.fault, Fault::Chunk(fault));
    }
}

/// Sizes that are none are in `chunks`.
#[test]
fn chunks_of_one_byte_cost_no_more_than_their_bytes() {
    let mut client = Client::with_tracks();
    client.send(kind::SET_CHUNK_SIZE, 0, 0, 1u32.to_be_bytes().to_vec()).unwrap();
    client.chunker.chunk_size = 1;
    let tag = [&[0x27, 1, 0, 0, 0][..], &vec![0x41; 1 << 20]].concat();
    client.video(0, &tag).unwrap();
    assert_eq!(client.times(), [0]);
}

#[test]
fn media_before_publish_is_ignored() {
    let mut client = Client::new();
    client.video_config(0).unwrap();
    client.connect("live").unwrap();
    client.picture(0).unwrap();
    client.audio(0, &[0xaf, 0, 0x11, 0x90]).unwrap();
    assert!(client.events.is_empty());
    assert_eq!(client.session.counters().ignored, 3);
}

#[test]
fn short_empty_and_unknown_messages_are_ignored() {
    let mut client = Client::with_tracks();
    for tag in [
        &[][..],
        &[0x17],
        &[0x17, 1],
        &[0x17, 1, 0, 0],
        &[0x17, 1, 0, 0, 0],
        &[0x17, 0, 0, 0, 0],
        &[0x17, 9, 0, 0, 0],
    ] {
        client.video(0, tag).unwrap();
    }
    for tag in [&[][..], &[0xaf], &[0xaf, 0], &[0xaf, 1], &[0xaf, 7, 1]] {
        client.audio(0, tag).unwrap();
    }
    for kind in [0, 7, 10, 16, 19, 21, 23, 255] {
        client.send(kind, 0, 1, vec![1, 2, 3]).unwrap();
    }
    assert!(client.events.is_empty());
    assert_eq!(client.session.counters().ignored, 7 + 5 + 8);
    client.picture(40).unwrap();
    assert_eq!(client.times(), [40]);
}

#[test]
fn commands_out_of_place() {
    assert!(Client::new().publish("KEY").is_err(), "publish before connect");
    assert!(Client::new().command("", 0.0, &[]).is_ok());
    assert!(Client::new().send(kind::COMMAND, 0, 0, Vec::new()).is_err());
    assert!(Client::new().send(kind::COMMAND, 0, 0, amf_values(&[Value::Null])).is_err());
    let mut client = Client::new();
    client.connect("live").unwrap();
    assert!(client.connect("live").is_err());
}

#[test]
fn control_messages_without_their_value_end_the_connection() {
    for kind in
        [kind::SET_CHUNK_SIZE, kind::ABORT, kind::WINDOW_SIZE, kind::PEER_BANDWIDTH, kind::USER_CONTROL]
    {
        let error = Client::publishing().send(kind, 0, 0, vec![0]).unwrap_err();
        assert_eq!(error.fault, Fault::ShortControl { kind });
    }
}

/// A flood of requests whose answers nobody takes.
#[test]
fn answers_are_bounded() {
    let limits = Limits { answers: 10_000, ..Limits::default() };
    let mut client = Client::with_limits(limits);
    let ping = [2, 0, 0, 0, 0, 0, 6, kind::USER_CONTROL, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1];
    let error = client.session.handle(&ping.repeat(10_000), client.now).unwrap_err();
    assert_eq!(error.fault, Fault::Answers { limit: 10_000 });
}

#[test]
fn an_error_says_where() {
    let mut client = Client::new();
    let error = client.bytes(&[0xc5]).unwrap_err();
    assert_eq!(error.to_string(), "chunk stream 5 begins with a header of type 3 (at byte 3074)");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4000), split in 1..4000usize) {
        let mut client = Client::with_tracks();
        client.split = split;
        let _ = client.bytes(&bytes);
    }

    #[test]
    fn arbitrary_payloads_of_known_types_never_panic(
        messages in proptest::collection::vec((1..23u8, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..300)), 1..20)
    ) {
        let mut client = Client::with_tracks();
        for (kind, timestamp, payload) in messages {
            if client.send(kind, timestamp, 1, payload).is_err() {
                break;
            }
        }
    }

    #[test]
    fn arbitrary_amf_never_panics(bytes in proptest::collection::vec(0..0x13u8, 0..2000)) {
        let _ = amf::Reader::new(&bytes, &Limits::default()).rest();
    }
}
