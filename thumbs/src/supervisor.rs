//! Who starts workers, gives them jobs, and gives up on them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use stream::{Quiet, isolated};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};
use tracing::{info, warn};

use crate::job::{Failure, Image, Job};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::worker::{Broken, Worker};

/// A job, and who waits for it.
pub(crate) struct Order {
    pub(crate) job: Job,
    pub(crate) reply: oneshot::Sender<Result<Image, Failure>>,
}

/// Takes orders until nobody can give one any more.
pub(crate) fn start(settings: Settings, orders: mpsc::Receiver<Order>, metrics: Metrics) {
    let quiet = Quiet::default();
    let supervisor = Supervisor { settings, worker: None, failures: 0, not_before: None, quiet, metrics };
    tokio::spawn(isolated("supervisor of headwater-worker", "images", supervisor.run(orders)));
}

struct Supervisor {
    settings: Settings,
    worker: Option<Worker>,
    /// In a row.
    failures: u32,
    /// When a worker may be started again.
    not_before: Option<Instant>,
    quiet: Quiet,
    metrics: Metrics,
}

impl Supervisor {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            // Whoever asked may have gone while others were served.
            if !order.reply.is_closed() {
                let answer = self.answer(&order.job).await;
                let _ = order.reply.send(answer);
            }
        }
        if let Some(worker) = self.worker.take() {
            worker.kill().await;
        }
    }

    /// A worker that ended may have been ended by anything: the job is tried once more, with another one.
    async fn answer(&mut self, job: &Job) -> Result<Image, Failure> {
        match self.attempt(job).await? {
            Err(broken) if broken.is_end() => self.attempt(job).await?.unwrap_or(Err(Failure::Crashed)),
            outcome => outcome.unwrap_or(Err(Failure::Crashed)),
        }
    }

    async fn attempt(&mut self, job: &Job) -> Result<Result<Result<Image, Failure>, Broken>, Failure> {
        let mut worker = self.ready().await?;
        let outcome = worker.ask(job, self.settings.job_timeout).await;
        match &outcome {
            Ok(_) => {
                self.worker = Some(worker);
                self.failures = 0;
            }
            Err(broken) => {
                self.failed("failed", broken);
                worker.kill().await;
            }
        }
        Ok(outcome)
    }

    /// The worker that runs, or a new one.
    async fn ready(&mut self) -> Result<Worker, Failure> {
        if let Some(worker) = self.worker.take() {
            return Ok(worker);
        }
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(Failure::Unavailable);
        }
        let Some(program) = self.settings.program.clone() else {
            self.failed("cannot be started", &"it is not beside the server's own program");
            return Err(Failure::Unavailable);
        };
        self.begin(&program).await
    }

    async fn begin(&mut self, program: &Path) -> Result<Worker, Failure> {
        let Settings { start_timeout, image_bytes, .. } = self.settings;
        match Worker::start(program, start_timeout, image_bytes).await {
            Ok((worker, hello)) => {
                self.begun(program, &hello.libraries);
                Ok(worker)
            }
            Err(broken) => {
                self.failed("cannot be started", &broken);
                Err(Failure::Unavailable)
            }
        }
    }

    fn begun(&self, program: &Path, libraries: &str) {
        self.metrics.started.inc();
        let libraries: String = libraries.chars().filter(|it| !it.is_control()).take(100).collect();
        if let Some(unsaid) = self.quiet.may_say("started") {
            let program: PathBuf = program.into();
            info!(program = %program.display(), libraries, unsaid, "headwater-worker started");
        }
    }

    /// One failure may be a picture's; the second in a row is the worker's, and starting is put off.
    fn failed(&mut self, how: &'static str, why: &dyn Display) {
        self.metrics.failed.inc();
        self.failures = self.failures.saturating_add(1);
        let pause = self.pause();
        self.not_before = Some(Instant::now() + pause);
        if let Some(unsaid) = self.quiet.may_say(how) {
            warn!(%why, again_in = ?pause, unsaid, "headwater-worker {how}: there is no image");
        }
    }

    fn pause(&self) -> Duration {
        let Settings { backoff, max_backoff, .. } = self.settings;
        match self.failures.checked_sub(2) {
            None => Duration::ZERO,
            Some(doubled) => backoff.saturating_mul(1 << doubled.min(16)).min(max_backoff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_is_put_off_longer_with_each_failure_in_a_row() {
        let settings = Settings::default();
        let (quiet, metrics) = Default::default();
        let mut supervisor =
            Supervisor { settings, worker: None, failures: 0, not_before: None, quiet, metrics };
        let mut pauses = Vec::new();
        for failures in [0, 1, 2, 3, 8, 9, u32::MAX] {
            supervisor.failures = failures;
            pauses.push(supervisor.pause().as_millis());
        }
        assert_eq!(pauses, [0, 0, 250, 500, 16_000, 30_000, 30_000]);
    }
}
