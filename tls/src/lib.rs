//! TLS for the edges: a certificate that can be replaced while connections go on, and handshakes that end.
//!
//! [`Pair`] is a certificate chain with its key, read from PEM, with everything that is wrong with it said at once.
//! [`Identity`] is the pair that is shown to who connects from now on. A [`Listener`] accepts TCP, and its [`Acceptor`]
//! makes TLS of it, within a bounded time.
//!
//! TLS 1.2 and 1.3 with forward secrecy, by rustls over aws-lc-rs. No client certificates, no 0-RTT (it can be
//! replayed), and the name that a client asks for (SNI) chooses nothing: there is one certificate.
//!
//! Not here: files, when they are read again, what is spoken over TLS.

mod acceptor;
mod flaw;
mod identity;
mod listener;
mod pair;

pub use acceptor::{Acceptor, Failed, Stream};
pub use flaw::{Flaw, Part};
pub use identity::Identity;
pub use listener::Listener;
pub use pair::{Pair, Validity};

/// Protocol names of HTTP for ALPN, the preferred one first (RFC 7301, RFC 9113 §3.2).
pub const HTTP: &[&[u8]] = &[b"h2", b"http/1.1"];
