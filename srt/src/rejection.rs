//! Why a connection was refused, as the handshake says it.

use std::fmt;

/// A reason to refuse a connection (§4.3 of the draft and the access control guidelines).
///
/// Codes from 1000 on are the application's, those from 1400 on follow HTTP's; below are the protocol's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rejection(i32);

/// Codes, with what they say to a person.
const TEXTS: &[(Rejection, &str)] = &[
    (Rejection::PEER, "rejected by the peer"),
    (Rejection::BACKLOG, "the listener is too busy to accept"),
    (Rejection::VERSION, "SRT version is too old"),
    (Rejection::BAD_SECRET, "wrong passphrase"),
    (Rejection::UNSECURE, "one end is encrypted and the other is not"),
    (Rejection::GROUP, "bonding is not supported"),
    (Rejection::TIMEOUT, "no answer in time"),
    (Rejection::BAD_REQUEST, "bad stream id"),
    (Rejection::UNAUTHORIZED, "unknown stream key"),
    (Rejection::OVERLOAD, "too many connections or attempts"),
    (Rejection::FORBIDDEN, "forbidden"),
    (Rejection::NOT_FOUND, "not found"),
    (Rejection::BAD_MODE, "the mode in the stream id is not supported"),
    (Rejection::CONFLICT, "already being published"),
    (Rejection::INTERNAL, "internal error"),
    (Rejection::UNIMPLEMENTED, "not implemented"),
    (Rejection::DOWN, "shutting down"),
];

impl Rejection {
    /// The peer refused and said no more.
    pub const PEER: Rejection = Rejection(2);
    /// As many wait to be accepted as may.
    pub const BACKLOG: Rejection = Rejection(5);
    /// The peer's version is below what this end takes.
    pub const VERSION: Rejection = Rejection(8);
    /// The passphrases differ.
    pub const BAD_SECRET: Rejection = Rejection(10);
    /// One end has a passphrase and the other has none.
    pub const UNSECURE: Rejection = Rejection(11);
    /// A bonding group where none is taken.
    pub const GROUP: Rejection = Rejection(15);
    /// No answer in time.
    pub const TIMEOUT: Rejection = Rejection(16);
    /// The stream id cannot be read.
    pub const BAD_REQUEST: Rejection = Rejection(1400);
    /// No such key.
    pub const UNAUTHORIZED: Rejection = Rejection(1401);
    /// Too many connections, or a quota is used up.
    pub const OVERLOAD: Rejection = Rejection(1402);
    /// Known, and not allowed now.
    pub const FORBIDDEN: Rejection = Rejection(1403);
    /// No such resource.
    pub const NOT_FOUND: Rejection = Rejection(1404);
    /// The mode is not supported for this.
    pub const BAD_MODE: Rejection = Rejection(1405);
    /// Somebody else publishes.
    pub const CONFLICT: Rejection = Rejection(1409);
    /// A bug here.
    pub const INTERNAL: Rejection = Rejection(1500);
    /// Understood, and not done by this version.
    pub const UNIMPLEMENTED: Rejection = Rejection(1501);
    /// Out of service.
    pub const DOWN: Rejection = Rejection(1503);

    /// With that code.
    pub fn of_code(code: i32) -> Rejection {
        Rejection(code)
    }

    /// The code, as it stands in the handshake.
    pub fn code(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TEXTS.iter().find(|(rejection, _)| rejection == self) {
            Some((_, text)) => write!(f, "{text} ({})", self.0),
            None => write!(f, "rejected with code {}", self.0),
        }
    }
}
