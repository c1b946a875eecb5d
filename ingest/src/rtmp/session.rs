//! One connection as a state machine: bytes and the time in, events and bytes to send out.
//!
//! The driver calls [`Session::handle`] with what it read, then takes events until there are none, then bytes to
//! send until there are none. [`Event::Publish`] is to be answered by [`Session::accept`] or
//! [`Session::refuse`] before the next call of `handle`; what the peer sent without waiting for the answer follows
//! as further events.
//!
//! A connection may publish several names, each on a message stream of its own.

mod acks;
mod adts;
mod command;
mod counters;
mod enhanced;
mod error;
mod intake;

use std::collections::VecDeque;
use std::time::Instant;

use stream::{Input, Leg};

pub use counters::Counters;
pub use error::{Error, Fault};

use super::chunk::{Decoder, Encoder};
use super::handshake::Handshake;
use super::limits::Limits;
use super::message::{self, Control, Message, kind};
use super::name::{App, StreamKey};
use acks::Acks;
use intake::Intake;

/// An encoder's connection, without the socket.
pub struct Session {
    limits: Limits,
    handshake: Option<Handshake>,
    decoder: Decoder,
    encoder: Encoder,
    acks: Acks,
    app: Option<App>,
    client: enhanced::Client,
    streams_created: u32,
    /// What it publishes, or has asked to; no two on one message stream.
    publishings: Vec<Publishing>,
    /// What came outside of those, and in those that are over.
    rest: Counters,
    events: VecDeque<Event>,
    received: u64,
    heard: Instant,
    idle_since: Instant,
}

/// Something for the driver to act on.
#[derive(Debug)]
pub enum Event {
    /// The peer wants to publish.
    Publish(PublishRequest),
    /// Media of what is published on that message stream, or news about it.
    Input(u32, Input),
    /// The peer is done publishing on that message stream, of which so much came; it may publish again.
    Unpublish(u32, Counters),
}

/// What the peer wants to publish to.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The message stream on which it wants to (7.2.2.6): what names the publication in further events.
    pub stream_id: u32,
    /// Which leg its URL names.
    pub leg: Leg,
    /// Its stream key.
    pub key: StreamKey,
}

/// One name that is published, from the command on.
struct Publishing {
    stream_id: u32,
    /// Whether the driver let it in; it has been asked otherwise.
    accepted: bool,
    intake: Intake,
}

impl Session {
    /// A connection that was accepted just now.
    pub fn new(limits: Limits, now: Instant) -> Session {
        Session {
            limits,
            handshake: Some(Handshake::new()),
            decoder: Decoder::new(limits),
            encoder: Encoder::new(),
            acks: Acks::default(),
            app: None,
            client: enhanced::Client::default(),
            streams_created: 0,
            publishings: Vec::new(),
            rest: Counters::default(),
            events: VecDeque::new(),
            received: 0,
            heard: now,
            idle_since: now,
        }
    }

    /// Takes bytes that the peer sent.
    ///
    /// After an error the connection is to be closed, once the bytes to send have been sent: they tell the peer.
    pub fn handle(&mut self, input: &[u8], now: Instant) -> Result<(), Error> {
        self.heard = now;
        self.received += input.len() as u64;
        let mut rest = input;
        self.consume(&mut rest, now).map_err(|fault| {
            self.explain(&fault);
            Error { at: self.received - rest.len() as u64, fault }
        })
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to send.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (self.encoder.waiting() > 0).then(|| self.encoder.take())
    }

    /// When the peer's time is up, unless it sends something before.
    pub fn deadline(&self) -> Instant {
        match self.is_publishing() {
            true => self.heard + self.limits.idle,
            false => self.idle_since + self.limits.setup,
        }
    }

