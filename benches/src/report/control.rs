//! The control API: entries created, read, listed and searched for over HTTP, on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::JoinSet;

use super::{Bench, say};
use crate::fleet::one_thread;
use crate::http::{Client, get_with};
use crate::server::control::{Control, Database};
use crate::table::Table;

/// Callers at once.
const CALLERS: usize = 8;
/// Words that names are made of: each is in one name of twenty.
const WORDS: [&str; 20] = [
    "football", "service", "council", "concert", "lecture", "theatre", "regatta", "marathon", "debate",
    "opening", "gala", "hearing", "derby", "recital", "summit", "parade", "sermon", "launch", "final",
    "reading",
];

/// Answers and how long each took.
struct Taken {
    times: Vec<Duration>,
    all: Duration,
}

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let title = format!("Control API with {} entries, {CALLERS} callers", bench.plan.entries);
    let mut table = Table::new(title, &["request", "database", "per s", "median ms", "p99 ms"]);
    for (name, database) in [("SQLite", Database::Sqlite), ("PostgreSQL", Database::Postgres)] {
        let control = Control::start(&bench.binary, database)?;
        say(format!("control: {} entries into {name}", bench.plan.entries));
        table.row(row("create", name, &create(&control, bench.plan.entries)?));
        let ids = ids(&control)?;
        for (what, requests) in reads(&control, &ids) {
            say(format!("control: {what}, {name}"));
            table.row(row(what, name, &take(&control, requests, bench.plan.requests, 200)?));
        }
    }
    Ok(vec![table])
}

fn create(control: &Control, entries: usize) -> anyhow::Result<Taken> {
    let body = |index: usize| {
        let (word, day) = (WORDS[index % WORDS.len()], index / WORDS.len());
        format!(
            r#"{{"name": "{word} number {index}", "tags": ["day-{day}"], "description": "From the hall."}}"#
        )
    };
    let requests = (0..entries).map(|index| control.request("POST", "/live", Some(&body(index)))).collect();
    take(control, requests, entries, 201)
}

fn reads(control: &Control, ids: &[String]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let get = |path: &str| control.request("GET", path, None);
    vec![
        ("get", ids.iter().map(|id| get(&format!("/entries/{id}"))).collect()),
        ("list, 20 a page", vec![get("/entries?limit=20")]),
        ("list, 100 a page, by name", vec![get("/entries?limit=100&sort=name&order=asc")]),
        ("list, by a tag", (0..100).map(|day| get(&format!("/entries?tag=day-{day}"))).collect()),
        ("search, 1 of 20 match", WORDS.iter().map(|word| get(&format!("/entries?q={word}"))).collect()),
        (
            "search, 1 matches",
            (100..200).map(|index| get(&format!("/entries?q=number%20{index}7"))).collect(),
        ),
    ]
}

/// Some ids to ask for.
fn ids(control: &Control) -> anyhow::Result<Vec<String>> {
    let request = control.request("GET", "/entries?limit=500", None);
    let body = one_thread()?.block_on(get_with(control.http(), &request))?;
    let text = String::from_utf8(body)?;
    let ids: Vec<_> =
        text.split("\"id\":\"").skip(1).filter_map(|rest| rest.get(..10)).map(str::to_owned).collect();
    ensure!(!ids.is_empty(), "no ids in the list");
    Ok(ids)
}

/// Asks so often, in turns; every answer must have that status.
fn take(control: &Control, requests: Vec<Vec<u8>>, count: usize, status: u16) -> anyhow::Result<Taken> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    one_thread()?.block_on(async {
        let mut callers = JoinSet::new();
        let begun = Instant::now();
        for _ in 0..CALLERS {
            let (requests, next) = (requests.clone(), next.clone());
            let mut client = Client::connect(control.http()).await?;
            callers.spawn(async move {
                let mut times = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return anyhow::Ok(times);
                    }
                    let asked = Instant::now();
                    let answer = client.send(&requests[index % requests.len()], |_| ()).await?;
                    ensure!(answer.status == status, "answered {}", answer.status);
                    times.push(asked.elapsed());
                }
            });
        }
        let mut times = Vec::new();
        while let Some(caller) = callers.join_next().await {
            times.extend(caller??);
        }
        times.sort_unstable();
        Ok(Taken { times, all: begun.elapsed() })
    })
}

fn row(what: &str, database: &str, taken: &Taken) -> Vec<String> {
    let at = |share: f64| {
        let index = ((taken.times.len() as f64 * share) as usize).min(taken.times.len().saturating_sub(1));
        format!("{:.2}", taken.times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3))
    };
    let rate = taken.times.len() as f64 / taken.all.as_secs_f64();
    vec![what.to_owned(), database.to_owned(), format!("{rate:.0}"), at(0.5), at(0.99)]
}
