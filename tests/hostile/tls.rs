//! Who stalls a TLS handshake, speaks something else to a port for TLS, or floods HTTP/2 over it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_memory_returns, assert_told, memory};
use crate::publisher::Publisher;
use crate::slow::{self, narrow};
use crate::support::hls::Media;
use crate::support::server::{Server, Site};
use crate::support::tls::{self, Certificate, FILES, LISTENERS, Tls};
use crate::support::{http, within};
use crate::web::{exchange, get, read_to_end, status};

/// The beginning of a ClientHello of which the rest never comes.
const HELLO: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

fn serve() -> (Server, Certificate) {
    let certificate = Certificate::new();
    let settings = format!("{LISTENERS}{FILES}tls.handshake_timeout = \"2s\"\n{SETTINGS}");
    let site = Site::new(&settings, &[ENTRY]);
    certificate.write(site.folder());
    (site.start(), certificate)
}

fn send(to: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(to).expect("a listener");
    socket.write_all(bytes).expect("room");
    socket
}

/// A fresh client is served at once.
fn assert_serves(server: &Server, certificate: &Certificate) {
    let begun = Instant::now();
    let mut tls = tls::connect(server.listener("https"), &certificate.certificate, &[]).expect("a handshake");
    let (head, _) = tls::ask(&mut tls, &format!("/play/{ENTRY}/master.m3u8")).expect("an answer");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
}

#[test]
fn handshakes_that_stall_are_cut_and_cost_little() {
    let (server, certificate) = serve();
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let begun = Instant::now();
    for listener in ["https", "rtmps"] {
        let to = server.listener(listener);
        let silent = (0..300).map(|_| send(to, b""));
        let mut stalled: Vec<_> = silent.chain((0..300).map(|_| send(to, HELLO))).collect();
        assert_serves(&server, &certificate);
        let more = memory(&server).saturating_sub(before);
        assert!(more < 40 * MB, "{} MB for handshakes", more / MB);
        for socket in &mut stalled {
            assert!(read_to_end(socket, Duration::from_secs(8)).is_some(), "{listener}: still there");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
    assert_told(&server, "slow-handshake", "127.0.0.1:");
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

#[test]
fn who_speaks_something_else_is_out_at_once_and_told_where_that_can_be() {
    let (server, certificate) = serve();
    let bystander = Bystander::on_air(&server);
    let (https, rtmps) = (server.listener("https"), server.listener("rtmps"));
    let out = |to: SocketAddr, bytes: &[u8]| {
        let answer = read_to_end(&mut send(to, bytes), Duration::from_secs(1));
        answer.unwrap_or_else(|| panic!("{to} waits for more than {bytes:?}"))
    };
    let answer = out(https, get("/").as_bytes());
    assert_eq!(status(&answer), 400);
    assert!(String::from_utf8_lossy(&answer).contains("https://"), "{answer:?}");
    assert_told(&server, "not-tls", "127.0.0.1:");
    for garbage in [&[0; 100][..], &[0xff; 20_000], b"\x80\x2e\x01", b"\x16\x03\x01\xff\xffgarbage"] {
        for to in [https, rtmps] {
            let answer = out(to, garbage);
            // An alert at most.
            assert!(answer.len() <= 7, "{answer:?}");
        }
    }
    assert_told(&server, "tls-handshake", "127.0.0.1:");
    out(rtmps, &[&[3][..], &[0; 1536]].concat());
    assert!(server.log().contains("rtmps:// instead of rtmp://"), "{}", server.log());
    assert!(tls::connect(server.rtmp(), &certificate.certificate, &[]).is_err());
    assert!(server.log().contains("RTMPS has a port of its own"), "{}", server.log());
    assert!(tls::connect(server.http(), &certificate.certificate, &[]).is_err());
    // RTMP inside TLS is held to what RTMP is.
    let mut tls = tls::connect(rtmps, &certificate.certificate, &[]).expect("a handshake");
    tls.write_all(b"GET / HTTP/1.1\r\n\r\n").and_then(|()| tls.flush()).expect("room");
    assert!(matches!(tls.read(&mut [0; 16]), Ok(0) | Err(_)), "no answer");
    assert_eq!(status(&exchange(server.http(), get("/healthz").as_bytes()).expect("an answer")), 200);
    assert_serves(&server, &certificate);
    bystander.assert_undisturbed();
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// GET in HPACK: static names, literal values.
fn request(path: &str) -> Vec<u8> {
    [&[0x82, 0x87, 0x41, 1, b'x', 0x04, u8::try_from(path.len()).expect("short")], path.as_bytes()].concat()
}

/// That of the bystander's playlist.
fn usual() -> Vec<u8> {
    request(&format!("/play/{ENTRY}/video-1.m3u8"))
}

fn http2(server: &Server, certificate: &Certificate) -> Tls {
    let socket = TcpStream::connect(server.listener("https")).expect("a listener");
    http2_over(socket, certificate, &[])
}

fn http2_over(socket: TcpStream, certificate: &Certificate, settings: &[u8]) -> Tls {
    let mut tls = tls::over(socket, &certificate.certificate, &["h2"]).expect("a handshake");
    assert_eq!(tls.conn.alpn_protocol(), Some(&b"h2"[..]));
    let begin = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, settings)].concat();
    tls.write_all(&begin).expect("room");
    tls
}

/// Whether the server cuts whoever goes on sending what `next` makes of the number of a step; within twenty seconds.
fn is_cut(mut tls: Tls, steps: u32, next: impl Fn(u32) -> Vec<u8>) -> bool {
    tls.sock.set_read_timeout(Some(Duration::from_millis(1))).expect("not zero");
    let begun = Instant::now();
    for step in 0..steps {
        if tls.write_all(&next(step)).and_then(|()| tls.flush()).is_err() {
            return true;
        }
        match tls.read(&mut [0; 16 << 10]) {
            Ok(0) => return true,
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return true;
            }
            _ => {}
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "borne for {step} steps");
    }
    false
}

/// Five hundred requests, each taken back at once (CVE-2023-44487).
fn resets(step: u32) -> Vec<u8> {
    let ids = (0..500).map(|at| 1 + 2 * (step * 500 + at));
    let cancel = 8u32.to_be_bytes();
    ids.flat_map(|id| [frame(1, 5, id, &usual()), frame(3, 0, id, &cancel)].concat()).collect()
}

/// A header that never ends (CVE-2024-27316).
fn continuations(step: u32) -> Vec<u8> {
    let field = |at: u8| [&[0x00, 1, b'a' + at % 26, 100][..], &[b'x'; 100]].concat();
    let fields: Vec<u8> = (0..100).flat_map(field).collect();
    match step {
        0 => frame(1, 1, 1, &usual()),
        _ => frame(9, 0, 1, &fields),
    }
}

/// Settings and pings, each of which wants an answer (CVE-2019-9512, CVE-2019-9515).
fn chatter(_: u32) -> Vec<u8> {
    (0..500).flat_map(|_| [frame(4, 0, 0, &[]), frame(6, 0, 0, &[0; 8])].concat()).collect()
}

#[test]
fn floods_of_http2_end_their_own_connections() {
    let (server, certificate) = serve();
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(is_cut(http2(&server, &certificate), 1000, resets), "resets"));
            scope.spawn(|| assert!(is_cut(http2(&server, &certificate), 1000, continuations), "headers"));
            // These are answered, and cost nothing that grows.
            scope.spawn(|| is_cut(http2(&server, &certificate), 50, chatter));
        }
        assert_serves(&server, &certificate);
    });
    let more = memory(&server).saturating_sub(before);
    assert!(more < 60 * MB, "{} MB for floods", more / MB);
    assert_told(&server, "protocol", "127.0.0.1:");
    assert_serves(&server, &certificate);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
