//! What is counted, under which name.
//!
//! Edges count by themselves; streams are asked when somebody looks, so that one that is gone leaves nothing behind.

mod links;
mod process;
mod streams;

use std::sync::Arc;

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use stream::{Audience, Directory};

use crate::log;

/// What edges count in.
#[derive(Default)]
pub(crate) struct Edges {
    pub(crate) rtmp: ingest::rtmp::Metrics,
    pub(crate) srt: ingest::srt::Metrics,
    pub(crate) inputs: ingest::input::Metrics,
    pub(crate) http: origin::Metrics,
    pub(crate) api: control_api::Metrics,
    pub(crate) webhooks: webhooks::Metrics,
    pub(crate) images: thumbs::Metrics,
}

/// Everything there is to see.
pub(crate) fn registry(edges: &Edges, directory: &Directory, audience: &Arc<Audience>) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(process::Process));
    let ours = registry.sub_registry_with_prefix("headwater");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    ours.register("build", "Which Headwater this is", Info::new(version));
    ours.register("panics", "Panics: each one is a bug", log::PANICS.clone());
    edges.rtmp.register(ours);
    edges.srt.register(ours);
    edges.inputs.register(ours);
    edges.http.register(ours);
    edges.api.register(ours);
    edges.webhooks.register(ours);
    edges.images.register(ours);
    ours.register_collector(Box::new(links::Links(directory.clone())));
    ours.register_collector(Box::new(streams::Streams::new(directory.clone(), audience.clone())));
    registry
}
