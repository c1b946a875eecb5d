//! What the figures were taken on.

use std::fs;
use std::process::Command;

/// One line: processor, cores, memory, kernel, and how busy the machine was before.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name");
    let memory: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let kernel = line("/proc/sys/kernel/osrelease");
    let load = line("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let memory = memory >> 20;
    format!("{model}, {cores} cores, {memory} GB, Linux {kernel}, load {load} at the start, {}", nginx())
}

/// `nginx version: nginx/1.22.1`, shortened.
fn nginx() -> String {
    let output = Command::new("nginx").arg("-v").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    text.rsplit(' ').next().unwrap_or_default().trim().to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned()
}

fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