    /// Fails when the peer's time is up.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if now < self.deadline() {
            return Ok(());
        }
        let fault = match self.is_publishing() {
            true => Fault::Silent { after: self.limits.idle },
            false => Fault::Slow { after: self.limits.setup },
        };
        Err(Error { at: self.received, fault })
    }

    /// Lets the peer publish what it asked for on a message stream.
    pub fn accept(&mut self, stream_id: u32) {
        let asked = self.publishings.iter_mut().find(|it| it.stream_id == stream_id && !it.accepted);
        if let Some(asked) = asked {
            asked.accepted = true;
            self.encoder.message(kind::USER_CONTROL, 0, &message::stream_begin(stream_id));
            self.status(stream_id, "status", "NetStream.Publish.Start", "publishing");
        }
    }

    /// Does not let it publish that. What it sent of it meanwhile is forgotten.
    pub fn refuse(&mut self, stream_id: u32, why: &str) {
        self.forget(stream_id);
        self.status(stream_id, "error", "NetStream.Publish.BadName", why);
    }

    /// Tells a publisher that the server ends what it publishes on a message stream. Nothing of that is to be handled
    /// afterwards.
    pub fn end(&mut self, stream_id: u32, why: &str) {
        if self.forget(stream_id) {
            self.status(stream_id, "error", "NetStream.Unpublish.Success", why);
        }
    }

    /// The same of everything.
    pub fn end_all(&mut self, why: &str) {
        let all: Vec<u32> = self.publishings.iter().map(|it| it.stream_id).collect();
        all.into_iter().for_each(|stream_id| self.end(stream_id, why));
    }

    /// Whether the peer has been let in and is publishing.
    pub fn is_publishing(&self) -> bool {
        self.publishings.iter().any(|it| it.accepted)
    }

    /// What has come so far.
    pub fn counters(&self) -> Counters {
        let media = self.publishings.iter().map(|it| it.intake.counters()).fold(self.rest, Counters::and);
        Counters { bytes: self.received, aborted: self.decoder.dropped(), ..media }
    }

    /// What has come of what is published on a message stream; bytes and messages that were not finished are those of the
    /// connection.
    pub fn counters_of(&self, stream_id: u32) -> Counters {
        let one = self.publishings.iter().find(|it| it.stream_id == stream_id);
        let media = one.map(|it| it.intake.counters()).unwrap_or_default();
        Counters { bytes: self.received, aborted: self.decoder.dropped(), ..media }
    }

    fn consume(&mut self, input: &mut &[u8], now: Instant) -> Result<(), Fault> {
        if let Some(handshake) = &mut self.handshake {
            if !handshake.handle(input, self.encoder.raw())? {
                return Ok(());
            }
            self.handshake = None;
        }
        let chunks = input.len();
        while let Some(message) = self.decoder.decode(input)? {
            self.message(message, now)?;
            let limit = self.limits.answers;
            if self.encoder.waiting() > limit {
                return Err(Fault::Answers { limit });
            }
        }
        if let Some(sequence) = self.acks.advance(chunks) {
            self.encoder.message(kind::ACKNOWLEDGEMENT, 0, &sequence.to_be_bytes());
        }
        Ok(())
    }

    fn message(&mut self, message: Message, now: Instant) -> Result<(), Fault> {
        match message.kind {
            1..=6 => self.control(&message),
            kind::AUDIO | kind::VIDEO => self.media(message),
            kind::COMMAND | kind::COMMAND_AMF3 => self.command(&message, now),
            kind::DATA | kind::DATA_AMF3 => self.data(&message),
            kind::AGGREGATE => self.aggregate(&message),
            _ => {
                self.rest.ignored += 1;
                Ok(())
            }
        }
    }

    fn control(&mut self, message: &Message) -> Result<(), Fault> {
        let control =
            Control::parse(message.kind, &message.body).ok_or(Fault::ShortControl { kind: message.kind })?;
        match control {
            Control::ChunkSize(size) => self.decoder.set_chunk_size(size)?,
            Control::Abort(csid) => self.decoder.abort(csid),
            Control::WindowSize(size) => self.acks.set_window(size),
            Control::PeerBandwidth(size) => {
                self.encoder.message(kind::WINDOW_SIZE, 0, &size.to_be_bytes());
            }
            Control::Ping(value) => self.encoder.message(kind::USER_CONTROL, 0, &message::pong(value)),
            Control::Other => {}
        }
        Ok(())
    }

    /// Media counts from the publish command on; the driver may not have answered that yet.
    fn media(&mut self, message: Message) -> Result<(), Fault> {
        let Some(publishing) = addressed(&mut self.publishings, message.stream_id) else {
            self.rest.ignored += 1;
            return Ok(());
        };
        let (events, stream_id) = (&mut self.events, publishing.stream_id);
        publishing.intake.media(message, &mut |input| events.push_back(Event::Input(stream_id, input)))
    }

    fn aggregate(&mut self, aggregate: &Message) -> Result<(), Fault> {
        for message in message::split_aggregate(aggregate) {
            match message.kind {
                kind::AUDIO | kind::VIDEO => self.media(message)?,
                kind::DATA | kind::DATA_AMF3 => self.data(&message)?,
                _ => self.rest.ignored += 1,
            }
        }
        Ok(())
    }

    /// Ends publishing on a message stream, if the peer was about it.
    fn stop_publishing(&mut self, stream_id: u32, now: Instant) -> bool {
        let Some(at) = self.publishings.iter().position(|it| it.stream_id == stream_id) else { return false };
        self.rest = self.rest.and(self.publishings.remove(at).intake.counters());
        self.idle_since = now;
        true
    }

    /// The same, with what has not been acted on of it.
    fn forget(&mut self, stream_id: u32) -> bool {
        let about = |event: &Event| match event {
            Event::Publish(request) => request.stream_id == stream_id,
            Event::Input(of, _) | Event::Unpublish(of, _) => *of == stream_id,
        };
        self.events.retain(|event| !about(event));
        self.stop_publishing(stream_id, self.heard)
    }

    /// Tells a publisher what is wrong with its media.
    fn explain(&mut self, fault: &Fault) {
        if fault.is_about_media() {
            let all: Vec<u32> = self.publishings.iter().map(|it| it.stream_id).collect();
            for stream_id in all {
                self.status(stream_id, "error", "NetStream.Publish.Failed", &fault.to_string());
            }
        }
    }
}

/// What a message is about. There are encoders that send media on another message stream than the one on which they
/// publish, so where there is one alone it is meant.
fn addressed(publishings: &mut [Publishing], stream_id: u32) -> Option<&mut Publishing> {
    match publishings {
        [only] => Some(only),
        several => several.iter_mut().find(|it| it.stream_id == stream_id),
    }
}
