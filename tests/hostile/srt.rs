//! Datagrams that nobody asked for, at the port where encoders call.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{assert_few, assert_memory_returns, memory};
use crate::support::hls::Media;
use crate::support::source::USUAL;
use crate::support::{Push, Server, within};

/// Control packet, type 0 (draft-sharabayko-srt §3.2): nothing else but a handshake begins something.
const HANDSHAKE: [u8; 16] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const HEADER: usize = HANDSHAKE.len();
const INDUCTION: u32 = 1;
const CONCLUSION: u32 = 0xffff_ffff;

/// A handshake of version 5 with extensions, or of version 4 as an induction is one (§3.2.1).
fn handshake(kind: u32, cookie: u32, extensions: &[u8]) -> Vec<u8> {
    // What is extended: HSREQ, KMREQ and CONFIG.
    let (version, field) = if kind == INDUCTION { (4, 2) } else { (5, 7) };
    let words = [version, field, 77, 1500, 8192, kind, 4711, cookie, 0x7f00_0001, 0, 0, 0];
    let body = words.into_iter().flat_map(u32::to_be_bytes);
    HANDSHAKE.into_iter().chain(body).chain(extensions.iter().copied()).collect()
}

/// An extension, with a length that may not be its own.
fn extension(kind: u16, words: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), &words.to_be_bytes(), content].concat()
}

fn socket(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(to).expect("an address of this machine");
    socket.set_read_timeout(Some(Duration::from_millis(300))).expect("not zero");
    socket
}

/// The answer to a datagram, if one comes.
fn answer(socket: &UdpSocket, datagram: &[u8]) -> Option<Vec<u8>> {
    socket.send(datagram).expect("room");
    let mut answer = [0; 2048];
    let length = socket.recv(&mut answer).ok()?;
    Some(answer[..length].to_vec())
}

/// A word of the body of a handshake.
fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[HEADER + 4 * at..][..4].try_into().expect("four bytes"))
}

/// §4.3.1: nothing is kept of who has not shown that the address is its own, and it gets no more than it sent.
#[test]
fn garbage_and_floods_of_handshakes_disturb_nobody_and_leave_nothing() {
    let server = Server::start(&format!("srt.latency = \"120ms\"\n{SETTINGS}"), &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let url = format!("srt://{}?streamid=publish:key-e&pkt_size=1316", server.srt());
    let _encoder = Push::transport(&url, &USUAL.file(), &["-re", "-stream_loop", "-1"]);
    let play = server.play("e");
    play.wait_for("master.m3u8");
    let (before, usual) = (memory(&server), threads(&server));

    send_noise(server.srt());
    let induction = handshake(INDUCTION, 0, &[]);
    for _ in 0..500 {
        let flood = socket(server.srt());
        (0..20).for_each(|_| drop(flood.send(&induction)));
    }
    let caller = socket(server.srt());
    let told = within(10, "an answer to an induction", || answer(&caller, &induction));
    assert!(told.len() <= induction.len(), "{} bytes for {}", told.len(), induction.len());
    send_conclusions(&caller, word(&told, 7));

    within(10, "threads of connections that came to nothing end", || {
        (threads(&server) <= usual + 2).then_some(())
    });
    assert_memory_returns(&server, before);
    for reason in ["stream-id", "unknown-key", "passphrase", "encrypted", "guesses"] {
        assert_few(&server, reason);
    }
    let newest = Media::parse(&play.wait_for("video-1.m3u8")).last().number;
    within(10, "the encoder goes on", || {
        let media = Media::parse(&play.wait_for("video-1.m3u8"));
        assert_eq!(media.discontinuities(), 0);
        (media.last().number > newest).then_some(())
    });
    bystander.assert_undisturbed();
}

/// Of any length, half of it with the header of a handshake.
fn send_noise(to: SocketAddr) {
    let (noise, mut chance) = (socket(to), fastrand::Rng::with_seed(24));
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = (0..chance.usize(0..1472)).map(|_| chance.u8(..)).collect();
        if chance.bool() && bytes.len() > HEADER {
            bytes[..HEADER].copy_from_slice(&HANDSHAKE);
        }
        let _ = noise.send(&bytes);
    }
}

/// With cookies of somebody else; with the right one, extensions that say more than they have, or other things than they
/// may, KMREQ among them.
fn send_conclusions(caller: &UdpSocket, cookie: u32) {
    assert_ne!(cookie, 0);
    for wrong in 1..100 {
        let _ = caller.send(&handshake(CONCLUSION, cookie ^ wrong, &[]));
    }
    let mut chance = fastrand::Rng::with_seed(42);
    let hsreq = extension(1, 3, &[0, 1, 5, 0, 0, 0, 0, 0xbf, 0, 120, 0, 120]);
    // Each word of a text is the other way round: publish:key-.
    let streamid = extension(5, 3, b"lbuphsi:-yek");
    for _ in 0..2000 {
        let content: Vec<u8> = (0..4 * chance.usize(0..200)).map(|_| chance.u8(..)).collect();
        let odd = extension(chance.u16(0..10), chance.u16(..) >> chance.u32(0..16), &content);
        let (parts, order) = ([&hsreq[..], &streamid, &odd], chance.usize(0..3));
        let extensions: Vec<u8> = (0..3).flat_map(|at| parts[(at + order) % 3]).copied().collect();
        let _ = caller.send(&handshake(CONCLUSION, cookie, &extensions));
    }
}

fn threads(server: &Server) -> usize {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a line of Threads");
    line.trim().parse().expect("a number")
}
