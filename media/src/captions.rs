//! Captions that travel inside the pictures: CEA-608 and CEA-708 in SEI messages of H.264 and H.265.
//!
//! Says which of them carry something, and nothing of what: players read them from the payload themselves. A picture
//! is looked at by itself, so a service shows whose block stands in the same picture as the packet that it is in.
//! Padding is nothing, and neither is what keeps a channel clear without ever showing a word.

use crate::codec::Codec;
use crate::codec::avc::nal_units;
use crate::codec::bits::unescaped;
use crate::codec::hevc::nal_type;

/// Channels of CEA-608 and services of CEA-708 that carry captions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Captions {
    /// CC1 is bit 1.
    channels: u8,
    /// Service 1 is bit 1.
    services: u64,
}

/// NAL units of a picture that are looked at for its first slice, before which its SEI stands.
const MOST_UNITS: usize = 32;
/// Bytes of an SEI NAL unit that are looked at. Captions take about a hundred.
const MOST_BYTES: usize = 4096;

/// What a NAL unit is, as far as captions go.
enum Unit<'a> {
    Slice,
    /// Messages behind its header.
    Sei(&'a [u8]),
    Other,
}

/// ITU-T H.264 table 7-1.
fn of_h264(nal: &[u8]) -> Unit<'_> {
    match nal.split_first() {
        Some((header, messages)) if header & 0x1f == 6 => Unit::Sei(messages),
        Some((header, _)) if (1..=5).contains(&(header & 0x1f)) => Unit::Slice,
        _ => Unit::Other,
    }
}

/// ITU-T H.265 table 7-1: SEI that stands before slices is of type 39.
fn of_h265(nal: &[u8]) -> Unit<'_> {
    match (nal_type(nal), nal.get(2..)) {
        (Some(0..=31), _) => Unit::Slice,
        (Some(39), Some(messages)) => Unit::Sei(messages),
        _ => Unit::Other,
    }
}

impl Captions {
    /// Those of a sample of H.264 or H.265; other codecs have none.
    pub fn of(codec: &Codec, sample: &[u8]) -> Captions {
        match codec {
            Codec::Avc(avc) => Captions::before_slices(avc.length_size, sample, of_h264),
            Codec::Hevc(hevc) => Captions::before_slices(hevc.length_size, sample, of_h265),
            _ => Captions::default(),
        }
    }

    fn before_slices(length_size: u8, sample: &[u8], unit: fn(&[u8]) -> Unit<'_>) -> Captions {
        let mut found = Captions::default();
        for nal in nal_units(length_size, sample).take(MOST_UNITS) {
            match unit(nal) {
                Unit::Slice => break,
                Unit::Sei(messages) => found.sei(messages),
                Unit::Other => {}
            }
        }
        found
    }

    /// As nine bytes.
    pub fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [self.channels; 9];
        bytes[1..].copy_from_slice(&self.services.to_be_bytes());
        bytes
    }

    /// What [`to_bytes`](Captions::to_bytes) wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Captions> {
        let [channels, services @ ..] = <[u8; 9]>::try_from(bytes).ok()?;
        Some(Captions { channels, services: u64::from_be_bytes(services) })
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Captions::default()
    }

    /// These and those.
    pub fn and(self, other: Captions) -> Captions {
        Captions { channels: self.channels | other.channels, services: self.services | other.services }
    }

    /// Numbers of CEA-608 channels, 1 to 4.
    pub fn channels(self) -> impl Iterator<Item = u8> {
        (1..=4).filter(move |channel| self.channels >> channel & 1 == 1)
    }

    /// Numbers of CEA-708 services, 1 to 63.
    pub fn services(self) -> impl Iterator<Item = u8> {
        (1..=63).filter(move |service| self.services >> service & 1 == 1)
    }

    /// The messages of a NAL unit (ITU-T H.264 §7.3.2.3.1, H.265 §7.3.2.4).
    fn sei(&mut self, messages: &[u8]) {
        let mut bytes = unescaped(messages).take(MOST_BYTES);
        while let (Some(kind), Some(size)) = (number(&mut bytes), number(&mut bytes)) {
            let mut payload = bytes.by_ref().take(size);
            if kind == USER_DATA_REGISTERED {
                self.user_data(&mut payload);
            }
            payload.for_each(drop);
        }
    }

    /// ATSC A/53 Part 4 §6.2.3: country, provider, `GA94`, then `cc_data` three bytes at a time (CTA-708 §4.3).
    fn user_data(&mut self, payload: &mut impl Iterator<Item = u8>) {
        const CC_DATA: [u8; 8] = [0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 3];
        if !CC_DATA.iter().all(|&byte| payload.next() == Some(byte)) {
            return;
        }
        let (Some(flags), Some(_)) = (payload.next(), payload.next()) else {
            return;
        };
        if flags & 0x40 == 0 {
            return;
        }
        let mut packet = Packet::default();
        for _ in 0..flags & 0x1f {
            let (Some(head), Some(first), Some(second)) = (payload.next(), payload.next(), payload.next())
            else {
                break;
            };
            match (head & 4 != 0, head & 3) {
                (true, field @ (0 | 1)) => self.pair(field, first & 0x7f, second & 0x7f),
                (true, 3) => {
                    self.services |= packet.services();
                    packet = Packet::default();
                    packet.push(first, second);
                }
                (true, _) if packet.len > 0 => packet.push(first, second),
                _ => {}
            }
        }
        self.services |= packet.services();
    }

    /// Two bytes of a field without their parity (CTA-608 §8.4). A channel is one of captions once a code says how they
    /// are shown: pop-on, roll-up by lines, paint-on, or that a caption is complete.
    fn pair(&mut self, field: u8, first: u8, second: u8) {
        let control = first & 0x76 == 0x14;
        if control && matches!(second, 0x20 | 0x25..=0x27 | 0x29 | 0x2f) {
            let second_of_field = first >> 3 & 1;
            self.channels |= 1 << (1 + field * 2 + second_of_field);
        }
    }
}

