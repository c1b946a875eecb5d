//! From settings to what each crate calls settings.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::Context;
use archive::files::Disk;
use catalog::Catalog;
use config::{Config, Takeover};
use control_api::{InputRules, LiveDefaults};
use recorder::FileLedger;
use restream::Restream;
use stream::health::Plan;
use stream::{Directory, Ledger};
use tokio::runtime::Handle;
use url::Url;

use crate::data::DataDir;
use crate::listeners::Standing;
use crate::{admission, recording};

/// All streams; none yet. What is recorded is what sessions go on with that are taken up.
pub(crate) fn directory(config: &Config, data: &DataDir) -> anyhow::Result<Directory> {
    let aired = recorder::Aired::new(Arc::new(Disk), recording::root(config, data));
    Ok(Directory::with_history(ledger(data)?, Arc::new(aired)))
}

/// Takes up the sessions that an earlier run left inside their reconnect window. Their owners run on the threads for what
/// is `live`. Recordings have been taken up before.
pub(crate) async fn restore(
    config: &Config,
    settings: &Arc<stream::Settings>,
    catalog: &Catalog,
    directory: &Directory,
    live: &Handle,
) -> anyhow::Result<()> {
    let (streams, settings) = (directory.clone(), settings.clone());
    let (config, catalog) = (config.clone(), catalog.clone());
    let known = move |entry: &str| admission::known(&config, &settings, &catalog, entry);
    let restored = live.spawn(async move { streams.restore(known).await });
    let restored = restored.await?.context("storage.data: cannot read the ledger")?;
    tracing::info!(streams = restored, "restored");
    Ok(())
}

fn ledger(data: &DataDir) -> anyhow::Result<Arc<dyn Ledger>> {
    let ledger = FileLedger::open(data.path()).context("storage.data: cannot keep numbering state")?;
    Ok(Arc::new(ledger))
}

/// How streams behave.
pub(crate) fn stream(config: &Config) -> stream::Settings {
    stream::Settings {
        reconnect: config.stream.reconnect,
        takeover: takeover(config.stream.takeover),
        max_renditions: config.stream.max_renditions,
        keep_ended: config.stream.keep_ended,
        packager: Arc::new(packager(config)),
        plan: Plan { segment: config.packager.segment, ..Plan::default() },
    }
}

fn packager(config: &Config) -> packager::Settings {
    let packager = &config.packager;
    packager::Settings {
        segment: packager.segment,
        part: packager.part,
        low_latency: packager.low_latency,
        window: packager.window,
        probe: packager.probe,
        target_duration: packager.target_duration,
        dvr_window: config.dvr.window,
        dvr_memory: config.dvr.memory,
        ..packager::Settings::default()
    }
}

/// How the RTMP listener treats its peers.
pub(crate) fn rtmp(config: &Config) -> ingest::rtmp::Settings {
    let rtmp = &config.rtmp;
    let message = usize::try_from(rtmp.max_message).unwrap_or(usize::MAX / 2);
    let limits = ingest::rtmp::Limits {
        connections: rtmp.max_connections,
        setup: rtmp.handshake_timeout,
        idle: rtmp.idle_timeout,
        media_message: message,
        partial_bytes: 2 * message,
        reconnect: rtmp.drain_timeout,
        ..ingest::rtmp::Limits::default()
    };
    ingest::rtmp::Settings { limits }
}

/// How the SRT listener treats its callers.
pub(crate) fn srt(config: &Config) -> ingest::srt::Settings {
    let srt = &config.srt;
    let usual = ingest::srt::Settings::default();
    let receive_buffer = usize::try_from(srt.receive_buffer).unwrap_or(usize::MAX);
    // What is not acknowledged has to fit in both.
    let packets = u32::try_from(receive_buffer / usual.socket.payload).unwrap_or(u32::MAX);
    ingest::srt::Settings {
        limits: ingest::srt::Limits { idle: srt.idle_timeout, ..usual.limits },
        socket: ingest::srt::SocketSettings {
            latency: srt.latency,
            receive_buffer,
            flight_window: packets.max(usual.socket.flight_window),
            peer_idle: srt.peer_timeout,
            connections: srt.max_connections,
            ..usual.socket
        },
        ..usual
    }
}

