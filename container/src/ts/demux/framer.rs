//! Where packets begin in a stream of bytes (ISO/IEC 13818-1 Annex G.1).
//!
//! Packets are 188 bytes, also where four bytes of a clock stand before each (192) or sixteen of error correction behind
//! it (204). Three sync bytes at one distance are believed; one that is missing ends that.

use memchr::memchr;

use super::super::PACKET;

/// The first byte of a packet (§2.4.3.3).
const SYNC: u8 = 0x47;
/// Distances between packets.
const STRIDES: [usize; 3] = [PACKET, 192, 204];
/// Bytes in which three packets of any kind show.
const WINDOW: usize = 2 * 204 + 1;
/// Bytes that are looked through at a time.
const SEARCHED: usize = 4096;

/// Finds the packets.
#[derive(Debug, Default)]
pub(super) struct Framer {
    /// What came and is no whole packet yet.
    carry: Vec<u8>,
    /// The distance of packets, once they were found.
    stride: Option<usize>,
    /// Bytes to pass over before the next packet.
    skip: usize,
    /// Times that a packet was not where it should be.
    pub(super) losses: u64,
}

impl Framer {
    /// Takes any piece and hands on each whole packet.
    pub(super) fn push(&mut self, mut bytes: &[u8], packet: &mut dyn FnMut(&[u8; PACKET])) {
        while !self.carry.is_empty() && !bytes.is_empty() {
            let room = if self.stride.is_some() { PACKET } else { SEARCHED };
            let (now, later) = bytes.split_at(room.saturating_sub(self.carry.len()).min(bytes.len()));
            let mut carry = std::mem::take(&mut self.carry);
            carry.extend_from_slice(now);
            let used = self.take(&carry, packet);
            carry.drain(..used);
            self.carry = carry;
            bytes = later;
        }
        if !bytes.is_empty() {
            let used = self.take(bytes, packet);
            // What is left is less than a window.
            self.carry.extend_from_slice(&bytes[used..]);
        }
    }

    /// What is open is of no use: something between it and what comes next was lost.
    pub(super) fn clear(&mut self) {
        self.carry.clear();
        self.skip = 0;
    }

    /// Uses as much of `bytes` as can be decided upon, and says how much that was.
    fn take(&mut self, bytes: &[u8], packet: &mut dyn FnMut(&[u8; PACKET])) -> usize {
        let mut at = 0;
        loop {
            let skipped = self.skip.min(bytes.len() - at);
            self.skip -= skipped;
            at += skipped;
            let rest = &bytes[at..];
            match (self.stride, rest.first_chunk::<PACKET>()) {
                (Some(_), None) => return at,
                (Some(stride), Some(whole)) if whole[0] == SYNC => {
                    packet(whole);
                    at += PACKET;
                    self.skip = stride - PACKET;
                }
                (Some(_), Some(_)) => {
                    self.losses += 1;
                    self.stride = None;
                }
                (None, _) => match search(rest) {
                    Search::Found { at: found, stride } => {
                        at += found;
                        self.stride = Some(stride);
                    }
                    Search::Nothing { until } => return at + until,
                },
            }
        }
    }
}

enum Search {
    Found {
        at: usize,
        stride: usize,
    },
    /// Not before there; from there on more bytes are needed.
    Nothing {
        until: usize,
    },
}

/// Looks for three packets. What is found does not depend on how many bytes beyond them are there.
fn search(bytes: &[u8]) -> Search {
    let mut from = 0;
    while let Some(at) = memchr(SYNC, &bytes[from..]).map(|at| from + at) {
        let Some(window) = bytes.get(at..at + WINDOW) else {
            return Search::Nothing { until: at };
        };
        let fits = |stride: &&usize| window[**stride] == SYNC && window[2 * **stride] == SYNC;
        if let Some(&stride) = STRIDES.iter().find(fits) {
            return Search::Found { at, stride };
        }
        from = at + 1;
    }
    Search::Nothing { until: bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(count: u8) -> Vec<Vec<u8>> {
        (0..count).map(|at| [&[SYNC][..], &[at; PACKET - 1]].concat()).collect()
    }

    /// The second byte of each packet that is found, and how often they were lost.
    fn found(bytes: &[u8], piece: usize) -> (Vec<u8>, u64) {
        let mut framer = Framer::default();
        let mut seen = Vec::new();
        for piece in bytes.chunks(piece) {
            framer.push(piece, &mut |packet| seen.push(packet[1]));
        }
        (seen, framer.losses)
    }

    #[test]
    fn packets_are_found_wherever_pieces_end() {
        let bytes = packets(9).concat();
        for piece in [1, 7, 187, 188, 189, 1316, 5000] {
            assert_eq!(found(&bytes, piece), ((0..9).collect(), 0), "pieces of {piece}");
        }
    }

    #[test]
    fn clocks_before_and_error_correction_behind_packets_are_passed_over() {
        let clocked: Vec<u8> =
            packets(9).iter().flat_map(|packet| [&[1, 2, 3, 4][..], packet].concat()).collect();
        assert_eq!(found(&clocked, 1000), ((0..9).collect(), 0));
        let corrected: Vec<u8> =
            packets(9).iter().flat_map(|packet| [packet, &[9; 16][..]].concat()).collect();
        assert_eq!(found(&corrected, 1000), ((0..9).collect(), 0));
    }

    #[test]
    fn after_lost_bytes_three_packets_are_enough() {
        let all = packets(12);
        let bytes = [&all[..5].concat()[..], &all[5][..100], &all[6..].concat()].concat();
        for piece in [1, 188, 5000] {
            let (seen, losses) = found(&bytes, piece);
            assert_eq!(losses, 1);
            // The broken one takes a piece of the next with it, and no more.
            assert_eq!(seen.iter().filter(|at| **at >= 7).count(), 5, "{seen:?}");
        }
    }

    #[test]
    fn rubbish_is_no_packet() {
        let rubbish: Vec<u8> =
            (0..20_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(found(&rubbish, 999).0.len() < 3);
        let (seen, _) = found(&[&rubbish[..999], &packets(9).concat()].concat(), 100);
        assert_eq!(seen[seen.len() - 8..], (1..9).collect::<Vec<u8>>());
    }
}
