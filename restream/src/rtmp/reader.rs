//! Chunks to messages, for what a server answers: small messages, few chunk streams.

use std::collections::BTreeMap;

use super::{Fault, INITIAL_CHUNK_SIZE, kind};

/// Longest message that an answer may be, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;
/// Most chunk streams on which a server answers.
const MAX_STREAMS: usize = 16;
/// Longest chunk header: basic 3, message 11, extended timestamp 4.
const MAX_HEADER: usize = 18;

/// A message of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its type.
    pub kind: u8,
    /// What it says.
    pub body: Vec<u8>,
}

/// Reads chunks; holds no more than [`MAX_MESSAGE`] for each of a few chunk streams, and a chunk header.
#[derive(Debug)]
pub struct Reader {
    chunk_size: usize,
    streams: BTreeMap<u32, Stream>,
    /// The beginning of a chunk header that goes on in what comes next.
    head: Vec<u8>,
    /// The chunk that is being read: its chunk stream, and bytes to come.
    inside: Option<(u32, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Stream {
    len: usize,
    kind: u8,
    extended: bool,
    body: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader { chunk_size: INITIAL_CHUNK_SIZE, streams: BTreeMap::new(), head: Vec::new(), inside: None }
    }
}

impl Reader {
    /// Takes bytes off the front of `input` up to the end of the next message; `None` where more is needed.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Fault> {
        loop {
            if input.is_empty() {
                return Ok(None);
            }
            let Some((id, left)) = self.inside else {
                self.header(input)?;
                continue;
            };
            if let Some(message) = self.body(id, left, input)? {
                return Ok(Some(message));
            }
        }
    }

    fn body(&mut self, id: u32, left: usize, input: &mut &[u8]) -> Result<Option<Message>, Fault> {
        let stream = self.streams.get_mut(&id).ok_or(Fault::Protocol("a chunk without a message"))?;
        let (now, rest) = input.split_at(left.min(input.len()));
        *input = rest;
        stream.body.extend_from_slice(now);
        self.inside = Some((id, left - now.len()));
        if stream.body.len() == stream.len {
            self.inside = None;
            let message = Message { kind: stream.kind, body: std::mem::take(&mut stream.body) };
            self.obey(&message)?;
            return Ok(Some(message));
        }
        if left == now.len() {
            self.inside = None;
        }
        Ok(None)
    }

    /// What says how chunks go on (5.4.1, 5.4.2).
    fn obey(&mut self, message: &Message) -> Result<(), Fault> {
        let number = message.body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) & 0x7fff_ffff);
        match (message.kind, number) {
            (kind::SET_CHUNK_SIZE, None | Some(0)) => Err(Fault::Protocol("chunks of no size")),
            (kind::SET_CHUNK_SIZE, Some(size)) => {
                self.chunk_size = size as usize;
                Ok(())
            }
            (kind::ABORT, Some(id)) => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.body = Vec::new();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads a chunk header, byte by byte since they are few, as far as it goes.
    fn header(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            self.head.push(*byte);
            if let Some(begun) = self.begin()? {
                self.inside = Some(begun);
                self.head.clear();
                return Ok(());
            }
            if self.head.len() >= MAX_HEADER {
                return Err(Fault::Protocol("a chunk header without end"));
            }
        }
        Ok(())
    }

    /// Begins the chunk whose header there is, once it is whole (5.3.1).
    fn begin(&mut self) -> Result<Option<(u32, usize)>, Fault> {
        let head = &self.head[..];
        let (id, basic) = match head {
            [first, second, ..] if first & 0x3f == 0 => (u32::from(*second) + 64, 2),
            [first, second, third, ..] if first & 0x3f == 1 => {
                (u32::from(*third) * 256 + u32::from(*second) + 64, 3)
            }
            [first, ..] if first & 0x3f > 1 => (u32::from(first & 0x3f), 1),
            _ => return Ok(None),
        };
        let format = head[0] >> 6;
        let fields = &head[basic..];
        let known = self.streams.get(&id).cloned();
        let mut stream = match (format, known) {
            (0, known) => known.unwrap_or_default(),
            (_, Some(known)) => known,
            (_, None) => return Err(Fault::Protocol("a chunk that goes on from nothing")),
        };
        let need = [11, 7, 3, 0][usize::from(format)];
        if fields.len() < need {
            return Ok(None);
        }
        if need >= 3 {
            stream.extended = fields[..3] == [0xff; 3];
        }
        if need >= 7 {
            if !stream.body.is_empty() {
                return Err(Fault::Protocol("a message begins inside another"));
            }
            stream.len = usize::from(fields[3]) << 16 | usize::from(fields[4]) << 8 | usize::from(fields[5]);
            stream.kind = fields[6];
        }
        if fields.len() < need + if stream.extended { 4 } else { 0 } {
            return Ok(None);
        }
        if stream.len > MAX_MESSAGE {
            return Err(Fault::Protocol("an answer that is too long"));
        }
        let left = (stream.len - stream.body.len()).min(self.chunk_size);
        if !self.streams.contains_key(&id) && self.streams.len() >= MAX_STREAMS {
            return Err(Fault::Protocol("too many chunk streams"));
        }
        if stream.len == 0 {
            // Nothing follows, and nothing that a publisher waits for is empty.
            self.streams.insert(id, stream);
            self.head.clear();
            return Ok(None);
        }
        self.streams.insert(id, stream);
        Ok(Some((id, left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8], step: usize) -> Result<Vec<Message>, Fault> {
        let mut reader = Reader::default();
        let mut messages = Vec::new();
        for mut piece in input.chunks(step) {
            while let Some(message) = reader.next(&mut piece)? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    fn first(id: u8, kind: u8, len: u8) -> [u8; 12] {
        [id, 0, 0, 0, 0, 0, len, kind, 0, 0, 0, 0]
    }

    #[test]
    fn messages_come_out_however_they_are_cut() {
        // Two messages that lie between each other, each in chunks of 128 bytes.
        let mut input = [&first(3, 20, 200)[..], &[1; 128], &first(4, 18, 130), &[2; 128]].concat();
        input.extend([&[0xc3][..], &[1; 72], &[0xc4], &[2; 2]].concat());
        let expected = [Message { kind: 20, body: vec![1; 200] }, Message { kind: 18, body: vec![2; 130] }];
        for step in [1, 2, 3, 64, 1000] {
            assert_eq!(all(&input, step).as_deref(), Ok(&expected[..]), "{step}");
        }
    }

    #[test]
    fn sizes_and_extended_timestamps_are_followed() {
        let size = [&first(2, kind::SET_CHUNK_SIZE, 4)[..], &[0, 0, 1, 0]].concat();
        let stamped = [&[3, 0xff, 0xff, 0xff, 0, 1, 4, 20, 0, 0, 0, 0, 1, 0, 0, 0][..], &[7; 256]].concat();
        let rest = [&[0xc3, 1, 0, 0, 0][..], &[7; 4]].concat();
        let messages = all(&[size, stamped, rest].concat(), 7).expect("it is legal");
        assert_eq!(messages[1], Message { kind: 20, body: vec![7; 260] });
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(all(&[3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0], 100).is_err(), "16 MB");
        assert!(all(&[0xc3], 1).is_err(), "goes on from nothing");
        let streams: Vec<u8> = (2..40).flat_map(|id| [&first(id, 20, 2)[..], &[0]].concat()).collect();
        assert!(all(&streams, 13).is_err());
        assert!(all(&[&first(2, kind::SET_CHUNK_SIZE, 4)[..], &[0; 4]].concat(), 100).is_err());
    }
}
