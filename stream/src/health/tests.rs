//! Each finding with a publisher that shows it, and a near miss that does not.

mod delivery;
mod encoder;
mod format;
mod hostile;
mod keyframes;
mod ordinary;
mod pictures;
mod timing;
