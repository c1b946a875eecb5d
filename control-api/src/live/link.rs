//! How the network to an encoder does.

use std::time::Duration;

use serde::Serialize;
use stream::Link;
use utoipa::ToSchema;

/// How the network to an encoder does, measured once a second. Counters count from the connection's beginning.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveLink)]
pub(super) struct LinkView {
    /// Round trip time in milliseconds.
    rtt_ms: f64,
    /// The delay that was agreed on, in milliseconds: lost packets are sent again in that time.
    latency_ms: f64,
    /// Milliseconds of media that wait for their delivery.
    buffer_ms: f64,
    /// What arrives, in bits per second.
    bitrate: u64,
    /// What the network seems to be able to carry, in bits per second.
    bandwidth: u64,
    /// Packets received, those that were sent again included.
    packets: u64,
    /// Packets that were missing when later ones came.
    lost: u64,
    /// Packets that came again.
    retransmitted: u64,
    /// Packets that were given up, because they came too late or never: holes in the media.
    dropped: u64,
    /// Packets that could not be decrypted.
    undecrypted: u64,
    /// How it is encrypted: `none`, `aes-128`, `aes-192` or `aes-256`.
    #[schema(example = "aes-256")]
    encryption: &'static str,
}

impl LinkView {
    pub(super) fn new(link: &Link) -> LinkView {
        LinkView {
            rtt_ms: milliseconds(link.rtt),
            latency_ms: milliseconds(link.latency),
            buffer_ms: milliseconds(link.buffer),
            bitrate: link.rate,
            bandwidth: link.bandwidth,
            packets: link.packets,
            lost: link.lost,
            retransmitted: link.retransmitted,
            dropped: link.dropped,
            undecrypted: link.undecrypted,
            encryption: link.encryption,
        }
    }
}

/// To the tenth of a millisecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_micros() / 100) as f64 / 10.0
}
