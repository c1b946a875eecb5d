//! Chunk stream: CONFORMANCE by clause of Adobe RTMP 1.0, section 5.

use ingest::rtmp::chunk;
use ingest::rtmp::message::kind;
use ingest::rtmp::session::Fault;
use rml_rtmp::messages::{RtmpMessage, UserControlEventType};
use stream::TrackId;

use super::chunker::{Chunker, Outgoing, basic};
use super::client::Client;

/// A picture larger than a chunk, with a byte pattern that is easy to tell from headers.
fn large_picture(len: usize) -> Vec<u8> {
    let nal = (0..len).map(|i| 0x65u8.wrapping_add(i as u8));
    [0x17, 1, 0, 0, 0].into_iter().chain((len as u32).to_be_bytes()).chain(nal).collect()
}

fn message(kind: u8, timestamp: u32, payload: Vec<u8>) -> Outgoing {
    Outgoing { kind, timestamp, stream_id: 1, payload }
}

/// 5.3.1.3, both dialects, and every way in which a read may cut the bytes.
#[test]
fn extended_timestamp_in_chunks_of_type_3_repeated_or_not() {
    for repeats_extended in [true, false] {
        for split in [1, 2, 3, 5, 127, usize::MAX] {
            let mut client = Client::with_tracks();
            client.chunker.repeats_extended = repeats_extended;
            client.split = split;
            let tag = large_picture(1000);
            for timestamp in [0xff_fffe, 0xff_ffff, 0x100_0027, 0x100_004f] {
                client.format = 0;
                client.video(timestamp, &tag).unwrap();
            }
            let samples = client.samples(TrackId::VIDEO);
            let what = format!("repeated {repeats_extended}, split {split}");
            assert_eq!(client.times(), [0xff_fffe, 0xff_ffff, 0x100_0027, 0x100_004f], "{what}");
            assert!(samples.iter().all(|sample| *sample.data == tag[5..]), "{what}");
        }
    }
}

/// Data that begins like the extended timestamp, then differs: those bytes are data, wherever the read ended.
#[test]
fn data_that_resembles_the_extended_timestamp_stays_data() {
    for alike in 0..4 {
        for len in [128 + alike + 1, 128 + alike + 3, 300] {
            let mut client = Client::with_tracks();
            client.chunker.repeats_extended = false;
            (client.split, client.format) = (1, 0);
            let timestamp = 0x0102_0304u32;
            let mut tag = large_picture(len - 9);
            tag[128..128 + alike].copy_from_slice(&timestamp.to_be_bytes()[..alike]);
            tag[128 + alike] = 0xee;
            client.video(timestamp, &tag).unwrap();
            client.picture(timestamp + 40).unwrap();
            let samples = client.samples(TrackId::VIDEO);
            assert_eq!(samples.len(), 2, "{alike} bytes alike, message of {len}");
            assert_eq!(*samples[0].data, tag[5..]);
        }
    }
}

/// 5.3.1.2.4
#[test]
fn type_3_after_type_0_takes_its_timestamp_for_the_delta() {
    let mut client = Client::with_tracks();
    let mut chunker = Chunker::new(128, true);
    let tag = large_picture(10);
    let first = chunker.chunks(10, 0, &message(kind::VIDEO, 1000, tag.clone())).concat();
    let again = [basic(10, 3), tag].concat();
    client.bytes(&[first, again.clone(), again].concat()).unwrap();
    assert_eq!(client.times(), [1000, 2000, 3000]);
}

/// 5.3.1.2.4
#[test]
fn type_3_that_begins_a_message_adds_the_delta_again() {
    let mut client = Client::with_tracks();
    client.format = 3;
    for timestamp in [1000, 1040, 1080, 1120, 1150] {
        client.picture(timestamp).unwrap();
    }
    assert_eq!(client.times(), [1000, 1040, 1080, 1120, 1150]);
}

/// 5.3.1.1
#[test]
fn chunk_stream_ids_from_2_to_65599() {
    let mut client = Client::with_tracks();
    for csid in [2, 63, 64, 319, 320, 65599] {
        let picture = message(kind::VIDEO, csid, large_picture(500));
        let bytes = client.chunker.chunks(csid, 0, &picture).concat();
        client.bytes(&bytes).unwrap();
    }
    assert_eq!(client.times(), [2, 63, 64, 319, 320, 65599]);
}

