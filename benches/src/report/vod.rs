//! Segments of recordings over HTTP: Headwater, which has just been started and reads them from its files, and nginx,
//! which has the same bytes as files.
//!
//! A segment of the input is about 650 kB. There are more of them than Headwater keeps in memory, and they are asked for
//! one after another, so that each is read whenever it is asked for; the last rows are of a few that it keeps.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::{Bench, median, say};
use crate::fleet::{Fleet, one_thread};
use crate::http::{get, request};
use crate::load::{Load, Served, measure};
use crate::playlist;
use crate::publisher::Writes;
use crate::server::{Headwater, Nginx, Package, Server};
use crate::table::Table;

/// Streams that are recorded at once, and for how long: twice what is kept in memory (`http.media_cache`).
const STREAMS: usize = 40;
const RECORDED: Duration = Duration::from_secs(24);
/// Connections that ask.
const CONNECTIONS: usize = 8;
/// Segments that are asked for again and again.
const FEW: usize = 8;
/// What rates are given in, in bytes.
const SEGMENT: f64 = 650_000.0;
/// For recordings to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked for.
struct Resource {
    name: &'static str,
    paths: Vec<String>,
}

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let ours = recorded(bench)?;
    let theirs = Nginx::start(Package::Nothing, super::WINDOW)?;
    let resources = resources(&ours)?;
    let mut served = vec![(Vec::new(), Vec::new()); resources.len()];
    for resource in &resources {
        copy(&ours, &theirs, resource)?;
    }
    for round in 1..=bench.plan.rounds {
        for (resource, (first, second)) in resources.iter().zip(&mut served) {
            say(format!("vod, round {round} of {}: {}", bench.plan.rounds, resource.name));
            first.push(take(bench, &ours, resource)?);
            second.push(take(bench, &theirs, resource)?);
        }
    }
    let head = ["answer", "server", "CPU µs per answer", "CPU s per GB", "650 kB per CPU s", "answers per s"];
    let mut table = Table::new("Segments of recordings on kept connections", &head);
    for (resource, (first, second)) in resources.iter().zip(&served) {
        table.row(row(resource.name, "Headwater", first));
        table.row(row(resource.name, "nginx, the same as files", second));
    }
    Ok(vec![table])
}

/// A server that has recordings, and nothing of them in memory.
fn recorded(bench: &Bench) -> anyhow::Result<Headwater> {
    let server = Headwater::recording(&bench.binary, STREAMS)?;
    say("vod: recording");
    let mut fleet = Fleet::start(&server.target(), STREAMS, &bench.script, Writes::Message, Vec::new())?;
    fleet.run(RECORDED)?;
    drop(fleet);
    server.again(&bench.binary)
}

fn resources(server: &Headwater) -> anyhow::Result<Vec<Resource>> {
    let mut paths = Vec::new();
    for stream in 0..STREAMS {
        let text = whole(server, &server.playlist(stream))?;
        let folder = format!("/play/s{stream}");
        paths.extend(playlist::segments(&text).map(|uri| format!("{folder}/{uri}")));
    }
    ensure!(paths.len() > 8 * STREAMS, "{} segments were recorded", paths.len());
    let transport = |path: &String| path.replace("/video-1/", "/ts/video-1/").replace(".m4s", ".ts");
    let few = paths.iter().take(FEW).cloned().collect();
    let ts = paths.iter().map(transport).collect();
    Ok(vec![
        Resource { name: "segment, from files", paths },
        Resource { name: "segment as MPEG-TS, from files", paths: ts },
        Resource { name: "segment, in memory", paths: few },
    ])
}

/// The playlist of a recording, once it is there.
fn whole(server: &Headwater, path: &str) -> anyhow::Result<String> {
    let until = Instant::now() + PATIENCE;
    let runtime = one_thread()?;
    loop {
        let text = String::from_utf8(runtime.block_on(get(&server.http(), path)).unwrap_or_default())?;
        if text.contains("#EXT-X-ENDLIST") {
            return Ok(text);
        }
        ensure!(Instant::now() < until, "{path} is not on demand: {text}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Puts what Headwater answers where nginx serves it under the same path.
fn copy(ours: &Headwater, theirs: &Nginx, resource: &Resource) -> anyhow::Result<()> {
    let runtime = one_thread()?;
    for path in &resource.paths {
        let body = runtime.block_on(get(&ours.http(), path))?;
        let file = theirs.www().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().context("a file in a folder")?)?;
        fs::write(file, body)?;
    }
    Ok(())
}

fn take(bench: &Bench, server: &dyn Server, resource: &Resource) -> anyhow::Result<Served> {
    let host = server.http();
    let requests = resource.paths.iter().map(|path| request(&host, path, None)).collect();
    let load = Load { host, requests: Arc::new(requests), connections: CONNECTIONS };
    measure(&load, server.family(), bench.plan.answers)
}

fn row(resource: &str, server: &str, served: &[Served]) -> Vec<String> {
    let of = |value: fn(&Served) -> f64| median(served.iter().map(value));
    vec![
        resource.to_owned(),
        server.to_owned(),
        format!("{:.1}", of(Served::per_answer)),
        format!("{:.2}", of(Served::per_gigabyte)),
        format!("{:.0}", of(|served| served.bytes as f64 / SEGMENT / served.cpu.as_secs_f64())),
        format!("{:.0}", of(|served| served.answers as f64 / served.time.as_secs_f64())),
    ]
}
