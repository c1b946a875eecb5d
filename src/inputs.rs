//! Inputs: those that the configuration names and those of the catalog, run by ingest and shown by the API.

use std::sync::{Arc, Mutex, PoisonError};

use catalog::changes::Kind;
use catalog::events::{Kind as EventKind, NewEvent};
use catalog::{Catalog, EntryId};
use config::Config;
use control_api::{ConfiguredInput, InputState, InputStatus, TsCounters};
use ingest::input::{Datagrams, Definition, Inputs, News, State, Status, What};
use media::WallTime;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// What ids of inputs of the configuration begin with; their place in it comes after.
const CONFIGURED: &str = "cfg_";

/// Those who run, made what is wanted. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Runner(Arc<Inner>);

struct Inner {
    inputs: Inputs,
    catalog: Catalog,
    configured: Vec<Definition>,
    /// Held while the catalog is read and what was read is put into force, so that the newest wins.
    turn: Mutex<()>,
}

impl Runner {
    /// Runs what there is.
    pub(crate) fn new(inputs: Inputs, config: &Config, catalog: Catalog) -> Runner {
        let configured = config.inputs.iter().zip(1..).map(|(input, at)| Definition {
            id: format!("{CONFIGURED}{at}").into(),
            entry: input.entry.as_str().into(),
            url: input.url.clone(),
            rendition: input.rendition.clone(),
            enabled: input.enabled,
            trusted: true,
        });
        let configured = configured.collect();
        let runner = Runner(Arc::new(Inner { inputs, catalog, configured, turn: Mutex::default() }));
        runner.renew();
        runner
    }

    /// Makes what runs be what is written down.
    fn renew(&self) {
        let Inner { inputs, catalog, configured, turn } = &*self.0;
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = catalog.keys().with_inputs();
        let own = entries.iter().flat_map(|entry| entry.inputs.iter()).map(|input| Definition {
            id: input.id.as_str().into(),
            entry: input.entry.as_str().into(),
            url: input.details.url.clone(),
            rendition: input.details.rendition.clone(),
            enabled: input.details.enabled,
            trusted: false,
        });
        inputs.set(own.chain(configured.iter().cloned()));
    }

    /// Follows the catalog, and tells what happens, until told to stop and all have left.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let following = self.follow(stop.clone());
        tokio::join!(following, self.0.inputs.clone().run(stop));
    }

    async fn follow(&self, stop: CancellationToken) {
        let (mut changes, mut news) = (self.0.catalog.changes(), self.0.inputs.news());
        // What changed before anybody listened.
        self.renew();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                change = changes.recv() => match change {
                    Ok(change) if matches!(change.kind, Kind::InputsChanged | Kind::EntryDeleted) => self.renew(),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => self.renew(),
                    Err(RecvError::Closed) => return,
                },
                told = news.recv() => match told {
                    Ok(told) => self.pass_on(told),
                    Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "more happened to inputs than could be told"),
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    fn pass_on(&self, News { input, entry, what }: News) {
        let known = EntryId::parse(&entry).and_then(|entry| self.0.catalog.keys().entry(&entry));
        let account = known.map(|entry| entry.account.clone());
        let (kind, more) = match what {
            What::Started { peer } => (EventKind::InputStarted, ("peer", json!(peer.to_string()))),
            What::Failed { reason } => (EventKind::InputFailed, ("reason", json!(reason))),
        };
        let data = [("input", json!(*input)), more];
        let data = data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (entry, at) = (Some(entry.to_string()), WallTime::from(std::time::SystemTime::now()));
        self.0.catalog.events().record(NewEvent { account, entry, kind, at, data });
    }
}

impl control_api::Inputs for Runner {
    fn status(&self, id: &str) -> Option<InputStatus> {
        self.0.inputs.status(id).map(status)
    }

    fn configured(&self, entry: &str) -> Vec<ConfiguredInput> {
        let all = self.0.inputs.of(entry).into_iter();
        let own = all.filter(|(definition, _)| definition.id.starts_with(CONFIGURED));
        let shown = own.map(|(Definition { id, url, rendition, enabled, .. }, does)| ConfiguredInput {
            id,
            url,
            rendition,
            enabled,
            status: status(does),
        });
        shown.collect()
    }

    fn changed(&self) {
        self.renew();
    }

    fn restart(&self, id: &str) -> bool {
        self.0.inputs.restart(id)
    }
}

fn status(status: Status) -> InputStatus {
    InputStatus {
        state: state(status.state),
        since: status.since,
        error: status.error,
        attempts: status.attempts,
        next_attempt: status.next_attempt,
        peer: status.peer,
        bytes: status.bytes,
        bitrate: status.bitrate,
        datagrams: status.datagrams.map(datagrams),
        ts: ts(&status.ts),
        link: status.link,
    }
}

fn state(state: State) -> InputState {
    match state {
        State::Off => InputState::Off,
        State::Connecting => InputState::Connecting,
        State::Running => InputState::Running,
        State::Waiting => InputState::Waiting,
        State::Failed => InputState::Failed,
    }
}

fn datagrams(Datagrams { received, dropped, foreign, unusable }: Datagrams) -> [u64; 4] {
    [received, dropped, foreign, unusable]
}

fn ts(ts: &ingest::ts::Counters) -> TsCounters {
    TsCounters {
        packets: ts.packets,
        sync_losses: ts.sync_losses,
        continuity_errors: ts.continuity_errors,
        scrambled: ts.scrambled,
        crc_errors: ts.crc_errors,
        dropped: ts.dropped,
        video: ts.video,
        audio: ts.audio,
        streams_left_out: ts.streams_left_out,
    }
}
