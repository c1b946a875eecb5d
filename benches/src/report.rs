//! All measurements, and the tables that they make.
//!
//! Servers take turns within a round, so that what else the machine does falls on all of them; a figure is the median
//! of its rounds.

mod answers;
mod contribution;
mod control;
mod crowds;
mod floods;
mod listing;
mod recording;
mod streams;
mod vod;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::machine;
use crate::script::Script;

/// The live window that both servers hold, where nothing else is said.
const WINDOW: &str = "12s";

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often each figure is taken.
    pub rounds: usize,
    /// While CPU of streams is counted.
    pub streams: Duration,
    /// Whether streams are measured in other circumstances too.
    pub variations: bool,
    /// While answers are counted.
    pub answers: Duration,
    /// Rounds of the script per connection in a flood.
    pub flood: u64,
    /// Segments watched per stream.
    pub segments: usize,
    /// Times that a crowd is woken.
    pub wakings: usize,
    /// Entries in the catalog.
    pub entries: usize,
    /// How long a stream is on before it is ended.
    pub show: Duration,
    /// Requests of each kind to the control API.
    pub requests: usize,
}

impl Plan {
    /// For figures that are written down.
    pub const FULL: Plan = Plan {
        rounds: 3,
        streams: Duration::from_secs(20),
        variations: true,
        answers: Duration::from_secs(4),
        flood: 96,
        segments: 10,
        wakings: 8,
        entries: 10_000,
        show: Duration::from_secs(120),
        requests: 4000,
    };
    /// For a look.
    pub const QUICK: Plan = Plan {
        rounds: 1,
        streams: Duration::from_secs(10),
        variations: false,
        answers: Duration::from_secs(2),
        flood: 48,
        segments: 4,
        wakings: 3,
        entries: 2000,
        show: Duration::from_secs(30),
        requests: 1000,
    };
}

/// What a measurement works with.
pub struct Bench {
    /// The binary of Headwater.
    pub binary: PathBuf,
    /// The input.
    pub script: Arc<Script>,
    /// How much is measured.
    pub plan: Plan,
}

/// A group of measurements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Part {
    /// CPU and memory per stream.
    Streams,
    /// CPU per stream by the protocol that brings it.
    Contribution,
    /// Ingest without pacing.
    Flood,
    /// Playlists and segments over HTTP.
    Answers,
    /// From a closing keyframe to the listed segment.
    Listing,
    /// Players that wait for a part.
    Crowds,
    /// Entries over the control API.
    Control,
    /// What recording adds, and how soon a stream that ended is on demand.
    Recording,
    /// Segments of recordings over HTTP.
    Vod,
}

/// Measures `parts` one after another and prints each table as it is there.
pub fn run(bench: &Bench, parts: &[Part]) -> anyhow::Result<()> {
    println!("{}\n", machine::describe());
    let bits = bench.script.bitrate() as f64 / 1e6;
    println!("Input: {bits:.2} Mbit/s, H.264 720p30 and AAC, a keyframe every {:?}.\n", bench.script.gop());
    for part in parts {
        let tables = match part {
            Part::Streams => streams::tables(bench)?,
            Part::Contribution => contribution::tables(bench)?,
            Part::Flood => floods::tables(bench)?,
            Part::Answers => answers::tables(bench)?,
            Part::Listing => listing::tables(bench)?,
            Part::Crowds => crowds::tables(bench)?,
            Part::Control => control::tables(bench)?,
            Part::Recording => recording::tables(bench)?,
            Part::Vod => vod::tables(bench)?,
        };
        tables.iter().for_each(|table| println!("{table}"));
    }
    Ok(())
}

/// Progress, for people.
fn say(text: impl std::fmt::Display) {
    eprintln!("bench: {text}");
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_even_counts_is_between() {
        assert_eq!((median([3.0, 1.0, 2.0]), median([4.0, 1.0])), (2.0, 2.5));
        assert!(median([]).is_nan());
    }
}
