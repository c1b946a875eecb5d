//! Messages: what chunks carry (6, 7.1).

use std::ops::Deref;

use container::flv;
use media::Kind;
use media::payload::Slice;

/// Message types (6.2, 7.1).
pub mod kind {
    /// Set Chunk Size.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort Message.
    pub const ABORT: u8 = 2;
    /// Acknowledgement.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control.
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size.
    pub const WINDOW_SIZE: u8 = 5;
    /// Set Peer Bandwidth.
    pub const PEER_BANDWIDTH: u8 = 6;
    /// Audio.
    pub const AUDIO: u8 = 8;
    /// Video.
    pub const VIDEO: u8 = 9;
    /// Data by a client that announced AMF3: a zero byte, then AMF0.
    pub const DATA_AMF3: u8 = 15;
    /// Command by a client that announced AMF3: a zero byte, then AMF0.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data, such as metadata.
    pub const DATA: u8 = 18;
    /// Command.
    pub const COMMAND: u8 = 20;
    /// Aggregate.
    pub const AGGREGATE: u8 = 22;
}

/// A whole message, its payload already where it will stay.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its type.
    pub kind: u8,
    /// Milliseconds, wrapping.
    pub timestamp: u32,
    /// The message stream.
    pub stream_id: u32,
    /// The header of an audio or video tag; empty for other messages.
    pub head: Head,
    /// What follows the head.
    pub body: Slice,
}

/// The header of an audio or video tag, kept apart so that the payload alone lies in its block.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    bytes: [u8; flv::MAX_HEADER],
    /// How many of them there are.
    taken: u8,
    /// How many of those are the header, once that is known.
    len: u8,
}

impl Head {
    /// Moves bytes from the front of `bytes` until the header is whole, and says whether it is.
    ///
    /// How long it is shows only while it is read, and it may have to be looked past its end, see
    /// [`Head::behind`].
    pub fn fill(&mut self, kind: u8, message_len: usize, bytes: &mut &[u8]) -> bool {
        let Some(kind) = media(kind) else { return true };
        loop {
            let taken = usize::from(self.taken);
            let want = flv::Tag::wanted(kind, &self.bytes[..taken]).min(message_len).min(flv::MAX_HEADER);
            let take = want.saturating_sub(taken).min(bytes.len());
            if take == 0 {
                let whole = taken >= want;
                self.len = if whole { self.header(kind) } else { 0 };
                return whole;
            }
            let (new, rest) = bytes.split_at(take);
            self.bytes[taken..taken + take].copy_from_slice(new);
            self.taken += take as u8;
            *bytes = rest;
        }
    }

    /// Bytes that were taken to see that the header had ended: the payload begins with them.
    pub fn behind(&self) -> &[u8] {
        &self.bytes[usize::from(self.len)..usize::from(self.taken)]
    }

    fn header(&self, kind: Kind) -> u8 {
        let tag = flv::Tag::parse(kind, &self.bytes[..usize::from(self.taken)]);
        tag.map_or(self.taken, |tag| self.taken.min(tag.header as u8))
    }
}

impl Default for Head {
    fn default() -> Head {
        Head { bytes: [0; flv::MAX_HEADER], taken: 0, len: 0 }
    }
}

impl Deref for Head {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// What a message type carries, if that is media.
pub(super) fn media(kind: u8) -> Option<Kind> {
    match kind {
        kind::VIDEO => Some(Kind::Video),
        kind::AUDIO => Some(Kind::Audio),
        _ => None,
    }
}

/// What a protocol control or user control message says (5.4, 7.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The sender's chunk size from now on, in bytes.
    ChunkSize(u32),
    /// The rest of the message on this chunk stream will not come.
    Abort(u32),
    /// How often the sender wants an acknowledgement, in bytes.
    WindowSize(u32),
    /// How much the sender wants to have unacknowledged, in bytes.
    PeerBandwidth(u32),
    /// Asks for a pong with the same value.
    Ping(u32),
    /// Nothing that a publisher's server has to act on.
    Other,
}

impl Control {
    /// Reads the payload of a message of type 1 to 6; `None` when it is too short.
    pub fn parse(kind: u8, payload: &[u8]) -> Option<Control> {
        let word = |at: usize| {
            payload.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes))
        };
        Some(match kind {
            kind::SET_CHUNK_SIZE => Control::ChunkSize(word(0)?),
            kind::ABORT => Control::Abort(word(0)?),
            kind::WINDOW_SIZE => Control::WindowSize(word(0)?),
            kind::PEER_BANDWIDTH => Control::PeerBandwidth(word(0)?),
            kind::USER_CONTROL => match payload.first_chunk()? {
                [0, PING_REQUEST] => Control::Ping(word(2)?),
                _ => Control::Other,
            },
            _ => Control::Other,
        })
    }
}

