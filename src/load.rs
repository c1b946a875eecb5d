//! From the command line to settings: the file, the environment over it, the flags over both.

use std::path::Path;

use anyhow::{Context, bail};
use config::{Config, LogFormat};

use crate::cli;

const PREFIX: &str = "HEADWATER_";

pub(crate) fn config(source: &cli::Source) -> anyhow::Result<Config> {
    let (name, text) = match &source.config {
        Some(path) => (path.display().to_string(), read(path)?),
        None => ("defaults".to_owned(), String::new()),
    };
    self::text(&name, &text)
}

/// A document and the environment over it.
pub(crate) fn text(name: &str, text: &str) -> anyhow::Result<Config> {
    Ok(Config::parse(name, text, variables())?)
}

pub(crate) fn with_flags(flags: &cli::Serve) -> anyhow::Result<Config> {
    let mut config = config(&flags.source)?;
    if let Some(data) = &flags.data {
        config.storage.data.clone_from(data);
    }
    match flags.log_format {
        Some(cli::LogFormat::Text) => config.log.format = LogFormat::Text,
        Some(cli::LogFormat::Json) => config.log.format = LogFormat::Json,
        None => {}
    }
    if flags.tls_self_signed {
        if config.tls.certificate.is_some() {
            bail!("--tls-self-signed: tls.certificate is set; use one of the two");
        }
        config.tls.self_signed = true;
    }
    Ok(config)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("{}: cannot read the configuration", path.display()))
}

/// Ours only, so that nobody else's odd bytes are looked at.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}
