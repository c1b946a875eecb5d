//! Wakes those who wait for more of a rendition, and nobody else.
//!
//! A bell hangs where somebody waits or a rendition lives; it rings with the version that the rendition has now. A part
//! of the audio wakes no one who waits for video.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::watch;

use crate::View;

/// The bells of one stream, by rendition name.
#[derive(Debug, Default)]
pub(crate) struct Bells(DashMap<Arc<str>, watch::Sender<u64>>);

impl Bells {
    /// Rings for every rendition of `view` whose version is new.
    pub(crate) fn ring(&self, view: &View) {
        for (rendition, version) in view.versions() {
            match self.0.get(&rendition.name) {
                Some(bell) => {
                    bell.send_if_modified(|known| std::mem::replace(known, version) != version);
                }
                None => {
                    self.0.insert(rendition.name.clone(), watch::Sender::new(version));
                }
            }
        }
    }

    /// Rings all of them: something changed that is no rendition's own.
    pub(crate) fn ring_all(&self) {
        self.0.iter().for_each(|bell| bell.send_modify(|_| ()));
    }

    /// The bell of a rendition; `None` where the stream never had it.
    pub(crate) fn of(&self, rendition: &str) -> Option<watch::Receiver<u64>> {
        self.0.get(rendition).map(|bell| bell.subscribe())
    }
}
