//! Those who ask: what was made is kept, what is being made is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::job::{Failure, Image, Job};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::supervisor::{self, Order};

/// What is known of a name: an image, or that there is none.
type Outcome = Result<Arc<Image>, Failure>;

/// Makes images and keeps them. Cloning shares it; dropping the last one ends the worker.
#[derive(Clone)]
pub struct Thumbs {
    known: Cache<String, Outcome>,
    orders: mpsc::Sender<Order>,
    job_bytes: usize,
    patience: Duration,
    metrics: Metrics,
}

impl Thumbs {
    /// Starts the supervisor in this runtime. The worker is started when the first image is asked for.
    pub fn start(settings: Settings) -> Thumbs {
        Thumbs::counted(settings, &Metrics::default())
    }

    /// The same, counting in `metrics`.
    pub fn counted(settings: Settings, metrics: &Metrics) -> Thumbs {
        let (orders, taken) = mpsc::channel(settings.queue.max(1));
        let known = Cache::builder()
            .max_capacity(settings.cache_bytes)
            .weigher(|name: &String, outcome| weight(name, outcome))
            .time_to_idle(settings.cache_idle)
            .expire_after(Memory { refusals: settings.refusal_memory })
            .build();
        let Settings { job_bytes, patience, .. } = settings;
        supervisor::start(settings, taken, metrics.clone());
        Thumbs { known, orders, job_bytes, patience, metrics: metrics.clone() }
    }

    /// The image of that name. `name` says everything that the image depends on; `job` is asked for it once, whoever
    /// waits.
    pub async fn image(&self, name: &str, job: impl FnOnce() -> Job + Send) -> Result<Arc<Image>, Failure> {
        let mut mine = false;
        let made = async {
            mine = true;
            let outcome = self.make(job()).await;
            self.metrics.made(&outcome);
            match outcome {
                Err(failure) if !failure.lasts() => Err(failure),
                outcome => Ok(outcome),
            }
        };
        let answer = timeout(self.patience, self.known.try_get_with_by_ref(name, made)).await;
        let Ok(answer) = answer else {
            self.metrics.late();
            return Err(Failure::Busy);
        };
        if !mine {
            self.metrics.kept();
        }
        answer.unwrap_or_else(|failure| Err(*failure))
    }

    /// What is known of that name: what was made, or that it cannot be.
    pub async fn known(&self, name: &str) -> Option<Result<Arc<Image>, Failure>> {
        let known = self.known.get(name).await;
        known.inspect(|_| self.metrics.kept())
    }

    async fn make(&self, job: Job) -> Outcome {
        if job.len() > self.job_bytes {
            return Err(Failure::TooLarge);
        }
        let _waiting = self.metrics.waits();
        let (reply, answer) = oneshot::channel();
        // Who finds the queue full is told so, rather than waiting for a place in it.
        self.orders.try_send(Order { job, reply }).map_err(|_| Failure::Busy)?;
        answer.await.unwrap_or(Err(Failure::Unavailable)).map(Arc::new)
    }
}

/// Bytes held.
fn weight(name: &str, outcome: &Outcome) -> u32 {
    const OVERHEAD: usize = 256;
    let image = outcome.as_ref().map_or(0, |image| image.jpeg.len());
    u32::try_from(image + name.len() + OVERHEAD).unwrap_or(u32::MAX)
}

/// What cannot be made is remembered for a while only: another version of the libraries may be able to.
struct Memory {
    refusals: Duration,
}

impl Expiry<String, Outcome> for Memory {
    fn expire_after_create(&self, _: &String, outcome: &Outcome, _: Instant) -> Option<Duration> {
        outcome.is_err().then_some(self.refusals)
    }
}
