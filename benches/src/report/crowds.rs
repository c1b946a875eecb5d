//! A crowd of players, blocked, and woken by one part; and how soon a part is listed for one.

use std::time::Duration;

use super::{Bench, WINDOW, median, say};
use crate::crowd::{Woken, measure};
use crate::latency::quantile;
use crate::server::{Headwater, Server};
use crate::table::Table;

/// Players at once.
const CROWDS: [usize; 3] = [1, 100, 10_000];

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let head = [
        "players",
        "first ms",
        "median ms",
        "last ms",
        "CPU µs each",
        "waiting, bytes each",
        "at rest, bytes each",
    ];
    let title = "First picture of the next part sent to playlist read, players that wait for it";
    let mut table = Table::new(title, &head);
    for players in CROWDS {
        say(format!("crowd: {players} players"));
        let server = Headwater::start(&bench.binary, 1, Some(WINDOW))?;
        let woken = measure(&server as &dyn Server, players, bench.plan.wakings, &bench.script)?;
        table.row(row(players, &woken));
    }
    Ok(vec![table])
}

fn row(players: usize, woken: &[Woken]) -> Vec<String> {
    let middle = |value: &dyn Fn(&Woken) -> f64| median(woken.iter().map(value));
    let millis = |share: f64| {
        let value = middle(&|round| time(quantile(&round.answers, share)));
        format!("{value:.2}")
    };
    vec![
        players.to_string(),
        millis(0.0001),
        millis(0.5),
        millis(1.0),
        format!("{:.1}", middle(&|round| round.cpu.as_secs_f64() * 1e6 / players as f64)),
        format!("{:.0}", middle(&|round| round.waiting)),
        format!("{:.0}", middle(&|round| round.resting)),
    ]
}

fn time(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
