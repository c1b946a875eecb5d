//! Packets of 188 bytes (ISO/IEC 13818-1 §2.4.3.2): headers, adaptation fields, stuffing, continuity counters.

use super::{COUNTER_CYCLE, PACKET, Pid, TIME_MASK};

/// Bytes behind the header.
const ROOM: usize = PACKET - 4;
const HAS_PAYLOAD: u8 = 0x10;
const HAS_ADAPTATION: u8 = 0x20;

/// Packets, one after another.
#[derive(Debug, Default)]
pub(super) struct Packets {
    bytes: Vec<u8>,
    /// Packets with payload so far, of each PID.
    sent: [usize; 4],
}

/// What the adaptation field of the first packet of a unit says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Adaptation {
    /// Decoding may begin here (`random_access_indicator`).
    pub(super) random_access: bool,
    /// The clock at this packet, in ticks of 90 kHz (`program_clock_reference_base`).
    pub(super) clock: Option<i64>,
}

impl Packets {
    pub(super) fn with_capacity(bytes: usize) -> Packets {
        Packets { bytes: Vec::with_capacity(bytes), sent: [0; 4] }
    }

    /// What there is so far; counters go on.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Sends a unit in as few packets as it needs.
    pub(super) fn unit(&mut self, pid: Pid, unit: &[u8], adaptation: Adaptation) {
        self.send(pid, unit, adaptation, needed(unit.len(), adaptation));
    }

    /// Sends a unit, the last one of its PID, in as many packets as make a multiple of sixteen of all of them.
    ///
    /// A unit of at least sixteen bytes always can: the packets that are too many carry a byte each.
    pub(super) fn last_unit(&mut self, pid: Pid, unit: &[u8], adaptation: Adaptation) {
        let least = needed(unit.len(), adaptation);
        let sent = self.sent[pid as usize];
        let whole = (sent + least).next_multiple_of(COUNTER_CYCLE);
        self.send(pid, unit, adaptation, whole - sent);
    }

    /// Sends the clock alone. Without payload the counter stays (§2.4.3.3).
    pub(super) fn clock(&mut self, pid: Pid, clock: i64) {
        let last = self.sent[pid as usize] + COUNTER_CYCLE - 1;
        self.header(pid, false, HAS_ADAPTATION, last);
        self.adaptation(Adaptation { clock: Some(clock), random_access: false }, ROOM);
    }

    fn send(&mut self, pid: Pid, unit: &[u8], adaptation: Adaptation, packets: usize) {
        let (mut rest, mut adaptation) = (unit, adaptation);
        for left in (0..packets).rev() {
            let room = ROOM - adaptation.len();
            // Each packet after this one has to carry something.
            let (now, later) = rest.split_at(room.min(rest.len().saturating_sub(left)));
            let field = ROOM - now.len();
            let has = HAS_PAYLOAD | if field > 0 { HAS_ADAPTATION } else { 0 };
            self.header(pid, left + 1 == packets, has, self.sent[pid as usize]);
            self.adaptation(adaptation, field);
            self.bytes.extend_from_slice(now);
            self.sent[pid as usize] += 1;
            (rest, adaptation) = (later, Adaptation::default());
        }
    }

    fn header(&mut self, pid: Pid, begins_unit: bool, has: u8, counter: usize) {
        let [high, low] = pid.value().to_be_bytes();
        let begins_unit = if begins_unit { 0x40 } else { 0 };
        let counter = (counter % COUNTER_CYCLE) as u8;
        self.bytes.extend_from_slice(&[0x47, begins_unit | high, low, has | counter]);
    }

    /// An adaptation field of `size` bytes, its length included (§2.4.3.4); none where there is no room for one.
    fn adaptation(&mut self, field: Adaptation, size: usize) {
        let end = self.bytes.len() + size;
        if size > 0 {
            self.bytes.push((size - 1) as u8);
        }
        if size > 1 {
            let random_access = if field.random_access { 0x40 } else { 0 };
            self.bytes.push(random_access | if field.clock.is_some() { 0x10 } else { 0 });
        }
        if let Some(clock) = field.clock {
            // 33 bits of 90 kHz, six reserved, nine of 27 MHz, which are zero.
            let clock = ((clock & TIME_MASK) as u64) << 15 | 0x3f << 9;
            self.bytes.extend_from_slice(&clock.to_be_bytes()[2..]);
        }
        self.bytes.resize(end, 0xff);
    }
}

impl Adaptation {
    /// Bytes that it needs.
    fn len(self) -> usize {
        match (self.clock, self.random_access) {
            (Some(_), _) => 8,
            (None, true) => 2,
            (None, false) => 0,
        }
    }
}

/// Packets for a unit of that many bytes.
fn needed(len: usize, adaptation: Adaptation) -> usize {
    (len + adaptation.len()).div_ceil(ROOM).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(packet: &[u8]) -> &[u8] {
        let field = if packet[3] & HAS_ADAPTATION != 0 { 1 + usize::from(packet[4]) } else { 0 };
        &packet[4 + field..]
    }

    #[test]
    fn units_of_any_length_come_back_out_of_whole_packets() {
        for adaptation in [
            Adaptation::default(),
            Adaptation { random_access: true, clock: None },
            Adaptation { random_access: true, clock: Some(77) },
        ] {
            for len in 16..600 {
                let unit: Vec<u8> = (0..len).map(|at| at as u8).collect();
                for last in [false, true] {
                    let mut packets = Packets::default();
                    match last {
                        true => packets.last_unit(Pid::Video, &unit, adaptation),
                        false => packets.unit(Pid::Video, &unit, adaptation),
                    }
                    let bytes = packets.into_bytes();
                    let (all, rest) = bytes.as_chunks::<PACKET>();
                    assert!(rest.is_empty() && (!last || all.len() == COUNTER_CYCLE));
                    assert_eq!(
                        all.iter().flat_map(|packet| payload(packet)).copied().collect::<Vec<_>>(),
                        unit
                    );
                    assert!(all.iter().all(|packet| !payload(packet).is_empty()), "{len}");
                }
            }
        }
    }

    #[test]
    fn the_counter_counts_payload_alone() {
        let mut packets = Packets::default();
        packets.clock(Pid::Audio, 0);
        packets.unit(Pid::Audio, &[1; 200], Adaptation::default());
        packets.unit(Pid::Video, &[1; 20], Adaptation::default());
        packets.clock(Pid::Audio, 0);
        packets.unit(Pid::Audio, &[1; 20], Adaptation::default());
        let counters: Vec<u8> = packets.into_bytes().chunks(PACKET).map(|packet| packet[3] & 0xf).collect();
        assert_eq!(counters, [15, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn the_clock_wraps_at_33_bits() {
        let mut packets = Packets::default();
        packets.clock(Pid::Video, (1 << 33) + 1);
        assert_eq!(packets.into_bytes()[..12], [0x47, 1, 0, 0x2f, 183, 0x10, 0, 0, 0, 0, 0xfe, 0]);
    }
}
