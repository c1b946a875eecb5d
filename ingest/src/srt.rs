//! SRT: encoders call, and send an MPEG transport stream.
//!
//! ```text
//! handshake ─▶ Gate (in libsrt's thread): StreamId → Admit → would it be let in? ─▶ passphrase, or a code
//! connection ─▶ Directory::enter ─▶ messages ─▶ ts::Intake ─▶ stream::Publication
//! ```
//!
//! The answer to a handshake has to say why, so it is decided there, and again when the connection stands. Deliberately
//! absent: playback by SRT, calling out, bonding.

mod gate;
mod holds;
mod limits;
mod metrics;
mod server;
pub mod stream_id;

pub use ::srt::Settings as SocketSettings;
pub use limits::Limits;
pub use metrics::Metrics;
pub use server::{Server, Settings};
pub use stream_id::StreamId;

/// What statistics of a connection are for who looks after its stream.
pub fn link(stats: &srt::Stats) -> stream::Link {
    stream::Link {
        rtt: stats.rtt,
        bandwidth: stats.bandwidth,
        rate: stats.receive_rate,
        latency: stats.latency,
        buffer: stats.receive_buffer,
        packets: stats.received_packets,
        lost: stats.lost_packets,
        retransmitted: stats.retransmitted_packets,
        dropped: stats.dropped_packets,
        undecrypted: stats.undecrypted_packets,
        encryption: stats.encryption.as_str(),
    }
}
