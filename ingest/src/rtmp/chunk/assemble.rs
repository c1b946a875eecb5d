//! Reassembly: where a payload byte is written, once.

use container::flv::{Audio, Video};
use media::payload::{BlockSizes, Place, Writer};

use crate::rtmp::message::{Head, Message, kind};

/// The blocks of a session: one run for each track, so that its samples lie side by side, and one for the rest.
pub(super) struct Store {
    video: Writer,
    audio: Writer,
    other: Writer,
}

/// What is known of a message before its payload.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Outline {
    /// Message type.
    pub(super) kind: u8,
    /// Bytes of the whole message.
    pub(super) len: usize,
    /// Milliseconds, wrapping.
    pub(super) timestamp: u32,
    /// Message stream.
    pub(super) stream_id: u32,
}

/// A message of which some bytes are missing.
pub(super) struct Partial {
    outline: Outline,
    missing: usize,
    head: Head,
    body: Body,
}

enum Body {
    /// The head is not complete.
    Awaited,
    /// Being written where it will stay.
    Placed(Place),
    /// Of no use, so not kept.
    Skipped,
}

impl Store {
    /// Empty; nothing is allocated.
    pub(super) fn new() -> Store {
        let small = BlockSizes { min: 1 << 10, max: 64 << 10 };
        Store {
            video: Writer::new(BlockSizes::default()),
            audio: Writer::new(BlockSizes::default()),
            other: Writer::new(small),
        }
    }

    fn place(&mut self, outline: &Outline, head: &[u8]) -> Body {
        let writer = match outline.kind {
            kind::VIDEO => match Video::parse(head) {
                Ok(Video::Picture { .. }) => &mut self.video,
                Ok(Video::SequenceHeader) => &mut self.other,
                _ => return Body::Skipped,
            },
            kind::AUDIO => match Audio::parse(head) {
                Ok(Audio::Frame) => &mut self.audio,
                Ok(Audio::SequenceHeader) => &mut self.other,
                _ => return Body::Skipped,
            },
            1..=6 | kind::DATA_AMF3..=kind::COMMAND | kind::AGGREGATE => &mut self.other,
            _ => return Body::Skipped,
        };
        Body::Placed(writer.reserve(outline.len - head.len(), outline.timestamp))
    }
}

impl Partial {
    /// Nothing has come yet.
    pub(super) fn new(outline: Outline) -> Partial {
        Partial { outline, missing: outline.len, head: Head::default(), body: Body::Awaited }
    }

    /// Bytes still to come.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// Bytes of the whole message.
    pub(super) fn declared(&self) -> usize {
        self.outline.len
    }

    /// Takes the next bytes, at most as many as are missing.
    pub(super) fn write(&mut self, mut bytes: &[u8], store: &mut Store) {
        self.missing -= bytes.len();
        if matches!(self.body, Body::Awaited) {
            if !self.head.fill(self.outline.kind, self.outline.len, &mut bytes) {
                return;
            }
            self.body = store.place(&self.outline, &self.head);
        }
        if let Body::Placed(place) = &mut self.body {
            place.write(bytes);
        }
    }

    /// The whole message.
    pub(super) fn finish(self, store: &mut Store) -> Message {
        let Outline { kind, timestamp, stream_id, .. } = self.outline;
        let place = match self.body {
            Body::Placed(place) => place,
            Body::Awaited | Body::Skipped => store.other.reserve(0, timestamp),
        };
        Message { kind, timestamp, stream_id, head: self.head, body: place.finish() }
    }
}
