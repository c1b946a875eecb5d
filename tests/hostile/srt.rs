//! Datagrams that nobody asked for, at the port where encoders call.

use std::net::{SocketAddr, UdpSocket};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_few, memory};
use crate::support::hls::Media;
use crate::support::source::USUAL;
use crate::support::srt_handshake::{
    CONCLUSION, HEADER, INDUCTION, answer, cookie, extension, handshake, hsreq, keyed, socket, stream_id,
};
use crate::support::{Push, Server, within};

/// What may stay of floods, however many there were.
const KEPT: u64 = 20 * MB;
/// An entry whose publishers encrypt: what is odd in their keys gets as far as the cipher.
const SECRET: &str = "[[streams]]\nentry = \"x\"\nkey = \"key-x\"\npassphrase = \"correct-horse\"\n";

/// §4.3.1: nothing is kept of who has not shown that the address is its own, and it gets no more than it sent.
#[test]
fn garbage_and_floods_of_handshakes_disturb_nobody_and_leave_nothing() {
    let server = Server::start(&format!("srt.latency = \"120ms\"\n{SETTINGS}{SECRET}"), &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let url = format!("srt://{}?streamid=publish:key-e&pkt_size=1316", server.srt());
    let _encoder = Push::transport(&url, &USUAL.file(), &["-re", "-stream_loop", "-1"]);
    let play = server.play("e");
    play.wait_for("master.m3u8");
    let (before, usual) = (memory(&server), threads(&server));

    let wave = || {
        send_noise(server.srt());
        flood(server.srt());
        within(10, "threads of connections that came to nothing end", || {
            (threads(&server) <= usual + 2).then_some(())
        });
    };
    for _ in 0..2 {
        wave();
        within(30, "what they took is given back", || (memory(&server) < before + KEPT).then_some(()));
    }
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

/// Inductions from everywhere, then conclusions from one address.
fn flood(to: SocketAddr) {
    let induction = handshake(INDUCTION, 0, &[]);
    for _ in 0..500 {
        let flood = socket(to);
        (0..20).for_each(|_| drop(flood.send(&induction)));
    }
    let caller = socket(to);
    let told = within(10, "an answer to an induction", || answer(&caller, &induction));
    assert!(told.len() <= induction.len(), "{} bytes for {}", told.len(), induction.len());
    send_conclusions(&caller, cookie(&told));
}

/// Of any length, half of it with the header of a handshake.
fn send_noise(to: SocketAddr) {
    let (noise, mut chance) = (socket(to), fastrand::Rng::with_seed(24));
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = (0..chance.usize(0..1472)).map(|_| chance.u8(..)).collect();
        if chance.bool() && bytes.len() > HEADER.len() {
            bytes[..HEADER.len()].copy_from_slice(&HEADER);
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
    let (hsreq, streamid) = (hsreq(), stream_id(b"publish:key-x"));
    for _ in 0..2000 {
        let content: Vec<u8> = (0..4 * chance.usize(0..200)).map(|_| chance.u8(..)).collect();
        let odd = extension(chance.u16(0..10), chance.u16(..) >> chance.u32(0..16), &content);
        let (parts, order) = ([&hsreq[..], &streamid, &odd], chance.usize(0..3));
        let extensions: Vec<u8> = (0..3).flat_map(|at| parts[(at + order) % 3]).copied().collect();
        let conclusion = handshake(CONCLUSION, cookie, &extensions);
        let _ = caller.send(&if chance.bool() { keyed(conclusion) } else { conclusion });
    }
}

fn threads(server: &Server) -> usize {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a line of Threads");
    line.trim().parse().expect("a number")
}
