//! Rendered manifests: one rendering, and one compression, per snapshot however many ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;
use moka::sync::Cache;
use packager::manifest::Options;

use crate::settings::Settings;
use crate::{encoding, etag};

/// Which manifest of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Which {
    Multivariant,
    Mpd,
    Playlist,
    Smooth,
    TsMultivariant,
    /// With the version of the rendition; its sound is another's, so that of the snapshot counts too.
    TsPlaylist(u64),
    Storyboard,
}

/// Everything that a body depends on. Versions are unique in the process, so that no entry need be named.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    /// Of the snapshot, or of the rendition for a media playlist.
    pub(crate) version: u64,
    pub(crate) which: Which,
    /// What the request asked for; the default where that changes nothing.
    pub(crate) options: Options,
}

/// A body in one coding, with a tag of its own (RFC 9110 §8.8.3.3).
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) body: Bytes,
    pub(crate) etag: HeaderValue,
}

/// A manifest in the codings in which it was asked for.
#[derive(Debug)]
pub(crate) struct Rendered {
    hash: String,
    plain: Coded,
    gzip: OnceLock<Coded>,
}

impl Rendered {
    fn new(text: String) -> Rendered {
        let hash = etag::of_body(text.as_bytes());
        let plain = Coded { etag: etag::quoted(&hash), body: text.into() };
        Rendered { hash, plain, gzip: OnceLock::new() }
    }

    /// As it was written.
    pub(crate) fn plain(&self) -> &Coded {
        &self.plain
    }

    /// Compressed, the first time that it is asked for.
    pub(crate) fn gzip(&self) -> &Coded {
        self.gzip.get_or_init(|| Coded {
            body: encoding::gzip(&self.plain.body),
            etag: etag::quoted(&format!("{}-gzip", self.hash)),
        })
    }

    /// Bytes held at most: gzip adds at most a few to a body that does not shrink.
    fn weight(&self) -> u32 {
        const OVERHEAD: usize = 512;
        u32::try_from(self.plain.body.len() * 2 + OVERHEAD).unwrap_or(u32::MAX)
    }
}

/// The manifests of the newest snapshots.
pub(crate) struct Renderings {
    cache: Cache<Key, Arc<Rendered>>,
    count: AtomicU64,
}

impl Renderings {
    pub(crate) fn new(settings: &Settings) -> Renderings {
        let cache = Cache::builder()
            .max_capacity(settings.manifest_cache_bytes)
            .weigher(|_: &Key, rendered: &Arc<Rendered>| rendered.weight())
            .time_to_idle(settings.manifest_cache_idle)
            .build();
        Renderings { cache, count: AtomicU64::new(0) }
    }

    /// The manifest of `key`. Those who ask while it is being written wait for it.
    pub(crate) fn get(&self, key: Key, write: impl FnOnce() -> String) -> Arc<Rendered> {
        self.cache.get_with(key, || {
            self.count.fetch_add(1, Ordering::Relaxed);
            Arc::new(Rendered::new(write()))
        })
    }

    /// How many manifests were written so far.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key {
        version: 1,
        which: Which::Multivariant,
        options: Options { pinned: false, low_latency: true, skip: false, window: None, from_zero: false },
    };

    #[test]
    fn each_coding_has_its_tag() {
        let rendered = Rendered::new("#EXTM3U\n".to_owned());
        let same = Rendered::new("#EXTM3U\n".to_owned());
        let other = Rendered::new("#EXTM3U\n#EXT-X-ENDLIST\n".to_owned());
        assert_ne!(rendered.plain().etag, rendered.gzip().etag);
        assert_eq!(rendered.plain().etag, same.plain().etag);
        assert_eq!(rendered.gzip().etag, same.gzip().etag);
        assert_ne!(rendered.plain().etag, other.plain().etag);
    }

    #[test]
    fn bytes_held_are_bounded() {
        let settings = Settings { manifest_cache_bytes: 100_000, ..Settings::default() };
        let renderings = Renderings::new(&settings);
        for version in 0..1000 {
            renderings.get(Key { version, ..KEY }, || "x".repeat(1000));
        }
        renderings.cache.run_pending_tasks();
        assert!(renderings.cache.weighted_size() <= 100_000);
        assert!(renderings.cache.entry_count() > 0);
    }
}
