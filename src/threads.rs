//! Threads of their own for what is live, and for recordings.
//!
//! Publishers and the owners of streams never share a thread with viewers: a crowd of viewers makes viewers wait and
//! no publisher. It is cheaper as well, because a message that came in on a thread is packaged on that thread, with
//! its caches warm; half of the processors is plenty for that (docs/performance.md has figures).
//!
//! Recordings write on the thread that wakes for them, and block it: the disk is waited for there and nowhere else.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

/// So many recordings write at once, whatever the processors: what they wait for is the disk.
const WRITERS: usize = 4;

/// The server's threads.
pub(crate) struct Threads {
    live: Runtime,
    record: Runtime,
    rest: Runtime,
}

/// Where work is put that is not to run with everything else.
#[derive(Clone, Copy)]
pub(crate) struct Apart<'a> {
    /// Publishers and owners of streams.
    pub(crate) live: &'a Handle,
    /// Recordings.
    pub(crate) record: &'a Handle,
}

impl Threads {
    /// As many as the machine has use for.
    pub(crate) fn start() -> anyhow::Result<Threads> {
        let processors = available_parallelism().map_or(1, NonZero::get);
        let live = runtime("live", processors.div_ceil(2))?;
        let record = runtime("record", WRITERS)?;
        Ok(Threads { live, record, rest: runtime("serve", processors)? })
    }

    /// Runs `work` beside everything that it spawns; it is given the other threads.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Apart<'_>) -> T) -> T {
        self.rest.block_on(work(Apart { live: self.live.handle(), record: self.record.handle() }))
    }

    /// Ends them; whatever still runs has that long.
    pub(crate) fn end(self, last: Duration) {
        self.live.shutdown_timeout(last);
        self.record.shutdown_timeout(last);
        self.rest.shutdown_timeout(last);
    }
}

fn runtime(name: &str, workers: usize) -> anyhow::Result<Runtime> {
    let runtime = Builder::new_multi_thread().thread_name(name).worker_threads(workers).enable_all().build();
    runtime.with_context(|| format!("cannot start the {name} threads"))
}
