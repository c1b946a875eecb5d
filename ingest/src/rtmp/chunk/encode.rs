//! Messages to chunks: the server's few answers.

use super::INITIAL_CHUNK_SIZE;
use crate::rtmp::message::kind;

/// Chunk stream of protocol control messages (5.4).
const CONTROL: u8 = 2;
/// Chunk stream of commands.
const COMMAND: u8 = 3;

/// Writes messages as chunks, each with a full header and timestamp zero.
pub struct Encoder {
    chunk_size: usize,
    out: Vec<u8>,
}

impl Encoder {
    /// Nothing to send yet.
    pub fn new() -> Encoder {
        Encoder { chunk_size: INITIAL_CHUNK_SIZE, out: Vec::new() }
    }

    /// Appends a message.
    pub fn message(&mut self, kind: u8, stream_id: u32, payload: &[u8]) {
        let csid = if kind <= kind::PEER_BANDWIDTH { CONTROL } else { COMMAND };
        let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
        self.out.extend_from_slice(&[csid, 0, 0, 0, l0, l1, l2, kind]);
        self.out.extend_from_slice(&stream_id.to_le_bytes());
        for (index, data) in payload.chunks(self.chunk_size).enumerate() {
            if index > 0 {
                self.out.push(0xc0 | csid);
            }
            self.out.extend_from_slice(data);
        }
    }

    /// Tells the peer that chunks are up to `size` bytes from now on.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.message(kind::SET_CHUNK_SIZE, 0, &size.to_be_bytes());
        self.chunk_size = size as usize;
    }

    /// Bytes to send that are no chunks, or are chunks already.
    pub fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Takes the bytes to send.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder::new()
    }
}
