//! Addresses as people write them: the URLs of inputs, and which addresses are the public's.
//!
//! Pure text work that settings, the catalog, the control API and the edges share, so that an address is read, refused
//! and hidden in one way wherever it stands. Not here: names to addresses, sockets, who may use what.

pub mod input;
mod public;

pub use input::InputUrl;
pub use public::is_public;
