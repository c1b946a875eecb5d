//! The header of a packet and its adaptation field (ISO/IEC 13818-1 §2.4.3.2 to §2.4.3.5).

use super::super::PACKET;

/// What one packet says and carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8; PACKET],
    pub(super) pid: u16,
    /// A unit or a section begins in it (`payload_unit_start_indicator`).
    pub(super) begins: bool,
    /// Damaged on its way (`transport_error_indicator`).
    pub(super) damaged: bool,
    pub(super) scrambled: bool,
    pub(super) counter: u8,
    /// The counter may go anywhere (`discontinuity_indicator`).
    pub(super) discontinuity: bool,
    /// Decoding may begin here (`random_access_indicator`).
    pub(super) random_access: bool,
    pub(super) payload: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    /// Reads a packet. An adaptation field that is longer than the packet leaves no payload.
    pub(super) fn read(bytes: &'a [u8; PACKET]) -> Packet<'a> {
        let &[_, high, low, flags, field_length, field_flags, ..] = bytes;
        let field = if flags & 0x20 != 0 { usize::from(field_length) } else { 0 };
        let field_flags = if field > 0 { field_flags } else { 0 };
        let payload_at = if flags & 0x20 != 0 { 5 + field } else { 4 };
        let payload = if flags & 0x10 != 0 { bytes.get(payload_at..) } else { None };
        Packet {
            bytes,
            pid: u16::from(high & 0x1f) << 8 | u16::from(low),
            begins: high & 0x40 != 0,
            damaged: high & 0x80 != 0,
            scrambled: flags & 0xc0 != 0,
            counter: flags & 0x0f,
            discontinuity: field_flags & 0x80 != 0,
            random_access: field_flags & 0x40 != 0,
            payload: payload.filter(|payload| !payload.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(head: &[u8]) -> [u8; PACKET] {
        let mut bytes = [0xff; PACKET];
        bytes[..head.len()].copy_from_slice(head);
        bytes
    }

    #[test]
    fn header_and_adaptation_field_are_read() {
        let bytes = packet(&[0x47, 0x41, 0x23, 0x35, 7, 0xd0, 0xff, 0xff, 0xff, 0xff, 0x80, 0x00, 0x11]);
        let read = Packet::read(&bytes);
        assert_eq!((read.pid, read.begins, read.counter), (0x123, true, 5));
        assert!(read.discontinuity && read.random_access && !read.damaged && !read.scrambled);
        assert_eq!(read.payload.map(|payload| (payload.len(), payload[0])), Some((176, 0x11)));
    }

    #[test]
    fn a_field_longer_than_the_packet_leaves_no_payload() {
        let bytes = packet(&[0x47, 0, 0x20, 0x30, 183, 0]);
        assert_eq!(Packet::read(&bytes).payload, None);
        let bytes = packet(&[0x47, 0, 0x20, 0x30, 255, 0xff]);
        assert_eq!(Packet::read(&bytes).payload, None);
    }

    #[test]
    fn an_empty_field_is_one_byte() {
        let bytes = packet(&[0x47, 0, 0x20, 0x30, 0, 0xaa]);
        assert_eq!(Packet::read(&bytes).payload.map(|payload| payload.len()), Some(183));
        assert!(!Packet::read(&bytes).discontinuity, "what follows is payload");
    }
}
