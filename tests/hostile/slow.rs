//! Who sends a request for ever, or takes an answer for ever.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY};
use crate::process::{MB, assert_memory_returns, assert_told, memory};
use crate::publisher::Publisher;
use crate::support::hls::Media;
use crate::support::{Server, within};
use crate::web::read_to_end;

pub const SETTINGS: &str = "
http.header_timeout = \"2s\"
http.write_timeout = \"2s\"
[packager]
segment = \"1s\"
window = \"3s\"
";

/// Sends `start`, then some more each `pause`; how long the server bore it.
fn drip(to: SocketAddr, start: &str, more: &str, pause: Duration) -> Duration {
    let mut socket = TcpStream::connect(to).expect("a listener");
    socket.write_all(start.as_bytes()).expect("room in the socket");
    let begun = Instant::now();
    while read_to_end(&mut socket, pause).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "still there");
        let _ = socket.write_all(more.as_bytes());
    }
    begun.elapsed()
}

#[test]
fn requests_that_drip_are_cut() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let (http, pause) = (server.http(), Duration::from_millis(300));
    thread::scope(|scope| {
        for (start, more) in [
            ("GET / HTTP/1.1\r\n", "X: y\r\n"),
            ("GET /", "x"),
            ("GET / HTTP/1.1\r\nHost: x\r\nX: ", "y"),
            ("\r\n", "\r\n"),
        ] {
            scope.spawn(move || {
                let borne = drip(http, start, more, pause);
                assert!(borne < Duration::from_secs(5), "{start:?} was borne for {borne:?}");
            });
        }
        // A body where none belongs is not waited for at all.
        let body = "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
        scope.spawn(move || assert!(drip(http, body, "x", pause) < Duration::from_secs(1)));
    });
    assert_told(&server, "slow-request", "127.0.0.1:");
    bystander.assert_undisturbed();
}

/// Asks for a segment and reads nothing of it for now.
pub fn sleepy(to: SocketAddr, path: &str) -> TcpStream {
    let mut socket = narrow(to);
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).expect("room");
    socket
}

/// A connection whose receive buffer is as small as the kernel allows.
pub fn narrow(to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    socket.connect(&to.into()).expect("a listener");
    TcpStream::from(socket)
}

/// Four megabytes a second, of which six seconds at most are kept, and readers who keep hold of each of them.
#[test]
fn readers_who_take_nothing_or_a_byte_now_and_then_are_cut() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let play = server.play("e");
    let (http, rtmp) = (server.http(), server.rtmp());
    let playlist = || Media::parse(&play.wait_for("video-1.m3u8"));
    thread::scope(|scope| {
        let big = scope.spawn(move || {
            let mut publisher = Publisher::on_air(rtmp, "e", false);
            let begun = Instant::now();
            for frame in 0..140 {
                let due = Duration::from_millis(u64::from(frame) * 100);
                while begun.elapsed() < due {
                    thread::park_timeout(due.saturating_sub(begun.elapsed()));
                }
                assert!(publisher.picture(frame * 100, frame % 10 == 0, 400_000));
            }
        });
        within(10, "a full window", || (playlist().segments.len() >= 3).then_some(()));
        let before = memory(&server);
        let mut readers = Vec::new();
        let mut seen = 0;
        while !big.is_finished() {
            let newest = playlist().last().clone();
            if newest.number > seen {
                seen = newest.number;
                let path = format!("/play/e/{}", newest.uri);
                readers.extend((0..10).map(|_| sleepy(http, &path)));
            }
            for socket in readers.iter_mut().step_by(2) {
                nibble(socket);
            }
            let now = memory(&server);
            assert!(now < before + 60 * MB, "{} MB more with {} readers", (now - before) / MB, readers.len());
        }
        big.join().expect("it was taken");
        assert_cut(&mut readers);
    });
    assert_told(&server, "slow-reader", "127.0.0.1:");
    bystander.assert_undisturbed();
}

/// Takes what is next, but no more than a byte.
fn nibble(socket: &mut TcpStream) {
    socket.set_read_timeout(Some(Duration::from_millis(1))).expect("not zero");
    let _ = socket.read(&mut [0; 1]);
}

/// Nobody got all of it.
fn assert_cut(readers: &mut [TcpStream]) {
    for socket in readers {
        let got = read_to_end(socket, Duration::from_secs(10)).expect("cut").len();
        assert!(got < 4_000_000, "{got} bytes");
    }
}

/// A request costs what it asks for, and that is given back.
#[test]
fn memory_of_answers_is_given_back() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let uri = bystander.media().last().uri.clone();
    let before = memory(&server);
    for _ in 0..200 {
        drop(sleepy(server.http(), &format!("/play/{ENTRY}/{uri}")));
    }
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}
