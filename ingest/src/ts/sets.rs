//! Parameter sets as they stand in the stream, and the configuration that they make.

use container::ts::elementary::nal::{Role, Standard};
use media::Codec;
use media::codec::{Avc, Error, Hevc};

/// Sets of one kind that are kept.
const MOST: usize = 64;
/// Bytes of one set.
const LONGEST: usize = 4096;

/// The sets that are in force.
#[derive(Debug)]
pub(super) struct Sets {
    standard: Standard,
    video: Vec<Vec<u8>>,
    sequence: Vec<Vec<u8>>,
    picture: Vec<Vec<u8>>,
    /// What of it no configuration was made of yet.
    changed: bool,
}

impl Sets {
    pub(super) fn new(standard: Standard) -> Sets {
        Sets { standard, video: Vec::new(), sequence: Vec::new(), picture: Vec::new(), changed: false }
    }

    /// Takes the sets of an access unit. Where its sequence parameter sets are others than before, everything that was
    /// before is not in force any more; where they are the same, or it has none, a set takes the place of its namesake.
    pub(super) fn take<'a>(&mut self, units: impl Iterator<Item = (Role, &'a [u8])> + Clone) {
        let of = |role: Role| units.clone().filter(move |(of, set)| *of == role && set.len() <= LONGEST);
        let sequence: Vec<&[u8]> = of(Role::Sequence).map(|(_, set)| set).take(MOST).collect();
        if !sequence.is_empty() && self.sequence != sequence {
            self.sequence = sequence.into_iter().map(<[u8]>::to_vec).collect();
            self.video.clear();
            self.picture.clear();
            self.changed = true;
        }
        for (_, set) in of(Role::Video) {
            // In its first four bits; there is one, as long as there is one layer.
            self.changed |=
                put(&mut self.video, set, |set| set.get(2).map_or(0, |byte| u32::from(byte >> 4)));
        }
        let header = if self.standard == Standard::Avc { 1 } else { 2 };
        for (_, set) in of(Role::Picture) {
            self.changed |= put(&mut self.picture, set, |set| number(set.get(header..).unwrap_or_default()));
        }
    }

    /// The configuration that they make, if they are others than when it was asked for last and all are there.
    pub(super) fn changed(&mut self) -> Option<Result<Codec, Error>> {
        let whole = !self.sequence.is_empty()
            && !self.picture.is_empty()
            && (self.standard == Standard::Avc || !self.video.is_empty());
        if !(whole && std::mem::take(&mut self.changed)) {
            return None;
        }
        Some(match self.standard {
            Standard::Avc => Avc::from_parameter_sets(&self.sequence, &self.picture).map(Codec::Avc),
            Standard::Hevc => {
                Hevc::from_parameter_sets(&self.video, &self.sequence, &self.picture).map(Codec::Hevc)
            }
        })
    }
}

/// Puts a set in the place of that with its number. Says whether that is a change.
fn put(sets: &mut Vec<Vec<u8>>, set: &[u8], number: impl Fn(&[u8]) -> u32) -> bool {
    match sets.iter().position(|known| number(known) == number(set)) {
        Some(at) if sets[at] == set => return false,
        Some(at) => sets[at] = set.to_vec(),
        None if sets.len() < MOST => sets.push(set.to_vec()),
        None => return false,
    }
    true
}

/// An Exp-Golomb number at the front (ITU-T H.264 §9.1); the largest of all for what has more than 31 bits.
fn number(bytes: &[u8]) -> u32 {
    let word = bytes.iter().copied().chain(std::iter::repeat(0)).take(4);
    let word = word.fold(0u32, |word, byte| word << 8 | u32::from(byte));
    match word.leading_zeros() {
        zeros @ 0..=15 => (word >> (31 - 2 * zeros)) - 1,
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exp_golomb() {
        assert_eq!([number(&[0x80]), number(&[0x40]), number(&[0x60]), number(&[0x20])], [0, 1, 2, 3]);
        assert_eq!(number(&[]), number(&[0, 0, 0, 0]), "nothing is no panic");
    }

    fn picture(sets: &mut Sets, units: &[(Role, &[u8])]) -> bool {
        sets.take(units.iter().copied());
        std::mem::take(&mut sets.changed)
    }

    #[test]
    fn only_what_is_new_is_a_change() {
        const SPS: (Role, &[u8]) = (Role::Sequence, &[0x67, 1]);
        const PPS: (Role, &[u8]) = (Role::Picture, &[0x68, 0x80]);
        let mut sets = Sets::new(Standard::Avc);
        assert!(picture(&mut sets, &[SPS, PPS]));
        assert!(!picture(&mut sets, &[SPS, PPS]));
        assert!(!picture(&mut sets, &[SPS]), "a picture set that is left out stays in force");
        assert!(picture(&mut sets, &[(Role::Picture, &[0x68, 0x40])]), "one with another number");
        assert!(!picture(&mut sets, &[SPS, PPS]));
        assert_eq!(sets.picture.len(), 2);
        assert!(picture(&mut sets, &[(Role::Picture, &[0x68, 0x81])]), "another one of that number");
        assert!(picture(&mut sets, &[(Role::Sequence, &[0x67, 2]), PPS]));
        assert_eq!(sets.picture, [PPS.1], "those of the other sequence are gone");
    }

    #[test]
    fn there_is_no_end_of_sets() {
        let mut sets = Sets::new(Standard::Hevc);
        for at in 0..=255u8 {
            sets.take([(Role::Picture, &[0x44, 1, 0, at, at, 1][..])].into_iter());
            sets.take([(Role::Video, &[0x40, 1, at][..])].into_iter());
        }
        assert!(sets.picture.len() <= MOST && sets.video.len() <= 16);
    }
}
