//! MPEG transport streams in: pieces of bytes become inputs of a publication.
//!
//! What carries the bytes (SRT, UDP, TCP, a file) is no matter of this room, nor is who may publish. It reads no clock
//! and no socket.

use stream::Input;

mod counters;
mod limits;

pub use counters::Counters;
pub use limits::Limits;

/// A transport stream on its way into a publication. Sans-IO.
#[derive(Debug)]
pub struct Intake {
    limits: Limits,
    counters: Counters,
}

impl Intake {
    /// An intake that knows nothing yet.
    pub fn new(limits: Limits) -> Intake {
        Intake { limits, counters: Counters::default() }
    }

    /// Any piece of a transport stream, in order; packet boundaries need not fall on pieces.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Input)) {
        let _ = (bytes, out, &self.limits);
    }

    /// Something in between was lost, as the transport says: what is open is dropped.
    pub fn lost(&mut self) {}

    /// The end. `whole`: the sender said goodbye, so that the last picture of each track counts as complete.
    pub fn finish(&mut self, whole: bool, out: &mut dyn FnMut(Input)) {
        let _ = (whole, out);
    }

    /// What came, and what of it was of no use. Counters never go back.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
