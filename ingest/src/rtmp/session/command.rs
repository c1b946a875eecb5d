//! Commands (7.2) and data messages.

use std::time::Instant;

use super::super::amf::{self, Object, Reader, Value};
use super::super::message::{Message, kind};
use super::super::name::{App, Error as NameError};
use super::{Event, Fault, Intake, PublishRequest, Publishing, Session, addressed, enhanced};

/// How much we take unacknowledged, and how much we let the peer send so, in bytes.
const WINDOW: u32 = 2_500_000;
/// The chunk size of our answers.
const CHUNK_SIZE: u32 = 4096;
/// Limit type of Set Peer Bandwidth (5.4.5).
const DYNAMIC: u8 = 2;

/// A command as it came.
struct Command {
    name: String,
    transaction: f64,
    object: Value,
    arguments: Vec<Value>,
    stream_id: u32,
}

impl Command {
    fn read(message: &Message, reader: &mut Reader<'_>) -> Result<Command, Fault> {
        let Some(Value::String(name)) = reader.value()? else {
            return Err(Fault::Command("a command without a name"));
        };
        let transaction = reader.value()?.and_then(|value| value.as_number()).unwrap_or(0.0);
        let object = reader.value()?.unwrap_or(Value::Null);
        let arguments = reader.rest()?;
        Ok(Command { name, transaction, object, arguments, stream_id: message.stream_id })
    }

    fn text<'a>(&'a self, property: &str) -> &'a str {
        self.object.as_object().and_then(|object| object.get(property)).and_then(Value::as_str).unwrap_or("")
    }

    fn number(&self, property: &str) -> Option<f64> {
        self.object.as_object()?.get(property)?.as_number()
    }
}

impl Session {
    pub(super) fn command(&mut self, message: &Message, now: Instant) -> Result<(), Fault> {
        let limits = self.limits;
        let command = Command::read(message, &mut Reader::new(amf0(message), &limits))?;
        match command.name.as_str() {
            "connect" => return self.connect(&command),
            "publish" => return self.publish(&command),
            "createStream" => self.create_stream(&command),
            "FCPublish" => self.fc_publish(&command),
            "FCUnpublish" | "closeStream" => self.unpublish(&command, now),
            "deleteStream" => self.delete_stream(&command, now),
            "play" | "play2" => self.play(&command),
            "releaseStream" | "_checkbw" | "onBWDone" => self.result(&command, [Value::Undefined]),
            "getStreamLength" => self.result(&command, [0.0.into()]),
            "_result" | "_error" | "onStatus" => {}
            _ => self.unknown(&command),
        }
        Ok(())
    }

    /// Metadata counts while publishing; one that cannot be read does no harm.
    pub(super) fn data(&mut self, message: &Message) -> Result<(), Fault> {
        let limits = self.limits;
        let values = match Reader::new(amf0(message), &limits).rest() {
            Ok(values) => values,
            Err(abuse) if abuse.is_abuse() => return Err(abuse.into()),
            Err(_) => Vec::new(),
        };
        let values = match values.as_slice() {
            [Value::String(name), rest @ ..] if name == "@setDataFrame" => rest,
            all => all,
        };
        match values {
            [Value::String(name), Value::Object(metadata), ..]
                if name == "onMetaData" && !self.publishings.is_empty() =>
            {
                let publishing = addressed(&mut self.publishings, message.stream_id);
                let input = publishing.and_then(|it| Some((it.stream_id, it.intake.metadata(metadata)?)));
                self.events.extend(input.map(|(stream_id, input)| Event::Input(stream_id, input)));
            }
            _ => self.rest.ignored += 1,
        }
        Ok(())
    }

    /// 7.2.1.1
    fn connect(&mut self, command: &Command) -> Result<(), Fault> {
        if self.app.is_some() {
            return Err(Fault::Command("connect twice"));
        }
        let app = App::parse(command.text("app"), command.text("tcUrl"))
            .inspect_err(|why| self.error(command, "NetConnection.Connect.Rejected", &why.to_string()))?;
        self.app = Some(app);
        self.encoder.message(kind::WINDOW_SIZE, 0, &WINDOW.to_be_bytes());
        let bandwidth = [&WINDOW.to_be_bytes()[..], &[DYNAMIC]].concat();
        self.encoder.message(kind::PEER_BANDWIDTH, 0, &bandwidth);
        self.encoder.set_chunk_size(CHUNK_SIZE);
        self.client = enhanced::Client::of(command.object.as_object());
        let mut properties = Object::of([("fmsVer", "FMS/3,5,7,7009".into()), ("capabilities", 31.0.into())]);
        let mut information = info("status", "NetConnection.Connect.Success", "connected");
        let encoding = command.number("objectEncoding").unwrap_or(0.0);
        information.0.push(("objectEncoding".into(), encoding.into()));
        properties.0.extend(self.client.answer());
        information.0.extend(self.client.answer());
        self.reply(0, "_result", command.transaction, [properties.into(), information.into()]);
        Ok(())
    }

