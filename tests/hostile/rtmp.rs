//! An RTMP client of which every byte is the test's own: no state, no manners.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const DATA: u8 = 18;
pub const COMMAND: u8 = 20;

/// Its side of a connection.
pub struct Rtmp {
    socket: TcpStream,
    heard: Vec<u8>,
}

impl Rtmp {
    /// A TCP connection and nothing more.
    pub fn open(to: SocketAddr) -> Rtmp {
        Rtmp::open_from(Ipv4Addr::LOCALHOST, to)
    }

    /// The same from another address of this machine.
    pub fn open_from(from: Ipv4Addr, to: SocketAddr) -> Rtmp {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(IpAddr::V4(from), 0).into()).expect("an address of this machine");
        socket.connect(&to.into()).expect("a listener");
        let socket = TcpStream::from(socket);
        socket.set_nodelay(true).expect("TCP");
        Rtmp { socket, heard: Vec::new() }
    }

    /// Past the handshake.
    pub fn shaken(to: SocketAddr) -> Rtmp {
        let mut rtmp = Rtmp::open(to);
        rtmp.shake();
        rtmp
    }

    /// Asks to publish, and waits for what the server says to that.
    pub fn publish(to: SocketAddr, key: &str) -> Rtmp {
        Rtmp::publish_from(Ipv4Addr::LOCALHOST, to, key)
    }

    /// The same from another address of this machine.
    pub fn publish_from(from: Ipv4Addr, to: SocketAddr, key: &str) -> Rtmp {
        let mut rtmp = Rtmp::open_from(from, to);
        rtmp.shake();
        rtmp.ask("live", key);
        rtmp.hear("NetStream.Publish.");
        rtmp
    }

    /// Sends C0, C1, C2 and takes what comes to that.
    pub fn shake(&mut self) {
        self.send(&[&[3][..], &[0; 2 * 1536]].concat());
        let mut answer = [0; 1 + 2 * 1536];
        self.socket.set_read_timeout(Some(Duration::from_secs(10))).expect("not zero");
        self.socket.read_exact(&mut answer).expect("S0, S1 and S2");
    }

    /// `connect`, `createStream` and `publish` at once.
    pub fn ask(&mut self, app: &str, key: &str) {
        self.ask_with(app, key, &[]);
    }

    /// The same with a further property in the command object of `connect`.
    pub fn ask_with(&mut self, app: &str, key: &str, property: &[u8]) {
        let object = [&b"\x03\x00\x03app"[..], &text(app), property, b"\x00\x00\x09"].concat();
        let connect = [&text("connect")[..], &number(1.0), &object].concat();
        let create = [&text("createStream")[..], &number(2.0), b"\x05"].concat();
        let publish = [&text("publish")[..], &number(3.0), b"\x05", &text(key), &text("live")].concat();
        let all = [connect, create, publish].map(|command| message(COMMAND, 0, &command)).concat();
        self.send(&all);
    }

    /// Sends bytes; a server that has closed meanwhile is no error.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    /// Where the client is, as the server's log spells it.
    pub fn address(&self) -> String {
        self.socket.local_addr().expect("connected").to_string()
    }

    /// Reads until `word` was heard, ten seconds at most; says whether it was.
    pub fn hear(&mut self, word: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.has_heard(word) {
            match self.read(deadline) {
                Some(1..) => {}
                _ => return false,
            }
        }
        true
    }

    /// Whether it was heard so far.
    pub fn has_heard(&self, word: &str) -> bool {
        self.heard.windows(word.len()).any(|window| window == word.as_bytes())
    }

    /// How long the server took to close, waiting at most for `patience`.
    pub fn closed(&mut self, patience: Duration) -> Option<Duration> {
        let since = Instant::now();
        loop {
            match self.read(since + patience) {
                Some(1..) => {}
                Some(0) => return Some(since.elapsed()),
                None => return None,
            }
        }
    }

    /// Takes what is there, without waiting; whether the connection still stands.
    pub fn stands(&mut self) -> bool {
        loop {
            match self.read(Instant::now() + Duration::from_millis(1)) {
                Some(1..) => {}
                Some(0) => return false,
                None => return true,
            }
        }
    }

    /// Bytes that came, zero at the end of the connection, `None` at the deadline.
    fn read(&mut self, deadline: Instant) -> Option<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        self.socket.set_read_timeout(Some(left)).expect("not zero");
        let mut some = [0; 4096];
        match self.socket.read(&mut some) {
            Ok(length) => {
                self.heard.extend_from_slice(&some[..length]);
                Some(length)
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => None,
            Err(_) => Some(0),
        }
    }
}

/// A message in chunks of 128 bytes, the first with a full header, each type on a chunk stream of its own.
pub fn message(kind: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let csid = if kind == COMMAND { 3 } else { 4 + kind % 16 };
    let mut out = header(csid, kind, timestamp, payload.len() as u32);
    let extended = if timestamp >= 0xff_ffff { &timestamp.to_be_bytes()[..] } else { &[] };
    for (index, chunk) in payload.chunks(128).enumerate() {
        if index > 0 {
            out.push(0xc0 | csid);
            out.extend_from_slice(extended);
        }
        out.extend_from_slice(chunk);
    }
    out
}

/// The header of a message's first chunk, with an extended timestamp where it needs one.
pub fn header(csid: u8, kind: u8, timestamp: u32, len: u32) -> Vec<u8> {
    let [_, l0, l1, l2] = len.to_be_bytes();
    let [_, t0, t1, t2] = timestamp.min(0xff_ffff).to_be_bytes();
    let mut out = vec![csid, t0, t1, t2, l0, l1, l2, kind, 1, 0, 0, 0];
    if timestamp >= 0xff_ffff {
        out.extend(timestamp.to_be_bytes());
    }
    out
}

/// A string of AMF0.
pub fn text(text: &str) -> Vec<u8> {
    [&[2][..], &(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// A number of AMF0.
pub fn number(number: f64) -> Vec<u8> {
    [&[0][..], &number.to_be_bytes()].concat()
}