/// `user_data_registered_itu_t_t35` (ITU-T H.264 §D.1.6).
const USER_DATA_REGISTERED: usize = 4;

/// As much of a caption channel packet as a picture brings (CTA-708 §5).
#[derive(Debug)]
struct Packet {
    bytes: [u8; 128],
    len: usize,
}

impl Default for Packet {
    fn default() -> Packet {
        Packet { bytes: [0; 128], len: 0 }
    }
}

impl Packet {
    fn push(&mut self, first: u8, second: u8) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + 2) {
            place.copy_from_slice(&[first, second]);
            self.len += 2;
        }
    }

    /// Services with a block that is not empty, as bits (CTA-708 §6.2).
    fn services(&self) -> u64 {
        let Some((&header, blocks)) = self.bytes[..self.len].split_first() else {
            return 0;
        };
        let size = match header & 0x3f {
            0 => 127,
            code => usize::from(code) * 2 - 1,
        };
        let mut rest = blocks[..size.min(blocks.len())].iter();
        let mut services = 0;
        while let Some(&header) = rest.next() {
            let (mut service, size) = (header >> 5, usize::from(header & 0x1f));
            if service == 7 && size > 0 {
                service = rest.next().map_or(0, |extended| extended & 0x3f);
            }
            if service == 0 {
                break;
            }
            services |= if size > 0 { 1 << service } else { 0 };
            rest = rest.as_slice().get(size..).unwrap_or_default().iter();
        }
        services
    }
}

