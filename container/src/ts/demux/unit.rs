//! PES packets out of the payloads of one PID (ISO/IEC 13818-1 §2.4.3.6).

use super::Event;
use super::packet::Packet;
use super::pes::{self, Head, Read};

/// The PES packet that is open on a PID.
#[derive(Debug)]
pub(super) struct Unit {
    pid: u16,
    state: State,
    /// The packet in which it began says that decoding may begin there.
    random_access: bool,
    /// The beginning of a header that is not all there; at most 264 bytes and a packet.
    head: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing is open: what comes before the next beginning is passed over.
    Idle,
    /// The header is not whole.
    Head,
    /// So many bytes are to come; `None` where the next one ends it.
    Body(Option<usize>),
}

impl Unit {
    pub(super) fn new(pid: u16) -> Unit {
        Unit { pid, state: State::Idle, random_access: false, head: Vec::new() }
    }

    /// Takes the next payload, and says how many PES packets came to nothing with it.
    pub(super) fn push(
        &mut self,
        packet: &Packet<'_>,
        payload: &[u8],
        out: &mut dyn FnMut(Event<'_>),
    ) -> u64 {
        let mut broken = 0;
        if packet.begins {
            // One that is shorter than it said was written so: nothing of it was lost.
            match self.state {
                State::Idle => {}
                State::Head => broken += 1,
                State::Body(_) => out(Event::Ends { pid: self.pid }),
            }
            self.state = State::Head;
            self.random_access = packet.random_access;
            self.head.clear();
        }
        match self.state {
            State::Idle => {}
            State::Head => broken += self.header(payload, out),
            State::Body(left) => self.body(left, payload, out),
        }
        broken
    }

    /// Lets go what is open, and says how many that were.
    pub(super) fn clear(&mut self) -> u64 {
        u64::from(std::mem::replace(&mut self.state, State::Idle) != State::Idle)
    }

    /// Whether something came, and not all.
    pub(super) fn is_open(&self) -> bool {
        self.state != State::Idle
    }

    /// Ends what its successor would have ended, and says whether there was that.
    pub(super) fn end(&mut self) -> bool {
        let ends = self.state == State::Body(None);
        if ends {
            self.state = State::Idle;
        }
        ends
    }

    fn header(&mut self, payload: &[u8], out: &mut dyn FnMut(Event<'_>)) -> u64 {
        let before = self.head.len();
        let read = if before == 0 {
            pes::read(payload)
        } else {
            self.head.extend_from_slice(payload);
            pes::read(&self.head)
        };
        match read {
            Read::More(_) if before == 0 => self.head.extend_from_slice(payload),
            Read::More(_) => {}
            Read::Head(Head { len, payload: left, times, scrambled: false }) => {
                self.state = State::Body(left);
                out(Event::Begins { pid: self.pid, times, random_access: self.random_access });
                self.body(left, &payload[len.saturating_sub(before).min(payload.len())..], out);
            }
            Read::Head(_) | Read::Not => {
                self.state = State::Idle;
                return 1;
            }
        }
        0
    }

    fn body(&mut self, left: Option<usize>, payload: &[u8], out: &mut dyn FnMut(Event<'_>)) {
        let pid = self.pid;
        let bytes = &payload[..payload.len().min(left.unwrap_or(usize::MAX))];
        if !bytes.is_empty() {
            out(Event::Data { pid, bytes });
        }
        match left.map(|left| left - bytes.len()) {
            Some(0) => {
                self.state = State::Idle;
                out(Event::Ends { pid });
            }
            left => self.state = State::Body(left),
        }
    }
}
