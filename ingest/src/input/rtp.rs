//! MPEG-TS in RTP (RFC 2250): the header comes off, and a gap in the sequence is a loss. What comes late is dropped.

/// Bytes of a header without extras (RFC 3550 §5.1).
const HEADER: usize = 12;
/// What an MPEG-TS packet begins with.
pub(super) const SYNC: u8 = 0x47;

/// Follows the sequence numbers of a sender.
#[derive(Default, Debug)]
pub(super) struct Sequence(Option<u16>);

/// What a datagram is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Datagram<'d> {
    /// Media, in order.
    Media(&'d [u8]),
    /// Media behind a gap.
    AfterGap(&'d [u8]),
    /// It came late, or twice.
    Late,
}

impl Sequence {
    /// Takes the header off, where there is one.
    pub(super) fn open<'d>(&mut self, datagram: &'d [u8]) -> Datagram<'d> {
        let Some((number, payload)) = parsed(datagram) else { return Datagram::Media(datagram) };
        let Some(last) = self.0.replace(number) else { return Datagram::Media(payload) };
        match number.wrapping_sub(last) {
            1 => Datagram::Media(payload),
            0 | 0x8000.. => {
                self.0 = Some(last);
                Datagram::Late
            }
            _ => Datagram::AfterGap(payload),
        }
    }
}

/// Sequence number and payload of an RTP packet that carries MPEG-TS; anything else is none.
fn parsed(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let &[first, _, high, low, ..] = datagram else { return None };
    if first == SYNC || first >> 6 != 2 {
        return None;
    }
    let mut start = HEADER + 4 * usize::from(first & 0x0F);
    if first & 0x10 != 0 {
        let length = datagram.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    let padding = match first & 0x20 {
        0 => 0,
        _ => usize::from(*datagram.last()?),
    };
    let payload = datagram.get(start..datagram.len().checked_sub(padding)?)?;
    (payload.first() == Some(&SYNC)).then_some((u16::from_be_bytes([high, low]), payload))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(first: u8, number: u16, rest: &[u8]) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        [&[first, 33, high, low, 0, 0, 0, 0, 0, 0, 0, 1], rest].concat()
    }

    #[test]
    fn a_header_comes_off_with_sources_extension_and_padding() {
        let ts = [SYNC, 1, 2, 3];
        let mut sequence = Sequence::default();
        assert_eq!(sequence.open(&ts), Datagram::Media(&ts), "without RTP");
        assert_eq!(sequence.open(&packet(0x80, 7, &ts)), Datagram::Media(&ts));
        let sources = [&[0; 8], &ts[..]].concat();
        assert_eq!(sequence.open(&packet(0x82, 8, &sources)), Datagram::Media(&ts));
        let extended = [&[0, 0, 0, 1, 9, 9, 9, 9], &ts[..], &[0, 0, 3]].concat();
        assert_eq!(sequence.open(&packet(0xB0, 9, &extended)), Datagram::Media(&ts));
    }

    #[test]
    fn a_gap_is_told_and_what_is_late_is_dropped_also_where_numbers_wrap() {
        let ts = [SYNC, 1];
        let mut sequence = Sequence::default();
        for (number, expected) in [
            (65_534, Datagram::Media(&ts[..])),
            (65_535, Datagram::Media(&ts)),
            (0, Datagram::Media(&ts)),
            (0, Datagram::Late),
            (65_535, Datagram::Late),
            (3, Datagram::AfterGap(&ts)),
            (4, Datagram::Media(&ts)),
        ] {
            assert_eq!(sequence.open(&packet(0x80, number, &ts)), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_taken_without_its_beginning_or_end_and_nothing_else(
            datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 1..8),
        ) {
            let mut sequence = Sequence::default();
            for mut datagram in datagrams {
                if let Some(first) = datagram.first_mut() {
                    *first |= 0x80;
                }
                if let Datagram::Media(media) | Datagram::AfterGap(media) = sequence.open(&datagram) {
                    let range = datagram.as_ptr_range();
                    prop_assert!(media.is_empty() || range.contains(&media.as_ptr()));
                    prop_assert!(media == datagram || media.first() == Some(&SYNC));
                }
            }
        }
    }

    #[test]
    fn what_is_no_rtp_is_left_as_it_is() {
        for datagram in [
            &[][..],
            &[0x80],
            &[0x80; 12],
            &[0x90; 14],
            &[0xBF; 40],
            &packet(0x80, 1, &[1, 2]),
            &packet(0x40, 1, &[SYNC]),
        ] {
            assert_eq!(Sequence::default().open(datagram), Datagram::Media(datagram));
        }
    }
}
