//! What a stream costs: server CPU and memory while N streams come in in real time.

use std::sync::Arc;
use std::time::Duration;

use crate::fleet::Fleet;
use crate::publisher::Writes;
use crate::script::Script;
use crate::server::Server;

/// How long a measurement takes.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until the server holds all that it will hold.
    pub warm_up: Duration,
    /// While CPU is counted.
    pub measure: Duration,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU seconds per stream and minute.
    pub cpu: f64,
    /// Bytes of memory per stream, above the server without streams.
    pub memory: f64,
    /// Bytes of files on tmpfs per stream.
    pub files: f64,
    /// The longest that the pusher was late.
    pub late: Duration,
}

/// Measures `server`, which has no streams yet, with `streams` of them.
pub fn measure(
    server: &dyn Server,
    streams: usize,
    script: &Arc<Script>,
    writes: Writes,
    times: Times,
) -> anyhow::Result<Cost> {
    let family = server.family();
    let empty = family.memory()?;
    let mut fleet = Fleet::start(&server.target(), streams, script, writes, Vec::new())?;
    fleet.run(times.warm_up)?;
    fleet.late();
    let (cpu, begin) = (family.cpu()?, std::time::Instant::now());
    fleet.run(times.measure)?;
    let (cpu, minutes) = (family.cpu()? - cpu, begin.elapsed().as_secs_f64() / 60.0);
    Ok(Cost {
        cpu: cpu.as_secs_f64() / minutes / streams as f64,
        memory: family.memory()?.saturating_sub(empty) as f64 / streams as f64,
        files: server.files() as f64 / streams as f64,
        late: fleet.late(),
    })
}
