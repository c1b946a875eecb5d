//! The process itself, under the names that dashboards know.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        // Where /proc is not to be read there is nothing to say.
        let Ok(this) = procfs::process::Process::myself() else { return Ok(()) };
        let Ok(stat) = this.stat() else { return Ok(()) };
        let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let cpu = encoder.encode_descriptor(
            "process_cpu_seconds",
            "CPU time, user and system",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(seconds).encode(cpu)?;
        let mut gauge = |name: &str, help: &str, value: u64| {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder)
        };
        gauge("process_resident_memory_bytes", "Resident memory", stat.rss * procfs::page_size())?;
        if let Ok(count) = this.fd_count() {
            gauge("process_open_fds", "Open file descriptors", count as u64)?;
        }
        gauge("process_threads", "Threads", stat.num_threads.max(0) as u64)
    }
}
