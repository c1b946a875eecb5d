//! MPEG-TS as a strict reader sees it, written from the clauses and not from the writer.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;

const PACKET: usize = 188;

/// Everything in a run of packets.
#[derive(Debug, Default)]
pub struct Transport {
    /// Elementary streams by PID, with their types.
    pub streams: BTreeMap<u16, Stream>,
    /// The clock, in ticks of 90 kHz.
    pub clocks: Vec<i64>,
    /// How often the program was described.
    pub tables: usize,
    clock_pid: u16,
    map_pid: Option<u16>,
    counters: BTreeMap<u16, u8>,
    packets: BTreeMap<u16, usize>,
}

/// An elementary stream.
#[derive(Debug, Default)]
pub struct Stream {
    /// `stream_type`: 0x1b is H.264, 0x0f is AAC with ADTS.
    pub kind: u8,
    pub units: Vec<Unit>,
}

/// A PES packet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    pub pts: i64,
    pub dts: i64,
    pub random_access: bool,
    /// The clock when its first byte came.
    pub clock: Option<i64>,
    pub data: Vec<u8>,
}

impl Transport {
    /// Reads whole packets; panics at whatever a clause forbids.
    pub fn read(bytes: &[u8]) -> Transport {
        let mut transport = Transport::default();
        assert_eq!(bytes.len() % PACKET, 0, "whole packets");
        bytes.chunks(PACKET).for_each(|packet| transport.packet(packet));
        for stream in transport.streams.values_mut() {
            stream.units.iter_mut().for_each(finish);
        }
        transport
    }

    pub fn video(&self) -> &[Unit] {
        self.of(0x1b)
    }

    pub fn audio(&self) -> &[Unit] {
        self.of(0x0f)
    }

    fn of(&self, kind: u8) -> &[Unit] {
        self.streams.values().find(|stream| stream.kind == kind).map_or(&[], |stream| &stream.units)
    }

    /// Packets with payload of each PID.
    pub fn packets(&self) -> impl Iterator<Item = usize> {
        self.packets.values().copied()
    }

    /// ISO/IEC 13818-1 §2.4.3.2 and §2.4.3.4.
    fn packet(&mut self, packet: &[u8]) {
        assert_eq!(packet[0], 0x47, "sync_byte");
        assert_eq!(packet[1] & 0xa0, 0, "no error, no priority");
        assert_eq!(packet[3] & 0xc0, 0, "not scrambled");
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let (adapts, carries) = (packet[3] & 0x20 != 0, packet[3] & 0x10 != 0);
        let mut at = 4;
        let mut random_access = false;
        if adapts {
            let length = usize::from(packet[4]);
            assert!(if carries { length <= 182 } else { length == 183 }, "adaptation_field_length {length}");
            random_access = self.adaptation(pid, &packet[5..5 + length]);
            at += 1 + length;
        }
        self.count(pid, packet[3] & 0xf, carries);
        if carries {
            self.payload(pid, packet[1] & 0x40 != 0, random_access, &packet[at..]);
        }
    }

    fn adaptation(&mut self, pid: u16, field: &[u8]) -> bool {
        let Some((&flags, rest)) = field.split_first() else {
            return false;
        };
        assert_eq!(flags & 0xaf, 0, "nothing but random access and the clock");
        let clocked = flags & 0x10 != 0;
        if clocked {
            assert_eq!(pid, self.clock_pid, "the clock is where the map says");
            let base = rest[..5].iter().fold(0i64, |base, &byte| base << 8 | i64::from(byte)) >> 7;
            let extension = u16::from_be_bytes([rest[4] & 1, rest[5]]);
            assert!(extension < 300);
            self.clocks.push(base);
        }
        let stuffing = if clocked { &rest[6..] } else { rest };
        assert!(stuffing.iter().all(|&byte| byte == 0xff), "stuffing");
        flags & 0x40 != 0
    }

    /// §2.4.3.3: counts packets with payload, from one segment to the next too.
    fn count(&mut self, pid: u16, counter: u8, carries: bool) {
        if let Some(&last) = self.counters.get(&pid) {
            let expected = if carries { (last + 1) % 16 } else { last };
            assert_eq!(counter, expected, "continuity_counter of {pid:#x}");
        }
        self.counters.insert(pid, counter);
        *self.packets.entry(pid).or_default() += usize::from(carries);
    }

