//! Reassembly: where a payload byte is written, once.

use container::flv::{Content, Data, Tag};
use media::Kind;
use media::payload::{BlockSizes, Place, Writer};

use crate::rtmp::message::{self, Head, Message, kind};

/// The blocks of a session: one run for each track, so that its samples lie side by side, and one for the rest.
pub(super) struct Store {
    video: Vec<Writer>,
    audio: Vec<Writer>,
    other: Writer,
    /// Tracks of each kind at most.
    tracks: u8,
}

/// Where a payload goes.
enum Run {
    Track(Kind, u8),
    Other,
    Nowhere,
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
    pub(super) fn new(tracks: u8) -> Store {
        let small = BlockSizes { min: 1 << 10, max: 64 << 10 };
        Store { video: Vec::new(), audio: Vec::new(), other: Writer::new(small), tracks }
    }

    fn place(&mut self, outline: &Outline, head: &Head) -> Body {
        let run = match (message::media(outline.kind), outline.kind) {
            (Some(kind), _) => self.run(kind, head),
            (None, 1..=6 | kind::DATA_AMF3..=kind::COMMAND | kind::AGGREGATE) => Run::Other,
            _ => Run::Nowhere,
        };
        let writer = match run {
            Run::Track(kind, track) => self.writer(kind, track),
            Run::Other => &mut self.other,
            Run::Nowhere => return Body::Skipped,
        };
        let mut place = writer.reserve(outline.len - head.len(), outline.timestamp);
        place.write(head.behind());
        Body::Placed(place)
    }

    /// Several tracks in one message lie where the first one does.
    fn run(&self, kind: Kind, head: &Head) -> Run {
        match Tag::parse(kind, head).map(|tag| tag.content) {
            Ok(Content::Packet(packet)) if packet.track < self.tracks => match packet.data {
                Data::Frame { .. } => Run::Track(kind, packet.track),
                Data::Configuration => Run::Other,
                Data::End | Data::Channels | Data::Aside => Run::Nowhere,
            },
            Ok(Content::Tracks(tracks)) if tracks.are_frames() => Run::Track(kind, 0),
            Ok(Content::Tracks(_)) => Run::Other,
            _ => Run::Nowhere,
        }
    }

    fn writer(&mut self, kind: Kind, track: u8) -> &mut Writer {
        let writers = match kind {
            Kind::Video => &mut self.video,
            Kind::Audio => &mut self.audio,
        };
        let track = usize::from(track);
        if writers.len() <= track {
            writers.resize_with(track + 1, || Writer::new(BlockSizes::default()));
        }
        &mut writers[track]
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
