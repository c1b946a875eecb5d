//! One worker: started, asked, killed.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use worker_protocol::frame::{Prefix, before_payload, parse_head};
use worker_protocol::{Hello, Malformed, Reply, VERSION};

use crate::job::{Failure, Image, Job};

/// Where an operator keeps libraries of his own.
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// Bytes that are read of what a worker says when it cannot start.
const LAST_WORDS: u64 = 1024;

/// Why a worker is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("it speaks version {0} of the protocol, not {VERSION}")]
    Version(u32),
    #[error("it took longer than {0:?}")]
    Late(Duration),
    #[error("an image of {0} bytes, or no JPEG")]
    NoImage(usize),
    #[error("it ended at once: {0}")]
    Stillborn(String),
}

impl Broken {
    /// Whether it ended by itself, or somebody ended it: another one may do better with the same job.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Broken::Io(_))
    }
}

/// A running worker. Dropping it kills it.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    image_bytes: usize,
}

impl Worker {
    /// Starts one and waits for its hello.
    pub(crate) async fn start(
        program: &Path,
        limit: Duration,
        image_bytes: usize,
    ) -> Result<(Worker, Hello), Broken> {
        let mut command = Command::new(program);
        // What the environment holds, secrets of the configuration among it, is none of its business.
        command.env_clear().envs(std::env::var_os(LIBRARIES).map(|folders| (LIBRARIES, folders)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let piped = || io::Error::other("a pipe that was asked for");
        let (input, output) = (child.stdin.take().ok_or_else(piped)?, child.stdout.take().ok_or_else(piped)?);
        let errors = child.stderr.take();
        let mut worker = Worker { child, input, output, image_bytes };
        match timeout(limit, worker.hello()).await {
            Ok(Ok(hello)) => Ok((worker, hello)),
            Ok(Err(Broken::Io(_))) => Err(Broken::Stillborn(last_words(errors, limit).await)),
            Ok(Err(broken)) => Err(broken),
            Err(_) => Err(Broken::Late(limit)),
        }
    }

    async fn hello(&mut self) -> Result<Hello, Broken> {
        let (hello, _) = self.read::<Hello>(0).await?;
        if hello.protocol == VERSION { Ok(hello) } else { Err(Broken::Version(hello.protocol)) }
    }

    /// Gives it a job and waits for what it makes.
    pub(crate) async fn ask(&mut self, job: &Job, limit: Duration) -> Result<Result<Image, Failure>, Broken> {
        timeout(limit, self.exchange(job)).await.unwrap_or(Err(Broken::Late(limit)))
    }

    async fn exchange(&mut self, job: &Job) -> Result<Result<Image, Failure>, Broken> {
        let Some(request) = job.request() else { return Ok(Err(Failure::TooLarge)) };
        self.input.write_all(&before_payload(&request, job.len())?).await?;
        for piece in job.payload() {
            self.input.write_all(piece).await?;
        }
        match self.read::<Reply>(self.image_bytes).await? {
            (Reply::Image { width, height, .. }, jpeg) if jpeg.starts_with(&[0xff, 0xd8]) => {
                Ok(Ok(Image { width, height, jpeg: jpeg.into() }))
            }
            (Reply::Image { .. }, jpeg) => Err(Broken::NoImage(jpeg.len())),
            (Reply::Refused(refusal), _) => Ok(Err(Failure::Refused(refusal))),
        }
    }

    async fn read<T: DeserializeOwned>(&mut self, most: usize) -> Result<(T, Vec<u8>), Broken> {
        let mut prefix = [0; Prefix::LEN];
        self.output.read_exact(&mut prefix).await?;
        let prefix = Prefix::parse(prefix)?;
        if prefix.payload > most {
            return Err(Broken::NoImage(prefix.payload));
        }
        let mut head = vec![0; prefix.head];
        self.output.read_exact(&mut head).await?;
        let mut payload = vec![0; prefix.payload];
        self.output.read_exact(&mut payload).await?;
        Ok((parse_head(&head)?, payload))
    }

    /// Ends it, whatever it does, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        // It may have ended by itself: then there is nothing to kill.
        let _ = self.child.kill().await;
    }
}

/// What it wrote before it ended, in one line: which library the system lacks, for one.
async fn last_words(errors: Option<ChildStderr>, limit: Duration) -> String {
    let Some(errors) = errors else { return String::new() };
    let mut words = Vec::new();
    let _ = timeout(limit, errors.take(LAST_WORDS).read_to_end(&mut words)).await;
    String::from_utf8_lossy(&words).split_whitespace().collect::<Vec<_>>().join(" ")
}
