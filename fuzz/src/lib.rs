//! What the fuzz targets share: how a peer gets deep enough to be interesting, and what must hold whatever it
//! sends.

pub mod boxes;
pub mod peer;
pub mod shown;
mod smooth;
pub mod tables;
#[path = "../../packager/tests/common/transport.rs"]
pub mod transport;
