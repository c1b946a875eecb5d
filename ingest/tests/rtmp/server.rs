//! The skin on a real socket, with an independent client and the real directory.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use ingest::rtmp::amf::{Object, Value};
use ingest::rtmp::message::kind;
use ingest::rtmp::{Limits, Server, Settings};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
};
use rml_rtmp::time::RtmpTimestamp;
use stream::ledger::Forgetful;
use stream::{Admit, Air, Directory, ForGood, Found, Grant, Refusal, Request, Source, Takeover, Viewer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::chunker::{Chunker, Outgoing};
use super::client::{AAC_CONFIG, AVC_RECORD, amf_command};

const PATIENCE: Duration = Duration::from_secs(10);

/// Knows the key `KEY`; at `BUG` it panics.
struct OneKey(Takeover);

impl Admit for OneKey {
    fn admit<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Grant, Refusal>> {
        assert!(request.name != "BUG", "a bug that this test made");
        let settings = Arc::new(stream::Settings { takeover: self.0, ..stream::Settings::default() });
        let (air, pass) = (Air::Live, Arc::new(ForGood));
        let (key, rendition) = match request.name.split_once('_') {
            Some((key, rendition)) => (key, Some(rendition.into())),
            None => (&*request.name, None),
        };
        let grant = Grant { entry: "0_entry".into(), leg: request.leg, rendition, settings, air, pass };
        let answer = if key == "KEY" { Ok(grant) } else { Err(Refusal::UnknownKey) };
        Box::pin(std::future::ready(answer))
    }
}

struct Running {
    at: SocketAddr,
    directory: Directory,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve(limits: Limits, takeover: Takeover) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let directory = Directory::new(Arc::new(Forgetful));
    let server = Server::new(Settings { limits }, Arc::new(OneKey(takeover)), directory.clone());
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(server.serve(listener, shutdown.clone()));
    Running { at, directory, shutdown, task }
}

/// An encoder.
struct Encoder {
    socket: TcpStream,
    client: ClientSession,
    heard: Vec<ClientSessionEvent>,
}

impl Encoder {
    async fn connect(at: SocketAddr, app: &str) -> Encoder {
        let mut socket = TcpStream::connect(at).await.unwrap();
        let rest = shake(&mut socket).await;
        let (client, first) = ClientSession::new(ClientSessionConfig::new()).unwrap();
        let mut encoder = Encoder { socket, client, heard: Vec::new() };
        encoder.carry(first).await.unwrap();
        let results = encoder.client.handle_input(&rest).unwrap();
        encoder.carry(results).await.unwrap();
        let connect = encoder.client.request_connection(app.into()).unwrap();
        encoder.carry(vec![connect]).await.unwrap();
        encoder
    }

    async fn publish(at: SocketAddr, key: &str) -> Encoder {
        let mut encoder = Encoder::connect(at, "live").await;
        encoder.hears(|event| *event == ClientSessionEvent::ConnectionRequestAccepted).await;
        let publish = encoder.client.request_publishing(key.into(), PublishRequestType::Live).unwrap();
        encoder.carry(vec![publish]).await.unwrap();
        encoder
    }

    async fn on_air(at: SocketAddr) -> Encoder {
        let mut encoder = Encoder::publish(at, "KEY").await;
        encoder.hears(|event| *event == ClientSessionEvent::PublishRequestAccepted).await;
        encoder
    }

    async fn carry(&mut self, results: Vec<ClientSessionResult>) -> io::Result<()> {
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => self.socket.write_all(&packet.bytes).await?,
                ClientSessionResult::RaisedEvent(event) => self.heard.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
        Ok(())
    }

    /// Reads once; `false` at the end of the connection.
    async fn listen(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = timeout(PATIENCE, self.socket.read(&mut buffer)).await.expect("the server answers");
        let Ok(read @ 1..) = read else { return false };
        let results = self.client.handle_input(&buffer[..read]).unwrap();
        self.carry(results).await.is_ok()
    }

    async fn hears(&mut self, wanted: impl Fn(&ClientSessionEvent) -> bool) {
        while !self.heard.iter().any(&wanted) {
            assert!(self.listen().await, "closed after {:?}", self.heard);
        }
    }

    /// Listens to the end, and gives the statuses heard, which this client does not know by name.
    async fn farewell(&mut self) -> Vec<String> {
        while self.listen().await {}
        let code = |event: &ClientSessionEvent| match event {
            ClientSessionEvent::UnhandleableOnStatusCode { code } => Some(code.clone()),
            _ => None,
        };
        self.heard.iter().filter_map(code).collect()
    }

    async fn video(&mut self, timestamp: u32, tag: &[u8]) -> io::Result<()> {
        let tag = Bytes::copy_from_slice(tag);
        let sent = self.client.publish_video_data(tag, RtmpTimestamp::new(timestamp), false).unwrap();
        self.carry(vec![sent]).await
    }

    async fn audio(&mut self, timestamp: u32, tag: &[u8]) -> io::Result<()> {
        let tag = Bytes::copy_from_slice(tag);
        let sent = self.client.publish_audio_data(tag, RtmpTimestamp::new(timestamp), false).unwrap();
        self.carry(vec![sent]).await
    }

    /// Twelve seconds of key pictures and audio, as fast as they go.
    async fn show(&mut self) {
        self.video(0, &[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat()).await.unwrap();
        self.audio(0, &[&[0xaf, 0], AAC_CONFIG].concat()).await.unwrap();
        for frame in 0..300 {
            self.video(frame * 40, &[0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]).await.unwrap();
            self.audio(frame * 40, &[0xaf, 1, 0x21, 0x10]).await.unwrap();
        }
    }
}

async fn shake(socket: &mut TcpStream) -> Vec<u8> {
    let mut handshake = Handshake::new(PeerType::Client);
    socket.write_all(&handshake.generate_outbound_p0_and_p1().unwrap()).await.unwrap();
    let mut buffer = [0; 4096];
    loop {
        let read = timeout(PATIENCE, socket.read(&mut buffer)).await.unwrap().unwrap();
        match handshake.process_bytes(&buffer[..read]).unwrap() {
            HandshakeProcessResult::InProgress { response_bytes } => {
                socket.write_all(&response_bytes).await.unwrap();
            }
            HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                socket.write_all(&response_bytes).await.unwrap();
                return remaining_bytes;
            }
        }
    }
}

#[tokio::test]
async fn what_an_encoder_sends_becomes_playable() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::on_air(server.at).await;
    encoder.show().await;
    let playable = async {
        loop {
            if let Found::View(view) = server.directory.find("0_entry", None, Viewer::Public) {
                return view.presentation.renditions.len();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert_eq!(timeout(PATIENCE, playable).await, Ok(2), "video and audio");
}

/// Each name is published on a message stream of its own (7.2.1.3, 7.2.2.6).
#[tokio::test]
async fn two_names_on_one_connection_are_two_renditions() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::connect(server.at, "live").await;
    encoder.hears(|event| *event == ClientSessionEvent::ConnectionRequestAccepted).await;
    let mut chunker = Chunker::new(128, true);
    let mut send = async |stream_id: u32, kind: u8, timestamp: u32, payload: Vec<u8>| {
        let message = Outgoing { kind, timestamp, stream_id, payload };
        let bytes = chunker.chunks(10 + stream_id, 0, &message).concat();
        encoder.socket.write_all(&bytes).await.unwrap();
    };
    for (stream_id, name) in [(1, "KEY_720p"), (2, "KEY_360p")] {
        let publish = amf_command("publish", 5.0, &[Value::Null, name.into(), "live".into()]);
        send(stream_id, kind::COMMAND, 0, publish).await;
        send(stream_id, kind::VIDEO, 0, [&[0x17, 0, 0, 0, 0], AVC_RECORD].concat()).await;
    }
    for frame in 0..300 {
        for stream_id in [1, 2] {
            send(stream_id, kind::VIDEO, frame * 40, vec![0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]).await;
        }
    }
    let both = async {
        loop {
            if let Found::View(view) = server.directory.find("0_entry", None, Viewer::Public)
                && view.presentation.renditions.len() == 2
            {
                let names = view.presentation.renditions.iter().map(|it| it.name.to_string());
                return names.collect::<BTreeSet<_>>();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let names = timeout(PATIENCE, both).await.expect("both are there");
    assert_eq!(names, BTreeSet::from(["video-720p".to_owned(), "video-360p".to_owned()]));
    let gone = amf_command("deleteStream", 0.0, &[Value::Null, 1.0.into()]);
    send(0, kind::COMMAND, 0, gone).await;
    let one = async {
        while server.directory.report("0_entry").map(|report| report.legs.len()) != Some(1) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, one).await.expect("the other goes on");
}

/// Published on anew before the server has looked at the first time, with more media than then.
#[tokio::test]
async fn a_name_that_comes_and_goes_in_one_breath_does_no_harm() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::connect(server.at, "live").await;
    encoder.hears(|event| *event == ClientSessionEvent::ConnectionRequestAccepted).await;
    let mut chunker = Chunker::new(128, true);
    let mut bytes = Vec::new();
    for pictures in [1, 5] {
        let mut add = |stream_id: u32, kind: u8, payload: Vec<u8>| {
            let message = Outgoing { kind, timestamp: 0, stream_id, payload };
            bytes.extend(chunker.chunks(10, 0, &message).concat());
        };
        add(1, kind::COMMAND, amf_command("publish", 5.0, &[Value::Null, "KEY".into(), "live".into()]));
        add(1, kind::VIDEO, [&[0x17, 0, 0, 0, 0], AVC_RECORD].concat());
        for _ in 0..pictures {
            add(1, kind::VIDEO, vec![0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]);
        }
        add(0, kind::COMMAND, amf_command("deleteStream", 0.0, &[Value::Null, 1.0.into()]));
    }
    encoder.socket.write_all(&bytes).await.unwrap();
    let publish = encoder.client.request_publishing("KEY".into(), PublishRequestType::Live).unwrap();
    encoder.carry(vec![publish]).await.unwrap();
    encoder.hears(|event| *event == ClientSessionEvent::PublishRequestAccepted).await;
}

#[tokio::test]
async fn an_unknown_key_is_refused_by_name_and_the_connection_closed() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::publish(server.at, "WRONG").await;
    assert_eq!(encoder.farewell().await, ["NetStream.Publish.BadName"]);
}

#[tokio::test]
async fn an_unknown_application_is_rejected() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::connect(server.at, "vod").await;
    encoder.hears(|event| matches!(event, ClientSessionEvent::ConnectionRequestRejected { .. })).await;
    encoder.farewell().await;
}

#[tokio::test]
async fn a_second_publisher_is_refused_while_the_first_is_on_air() {
    let server = serve(Limits::default(), Takeover::Never).await;
    let _first = Encoder::on_air(server.at).await;
    let mut second = Encoder::publish(server.at, "KEY").await;
    assert_eq!(second.farewell().await, ["NetStream.Publish.BadName"]);
}

/// The encoder lost its connection and is back before the server has noticed.
#[tokio::test]
async fn a_half_open_connection_does_not_keep_its_encoder_out() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let _silent = Encoder::on_air(server.at).await;
    let _back = Encoder::on_air(server.at).await;
}

#[tokio::test]
async fn a_publisher_that_is_pushed_out_is_told_even_while_it_sends() {
    let server = serve(Limits::default(), Takeover::Always).await;
    let mut first = Encoder::on_air(server.at).await;
    first.show().await;
    let _second = Encoder::on_air(server.at).await;
    while first.video(0, &[0x27; 9]).await.is_ok() && !first.heard.iter().any(is_status) {
        first.listen().await;
    }
    assert_eq!(first.farewell().await, ["NetStream.Unpublish.Success"]);
}

fn is_status(event: &ClientSessionEvent) -> bool {
    matches!(event, ClientSessionEvent::UnhandleableOnStatusCode { .. })
}

#[tokio::test]
async fn a_lost_connection_frees_the_stream() {
    let server = serve(Limits::default(), Takeover::Never).await;
    let first = Encoder::on_air(server.at).await;
    first.socket.set_zero_linger().unwrap();
    drop(first);
    let again = async {
        loop {
            let mut encoder = Encoder::publish(server.at, "KEY").await;
            while encoder.listen().await {
                if encoder.heard.contains(&ClientSessionEvent::PublishRequestAccepted) {
                    return;
                }
            }
        }
    };
    timeout(PATIENCE, again).await.expect("the stream is free again");
}

#[tokio::test]
async fn shutting_down_tells_publishers_and_returns() {
    let server = serve(Limits::default(), Takeover::Stale).await;
    let mut encoder = Encoder::on_air(server.at).await;
    let mut silent = TcpStream::connect(server.at).await.unwrap();
    server.shutdown.cancel();
    assert_eq!(encoder.farewell().await, ["NetStream.Unpublish.Success"]);
    drop(encoder);
    assert_eq!(silent.read(&mut [0; 10]).await.unwrap_or(0), 0);
    drop(silent);
    timeout(PATIENCE, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.at).await.is_err());
}

