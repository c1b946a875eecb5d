//! A show on air, with faults to come: what is looked at while it is live, and when it is over.

use std::path::PathBuf;

use crate::follower::{Event, Follower};
use crate::frames::Hashes;
use crate::recorded::{Played, folder, in_files};
use crate::reel::Reel;
use crate::show::{SETTINGS, Show};
use crate::support::hls::Media;
use crate::support::server::{Entry, Site};
use crate::support::{Api, Push, Server, within};

/// The rendition that is looked at where one says enough.
pub const VIDEO: &str = "video-1080p";

/// A show with an encoder.
pub struct Stage {
    pub server: Server,
    pub show: Show,
    pub reel: Reel,
    encoder: Option<Push>,
    /// The session that was ended.
    ended: u64,
}

impl Stage {
    /// A server that nobody publishes to yet; `seconds` are there to be published.
    pub fn new(seconds: usize) -> Stage {
        Stage::on(Site::new(SETTINGS, &[]).left_after_failure().start(), seconds)
    }

    /// The same on a server that runs.
    pub fn on(server: Server, seconds: usize) -> Stage {
        Stage { show: Show::new(&server), reel: Reel::of(seconds), server, encoder: None, ended: 0 }
    }

    /// Publishes from a frame of the reel on.
    pub fn publish(&mut self, frame: usize) {
        self.encoder = Some(self.reel.publish(&self.server, &self.show.key, frame));
    }

    /// As the public sees it.
    pub fn play(&self) -> Entry {
        self.show.play(&self.server)
    }

    /// The video's playlist.
    pub fn media(&self) -> Media {
        Media::parse(&self.play().wait_for(&format!("{VIDEO}.m3u8")))
    }

    /// Waits until so many more segments were listed than now; viewers notice nothing.
    pub fn goes_on(&self, segments: u64) {
        let before = self.media().last().number;
        let media = within(20, "segments", || {
            Some(self.media()).filter(|media| media.last().number >= before + segments)
        });
        assert!(!media.ended && media.discontinuities() == 0, "{media:?}");
        assert!(media.segments.iter().all(|segment| !segment.gap), "{media:?}");
    }

    /// Waits until the encoder has sent everything.
    pub fn play_out(&mut self) {
        self.encoder.take().expect("it publishes").done();
    }

    /// Ends the show.
    pub fn end(&mut self) {
        self.ended = self.show.end(&self.server);
    }

    /// The whole recording under the URLs that were live.
    pub fn on_demand(&self, rendition: &str) -> Played {
        Played::once_ended(&self.play(), self.ended, rendition)
    }

    /// Where it is recorded.
    pub fn folder(&self) -> PathBuf {
        folder(&self.server.folder().join("data"), &self.show.id)
    }

    /// Where everything is recorded.
    pub fn recordings(&self) -> PathBuf {
        self.server.folder().join("data/recordings")
    }

    /// Every frame in its files.
    pub fn in_files(&self, rendition: &str) -> Hashes {
        in_files(&self.folder(), rendition)
    }

    /// What is told from now on.
    pub fn events(&self) -> Follower {
        Follower::new(&Api::admin(&self.server), None)
    }

    /// The process dies, and another one is there.
    pub fn restart(self) -> Stage {
        let Stage { server, show, reel, ended, .. } = self;
        Stage { server: server.kill().start(), show, reel, encoder: None, ended }
    }
}

/// The next event of a kind.
pub fn told(events: &Follower, kind: &str) -> Event {
    loop {
        let event = events.next();
        if event.kind == kind {
            return event;
        }
    }
}
