//! The object store of recordings, where one is configured: what is recorded goes there, and is read from there.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use archive::files::Disk;
use config::{Config, KeepLocal, Secret};
use control_api::archive::{Copied, CopyStage};
use depot::{Depot, S3, Stage, Totals};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use recorder::{Recorder, State, Told};
use stream::Storage;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::data::DataDir;
use crate::recording;

/// For the store to say which recordings it has, when the server starts on an empty disk.
const RESTORE: Duration = Duration::from_secs(60);

/// The depot, if there is a store. Where there is no recording here at all, those of the store come back first.
pub(crate) async fn open(config: &Config, data: &DataDir) -> anyhow::Result<Option<Depot>> {
    let storage = &config.storage;
    let Some(url) = &storage.object_url else { return Ok(None) };
    let s3 = S3 {
        url: url.clone(),
        endpoint: storage.object_endpoint.clone(),
        region: storage.object_region.clone(),
        access_key: storage.object_access_key.clone(),
        secret_key: storage.object_secret_key.as_ref().map(Secret::expose).map(str::to_owned),
    };
    let bucket = s3.open().context("storage.object_url: cannot use this store")?;
    let recordings = recording::root(config, data);
    let (state, looked) = (data.path().join("depot"), recordings.clone());
    let empty = tokio::task::spawn_blocking(move || is_empty(&looked)).await?;
    let keep_local = match storage.object_keep_local {
        KeepLocal::Always => None,
        KeepLocal::Never => Some(Duration::ZERO),
        KeepLocal::For(time) => Some(time),
    };
    let settings = depot::Settings { recordings, state, keep_local };
    let depot = Depot::new(bucket, Arc::new(Disk), settings);
    if empty {
        restore(&depot).await;
    }
    Ok(Some(depot))
}

/// What reads stored media: `local`, and behind it the store.
pub(crate) fn storage(depot: Option<&Depot>, local: Arc<dyn Storage>) -> Arc<dyn Storage> {
    match depot {
        Some(depot) => Arc::new(depot.remote(local)),
        None => local,
    }
}

/// Tells the depot what happens to recordings, until told to stop.
pub(crate) async fn follow(depot: Depot, recorder: Recorder, stop: CancellationToken) {
    let mut events = recorder.events();
    catch_up(&depot, &recorder);
    if let Err(error) = depot.start().await {
        tracing::error!(%error, "cannot list recordings: those of earlier runs are not uploaded");
    }
    while let Some(told) = stop.run_until_cancelled(events.recv()).await {
        match told {
            Ok(Told::Began { entry, recording }) => depot.began(&format!("{entry}/{recording}")),
            Ok(Told::Ended { entry, recording }) => depot.ended(&format!("{entry}/{recording}")),
            // What is removed it hears beforehand, from whoever removes it.
            Ok(Told::Removed { .. } | Told::Lost { .. } | Told::Resumed { .. } | Told::Hidden { .. }) => {}
            Err(RecvError::Lagged(_)) => catch_up(&depot, &recorder),
            Err(RecvError::Closed) => break,
        }
    }
    depot.stop();
}

/// How far a recording is on its way there; `None` where that cannot be told.
pub(crate) async fn copy(depot: Depot, store: String) -> Option<Copied> {
    let progress = match depot.known(&store) {
        Some(progress) => progress,
        None => tokio::task::spawn_blocking(move || depot.progress_of(&store)).await.ok()?.ok()?,
    };
    let stage = match progress.stage {
        Stage::Growing => CopyStage::Growing,
        Stage::Uploading => CopyStage::Uploading,
        Stage::Complete => CopyStage::Complete,
        Stage::Moved => CopyStage::Moved,
    };
    let (bytes, uploaded) = (progress.bytes, progress.uploaded);
    Some(Copied { stage, bytes, uploaded, failing: progress.error.is_some() })
}

/// Which recordings are written, and which that the depot looks after are not any more.
fn catch_up(depot: &Depot, recorder: &Recorder) {
    let all = recorder.all();
    let open = all.iter().filter(|about| about.state == State::Open);
    let open: Vec<String> = open.map(|about| format!("{}/{}", about.entry, about.id)).collect();
    let over = depot.progress().into_iter().map(|(store, _)| store);
    over.filter(|store| !open.iter().any(|it| **it == **store)).for_each(|store| depot.ended(&store));
    open.iter().for_each(|store| depot.began(store));
}

/// A disk that was lost is no reason to lose recordings, and a store that is away none not to start.
async fn restore(depot: &Depot) {
    match tokio::time::timeout(RESTORE, depot.restore()).await {
        Ok(Ok(restored)) if restored.is_empty() => {}
        Ok(Ok(restored)) => {
            tracing::warn!(
                recordings = restored.len(),
                "no recordings were here: those of the object store are known again"
            );
        }
        Ok(Err(error)) => tracing::warn!(%error, "cannot ask the object store for recordings"),
        Err(_) => tracing::warn!("the object store takes too long to say which recordings it has"),
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Numbers for operators, if there is a store.
pub(crate) fn register(depot: Option<&Depot>, into: &mut Registry) {
    if let Some(depot) = depot {
        into.register_collector(Box::new(Metrics(depot.clone())));
    }
}

/// How far recordings are on their way to the store.
struct Metrics(Depot);

/// Name, help, value.
type Number = (&'static str, &'static str, fn(&Totals) -> u64);

const GAUGES: [Number; 4] = [
    ("pending_recordings", "Recordings that are not all in the object store", |it| it.pending_recordings),
    ("pending_bytes", "Media that is not in the object store yet", |it| it.pending_bytes),
    ("failing_recordings", "Recordings whose last upload failed; it is tried again", |it| it.failing),
    (
        "pending_removals",
        "Recordings that were removed and are still in the object store, as far as is known",
        |it| it.pending_removals,
    ),
];

const COUNTERS: [Number; 2] = [
    ("sent_bytes", "Media sent to the object store", |it| it.sent_bytes),
    (
        "failures",
        "Uploads to the object store, and removals from it, that failed and are tried again",
        |it| it.failures,
    ),
];

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let totals = self.0.totals();
        for (name, help, value) in GAUGES {
            let gauge = ConstGauge::new(i64::try_from(value(&totals)).unwrap_or(i64::MAX));
            let name = format!("object_store_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in COUNTERS {
            let counter = ConstCounter::new(value(&totals));
            let name = format!("object_store_{name}");
            counter.encode(encoder.encode_descriptor(&name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
