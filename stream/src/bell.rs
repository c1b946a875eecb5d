//! Wakes those who wait for more of a rendition, and nobody else.
//!
//! A bell hangs where somebody waits or a rendition lives; it rings with the version that the rendition has now. A part
//! of the audio wakes no one who waits for video, and no part wakes those who wait for whole segments.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::watch;

use crate::View;

/// The bells of one stream.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    /// By rendition name.
    renditions: DashMap<Arc<str>, watch::Sender<u64>>,
    /// For what is whole, with [`View::whole`].
    whole: watch::Sender<u64>,
}

impl Bells {
    /// Rings for every rendition of `view` whose version is new.
    pub(crate) fn ring(&self, view: &View) {
        for (rendition, version) in view.versions() {
            match self.renditions.get(&rendition.name) {
                Some(bell) => {
                    bell.send_if_modified(|known| std::mem::replace(known, version) != version);
                }
                None => {
                    self.renditions.insert(rendition.name.clone(), watch::Sender::new(version));
                }
            }
        }
        let now = view.whole();
        self.whole.send_if_modified(|known| std::mem::replace(known, now) != now);
    }

    /// Rings all of them: something changed that is no rendition's own.
    pub(crate) fn ring_all(&self) {
        self.renditions.iter().for_each(|bell| bell.send_modify(|_| ()));
        self.whole.send_modify(|_| ());
    }

    /// The bell of a rendition; `None` where the stream never had it.
    pub(crate) fn of(&self, rendition: &str) -> Option<watch::Receiver<u64>> {
        self.renditions.get(rendition).map(|bell| bell.subscribe())
    }

    /// The bell for what is whole.
    pub(crate) fn of_whole(&self) -> watch::Receiver<u64> {
        self.whole.subscribe()
    }
}