/// How inputs run.
pub(crate) fn inputs(config: &Config) -> ingest::input::Settings {
    let input = &config.input;
    ingest::input::Settings {
        enabled: input.enabled,
        max_running: input.max_running,
        allow_listen: input.allow_listen,
        allow_private: input.allow_private,
        connect_timeout: input.connect_timeout,
        silence: input.silence,
        idle: input.idle_timeout,
        retry_max: input.retry_max,
        udp_buffer: usize::try_from(input.udp_buffer).unwrap_or(usize::MAX),
        ..ingest::input::Settings::default()
    }
}

/// How the origin treats its peers.
pub(crate) fn http(config: &Config) -> origin::Settings {
    let http = &config.http;
    origin::Settings {
        max_connections: http.max_connections,
        max_waiting: http.max_waiting,
        header_timeout: http.header_timeout,
        idle_timeout: http.idle_timeout,
        write_timeout: http.write_timeout,
        manifest_cache_bytes: http.manifest_cache,
        ts_cache_bytes: http.ts_cache,
        media_cache_bytes: http.media_cache,
        start_hold: http.start_hold,
        trusted_proxies: http.trusted_proxies.clone(),
        ..origin::Settings::default()
    }
}

/// How the control API treats its callers.
pub(crate) fn api(config: &Config) -> control_api::Settings {
    let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    let (auth, packager) = (&config.auth, &config.packager);
    control_api::Settings {
        public_url: config.http.public_url.as_deref().and_then(|url| Url::parse(url).ok()),
        rate: number(auth.rate),
        burst: number(auth.burst),
        unknown_tokens: number(auth.failures),
        live: LiveDefaults {
            segment: packager.segment,
            part: packager.part,
            window: packager.window,
            dvr: config.dvr.window,
        },
        inputs: InputRules { listen: config.input.allow_listen, private: config.input.allow_private },
        ..control_api::Settings::default()
    }
}

/// How webhooks are called.
pub(crate) fn webhooks(config: &Config) -> webhooks::Settings {
    let ours = &config.webhooks;
    webhooks::Settings {
        allow_private: ours.allow_private,
        connect_timeout: ours.connect_timeout,
        timeout: ours.timeout,
        give_up: ours.give_up,
        disable_after: ours.disable_after,
        concurrency: ours.concurrency,
        per_webhook: ours.per_webhook,
        ..webhooks::Settings::default()
    }
}

/// Who sends entries on to targets.
pub(crate) fn restream(
    config: &Config,
    catalog: &Catalog,
    directory: &Directory,
    standing: &Standing,
) -> anyhow::Result<Restream> {
    let own = [standing.rtmp, standing.rtmps, standing.srt];
    let settings = restream_settings(config, own.into_iter().flatten().map(|address| address.port()));
    Ok(Restream::new(catalog.clone(), directory.clone(), settings)?)
}

fn restream_settings(config: &Config, own_ports: impl IntoIterator<Item = u16>) -> restream::Settings {
    let ours = &config.restream;
    restream::Settings {
        allow_private: ours.allow_private,
        ca: ours.ca.clone(),
        connect_timeout: ours.connect_timeout,
        stall_timeout: ours.stall_timeout,
        max_behind: ours.max_behind,
        retry_min: ours.retry_min,
        retry_max: ours.retry_max,
        own_ports: own_ports.into_iter().collect(),
    }
}

fn takeover(takeover: Takeover) -> stream::Takeover {
    match takeover {
        Takeover::Stale => stream::Takeover::Stale,
        Takeover::Always => stream::Takeover::Always,
        Takeover::Never => stream::Takeover::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_those_of_the_crates() {
        let config = Config::default();
        assert_eq!(stream(&config), stream::Settings::default());
        assert_eq!(inputs(&config), ingest::input::Settings::default());
        assert_eq!(http(&config), origin::Settings::default());
        assert_eq!(rtmp(&config), ingest::rtmp::Settings::default());
        assert_eq!(srt(&config), ingest::srt::Settings::default());
        assert_eq!(api(&config), control_api::Settings::default());
        assert_eq!(webhooks(&config), webhooks::Settings::default());
        assert_eq!(restream_settings(&config, None), restream::Settings::default());
    }
}
