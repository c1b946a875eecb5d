//! The HTTP origin: parses a URL, takes a snapshot, answers.
//!
//! A media answer is the pieces that ingest wrote, by reference ([`Pieces`]); a manifest answer is a function of
//! the newest snapshot, rendered once however many ask. [`router`] is what is served; [`Server`] is how: its own
//! accept loop over HTTP/1.1 and HTTP/2, in clear and over TLS, with a named limit on everything a peer can make
//! it hold ([`Settings`]).
//!
//! Deliberately not here: what a manifest says and what a URL looks like (`packager`), where snapshots come from
//! (`stream`), what a rule or a token is (`access`), the control API, handshakes and certificates (`tls`).

mod accept;
mod activity;
mod answer;
mod blocking;
mod cache_control;
mod client;
mod connection;
mod cors;
mod cut;
mod doors;
mod download;
mod encoding;
mod etag;
mod fetch;
mod framed;
mod freshness;
mod gate;
mod gather;
mod growing;
mod guard;
mod hint;
mod immutable;
mod known;
mod loading;
mod lookup;
mod manifest;

mod metrics;
mod operations;
mod patience;
mod pieces;
mod problem;
mod range;
mod route;
mod server;
mod settings;
mod smooth;
mod span;
mod still;
mod target;
mod timeout;
mod ts;

pub use doors::Doors;
pub use metrics::Metrics;
pub use operations::operations;
pub use pieces::Pieces;
pub use route::router;
pub use server::Server;
pub use settings::Settings;
pub use still::{Order, Shape, Stills, Unmade};
