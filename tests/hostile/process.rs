//! What the server's process costs, and what its log says.

use std::time::{Duration, Instant};

use crate::support::wait::pause;
use crate::support::{Server, within};

/// Megabytes.
pub const MB: u64 = 1 << 20;

/// Bytes of memory that the process has now.
pub fn memory(server: &Server) -> u64 {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of VmRSS");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes << 10
}

/// Processor time that it used so far.
pub fn cpu(server: &Server) -> Duration {
    let stat = server.proc("stat");
    let (_, fields) = stat.rsplit_once(") ").expect("the name stands in brackets");
    let ticks: Vec<u64> =
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse().expect("a number")).collect();
    // proc(5): in clock ticks, of which Linux has a hundred a second for user space.
    Duration::from_millis(ticks.iter().sum::<u64>() * 10)
}

/// Within half a minute the process is down to what it had `before`, and a tenth. What its allocator needs to keep books
/// of the most that there ever was is more than a tenth of what a small server has: that much is let pass once.
pub fn assert_memory_returns(server: &Server, before: u64) {
    assert_memory_is(server, before, before + 12 * MB);
}

/// The same where there was as much before.
pub fn assert_memory_returns_again(server: &Server, before: u64) {
    assert_memory_is(server, before, before + before / 10);
}

fn assert_memory_is(server: &Server, before: u64, most: u64) {
    let begun = Instant::now();
    while memory(server) > most {
        let (now, seconds) = (memory(server) / 1024, begun.elapsed().as_secs());
        assert!(seconds < 30, "{now} KB after {seconds} s, {} KB before", before / 1024);
        pause();
    }
}

/// The lines about peers that were turned away or cut for `reason`.
pub fn refusals(server: &Server, reason: &str) -> Vec<String> {
    let (text, json) = (format!("reason=\"{reason}\""), format!("\"reason\":\"{reason}\""));
    let log = server.log();
    log.lines().filter(|line| line.contains(&text) || line.contains(&json)).map(str::to_owned).collect()
}

/// There is a line with that peer and that reason; however many peers there were, there are not many lines.
pub fn assert_told(server: &Server, reason: &str, peer: &str) {
    let told = || refusals(server, reason).into_iter().find(|line| line.contains(peer));
    within(5, &format!("{reason} of {peer} in the log:\n{}", server.log()), told);
    assert_few(server, reason);
}

/// A topic has ten lines a minute at most.
pub fn assert_few(server: &Server, reason: &str) {
    let lines = refusals(server, reason);
    assert!(lines.len() <= 20, "{} lines: {lines:#?}", lines.len());
}
