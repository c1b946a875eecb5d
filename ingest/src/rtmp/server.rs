//! x
pub struct Server; pub struct Settings;
