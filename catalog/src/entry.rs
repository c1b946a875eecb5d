//! What an entry is: the thing with a stable id that is provisioned, watched and managed.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use access::Rules;
use media::WallTime;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::id::{AccountId, EntryId};
use crate::retention::Retention;
use crate::secret::Secret;
use crate::tables;
use crate::words::words;

/// Longest name, in characters.
pub const NAME: usize = 250;
/// Longest description, in characters.
pub const DESCRIPTION: usize = 10_000;
/// Most tags of an entry.
pub const TAGS: usize = 50;
/// Longest tag, in characters.
pub const TAG: usize = 100;
/// Longest owner, in characters.
pub const OWNER: usize = 250;
/// Most metadata, in bytes of JSON.
pub const METADATA: usize = 32 << 10;
/// Bytes of a passphrase of SRT.
pub const PASSPHRASE: RangeInclusive<usize> = 10..=79;
/// Longest of the lengths of [`LiveSettings`]: thirty days.
pub const LONGEST: Duration = Duration::from_secs(30 * 86_400);

words! {
    /// Whether an entry is made by publishing or by a file.
    Kind {
        /// It is published to.
        Live = "live",
        /// It was uploaded, imported or cut from another.
        Vod = "vod",
    }
}

words! {
    /// Whether the public may watch a live entry while it is published to.
    Air {
        /// Its own people only.
        Preview = "preview",
        /// Everybody who may watch it at all.
        Live = "live",
    }
}

words! {
    /// What becomes of what was on air.
    Recorder {
        /// It is recorded, behind what was recorded before.
        Append = "append",
        /// Each session is a recording of its own.
        PerSession = "per-session",
        /// It is not.
        Off = "off",
    }
}

words! {
    /// How far behind the encoder players are meant to be.
    Latency {
        /// Playlists list parts and requests block for them.
        Low = "low",
        /// Whole segments.
        Standard = "standard",
    }
}

/// An entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its id, which is in every URL of it.
    pub id: EntryId,
    /// Whose it is.
    pub account: AccountId,
    /// Live or VOD.
    pub kind: Kind,
    /// Whether the public may watch; `None` for a VOD entry.
    pub air: Option<Air>,
    /// What people say about it.
    pub details: Details,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change; what an ETag is made of.
    pub version: u64,
}

/// What of an entry can be written: given when it is created, edited later.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Details {
    /// Its name, for people; at most [`NAME`] characters, not empty.
    pub name: String,
    /// A longer text; at most [`DESCRIPTION`] characters.
    pub description: String,
    /// Tags, each once, in alphabetical order when read; at most [`TAGS`] of at most [`TAG`] characters.
    pub tags: Vec<String>,
    /// Whatever the customer wants to keep with it; at most [`METADATA`] bytes as JSON.
    pub metadata: Map<String, Value>,
    /// A name of the customer's for who it belongs to; at most [`OWNER`] characters.
    pub owner: Option<String>,
    /// Who may watch it; the default lets everybody.
    pub access: Arc<Rules>,
    /// What overrides the configuration while it is live. Of a VOD entry all of it is `None`.
    pub live: LiveSettings,
}

/// What overrides the configuration for one live entry; `None` takes the configured value. Each length is from 1 ms to
/// [`LONGEST`], in whole milliseconds; the packager's own ranges are not known here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LiveSettings {
    /// `packager.segment`.
    pub segment: Option<Duration>,
    /// `packager.part`.
    pub part: Option<Duration>,
    /// `packager.window`.
    pub window: Option<Duration>,
    /// `dvr.window`.
    pub dvr: Option<Duration>,
    /// `stream.reconnect`.
    pub reconnect: Option<Duration>,
    /// `recorder.mode`.
    pub recorder: Option<Recorder>,
    /// Whether its playlists are low-latency ones.
    pub latency: Option<Latency>,
    /// The keys open nothing before this.
    pub starts_at: Option<WallTime>,
    /// Nor from this on.
    pub ends_at: Option<WallTime>,
    /// How much of its recordings is kept.
    pub keep: Retention,
    /// What publishers have to encrypt with by SRT, [`PASSPHRASE`] bytes; without one they must not encrypt.
    pub srt_passphrase: Option<Secret>,
}