/// Who says that it follows a request to reconnect (Enhanced RTMP v2, `capsEx`), on air.
async fn reconnecting(at: SocketAddr) -> (TcpStream, Chunker, Vec<u8>) {
    let mut socket = TcpStream::connect(at).await.unwrap();
    shake(&mut socket).await;
    let caps = Object::of([("app", "live".into()), ("capsEx", 1.0.into())]);
    let commands = [
        amf_command("connect", 1.0, &[caps.into()]),
        amf_command("createStream", 2.0, &[Value::Null]),
        amf_command("publish", 3.0, &[Value::Null, "KEY".into(), "live".into()]),
    ];
    let mut chunker = Chunker::new(128, true);
    for payload in commands {
        let message = Outgoing { kind: kind::COMMAND, timestamp: 0, stream_id: 1, payload };
        socket.write_all(&chunker.chunks(3, 0, &message).concat()).await.unwrap();
    }
    let mut heard = Vec::new();
    until_said(&mut socket, &mut heard, "NetStream.Publish.Start").await;
    (socket, chunker, heard)
}

async fn until_said(socket: &mut TcpStream, heard: &mut Vec<u8>, word: &str) {
    while !says(heard, word) {
        let read = timeout(PATIENCE, socket.read_buf(heard)).await.expect("an answer").unwrap();
        assert!(read > 0, "closed after {heard:?}");
    }
}

