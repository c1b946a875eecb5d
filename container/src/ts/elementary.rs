//! What elementary streams carry, found in their bytes: access units, frames of sound, splice times.
//!
//! Pure functions over bytes that a caller gathers. They know where a unit ends and what its own header says; configurations
//! and times are the caller's business.

pub mod adts;
pub mod cells;
pub mod latm;
pub mod nal;
pub mod opus;
pub mod scte35;

/// What stands at the front of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// A unit that is all there.
    Unit(T),
    /// The beginning of one, or too little to say.
    More,
    /// None of this kind.
    Not,
}
