//! A connection, accepted or called.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{Instant as Deadline, sleep};

use crate::error::Disconnected;
use crate::ffi::{self, Counters, Errno, Opt};
use crate::passphrase::KeyLength;
use crate::reactor::Socket;
use crate::stats::{Encryption, Stats};

/// How often it is looked whether what is left has come to its time.
const STEP: Duration = Duration::from_millis(10);
/// How long what is left may take beyond the latency.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection. Dropping it closes it, without waiting for what is not acknowledged.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    peer: SocketAddr,
    stream_id: Vec<u8>,
    payload: usize,
    peer_idle: Duration,
    began: Instant,
    /// When the last message came, in milliseconds from the beginning.
    heard: AtomicU64,
    over: OnceLock<(Deadline, Disconnected)>,
    last: Mutex<Stats>,
}

impl Connection {
    pub(crate) fn new(
        socket: Socket,
        peer: SocketAddr,
        stream_id: Vec<u8>,
        payload: usize,
        peer_idle: Duration,
    ) -> Connection {
        let connection = Connection {
            socket,
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            stream_id,
            payload,
            peer_idle,
            began: Instant::now(),
            heard: AtomicU64::new(0),
            over: OnceLock::new(),
            last: Mutex::default(),
        };
        // After the end nobody says any more what the latency was.
        connection.stats();
        connection
    }

    /// The peer's address; IPv4 as IPv4.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What the caller asked for, as it came.
    pub fn stream_id(&self) -> &[u8] {
        &self.stream_id
    }

    /// The next message, in a buffer of [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) or more; what does not fit is lost.
    ///
    /// What arrived before the end is delivered at its time, and then the end is told. Nothing is lost when it is
    /// dropped before it is done.
    pub async fn recv(&self, buffer: &mut [u8]) -> Result<usize, Disconnected> {
        loop {
            match self.try_recv(buffer) {
                Ok(Some(length)) => return Ok(length),
                Ok(None) if self.over.get().is_some() => sleep(STEP).await,
                Ok(None) => self.socket.wake.readable.notified().await,
                Err(over) => return Err(over),
            }
        }
    }

    /// The next message if its time has come.
    pub fn try_recv(&self, buffer: &mut [u8]) -> Result<Option<usize>, Disconnected> {
        match ffi::receive(self.socket.id, buffer) {
            Ok(length) => {
                let heard = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.heard.store(heard, Ordering::Relaxed);
                Ok(Some(length))
            }
            Err(errno) if errno.is_again() => Ok(None),
            Err(errno) => {
                let (deadline, over) = self.over(errno);
                // libsrt says that it is over while it still holds what is not due.
                let left = ffi::get(self.socket.id, Opt::Received).unwrap_or(0);
                if left > 0 && Deadline::now() < deadline { Ok(None) } else { Err(over) }
            }
        }
    }

    /// Sends bytes, as messages of one payload each; waits while there is no room.
    pub async fn send(&self, bytes: &[u8]) -> Result<(), Disconnected> {
        for message in bytes.chunks(self.payload.max(1)) {
            self.send_one(message).await?;
        }
        Ok(())
    }

    async fn send_one(&self, message: &[u8]) -> Result<(), Disconnected> {
        loop {
            match ffi::send(self.socket.id, message) {
                Ok(_) => return Ok(()),
                Err(errno) if errno.is_again() => self.socket.wake.writable.notified().await,
                Err(errno) => return Err(self.over(errno).1),
            }
        }
    }

    /// What it counts; after the end, what it had counted when it was asked last.
    pub fn stats(&self) -> Stats {
        // Numbers, each whole by itself.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = ffi::counters(self.socket.id) {
            *last = read(&counters, self.encryption());
        }
        *last
    }

    fn encryption(&self) -> Encryption {
        let length = ffi::get(self.socket.id, Opt::KeyLength).ok().and_then(|bytes| u8::try_from(bytes).ok());
        match length.and_then(KeyLength::of_bytes) {
            Some(length) if ffi::is_secured(self.socket.id) => Encryption::On(length),
            _ => Encryption::Off,
        }
    }

    /// Closes it once the peer has what was sent, at most the peer's latency and a moment later.
    pub async fn close(self) {
        let deadline = Deadline::now() + self.stats().peer_latency + PATIENCE;
        while self.over.get().is_none() && ffi::unsent(self.socket.id) > 0 && Deadline::now() < deadline {
            sleep(STEP).await;
        }
    }

    /// Why it is over, decided when it is noticed, and until when what is left is waited for.
    fn over(&self, errno: Errno) -> (Deadline, Disconnected) {
        /// `SRT_ECONNLOST`, the same for a goodbye and for silence.
        const LOST: Errno = Errno(2001);
        *self.over.get_or_init(|| {
            let latency = self.stats().latency;
            let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
            let silent = self.began.elapsed().saturating_sub(heard);
            let why = match errno {
                // A peer that is taken for gone was silent for all of that time, less what waited for its delivery.
                LOST if silent + latency + PATIENCE < self.peer_idle => Disconnected::ByPeer,
                LOST => Disconnected::Lost,
                Errno(code) => Disconnected::Broken { code },
            };
            (Deadline::now() + latency + PATIENCE, why)
        })
    }
}

fn read(counters: &Counters, encryption: Encryption) -> Stats {
    Stats {
        rtt: Duration::try_from_secs_f64(counters.msRTT / 1e3).unwrap_or_default(),
        bandwidth: rate(counters.mbpsBandwidth),
        receive_rate: rate(counters.mbpsRecvRate),
        send_rate: rate(counters.mbpsSendRate),
        latency: time(counters.msRcvTsbPdDelay),
        peer_latency: time(counters.msSndTsbPdDelay),
        receive_buffer: time(counters.msRcvBuf),
        send_buffer: time(counters.msSndBuf),
        received_packets: count(counters.pktRecvTotal),
        received_bytes: counters.byteRecvTotal,
        lost_packets: count(counters.pktRcvLossTotal.into()),
        retransmitted_packets: count(counters.pktRcvRetrans.into()),
        dropped_packets: count(counters.pktRcvDropTotal.into()),
        undecrypted_packets: count(counters.pktRcvUndecryptTotal.into()),
        sent_packets: count(counters.pktSentTotal),
        sent_bytes: counters.byteSentTotal,
        send_lost_packets: count(counters.pktSndLossTotal.into()),
        send_retransmitted_packets: count(counters.pktRetransTotal.into()),
        send_dropped_packets: count(counters.pktSndDropTotal.into()),
        encryption,
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn time(milliseconds: i32) -> Duration {
    Duration::from_millis(count(milliseconds.into()))
}

/// Megabits to bits.
fn rate(megabits: f64) -> u64 {
    // Saturates, and takes what is no number for nothing.
    (megabits * 1e6) as u64
}
