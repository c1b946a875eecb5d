//! `headwater serve`: listeners up, ready line, edges until told to stop, and down again.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use catalog::Catalog;
use config::Config;
use control_api::Api;
use depot::Depot;
use ingest::input::Inputs;
use prometheus_client::registry::Registry;
use recorder::Recorder;
use restream::Restream;
use stream::{Audience, Directory};
use tls::Acceptor;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use vod::Library;
use webhooks::Webhooks;

use crate::admission::Admission;
use crate::certificate::Certificate;
use crate::clipper::Clipper;
use crate::data::DataDir;
use crate::doors::Doors;
use crate::inputs::Runner;
use crate::keeping::Keeping;
use crate::listeners::{self, Listeners, Standing};
use crate::stills::Stills;
use crate::stop::{self, Signals};
use crate::threads::{Apart, Threads};
use crate::{
    cli, clips, descriptors, herald, library, load, log, metrics, objects, recording, targets, tenancy,
    warden, wiring,
};

/// From the signal, for publishers to leave that were asked to (`rtmp.drain_timeout`), streams to close and edges to drain.
const DRAIN: Duration = Duration::from_secs(8);
/// For the database to take what is left, after that.
const CLOSE: Duration = Duration::from_secs(1);
/// For whatever still runs after that.
const LAST: Duration = Duration::from_millis(500);

/// Runs the server until SIGTERM or SIGINT.
pub(crate) fn run(flags: &cli::Serve) -> anyhow::Result<()> {
    let config = load::with_flags(flags)?;
    log::start(&config.log)?;
    warn_of(flags);
    descriptors::raise(&config);
    let data = DataDir::open(&config.storage.data)?;
    until_stopped(&config, &data, async |_, _, stop: CancellationToken| stop.cancelled().await)
}

/// Runs a server, and once it stands `beside`, which ends when the token is cancelled.
pub(crate) fn until_stopped<Beside>(config: &Config, data: &DataDir, beside: Beside) -> anyhow::Result<()>
where
    Beside: AsyncFnOnce(Standing, Directory, CancellationToken),
{
    tracing::info!(version = env!("CARGO_PKG_VERSION"), data = %data.path().display(), "starting");
    let threads = Threads::start()?;
    let done = threads.run(async |apart| serve(config, data, apart, beside).await);
    threads.end(LAST);
    done
}

async fn serve<Beside>(
    config: &Config,
    data: &DataDir,
    apart: Apart<'_>,
    beside: Beside,
) -> anyhow::Result<()>
where
    Beside: AsyncFnOnce(Standing, Directory, CancellationToken),
{
    let live = apart.live;
    let mut signals = Signals::new()?;
    let settings = Arc::new(wiring::stream(config));
    let catalog = tenancy::open(config, data.path()).await?;
    tenancy::first_token(&catalog, data.path()).await?;
    let directory = wiring::directory(config, data)?;
    let depot = objects::open(config, data).await?;
    let recorder = recording::open(config, data, &catalog, &directory).await?;
    recorder.writes_on(apart.record.clone());
    wiring::restore(config, &settings, &catalog, &directory, live).await?;
    let keeping = Arc::new(Keeping::new(config, &catalog, &recorder, depot.as_ref()));
    keeping.clean().await;
    let library = library::open(config, recorder.root(), &settings, &catalog, &directory)?;
    keeping.hide(&library).await;
    let certificate = Certificate::open(config, data.path())?;
    let listeners = Listeners::open(config)?;
    let standing = listeners.standing()?;
    let restream = wiring::restream(config, &catalog, &directory, &standing)?;
    let (closing, stop) = (CancellationToken::new(), CancellationToken::new());
    let house = House {
        config,
        settings,
        catalog: catalog.clone(),
        directory: directory.clone(),
        library,
        audience: Arc::default(),
        standing,
        live,
        closing: closing.clone(),
        stop: stop.clone(),
        recorder: recorder.clone(),
        keeping,
        depot,
        certificate,
        restream,
    };
    let mut edges = house.open(listeners)?;
    let recorded = CancellationToken::new();
    let rows = tokio::spawn(recording::keep_rows(catalog.clone(), recorder.clone(), recorded.clone()));
    standing.announce();
    let beside = beside(standing, directory.clone(), closing.clone());
    let serving = async {
        let outcome = tokio::select! {
            () = signals.next() => Ok(()),
            Some(edge) = edges.join_next() => Err(broken(edge)),
        };
        stop::by_all_means();
        closing.cancel();
        (outcome, Instant::now() + DRAIN)
    };
    let ((outcome, by), ()) = tokio::join!(serving, beside);
    let close = async {
        let grace = config.rtmp.drain_timeout;
        let mut closed = pin!(directory.shutdown(grace));
        // As long as media comes it is recorded, played and sent on.
        let in_time = timeout(grace, closed.as_mut()).await.is_ok();
        stop.cancel();
        // Who follows events would otherwise be waited for.
        catalog.events().end();
        if !in_time {
            closed.await;
        }
        recorder.finish().await;
        recorded.cancel();
    };
    let (closed, ()) = tokio::join!(timeout_at(by, close), drain(edges, by));
    outcome?;
    closed.context("streams and recordings were not closed in time")?;
    if timeout(CLOSE / 2, rows).await.is_err() {
        tracing::warn!("the catalog does not know yet how recordings ended: it will with the next start");
    }
    if timeout(CLOSE, catalog.close()).await.is_err() {
        tracing::warn!("the database was not closed in time: the last events may be missing");
    }
    tracing::info!("stopped");
    Ok(())
}

