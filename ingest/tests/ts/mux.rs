//! Transport streams written by hand.

use std::collections::BTreeMap;

pub const PACKET: usize = 188;

/// Packets, one after another.
#[derive(Default)]
pub struct Mux {
    pub bytes: Vec<u8>,
    counters: BTreeMap<u16, u8>,
}

/// An elementary stream of a program: its type, PID and descriptors.
pub type Stream<'a> = (u8, u16, &'a [u8]);

pub const VIDEO: u16 = 0x100;
pub const AUDIO: u16 = 0x101;
pub const CUES: u16 = 0x102;

/// H.264 and AAC.
pub const USUAL: [Stream<'static>; 2] = [(0x1b, VIDEO, &[]), (0x0f, AUDIO, &[])];

impl Mux {
    /// One that begins with the tables of one program.
    pub fn new(streams: &[Stream<'_>]) -> Mux {
        let mut mux = Mux::default();
        mux.association(&[(1, 0x1000)]);
        mux.map(1, 0x1000, 0, streams);
        mux
    }

    pub fn association(&mut self, programs: &[(u16, u16)]) {
        let body =
            programs.iter().flat_map(|(number, pid)| [number.to_be_bytes(), (0xe000 | pid).to_be_bytes()]);
        self.table(0, 0, 1, 0, &body.flatten().collect::<Vec<u8>>());
    }

    /// No PID has the clock.
    pub fn map(&mut self, program: u16, pid: u16, version: u8, streams: &[Stream<'_>]) {
        let mut body = vec![0xff, 0xff, 0xf0, 0];
        for (stream_type, pid, descriptors) in streams {
            body.push(*stream_type);
            body.extend((0xe000 | pid).to_be_bytes());
            body.extend((0xf000 | descriptors.len() as u16).to_be_bytes());
            body.extend_from_slice(descriptors);
        }
        self.table(pid, 2, program, version, &body);
    }

    fn table(&mut self, pid: u16, table: u8, id: u16, version: u8, body: &[u8]) {
        let [high, low] = id.to_be_bytes();
        let body = [&[high, low, 0xc1 | version << 1, 0, 0][..], body].concat();
        self.section(pid, table, 0xb0, &body);
    }

    /// A section with its header and checksum.
    pub fn section(&mut self, pid: u16, table: u8, flags: u8, body: &[u8]) {
        let length = body.len() + 4;
        let mut section = vec![0, table, flags | (length >> 8) as u8, length as u8];
        section.extend_from_slice(body);
        section.extend(crc(&section[1..]).to_be_bytes());
        section.resize(section.len().next_multiple_of(184), 0xff);
        self.packets(pid, &section);
    }

    /// A PES packet of a video stream, without its length.
    pub fn picture(&mut self, pid: u16, pts: i64, dts: i64, data: &[u8]) {
        self.unit(pid, 0xe0, Some((pts, dts)), data, false);
    }

    /// A PES packet with its length.
    pub fn sound(&mut self, pid: u16, pts: i64, data: &[u8]) {
        self.unit(pid, 0xc0, Some((pts, pts)), data, true);
    }

    pub fn unit(&mut self, pid: u16, stream: u8, times: Option<(i64, i64)>, data: &[u8], bounded: bool) {
        let mut fields = Vec::new();
        if let Some((pts, dts)) = times {
            fields.extend(time(3, pts));
            fields.extend(time(1, dts));
        }
        let length = if bounded { (3 + fields.len() + data.len()) as u16 } else { 0 };
        let mut unit = vec![0, 0, 1, stream];
        unit.extend(length.to_be_bytes());
        unit.extend([0x80, if times.is_some() { 0xc0 } else { 0 }, fields.len() as u8]);
        unit.extend(fields);
        unit.extend_from_slice(data);
        self.packets(pid, &unit);
    }

    /// Forgets the counters, as another muxer would.
    pub fn restart(&mut self) {
        self.counters.clear();
    }

    fn packets(&mut self, pid: u16, unit: &[u8]) {
        for (at, payload) in unit.chunks(184).enumerate() {
            let counter = self.counters.entry(pid).or_default();
            let begins = if at == 0 { 0x4000 } else { 0 };
            self.bytes.push(0x47);
            self.bytes.extend((begins | pid).to_be_bytes());
            let field = 184 - payload.len();
            self.bytes.push(if field > 0 { 0x30 } else { 0x10 } | *counter);
            *counter = (*counter + 1) & 0x0f;
            if field > 0 {
                self.bytes.push(field as u8 - 1);
            }
            if field > 1 {
                self.bytes.push(0);
                self.bytes.resize(self.bytes.len() + field - 2, 0xff);
            }
            self.bytes.extend_from_slice(payload);
        }
    }
}

fn time(prefix: u8, ticks: i64) -> [u8; 5] {
    let group = |shift: i64| (ticks >> shift) as u8;
    [prefix << 4 | group(29) & 0x0e | 1, group(22), group(14) | 1, group(7), (ticks << 1) as u8 | 1]
}

fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// An ADTS frame of this many bytes: LC, 48 kHz, stereo.
pub fn adts(len: usize) -> Vec<u8> {
    let mut frame =
        vec![0xff, 0xf1, 0x4c, 0x80 | (len >> 11) as u8, (len >> 3) as u8, (len << 5) as u8 | 0x1f, 0xfc];
    frame.resize(len, 0x21);
    frame
}

/// NAL units as a byte stream.
pub fn annex_b(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&[0, 0, 0, 1][..], unit].concat()).collect()
}

/// Parameter sets of x264 for 320x180.
pub const SMALL: [&[u8]; 2] = [
    &[
        0x67, 0x42, 0xc0, 0x0c, 0xda, 5, 6, 0x7e, 0x7c, 4, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0c, 0x83, 0xc5,
        0x0a, 0xa8,
    ],
    &[0x68, 0xce, 0x0f, 0xc8],
];
/// Those for 640x360.
pub const LARGE: [&[u8]; 2] = [
    &[
        0x67, 0x42, 0xc0, 0x1e, 0xda, 2, 0x80, 0xbf, 0xe5, 0xc0, 0x44, 0, 0, 3, 0, 4, 0, 0, 3, 0, 0xc8, 0x3c,
        0x58, 0xba, 0x80,
    ],
    &[0x68, 0xce, 0x0f, 0xc8],
];
/// Slices that begin like those of a keyframe and of another picture.
pub const IDR: &[u8] = &[0x65, 0x88, 0x84, 1, 2, 3, 4];
pub const SLICE: &[u8] = &[0x41, 0x9a, 0x02, 5, 6, 7];
pub const DELIMITER: &[u8] = &[0x09, 0xf0];
