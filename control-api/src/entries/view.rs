//! What an entry looks like.

use catalog::Entry;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::access::AccessView;
use crate::base::Base;
use crate::live::Status;
use crate::words::{Air, Kind};

/// An entry: the thing with a stable id that is provisioned, watched and managed.
#[derive(Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryView {
    /// Its id, which is in every URL of it.
    #[schema(example = "0_k3x9p2ab")]
    id: String,
    /// Live or VOD.
    kind: Kind,
    /// The account that it belongs to.
    account: String,
    /// Its name, for people.
    name: String,
    /// Where it stands now; `null` of a VOD entry.
    #[schema(required)]
    status: Option<Status>,
    /// Whom it is for while it is published to; `null` of a VOD entry.
    #[schema(required)]
    air: Option<Air>,
    /// A longer text.
    description: String,
    /// Tags, in alphabetical order.
    tags: Vec<String>,
    /// Whatever is kept with it.
    #[schema(value_type = Object)]
    metadata: Value,
    /// Who it belongs to, in the customer's own words.
    #[schema(required)]
    owner: Option<String>,
    /// Who may watch it.
    access: AccessView,
    /// Where it is watched.
    playback: Playback,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// Where an entry is watched. What this server does not do is `null`.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaybackUrls)]
pub(crate) struct Playback {
    /// HLS, the multivariant playlist.
    hls: String,
    /// DASH, the MPD.
    dash: String,
    /// Smooth Streaming, the client manifest.
    #[schema(required)]
    smooth: Option<String>,
    /// WebRTC (WHEP).
    #[schema(required)]
    whep: Option<String>,
    /// The page to watch it on.
    watch: String,
    /// HTML that puts the player into a page.
    embed: String,
}

impl EntryView {
    pub(crate) fn new(entry: &Entry, status: Option<Status>, base: &Base) -> EntryView {
        let details = &entry.details;
        EntryView {
            id: entry.id.to_string(),
            kind: entry.kind.into(),
            account: entry.account.to_string(),
            name: details.name.clone(),
            status,
            air: entry.air.map(Air::from),
            description: details.description.clone(),
            tags: details.tags.clone(),
            metadata: Value::Object(details.metadata.clone()),
            owner: details.owner.clone(),
            access: AccessView::new(&details.access),
            playback: Playback::new(entry.id.as_str(), base),
            created: entry.created.to_string(),
            updated: entry.updated.to_string(),
            version: entry.version,
        }
    }
}

impl Playback {
    /// Of an entry, or of a recording by its id.
    pub(crate) fn new(id: &str, base: &Base) -> Playback {
        let embed = base.http(&format!("/embed/{id}"));
        Playback {
            hls: base.http(&format!("/play/{id}/master.m3u8")),
            dash: base.http(&format!("/play/{id}/manifest.mpd")),
            smooth: Some(base.http(&format!("/play/{id}/Manifest"))),
            whep: None,
            watch: base.http(&format!("/watch/{id}")),
            embed: format!(
                r#"<iframe src="{embed}" width="640" height="360" allow="autoplay; fullscreen" style="border: 0"></iframe>"#
            ),
        }
    }
}
