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
        // What the database's library says of its migrations is said by ours.
        _ => Ok(EnvFilter::new(format!("{},sea_orm_migration=warn", word(level)))),
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The black-box tests look for these words, and fail where they find them.
    #[test]
    fn a_panic_is_a_line_of_its_own_with_its_place() {
        let log = Memory::default();
        let sink = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let before = panic::take_hook();
            panic::set_hook(Box::new(panicked));
            let broken = panic::catch_unwind(|| panic!("a bug that this test made"));
            panic::set_hook(before);
            assert!(broken.is_err());
        });
        let text =
            String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        assert!(text.contains("ERROR") && text.contains("panic: a bug that this test made"), "{text}");
        assert!(text.contains(file!()), "{text}");
    }
}
