//! A client of which every byte can be chosen, talking to a session in memory.

use std::time::{Duration, Instant};

use ingest::rtmp::amf::{self, Object, Reader, Value};
use ingest::rtmp::message::kind;
use ingest::rtmp::session::{Error, Event, PublishRequest};
use ingest::rtmp::{Limits, Session};
use media::{Sample, Track};
use rml_rtmp::chunk_io::ChunkDeserializer;
use rml_rtmp::messages::RtmpMessage;
use stream::{Input, TrackId};

use super::chunker::{Chunker, Outgoing};

/// x264, High@3.1, 1280x720.
pub(super) const AVC_RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
    0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];
/// LC, 48 kHz, stereo.
pub(super) const AAC_CONFIG: &[u8] = &[0x11, 0x90];

/// A command that the session sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) transaction: f64,
    pub(super) values: Vec<Value>,
}

impl Answer {
    /// A property of its information object.
    pub(super) fn info(&self, property: &str) -> &Value {
        self.values[1].as_object().and_then(|object| object.get(property)).unwrap_or(&Value::Undefined)
    }

    pub(super) fn code(&self) -> &str {
        self.info("code").as_str().unwrap_or_default()
    }
}

/// The client, the session, and all that the session has said.
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) now: Instant,
    pub(super) chunker: Chunker,
    /// Bytes per call of the session.
    pub(super) split: usize,
    /// Header type for messages, where possible.
    pub(super) format: u8,
    pub(super) events: Vec<Event>,
    pub(super) answers: Vec<Answer>,
    pub(super) controls: Vec<RtmpMessage>,
    reader: ChunkDeserializer,
}

