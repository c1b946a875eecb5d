//! Every limit, with a name.

use std::path::PathBuf;
use std::time::Duration;

/// How images are made and kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The program `headwater-worker`; none is started where it is not.
    pub program: Option<PathBuf>,
    /// Jobs that wait for the worker. One more is told that there are too many.
    pub queue: usize,
    /// Bytes of images kept.
    pub cache_bytes: u64,
    /// How long an image is kept after the last request for it.
    pub cache_idle: Duration,
    /// How long it is remembered that an image cannot be made.
    pub refusal_memory: Duration,
    /// How long anybody waits for an image, whatever others want before.
    pub patience: Duration,
    /// From the start of a worker to its first word.
    pub start_timeout: Duration,
    /// For one job. A worker that takes longer is killed.
    pub job_timeout: Duration,
    /// How long no worker is started after the second failure in a row; doubled with each further one.
    pub backoff: Duration,
    /// The longest that is.
    pub max_backoff: Duration,
    /// Bytes of configurations and samples of one job.
    pub job_bytes: usize,
    /// Bytes of an image.
    pub image_bytes: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            program: None,
            queue: 64,
            cache_bytes: 64 << 20,
            cache_idle: Duration::from_secs(600),
            refusal_memory: Duration::from_secs(60),
            patience: Duration::from_secs(20),
            start_timeout: Duration::from_secs(10),
            job_timeout: Duration::from_secs(10),
            backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(30),
            job_bytes: 32 << 20,
            image_bytes: 16 << 20,
        }
    }
}
