//! The handshake (5.2), simple and with digests, done by `rml_rtmp`.
//!
//! Only its length is known here: the crate is fed exactly C0, C1 and C2, so that it never buffers more.

use rml_rtmp::handshake::{Handshake as Peer, HandshakeProcessResult as Step, PeerType};

/// Bytes of C0, C1 and C2 together.
const LENGTH: usize = 1 + 1536 + 1536;

/// What TLS begins with.
const TLS: u8 = 22;

/// The server's side of a handshake.
pub struct Handshake {
    peer: Peer,
    missing: usize,
}

/// The peer does not speak RTMP version 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("handshake: {0}")]
pub struct Error(String);

impl Handshake {
    /// Waits for C0.
    pub fn new() -> Handshake {
        Handshake { peer: Peer::new(PeerType::Server), missing: LENGTH }
    }

    /// Takes what belongs to the handshake off the front of `input` and appends the answer to `out`.
    ///
    /// Says whether the handshake is complete; what is left of `input` then belongs to the chunk stream.
    pub fn handle(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
        let (bytes, rest) = input.split_at(self.missing.min(input.len()));
        *input = rest;
        if bytes.is_empty() {
            return Ok(self.missing == 0);
        }
        self.check_version(bytes)?;
        self.missing -= bytes.len();
        let (answer, complete) = match self.peer.process_bytes(bytes).map_err(|e| Error(e.to_string()))? {
            Step::InProgress { response_bytes } => (response_bytes, false),
            Step::Completed { response_bytes, .. } => (response_bytes, true),
        };
        out.extend_from_slice(&answer);
        Ok(complete)
    }

    /// Versions above 3 are not defined, 6 and 8 are encrypted, and text is another protocol (5.2.2).
    fn check_version(&self, bytes: &[u8]) -> Result<(), Error> {
        match bytes {
            [TLS, ..] if self.missing == LENGTH => {
                Err(Error("TLS where RTMP is spoken in clear: RTMPS has a port of its own".to_owned()))
            }
            [version, ..] if self.missing == LENGTH && *version != 3 => {
                Err(Error(format!("version {version} is not 3")))
            }
            _ => Ok(()),
        }
    }
}

impl Default for Handshake {
    fn default() -> Self {
        Handshake::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(server: &mut Handshake, mut input: &[u8]) -> (Result<bool, Error>, Vec<u8>, usize) {
        let mut out = Vec::new();
        let done = server.handle(&mut input, &mut out);
        (done, out, input.len())
    }

    #[test]
    fn simple_handshake_echoes_c1() {
        let mut server = Handshake::new();
        let c1: Vec<u8> = (0..1536).map(|i| if i < 8 { 0 } else { i as u8 }).collect();
        let (done, s, _) = run(&mut server, &[&[3], &c1[..]].concat());
        assert_eq!(done, Ok(false));
        assert_eq!((s[0], s.len()), (3, LENGTH));
        assert_eq!(s[1537..], c1[..], "S2 is C1");
        let (done, more, left) = run(&mut server, &[&s[1..1537], b"chunks"].concat());
        assert_eq!((done, more.len(), left), (Ok(true), 0, 6));
    }

    #[test]
    fn digest_handshake_completes_byte_by_byte() {
        let mut client = Peer::new(PeerType::Client);
        let mut server = Handshake::new();
        let mut feed = |bytes: &[u8]| {
            let mut answer = Vec::new();
            let complete = bytes
                .iter()
                .fold(false, |_, byte| server.handle(&mut &[*byte][..], &mut answer).expect("accepted"));
            (complete, answer)
        };
        let (complete, answer) = feed(&client.generate_outbound_p0_and_p1().expect("client begins"));
        assert!(!complete);
        let c2 = match client.process_bytes(&answer).expect("client accepts") {
            Step::Completed { response_bytes, .. } => response_bytes,
            waiting => panic!("client waits: {waiting:?}"),
        };
        assert_eq!(feed(&c2), (true, Vec::new()));
    }

    #[test]
    fn other_versions_and_other_protocols_are_refused_at_once() {
        for first in [&[0u8][..], &[4], &[6], &[8], b"GET / HTTP/1.1\r\n", &[0x16, 3, 1]] {
            let (done, answer, _) = run(&mut Handshake::new(), first);
            assert!(done.is_err());
            assert!(answer.is_empty());
        }
    }
}
