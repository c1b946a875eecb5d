//! Transport streams in, from outside: what FFmpeg sends, and everything that goes wrong on the way.
#![allow(clippy::unwrap_used)]

mod codecs;
mod faults;
mod metadata;
mod mpeg_audio;
mod mux;
mod pieces;
mod seen;
mod source;
mod tables;
mod timeline;