    fn payload(&mut self, pid: u16, begins: bool, random_access: bool, payload: &[u8]) {
        assert!(!payload.is_empty());
        match pid {
            0 => self.map_pid = Some(association(section(begins, payload))),
            _ if Some(pid) == self.map_pid => self.map(section(begins, payload)),
            _ => self.unit(pid, begins, random_access, payload),
        }
    }

    /// §2.4.4.8.
    fn map(&mut self, section: &[u8]) {
        assert_eq!(section[0], 2);
        self.tables += 1;
        self.clock_pid = u16::from_be_bytes([section[8] & 0x1f, section[9]]);
        let mut rest = &section[12..];
        let mut kinds = BTreeMap::new();
        while let [kind, high, low, _, 0, after @ ..] = rest {
            kinds.insert(u16::from_be_bytes([high & 0x1f, *low]), *kind);
            rest = after;
        }
        assert!(rest.is_empty() && kinds.contains_key(&self.clock_pid));
        for (pid, kind) in kinds {
            self.streams.entry(pid).or_default().kind = kind;
        }
    }

    fn unit(&mut self, pid: u16, begins: bool, random_access: bool, payload: &[u8]) {
        let clock = self.clocks.last().copied();
        let stream = self.streams.get_mut(&pid).unwrap_or_else(|| panic!("PID {pid:#x} is in no map"));
        if begins {
            stream.units.push(Unit { random_access, clock, ..Unit::default() });
        }
        let unit = stream.units.last_mut().expect("a stream begins with a unit");
        unit.data.extend_from_slice(payload);
    }
}

/// A section that begins where its packet does, with a checksum that is right.
fn section(begins: bool, payload: &[u8]) -> &[u8] {
    assert!(begins && payload[0] == 0, "a table begins a packet");
    let length = usize::from(payload[2] & 0xf) << 8 | usize::from(payload[3]);
    let (section, stuffing) = payload[1..].split_at(3 + length);
    assert!(stuffing.iter().all(|&byte| byte == 0xff));
    let mut crc = u32::MAX;
    for byte in section {
        for bit in (0..8).rev() {
            let carry = crc >> 31 ^ u32::from(byte >> bit & 1);
            crc = (crc << 1) ^ (carry * 0x04c1_1db7);
        }
    }
    assert_eq!(crc, 0, "CRC_32");
    &section[..section.len() - 4]
}

/// §2.4.4.3: one program, and where its map is.
fn association(section: &[u8]) -> u16 {
    assert_eq!((section[0], section.len()), (0, 12));
    u16::from_be_bytes([section[10] & 0x1f, section[11]])
}

/// Takes the header off a whole PES packet (§2.4.3.6).
fn finish(unit: &mut Unit) {
    let data = &unit.data;
    assert_eq!(data[..3], [0, 0, 1], "packet_start_code_prefix");
    let length = usize::from(u16::from_be_bytes([data[4], data[5]]));
    let video = data[3] == 0xe0;
    assert!(length == data.len() - 6 || video && length == 0, "PES_packet_length {length}");
    assert_eq!(data[6], 0x84);
    let time = |at: usize| {
        let bits = |byte: u8, shift: u32| i64::from(byte) << shift;
        let [a, b, c, d, e] = data[at..at + 5] else { unreachable!() };
        assert!(a & c & e & 1 == 1, "marker_bit");
        bits(a >> 1 & 7, 30) | bits(b, 22) | bits(c >> 1, 15) | bits(d, 7) | bits(e >> 1, 0)
    };
    unit.pts = time(9);
    unit.dts = if data[7] & 0x40 != 0 { time(14) } else { unit.pts };
    unit.data = data[9 + usize::from(data[8])..].to_vec();
}

/// How far `later` is from `earlier` where times wrap at 33 bits, backwards too.
pub fn since(earlier: i64, later: i64) -> i64 {
    let wrap = 1i64 << 33;
    (later - earlier + wrap / 2).rem_euclid(wrap) - wrap / 2
}

/// NAL units of an access unit.
pub fn nal_units(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        data.windows(4).enumerate().filter(|(_, window)| *window == [0, 0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &data[start + 4..end]).collect()
}

/// AAC frames of an audio unit, without their headers (ISO/IEC 14496-3 §1.A.2.2).
pub fn adts_frames(mut data: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while !data.is_empty() {
        assert_eq!(data[..2], [0xff, 0xf1], "syncword of MPEG-4 without CRC");
        let length = usize::from(data[3] & 3) << 11 | usize::from(data[4]) << 3 | usize::from(data[5] >> 5);
        let (frame, rest) = data.split_at(length);
        frames.push(&frame[7..]);
        data = rest;
    }
    frames
}
