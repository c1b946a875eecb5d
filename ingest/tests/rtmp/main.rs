//! RTMP publishing from outside: conformance by clause, abuse, an independent peer, and a real socket.
#![allow(clippy::unwrap_used)]

mod abuse;
mod chunker;
mod chunks;
mod client;
mod commands;
mod enhanced;
mod interleaving;
mod media_messages;
mod payload;
mod peer;
mod server;
mod timestamps;