    /// 7.2.1.3. A message stream is a number here, and nothing is kept of it.
    fn create_stream(&mut self, command: &Command) {
        self.streams_created = self.streams_created.wrapping_add(1).max(1);
        self.result(command, [f64::from(self.streams_created).into()]);
    }

    /// 7.2.2.6
    fn publish(&mut self, command: &Command) -> Result<(), Fault> {
        let app = self.app.as_ref().ok_or(Fault::Command("publish before connect"))?;
        let stream_id = command.stream_id;
        if self.publishings.iter().any(|it| it.stream_id == stream_id) {
            let why = "something is published on this message stream already";
            self.status(stream_id, "error", "NetStream.Publish.BadName", why);
            return Err(Fault::Command("publish twice"));
        }
        if self.publishings.len() >= self.limits.publications {
            let why = "a connection may not publish so many names";
            self.status(stream_id, "error", "NetStream.Publish.BadName", why);
            return Err(Fault::Command("publish too often"));
        }
        let name = command.arguments.first().and_then(Value::as_str).unwrap_or("");
        let request = app.key(name).map(|key| PublishRequest { stream_id, leg: app.leg, key });
        let request = request.inspect_err(|why: &NameError| {
            self.status(stream_id, "error", "NetStream.Publish.BadName", &why.to_string());
        })?;
        self.publishings.push(Publishing {
            stream_id,
            accepted: false,
            intake: Intake::new(self.limits.tracks),
        });
        self.events.push_back(Event::Publish(request));
        Ok(())
    }

    fn fc_publish(&mut self, command: &Command) {
        self.result(command, [Value::Undefined]);
        let information = info("status", "NetStream.Publish.Start", "publish may follow");
        self.reply(0, "onFCPublish", 0.0, [Value::Null, information.into()]);
    }

    /// However many of FCUnpublish, closeStream, deleteStream a peer sends, publishing ends once.
    fn unpublish(&mut self, command: &Command, now: Instant) {
        if command.name == "FCUnpublish" {
            self.result(command, [Value::Undefined]);
            let information = info("status", "NetStream.Unpublish.Success", "unpublished");
            self.reply(0, "onFCUnpublish", 0.0, [Value::Null, information.into()]);
        }
        let stream_id = addressed(&mut self.publishings, command.stream_id).map(|it| it.stream_id);
        self.leave(stream_id, now);
    }

    fn delete_stream(&mut self, command: &Command, now: Instant) {
        let deleted = command.arguments.first().and_then(Value::as_number);
        let named = |it: &&Publishing| deleted.is_some_and(|deleted| deleted == f64::from(it.stream_id));
        let named = self.publishings.iter().find(named).map(|it| it.stream_id);
        match deleted {
            Some(_) => self.leave(named, now),
            None => self.unpublish(command, now),
        }
    }

    fn leave(&mut self, stream_id: Option<u32>, now: Instant) {
        let Some(stream_id) = stream_id else { return };
        let counters = self.counters_of(stream_id);
        self.stop_publishing(stream_id, now);
        self.events.push_back(Event::Unpublish(stream_id, counters));
        self.status(stream_id, "status", "NetStream.Unpublish.Success", "unpublished");
    }

    fn play(&mut self, command: &Command) {
        let why = "playback is by HLS and DASH";
        self.status(command.stream_id, "error", "NetStream.Play.StreamNotFound", why);
    }

    fn unknown(&mut self, command: &Command) {
        self.rest.ignored += 1;
        self.error(command, "NetConnection.Call.Failed", "unknown command");
    }

    /// Says how a message stream does (7.2.2).
    pub(super) fn status(&mut self, stream_id: u32, level: &str, code: &str, description: &str) {
        let information = info(level, code, description);
        self.reply(stream_id, "onStatus", 0.0, [Value::Null, information.into()]);
    }

    fn result<const N: usize>(&mut self, command: &Command, values: [Value; N]) {
        if command.transaction != 0.0 {
            let values = std::iter::once(Value::Null).chain(values);
            self.reply(command.stream_id, "_result", command.transaction, values);
        }
    }

    fn error(&mut self, command: &Command, code: &str, description: &str) {
        if command.transaction != 0.0 {
            let information = info("error", code, description);
            let values = [Value::Null, information.into()];
            self.reply(command.stream_id, "_error", command.transaction, values);
        }
    }

    fn reply(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        values: impl IntoIterator<Item = Value>,
    ) {
        let mut payload = Vec::with_capacity(256);
        let start = [Value::from(name), transaction.into()];
        start.into_iter().chain(values).for_each(|value| amf::write(&value, &mut payload));
        self.encoder.message(kind::COMMAND, stream_id, &payload);
    }
}

fn info(level: &str, code: &str, description: &str) -> Object {
    Object::of([("level", level.into()), ("code", code.into()), ("description", description.into())])
}

/// The AMF0 of a command or data message: the AMF3 types have a zero byte before it.
fn amf0(message: &Message) -> &[u8] {
    match (message.kind, &message.body[..]) {
        (kind::COMMAND_AMF3 | kind::DATA_AMF3, [0, rest @ ..]) => rest,
        (_, body) => body,
    }
}