fn window(size: u32) -> Vec<u8> {
    [&[0, 4][..], &size.to_be_bytes()].concat()
}

/// Pictures of 400 KB, and readers who take nothing of a segment: the socket is full, or no window is open.
#[test]
fn readers_over_tls_who_take_nothing_are_cut() {
    let certificate = Certificate::new();
    let site = Site::new(&format!("{LISTENERS}{FILES}{}", slow::SETTINGS), &[ENTRY, "e"]);
    certificate.write(site.folder());
    let server = site.start();
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    assert!((0..25).all(|frame| publisher.picture(frame * 100, frame % 10 == 0, 400_000)));
    let uri = Media::parse(&server.play("e").wait_for("video-1.m3u8")).last().uri.clone();
    let (path, https) = (format!("/play/e/{uri}"), server.listener("https"));
    let mut plain = tls::over(narrow(https), &certificate.certificate, &["http/1.1"]).expect("a handshake");
    plain.write_all(get(&path).as_bytes()).expect("room");
    const WIDE: u32 = 1 << 30;
    let framed = [WIDE, 0].map(|size| {
        let mut tls = http2_over(narrow(https), &certificate, &window(size));
        let ask = [frame(8, 0, 0, &WIDE.to_be_bytes()), frame(1, 5, 1, &request(&path))].concat();
        tls.write_all(&ask).expect("room");
        tls
    });
    within(20, "all are cut", || {
        let text = http::get(&server.http_url("metrics"), &[]).text();
        text.contains("headwater_http_refusals_total{reason=\"slow-reader\"} 3").then_some(())
    });
    for mut tls in framed.into_iter().chain([plain]) {
        let mut all = Vec::new();
        let _ = tls.read_to_end(&mut all);
        assert!(all.len() < 4_000_000, "{} bytes", all.len());
    }
    assert_told(&server, "slow-reader", "127.0.0.1:");
    bystander.assert_undisturbed();
}