/// 5.4.1
#[test]
fn chunk_size_zero_or_with_bit_31_ends_the_connection() {
    for size in [0, 0x8000_0000, 0xffff_ffff] {
        let mut client = Client::publishing();
        let error = client.send(kind::SET_CHUNK_SIZE, 0, 0, u32::to_be_bytes(size).to_vec()).unwrap_err();
        assert_eq!(error.fault, Fault::Chunk(chunk::Error::ChunkSize(size)));
    }
}

/// 5.4.1
#[test]
fn chunk_sizes_from_1_to_the_largest() {
    for size in [1u32, 2, 127, 128, 4096, 65536, 0xff_ffff, 0x7fff_ffff] {
        let mut client = Client::with_tracks();
        client.send(kind::SET_CHUNK_SIZE, 0, 0, size.to_be_bytes().to_vec()).unwrap();
        client.chunker.chunk_size = (size as usize).min(0xff_ffff);
        let tag = large_picture(200_000);
        client.video(0, &tag).unwrap();
        client.video(40, &tag).unwrap();
        assert!(client.samples(TrackId::VIDEO).iter().all(|sample| *sample.data == tag[5..]), "{size}");
        assert_eq!(client.times(), [0, 40], "{size}");
    }
}

/// 5.4.2
#[test]
fn abort_drops_what_came_of_a_message() {
    let mut client = Client::with_tracks();
    let mut chunks = client.chunker.chunks(6, 0, &message(kind::VIDEO, 40, large_picture(1000)));
    chunks.truncate(3);
    client.bytes(&chunks.concat()).unwrap();
    client.send(kind::ABORT, 0, 0, 6u32.to_be_bytes().to_vec()).unwrap();
    client.send(kind::ABORT, 0, 0, 77u32.to_be_bytes().to_vec()).unwrap();
    client.picture(80).unwrap();
    assert_eq!(client.times(), [80]);
    assert_eq!(client.session.counters().aborted, 1);
}

/// A header that is not of type 3 inside a message: the message before it will not be finished.
#[test]
fn a_new_header_inside_a_message_begins_another() {
    let mut client = Client::with_tracks();
    let chunks = client.chunker.chunks(6, 0, &message(kind::VIDEO, 40, large_picture(1000)));
    client.bytes(&chunks[..2].concat()).unwrap();
    client.picture(80).unwrap();
    assert_eq!(client.times(), [80]);
}

/// 5.4.3, 5.4.4
#[test]
fn each_window_is_acknowledged() {
    let mut client = Client::with_tracks();
    client.send(kind::WINDOW_SIZE, 0, 0, 10_000u32.to_be_bytes().to_vec()).unwrap();
    client.forget();
    for timestamp in 0..50 {
        client.video(timestamp * 40, &large_picture(1000)).unwrap();
    }
    let sequences: Vec<u32> = client
        .controls
        .iter()
        .map(|control| match control {
            RtmpMessage::Acknowledgement { sequence_number } => *sequence_number,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(sequences.len() >= 4, "{sequences:?}");
    assert!(sequences.windows(2).all(|pair| (10_000..12_000).contains(&(pair[1] - pair[0]))));
}

/// 5.4.5
#[test]
fn set_peer_bandwidth_is_answered_with_the_window() {
    let mut client = Client::publishing();
    client.send(kind::PEER_BANDWIDTH, 0, 0, vec![0, 0, 0x27, 0x10, 2]).unwrap();
    assert_eq!(client.controls, [RtmpMessage::WindowAcknowledgement { size: 10_000 }]);
}

/// 7.1.7
#[test]
fn ping_is_answered_with_the_same_value() {
    let mut client = Client::publishing();
    client.send(kind::USER_CONTROL, 0, 0, vec![0, 6, 0, 0, 1, 2]).unwrap();
    let [RtmpMessage::UserControl { event_type, timestamp: Some(timestamp), .. }] = &client.controls[..]
    else {
        panic!("{:?}", client.controls)
    };
    assert_eq!((event_type, timestamp.value), (&UserControlEventType::PingResponse, 258));
}
