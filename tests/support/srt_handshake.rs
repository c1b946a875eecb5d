//! The handshake of SRT by hand (draft-sharabayko-srt §3.2.1 and §4.3.1): what a caller is answered, to the number.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::wait::within;

/// Control packet, type 0: a handshake.
pub const HEADER: [u8; 16] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// The first half of a handshake, which asks for a cookie.
pub const INDUCTION: u32 = 1;
/// The second, which brings it.
pub const CONCLUSION: u32 = 0xffff_ffff;
/// Where type and cookie stand in the body.
const TYPE: usize = 5;
const COOKIE: usize = 7;

/// A handshake of version 5 with extensions, or of version 4 as an induction is one.
pub fn handshake(kind: u32, cookie: u32, extensions: &[u8]) -> Vec<u8> {
    // What is extended: HSREQ and CONFIG.
    let (version, field) = if kind == INDUCTION { (4, 2) } else { (5, 5) };
    let words = [version, field, 77, 1500, 8192, kind, 4711, cookie, 0x7f00_0001, 0, 0, 0];
    let body = words.into_iter().flat_map(u32::to_be_bytes);
    HEADER.into_iter().chain(body).chain(extensions.iter().copied()).collect()
}

/// The same, which says that it has keys too.
pub fn keyed(mut handshake: Vec<u8>) -> Vec<u8> {
    handshake[HEADER.len() + 7] |= 2;
    handshake
}

/// An extension, with a length that need not be its own.
pub fn extension(kind: u16, words: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), &words.to_be_bytes(), content].concat()
}

/// What a caller of version 1.5.0 can do, with a latency of 120 ms.
pub fn hsreq() -> Vec<u8> {
    extension(1, 3, &[0, 1, 5, 0, 0, 0, 0, 0xbf, 0, 120, 0, 120])
}

/// A stream id: four bytes a word, the other way round.
pub fn stream_id(text: &[u8]) -> Vec<u8> {
    let words: Vec<u8> =
        text.chunks(4).flat_map(|word| (0..4).rev().map(|at| word.get(at).copied().unwrap_or(0))).collect();
    extension(5, (words.len() / 4) as u16, &words)
}

/// A socket that hears one address.
pub fn socket(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.connect(to).expect("an address of this machine");
    socket.set_read_timeout(Some(Duration::from_millis(300))).expect("not zero");
    socket
}

/// The answer to a datagram, if one comes.
pub fn answer(socket: &UdpSocket, datagram: &[u8]) -> Option<Vec<u8>> {
    socket.send(datagram).expect("room");
    let mut answer = [0; 2048];
    let length = socket.recv(&mut answer).ok()?;
    Some(answer[..length].to_vec())
}

/// The cookie in the answer to an induction.
pub fn cookie(answer: &[u8]) -> u32 {
    word(answer, COOKIE)
}

/// With which code a caller is refused that asks for this; `None` when he is let in.
pub fn refusal(to: SocketAddr, wanted: &[u8]) -> Option<u32> {
    /// What is added to the code.
    const FAILURE: u32 = 1000;
    let caller = socket(to);
    let told = within(10, "a cookie", || answer(&caller, &handshake(INDUCTION, 0, &[])));
    let wanted = if wanted.is_empty() { Vec::new() } else { stream_id(wanted) };
    let conclusion = handshake(CONCLUSION, cookie(&told), &[hsreq(), wanted].concat());
    let told = within(10, "an answer", || answer(&caller, &conclusion));
    Some(word(&told, TYPE)).filter(|kind| *kind != CONCLUSION).map(|kind| kind - FAILURE)
}

fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(packet[HEADER.len() + 4 * at..][..4].try_into().expect("four bytes"))
}
