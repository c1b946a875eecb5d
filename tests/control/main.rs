//! The control plane of the real binary, used as a producer, an encoder and a viewer use it on the day.
//!
//! What a single endpoint answers is tested beside it; here is what follows from that on the wires of the others.

#[path = "../support/mod.rs"]
mod support;

mod show;
mod valve;

mod clips;
mod clock;
mod command_line;
mod document;
mod encoder_check;
mod end;
mod events;
mod keep;
mod keys;
mod object_store;
mod preview;
mod provision;
mod quotas;
mod recording;
mod restream;
mod schedule;
mod settings;
mod targets;
mod tenants;
mod timelines;
mod vod;
