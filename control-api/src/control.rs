//! What every handler shares.

use std::sync::Arc;
use std::time::Instant;

use access::Signer;
use catalog::{Catalog, EntryId};
use stream::{Directory, Refusals};

use crate::api::{Api, Endpoints, Settings};
use crate::archive::Archive;
use crate::clipper::Clipper;
use crate::inputs::Inputs;
use crate::limits::{Sources, Tokens};
use crate::recorder::Recorder;
use crate::restreamer::Restreamer;
use crate::subscribers::Subscribers;

/// What every handler shares. Cloning gives another handle on the same.
#[derive(Clone)]
pub(crate) struct Control(Arc<Inner>);

struct Inner {
    api: Api,
    sources: Sources,
    tokens: Tokens,
    signer: Signer,
    subscribers: Subscribers,
}

impl Control {
    pub(crate) fn new(api: Api) -> Control {
        let sources = Sources::new(api.settings.unknown_tokens);
        let tokens = Tokens::new(api.settings.rate, api.settings.burst);
        let signer = Signer::new(api.catalog.playback_secret().expose().as_bytes());
        Control(Arc::new(Inner { api, sources, tokens, signer, subscribers: Subscribers::default() }))
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.api.catalog
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.api.directory
    }

    /// How many watch an entry now.
    pub(crate) fn viewers(&self, entry: &EntryId) -> u64 {
        self.0.api.audience.count(entry.as_str(), Instant::now())
    }

    /// Whether an entry can be watched though it is not live.
    pub(crate) fn has_recording(&self, entry: &EntryId) -> bool {
        self.0.api.on_demand.has_recording(entry.as_str())
    }

    /// Makes playback tokens.
    pub(crate) fn signer(&self) -> &Signer {
        &self.0.signer
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.api.settings
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.0.api.endpoints
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.0.sources
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn subscribers(&self) -> &Subscribers {
        &self.0.subscribers
    }

    /// Who records.
    pub(crate) fn recorder(&self) -> &dyn Recorder {
        &*self.0.api.recorder
    }

    /// Who runs inputs.
    pub(crate) fn inputs(&self) -> &dyn Inputs {
        &*self.0.api.inputs
    }

    /// Who sends entries on.
    pub(crate) fn restreamer(&self) -> &dyn Restreamer {
        &*self.0.api.restreamer
    }

    pub(crate) fn clipper(&self) -> &dyn Clipper {
        &*self.0.api.clipper
    }

    /// What looks after the files of recordings.
    pub(crate) fn archive(&self) -> &dyn Archive {
        &*self.0.api.archive
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.api.metrics.refusals
    }
}
