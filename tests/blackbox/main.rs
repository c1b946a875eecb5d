//! The real binary, pushed to by the system's ffmpeg, looked at by a client and by ffprobe.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod check;
mod demo;
mod enhanced;
mod frames;
mod growing;
mod http;
mod low_latency;
mod metrics;
mod object_store;
mod outage;
mod players;
mod refusals;
mod renditions;
mod restart;
mod smooth;
mod stills;
mod tracks;
mod ts;
mod windows;

mod compare;
