//! Recordings: what is recorded, rows of the catalog for what is, and events of what happens to them.

mod asked;
mod rows;
mod tell;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use archive::files::Disk;
use catalog::{Catalog, EntryId, Keys, RecordingId, entry};
use config::{Config, RecorderMode, RecorderSync};
use packager::presentation::Stored;
use recorder::{Mode, Plan, Recorder, Settings};
use stream::{Directory, Settled};
use tokio::task::spawn_blocking;

use crate::data::DataDir;

pub(crate) use asked::Asked;
pub(crate) use rows::keep as keep_rows;
pub(crate) use tell::follow as tell;

/// Where recordings lie.
pub(crate) fn root(config: &Config, data: &DataDir) -> PathBuf {
    config.storage.recordings.clone().unwrap_or_else(|| data.path().join("recordings"))
}

/// The recorder, once it has taken up what an earlier run left open.
pub(crate) async fn open(
    config: &Config,
    data: &DataDir,
    catalog: &Catalog,
    directory: &Directory,
) -> anyhow::Result<Recorder> {
    let plan = House { config: config.clone(), keys: catalog.keys().clone() };
    let streams = directory.clone();
    let settle = Box::new(move |entry: &str, stored: Vec<(Arc<str>, u64, Stored)>| {
        let settled = |(rendition, number, stored)| Settled { rendition, number, stored };
        streams.settle(entry, stored.into_iter().map(settled).collect());
    });
    let (root, directory) = (root(config, data), directory.clone());
    let recorder = Recorder::new(settings(config), Arc::new(Disk), root, directory, Arc::new(plan), settle);
    let recovering = recorder.clone();
    let recovered = spawn_blocking(move || recovering.recover()).await?;
    let recovered = recovered.context("storage.recordings: cannot read which recordings there are")?;
    for (entry, recording, repairs) in &recovered.repaired {
        tracing::warn!(%entry, %recording, ?repairs, "this recording was interrupted, and is whole again as far as it goes");
    }
    for (folder, error) in &recovered.unreadable {
        tracing::error!(folder = %folder.display(), %error, "this recording cannot be read; it is left as it is");
    }
    tracing::info!(recordings = recovered.recordings, "recordings");
    Ok(recorder)
}

/// How recordings are written.
pub(crate) fn settings(config: &Config) -> Settings {
    Settings {
        sync: match config.recorder.sync {
            RecorderSync::Part => archive::Sync::Part,
            RecorderSync::Segment => archive::Sync::Segment,
            RecorderSync::Interval(interval) => archive::Sync::Interval(interval),
        },
        keep_free: keep_free(config),
        max_length: config.recorder.max_length,
    }
}

/// What stays free where recordings are.
pub(crate) fn keep_free(config: &Config) -> recorder::KeepFree {
    match config.storage.keep_free {
        config::KeepFree::Percent(percent) => recorder::KeepFree::Percent(percent),
        config::KeepFree::Bytes(bytes) => recorder::KeepFree::Bytes(bytes),
    }
}

/// What the configuration and the catalog want to be recorded.
struct House {
    config: Config,
    keys: Keys,
}

impl Plan for House {
    fn of(&self, entry: &str) -> Option<Mode> {
        let own = EntryId::parse(entry).and_then(|id| self.keys.entry(&id)?.settings.recorder);
        match own {
            Some(entry::Recorder::Append) => Some(Mode::Append),
            Some(entry::Recorder::PerSession) => Some(Mode::PerSession),
            Some(entry::Recorder::Off) => None,
            None => configured(self.config.recorder.mode),
        }
    }

    fn name(&self) -> Option<Arc<str>> {
        RecordingId::new().ok().map(|id| id.as_str().into())
    }
}

fn configured(mode: RecorderMode) -> Option<Mode> {
    match mode {
        RecorderMode::Append => Some(Mode::Append),
        RecorderMode::PerSession => Some(Mode::PerSession),
        RecorderMode::Off => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_those_of_the_recorder() {
        let config = Config::default();
        assert_eq!(settings(&config), Settings::default());
        assert_eq!(configured(config.recorder.mode), Some(Mode::Append));
    }
}
