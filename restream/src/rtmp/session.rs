//! A publication from the client's side: what to send, and what the server says.

use bytes::Bytes;

use super::amf::{self, Value};
use super::reader::{Message, Reader};
use super::writer::Writer;
use super::{Fault, kind};

/// Chunks that are sent are this long: a part of a picture costs a header each.
pub const CHUNK_SIZE: usize = 64 << 10;
/// C1 and S1, and as many for the echoes (5.2.3).
const HANDSHAKE: usize = 1536;
/// What a server says is kept so far, in characters.
const LONGEST: usize = 200;

/// Transactions of the commands that are answered.
const CONNECT: f64 = 1.0;
const CREATE_STREAM: f64 = 4.0;

/// Where a publication goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Where {
    /// The application, which may have slashes in it.
    pub app: String,
    /// The URL up to and with the application.
    pub tc_url: String,
    /// The name that is published: a secret.
    pub key: String,
}

/// What the server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Media may follow.
    Started,
    /// It wants this client to connect anew (Enhanced RTMP v2, `NetConnection.Connect.ReconnectRequest`).
    Reconnect,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// S0 and S1 are awaited.
    Hello,
    /// S2 is awaited.
    Echo,
    Connecting,
    Creating,
    /// The publication is asked for.
    Asking,
    Publishing,
    Over,
}

/// A connection that publishes one name.
#[derive(Debug)]
pub struct Session {
    to: Where,
    four_cc: Vec<&'static str>,
    state: State,
    /// What the server has sent of its handshake.
    hello: Vec<u8>,
    reader: Reader,
    writer: Writer,
    out: Vec<Bytes>,
    stream: u32,
    received: u64,
    acknowledged: u64,
    window: u64,
}

impl Session {
    /// Begins with the handshake. `four_cc` are the codecs that need Enhanced RTMP; `random` fills C1.
    pub fn new(to: Where, four_cc: Vec<&'static str>, random: &[u8]) -> Session {
        let mut hello = vec![3, 0, 0, 0, 0, 0, 0, 0, 0];
        hello.extend(random.iter().copied().chain(std::iter::repeat(0)).take(HANDSHAKE - 8));
        Session {
            to,
            four_cc,
            state: State::Hello,
            hello: Vec::new(),
            reader: Reader::default(),
            writer: Writer::default(),
            out: vec![hello.into()],
            stream: 0,
            received: 0,
            acknowledged: 0,
            window: u64::MAX,
        }
    }

