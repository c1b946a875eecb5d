//! MPEG-TS (ISO/IEC 13818-1). For HLS one program of H.264 with AAC or MPEG audio is written, a whole segment at a time.
//!
//! A segment needs no state of the one before it. The packets of each PID are a multiple of sixteen, so that the
//! continuity counter, which has four bits, begins at zero everywhere and goes on from segment to segment; times are
//! the caller's, and wrap at 33 bits here. The same frames give the same bytes.
//!
//! ```text
//! PAT PMT │ video: PES of a picture (AUD, SPS, PPS, …) │ audio: PES of some frames │ … PAT PMT …   by decode time
//! ```
//!
//! [`Mux`] writes a stream that goes on, for who sends it somewhere, and more codecs ([`Pictures`], [`Sound`]). The way back is [`demux`], for what
//! encoders send: any program, with everything that goes wrong on the way; and [`elementary`], for what stands in its
//! streams.
//!
//! Deliberately not here: where a segment begins, what a time means, other codecs in segments.

mod adts;
mod annex_b;
pub mod demux;
pub mod elementary;
mod framing;
mod mux;
mod packet;
mod pes;
mod psi;
mod segment;
mod streams;

pub use framing::Framing;
pub use mux::Mux;
pub use segment::{Audio, Frame, Video, segment};
pub use streams::{Pictures, Sound};

/// Bytes of a packet.
pub const PACKET: usize = 188;

/// Packets of a PID in a segment are a multiple of it: values of a continuity counter (ISO/IEC 13818-1 §2.4.3.3).
pub const COUNTER_CYCLE: usize = 16;

/// The sequence of times that is written: what fits into 33 bits (ISO/IEC 13818-1 §2.4.3.7).
const TIME_MASK: i64 = (1 << 33) - 1;

/// What a packet belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pid {
    Association,
    Map,
    Video,
    Audio,
}

impl Pid {
    fn value(self) -> u16 {
        match self {
            Pid::Association => 0,
            Pid::Map => 0x1000,
            Pid::Video => 0x100,
            Pid::Audio => 0x101,
        }
    }
}
