//! Chunks to messages.

use super::assemble::{Outline, Partial, Store};
use super::header::{self, Fields, Header};
use super::{Error, INITIAL_CHUNK_SIZE};
use crate::rtmp::Limits;
use crate::rtmp::limits::MAX_CHUNK_SIZE;
use crate::rtmp::message::{Message, kind};

/// Puts messages together from chunks that arrive in pieces of any size.
///
/// Work is proportional to the bytes that arrive, also with chunks of one byte, and memory to
/// [`Limits::partial_bytes`].
pub struct Decoder {
    limits: Limits,
    chunk_size: usize,
    streams: Vec<ChunkStream>,
    /// The chunk whose data is being read: index into `streams`, and bytes still to come.
    open: Option<(usize, usize)>,
    /// A header that was cut by the end of the input.
    cut: Cut,
    declared: usize,
    dropped: u64,
    store: Store,
}

/// What the headers on one chunk stream have said so far.
struct ChunkStream {
    csid: u32,
    last: Outline,
    delta: u32,
    extended: Option<u32>,
    partial: Option<Partial>,
}

#[derive(Default)]
struct Cut {
    bytes: [u8; header::MAX],
    len: usize,
}

impl Decoder {
    /// Expects the first chunk after the handshake.
    pub fn new(limits: Limits) -> Decoder {
        Decoder {
            limits,
            chunk_size: INITIAL_CHUNK_SIZE,
            streams: Vec::new(),
            open: None,
            cut: Cut::default(),
            declared: 0,
            dropped: 0,
            store: Store::new(limits.tracks),
        }
    }

