//! Writes down what is on air: the numbers of each entry, and recordings.
//!
//! ```text
//! DATA/live/ENTRY/numbers.json               numbering state
//! DATA/recordings/ENTRY/RECORDING/about.json what is known of a recording without reading it
//! DATA/recordings/ENTRY/RECORDING/…          the recording, as `archive` says
//! ```
//!
//! The [`Recorder`] has a task for each entry that is on air for the public and meant to be recorded: it opens a
//! recording, lets a [`Follower`] write what a session of the stream makes, and closes it. How a recording stands in its
//! files, and how it is read again, is said in `archive`.
//!
//! [`keep`] sees to it that recordings are within their limits, and that there is room for the next.
//!
//! Deliberately absent: playback, the catalog, and which entries are meant ([`Plan`] says).

mod about;
mod follow;
mod history;
pub mod keep;
mod ledger;
mod metrics;
mod open;
mod plan;
mod recorder;
mod register;
mod status;
mod tend;
mod told;

pub use about::{About, FILE as ABOUT_FILE, State};
pub use follow::{Alive, Control, Follower, Over, Written};
pub use history::Aired;
pub use ledger::FileLedger;
pub use metrics::Metrics;
pub use plan::{KeepFree, Mode, Plan, Settings};
pub use recorder::{Recorder, Refused, Settle};
pub use register::Recovered;
pub use status::{Activity, GAPS, Missing, Status};
pub use told::{BACKLOG, Told};
