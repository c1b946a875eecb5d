//! What needs FFmpeg's libraries: decoding pictures, and making images of them.
//!
//! The only crate that links libav*, and only the program `headwater-worker` is built of it: what a publisher sends is
//! decoded in a process that may crash, hang or be taken over while the server goes on. Nothing here is awaited, opens
//! a file or a socket; a [`Request`](worker_protocol::Request) comes in on one pipe, a
//! [`Reply`](worker_protocol::Reply) goes out on another. Who starts workers, and who gives up on them, is not known
//! here.

mod annex_b;
mod canvas;
mod decode;
mod fit;
mod image;
mod jpeg;
pub mod limits;
mod serve;

pub use image::{Image, make};
pub use serve::{serve, start};
