//! The dispatcher against servers of all kinds, on a catalog in the embedded database.
#![allow(clippy::unwrap_used)]

mod delivery;
mod failure;
mod home;
mod hostile;
mod private;
mod receiver;
mod tls;
