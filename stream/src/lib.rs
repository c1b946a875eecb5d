//! Meeting point of publishers and readers: a [`Directory`] of streams, one owner task each.
//!
//! An edge that brings media asks [`Admit`] whether a publisher may enter, then [`Directory::publish`] for a
//! [`Publication`] to send into. The stream's owner task runs the packager and publishes a [`View`] after each
//! change; an edge that serves media takes the newest one and never makes the owner wait.
//!
//! What edges and owners have in common towards a hostile world is here too: a panic stays where it is
//! ([`isolate`]), and what is said of peers that were turned away does not fill the log ([`refusals`]).
//!
//! Not here: protocols, HTTP, files. What must outlive the process goes through the [`Ledger`] trait.

pub mod admit;
pub mod audience;
mod bell;
pub mod desk;
pub mod directory;
pub mod event;
pub mod health;
pub mod history;
pub mod isolate;
pub mod ledger;
pub mod link;
pub mod metadata;
mod owner;
pub mod publication;
pub mod quiet;
pub mod refusals;
pub mod settled;
pub mod status;
pub mod storage;
pub mod timeline;
pub mod view;

pub use admit::{Admit, Air, ForGood, Grant, Leg, Pass, Peer, Protocol, Refusal, Request};
pub use audience::Audience;
pub use desk::{LastLeg, LegReport, Report};
pub use directory::Directory;
pub use event::{Event, What};
pub use history::{History, NoHistory};
pub use isolate::isolated;
pub use ledger::Ledger;
pub use link::Link;
pub use media::TrackId;
pub use metadata::Metadata;
pub use publication::{Ended, Input, Publication};
pub use quiet::Quiet;
pub use refusals::Refusals;
pub use settled::Settled;
pub use status::{State, Status};
pub use storage::{NoStorage, Storage, Unavailable};
pub use timeline::Timeline;
pub use view::{Found, Source, View, Viewer};

use std::sync::Arc;
use std::time::Duration;

/// When a newcomer may push out a publisher of the same leg (`stream.takeover`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Takeover {
    /// When the incumbent has been silent for a second, or comes from the same address.
    #[default]
    Stale,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a stream behaves; per entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// How long a stream waits for its encoder to come back before it ends (`stream.reconnect`).
    pub reconnect: Duration,
    /// When a newcomer may push out the incumbent.
    pub takeover: Takeover,
    /// Publishers at once, one for each rendition (`stream.max_renditions`).
    pub max_renditions: usize,
    /// How long an ended stream's last window stays playable (`stream.keep_ended`).
    pub keep_ended: Duration,
    /// How its media is cut.
    pub packager: Arc<packager::Settings>,
    /// What it is meant for: what publishers send is measured against it.
    pub plan: health::Plan,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            reconnect: Duration::from_secs(30),
            takeover: Takeover::Stale,
            max_renditions: 8,
            keep_ended: Duration::from_secs(3600),
            packager: Arc::default(),
            plan: health::Plan::default(),
        }
    }
}
