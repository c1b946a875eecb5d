//! Threads of their own for what is live.
//!
//! Publishers and the owners of streams never share a thread with viewers: a crowd of viewers makes viewers wait and
//! no publisher. It is cheaper as well, because a message that came in on a thread is packaged on that thread, with
//! its caches warm; half of the processors is plenty for that (docs/performance.md has figures).

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

/// The server's threads.
pub(crate) struct Threads {
    live: Runtime,
    rest: Runtime,
}

impl Threads {
    /// As many as the machine has use for.
    pub(crate) fn start() -> anyhow::Result<Threads> {
        let processors = available_parallelism().map_or(1, NonZero::get);
        let live = runtime("live", processors.div_ceil(2))?;
        Ok(Threads { live, rest: runtime("serve", processors)? })
    }

    /// Runs `work` beside everything that it spawns; it is given the threads for what is live.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(&Handle) -> T) -> T {
        self.rest.block_on(work(self.live.handle()))
    }

    /// Ends them; whatever still runs has that long.
    pub(crate) fn end(self, last: Duration) {
        self.live.shutdown_timeout(last);
        self.rest.shutdown_timeout(last);
    }
}

fn runtime(name: &str, workers: usize) -> anyhow::Result<Runtime> {
    let runtime = Builder::new_multi_thread().thread_name(name).worker_threads(workers).enable_all().build();
    runtime.with_context(|| format!("cannot start the {name} threads"))
}
