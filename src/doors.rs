//! Who may watch, from the catalog's view in memory. Entries of the configuration are open to everybody.

use std::sync::Arc;

use access::{Rules, Signer};
use catalog::{Catalog, Keys};
use vod::Library;

pub(crate) struct Doors {
    keys: Keys,
    signer: Signer,
    library: Library,
}

impl Doors {
    pub(crate) fn new(catalog: &Catalog, library: Library) -> Doors {
        let signer = Signer::new(catalog.playback_secret().expose().as_bytes());
        Doors { keys: catalog.keys().clone(), signer, library }
    }
}

impl origin::Doors for Doors {
    fn rules(&self, entry: &str) -> Option<Arc<Rules>> {
        self.keys.rules(entry)
    }

    fn entry_of(&self, id: &str) -> Option<Arc<str>> {
        self.library.entry_of(id)
    }

    fn signer(&self) -> Option<&Signer> {
        Some(&self.signer)
    }
}
