//! Timed metadata of a live entry, as it is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use stream::Metadata;
use utoipa::ToSchema;

/// Pieces that are shown.
const SHOWN: usize = 16;

/// A piece of timed metadata that an encoder sent.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveMetadata)]
pub(super) struct MetadataView {
    /// Counts the stream's metadata, from one.
    number: u64,
    /// What it is: `scte35` (a splice information section without its checksum), `id3` or `klv`.
    #[schema(example = "scte35")]
    scheme: &'static str,
    /// When it arrived.
    #[schema(format = DateTime)]
    arrived: String,
    /// The period to whose time it belongs; `null` where nothing was on air.
    #[schema(required)]
    period: Option<u64>,
    /// Seconds from the beginning of that period, on the timeline of its media.
    #[schema(required)]
    time: Option<f64>,
    /// The same as a date, as manifests have it.
    #[schema(required, format = DateTime)]
    at: Option<String>,
    /// The bytes as they came, in base64.
    #[schema(example = "/DAhAAAAAAAAAP/wBQb+AAAAAAAA")]
    data: String,
}

/// The newest, newest last.
pub(super) fn newest(all: &[Metadata]) -> Vec<MetadataView> {
    all[all.len().saturating_sub(SHOWN)..].iter().map(view).collect()
}

fn view(metadata: &Metadata) -> MetadataView {
    let place = metadata.place;
    MetadataView {
        number: metadata.number,
        scheme: metadata.scheme.as_str(),
        arrived: metadata.arrived.to_string(),
        period: place.map(|place| place.period),
        time: place.map(|place| place.time.seconds()),
        at: place.map(|place| place.at.to_string()),
        data: STANDARD.encode(&metadata.data),
    }
}
