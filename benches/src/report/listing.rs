//! From a closing keyframe to the listed segment.

use std::time::Duration;

use super::{Bench, WINDOW, say};
use crate::latency::{measure, quantile};
use crate::server::{Headwater, Nginx, Package, Server};
use crate::table::Table;

/// Streams that are on at once, each watched by one viewer.
const STREAMS: usize = 10;

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let head = ["server", "segments", "median ms", "95 % ms", "longest ms"];
    let title = format!("Closing keyframe sent to segment listed, {STREAMS} streams");
    let mut table = Table::new(title, &head);
    table.row(row(bench, &Headwater::start(&bench.binary, STREAMS, Some(WINDOW))?)?);
    table.row(row(bench, &Nginx::start(Package::HlsAndDash, WINDOW)?)?);
    Ok(vec![table])
}

fn row(bench: &Bench, server: &dyn Server) -> anyhow::Result<Vec<String>> {
    say(format!("listing: {}", server.name()));
    let found = measure(server, STREAMS, bench.plan.segments, &bench.script)?;
    let millis = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    Ok(vec![
        server.name().to_owned(),
        found.len().to_string(),
        millis(quantile(&found, 0.5)),
        millis(quantile(&found, 0.95)),
        millis(quantile(&found, 1.0)),
    ])
}
