//! x
pub struct Session;
