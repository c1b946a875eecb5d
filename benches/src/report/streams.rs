//! CPU and memory per stream.

use std::time::Duration;

use super::{Bench, WINDOW, median, say};
use crate::ingest::{Cost, Times, measure};
use crate::publisher::Writes;
use crate::server::{Headwater, Nginx, Package, Server};
use crate::table::Table;

/// Numbers of streams.
const STREAMS: [usize; 3] = [1, 10, 50];
/// Until all that a window of 12 s keeps is kept: two windows, a segment, and the spread of the publishers.
const FULL: Duration = Duration::from_secs(30);
/// The same for the default window of 30 s.
const FULL_DEFAULT: Duration = Duration::from_secs(66);

/// A server with so many streams.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Case {
    server: Kind,
    streams: usize,
    writes: Writes,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    /// With this window.
    Headwater(Option<&'static str>),
    Nginx(Package),
}

const OURS: Kind = Kind::Headwater(Some(WINDOW));
const THEIRS: Kind = Kind::Nginx(Package::HlsAndDash);

/// The comparison, and what else bears on it.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let pair = |streams, writes| [OURS, THEIRS].map(|server| Case { server, streams, writes });
    let main = STREAMS.into_iter().flat_map(|streams| pair(streams, Writes::Message));
    let first =
        rows(bench, bench.plan.rounds, &main.collect::<Vec<_>>(), "RTMP to HLS and DASH, per stream")?;
    if !bench.plan.variations {
        return Ok(vec![first]);
    }
    let one = |server, streams| Case { server, streams, writes: Writes::Message };
    let mut rest = pair(10, Writes::Chunk).to_vec();
    rest.push(one(Kind::Nginx(Package::Hls), 50));
    rest.push(one(Kind::Headwater(None), 10));
    let second = rows(bench, 1, &rest, "The same in other circumstances, one round")?;
    Ok(vec![first, second])
}

fn rows(bench: &Bench, rounds: usize, cases: &[Case], title: &str) -> anyhow::Result<Table> {
    let mut costs = vec![Vec::new(); cases.len()];
    for round in 1..=rounds {
        for (case, costs) in cases.iter().zip(&mut costs) {
            say(format!("streams, round {round} of {rounds}: {case:?}"));
            let cost = take(bench, case)?;
            say(format!("{:.3} CPU s per stream-minute, late by {:?}", cost.cpu, cost.late));
            costs.push(cost);
        }
    }
    let head = [
        "server",
        "streams",
        "writes",
        "CPU s per stream-minute",
        "memory MB",
        "files MB",
        "held media MB",
        "late ms",
    ];
    let mut table = Table::new(title, &head);
    for (case, costs) in cases.iter().zip(&costs) {
        table.row(row(bench, case, costs));
    }
    Ok(table)
}

fn take(bench: &Bench, case: &Case) -> anyhow::Result<Cost> {
    let warm_up = if case.server == Kind::Headwater(None) { FULL_DEFAULT } else { FULL };
    let times = Times { warm_up, measure: bench.plan.streams };
    let server: Box<dyn Server> = match case.server {
        Kind::Headwater(window) => Box::new(Headwater::start(&bench.binary, case.streams, window)?),
        Kind::Nginx(package) => Box::new(Nginx::start(package, WINDOW)?),
    };
    measure(&*server, case.streams, &bench.script, case.writes, times)
}

fn row(bench: &Bench, case: &Case, costs: &[Cost]) -> Vec<String> {
    let of = |value: fn(&Cost) -> f64| median(costs.iter().map(value));
    let mega = |bytes: f64| format!("{:.2}", bytes / 1e6);
    let writes = match case.writes {
        Writes::Message => "per message",
        Writes::Chunk => "per chunk",
    };
    vec![
        name(case.server),
        case.streams.to_string(),
        writes.to_owned(),
        format!("{:.3}", of(|cost| cost.cpu)),
        mega(of(|cost| cost.memory)),
        mega(of(|cost| cost.files)),
        mega(held(bench, case.server)),
        format!("{:.0}", of(|cost| cost.late.as_secs_f64() * 1e3)),
    ]
}

fn name(server: Kind) -> String {
    match server {
        Kind::Headwater(window) => format!("Headwater, window {}", window.unwrap_or("30s (default)")),
        Kind::Nginx(Package::HlsAndDash) => format!("nginx-rtmp HLS+DASH, window {WINDOW}"),
        Kind::Nginx(Package::Hls) => format!("nginx-rtmp HLS, window {WINDOW}"),
        Kind::Nginx(Package::Nothing) => "nginx-rtmp without packaging".to_owned(),
    }
}

/// Media bytes that a server has to keep: a segment is fetchable for the length of the playlist after it left the
/// playlist (RFC 8216bis, 6.2.2), and one more is being made.
fn held(bench: &Bench, server: Kind) -> f64 {
    let window = if server == Kind::Headwater(None) { 30.0 } else { 12.0 };
    (2.0 * window + bench.script.gop().as_secs_f64()) * bench.script.bitrate() as f64 / 8.0
}
