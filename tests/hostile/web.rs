//! An HTTP client of which every byte is the test's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Sends bytes and half closes; what came back until the end, or `None` where that took more than ten seconds.
pub fn exchange(to: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut socket = TcpStream::connect(to).expect("a listener");
    // The server may have said no, and closed, before it has everything.
    let _ = socket.write_all(bytes);
    read_to_end(&mut socket, Duration::from_secs(11))
}

/// The status of the first answer in what came back; zero where there is none.
pub fn status(answer: &[u8]) -> u16 {
    let digits = answer.strip_prefix(b"HTTP/1.1 ").or(answer.strip_prefix(b"HTTP/1.0 "));
    let digits = digits.and_then(|rest| rest.get(..3)).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Everything until the connection ends; a reset is an end.
pub fn read_to_end(socket: &mut TcpStream, patience: Duration) -> Option<Vec<u8>> {
    let deadline = Instant::now() + patience;
    let (mut all, mut some) = (Vec::new(), [0; 16 << 10]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        socket.set_read_timeout(Some(left)).expect("not zero");
        match socket.read(&mut some) {
            Ok(0) => return Some(all),
            Ok(length) => all.extend_from_slice(&some[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Some(all),
            Err(_) => return None,
        }
    }
}

/// A request that a browser could have sent.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}
