//! Bytes of other protocols, half a greeting, and nothing at all: closed within ten seconds, with the default limits.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{assert_few, assert_memory_returns, assert_told, memory};
use crate::rtmp::Rtmp;
use crate::support::Server;
use crate::web::{exchange, read_to_end, status};

/// Ten seconds are the limit, and a busy machine is a second late.
const PATIENCE: Duration = Duration::from_millis(11_500);

/// What other programs say first, and what none says.
fn garbage() -> Vec<Vec<u8>> {
    let noise = (0u32..65_536).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        noise,
        vec![0; 65_536],
        vec![0xff; 65_536],
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\x80\x2e\x01\x00\x02".to_vec(),
        b"EHLO example.org\r\n".to_vec(),
        b"\0\0\0\x14ftypisom".to_vec(),
    ]
}

#[test]
fn garbage_is_cut_and_does_not_fill_the_log() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    for bytes in garbage() {
        let answer = exchange(server.http(), &bytes).expect("HTTP closes");
        assert!(matches!(status(&answer), 0 | 400 | 431), "{}", String::from_utf8_lossy(&answer));
    }
    let before = memory(&server);
    let mut peers = Vec::new();
    for bytes in garbage().into_iter().chain([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()]) {
        let mut rtmp = Rtmp::open(server.rtmp());
        rtmp.send(&bytes);
        assert!(rtmp.closed(PATIENCE).is_some(), "RTMP closes");
        peers.push(rtmp.address());
    }
    assert_told(&server, "handshake", &peers[0]);
    for _ in 0..300 {
        Rtmp::open(server.rtmp()).send(b"GET / HTTP/1.1\r\n\r\n");
        exchange(server.http(), b"rubbish\r\n\r\n");
    }
    assert_few(&server, "handshake");
    assert_few(&server, "malformed");
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// Half a greeting of RTMP, with the client that waits in it for what will not come.
fn half_greetings(to: SocketAddr) -> Vec<Rtmp> {
    let greeting = [&[3][..], &[0; 2 * 1536]].concat();
    let begun = [0, 1, 700, 1537, 3072, 3073].map(|sent| {
        let mut rtmp = Rtmp::open(to);
        rtmp.send(&greeting[..sent]);
        rtmp
    });
    let mut connected = Rtmp::shaken(to);
    connected.ask("live", "");
    let mut begun = Vec::from(begun);
    begun.push(connected);
    begun
}

fn half_requests(to: SocketAddr) -> Vec<TcpStream> {
    let starts =
        ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: y", "PRI * HTTP/2.0\r\n\r\nSM\r\n"];
    let begun = starts.map(|start| {
        let mut socket = TcpStream::connect(to).expect("a listener");
        socket.write_all(start.as_bytes()).expect("room in the socket");
        socket
    });
    Vec::from(begun)
}

#[test]
fn silence_and_half_a_greeting_are_cut_after_ten_seconds() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let silent = half_greetings(server.rtmp());
    let requests = half_requests(server.http());
    let (rtmp, http) = (silent[2].address(), requests[2].local_addr().expect("connected").to_string());
    thread::scope(|scope| {
        for mut rtmp in silent {
            scope.spawn(move || assert!(rtmp.closed(PATIENCE).is_some(), "{} stands", rtmp.address()));
        }
        for mut socket in requests {
            scope.spawn(move || assert!(read_to_end(&mut socket, PATIENCE).is_some(), "{socket:?} stands"));
        }
    });
    assert_told(&server, "slow", &rtmp);
    assert_told(&server, "slow-request", &http);
    bystander.assert_undisturbed();
}