const PING_REQUEST: u8 = 6;

/// User Control: a message stream can now be used.
pub(super) fn stream_begin(stream_id: u32) -> Vec<u8> {
    [&[0, 0][..], &stream_id.to_be_bytes()].concat()
}

/// User Control: the answer to a ping.
pub(super) fn pong(value: u32) -> Vec<u8> {
    [&[0, 7][..], &value.to_be_bytes()].concat()
}

/// The messages inside an aggregate (7.1.6), each a slice of it.
///
/// Their timestamps are moved so that the first one has the timestamp of the aggregate. A message that claims
/// more than there is ends the walk.
pub fn split_aggregate(aggregate: &Message) -> impl Iterator<Item = Message> {
    let (body, stream_id) = (aggregate.body.clone(), aggregate.stream_id);
    let (mut at, mut shift, start) = (0usize, None, aggregate.timestamp);
    std::iter::from_fn(move || {
        let header: &[u8; SUB_HEADER] = body.get(at..)?.first_chunk()?;
        let &[kind, l0, l1, l2, t0, t1, t2, t3, ..] = header;
        let len = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let own = u32::from_be_bytes([t3, t0, t1, t2]);
        let from = at + SUB_HEADER;
        let mut payload = body.get(from..from + len)?;
        at = from + len + BACK_POINTER;
        let timestamp = own.wrapping_add(*shift.get_or_insert(start.wrapping_sub(own)));
        let mut head = Head::default();
        head.fill(kind, len, &mut payload);
        let body = body.slice(from + head.len()..from + len);
        Some(Message { kind, timestamp, stream_id, head, body })
    })
}

const SUB_HEADER: usize = 11;
const BACK_POINTER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(kind: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let [t3, t0, t1, t2] = timestamp.to_be_bytes();
        let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
        let back = (payload.len() as u32 + 11).to_be_bytes();
        [&[kind, l0, l1, l2, t0, t1, t2, t3, 0, 0, 0][..], payload, &back].concat()
    }

    fn aggregate(timestamp: u32, body: Vec<u8>) -> Message {
        Message { kind: kind::AGGREGATE, timestamp, stream_id: 1, head: Head::default(), body: body.into() }
    }

    #[test]
    fn aggregate_is_split_without_copying() {
        let body = [
            sub(kind::VIDEO, 1000, &[0x17, 1, 0, 0, 80, 0xaa, 0xbb]),
            sub(kind::AUDIO, 1023, &[0xaf, 1, 0xcc]),
            sub(kind::VIDEO, 1040, &[]),
        ];
        let aggregate = aggregate(5000, body.concat());
        let parts: Vec<Message> = split_aggregate(&aggregate).collect();
        let seen: Vec<_> = parts.iter().map(|m| (m.kind, m.timestamp, &*m.head, &*m.body)).collect();
        assert_eq!(
            seen,
            [
                (kind::VIDEO, 5000, &[0x17, 1, 0, 0, 80][..], &[0xaa, 0xbb][..]),
                (kind::AUDIO, 5023, &[0xaf, 1][..], &[0xcc][..]),
                (kind::VIDEO, 5040, &[][..], &[][..]),
            ]
        );
        assert_eq!(parts[0].body.as_ptr(), aggregate.body[16..].as_ptr());
    }

    #[test]
    fn aggregate_that_lies_about_a_length_ends_there() {
        let mut body = [sub(kind::AUDIO, 0, &[0xaf, 1, 1]), sub(kind::AUDIO, 20, &[0xaf, 1, 2])].concat();
        body[18 + 3] = 200;
        assert_eq!(split_aggregate(&aggregate(0, body)).count(), 1);
        assert_eq!(split_aggregate(&aggregate(0, vec![8; 10])).count(), 0);
    }

    #[test]
    fn control_messages_too_short_are_nothing() {
        for kind in [1, 2, 5, 6] {
            assert_eq!(Control::parse(kind, &[0, 0, 1]), None);
        }
        assert_eq!(Control::parse(kind::USER_CONTROL, &[0, 6, 0]), None);
        assert_eq!(Control::parse(kind::USER_CONTROL, &[0, 6, 0, 0, 1, 0]), Some(Control::Ping(256)));
        assert_eq!(Control::parse(kind::USER_CONTROL, &[0, 3, 0]), Some(Control::Other));
    }
}