fn warn_of(flags: &cli::Serve) {
    const USUAL: &str = "headwater.toml";
    if flags.source.config.is_none() && Path::new(USUAL).exists() {
        tracing::warn!("running on defaults; {USUAL} is read only with --config {USUAL}");
    }
}

/// Running edges; each ends with its name once it has drained.
type Edges = JoinSet<&'static str>;

/// What edges are made of.
struct House<'a> {
    config: &'a Config,
    settings: Arc<stream::Settings>,
    catalog: Catalog,
    directory: Directory,
    library: Library,
    audience: Arc<Audience>,
    standing: Standing,
    live: &'a Handle,
    /// Nobody may begin to publish any more, and who does is to leave.
    closing: CancellationToken,
    /// All streams are closed, or as good as closed.
    stop: CancellationToken,
    recorder: Recorder,
    keeping: Arc<Keeping>,
    depot: Option<Depot>,
    certificate: Option<Certificate>,
    restream: Restream,
}

impl House<'_> {
    /// Starts what listens, and what looks after the streams.
    fn open(&self, listeners: Listeners) -> anyhow::Result<Edges> {
        let mut edges = Edges::new();
        let counts = metrics::Edges::default();
        // One for all, so that places of a quota and guesses are counted together.
        let admission = self.admission();
        let rtmp = listeners::on(self.live, listeners.rtmp, self.over_tls(listeners.rtmps, &[])?)?;
        if !rtmp.is_empty() {
            let serve = self.rtmp(&counts, admission.clone()).serve_all(rtmp, self.closing.clone());
            edges.spawn_on(named("rtmp", serve), self.live);
        }
        if let Some(socket) = listeners.srt {
            edges.spawn_on(named("srt", self.srt(&counts, admission.clone(), socket)), self.live);
        }
        let inputs = self.inputs(&counts, admission);
        edges.spawn(named("inputs", inputs.clone().run(self.closing.clone())));
        let https = self.over_tls(listeners.https, tls::HTTP)?;
        let http = listeners::on(&Handle::current(), listeners.http, https)?;
        if !http.is_empty() {
            edges.spawn(named("http", self.http(&counts, inputs).serve_all(http, self.stop.clone())));
        }
        if let Some(certificate) = self.certificate.clone() {
            edges.spawn(named("certificate", certificate.follow(self.stop.clone())));
        }
        let (catalog, directory) = (self.catalog.clone(), self.directory.clone());
        edges.spawn(named("warden", warden::watch(catalog.clone(), directory.clone(), self.stop.clone())));
        edges.spawn(named("herald", herald::follow(catalog, directory, self.stop.clone())));
        edges.spawn(named("webhooks", self.webhooks(&counts)));
        let library = library::follow(self.library.clone(), &self.recorder, self.stop.clone());
        edges.spawn(named("library", library));
        if let Some(depot) = self.depot.clone() {
            let follow = objects::follow(depot, self.recorder.clone(), self.stop.clone());
            edges.spawn(named("object store", follow));
        }
        edges.spawn(named("recorder", self.recorder.clone().run(self.stop.clone())));
        let told = recording::tell(self.catalog.clone(), self.recorder.clone(), self.stop.clone());
        edges.spawn(named("recordings", told));
        let restream = self.restream.clone().run(self.stop.clone());
        edges.spawn_on(named("restream", restream), self.live);
        edges.spawn(named("keeper", self.keeping.clone().run(self.stop.clone())));
        Ok(edges)
    }

    /// A socket whose connections have to become TLS; nothing without a certificate.
    fn over_tls(
        &self,
        socket: Option<TcpListener>,
        alpn: &[&[u8]],
    ) -> anyhow::Result<Option<(TcpListener, Acceptor)>> {
        let both = socket.zip(self.certificate.as_ref());
        both.map(|(socket, certificate)| Ok((socket, certificate.acceptor(alpn)?))).transpose()
    }

    fn api(&self, counts: &metrics::Edges, inputs: Runner) -> Api {
        Api {
            catalog: self.catalog.clone(),
            directory: self.directory.clone(),
            audience: self.audience.clone(),
            settings: wiring::api(self.config),
            endpoints: self.standing.endpoints(),
            metrics: counts.api.clone(),
            archive: self.keeping.clone(),
            recorder: Arc::new(recording::Asked(self.recorder.clone())),
            restreamer: Arc::new(targets::Asked(self.restream.clone())),
            clipper: Arc::new(Clipper::new(self.recorder.root().to_owned())),
            on_demand: Arc::new(library::OnDemand(self.library.clone())),
            inputs: Arc::new(inputs),
        }
    }

    fn webhooks(&self, counts: &metrics::Edges) -> impl Future<Output = ()> + use<> {
        let settings = wiring::webhooks(self.config);
        let webhooks = Webhooks::new(self.catalog.clone(), settings, counts.webhooks.clone());
        let stop = self.stop.clone();
        async move {
            // Events that nobody is called about are no reason to go black.
            if let Err(error) = webhooks.run(stop.clone()).await {
                tracing::error!(%error, "webhooks are off");
                stop.cancelled().await;
            }
        }
    }

    fn registry(&self, counts: &metrics::Edges) -> Registry {
        let mut registry = metrics::registry(counts, &self.directory, &self.audience);
        self.recorder.metrics().register(registry.sub_registry_with_prefix("headwater"));
        if let Some(certificate) = &self.certificate {
            certificate.register(registry.sub_registry_with_prefix("headwater"));
        }
        self.restream.metrics().register(registry.sub_registry_with_prefix("headwater"));
        objects::register(self.depot.as_ref(), registry.sub_registry_with_prefix("headwater"));
        registry
    }

    fn admission(&self) -> Arc<Admission> {
        Arc::new(Admission::new(self.config, &self.settings, &self.catalog, self.directory.clone()))
    }

    fn inputs(&self, counts: &metrics::Edges, admission: Arc<Admission>) -> Runner {
        let (settings, directory) = (wiring::inputs(self.config), self.directory.clone());
        let inputs = Inputs::new(settings, admission, directory, counts.inputs.clone(), self.live.clone());
        Runner::new(inputs, self.config, self.catalog.clone())
    }

    fn rtmp(&self, counts: &metrics::Edges, admission: Arc<Admission>) -> ingest::rtmp::Server {
        let settings = wiring::rtmp(self.config);
        ingest::rtmp::Server::new(settings, admission, self.directory.clone()).measured(&counts.rtmp)
    }

    fn srt(
        &self,
        counts: &metrics::Edges,
        admission: Arc<Admission>,
        socket: UdpSocket,
    ) -> impl Future<Output = ()> + use<> {
        let settings = wiring::srt(self.config);
        let server = ingest::srt::Server::new(settings, admission, self.directory.clone());
        let (serving, stop) =
            (server.measured(&counts.srt).serve(socket, self.closing.clone()), self.closing.clone());
        async move {
            // Encoders that come otherwise are no reason to go black.
            if let Err(error) = serving.await {
                tracing::error!(%error, "SRT is off");
                stop.cancelled().await;
            }
        }
    }

    fn http(&self, counts: &metrics::Edges, inputs: Runner) -> origin::Server {
        let local = Arc::new(library::storage(self.recorder.root()));
        let storage = objects::storage(self.depot.as_ref(), local);
        let shown = clips::beside(self.library.clone(), &self.catalog, self.recorder.root());
        origin::Server::new(wiring::http(self.config), Arc::new(shown), storage)
            .merge(web::router())
            .merge(control_api::router(self.api(counts, inputs)))
            .merge(origin::operations(self.registry(counts), self.closing.clone()))
            .guarded(Arc::new(Doors::new(&self.catalog, self.library.clone())))
            .stills(Arc::new(Stills::start(&self.config.transcode, &counts.images)))
            .seen_by(self.audience.clone())
            .measured(&counts.http)
    }
}

async fn named(name: &'static str, edge: impl Future<Output = ()>) -> &'static str {
    edge.await;
    name
}

fn broken(edge: Result<&'static str, JoinError>) -> anyhow::Error {
    match edge {
        Ok(name) => anyhow!("{name} ended by itself"),
        Err(error) => anyhow!(error).context("an edge failed"),
    }
}

/// Waits for edges to end. One that takes too long is cut: a slow viewer is no reason to fail.
async fn drain(mut edges: Edges, by: Instant) {
    let all = async { while edges.join_next().await.is_some() {} };
    if timeout_at(by, all).await.is_err() {
        tracing::warn!(edges = edges.len(), "not drained in time: cutting what is left");
    }
}
