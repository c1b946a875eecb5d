//! An independent implementation of the client: `rml_rtmp`, over bytes in memory.

use std::time::Instant;

use bytes::Bytes;
use ingest::rtmp::session::Event;
use ingest::rtmp::{Limits, Session};
use media::Codec;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
    StreamMetadata,
};
use rml_rtmp::time::RtmpTimestamp;
use stream::{Input, Leg};

use super::client::{AAC_CONFIG, AVC_RECORD};

/// Both ends, and what each has said.
struct Wire {
    client: ClientSession,
    session: Session,
    heard: Vec<ClientSessionEvent>,
    events: Vec<Event>,
}

impl Wire {
    fn new(chunk_size: u32) -> Wire {
        let now = Instant::now();
        let mut session = Session::new(Limits::default(), now);
        shake(&mut session);
        let mut config = ClientSessionConfig::new();
        config.chunk_size = chunk_size;
        config.tc_url = Some("rtmp://127.0.0.1:1935/live".into());
        let (client, first) = ClientSession::new(config).unwrap();
        let mut wire = Wire { client, session, heard: Vec::new(), events: Vec::new() };
        wire.carry(first);
        wire
    }

    /// Carries packets to the session, and its answers back, until both are silent.
    fn carry(&mut self, results: Vec<ClientSessionResult>) {
        let mut results = std::collections::VecDeque::from(results);
        while let Some(result) = results.pop_front() {
            match result {
                ClientSessionResult::OutboundResponse(packet) => {
                    self.session.handle(&packet.bytes, Instant::now()).unwrap();
                }
                ClientSessionResult::RaisedEvent(event) => self.heard.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
            while let Some(event) = self.session.poll_event() {
                if let Event::Publish(request) = &event {
                    self.session.accept(request.stream_id);
                }
                self.events.push(event);
            }
            if let Some(bytes) = self.session.poll_transmit() {
                results.extend(self.client.handle_input(&bytes).unwrap());
            }
        }
    }

    fn publish(&mut self, app: &str, name: &str) {
        let connect = self.client.request_connection(app.into()).unwrap();
        self.carry(vec![connect]);
        assert!(self.heard.contains(&ClientSessionEvent::ConnectionRequestAccepted), "{:?}", self.heard);
        let publish = self.client.request_publishing(name.into(), PublishRequestType::Live).unwrap();
        self.carry(vec![publish]);
        assert!(self.heard.contains(&ClientSessionEvent::PublishRequestAccepted), "{:?}", self.heard);
    }

    fn video(&mut self, timestamp: u32, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        let result = self.client.publish_video_data(data, RtmpTimestamp::new(timestamp), false).unwrap();
        self.carry(vec![result]);
    }

    fn audio(&mut self, timestamp: u32, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        let result = self.client.publish_audio_data(data, RtmpTimestamp::new(timestamp), false).unwrap();
        self.carry(vec![result]);
    }
}

fn shake(session: &mut Session) {
    let mut client = Handshake::new(PeerType::Client);
    let mut to_session = client.generate_outbound_p0_and_p1().unwrap();
    loop {
        session.handle(&to_session, Instant::now()).unwrap();
        let answer = session.poll_transmit().unwrap();
        match client.process_bytes(&answer).unwrap() {
            HandshakeProcessResult::InProgress { response_bytes } => to_session = response_bytes,
            HandshakeProcessResult::Completed { response_bytes, .. } => {
                return session.handle(&response_bytes, Instant::now()).unwrap();
            }
        }
    }
}

#[test]
fn an_independent_client_publishes() {
    for chunk_size in [128, 4096, 65536] {
        let mut wire = Wire::new(chunk_size);
        wire.publish("live", "KEY");
        let mut metadata = StreamMetadata::new();
        (metadata.video_width, metadata.audio_codec_id) = (Some(1280), Some(10));
        let metadata = wire.client.publish_metadata(&metadata).unwrap();
        wire.carry(vec![metadata]);
        wire.video(0, &[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat());
        wire.audio(0, &[&[0xaf, 0], AAC_CONFIG].concat());
        let picture = [&[0x17, 1, 0, 0, 0, 0, 0, 0x4e, 0x20, 0x65][..], &vec![9; 19_999]].concat();
        for timestamp in [0xff_fff0, 0x100_0018, 0x100_0040] {
            wire.video(timestamp, &picture);
            wire.audio(timestamp + 3, &[0xaf, 1, 1, 2, 3]);
        }
        let stop = wire.client.stop_publishing().unwrap();
        wire.carry(stop);
        check(&wire.events, &picture[5..]);
    }
}

fn check(events: &[Event], picture: &[u8]) {
    let mut times = Vec::new();
    for event in events {
        match event {
            Event::Publish(request) => {
                assert_eq!(
                    (request.leg, request.key.clone().into_secret()),
                    (Leg::Primary, "KEY".to_owned())
                );
            }
            Event::Input(_, Input::Announce { video, audio }) => assert!(*video && *audio),
            Event::Input(_, Input::Track { track, .. }) => match &track.codec {
                Codec::Avc(avc) => assert_eq!((avc.width, avc.height), (1280, 720)),
                Codec::Aac(aac) => assert_eq!(aac.channels, 2),
                other => panic!("{}", other.name()),
            },
            Event::Input(_, Input::Sample { sample, .. }) => {
                assert!(*sample.data == *picture || *sample.data == [1, 2, 3]);
                times.push(sample.dts);
            }
            Event::Input(_, Input::Metadata { .. }) => panic!("RTMP brings no timed metadata"),
            Event::Unpublish(..) => times.push(-1),
        }
    }
    let expected = [0xff_fff0, 0xff_fff3, 0x100_0018, 0x100_001b, 0x100_0040, 0x100_0043, -1];
    assert_eq!(times, expected);
}

#[test]
fn an_independent_client_understands_a_rejection() {
    let mut wire = Wire::new(4096);
    let connect = wire.client.request_connection("vod".into()).unwrap();
    let ClientSessionResult::OutboundResponse(packet) = connect else { panic!("a packet") };
    assert!(wire.session.handle(&packet.bytes, Instant::now()).is_err());
    let bytes = wire.session.poll_transmit().unwrap();
    let heard = wire.client.handle_input(&bytes).unwrap();
    let rejected = |result: &ClientSessionResult| {
        matches!(result, ClientSessionResult::RaisedEvent(ClientSessionEvent::ConnectionRequestRejected { description })
            if description.contains("publish to /live/KEY"))
    };
    assert!(heard.iter().any(rejected), "{heard:?}");
}