fn says(heard: &[u8], word: &str) -> bool {
    heard.windows(word.len()).any(|some| some == word.as_bytes())
}

/// Enhanced RTMP v2, "Reconnect Request".
#[tokio::test]
async fn shutting_down_asks_those_to_reconnect_who_can_and_takes_their_media_until_they_left() {
    let server = serve(Limits { reconnect: 10 * PATIENCE, ..Limits::default() }, Takeover::Stale).await;
    let (mut socket, mut chunker, mut heard) = reconnecting(server.at).await;
    server.shutdown.cancel();
    until_said(&mut socket, &mut heard, "NetConnection.Connect.ReconnectRequest").await;
    let asked_for_more = amf_command("publish", 4.0, &[Value::Null, "KEY_720p".into(), "live".into()]);
    let more = Outgoing { kind: kind::COMMAND, timestamp: 0, stream_id: 2, payload: asked_for_more };
    socket.write_all(&chunker.chunks(3, 0, &more).concat()).await.unwrap();
    until_said(&mut socket, &mut heard, "NetStream.Publish.BadName").await;
    let mut video = |timestamp, payload: Vec<u8>| {
        let message = Outgoing { kind: kind::VIDEO, timestamp, stream_id: 1, payload };
        chunker.chunks(6, 0, &message).concat()
    };
    let mut media = video(0, [&[0x17, 0, 0, 0, 0], AVC_RECORD].concat());
    for frame in 0..250 {
        media.extend(video(
            frame * 40,
            [if frame % 25 == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0, 0, 0, 0, 1, 0x65].to_vec(),
        ));
    }
    socket.write_all(&media).await.unwrap();
    let on_air = async {
        while !matches!(server.directory.find("0_entry", None, Viewer::Public), Found::View(_)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, on_air).await.expect("what is sent after the request is on air");
    assert!(!says(&heard, "NetStream.Unpublish.Success"), "that is no error");
    drop(socket);
    timeout(PATIENCE, server.task).await.expect("as soon as they left").unwrap();
}

#[tokio::test]
async fn who_was_asked_to_reconnect_and_does_not_is_closed_in_time() {
    let limits = Limits { reconnect: Duration::from_millis(100), ..Limits::default() };
    let server = serve(limits, Takeover::Stale).await;
    let (mut socket, _, mut heard) = reconnecting(server.at).await;
    server.shutdown.cancel();
    let ends = socket.read_to_end(&mut heard);
    timeout(PATIENCE, ends).await.expect("the server closes").unwrap();
    let asked = heard.windows(16).filter(|some| some == b"ReconnectRequest").count();
    assert_eq!((asked, says(&heard, "NetStream.Unpublish.Success")), (1, false));
    drop(socket);
    timeout(PATIENCE, server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn garbage_and_silence_are_closed_while_others_go_on() {
    let limits = Limits { setup: Duration::from_millis(200), ..Limits::default() };
    let server = serve(limits, Takeover::Stale).await;
    let mut passers_by = Vec::new();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 100], &[3; 1000], b""] {
        let mut socket = TcpStream::connect(server.at).await.unwrap();
        socket.write_all(garbage).await.unwrap();
        passers_by.push(socket);
    }
    let mut encoder = Encoder::on_air(server.at).await;
    for mut socket in passers_by {
        let closed = async { while matches!(socket.read(&mut [0; 4096]).await, Ok(1..)) {} };
        timeout(PATIENCE, closed).await.expect("closed");
    }
    encoder.show().await;
}

#[tokio::test]
async fn a_panic_ends_its_connection_and_no_other() {
    let server = serve(Limits::default(), Takeover::Never).await;
    let mut bystander = Encoder::on_air(server.at).await;
    for _ in 0..3 {
        let mut broken = Encoder::publish(server.at, "BUG").await;
        assert_eq!(broken.farewell().await, Vec::<String>::new(), "closed without a word");
    }
    bystander.show().await;
    let mut refused = Encoder::publish(server.at, "KEY").await;
    assert_eq!(refused.farewell().await, ["NetStream.Publish.BadName"], "the stream is as it was");
}

#[tokio::test]
async fn more_connections_than_the_limit_are_closed_at_once() {
    let server = serve(Limits { connections: 1, ..Limits::default() }, Takeover::Stale).await;
    let _encoder = Encoder::on_air(server.at).await;
    let mut other = TcpStream::connect(server.at).await.unwrap();
    assert_eq!(timeout(PATIENCE, other.read(&mut [0; 10])).await.unwrap().unwrap_or(0), 0);
}
