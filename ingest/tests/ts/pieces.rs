//! The same bytes give the same inputs, in whatever pieces they come, and whatever they are.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::mux::PACKET;
use super::seen::Seen;
use super::source;

/// A stream of everything, and one by hand.
static STREAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let bytes = source::stream(3, "-c:a:0 ac3 -c:a:1 libopus -c:a:2 mp2");
    bytes[..bytes.len().min(400 * PACKET)].to_vec()
});

/// What happens to a stream on its way.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: usize, bits: u8 },
    Cut { at: usize, len: usize },
    Insert { at: usize, bytes: Vec<u8> },
    Repeat { at: usize, packets: usize },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..400 * PACKET;
    prop_oneof![
        (at.clone(), 1..=255u8).prop_map(|(at, bits)| Damage::Flip { at, bits }),
        (at.clone(), 1..1000usize).prop_map(|(at, len)| Damage::Cut { at, len }),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..400))
            .prop_map(|(at, bytes)| Damage::Insert { at, bytes }),
        (at, 1..9usize).prop_map(|(at, packets)| Damage::Repeat { at, packets }),
    ]
}

fn damaged(all: &[Damage]) -> Vec<u8> {
    let mut bytes = STREAM.clone();
    for damage in all {
        let len = bytes.len();
        match damage {
            Damage::Flip { at, bits } => bytes.iter_mut().skip(*at).take(1).for_each(|byte| *byte ^= bits),
            Damage::Cut { at, len: cut } => drop(bytes.drain((*at).min(len)..(at + cut).min(len))),
            Damage::Insert { at, bytes: more } => {
                bytes.splice((*at).min(len)..(*at).min(len), more.iter().copied());
            }
            Damage::Repeat { at, packets } => {
                let from = (at / PACKET * PACKET).min(len);
                let again = bytes[from..(from + packets * PACKET).min(len)].to_vec();
                bytes.splice(from..from, again);
            }
        }
    }
    bytes
}

/// Pieces of these lengths, again and again.
fn in_pieces(bytes: &[u8], lengths: &[usize]) -> Seen {
    let (mut rest, mut lengths) = (bytes, lengths.iter().cycle());
    Seen::in_pieces(&mut std::iter::from_fn(|| {
        let (piece, after) = rest.split_at((*lengths.next()?).min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_pieces_of_a_damaged_stream_give_the_same(
        damages in prop::collection::vec(damage(), 0..12),
        lengths in prop::collection::vec(1..3000usize, 1..9),
    ) {
        let bytes = damaged(&damages);
        let whole = in_pieces(&bytes, &[bytes.len()]);
        let pieces = in_pieces(&bytes, &lengths);
        prop_assert_eq!(&whole.counters, &pieces.counters);
        prop_assert!(whole.told() == pieces.told());
        // Whatever happened, what stands behind it is found again.
        prop_assert!(whole.counters.video + whole.counters.audio > 0);
    }

    #[test]
    fn rubbish_brings_nothing_down(bytes in prop::collection::vec(prop_oneof![Just(0x47u8), any::<u8>()], 0..4000)) {
        let whole = in_pieces(&bytes, &[bytes.len().max(1)]);
        prop_assert!(whole.told() == in_pieces(&bytes, &[1]).told());
    }
}
