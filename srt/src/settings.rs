//! How sockets of this end behave, and what one peer may make them hold.

use std::time::Duration;

use crate::error::Error;
use crate::ffi::{self, Id, Opt};

/// The longest stream id, in bytes (§3.2.1.3 of the draft).
pub const MAX_STREAM_ID: usize = 512;
/// The longest payload of one packet: an Ethernet frame less the headers of IPv4, UDP and SRT.
pub const MAX_PAYLOAD: usize = 1456;
/// Seven packets of MPEG-TS: what encoders send.
pub const TS_PAYLOAD: usize = 1316;

/// Versions before 1.3 have another handshake, without stream ids.
const OLDEST_PEER: i32 = 0x01_03_00;

/// How sockets of this end behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The least time from a packet's origin to its delivery, in which lost ones are sent again. The larger wish of both
    /// ends holds (§4.4). Whole milliseconds, below 65 s.
    pub latency: Duration,
    /// Bytes that a connection may hold until they are delivered.
    pub receive_buffer: usize,
    /// Packets that may be on their way without being acknowledged, 32 or more.
    pub flight_window: u32,
    /// Bytes of a packet with the headers of IPv4 and UDP, 76 to 1500.
    pub mss: usize,
    /// The longest payload that is sent in one packet, at most [`MAX_PAYLOAD`].
    pub payload: usize,
    /// A peer that has not been heard for so long is gone.
    pub peer_idle: Duration,
    /// Bytes for the kernel's buffer of the UDP socket; it gives as many as it may.
    pub udp_buffer: usize,
    /// Connections of a listener that wait to be accepted, and handshakes in a second that were let in and came to
    /// nothing: each takes about a megabyte for that time.
    pub backlog: u32,
    /// Connections of a listener at once; [`Ask::is_full`](crate::Ask::is_full) says when there are as many.
    pub connections: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            latency: Duration::from_millis(120),
            receive_buffer: 12 << 20,
            flight_window: 10_000,
            mss: 1500,
            payload: TS_PAYLOAD,
            peer_idle: Duration::from_secs(5),
            udp_buffer: 4 << 20,
            backlog: 32,
            connections: 200,
        }
    }
}

impl Settings {
    /// Applies them to a socket that is neither bound nor connected; what is accepted from it inherits them.
    pub(crate) fn apply(&self, socket: Id) -> Result<(), Error> {
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        ffi::set(socket, Opt::Live, 0)?;
        ffi::set_flag(socket, Opt::ReceivesBlocking, false)?;
        ffi::set_flag(socket, Opt::SendsBlocking, false)?;
        ffi::set(socket, Opt::Mss, number(self.mss))?;
        ffi::set(socket, Opt::FlightWindow, i32::try_from(self.flight_window).unwrap_or(i32::MAX))?;
        ffi::set(socket, Opt::ReceiveBuffer, number(self.receive_buffer))?;
        ffi::set(socket, Opt::UdpReceiveBuffer, number(self.udp_buffer))?;
        ffi::set(socket, Opt::Payload, number(self.payload.min(MAX_PAYLOAD)))?;
        ffi::set(socket, Opt::Latency, milliseconds(self.latency))?;
        ffi::set(socket, Opt::PeerIdle, milliseconds(self.peer_idle))?;
        ffi::set(socket, Opt::OldestPeer, OLDEST_PEER)?;
        ffi::set_flag(socket, Opt::EnforcedEncryption, true)
    }
}

pub(crate) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