impl LiveSettings {
    /// The overrides that are lengths of time, by their names.
    pub fn lengths(&self) -> [(&'static str, Option<Duration>); 5] {
        [
            ("segment", self.segment),
            ("part", self.part),
            ("window", self.window),
            ("dvr", self.dvr),
            ("reconnect", self.reconnect),
        ]
    }

    pub(crate) fn stored(row: &tables::live::Model) -> Result<LiveSettings, Error> {
        Ok(LiveSettings {
            segment: from_millis(row.segment),
            part: from_millis(row.part),
            window: from_millis(row.window),
            dvr: from_millis(row.dvr),
            reconnect: from_millis(row.reconnect),
            recorder: row.recorder.as_deref().map(Recorder::stored).transpose()?,
            latency: row.latency.as_deref().map(Latency::stored).transpose()?,
            starts_at: row.starts_at.map(WallTime::from_micros),
            ends_at: row.ends_at.map(WallTime::from_micros),
            keep: Retention::stored((row.keep_age, row.keep_count, row.keep_bytes)),
            srt_passphrase: row.srt_passphrase.as_ref().map(Secret::new),
        })
    }

    pub(crate) fn row(&self, entry: &EntryId, air: Air) -> tables::live::Model {
        let (keep_age, keep_count, keep_bytes) = self.keep.columns();
        tables::live::Model {
            entry: entry.to_string(),
            air: air.to_string(),
            segment: to_millis(self.segment),
            part: to_millis(self.part),
            window: to_millis(self.window),
            dvr: to_millis(self.dvr),
            reconnect: to_millis(self.reconnect),
            recorder: self.recorder.map(|it| it.to_string()),
            latency: self.latency.map(|it| it.to_string()),
            starts_at: self.starts_at.map(WallTime::micros),
            ends_at: self.ends_at.map(WallTime::micros),
            keep_age,
            keep_count,
            keep_bytes,
            srt_passphrase: self.srt_passphrase.as_ref().map(|secret| secret.expose().to_owned()),
        }
    }

    fn summary(&self, into: &mut Map<String, Value>) {
        for (name, length) in self.lengths() {
            into.insert(name.to_owned(), json!(to_millis(length)));
        }
        into.insert("recorder".to_owned(), json!(self.recorder.map(Recorder::as_str)));
        into.insert("latency".to_owned(), json!(self.latency.map(Latency::as_str)));
        into.insert("starts_at".to_owned(), json!(self.starts_at.map(|at| at.to_string())));
        into.insert("ends_at".to_owned(), json!(self.ends_at.map(|at| at.to_string())));
        self.keep.summary(into);
        // That there is one is no secret.
        into.insert("srt_passphrase".to_owned(), json!(self.srt_passphrase.is_some()));
    }
}

impl Entry {
    /// What the audit log compares. Nothing in it is secret.
    pub(crate) fn summary(&self) -> Map<String, Value> {
        let details = &self.details;
        let mut summary = Map::new();
        summary.insert("kind".to_owned(), json!(self.kind.as_str()));
        summary.insert("air".to_owned(), json!(self.air.map(Air::as_str)));
        summary.insert("name".to_owned(), json!(details.name));
        summary.insert("description".to_owned(), json!(details.description));
        summary.insert("tags".to_owned(), json!(details.tags));
        summary.insert("metadata".to_owned(), json!(details.metadata));
        summary.insert("owner".to_owned(), json!(details.owner));
        summary.insert("access".to_owned(), json!((!details.access.is_open()).then_some(&*details.access)));
        details.live.summary(&mut summary);
        summary
    }
}

/// Rules as they are stored: nothing where they let in everybody.
pub(crate) fn rules_row(rules: &Rules) -> Option<String> {
    (!rules.is_open()).then(|| json!(rules).to_string())
}

/// Rules that were stored.
pub(crate) fn stored_rules(entry: &str, text: Option<&str>) -> Result<Arc<Rules>, Error> {
    let Some(text) = text else { return Ok(Arc::default()) };
    let rules: Rules = serde_json::from_str(text)
        .map_err(|error| Error::Broken(format!("the access rules of {entry}: {error}")))?;
    Ok(Arc::new(rules))
}

fn from_millis(millis: Option<i64>) -> Option<Duration> {
    millis.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis)
}

fn to_millis(length: Option<Duration>) -> Option<i64> {
    length.and_then(|length| i64::try_from(length.as_millis()).ok())
}
