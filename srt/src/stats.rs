//! What a connection counts.

use std::time::Duration;

use crate::passphrase::KeyLength;

/// A connection's statistics at one instant. Counters count from its beginning.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Stats {
    /// Smoothed round trip time.
    pub rtt: Duration,
    /// What the link seems to be able to carry, in bits per second.
    pub bandwidth: u64,
    /// What arrives, in bits per second.
    pub receive_rate: u64,
    /// What is sent, in bits per second.
    pub send_rate: u64,
    /// The delay at which received packets are delivered: what was negotiated.
    pub latency: Duration,
    /// The delay at which the peer delivers what is sent to it.
    pub peer_latency: Duration,
    /// The time that what waits for delivery spans.
    pub receive_buffer: Duration,
    /// The time that what is not acknowledged spans.
    pub send_buffer: Duration,
    /// Data packets received, those that were sent again included.
    pub received_packets: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Packets that were missing when their successors came.
    pub lost_packets: u64,
    /// Packets that came again on demand.
    pub retransmitted_packets: u64,
    /// Packets that came too late or never, and were given up.
    pub dropped_packets: u64,
    /// Packets that could not be decrypted.
    pub undecrypted_packets: u64,
    /// Data packets sent, those that were sent again included.
    pub sent_packets: u64,
    /// Bytes of them.
    pub sent_bytes: u64,
    /// Packets that the peer missed.
    pub send_lost_packets: u64,
    /// Packets that were sent again.
    pub send_retransmitted_packets: u64,
    /// Packets that were given up before they were sent, being too late.
    pub send_dropped_packets: u64,
    /// Whether the payload is encrypted.
    pub encryption: Encryption,
}

/// Whether the payload is encrypted, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encryption {
    /// In clear.
    #[default]
    Off,
    /// With AES in counter mode.
    On(KeyLength),
}

impl Encryption {
    /// A short word for the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Encryption::Off => "none",
            Encryption::On(KeyLength::Aes128) => "aes-128",
            Encryption::On(KeyLength::Aes192) => "aes-192",
            Encryption::On(KeyLength::Aes256) => "aes-256",
        }
    }
}
