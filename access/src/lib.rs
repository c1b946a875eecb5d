//! Who may watch an entry: its [`Rules`], and the [`Ticket`]s that open what is not open to everybody.
//!
//! Rules are few: whether a ticket is asked for, from which sites, from which addresses, and from when until when.
//! [`Rules::decide`] is a function of the rules and of a [`Visit`]. A ticket is a short-lived JSON Web Token (RFC 7519)
//! that a [`Signer`] makes and reads; it names the one entry that it opens.
//!
//! Everything here is a pure function: time is an argument. Whom this server may call is here too ([`is_public`]): events and streams go out only to addresses of the public, unless the
//! operator says otherwise. Deliberately not here: HTTP (who reads headers and says no),
//! where rules and the secret are kept, and who may mint a ticket.

mod address;
mod denied;
mod domain;
mod form;
mod network;
mod rules;
mod signer;

pub use address::is_public;
pub use denied::Denied;
pub use domain::DomainPattern;
pub use form::{Addresses, Form, Invalid};
pub use ipnet::IpNet;
pub use network::{canonical, network, subscriber};
pub use rules::{Playback, Rules, Visit};
pub use signer::{Claims, MAX_TOKEN, Signer, Ticket};
