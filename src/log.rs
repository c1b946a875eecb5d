//! The log, on stderr: stdout belongs to the ready line.

use std::io::IsTerminal;
use std::panic;
use std::sync::LazyLock;

use anyhow::Context;
use config::{Log, LogFormat, LogLevel};
use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::EnvFilter;

/// Panics of this process. A panic ends the session it happened in and no other; it is a bug all the same.
pub(crate) static PANICS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Starts it, and makes a panic a log line of its own. `RUST_LOG` wins over `log.level`.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(log.level)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    panic::set_hook(Box::new(panicked));
    Ok(())
}

fn filter(level: LogLevel) -> anyhow::Result<EnvFilter> {
    match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(&directives).with_context(|| format!("RUST_LOG = {directives:?}"))
        }
        _ => Ok(EnvFilter::new(word(level))),
    }
}

fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

fn panicked(info: &panic::PanicHookInfo<'_>) {
    PANICS.inc();
    let thread = std::thread::current();
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let what = info.payload_as_str().unwrap_or("not a text");
    let backtrace = std::backtrace::Backtrace::capture();
    tracing::error!(thread = thread.name(), place, %backtrace, "panic: {what}");
}
