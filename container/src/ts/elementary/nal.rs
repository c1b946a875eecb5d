//! NAL units in a byte stream (ITU-T H.264 and H.265 Annex B), and where access units begin among them (H.264 §7.4.1.2.3,
//! H.265 §7.4.2.4.4).

use std::ops::Range;

use memchr::memmem;

/// Which standard the units are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standard {
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
}

/// What a NAL unit is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A slice.
    Slice {
        /// The first of its picture.
        first: bool,
        /// Of a picture that decoding may begin with by its type: IDR, BLA, CRA.
        key: bool,
    },
    /// A video parameter set.
    Video,
    /// A sequence parameter set.
    Sequence,
    /// A picture parameter set.
    Picture,
    /// Supplemental enhancement information before the slices.
    Supplement,
    /// An access unit delimiter.
    Delimiter,
    /// The end of a sequence or of the stream, or filler: of no use in a file.
    Surplus,
    /// Something that begins an access unit where it follows a slice, and is kept.
    Prefix,
    /// Anything else.
    Other,
}

/// The NAL units of a byte stream, as ranges of it; zeros between them are left out.
pub fn units(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut codes = memmem::find_iter(bytes, &[0, 0, 1]);
    let mut next = codes.next();
    std::iter::from_fn(move || {
        loop {
            let start = next? + 3;
            next = codes.next();
            let end = next.unwrap_or(bytes.len());
            let unit = bytes.get(start..end)?;
            let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
            if zeros < unit.len() {
                return Some(start..end - zeros);
            }
        }
    })
}

/// What a NAL unit is for.
pub fn role(standard: Standard, unit: &[u8]) -> Role {
    match standard {
        Standard::Avc => avc(unit),
        Standard::Hevc => hevc(unit),
    }
}

fn avc(unit: &[u8]) -> Role {
    let kind = unit.first().map_or(0, |header| header & 0x1f);
    match kind {
        // `first_mb_in_slice` is zero where its first bit is set.
        1 | 2 | 5 => Role::Slice { first: unit.get(1).is_some_and(|byte| byte & 0x80 != 0), key: kind == 5 },
        6 => Role::Supplement,
        7 => Role::Sequence,
        8 => Role::Picture,
        9 => Role::Delimiter,
        10..=12 => Role::Surplus,
        14..=18 => Role::Prefix,
        _ => Role::Other,
    }
}

fn hevc(unit: &[u8]) -> Role {
    let kind = unit.first().map_or(0, |header| header >> 1 & 0x3f);
    match kind {
        0..=9 | 16..=21 => {
            Role::Slice { first: unit.get(2).is_some_and(|byte| byte & 0x80 != 0), key: kind >= 16 }
        }
        32 => Role::Video,
        33 => Role::Sequence,
        34 => Role::Picture,
        35 => Role::Delimiter,
        36..=38 => Role::Surplus,
        39 => Role::Supplement,
        41..=44 | 48..=55 => Role::Prefix,
        _ => Role::Other,
    }
}

impl Role {
    /// Whether an access unit begins with it, where slices were before.
    pub fn begins(self) -> bool {
        match self {
            Role::Slice { first, .. } => first,
            Role::Surplus | Role::Other => false,
            _ => true,
        }
    }
}

/// Whether supplemental enhancement information of H.264 says that pictures can be shown from here on (`recovery_point`,
/// §D.1.8).
pub fn is_recovery_point(unit: &[u8]) -> bool {
    let mut rest = unit.get(1..).unwrap_or_default();
    while rest.len() > 2 {
        let (Some(kind), Some(size)) = (number(&mut rest), number(&mut rest)) else { return false };
        if kind == 6 {
            return true;
        }
        rest = rest.get(size..).unwrap_or_default();
    }
    false
}

/// A number that goes on after each 255.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut sum = 0;
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        sum += usize::from(byte);
        if byte != 0xff {
            return Some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_between_start_codes_of_any_length() {
        let bytes = [0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 0x80];
        assert_eq!(units(&bytes).collect::<Vec<_>>(), [4..6, 9..11, 19..21]);
        assert_eq!(units(&[0, 0, 0, 0]).count(), 0);
        assert_eq!(units(&[7, 7, 0, 0, 1]).count(), 0);
    }

    #[test]
    fn access_units_begin_with_what_stands_before_slices_and_with_the_first_slice() {
        let begins = |standard, unit: &[u8]| role(standard, unit).begins();
        assert!(begins(Standard::Avc, &[9, 0xf0]) && begins(Standard::Avc, &[0x67, 1]));
        assert!(begins(Standard::Avc, &[0x41, 0x9a, 0]), "the first slice");
        assert!(!begins(Standard::Avc, &[0x41, 0x1a, 0]), "another slice");
        assert!(!begins(Standard::Avc, &[0x0c, 0xff]), "filler");
        assert!(begins(Standard::Hevc, &[0x46, 1, 0x50]) && begins(Standard::Hevc, &[0x02, 1, 0x80]));
        assert!(!begins(Standard::Hevc, &[0x02, 1, 0x50]), "another slice");
    }

    #[test]
    fn a_recovery_point_is_found_behind_other_messages() {
        assert!(is_recovery_point(&[6, 4, 2, 9, 9, 6, 1, 0x80, 0x80]));
        assert!(!is_recovery_point(&[6, 4, 6, 6, 1, 6, 1, 6, 1, 0x80]));
        assert!(!is_recovery_point(&[6, 255, 255]));
    }
}
