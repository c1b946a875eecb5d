//! Who the server is over TLS: a pair of files, read again when they change, or a certificate of its own.
//!
//! Not here: what a certificate is (`tls`), and what is spoken over TLS.

mod files;
mod metrics;
mod self_signed;
mod watch;

use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use config::Config;
use prometheus_client::registry::Registry;
use tls::{Acceptor, Identity, Pair};
use tokio_util::sync::CancellationToken;

use files::{Contents, Files};
use metrics::Metrics;
use watch::Watch;

/// A certificate close to its end is warned of at start, in seconds.
const SOON: i64 = 14 * 86_400;

/// The certificate of this server. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Certificate {
    identity: Identity,
    metrics: Metrics,
    /// The files that it is from, with what was in them; a certificate of the server's own has none.
    files: Option<(Files, Contents)>,
    config: config::Tls,
}

impl Certificate {
    /// Reads it, or makes it; `None` where TLS is not configured.
    pub(crate) fn open(config: &Config, data: &Path) -> anyhow::Result<Option<Certificate>> {
        let (pair, files) = match Files::of(&config.tls) {
            Some(files) => {
                let contents = files.read();
                let pair = usable(&files, &contents)?;
                (pair, Some((files, contents)))
            }
            None if config.tls.self_signed => (self_signed::open(data, now())?, None),
            None => return Ok(None),
        };
        tracing::info!(names = pair.names().join(", "), own = files.is_none(), "TLS certificate");
        let metrics = Metrics::default();
        metrics.serves(&pair);
        Ok(Some(Certificate { identity: Identity::new(&pair), metrics, files, config: config.tls.clone() }))
    }

    /// What makes TLS of connections that show it, for these protocols.
    pub(crate) fn acceptor(&self, alpn: &[&[u8]]) -> anyhow::Result<Acceptor> {
        Acceptor::new(&self.identity, alpn, self.config.handshake_timeout).context("tls")
    }

    /// Shows what it counts.
    pub(crate) fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// Takes up what the files become, until the end.
    pub(crate) async fn follow(self, stop: CancellationToken) {
        let Certificate { identity, metrics, files, config } = self;
        match files {
            Some((files, contents)) => {
                let watch = Watch::new(files, contents, identity, metrics);
                // A server that cannot look any more still has its certificate.
                let _ = stop.run_until_cancelled(watch.run(config.reload)).await;
            }
            None => stop.cancelled().await,
        }
    }
}

/// Everything that is wrong with the files of the configuration, a line each; nothing where none are set.
pub(crate) fn wrong(config: &Config) -> Vec<String> {
    let Some(files) = Files::of(&config.tls) else { return Vec::new() };
    let judged = files.judge(&files.read(), now());
    judged.wrong
}

/// A certificate whose time is not now is better than no server: its clients may think otherwise.
fn usable(files: &Files, contents: &Contents) -> anyhow::Result<Pair> {
    let judged = files.judge(contents, now());
    let Some(pair) = judged.pair else { bail!("{}", judged.wrong.join("\n")) };
    for wrong in &judged.wrong {
        tracing::error!("{wrong}: clients will refuse it");
    }
    let left = pair.validity().not_after.saturating_sub(now());
    if (0..SOON).contains(&left) {
        tracing::warn!(days = left / 86_400, "tls.certificate: expires soon");
    }
    Ok(pair)
}

/// Seconds of Unix time.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
