//! The real binary, pushed to by the system's ffmpeg, looked at by a client and by ffprobe.

#[path = "../support/mod.rs"]
mod support;

#[path = "../hostile/publisher.rs"]
#[allow(dead_code, reason = "written for other tests too")]
mod publisher;
#[path = "../hostile/rtmp.rs"]
#[allow(dead_code, reason = "written for other tests too")]
mod rtmp;

mod access;
mod check;
mod demo;
mod drain;
mod enhanced;
mod frames;
mod growing;
mod http;
mod inputs;
mod low_latency;
mod metrics;
mod mpeg_audio;
mod object_store;
mod outage;
mod players;
mod refusals;
mod renditions;
mod restart;
mod smooth;
mod srt;
mod stills;
mod tls;
mod tracks;
mod ts;
mod windows;

mod compare;
