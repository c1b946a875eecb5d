//! What recording costs beside packaging, and how soon a stream that ended is on demand.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, ensure};

use super::{Bench, WINDOW, median, say};
use crate::ending;
use crate::ingest::{Cost, Times, measure};
use crate::publisher::Writes;
use crate::server::{Headwater, NOT_RECORDED, Server};
use crate::table::Table;

/// Streams that are recorded at once.
const STREAMS: usize = 50;
/// Until what is kept in memory is kept.
const FULL: Duration = Duration::from_secs(30);
/// A real disk, as far as the machine has one there.
const DISK: &str = "/var/tmp";
/// What is written there and removed first. A hypervisor gives a machine its memory at the first touch of each page, and
/// that costs whoever writes several times what writing does: a machine that has been up for a while has it.
const TOUCHED: usize = 4 << 30;
/// `recorder.mode`, by what it is called in the table.
const MODES: [(&str, &str); 2] = [("off", NOT_RECORDED), ("append", "recorder.mode = \"append\"\n")];

/// What it costs; from the end to the recording.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    Ok(vec![costs(bench)?, endings(bench)?])
}

fn costs(bench: &Bench) -> anyhow::Result<Table> {
    let mut costs = MODES.map(|_| Vec::new());
    for round in 1..=bench.plan.rounds {
        touch_memory(Path::new(DISK))?;
        for ((mode, _), (costs, cost)) in MODES.iter().zip(costs.iter_mut().zip(pair(bench)?)) {
            say(format!(
                "recording, round {round}: {mode}: {:.3} CPU s per stream-minute, late by {:?}",
                cost.cpu, cost.late
            ));
            costs.push(cost);
        }
    }
    let title = format!("Recording on a disk in {DISK}, {STREAMS} streams each, both at the same time");
    let head = ["recorder.mode", "CPU s per stream-minute", "of off", "memory MB", "late ms"];
    let mut table = Table::new(title, &head);
    let cpu = |costs: &[Cost]| median(costs.iter().map(|cost| cost.cpu));
    let off = cpu(&costs[0]);
    for ((mode, _), costs) in MODES.iter().zip(&costs) {
        table.row(vec![
            (*mode).to_owned(),
            format!("{:.3}", cpu(costs)),
            format!("{:.0} %", cpu(costs) / off * 100.0),
            format!("{:.2}", median(costs.iter().map(|cost| cost.memory)) / 1e6),
            format!("{:.0}", median(costs.iter().map(|cost| cost.late.as_secs_f64() * 1e3))),
        ]);
    }
    Ok(table)
}

/// All modes at the same time, so that whatever else the machine and its host do costs each of them the same.
fn pair(bench: &Bench) -> anyhow::Result<Vec<Cost>> {
    std::thread::scope(|scope| {
        let running = MODES.map(|(mode, settings)| scope.spawn(move || cost(bench, settings, mode != "off")));
        running.into_iter().map(|it| it.join().map_err(|_| anyhow!("a measurement panicked"))?).collect()
    })
}

/// A server of its own. What was to be recorded has to be there, or the figure would be of nothing.
fn cost(bench: &Bench, settings: &str, recorded: bool) -> anyhow::Result<Cost> {
    let settings = format!("packager.window = \"{WINDOW}\"\n{settings}");
    let name = "Headwater".to_owned();
    let server = Headwater::set_up(&bench.binary, STREAMS, name, &settings, Path::new(DISK))?;
    let times = Times { warm_up: FULL, measure: bench.plan.streams };
    let cost = measure(&server, STREAMS, &bench.script, Writes::Message, times)?;
    let aired = bench.script.bitrate() as f64 / 8.0 * times.measure.as_secs_f64() * STREAMS as f64;
    let stored = bytes(&server.data().join("recordings"));
    ensure!(!recorded || stored as f64 > aired, "{stored} bytes were recorded of more than {aired:.0}");
    ensure!(recorded || stored == 0, "{stored} bytes were recorded and should not");
    Ok(cost)
}

/// Has the page cache use memory that the next files get again.
fn touch_memory(folder: &Path) -> anyhow::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    let block = vec![0; 1 << 20];
    for _ in 0..TOUCHED / block.len() {
        file.write_all(&block)?;
    }
    Ok(())
}

/// Of all files in a folder and below; none where it is not there.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let of = |path: &Path| if path.is_dir() { bytes(path) } else { path.metadata().map_or(0, |it| it.len()) };
    entries.map(|entry| of(&entry.path())).sum()
}

fn endings(bench: &Bench) -> anyhow::Result<Table> {
    let settings = format!("packager.window = \"{WINDOW}\"\n");
    let name = "Headwater".to_owned();
    let server = Headwater::set_up(&bench.binary, 0, name, &settings, Path::new(DISK))?;
    let title =
        format!("From the call that ends a stream of {:?} to the whole of it on demand", bench.plan.show);
    let mut table = Table::new(title, &["manifest", "times", "median ms", "longest ms"]);
    let mut found = Vec::new();
    for _ in 0..bench.plan.rounds {
        let token = std::fs::read_to_string(server.data().join("admin-token"))?;
        let place =
            ending::Place { http: server.http(), rtmp: server.target().address, token: token.trim().into() };
        found.push(ending::measure(&place, &bench.script, bench.plan.show)?);
        say(format!("recording: on demand after {:?}", found.last()));
    }
    for (name, of) in [("HLS", (|it| it.hls) as fn(&ending::Found) -> Duration), ("DASH", |it| it.dash)] {
        let millis = |it: &ending::Found| of(it).as_secs_f64() * 1e3;
        table.row(vec![
            name.to_owned(),
            found.len().to_string(),
            format!("{:.1}", median(found.iter().map(millis))),
            format!("{:.1}", found.iter().map(millis).fold(0.0, f64::max)),
        ]);
    }
    Ok(table)
}
