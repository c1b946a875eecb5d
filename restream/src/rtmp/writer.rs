//! Messages to chunks (5.3). What a message carries is cut by reference: no payload byte is copied.

use bytes::Bytes;

use super::{INITIAL_CHUNK_SIZE, kind};

/// Chunk streams: what is control, what is a command, what is sound and what is pictures.
const CONTROL: u8 = 2;
const COMMAND: u8 = 3;
const AUDIO: u8 = 4;
const VIDEO: u8 = 6;

/// Stands in the header where a timestamp does not fit (5.3.1.3).
const EXTENDED: u32 = 0xff_ffff;

/// Writes messages as chunks, each with a full header.
#[derive(Debug)]
pub struct Writer {
    chunk_size: usize,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer { chunk_size: INITIAL_CHUNK_SIZE }
    }
}

impl Writer {
    /// Chunks are this long from now on. Whoever says so tells the peer.
    pub fn set_chunk_size(&mut self, size: usize) {
        self.chunk_size = size.max(1);
    }

    /// Appends a message to `out`: first `head`, then `payload`. `timestamp` is in milliseconds and wraps.
    pub fn message(
        &self,
        (kind, stream, timestamp): (u8, u32, u32),
        head: &[u8],
        payload: &Bytes,
        out: &mut Vec<Bytes>,
    ) {
        let id = chunk_stream(kind);
        let length = (head.len() + payload.len()) as u32;
        let extended = (timestamp >= EXTENDED).then(|| timestamp.to_be_bytes());
        let mut header = Vec::with_capacity(18 + head.len());
        header.push(id);
        header.extend_from_slice(&timestamp.min(EXTENDED).to_be_bytes()[1..]);
        header.extend_from_slice(&length.to_be_bytes()[1..]);
        header.push(kind);
        header.extend_from_slice(&stream.to_le_bytes());
        header.extend(extended.into_iter().flatten());
        let mut again = vec![0xc0 | id];
        again.extend(extended.into_iter().flatten());
        let again = Bytes::from(again);
        let mut left = self.chunk_size;
        // A head is a few bytes, and yet a chunk may end in it.
        for byte in head {
            if left == 0 {
                header.extend_from_slice(&again);
                left = self.chunk_size;
            }
            header.push(*byte);
            left -= 1;
        }
        out.push(header.into());
        let mut rest = payload.clone();
        while !rest.is_empty() {
            if left == 0 {
                out.push(again.clone());
                left = self.chunk_size;
            }
            let now = rest.split_to(left.min(rest.len()));
            left -= now.len();
            out.push(now);
        }
    }
}

fn chunk_stream(kind: u8) -> u8 {
    match kind {
        kind::AUDIO => AUDIO,
        kind::VIDEO => VIDEO,
        ..=kind::PEER_BANDWIDTH => CONTROL,
        _ => COMMAND,
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::{Message, Reader};
    use super::*;

    #[test]
    fn a_message_is_cut_into_chunks_and_read_again() {
        let body: Bytes = (0..1000).map(|at| at as u8).collect();
        for (size, timestamp) in [(1, 5), (128, 0xff_fffe), (128, 0xff_ffff), (100, u32::MAX), (65536, 0)] {
            let mut writer = Writer::default();
            let mut out = Vec::new();
            writer.message((kind::SET_CHUNK_SIZE, 0, 0), &u32::to_be_bytes(size), &Bytes::new(), &mut out);
            writer.set_chunk_size(size as usize);
            writer.message((kind::VIDEO, 1, timestamp), &[0x17, 1, 0, 0, 0], &body, &mut out);
            let (bytes, mut reader) = (out.concat(), Reader::default());
            let mut input = &bytes[..];
            let first = reader.next(&mut input);
            assert!(matches!(first, Ok(Some(Message { kind: kind::SET_CHUNK_SIZE, .. }))));
            let second = reader.next(&mut input).expect("legal").expect("whole");
            assert_eq!((second.kind, &second.body[5..]), (kind::VIDEO, &body[..]), "{size} {timestamp}");
            assert!(input.is_empty());
        }
    }

    #[test]
    fn the_payload_is_not_copied() {
        let body = Bytes::from(vec![7; 1000]);
        let mut out = Vec::new();
        Writer::default().message((kind::AUDIO, 1, 0), &[0xaf, 1], &body, &mut out);
        let pieces: Vec<_> = out.iter().filter(|piece| piece.len() > 20).collect();
        assert!(pieces.iter().all(|piece| body.as_ptr_range().contains(&piece.as_ptr())));
    }
}
