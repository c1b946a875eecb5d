//! Where media comes in: protocol sessions, and the sockets around them.
//!
//! A session is sans-IO: bytes and the time go in, events and bytes to send come out, so that all of a protocol
//! runs in a plain test. A thin tokio skin reads the socket, asks [`stream::Admit`] and feeds a
//! [`stream::Publication`].
//!
//! Not here: segmenting, manifests, who may publish.

pub mod rtmp;
pub mod ts;
