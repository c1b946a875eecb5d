//! What black-box tests share: the real binary, a real encoder, a client that reads playlists and MPDs, and
//! ffprobe to look at what came back.
//!
//! Nothing here knows a crate of the server.
#![allow(dead_code, unused_imports, reason = "each test target uses some of it")]

pub mod api;
pub mod cmaf;
pub mod dash;
pub mod download;
pub mod ffmpeg;
pub mod hls;
pub mod http;
pub mod lock;
pub mod probe;
pub mod push;
pub mod server;
pub mod smooth;
pub mod source;
pub mod stills;
#[path = "../../packager/tests/common/transport.rs"]
pub mod transport;
pub mod wait;

pub use api::Api;
pub use download::Download;
pub use push::Push;
pub use server::Server;
pub use wait::within;
