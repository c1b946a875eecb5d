//! A transport stream with tables of everything that is carried; what a fuzzer says is in its packets.

/// Elementary streams: type, PID, descriptors.
const STREAMS: [(u8, u16, &[u8]); 9] = [
    (0x1b, 0x100, &[]),
    (0x24, 0x101, &[]),
    (0x0f, 0x102, &[0x0a, 4, b'e', b'n', b'g', 0]),
    (0x11, 0x103, &[]),
    (0x81, 0x104, &[]),
    (0x06, 0x105, &[5, 4, b'O', b'p', b'u', b's', 0x7f, 2, 0x80, 2]),
    (0x86, 0x106, &[]),
    (0x06, 0x107, &[5, 4, b'K', b'L', b'V', b'A']),
    (0x15, 0x108, &[0x26, 9, 1, 0, 0xff, b'K', b'L', b'V', b'A', 0, 0]),
];

/// Packets behind a PAT and a PMT: each takes a byte for its PID, one for what it is, and one for its length.
pub fn packets(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    packet(&mut out, 0, 0x40, 0, &section(0, 1, &[0, 1, 0xf0, 0]));
    packet(&mut out, 0x1000, 0x40, 0, &section(2, 1, &map()));
    let mut counters = [0u8; 16];
    while let Some((&[which, what, length], rest)) = bytes.split_first_chunk() {
        let (payload, rest) = rest.split_at(usize::from(length).min(184).min(rest.len()));
        bytes = rest;
        let at = usize::from(which % 10);
        let pid = STREAMS.get(at).map_or(0x1000, |stream| stream.1);
        // Every eighth packet is lost.
        counters[at] = counters[at].wrapping_add(if what & 7 == 7 { 2 } else { 1 });
        let mut carried = Vec::new();
        if what & 0x80 != 0 {
            carried.extend([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, what, 1, which, 1]);
        }
        carried.extend_from_slice(payload);
        carried.truncate(184);
        packet(&mut out, pid, (what >> 1) & 0x40, counters[at], &carried);
    }
    out
}

fn map() -> Vec<u8> {
    let mut body = vec![0xff, 0xff, 0xf0, 0];
    for (stream_type, pid, descriptors) in STREAMS {
        body.push(stream_type);
        body.extend((0xe000 | pid).to_be_bytes());
        body.extend((0xf000 | descriptors.len() as u16).to_be_bytes());
        body.extend_from_slice(descriptors);
    }
    body
}

fn section(table: u8, id: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() + 9;
    let mut section = vec![0, table, 0xb0 | (length >> 8) as u8, length as u8, 0, id, 0xc1, 0, 0];
    section.extend_from_slice(body);
    let crc = section[1..].iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    });
    section.extend(crc.to_be_bytes());
    section
}

fn packet(out: &mut Vec<u8>, pid: u16, begins: u8, counter: u8, payload: &[u8]) {
    let field = 184 - payload.len();
    out.push(0x47);
    out.extend([begins | (pid >> 8) as u8, pid as u8, if field > 0 { 0x30 } else { 0x10 } | counter & 0x0f]);
    if field > 0 {
        out.push(field as u8 - 1);
    }
    if field > 1 {
        out.push(0);
        out.resize(out.len() + field - 2, 0xff);
    }
    out.extend_from_slice(payload);
}