/// A number that is written as so many 255 and a rest (ITU-T H.264 §7.3.2.3.1).
fn number(bytes: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let mut sum = 0;
    loop {
        let byte = bytes.next()?;
        sum += usize::from(byte);
        if byte != 0xff {
            return Some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample with these triplets before its slice.
    fn sample(triplets: &[[u8; 3]]) -> Vec<u8> {
        let mut message =
            vec![0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 3, 0x40 | triplets.len() as u8, 0xff];
        message.extend(triplets.iter().flatten());
        message.push(0xff);
        with_sei(&[&[4, message.len() as u8][..], &message].concat())
    }

    fn with_sei(messages: &[u8]) -> Vec<u8> {
        let mut nal = vec![6];
        for &byte in [messages, &[0x80]].concat().iter() {
            if byte <= 3 && nal.ends_with(&[0, 0]) {
                nal.push(3);
            }
            nal.push(byte);
        }
        let units: [&[u8]; 2] = [&nal, &[0x65, 1]];
        units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat()).collect()
    }

    fn of(sample: &[u8]) -> Captions {
        Captions::before_slices(4, sample, of_h264)
    }

    fn found(triplets: &[[u8; 3]]) -> (Vec<u8>, Vec<u8>) {
        let captions = of(&sample(triplets));
        (captions.channels().collect(), captions.services().collect())
    }

    #[test]
    fn a_channel_shows_by_how_its_captions_are_shown() {
        // Field 1, field 2; first and second channel of each; with parity.
        assert_eq!(found(&[[0xfc, 0x94, 0x20]]).0, [1], "pop-on");
        assert_eq!(found(&[[0xfc, 0x1c, 0x25]]).0, [2], "roll-up");
        assert_eq!(found(&[[0xfd, 0x15, 0x29]]).0, [3], "paint-on");
        assert_eq!(found(&[[0xfd, 0x9d, 0x2f]]).0, [4], "end of caption");
    }

    #[test]
    fn padding_and_clearing_are_no_captions() {
        let padding = [[0xfc, 0x80, 0x80], [0xfd, 0x80, 0x80], [0xfa, 0, 0], [0xf8, 0x94, 0x20]];
        assert!(of(&sample(&padding)).is_empty(), "the last is not valid");
        assert!(of(&sample(&[[0xfc, 0x94, 0x2c], [0xfc, 0x94, 0xae]])).is_empty(), "erasing");
        assert!(of(&sample(&[[0xfc, 0xc8, 0xe5]])).is_empty(), "text of nobody");
        assert!(of(&sample(&[[0xfd, 0x01, 0x83], [0xfd, 0x8f, 0x1d]])).is_empty(), "data services");
        assert!(of(&sample(&[[0xfc, 0x94, 0x2a]])).is_empty(), "text mode");
    }

    #[test]
    fn services_show_by_their_blocks() {
        // A packet of six bytes: service 1 with two bytes, and two to spare.
        let first = [[0xff, 0x03, 0x22], [0xfe, b'H', b'i'], [0xfe, 0x00, 0x00]];
        assert_eq!(found(&first), (vec![], vec![1]));
        // Service 2 with one byte, service 9 with two.
        let two = [[0xff, 0x04, 0x41], [0xfe, b'a', 0xe2], [0xfe, 0x09, b'b'], [0xfe, b'c', 0]];
        assert_eq!(found(&two).1, [2, 9]);
        assert_eq!(found(&[[0xff, 0x02, 0x20], [0xfe, 0, 0]]).1, [], "a block of nothing");
        assert_eq!(found(&[[0xfe, 0x03, 0x22], [0xfe, b'H', b'i']]).1, [], "no beginning");
    }

    #[test]
    fn other_messages_are_passed_over() {
        let captions =
            [4, 15, 0xb5, 0x00, 0x31, b'G', b'A', b'9', b'4', 3, 0x41, 0xff, 0xfc, 0x94, 0x20, 0xff, 0];
        let long = [&[5, 0xff, 45][..], &[7; 300], &captions].concat();
        assert_eq!(of(&with_sei(&long)).channels().collect::<Vec<_>>(), [1]);
        let other = [4, 6, 0xb5, 0x00, 0x2f, b'D', b'T', b'G'];
        assert!(of(&with_sei(&other)).is_empty());
    }

    #[test]
    fn those_of_h265_stand_in_prefix_sei_table_7_1() {
        let h264 = sample(&[[0xfc, 0x94, 0x20]]);
        let units: Vec<&[u8]> = nal_units(4, &h264).collect();
        let [sei, _] = units[..] else { panic!("SEI and a slice") };
        let of_type = |kind: u8, rest: &[u8]| [&[kind << 1, 1], rest].concat();
        let framed = |units: [Vec<u8>; 2]| -> Vec<u8> {
            units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat()).collect()
        };
        let found = |sample: &[u8]| Captions::before_slices(4, sample, of_h265).channels().collect::<Vec<_>>();
        assert_eq!(found(&framed([of_type(39, &sei[1..]), of_type(19, &[1])])), [1]);
        assert_eq!(found(&framed([of_type(19, &[1]), of_type(39, &sei[1..])])), [], "behind a slice");
        assert_eq!(found(&framed([of_type(35, &sei[1..]), of_type(19, &[1])])), [], "no SEI");
    }

    #[test]
    fn what_stands_behind_a_slice_is_not_looked_at() {
        let mut late = vec![0, 0, 0, 2, 0x41, 1];
        late.extend(sample(&[[0xfc, 0x94, 0x20]]));
        assert!(of(&late).is_empty(), "ITU-T H.264 §7.4.1.2.3: SEI comes before slices");
    }

    #[test]
    fn every_truncation_is_less_and_no_panic() {
        let triplets = [[0xff, 0x00, 0x21], [0xfe, b'H', 0xe1], [0xfe, 0x3f, 1], [0xfc, 0x94, 0x20]];
        let whole = sample(&triplets);
        let size = whole.len() - 10;
        for end in 0..size {
            let nal = [&(end as u32).to_be_bytes()[..], &whole[4..4 + end]].concat();
            let _ = of(&nal);
        }
        assert_eq!(found(&triplets), (vec![1], vec![1, 63]));
    }
}
