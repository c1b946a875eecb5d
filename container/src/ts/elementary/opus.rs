//! Opus access units behind a control header ("Carriage of Opus in MPEG-2 TS", ETSI TS 103 491 Annex A).

use super::Found;

/// An access unit with its control header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Where the packet begins.
    pub start: usize,
    /// Where it ends, and the next header may begin.
    pub end: usize,
}

/// Looks for an access unit at the front.
pub fn unit(bytes: &[u8]) -> Found<Unit> {
    read(bytes).unwrap_or(Found::More)
}

/// `None` where the bytes end within the header.
fn read(bytes: &[u8]) -> Option<Found<Unit>> {
    let first = *bytes.first()?;
    if first != 0x7f {
        return Some(Found::Not);
    }
    let flags = *bytes.get(1)?;
    if flags & 0xe0 != 0xe0 {
        return Some(Found::Not);
    }
    let (mut at, mut size) = (2, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        size += usize::from(byte);
        if byte != 0xff {
            break;
        }
    }
    // What is trimmed at the beginning and at the end.
    at += usize::from(flags >> 4 & 1) * 2 + usize::from(flags >> 3 & 1) * 2;
    if flags & 0x04 != 0 {
        at += 1 + usize::from(*bytes.get(at)?);
    }
    let end = at + size;
    Some(match size {
        0 => Found::Not,
        _ if end <= bytes.len() => Found::Unit(Unit { start: at, end }),
        _ => Found::More,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_on_after_each_255() {
        let bytes = [&[0x7f, 0xe0, 255, 3][..], &[9; 258]].concat();
        assert_eq!(unit(&bytes), Found::Unit(Unit { start: 4, end: 262 }));
        (0..bytes.len()).for_each(|end| assert_eq!(unit(&bytes[..end]), Found::More, "{end} bytes"));
    }

    #[test]
    fn trims_and_extensions_are_passed_over() {
        let bytes = [0x7f, 0xfc, 1, 0, 9, 0, 9, 2, 7, 7, 0xaa, 0x7f];
        assert_eq!(unit(&bytes), Found::Unit(Unit { start: 10, end: 11 }));
    }

    #[test]
    fn what_is_no_header_is_not() {
        assert_eq!(unit(&[0x47, 0xe0]), Found::Not);
        assert_eq!(unit(&[0x7f, 0x10]), Found::Not);
        assert_eq!(unit(&[0x7f, 0xe0, 0]), Found::Not, "nothing in it");
    }
}
