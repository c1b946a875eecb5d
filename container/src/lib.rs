//! container
pub mod flv;