    /// What is to be sent now, in order.
    pub fn take(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.out)
    }

    /// Whether media may be sent.
    pub fn is_publishing(&self) -> bool {
        self.state == State::Publishing
    }

    /// Takes what the server sent.
    pub fn input(&mut self, mut input: &[u8]) -> Result<Vec<Event>, Fault> {
        self.received += input.len() as u64;
        self.handshake(&mut input)?;
        let mut events = Vec::new();
        if matches!(self.state, State::Hello | State::Echo) {
            return Ok(events);
        }
        while let Some(message) = self.reader.next(&mut input)? {
            events.extend(self.message(&message)?);
        }
        if self.received - self.acknowledged >= self.window {
            self.acknowledged = self.received;
            // The number wraps (5.4.3).
            self.send(kind::ACKNOWLEDGEMENT, 0, &(self.received as u32).to_be_bytes());
        }
        Ok(events)
    }

    /// A message of media of the publication; `timestamp` in milliseconds.
    pub fn media(&mut self, kind: u8, timestamp: u32, head: &[u8], payload: &Bytes) {
        self.writer.message((kind, self.stream, timestamp), head, payload, &mut self.out);
    }

    /// Ends the publication, so that the server need not wait for more.
    pub fn finish(&mut self) {
        if self.state == State::Publishing {
            let key = self.to.key.as_str().into();
            self.command(0, &["FCUnpublish".into(), 6.0.into(), Value::Null, key]);
            let stream = f64::from(self.stream).into();
            self.command(0, &["deleteStream".into(), 7.0.into(), Value::Null, stream]);
        }
        self.state = State::Over;
    }

    /// Nothing is looked at in it but the version: servers differ in what they echo.
    fn handshake(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        if self.state == State::Hello {
            self.gather(1 + HANDSHAKE, input);
            match self.hello.first() {
                Some(3) | None => {}
                Some(_) => return Err(Fault::Protocol("its handshake is of no known version")),
            }
            if self.hello.len() == 1 + HANDSHAKE {
                let echo = std::mem::take(&mut self.hello).split_off(1);
                self.out.push(echo.into());
                self.state = State::Echo;
            }
        }
        if self.state == State::Echo {
            self.gather(HANDSHAKE, input);
            if self.hello.len() == HANDSHAKE {
                self.hello = Vec::new();
                self.connect();
                self.state = State::Connecting;
            }
        }
        Ok(())
    }

    fn gather(&mut self, most: usize, input: &mut &[u8]) {
        let (now, rest) = input.split_at((most - self.hello.len()).min(input.len()));
        self.hello.extend_from_slice(now);
        *input = rest;
    }

    fn connect(&mut self) {
        self.send(kind::SET_CHUNK_SIZE, 0, &(CHUNK_SIZE as u32).to_be_bytes());
        self.writer.set_chunk_size(CHUNK_SIZE);
        let mut facts = vec![
            ("app", self.to.app.as_str().into()),
            ("type", "nonprivate".into()),
            ("flashVer", concat!("FMLE/3.0 (compatible; Headwater/", env!("CARGO_PKG_VERSION"), ")").into()),
            ("tcUrl", self.to.tc_url.as_str().into()),
        ];
        if !self.four_cc.is_empty() {
            let list = self.four_cc.iter().map(|&four_cc| four_cc.into()).collect();
            facts.push(("fourCcList", Value::Array(list)));
        }
        // It may ask to be connected to anew (Enhanced RTMP v2, `capsEx`).
        facts.push(("capsEx", 1.0.into()));
        self.command(0, &["connect".into(), CONNECT.into(), amf::object(facts)]);
    }

    fn message(&mut self, message: &Message) -> Result<Option<Event>, Fault> {
        match message.kind {
            kind::COMMAND => self.said(&message.body),
            kind::COMMAND_AMF3 => self.said(message.body.get(1..).unwrap_or_default()),
            kind::WINDOW_SIZE => {
                self.window =
                    message.body.first_chunk().map_or(u64::MAX, |it| u32::from_be_bytes(*it).max(1).into());
                Ok(None)
            }
            kind::PEER_BANDWIDTH => {
                if let Some(size) = message.body.first_chunk::<4>() {
                    self.send(kind::WINDOW_SIZE, 0, size);
                }
                Ok(None)
            }
            kind::USER_CONTROL => {
                // Ping and its answer (7.1.7).
                if let [0, 6, time @ ..] = &message.body[..] {
                    self.send(kind::USER_CONTROL, 0, &[&[0, 7], time].concat());
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn said(&mut self, body: &[u8]) -> Result<Option<Event>, Fault> {
        let values = amf::read(body).ok_or(Fault::Protocol("a command that cannot be read"))?;
        let [name, transaction, rest @ ..] = &values[..] else { return Ok(None) };
        let transaction = transaction.number().unwrap_or_default();
        match (name.text().unwrap_or_default(), self.state) {
            ("_result", State::Connecting) if transaction == CONNECT => {
                self.create();
                self.state = State::Creating;
                Ok(None)
            }
            ("_result", State::Creating) if transaction == CREATE_STREAM => {
                let stream = rest.get(1).and_then(Value::number);
                self.stream =
                    stream.filter(|it| (0.0..=f64::from(u32::MAX)).contains(it)).unwrap_or(1.0) as u32;
                self.publish();
                self.state = State::Asking;
                Ok(None)
            }
            // Not every server knows what goes before createStream.
            ("_error", State::Connecting) => Err(self.refused(rest)),
            ("_error", State::Creating | State::Asking) if transaction == CREATE_STREAM => {
                Err(self.refused(rest))
            }
            ("onStatus", _) => self.status(rest),
            ("close", _) => Err(self.refused(rest)),
            _ => Ok(None),
        }
    }

    fn create(&mut self) {
        let key: Value = self.to.key.as_str().into();
        self.command(0, &["releaseStream".into(), 2.0.into(), Value::Null, key.clone()]);
        self.command(0, &["FCPublish".into(), 3.0.into(), Value::Null, key]);
        self.command(0, &["createStream".into(), CREATE_STREAM.into(), Value::Null]);
    }

    fn publish(&mut self) {
        let key = self.to.key.as_str().into();
        self.command(self.stream, &["publish".into(), 5.0.into(), Value::Null, key, "live".into()]);
    }

    /// How a publication does (7.2.2): its code says it, and `error` where that is new to us.
    fn status(&mut self, values: &[Value]) -> Result<Option<Event>, Fault> {
        let about = values.iter().find(|value| value.property("code").is_some());
        let property = |name| about.and_then(|about| about.property(name)).unwrap_or_default();
        match (property("code"), property("level")) {
            ("NetStream.Publish.Start", _) if self.state == State::Asking => {
                self.state = State::Publishing;
                Ok(Some(Event::Started))
            }
            ("NetConnection.Connect.ReconnectRequest", _) => Ok(Some(Event::Reconnect)),
            ("NetStream.Unpublish.Success" | "NetConnection.Connect.Closed", _) | (_, "error") => {
                Err(self.refused(values))
            }
            _ => Ok(None),
        }
    }

    /// What the server says, as a fault. It is shown to those who manage the target, so it is short, one line, and has not
    /// the key in it.
    fn refused(&self, values: &[Value]) -> Fault {
        let about = values.iter().find(|value| matches!(value, Value::Object(_)));
        let said = |name| about.and_then(|about| about.property(name)).unwrap_or_default();
        let (code, text) = (self.plain(said("code")), self.plain(said("description")));
        let code = if code.is_empty() { "no reason given".to_owned() } else { code };
        let text = if text.is_empty() { "it does not say why".to_owned() } else { text };
        match self.state {
            State::Publishing => Fault::Ended { code, text },
            _ => Fault::Refused { code, text },
        }
    }

    fn plain(&self, text: &str) -> String {
        let hidden = match self.to.key.is_empty() {
            true => text.to_owned(),
            false => text.replace(&self.to.key, "…"),
        };
        hidden.chars().filter(|it| !it.is_control()).take(LONGEST).collect()
    }

    fn command(&mut self, stream: u32, values: &[Value]) {
        self.send(kind::COMMAND, stream, &amf::write(values));
    }

    fn send(&mut self, kind: u8, stream: u32, body: &[u8]) {
        self.writer.message((kind, stream, 0), &[], &Bytes::copy_from_slice(body), &mut self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> Where {
        Where { app: "live".into(), tc_url: "rtmp://example.org/live".into(), key: "a-secret".into() }
    }

    /// A session whose handshake is over, and what it asked for first.
    fn connecting() -> (Session, Vec<Message>) {
        let mut session = Session::new(to(), vec!["hvc1"], &[5; 2000]);
        let hello = session.take().concat();
        assert_eq!((hello.len(), hello[0]), (1537, 3));
        let server: Vec<u8> = [3].into_iter().chain((0..HANDSHAKE * 2).map(|at| at as u8)).collect();
        for piece in server.chunks(1000) {
            assert_eq!(session.input(piece), Ok(Vec::new()));
        }
        let out = session.take().concat();
        assert_eq!(out[..HANDSHAKE], server[1..=HANDSHAKE], "C2 is S1");
        let commands = messages(&mut Reader::default(), &out[HANDSHAKE..]);
        (session, commands)
    }

    fn messages(reader: &mut Reader, mut bytes: &[u8]) -> Vec<Message> {
        std::iter::from_fn(|| reader.next(&mut bytes).expect("legal")).collect()
    }

    fn answer(session: &mut Session, values: &[Value]) -> Result<Vec<Event>, Fault> {
        let mut out = Vec::new();
        let body = Bytes::from(amf::write(values));
        // A chunk for all of it: nothing said otherwise.
        Writer::default().message((kind::COMMAND, 0, 0), &[], &body, &mut out);
        session.input(&out.concat())
    }

    fn status(level: &str, code: &str, text: &str) -> Value {
        amf::object([("level", level.into()), ("code", code.into()), ("description", text.into())])
    }

    fn names(messages: &[Message]) -> Vec<String> {
        let commands = messages.iter().filter(|message| message.kind == kind::COMMAND);
        commands.map(|it| amf::read(&it.body).expect("AMF")[0].text().expect("a name").to_owned()).collect()
    }

    fn asking() -> (Session, Reader) {
        let (mut session, commands) = connecting();
        assert_eq!(names(&commands), ["connect"]);
        let mut reader = Reader::default();
        messages(&mut reader, &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(answer(&mut session, &["_result".into(), 1.0.into(), Value::Null]), Ok(vec![]));
        let commands = messages(&mut reader, &session.take().concat());
        assert_eq!(names(&commands), ["releaseStream", "FCPublish", "createStream"]);
        let failed = ["_error".into(), 2.0.into(), Value::Null];
        assert_eq!(answer(&mut session, &failed), Ok(vec![]), "releaseStream is not known everywhere");
        assert_eq!(
            answer(&mut session, &["_result".into(), 4.0.into(), Value::Null, 7.0.into()]),
            Ok(vec![])
        );
        let commands = messages(&mut reader, &session.take().concat());
        assert_eq!(names(&commands), ["publish"]);
        (session, reader)
    }

    #[test]
    fn a_publication_begins_and_ends() {
        let (mut session, mut reader) = asking();
        assert!(!session.is_publishing());
        let start =
            ["onStatus".into(), 0.0.into(), Value::Null, status("status", "NetStream.Publish.Start", "")];
        assert_eq!(answer(&mut session, &start), Ok(vec![Event::Started]));
        session.media(kind::VIDEO, 40, &[0x17, 1, 0, 0, 0], &Bytes::from_static(b"picture"));
        session.finish();
        let sent = messages(&mut reader, &session.take().concat());
        assert_eq!(sent[0].body, b"\x17\x01\0\0\0picture");
        assert_eq!(names(&sent), ["FCUnpublish", "deleteStream"]);
    }

    #[test]
    fn codecs_that_need_it_are_named() {
        let (_, commands) = connecting();
        let values = amf::read(&commands[1].body).expect("AMF");
        let Value::Object(facts) = &values[2] else { panic!("no command object") };
        let list = facts.iter().find(|(name, _)| name == "fourCcList").map(|(_, list)| list);
        assert_eq!(list, Some(&Value::Array(vec!["hvc1".into()])));
    }

    #[test]
    fn a_refusal_is_told_without_the_key() {
        let (mut session, _) = asking();
        let why = status("error", "NetStream.Publish.BadName", "a-secret\nis taken");
        let refused = answer(&mut session, &["onStatus".into(), 0.0.into(), Value::Null, why]);
        let (code, text) = ("NetStream.Publish.BadName".to_owned(), "…is taken".to_owned());
        assert_eq!(refused, Err(Fault::Refused { code, text }));
        let (mut session, _) = connecting();
        let why = status("error", "NetConnection.Connect.Rejected", "no such application");
        assert!(answer(&mut session, &["_error".into(), 1.0.into(), Value::Null, why]).is_err());
    }

    #[test]
    fn what_the_protocol_wants_answered_is_answered() {
        let (mut session, _) = asking();
        let mut out = Vec::new();
        let mut say = |kind, body: &'static [u8]| {
            Writer::default().message((kind, 0, 0), &[], &Bytes::from_static(body), &mut out);
        };
        say(kind::USER_CONTROL, &[0, 6, 1, 2, 3, 4]);
        say(kind::WINDOW_SIZE, &[0, 0, 0, 10]);
        session.input(&out.concat()).expect("legal");
        let mut reader = Reader::default();
        messages(&mut reader, &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
        let said = messages(&mut reader, &session.take().concat());
        assert_eq!(said[0], Message { kind: kind::USER_CONTROL, body: vec![0, 7, 1, 2, 3, 4] });
        assert_eq!(said[1].kind, kind::ACKNOWLEDGEMENT);
    }

    #[test]
    fn other_protocols_are_refused_at_once() {
        let mut session = Session::new(to(), Vec::new(), &[]);
        assert!(session.input(b"HTTP/1.1 400 Bad Request\r\n").is_err());
    }
}
