//! Playlists and segments over HTTP: a live stream of Headwater, and the same files from nginx.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::{Bench, WINDOW, median, say};
use crate::fleet::{Fleet, one_thread};
use crate::http::{get, request};
use crate::load::{Load, Served, measure};
use crate::playlist;
use crate::publisher::Writes;
use crate::server::{Headwater, Nginx, Package, Server};
use crate::table::Table;

/// Until the window is full.
const WARM_UP: Duration = Duration::from_secs(14);
/// Connections that ask for playlists, and for segments.
const CONNECTIONS: (usize, usize) = (16, 8);
/// Newest segments that are asked for: they stay fetchable while they are.
const SEGMENTS: usize = 5;

/// What is asked for.
struct Resource {
    name: &'static str,
    paths: Vec<String>,
    encoding: Option<&'static str>,
    connections: usize,
}

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let ours = Headwater::start(&bench.binary, 1, Some(WINDOW))?;
    let theirs = Nginx::start(Package::Nothing, WINDOW)?;
    let mut fleet = Fleet::start(&ours.target(), 1, &bench.script, Writes::Message, Vec::new())?;
    say("answers: filling the window");
    fleet.run(WARM_UP)?;
    let count = resources(&ours)?.len();
    let mut served = vec![(Vec::new(), Vec::new()); count];
    for round in 1..=bench.plan.rounds {
        for (index, (first, second)) in served.iter_mut().enumerate() {
            let resource = resources(&ours)?.swap_remove(index);
            say(format!("answers, round {round} of {}: {}", bench.plan.rounds, resource.name));
            copy(&ours, &theirs, &resource)?;
            first.push(take(bench, &ours, &resource)?);
            second.push(take(bench, &theirs, &resource)?);
        }
    }
    let head = ["answer", "server", "CPU µs per answer", "CPU s per GB", "answers per s"];
    let mut table = Table::new("HTTP answers on kept connections", &head);
    for (resource, (first, second)) in resources(&ours)?.iter().zip(&served) {
        table.row(row(resource.name, "Headwater, live", first));
        table.row(row(resource.name, "nginx, the same as files", second));
    }
    Ok(vec![table])
}

fn resources(server: &Headwater) -> anyhow::Result<Vec<Resource>> {
    let media = server.playlist(0);
    let text = String::from_utf8(one_thread()?.block_on(get(&server.http(), &media))?)?;
    let folder = media.rsplit_once('/').context("a path")?.0;
    let segments: Vec<_> = playlist::segments(&text).map(|uri| format!("{folder}/{uri}")).collect();
    let newest = segments.iter().rev().take(SEGMENTS).cloned().collect();
    let manifest = |name, path: &str, encoding| Resource {
        name,
        paths: vec![path.to_owned()],
        encoding,
        connections: CONNECTIONS.0,
    };
    Ok(vec![
        manifest("playlist", &media, None),
        manifest("playlist, gzip", &media, Some("gzip")),
        manifest("MPD", &format!("{folder}/manifest.mpd"), None),
        Resource { name: "segment", paths: newest, encoding: None, connections: CONNECTIONS.1 },
    ])
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
    let requests = resource.paths.iter().map(|path| request(&host, path, resource.encoding)).collect();
    let load = Load { host, requests: Arc::new(requests), connections: resource.connections };
    measure(&load, server.family(), bench.plan.answers)
}

fn row(resource: &str, server: &str, served: &[Served]) -> Vec<String> {
    let of = |value: fn(&Served) -> f64| median(served.iter().map(value));
    let rate = of(|served| served.answers as f64 / served.time.as_secs_f64());
    vec![
        resource.to_owned(),
        server.to_owned(),
        format!("{:.1}", of(Served::per_answer)),
        format!("{:.2}", of(Served::per_gigabyte)),
        format!("{rate:.0}"),
    ]
}
