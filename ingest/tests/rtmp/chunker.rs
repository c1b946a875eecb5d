//! Chunks as an encoder may write them, every choice open to the test.

use std::collections::HashMap;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outgoing {
    pub(super) kind: u8,
    pub(super) timestamp: u32,
    pub(super) stream_id: u32,
    pub(super) payload: Vec<u8>,
}

/// Writes chunks; remembers per chunk stream what compression refers to.
pub(super) struct Chunker {
    pub(super) chunk_size: usize,
    /// Whether chunks of type 3 repeat an extended timestamp.
    pub(super) repeats_extended: bool,
    last: HashMap<u32, Last>,
}

#[derive(Clone, Copy)]
struct Last {
    timestamp: u32,
    /// What stood in the timestamp field, delta or not.
    field: u32,
    len: usize,
    kind: u8,
    stream_id: u32,
}

impl Chunker {
    pub(super) fn new(chunk_size: usize, repeats_extended: bool) -> Chunker {
        Chunker { chunk_size, repeats_extended, last: HashMap::new() }
    }

    /// The chunks of `message` with a header of type `format`, or of the highest type below that which can say it.
    pub(super) fn chunks(&mut self, csid: u32, format: u8, message: &Outgoing) -> Vec<Vec<u8>> {
        let format = (0..=format).rev().find(|&format| self.can(csid, format, message)).unwrap_or(0);
        let field = match self.last.get(&csid) {
            Some(last) if format > 0 => message.timestamp.wrapping_sub(last.timestamp),
            _ => message.timestamp,
        };
        let Outgoing { kind, timestamp, stream_id, .. } = *message;
        let len = message.payload.len();
        self.last.insert(csid, Last { timestamp, field, len, kind, stream_id });
        let mut chunks = vec![header(csid, format, field, message)];
        for (index, data) in message.payload.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                chunks.push(self.continuation(csid, field));
            }
            chunks.last_mut().unwrap().extend_from_slice(data);
        }
        if format == 3 && field >= 0xff_ffff && !self.repeats_extended {
            chunks[0].drain(basic(csid, 3).len()..basic(csid, 3).len() + 4);
        }
        chunks
    }

    fn continuation(&self, csid: u32, field: u32) -> Vec<u8> {
        let mut chunk = basic(csid, 3);
        if field >= 0xff_ffff && self.repeats_extended {
            chunk.extend_from_slice(&field.to_be_bytes());
        }
        chunk
    }

    fn can(&self, csid: u32, format: u8, message: &Outgoing) -> bool {
        let Some(last) = self.last.get(&csid) else { return format == 0 };
        let same = (last.len, last.kind) == (message.payload.len(), message.kind);
        let delta = message.timestamp.wrapping_sub(last.timestamp);
        match format {
            0 => true,
            1 => last.stream_id == message.stream_id,
            2 => last.stream_id == message.stream_id && same,
            _ => last.stream_id == message.stream_id && same && last.field == delta,
        }
    }
}

/// The basic header in its shortest form.
pub(super) fn basic(csid: u32, format: u8) -> Vec<u8> {
    let format = format << 6;
    match csid {
        2..=63 => vec![format | csid as u8],
        64..=319 => vec![format, (csid - 64) as u8],
        _ => vec![format | 1, (csid - 64) as u8, ((csid - 64) >> 8) as u8],
    }
}

fn header(csid: u32, format: u8, field: u32, message: &Outgoing) -> Vec<u8> {
    let mut header = basic(csid, format);
    if format < 3 {
        header.extend_from_slice(&field.min(0xff_ffff).to_be_bytes()[1..]);
    }
    if format < 2 {
        header.extend_from_slice(&(message.payload.len() as u32).to_be_bytes()[1..]);
        header.push(message.kind);
    }
    if format == 0 {
        header.extend_from_slice(&message.stream_id.to_le_bytes());
    }
    if field >= 0xff_ffff {
        header.extend_from_slice(&field.to_be_bytes());
    }
    header
}
