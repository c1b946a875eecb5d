//! An encoder and the way of its bytes through ingest and packager, in one thread and without sockets.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ingest::rtmp::session::Event;
use ingest::rtmp::{Limits, Session};
use media::{Sample, TrackId, WallTime};
use packager::{Now, Numbers, Packager, Presentation, Settings};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{ClientSession, ClientSessionConfig, ClientSessionResult, PublishRequestType};
use rml_rtmp::time::RtmpTimestamp;
use stream::Input;

const AVC_RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");
const AAC_CONFIG: [u8; 2] = [0x11, 0x90];
/// How much a socket would deliver at a time.
const READ: usize = 16 << 10;

/// An RTMP client that publishes 1280x720 at 30 fps and AAC at 48 kHz into a packager.
pub struct Encoder {
    client: ClientSession,
    session: Session,
    pub packager: Packager,
    start: Instant,
    /// Every sample as ingest made it, if asked for.
    pub samples: Option<Vec<(TrackId, Sample)>>,
    pub millis: u32,
}

impl Encoder {
    pub fn on_air(settings: Settings, chunk_size: u32) -> Encoder {
        let start = Instant::now();
        let mut session = Session::new(Limits::default(), start);
        shake(&mut session, start);
        let mut config = ClientSessionConfig::new();
        config.chunk_size = chunk_size;
        let (client, first) = ClientSession::new(config).expect("a client");
        let numbers = Numbers::unknown(WallTime::from_millis(1_795_309_432_000));
        let packager = Packager::new(Arc::new(settings), numbers, false);
        let mut encoder = Encoder { client, session, packager, start, samples: None, millis: 0 };
        encoder.carry(first);
        let connect = encoder.client.request_connection("live".into()).expect("a request");
        encoder.carry(vec![connect]);
        let key = "key".to_owned();
        let publish = encoder.client.request_publishing(key, PublishRequestType::Live).expect("a request");
        encoder.carry(vec![publish]);
        encoder.video(&[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat());
        encoder.audio(&[&[0xaf, 0], &AAC_CONFIG[..]].concat());
        encoder
    }

    /// Publishes for that long at about 2.6 Mbit/s, with a keyframe every two seconds.
    pub fn run(&mut self, seconds: u32) {
        let first = self.millis;
        let mut audio = 0;
        for frame in 0..seconds * 30 {
            let at = first + frame * 1000 / 30;
            while first + audio * 64 / 3 <= at {
                self.millis = first + audio * 64 / 3;
                let body = vec![audio as u8; 340];
                self.audio(&[&[0xaf, 1], &body[..]].concat());
                audio += 1;
            }
            self.millis = at;
            self.picture(frame % 60 == 0, frame);
        }
        self.millis = first + seconds * 1000;
    }

    fn picture(&mut self, keyframe: bool, frame: u32) {
        let len: u32 = if keyframe { 90_000 } else { 7_000 + frame * 7919 % 4_000 };
        let mut tag = vec![if keyframe { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        tag.extend((len - 4).to_be_bytes());
        tag.push(if keyframe { 0x65 } else { 0x41 });
        tag.resize(len as usize + 5, frame as u8);
        self.video(&tag);
    }

    fn video(&mut self, tag: &[u8]) {
        let (data, at) = (Bytes::copy_from_slice(tag), RtmpTimestamp::new(self.millis));
        let packet = self.client.publish_video_data(data, at, false).expect("a packet");
        self.carry(vec![packet]);
    }

    fn audio(&mut self, tag: &[u8]) {
        let (data, at) = (Bytes::copy_from_slice(tag), RtmpTimestamp::new(self.millis));
        let packet = self.client.publish_audio_data(data, at, false).expect("a packet");
        self.carry(vec![packet]);
    }

    /// Carries packets to the session and its answers back, until both are silent.
    fn carry(&mut self, results: Vec<ClientSessionResult>) {
        let mut results = VecDeque::from(results);
        while let Some(result) = results.pop_front() {
            if let ClientSessionResult::OutboundResponse(packet) = result {
                for read in packet.bytes.chunks(READ) {
                    self.session.handle(read, self.start).expect("legal");
                    self.take_events();
                }
            }
            if let Some(answer) = self.session.poll_transmit() {
                results.extend(self.client.handle_input(&answer).expect("legal"));
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Publish(request) => self.session.accept(request.stream_id),
                Event::Input(_, input) => self.package(input),
                Event::Unpublish(..) => {}
            }
        }
    }

    fn package(&mut self, input: Input) {
        match input {
            Input::Announce { video, audio } => self.packager.announce(video, audio),
            Input::Metadata { .. } => {}
            Input::Track { id, track } => self.packager.track(id, track),
            Input::Sample { id, sample } => {
                if let Some(samples) = &mut self.samples {
                    samples.push((id, sample.clone()));
                }
                let elapsed = Duration::from_millis(self.millis.into());
                let wall = WallTime::from_millis(1_795_309_432_000 + i64::from(self.millis));
                self.packager.push(id, sample, Now { instant: self.start + elapsed, wall });
            }
        }
        self.packager.take_log();
    }

    pub fn presentation(&self) -> &Presentation {
        self.packager.presentation().expect("playable")
    }
}

/// The client's half of the handshake.
fn shake(session: &mut Session, now: Instant) {
    let mut client = Handshake::new(PeerType::Client);
    let mut send = client.generate_outbound_p0_and_p1().expect("random bytes");
    loop {
        session.handle(&send, now).expect("legal");
        let Some(answer) = session.poll_transmit() else {
            return;
        };
        match client.process_bytes(&answer).expect("legal") {
            HandshakeProcessResult::InProgress { response_bytes } => send = response_bytes,
            HandshakeProcessResult::Completed { response_bytes, .. } => send = response_bytes,
        }
    }
}
