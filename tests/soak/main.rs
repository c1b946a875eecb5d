//! Recordings through whatever happens to the process, the disk and the database: the real binary, a real encoder, and
//! every frame looked at that came back.
//!
//! The encoder publishes a file ([`reel`]) whose every frame is another one, without touching it. So a frame that is
//! decoded from a recording says by its hash alone which one it is, and it can be told what is missing, what is there
//! twice, and what is out of order ([`frames`]).
//!
//! `SOAK_KILLS` says through how many kills a recording goes, three where nothing is said; `SOAK_SEED` repeats the
//! moments of a run. `SOAK_OUTAGE` says how many seconds an object store is away.

#[path = "../support/mod.rs"]
mod support;

#[path = "../control/events/follower.rs"]
mod follower;

#[path = "../../depot/tests/common/weed.rs"]
mod weed;

mod aired;
mod fault;
mod frames;
mod recorded;
mod reel;
mod show;
mod stage;
mod volume;

mod database;
mod disk;
mod finale;
mod kills;
mod outage;
mod promises;
