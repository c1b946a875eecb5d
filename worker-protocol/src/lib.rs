//! What the server and `headwater-worker` say to each other over the worker's standard input and output.
//!
//! The worker says [`Hello`], then answers one [`Request`] after another with a [`Reply`]. Each is a [`frame`]: a head
//! in JSON and a payload, so that coded pictures go from the memory where they lie into the pipe without a copy.
//!
//! Here are types and bytes alone: who starts whom, reads, waits and gives up is said elsewhere. Neither side trusts
//! the other: a worker may have been taken over by what it decoded.

pub mod frame;
mod message;

pub use frame::{Malformed, Prefix};
pub use message::{Codec, Coded, Form, Hello, Refusal, Reply, Request};

/// What both sides have to agree on; a worker that says another is not talked to.
pub const VERSION: u32 = 2;

/// Pictures of one request, at most.
pub const MAX_PICTURES: usize = 100;

/// Pixels of a coded picture, at most: MaxFS of the highest level (ITU-T H.264 Table A-1), 139264 macroblocks.
pub const MAX_PIXELS: u32 = 139_264 * 256;

/// Width and height of an image that is made, at most.
pub const MAX_SIDE: u32 = 4096;
