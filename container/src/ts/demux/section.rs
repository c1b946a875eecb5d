//! Sections: tables in pieces over packets (ISO/IEC 13818-1 §2.4.4).

use super::super::psi::crc;

/// Bytes before what `section_length` counts.
const HEADER: usize = 3;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;
/// `table_id` of what fills a packet up (§2.4.4.1).
const STUFFING: u8 = 0xff;

/// Puts the sections of one PID together.
#[derive(Debug, Default)]
pub(super) struct Sections {
    /// The one that is open; at most 4 KiB and a packet.
    open: Vec<u8>,
    /// One may go on in the next packet.
    going: bool,
}

/// What came of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Section<'a> {
    /// A whole section with its header, without its checksum.
    Whole(&'a [u8]),
    /// One whose checksum is wrong.
    Damaged,
}

impl Sections {
    /// Takes the payload of the next packet.
    pub(super) fn push(&mut self, begins: bool, payload: &[u8], found: &mut dyn FnMut(Section<'_>)) {
        if !begins {
            if self.going {
                self.open.extend_from_slice(payload);
                self.drain(found);
            }
            return;
        }
        // `pointer_field`: that many bytes belong to what is open.
        let Some((&pointer, payload)) = payload.split_first() else { return };
        let Some((before, from)) = payload.split_at_checked(usize::from(pointer)) else {
            return self.clear();
        };
        if self.going {
            self.open.extend_from_slice(before);
            self.drain(found);
        }
        self.open.clear();
        self.going = true;
        self.open.extend_from_slice(from);
        self.drain(found);
    }

    /// Lets go what is open.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.going = false;
    }

    fn drain(&mut self, found: &mut dyn FnMut(Section<'_>)) {
        let mut at = 0;
        while let Some((section, length)) = whole(&self.open[at..]) {
            found(section);
            at += length;
        }
        self.open.drain(..at);
        if self.open.first() == Some(&STUFFING) {
            self.clear();
        }
    }
}

/// The section at the front, and its length; `None` where it is not all there.
fn whole(bytes: &[u8]) -> Option<(Section<'_>, usize)> {
    let &[table, high, low] = bytes.first_chunk()?;
    if table == STUFFING {
        return None;
    }
    let length = HEADER + (usize::from(high & 0x0f) << 8 | usize::from(low));
    let bytes = bytes.get(..length)?;
    let right = length >= HEADER + CHECKSUM && crc(bytes) == 0;
    let section = if right { Section::Whole(&bytes[..length - CHECKSUM]) } else { Section::Damaged };
    Some((section, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(table: u8, body: &[u8]) -> Vec<u8> {
        let length = body.len() + CHECKSUM;
        let mut bytes = [&[table, 0xb0 | (length >> 8) as u8, length as u8][..], body].concat();
        bytes.extend(crc(&bytes).to_be_bytes());
        bytes
    }

    fn pushed(packets: &[(bool, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
        let (mut sections, mut seen) = (Sections::default(), Vec::new());
        for (begins, payload) in packets {
            sections.push(*begins, payload, &mut |section| {
                seen.push(match section {
                    Section::Whole(bytes) => Some(bytes[HEADER..].to_vec()),
                    Section::Damaged => None,
                });
            });
        }
        seen
    }

    #[test]
    fn sections_go_over_packets_and_share_them() {
        let (one, two) = (section(2, &[7; 200]), section(2, &[8; 5]));
        let packets = [
            (true, [&[0][..], &one[..183]].concat()),
            (true, [&[(one.len() - 183) as u8][..], &one[183..], &two, &two, &[0xff; 9]].concat()),
            (false, vec![1; 184]),
        ];
        assert_eq!(pushed(&packets), [Some(vec![7; 200]), Some(vec![8; 5]), Some(vec![8; 5])]);
    }

    #[test]
    fn a_wrong_checksum_is_told_and_what_follows_is_read() {
        let (mut one, two) = (section(2, &[7; 9]), section(2, &[8; 5]));
        one[5] ^= 1;
        assert_eq!(pushed(&[(true, [&[0][..], &one, &two].concat())]), [None, Some(vec![8; 5])]);
    }

    #[test]
    fn a_pointer_beyond_the_packet_is_nothing() {
        assert_eq!(pushed(&[(true, vec![200, 2, 0xb0]), (true, vec![]), (false, vec![2; 9])]), []);
    }

    #[test]
    fn a_section_too_short_for_a_checksum_is_damaged() {
        assert_eq!(pushed(&[(true, vec![0, 2, 0xb0, 0])]), [None]);
    }
}
