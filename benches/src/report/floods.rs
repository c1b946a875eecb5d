//! Ingest without pacing.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::{Bench, WINDOW, median, say};
use crate::fleet::one_thread;
use crate::flood::{Flood, measure};
use crate::server::{Headwater, Nginx, Package, Server};
use crate::table::Table;
use crate::{http, playlist};

/// Connections at once.
const STREAMS: usize = 4;
/// For the last segment to be listed after the last byte was read.
const PATIENCE: Duration = Duration::from_secs(5);

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let mut floods = [(); 3].map(|()| Vec::new());
    for round in 1..=bench.plan.rounds {
        say(format!("flood, round {round} of {}", bench.plan.rounds));
        floods[0].push(ours(bench)?);
        floods[1].push(theirs(bench, Package::HlsAndDash)?);
        floods[2].push(theirs(bench, Package::Nothing)?);
    }
    let names = ["Headwater, HLS+DASH", "nginx-rtmp, HLS+DASH", "nginx-rtmp, without packaging"];
    let title = format!("RTMP flood, {STREAMS} connections, media time ahead of the clock");
    let mut table = Table::new(title, &["server", "MB/s", "CPU s per GB"]);
    for (name, floods) in names.iter().zip(&floods) {
        let of = |value: fn(&Flood) -> f64| median(floods.iter().map(value));
        table.row(vec![
            (*name).to_owned(),
            format!("{:.0}", of(Flood::rate)),
            format!("{:.2}", of(Flood::cost)),
        ]);
    }
    Ok(vec![table])
}

/// Every picture, audio frame and segment must have arrived.
fn ours(bench: &Bench) -> anyhow::Result<Flood> {
    let server = Headwater::start(&bench.binary, STREAMS, Some(WINDOW))?;
    let flood = take(bench, &server)?;
    let sent = (bench.script.video, bench.script.audio);
    let total = |per_round| per_round * bench.plan.flood * STREAMS as u64;
    wait("frames that the server counted", (total(sent.0), total(sent.1)), || server.received())?;
    for stream in 0..STREAMS {
        let first = server.first_segment(stream)?;
        wait("segments", segments(bench), || Ok(listed(&server, stream)? - first))?;
    }
    Ok(flood)
}

fn theirs(bench: &Bench, package: Package) -> anyhow::Result<Flood> {
    let server = Nginx::start(package, WINDOW)?;
    let flood = take(bench, &server)?;
    if package != Package::Nothing {
        for stream in 0..STREAMS {
            wait("segments", segments(bench), || listed(&server, stream))?;
        }
    }
    Ok(flood)
}

fn take(bench: &Bench, server: &dyn Server) -> anyhow::Result<Flood> {
    let flood = measure(server, STREAMS, bench.plan.flood, &bench.script)?;
    say(format!("{}: {:.0} MB/s", server.name(), flood.rate()));
    Ok(flood)
}

fn segments(bench: &Bench) -> u64 {
    bench.script.keyframes() * bench.plan.flood
}

fn listed(server: &dyn Server, stream: usize) -> anyhow::Result<u64> {
    let body = one_thread()?.block_on(http::get(&server.http(), &server.playlist(stream)))?;
    let text = String::from_utf8(body)?;
    ensure!(!playlist::is_broken(&text), "the timeline of stream {stream} is broken");
    Ok(playlist::listed(&text))
}

fn wait<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: T,
    found: impl Fn() -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let found = found().with_context(|| format!("cannot count {what}"));
        if found.as_ref().is_ok_and(|found| *found == expected) {
            return Ok(());
        }
        if begin.elapsed() > PATIENCE {
            anyhow::bail!("{what}: {:?} of {expected:?}", found?);
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
