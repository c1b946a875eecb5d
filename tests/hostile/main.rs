//! Peers that are broken, slow, greedy or hostile, against the real binary.
//!
//! In each test somebody else is on air, whose segments must go on coming without a discontinuity; the log says what
//! happened in a line with the peer's address, and does not grow with the number of peers; what was taken of memory
//! is given back; and no server may have panicked when it is dropped.

#[path = "../support/mod.rs"]
mod support;

mod bystander;
mod control;
mod process;
mod publisher;
mod rtmp;
mod web;

mod api_names;
mod bodies;
mod chunks;
mod clock;
mod database;
mod descriptors;
mod flood;
mod garbage;
mod gops;
mod growing;
mod guesses;
mod names;
mod playback;
mod requests;
mod secrets;
mod slow;
mod srt;
mod stall;
mod stills;
mod takeover;
mod tenants;
mod timestamps;
mod tracks;
mod webhooks;
