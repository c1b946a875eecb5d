//! Webhooks: each event of the catalog's log goes as a signed HTTP call to those who asked for it.
//!
//! ```text
//!  events ──▶ intake ──▶ deliveries (rows of the catalog) ──▶ outlet ──▶ call ──▶ somebody's server
//!                                   ▲                            │
//!                                   └──── tried again later ─────┘
//! ```
//!
//! Payload, headers and signature are those of Standard Webhooks. What is to be sent is in the database before anything
//! is sent, so a restart loses nothing; an event may arrive twice and is known by its `webhook-id`. A receiver that is
//! slow has a few calls at once and holds up nobody; one that fails is tried again ever more rarely, and disabled when
//! nothing has succeeded for days.
//!
//! Who may set an address must not reach what only this machine can: names are resolved here, each address is looked at
//! (`address`), the connection goes to the very address that was looked at, and a redirect is a failure.
//!
//! Not here: which webhooks there are and who may see them (the catalog), HTTP as a server.

mod call;
mod dispatch;
mod intake;
mod judge;
mod metrics;
mod resolve;
mod settings;
mod sign;

pub use call::TlsError;
pub use metrics::Metrics;
pub use resolve::{Resolve, Resolving, System};
pub use settings::Settings;

use std::sync::Arc;

use catalog::Catalog;
use tokio::sync::Notify;
use tokio_rustls::rustls::RootCertStore;
use tokio_util::sync::CancellationToken;

use call::Transport;

/// The one who calls. One of it runs for a catalog.
#[derive(Debug)]
pub struct Webhooks {
    catalog: Catalog,
    settings: Arc<Settings>,
    resolver: Arc<dyn Resolve>,
    roots: RootCertStore,
    metrics: Metrics,
}

impl Webhooks {
    /// With the system's resolver and its certificate authorities.
    pub fn new(catalog: Catalog, settings: Settings, metrics: Metrics) -> Webhooks {
        let (resolver, roots) = (Arc::new(System), call::system_roots());
        Webhooks { catalog, settings: Arc::new(settings), resolver, roots, metrics }
    }

    /// With another resolver.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolve>) -> Webhooks {
        Webhooks { resolver, ..self }
    }

    /// With these certificate authorities and no others.
    #[must_use]
    pub fn with_roots(self, roots: RootCertStore) -> Webhooks {
        Webhooks { roots, ..self }
    }

    /// Queues and delivers until it is told to stop; calls under way then have a moment, and are made again after the
    /// next start if that was not enough.
    ///
    /// # Errors
    /// TLS cannot be set up at all.
    pub async fn run(self, stop: CancellationToken) -> Result<(), TlsError> {
        let transport = Transport::new(&self.settings, self.resolver, self.roots)?;
        let queued = Arc::new(Notify::new());
        let intake = intake::run(self.catalog.clone(), queued.clone(), self.metrics.clone(), stop.clone());
        let outlet = dispatch::run(self.catalog, self.settings, transport, queued, self.metrics, stop);
        tokio::join!(intake, outlet);
        Ok(())
    }
}
