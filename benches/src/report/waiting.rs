//! Many players that wait for the same segment.

use std::time::Duration;

use super::{Bench, median, say};
use crate::server::Headwater;
use crate::table::Table;
use crate::waiting::{Waited, measure};

/// How many wait; each needs a file here and one there.
const PLAYERS: [usize; 2] = [1000, 10_000];

/// One table.
pub(super) fn tables(bench: &Bench) -> anyhow::Result<Vec<Table>> {
    let head =
        ["players", "idle B each", "waiting B more", "first answer ms", "last answer ms", "server CPU ms"];
    let mut table = Table::new("Players that wait for one segment, woken by its closing keyframe", &head);
    rlimit::increase_nofile_limit(PLAYERS[1] as u64 + 256)?;
    for players in PLAYERS {
        say(format!("waiting: {players} players"));
        let server = Headwater::start(&bench.binary, 1, None)?;
        let found = measure(&server, players, bench.plan.segments.clamp(2, 10), &bench.script)?;
        table.row(row(players, &found));
    }
    Ok(vec![table])
}

/// Medians of the rounds, but memory of the first: what was allocated once is not given back between them.
fn row(players: usize, found: &[Waited]) -> Vec<String> {
    let of = |figure: fn(&Waited) -> f64| median(found.iter().map(figure));
    fn millis(time: Duration) -> f64 {
        time.as_secs_f64() * 1e3
    }
    let first = found.first();
    vec![
        players.to_string(),
        format!("{:.0}", first.map_or(f64::NAN, |it| it.idle)),
        format!("{:.0}", first.map_or(f64::NAN, |it| it.waiting)),
        format!("{:.1}", of(|it| millis(it.answered.0))),
        format!("{:.1}", millis(found.iter().map(|it| it.answered.1).max().unwrap_or_default())),
        format!("{:.0}", of(|it| millis(it.cpu))),
    ]
}
