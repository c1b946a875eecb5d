//! Who may publish: keys of the configuration first, then those of the catalog.

mod fixed;
mod guesses;
mod overrides;
mod places;
mod provisioned;

use std::sync::Arc;

use catalog::{Catalog, EntryId};
use config::Config;
use ingest::input::Permit;
use stream::{Admit, Air, Directory, Grant, Refusal, Request, Settings};

use fixed::FixedKeys;
use guesses::Guesses;
use provisioned::Provisioned;
pub(crate) use provisioned::{air, timeline};

/// What `futures_util` calls a `BoxFuture`.
type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Decides on every publisher, in memory: a database that is away keeps nobody out.
pub(crate) struct Admission {
    fixed: FixedKeys,
    provisioned: Provisioned,
    guesses: Guesses,
}

impl Admission {
    pub(crate) fn new(
        config: &Config,
        settings: &Arc<Settings>,
        catalog: &Catalog,
        directory: Directory,
    ) -> Admission {
        Admission {
            fixed: FixedKeys::new(&config.streams, settings.clone()),
            provisioned: Provisioned::new(catalog.keys().clone(), settings.clone(), directory),
            guesses: Guesses::new(config.auth.failures),
        }
    }

    fn decide(&self, request: &Request) -> Result<Grant, Refusal> {
        match self.fixed.decide(request) {
            Err(Refusal::UnknownKey) => self.provisioned.decide(request),
            decided => decided,
        }
    }
}

impl Admit for Admission {
    fn admit<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Grant, Refusal>> {
        Box::pin(async move {
            let decided = self.decide(request);
            if let Err(Refusal::UnknownKey) = decided {
                self.guesses.slow(request.peer.ip()).await;
            }
            decided
        })
    }

    fn passphrase(&self, request: &Request) -> Option<String> {
        match self.fixed.passphrase(&request.name) {
            Some(passphrase) => passphrase,
            None => self.provisioned.passphrase(&request.name),
        }
    }
}

impl Permit for Admission {
    fn permit(&self, entry: &str, rendition: Option<&str>) -> Result<Grant, Refusal> {
        if let Some(grant) = self.fixed.for_input(entry, rendition) {
            return Ok(grant);
        }
        let id = EntryId::parse(entry);
        id.and_then(|id| self.provisioned.for_input(&id, rendition)).unwrap_or_else(|| {
            let text = "there is no live entry of this id".to_owned();
            Err(Refusal::NotNow { entry: entry.into(), text })
        })
    }
}

/// How the stream of an entry behaves and whom it is for, from an earlier run's index of it; nothing of an entry
/// that is no more.
pub(crate) fn known(
    config: &Config,
    settings: &Arc<Settings>,
    catalog: &Catalog,
    entry: &str,
) -> Option<(Arc<Settings>, Air)> {
    if config.streams.iter().any(|live| live.entry == entry) {
        return Some((settings.clone(), Air::Live));
    }
    let live = catalog.keys().entry(&EntryId::parse(entry)?)?;
    let quotas = catalog.keys().quotas(&live.account);
    Some((Arc::new(overrides::apply(settings, &live.settings, quotas)), air(live.air)))
}
