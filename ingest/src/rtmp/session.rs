//! One connection as a state machine: bytes and the time in, events and bytes to send out.
//!
//! The driver calls [`Session::handle`] with what it read, then takes events until there are none, then bytes to
//! send until there are none. [`Event::Publish`] is to be answered by [`Session::accept`] or
//! [`Session::refuse`] before the next call of `handle`; what the peer sent without waiting for the answer follows
//! as further events.

mod acks;
mod adts;
mod command;
mod error;
mod intake;

use std::collections::VecDeque;
use std::time::Instant;

use stream::{Input, Leg};

pub use error::{Error, Fault};
pub use intake::Counters;

use super::chunk::{Decoder, Encoder};
use super::handshake::Handshake;
use super::limits::Limits;
use super::message::{self, Control, Message, kind};
use super::name::{App, StreamKey};
use acks::Acks;
use intake::Intake;

/// One publisher's connection, without the socket.
pub struct Session {
    limits: Limits,
    handshake: Option<Handshake>,
    decoder: Decoder,
    encoder: Encoder,
    acks: Acks,
    app: Option<App>,
    streams_created: u32,
    phase: Phase,
    intake: Intake,
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
    /// Media, or news about it.
    Input(Input),
    /// The peer is done publishing; it may publish again.
    Unpublish,
}

/// What the peer wants to publish to.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// Which leg its URL names.
    pub leg: Leg,
    /// Its stream key.
    pub key: StreamKey,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Idle,
    /// The driver has been asked.
    Asked {
        stream_id: u32,
    },
    Publishing {
        stream_id: u32,
    },
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
            streams_created: 0,
            phase: Phase::Idle,
            intake: Intake::default(),
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
        match self.phase {
            Phase::Publishing { .. } => self.heard + self.limits.idle,
            Phase::Idle | Phase::Asked { .. } => self.idle_since + self.limits.setup,
        }
    }

    /// Fails when the peer's time is up.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if now < self.deadline() {
            return Ok(());
        }
        let fault = match self.phase {
            Phase::Publishing { .. } => Fault::Silent { after: self.limits.idle },
            Phase::Idle | Phase::Asked { .. } => Fault::Slow { after: self.limits.setup },
        };
        Err(Error { at: self.received, fault })
    }

    /// Lets the peer publish that asked for it last.
    pub fn accept(&mut self) {
        if let Phase::Asked { stream_id } = self.phase {
            self.phase = Phase::Publishing { stream_id };
            self.encoder.message(kind::USER_CONTROL, 0, &message::stream_begin(stream_id));
            self.status(stream_id, "status", "NetStream.Publish.Start", "publishing");
        }
    }

    /// Does not let it publish. What it sent meanwhile is forgotten.
    pub fn refuse(&mut self, why: &str) {
        let stream_id = self.stop_publishing(self.heard).unwrap_or(0);
        self.events.clear();
        self.status(stream_id, "error", "NetStream.Publish.BadName", why);
    }

    /// Tells a publisher that the server ends its publication. Nothing else is to be handled afterwards.
    pub fn end(&mut self, why: &str) {
        self.events.clear();
        if let Some(stream_id) = self.stop_publishing(self.heard) {
            self.status(stream_id, "error", "NetStream.Unpublish.Success", why);
        }
    }

    /// Whether the peer has been let in and is publishing.
    pub fn is_publishing(&self) -> bool {
        matches!(self.phase, Phase::Publishing { .. })
    }

    /// What has come so far.
    pub fn counters(&self) -> Counters {
        Counters { bytes: self.received, aborted: self.decoder.dropped(), ..self.intake.counters() }
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
                self.intake.ignore();
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
        if self.phase == Phase::Idle {
            self.intake.ignore();
            return Ok(());
        }
        let events = &mut self.events;
        self.intake.media(message, &mut |input| events.push_back(Event::Input(input)))
    }

    fn aggregate(&mut self, aggregate: &Message) -> Result<(), Fault> {
        for message in message::split_aggregate(aggregate) {
            match message.kind {
                kind::AUDIO | kind::VIDEO => self.media(message)?,
                kind::DATA | kind::DATA_AMF3 => self.data(&message)?,
                _ => self.intake.ignore(),
            }
        }
        Ok(())
    }

    /// Ends publishing if the peer was about it, and gives the message stream.
    fn stop_publishing(&mut self, now: Instant) -> Option<u32> {
        let (Phase::Asked { stream_id } | Phase::Publishing { stream_id }) = self.phase else { return None };
        self.phase = Phase::Idle;
        self.idle_since = now;
        Some(stream_id)
    }

    /// Tells a publisher what is wrong with its media.
    fn explain(&mut self, fault: &Fault) {
        if let (true, Phase::Asked { stream_id } | Phase::Publishing { stream_id }) =
            (fault.is_about_media(), self.phase)
        {
            self.status(stream_id, "error", "NetStream.Publish.Failed", &fault.to_string());
        }
    }
}
