//! From settings to what each crate calls settings.

use std::sync::Arc;

use config::{Config, Takeover};
use stream::Directory;
use stream::ledger::Forgetful;

use crate::data::DataDir;

/// All streams, with the numbers of earlier runs.
pub(crate) fn directory(_data: &DataDir) -> anyhow::Result<Directory> {
    Ok(Directory::new(Arc::new(Forgetful)))
}

/// How streams behave.
pub(crate) fn stream(config: &Config) -> stream::Settings {
    stream::Settings { reconnect: config.stream.reconnect, takeover: takeover(config.stream.takeover) }
}

/// How the RTMP listener treats its peers.
pub(crate) fn rtmp(config: &Config) -> ingest::rtmp::Settings {
    let rtmp = &config.rtmp;
    let _ = rtmp;
    ingest::rtmp::Settings::default()
}

/// How the origin treats its peers.
pub(crate) fn http(config: &Config) -> origin::Settings {
    let http = &config.http;
    origin::Settings {
        max_connections: http.max_connections,
        header_timeout: http.header_timeout,
        idle_timeout: http.idle_timeout,
        write_timeout: http.write_timeout,
        manifest_cache_bytes: http.manifest_cache,
        ..origin::Settings::default()
    }
}

fn takeover(takeover: Takeover) -> stream::Takeover {
    match takeover {
        Takeover::Stale => stream::Takeover::Stale,
        Takeover::Always => stream::Takeover::Always,
        Takeover::Never => stream::Takeover::Never,
    }
}
