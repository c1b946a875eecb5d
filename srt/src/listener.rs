//! One UDP port, many callers.

use std::collections::HashMap;
use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::{Domain, Protocol, Type};

use crate::connection::Connection;
use crate::error::Error;
use crate::ffi::{self, Hook, Id, State, Text};
use crate::passphrase::Passphrase;
use crate::reactor::Socket;
use crate::rejection::Rejection;
use crate::settings::Settings;

/// After so long a handshake that was let in has come to its end.
const HANDSHAKE: Duration = Duration::from_secs(1);

/// Decides about callers.
pub trait Decide: Send + Sync {
    /// Whether a caller may connect. Called in the thread that receives for all connections of the port: it must not
    /// wait for longer than they can bear, which is a part of their latency.
    fn decide(&self, ask: &Ask<'_>) -> Result<Accept, Rejection>;

    /// A caller that was let in did not come: its passphrase is wrong, it has none where there is one or one where
    /// there is none, or as many wait to be accepted as may.
    fn missed(&self, _peer: SocketAddr, _stream_id: &[u8], _encrypted: bool) {}
}

/// A caller, and what it asks for. Its cookie was valid, so its address is its own.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Its address; IPv4 as IPv4.
    pub peer: SocketAddr,
    /// What it asks for, as it came but for what follows a NUL: at most [`MAX_STREAM_ID`](crate::MAX_STREAM_ID) bytes.
    pub stream_id: &'a [u8],
    /// There are as many connections as may be ([`Settings::connections`]).
    pub is_full: bool,
}

/// How a caller is let in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accept {
    /// What it has to encrypt with; one that does not, or with another, is refused. `None`: it must not encrypt.
    pub passphrase: Option<Passphrase>,
}

/// Takes callers on one UDP port. Dropping it stops that; connections go on.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: SocketAddr,
    settings: Settings,
    door: Arc<Door>,
}

/// What the hook and the listener share.
struct Door {
    decide: Arc<dyn Decide>,
    /// One reference more for each connection that is open.
    places: Arc<()>,
    connections: usize,
    handshakes: usize,
    /// Whose handshake goes on.
    coming: Mutex<HashMap<Id, Coming>>,
}

struct Coming {
    peer: SocketAddr,
    stream_id: Vec<u8>,
    encrypted: bool,
}

impl Listener {
    /// Listens there; port 0 picks a free one. `[::]` takes IPv4 too.
    pub fn bind(
        address: SocketAddr,
        settings: &Settings,
        decide: Arc<dyn Decide>,
    ) -> Result<Listener, Error> {
        Listener::on(bound(address)?, settings, decide)
    }

    /// Listens on a UDP socket that is bound already.
    pub fn on(udp: UdpSocket, settings: &Settings, decide: Arc<dyn Decide>) -> Result<Listener, Error> {
        let address = udp.local_addr()?;
        let socket = Socket::new()?;
        settings.apply(socket.id)?;
        ffi::acquire(socket.id, udp)?;
        let door = Arc::new(Door {
            decide,
            places: Arc::default(),
            connections: settings.connections,
            handshakes: usize::try_from(settings.backlog).unwrap_or(usize::MAX),
            coming: Mutex::default(),
        });
        socket.watch()?;
        ffi::listen(socket.id, settings.backlog, Arc::new(door.clone()))?;
        Ok(Listener { socket, address, settings: *settings, door })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.door.open()
    }

    /// The next connection. One that is not taken is kept in the backlog.
    pub async fn accept(&self) -> Result<Connection, Error> {
        loop {
            match ffi::accept(self.socket.id)? {
                Some((id, peer)) => {
                    if let Some(connection) = self.take(id, peer) {
                        return Ok(connection);
                    }
                }
                None => self.socket.wake.readable.notified().await,
            }
        }
    }

    /// `None` when it is over already.
    fn take(&self, id: Id, peer: SocketAddr) -> Option<Connection> {
        let socket = self.socket.accepted(id, self.door.places.clone());
        let came = self.door.coming().remove(&id);
        let stream_id = came.map_or_else(|| ffi::stream_id(id).unwrap_or_default(), |it| it.stream_id);
        let Settings { payload, peer_idle, .. } = self.settings;
        Some(Connection::new(socket.ok()?, peer, stream_id, payload, peer_idle))
    }
}

impl Door {
    fn open(&self) -> usize {
        Arc::strong_count(&self.places) - 1
    }

    fn coming(&self) -> MutexGuard<'_, HashMap<Id, Coming>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes who was let in, in order to tell when he does not come.
    fn expect(self: &Arc<Self>, socket: Id, coming: Coming) {
        self.coming().insert(socket, coming);
        let door = self.clone();
        Socket::later(HANDSHAKE, move || {
            // Who is connected may still wait to be accepted.
            if ffi::state(socket) != State::Connected
                && let Some(coming) = door.coming().remove(&socket)
            {
                door.decide.missed(coming.peer, &coming.stream_id, coming.encrypted);
            }
        });
    }
}

impl Hook for Arc<Door> {
    fn lets_in(&self, socket: Id, peer: SocketAddr, stream_id: &[u8]) -> bool {
        Socket::tidy_later();
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let ask = Ask { peer, stream_id, is_full: self.open() >= self.connections };
        if self.coming().len() >= self.handshakes {
            ffi::set_reject_reason(socket, Rejection::OVERLOAD.code());
            return false;
        }
        let rejection = match self.decide.decide(&ask) {
            Ok(Accept { passphrase }) => {
                let secret = passphrase.as_ref().map_or(&b""[..], Passphrase::expose);
                if secret.is_empty() || ffi::set_text(socket, Text::Passphrase, secret).is_ok() {
                    let (stream_id, encrypted) = (stream_id.to_vec(), !secret.is_empty());
                    self.expect(socket, Coming { peer, stream_id, encrypted });
                    return true;
                }
                Rejection::INTERNAL
            }
            Err(rejection) => rejection,
        };
        ffi::set_reject_reason(socket, rejection.code());
        false
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("open", &self.open()).finish_non_exhaustive()
    }
}

fn bound(address: SocketAddr) -> Result<UdpSocket, Error> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