impl Client {
    /// Past the handshake.
    pub(super) fn new() -> Client {
        Client::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Client {
        let now = Instant::now();
        let mut session = Session::new(limits, now);
        let handshake = [&[3][..], &[0; 1536], &[0; 1536]].concat();
        session.handle(&handshake, now).unwrap();
        assert_eq!(session.poll_transmit().unwrap().len(), 1 + 2 * 1536);
        Client {
            session,
            now,
            chunker: Chunker::new(128, true),
            split: usize::MAX,
            format: 1,
            events: Vec::new(),
            answers: Vec::new(),
            controls: Vec::new(),
            reader: ChunkDeserializer::new(),
        }
    }

    /// Publishing, with nothing left over from the way there.
    pub(super) fn publishing() -> Client {
        let mut client = Client::new();
        client.connect("live").unwrap();
        client.command("createStream", 2.0, &[Value::Null]).unwrap();
        client.publish("KEY").unwrap();
        client.session.accept(1);
        client.listen();
        client.forget();
        client
    }

    /// Publishing H.264 and AAC, both described.
    pub(super) fn with_tracks() -> Client {
        let mut client = Client::publishing();
        client.video_config(0).unwrap();
        client.audio(0, &[&[0xaf, 0], AAC_CONFIG].concat()).unwrap();
        client.forget();
        client
    }

    pub(super) fn connect(&mut self, app: &str) -> Result<(), Error> {
        let object = Object::of([
            ("app", app.into()),
            ("tcUrl", format!("rtmp://host:1935/{app}").as_str().into()),
            ("objectEncoding", 0.0.into()),
        ]);
        self.command("connect", 1.0, &[object.into()])
    }

    pub(super) fn publish(&mut self, name: &str) -> Result<(), Error> {
        self.publish_on(1, name)
    }

    pub(super) fn publish_on(&mut self, stream_id: u32, name: &str) -> Result<(), Error> {
        self.send(
            kind::COMMAND,
            0,
            stream_id,
            amf_command("publish", 5.0, &[Value::Null, name.into(), "live".into()]),
        )
    }

    pub(super) fn command(&mut self, name: &str, transaction: f64, values: &[Value]) -> Result<(), Error> {
        self.send(kind::COMMAND, 0, 0, amf_command(name, transaction, values))
    }

    pub(super) fn metadata(&mut self, properties: Object) -> Result<(), Error> {
        self.send(
            kind::DATA,
            0,
            1,
            amf_values(&["@setDataFrame".into(), "onMetaData".into(), properties.into()]),
        )
    }

    pub(super) fn video_config(&mut self, timestamp: u32) -> Result<(), Error> {
        self.video(timestamp, &[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat())
    }

    /// A key picture of one NAL unit.
    pub(super) fn picture(&mut self, timestamp: u32) -> Result<(), Error> {
        self.video(timestamp, &[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88])
    }

    pub(super) fn video(&mut self, timestamp: u32, tag: &[u8]) -> Result<(), Error> {
        self.send(kind::VIDEO, timestamp, 1, tag.to_vec())
    }

    pub(super) fn audio(&mut self, timestamp: u32, tag: &[u8]) -> Result<(), Error> {
        self.send(kind::AUDIO, timestamp, 1, tag.to_vec())
    }

    /// A message on the chunk stream that encoders use for its type.
    pub(super) fn send(
        &mut self,
        kind: u8,
        timestamp: u32,
        stream_id: u32,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let csid = match kind {
            kind::AUDIO => 4,
            kind::VIDEO => 6,
            1..=6 => 2,
            _ => 3,
        };
        let message = Outgoing { kind, timestamp, stream_id, payload };
        let bytes = self.chunker.chunks(csid, self.format, &message).concat();
        self.bytes(&bytes)
    }

    /// Raw bytes of the chunk stream.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut result = Ok(());
        for piece in bytes.chunks(self.split) {
            result = self.session.handle(piece, self.now);
            if result.is_err() {
                break;
            }
        }
        self.listen();
        result
    }

    pub(super) fn pass(&mut self, time: Duration) -> Result<(), Error> {
        self.now += time;
        self.session.handle_timeout(self.now)
    }

    /// Collects what the session has to say.
    pub(super) fn listen(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.session.poll_event()));
        let mut bytes = self.session.poll_transmit().unwrap_or_default();
        while let Some(message) = self.reader.get_next_message(&bytes).unwrap() {
            bytes.clear();
            if message.type_id == kind::COMMAND {
                self.answers.push(answer(&message.data));
                continue;
            }
            let message = message.to_rtmp_message().unwrap();
            if let RtmpMessage::SetChunkSize { size } = message {
                self.reader.set_max_chunk_size(size as usize).unwrap();
            }
            self.controls.push(message);
        }
    }

    pub(super) fn forget(&mut self) {
        self.events.clear();
        self.answers.clear();
        self.controls.clear();
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.answers.iter().filter(|a| a.name == "onStatus").map(Answer::code).collect()
    }

    pub(super) fn answer(&self, name: &str) -> &Answer {
        self.answers.iter().find(|answer| answer.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub(super) fn requests(&self) -> Vec<&PublishRequest> {
        let requests = self.events.iter().filter_map(|event| match event {
            Event::Publish(request) => Some(request),
            _ => None,
        });
        requests.collect()
    }

    pub(super) fn inputs(&self) -> Vec<&Input> {
        let inputs = self.events.iter().filter_map(|event| match event {
            Event::Input(_, input) => Some(input),
            _ => None,
        });
        inputs.collect()
    }

    pub(super) fn samples(&self, of: TrackId) -> Vec<&Sample> {
        let samples = self.inputs().into_iter().filter_map(|input| match input {
            Input::Sample { id, sample } if *id == of => Some(sample),
            _ => None,
        });
        samples.collect()
    }

    pub(super) fn tracks(&self, of: TrackId) -> Vec<&Track> {
        let tracks = self.inputs().into_iter().filter_map(|input| match input {
            Input::Track { id, track } if *id == of => Some(track),
            _ => None,
        });
        tracks.collect()
    }

    /// Decode times of all samples in the order of arrival.
    pub(super) fn times(&self) -> Vec<i64> {
        let times = self.inputs().into_iter().filter_map(|input| match input {
            Input::Sample { sample, .. } => Some(sample.dts),
            _ => None,
        });
        times.collect()
    }

    pub(super) fn unpublished(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Unpublish(..))).count()
    }
}

pub(super) fn amf_values(values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| amf::write(value, &mut bytes));
    bytes
}

pub(super) fn amf_command(name: &str, transaction: f64, values: &[Value]) -> Vec<u8> {
    [amf_values(&[name.into(), transaction.into()]), amf_values(values)].concat()
}

fn answer(payload: &[u8]) -> Answer {
    let mut values = Reader::new(payload, &Limits::default()).rest().unwrap();
    let rest = values.split_off(2);
    let name = values[0].as_str().unwrap().to_owned();
    Answer { name, transaction: values[1].as_number().unwrap(), values: rest }
}
