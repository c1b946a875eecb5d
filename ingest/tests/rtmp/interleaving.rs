//! Any legal chunk stream decodes to the messages that went into it, however it is cut.

use ingest::rtmp::Limits;
use ingest::rtmp::chunk::Decoder;
use ingest::rtmp::message::Message;
use proptest::prelude::*;

use super::chunker::{Chunker, Outgoing};

/// Messages of one chunk stream, each with the header type it would like to have.
type Lane = Vec<(u8, Outgoing)>;

fn message() -> impl Strategy<Value = (u8, Outgoing)> {
    let timestamp = prop_oneof![0..3000u32, 0xff_fff0..0x100_0010u32, any::<u32>()];
    let kind = prop_oneof![Just(8u8), Just(9), Just(18), Just(20)];
    let len = prop_oneof![Just(0usize), 0..20usize, 100..400usize, Just(200usize)];
    (0..4u8, kind, timestamp, 0..3u32, len, any::<u8>()).prop_map(
        |(format, kind, timestamp, stream_id, len, seed)| {
            let mut payload: Vec<u8> =
                (0..len).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)).collect();
            let head: &[u8] = match kind {
                8 => &[0xaf, 1],
                9 => &[0x27, 1, 0, 0, 0],
                _ => &[],
            };
            payload.iter_mut().zip(head).for_each(|(byte, head)| *byte = *head);
            (format, Outgoing { kind, timestamp, stream_id, payload })
        },
    )
}

fn lanes() -> impl Strategy<Value = Vec<Lane>> {
    proptest::collection::vec(proptest::collection::vec(message(), 1..8), 1..5)
}

/// A header that lets type 3 begin messages: the same length and type, and steady steps.
fn steady(lane: &mut Lane, step: u32) {
    let first = lane[0].1.clone();
    for (index, (_, message)) in lane.iter_mut().enumerate() {
        let timestamp = first.timestamp.wrapping_add(step.wrapping_mul(index as u32));
        *message = Outgoing { timestamp, ..first.clone() };
    }
}

/// Interleaves chunks of all lanes in an order drawn from `picks`, and gives the messages by their last chunk.
fn interleave(
    lanes: Vec<Lane>,
    csids: &[u32],
    chunker: &mut Chunker,
    picks: &[usize],
) -> (Vec<u8>, Vec<Outgoing>) {
    let mut queues: Vec<_> = lanes
        .into_iter()
        .zip(csids)
        .map(|(lane, &csid)| {
            let chunks = lane.into_iter().flat_map(|(format, message)| {
                let mut chunks: Vec<_> =
                    chunker.chunks(csid, format, &message).into_iter().map(|chunk| (chunk, None)).collect();
                chunks.last_mut().unwrap().1 = Some(message);
                chunks
            });
            chunks.collect::<std::collections::VecDeque<_>>()
        })
        .collect();
    let (mut wire, mut expected) = (Vec::new(), Vec::new());
    let mut picks = picks.iter().cycle();
    while queues.iter().any(|queue| !queue.is_empty()) {
        let pick = picks.next().unwrap() % queues.len();
        let count = queues.len();
        let Some(turn) = (pick..pick + count).find(|turn| !queues[turn % count].is_empty()) else { break };
        let queue = &mut queues[turn % count];
        let (chunk, message) = queue.pop_front().unwrap();
        wire.extend_from_slice(&chunk);
        expected.extend(message);
    }
    (wire, expected)
}

fn decode(wire: &[u8], splits: &[usize], chunk_size: u32) -> Vec<Message> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.set_chunk_size(chunk_size).unwrap();
    let mut messages = Vec::new();
    let (mut rest, mut splits) = (wire, splits.iter().cycle());
    while !rest.is_empty() {
        let (mut piece, later) = rest.split_at((*splits.next().unwrap()).min(rest.len()));
        while let Some(message) = decoder.decode(&mut piece).unwrap() {
            messages.push(message);
        }
        assert!(piece.is_empty(), "the decoder takes everything");
        rest = later;
    }
    messages
}

proptest! {
    #[test]
    fn any_legal_interleaving_decodes_to_the_same_messages(
        mut lanes in lanes(),
        step in prop_oneof![Just(None), (0..50u32).prop_map(Some), (0x100_0000..0x100_0003u32).prop_map(Some)],
        chunk_size in prop_oneof![1..10usize, 100..150usize, Just(4096usize)],
        repeats_extended in any::<bool>(),
        picks in proptest::collection::vec(0..10usize, 1..50),
        splits in proptest::collection::vec(prop_oneof![1..4usize, 1..500usize], 1..10),
    ) {
        if let Some(step) = step {
            lanes.iter_mut().for_each(|lane| steady(lane, step));
        }
        let mut chunker = Chunker::new(chunk_size, repeats_extended);
        let (mut wire, mut expected) = interleave(lanes, &[3, 64, 5, 400, 7], &mut chunker, &picks);
        // The end of input alone does not tell whether an extended timestamp is still to be repeated.
        let last = Outgoing { kind: 20, timestamp: 0, stream_id: 0, payload: Vec::new() };
        wire.extend(chunker.chunks(9, 0, &last).concat());
        expected.push(last);
        let decoded = decode(&wire, &splits, chunk_size as u32);
        prop_assert_eq!(decoded.len(), expected.len());
        for (message, sent) in decoded.iter().zip(&expected) {
            let Outgoing { kind, timestamp, stream_id, ref payload } = *sent;
            prop_assert_eq!((message.kind, message.timestamp, message.stream_id), (kind, timestamp, stream_id));
            prop_assert_eq!([&message.head[..], &message.body[..]].concat(), payload.clone());
        }
    }
}
