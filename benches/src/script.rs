//! What a publisher sends, as the very bytes of the chunk stream (RTMP 1.0, 5.3).
//!
//! Rendered once and shared by all publishers, so that a publisher costs next to nothing but its writes. Messages
//! carry timestamp deltas (chunk type 1), and the first of a round is counted from the last of the round before:
//! so every round has the same bytes while its timestamps grow.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::flv::{Kind, Tag};

/// Payload bytes per chunk: what nginx-rtmp and Headwater announce, and so what ffmpeg, which echoes it, sends.
pub const CHUNK_SIZE: usize = 4096;
/// The message stream. Servers count from one, and each connection here has one stream.
const STREAM_ID: u32 = 1;
/// Timestamp at which the first round begins, so that the configurations before it have none below zero.
const BASE: u32 = 100;

/// An opening, and a round that is sent again and again.
pub struct Script {
    /// Decoder configurations.
    pub opening: Vec<u8>,
    /// One round.
    pub bytes: Vec<u8>,
    /// Its messages in the order of their times.
    pub messages: Vec<Message>,
    /// Length of a round in milliseconds.
    pub millis: u32,
    /// Pictures of a round.
    pub video: u64,
    /// Audio frames of a round.
    pub audio: u64,
    /// Payload bytes of a round, without chunk headers.
    pub payload: u64,
}

/// Where a message of a round is.
pub struct Message {
    /// Milliseconds since the begin of the round.
    pub at: u32,
    /// Its chunks in the bytes of the round.
    pub chunks: Range<usize>,
    /// It is a keyframe.
    pub keyframe: bool,
}

impl Script {
    /// Renders configurations, and tags that repeat every `millis`.
    pub fn new(configurations: &[Tag], tags: &[Tag], millis: u32) -> anyhow::Result<Script> {
        let mut tags: Vec<&Tag> = tags.iter().collect();
        tags.sort_by_key(|tag| tag.timestamp % millis);
        let mut script = Script::empty(millis, &tags);
        let last = |kind| tags.iter().rev().find(|tag| tag.kind == kind).map(|tag| tag.timestamp % millis);
        let mut before = [last(Kind::Audio), last(Kind::Video)].map(Option::unwrap_or_default);
        for tag in configurations {
            let timestamp = (BASE + before[tag.kind as usize]).checked_sub(millis);
            script.opening.extend(first(tag, timestamp.context("a track ends long before its round")?));
        }
        for tag in tags {
            script.add(tag, &mut before[tag.kind as usize])?;
        }
        Ok(script)
    }

    /// Keyframes of a round.
    pub fn keyframes(&self) -> u64 {
        self.messages.iter().filter(|message| message.keyframe).count() as u64
    }

    /// Time from one keyframe to the next.
    pub fn gop(&self) -> Duration {
        Duration::from_millis(u64::from(self.millis) / self.keyframes().max(1))
    }

    /// Payload bits per second.
    pub fn bitrate(&self) -> u64 {
        self.payload * 8 * 1000 / u64::from(self.millis)
    }

    fn empty(millis: u32, tags: &[&Tag]) -> Script {
        let count = |kind| tags.iter().filter(|tag| tag.kind == kind).count() as u64;
        Script {
            opening: Vec::new(),
            bytes: Vec::new(),
            messages: Vec::new(),
            millis,
            video: count(Kind::Video),
            audio: count(Kind::Audio),
            payload: tags.iter().map(|tag| tag.data.len() as u64).sum(),
        }
    }

    fn add(&mut self, tag: &Tag, before: &mut u32) -> anyhow::Result<()> {
        let at = tag.timestamp % self.millis;
        let delta = (at + self.millis - *before) % self.millis;
        ensure!(delta < 0xff_ffff, "a delta needs an extended timestamp");
        *before = at;
        let start = self.bytes.len();
        self.bytes.push(0x40 | csid(tag.kind));
        self.bytes.extend(&delta.to_be_bytes()[1..]);
        self.bytes.extend(length_and_type(tag));
        self.bytes.extend(chunked(tag));
        self.messages.push(Message { at, chunks: start..self.bytes.len(), keyframe: tag.is_keyframe() });
        Ok(())
    }
}

/// A message with a full header (chunk type 0).
fn first(tag: &Tag, timestamp: u32) -> Vec<u8> {
    let mut bytes = vec![csid(tag.kind)];
    bytes.extend(&timestamp.to_be_bytes()[1..]);
    bytes.extend(length_and_type(tag));
    bytes.extend(STREAM_ID.to_le_bytes());
    bytes.extend(chunked(tag));
    bytes
}

fn length_and_type(tag: &Tag) -> [u8; 4] {
    let [_, l0, l1, l2] = (tag.data.len() as u32).to_be_bytes();
    let kind = match tag.kind {
        Kind::Audio => 8,
        Kind::Video => 9,
    };
    [l0, l1, l2, kind]
}

/// The payload with a header of type 3 between its chunks.
fn chunked(tag: &Tag) -> Vec<u8> {
    let chunks: Vec<_> = tag.data.chunks(CHUNK_SIZE).collect();
    chunks.join(&(0xc0 | csid(tag.kind)))
}

/// The chunk streams that ffmpeg uses.
fn csid(kind: Kind) -> u8 {
    match kind {
        Kind::Audio => 4,
        Kind::Video => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use rml_rtmp::chunk_io::ChunkDeserializer;

    fn tag(kind: Kind, timestamp: u32, data: &[u8]) -> Tag {
        Tag { kind, timestamp, data: data.to_vec() }
    }

    /// Timestamps and payloads as an independent reader sees them.
    fn read(bytes: &[u8]) -> Vec<(u32, u8, Vec<u8>)> {
        let mut reader = ChunkDeserializer::new();
        reader.set_max_chunk_size(CHUNK_SIZE).expect("a chunk size in range");
        let mut rest = bytes;
        let next = || {
            let message = reader.get_next_message(std::mem::take(&mut rest)).expect("valid chunks")?;
            Some((message.timestamp.value, message.type_id, message.data.to_vec()))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn rounds_of_the_same_bytes_go_on_in_time() {
        let long = [&[0x17, 1][..], &[7; 3 * CHUNK_SIZE]].concat();
        let configurations = [tag(Kind::Video, 0, &[0x17, 0]), tag(Kind::Audio, 0, &[0xaf, 0])];
        // The last audio frame lies past the end of the round, and so goes out at its begin.
        let tags = [
            tag(Kind::Video, 0, &long),
            tag(Kind::Video, 50, &[0x27, 1]),
            tag(Kind::Audio, 60, &[0xaf, 1]),
            tag(Kind::Audio, 110, &[0xaf, 2]),
        ];
        let script = Script::new(&configurations, &tags, 100).expect("a script");
        let rounds = [&script.opening[..], &script.bytes, &script.bytes].concat();
        let seen = read(&rounds);
        let times: Vec<_> = seen[2..].iter().map(|(time, kind, _)| (*time, *kind)).collect();
        let first = [(100, 9), (110, 8), (150, 9), (160, 8)];
        let second = first.map(|(time, kind)| (time + 100, kind));
        assert_eq!(times, [first, second].concat());
        assert_eq!((&seen[2].2, &seen[6].2), (&long, &long));
        assert_eq!((script.keyframes(), script.video, script.audio), (1, 2, 2));
    }
}