    /// Takes bytes off the front of `input` up to the end of the next message, or all of them.
    ///
    /// After an error the position in the chunk stream is lost, so the connection has to be closed.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        while self.cut.len > 0 {
            let Cut { bytes, len } = std::mem::take(&mut self.cut);
            let mut rest = &bytes[..len];
            let message = self.advance(&mut rest)?;
            self.cut.set(rest);
            if message.is_some() {
                return Ok(message);
            }
            if self.cut.len > 0 && !self.cut.push_from(input) {
                return Ok(None);
            }
        }
        let message = self.advance(input)?;
        if message.is_none() {
            self.cut.set(std::mem::take(input));
        }
        Ok(message)
    }

    /// The peer's chunk size from now on, in bytes (5.4.1).
    pub fn set_chunk_size(&mut self, size: u32) -> Result<(), Error> {
        if size == 0 || size >> 31 == 1 {
            return Err(Error::ChunkSize(size));
        }
        self.chunk_size = (size as usize).min(MAX_CHUNK_SIZE);
        Ok(())
    }

    /// Drops what has come of the message on `csid` (5.4.2).
    pub fn abort(&mut self, csid: u32) {
        if let Some(index) = self.find(csid) {
            self.drop_partial(index);
        }
    }

    /// Messages that were dropped before they were complete.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// As `decode`, but leaves a header in `input` that is not all there.
    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            let (index, left) = match self.open.take() {
                Some(open) => open,
                None => match self.next_header(input) {
                    Some(header) => self.begin(header)?,
                    None => return Ok(None),
                },
            };
            let (bytes, rest) = input.split_at(left.min(input.len()));
            *input = rest;
            let message = self.take(index, left, bytes);
            if message.is_some() || self.open.is_some() {
                return Ok(message);
            }
        }
    }

    fn next_header(&self, input: &mut &[u8]) -> Option<Header> {
        let extended = |csid| self.find(csid).and_then(|index| self.streams[index].extended);
        let header = header::read(input, extended)?;
        *input = &input[header.size..];
        Some(header)
    }

    /// Applies a header: continues a message or begins one.
    fn begin(&mut self, header: Header) -> Result<(usize, usize), Error> {
        let index = self.find_or_add(&header)?;
        let continues = header.format == 3 && self.streams[index].partial.is_some();
        if !continues {
            self.drop_partial(index);
            let outline = self.streams[index].apply(&header);
            self.admit(&outline)?;
            self.streams[index].partial = Some(Partial::new(outline));
        }
        let missing = self.streams[index].partial.as_ref().map_or(0, Partial::missing);
        Ok((index, missing.min(self.chunk_size)))
    }

    /// Writes data of the open chunk, and returns its message when that is complete.
    fn take(&mut self, index: usize, left: usize, bytes: &[u8]) -> Option<Message> {
        let stream = self.streams.get_mut(index)?;
        let partial = stream.partial.as_mut()?;
        partial.write(bytes, &mut self.store);
        if bytes.len() < left {
            self.open = Some((index, left - bytes.len()));
        }
        if partial.missing() > 0 {
            return None;
        }
        let whole = stream.partial.take()?;
        self.declared -= whole.declared();
        Some(whole.finish(&mut self.store))
    }

    fn admit(&mut self, outline: &Outline) -> Result<(), Error> {
        let &Outline { kind, len, .. } = outline;
        let limit = match kind {
            kind::AUDIO | kind::VIDEO => self.limits.media_message,
            kind::AGGREGATE => self.limits.aggregate_message,
            _ => self.limits.command_message,
        };
        if len > limit {
            return Err(Error::MessageTooLong { kind, len, limit });
        }
        self.declared += len;
        let limit = self.limits.partial_bytes;
        if self.declared > limit { Err(Error::TooMuchInProgress { limit }) } else { Ok(()) }
    }

    fn find(&self, csid: u32) -> Option<usize> {
        self.streams.iter().position(|stream| stream.csid == csid)
    }

    /// A chunk stream has to begin with type 0; type 1 is taken too, since librtmp sends its pings so.
    fn find_or_add(&mut self, header: &Header) -> Result<usize, Error> {
        let &Header { csid, format, .. } = header;
        if let Some(index) = self.find(csid) {
            return Ok(index);
        }
        if format > 1 {
            return Err(Error::NoHeader { csid, format });
        }
        let limit = self.limits.chunk_streams;
        if self.streams.len() >= limit {
            return Err(Error::TooManyStreams { limit });
        }
        let last = Outline::default();
        self.streams.push(ChunkStream { csid, last, delta: 0, extended: None, partial: None });
        Ok(self.streams.len() - 1)
    }

    fn drop_partial(&mut self, index: usize) {
        if let Some(partial) = self.streams.get_mut(index).and_then(|stream| stream.partial.take()) {
            self.declared -= partial.declared();
            self.dropped += 1;
        }
    }
}

impl ChunkStream {
    /// The message that `header` begins (5.3.1.2).
    fn apply(&mut self, header: &Header) -> Outline {
        let Fields { timestamp, extended, len, kind, stream_id } = header.message;
        if header.format < 3 {
            self.delta = timestamp;
            self.extended = extended.then_some(timestamp);
        }
        if header.format < 2 {
            (self.last.len, self.last.kind) = (len, kind);
        }
        if header.format == 0 {
            // A type 3 right after this one takes this timestamp for its delta (5.3.1.2.4).
            (self.last.timestamp, self.last.stream_id) = (timestamp, stream_id);
        } else {
            self.last.timestamp = self.last.timestamp.wrapping_add(self.delta);
        }
        self.last
    }
}

impl Cut {
    /// What a header that is not all there has so far: always fewer bytes than the longest header.
    fn set(&mut self, bytes: &[u8]) {
        self.len = bytes.len().min(header::MAX);
        self.bytes[..self.len].copy_from_slice(&bytes[..self.len]);
    }

    fn push_from(&mut self, input: &mut &[u8]) -> bool {
        let (Some((&byte, rest)), Some(slot)) = (input.split_first(), self.bytes.get_mut(self.len)) else {
            return false;
        };
        (*slot, *input) = (byte, rest);
        self.len += 1;
        true
    }
}
