//! What a live entry looks like: everything that is needed to go on air.

use std::time::Duration;

use catalog::{Entry, LiveSettings, Secret, StreamKeys};
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::LiveSettingsView;
use super::srt::SrtLegs;
use super::status::Status;
use crate::base::Base;
use crate::control::Control;
use crate::encoders::Encoders;
use crate::entries::EntryView;

/// A live entry, with everything that is needed to go on air.
#[derive(Serialize, ToSchema)]
#[schema(as = Live)]
pub(crate) struct LiveView {
    #[serde(flatten)]
    entry: EntryView,
    /// What overrides the configuration.
    settings: LiveSettingsView,
    /// Its stream keys; `null` for who may not publish.
    #[schema(required)]
    keys: Option<KeysView>,
    /// Where encoders publish to; `null` for who may not.
    #[schema(required)]
    publish: Option<Publish>,
    /// Ready-made settings for encoders; `null` for who may not publish, and where there is no primary key or no RTMP.
    #[schema(required)]
    encoders: Option<Encoders>,
}

/// The stream keys of an entry. A leg without one cannot be published to.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveKeys)]
pub(crate) struct KeysView {
    /// Of the primary leg.
    #[schema(required)]
    primary: Option<String>,
    /// Of the backup leg.
    #[schema(required)]
    backup: Option<String>,
}

/// Where encoders publish to, by protocol. What this server does not do, or does not listen for, is `null`.
#[derive(Serialize, ToSchema)]
struct Publish {
    /// RTMP.
    #[schema(required)]
    rtmp: Option<Urls>,
    /// SRT.
    #[schema(required)]
    srt: Option<SrtLegs>,
    /// WebRTC (WHIP).
    #[schema(required)]
    whip: Option<Urls>,
}

/// A URL for each leg.
#[derive(Serialize, ToSchema)]
struct Urls {
    /// Of the primary leg.
    #[schema(required)]
    primary: Option<String>,
    /// Of the backup leg.
    #[schema(required)]
    backup: Option<String>,
}

impl LiveView {
    /// For who may see keys, with them.
    pub(crate) fn new(control: &Control, base: &Base, entry: &Entry, keys: Option<&StreamKeys>) -> LiveView {
        let status = Status::of(control.directory(), &entry.id);
        let rtmp = control.endpoints().rtmp.map(|port| format!("rtmp://{}:{port}", base.host()));
        LiveView {
            entry: EntryView::new(entry, Some(status), base),
            settings: LiveSettingsView::new(&entry.details.live),
            keys: keys.map(KeysView::new),
            publish: keys.map(|keys| Publish::new(rtmp.as_deref(), srt(control, base, entry, keys), keys)),
            encoders: rtmp.zip(keys.and_then(|keys| keys.primary.as_ref())).map(|(rtmp, key)| {
                let segment = segment(&entry.details.live, control);
                Encoders::new(&format!("{rtmp}/live"), key.expose(), segment)
            }),
        }
    }
}

fn segment(settings: &LiveSettings, control: &Control) -> Duration {
    settings.segment.unwrap_or(control.settings().live.segment)
}

fn srt(control: &Control, base: &Base, entry: &Entry, keys: &StreamKeys) -> Option<SrtLegs> {
    let port = control.endpoints().srt?;
    let passphrase = entry.details.live.srt_passphrase.as_ref();
    Some(SrtLegs::new((base.host(), port), (keys.primary.as_ref(), keys.backup.as_ref()), passphrase))
}

impl KeysView {
    fn new(keys: &StreamKeys) -> KeysView {
        KeysView { primary: exposed(keys.primary.as_ref()), backup: exposed(keys.backup.as_ref()) }
    }
}

impl Publish {
    fn new(rtmp: Option<&str>, srt: Option<SrtLegs>, keys: &StreamKeys) -> Publish {
        Publish { rtmp: rtmp.map(|rtmp| Urls::rtmp(rtmp, keys)), srt, whip: None }
    }
}

impl Urls {
    fn rtmp(server: &str, keys: &StreamKeys) -> Urls {
        let url = |app: &str, key: &Secret| format!("{server}/{app}/{}", key.expose());
        Urls {
            primary: keys.primary.as_ref().map(|key| url("live", key)),
            backup: keys.backup.as_ref().map(|key| url("backup", key)),
        }
    }
}

/// Shown to who may publish: who asks was checked before.
fn exposed(key: Option<&Secret>) -> Option<String> {
    key.map(|key| key.expose().to_owned())
}
