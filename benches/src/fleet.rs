//! Many publishers on one thread, each at its own point of the script.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::publisher::{Publisher, Writes};
use crate::script::Script;

/// Where to publish to. The key of publisher N is `sN`.
#[derive(Clone, Debug)]
pub struct Target {
    /// HOST:PORT of the RTMP listener.
    pub address: String,
    /// The application.
    pub app: String,
}

/// Publishers that send in real time until they are dropped.
pub struct Fleet {
    tasks: JoinSet<anyhow::Result<()>>,
    late: Arc<AtomicU64>,
    runtime: Runtime,
}

impl Fleet {
    /// Starts `count` publishers. They begin spread over one group of pictures, so that they do not close their
    /// segments in lockstep. `keyframes` has a channel per publisher, or none: it hears when a keyframe was handed to
    /// the kernel, as long as it has room.
    pub fn start(
        target: &Target,
        count: usize,
        script: &Arc<Script>,
        writes: Writes,
        keyframes: Vec<mpsc::Sender<Instant>>,
    ) -> anyhow::Result<Fleet> {
        let runtime = one_thread()?;
        let late = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let mut keyframes = keyframes.into_iter();
        for index in 0..count {
            let course = Course {
                index,
                wait: script.gop().mul_f64(index as f64 / count as f64),
                target: target.clone(),
                script: script.clone(),
                writes,
                late: late.clone(),
                keyframes: keyframes.next(),
            };
            tasks.spawn_on(course.run(), runtime.handle());
        }
        Ok(Fleet { tasks, late, runtime })
    }

    /// Lets them send for `time`; fails when one of them ends before.
    pub fn run(&mut self, time: Duration) -> anyhow::Result<()> {
        let tasks = &mut self.tasks;
        let first = self.runtime.block_on(async { timeout(time, tasks.join_next()).await });
        match first {
            Err(_) => Ok(()),
            Ok(Some(ended)) => ended.context("a publisher panicked")?.context("a publisher ended"),
            Ok(None) => anyhow::bail!("there are no publishers"),
        }
    }

    /// Where tasks run beside the publishers, on the same thread.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// The longest that a message was sent after its time, since this was asked last.
    pub fn late(&self) -> Duration {
        Duration::from_micros(self.late.swap(0, Ordering::Relaxed))
    }
}

/// A runtime whose work is done on one thread of its own.
pub fn one_thread() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().context("cannot start a runtime")
}

/// One publisher's way.
struct Course {
    index: usize,
    wait: Duration,
    target: Target,
    script: Arc<Script>,
    writes: Writes,
    late: Arc<AtomicU64>,
    keyframes: Option<mpsc::Sender<Instant>>,
}

impl Course {
    async fn run(self) -> anyhow::Result<()> {
        sleep(self.wait).await;
        let key = format!("s{}", self.index);
        let Target { address, app } = &self.target;
        let mut publisher = Publisher::connect(address, app, &key, self.script.clone(), self.writes).await?;
        let mut begin = Instant::now();
        loop {
            self.round(&mut publisher, begin).await?;
            begin += Duration::from_millis(self.script.millis.into());
        }
    }

    async fn round(&self, publisher: &mut Publisher, begin: Instant) -> anyhow::Result<()> {
        for (index, message) in self.script.messages.iter().enumerate() {
            let due = begin + Duration::from_millis(message.at.into());
            publisher.rest(due).await?;
            publisher.send(index).await?;
            let sent = Instant::now();
            self.late.fetch_max((sent - due).as_micros() as u64, Ordering::Relaxed);
            if message.keyframe {
                self.tell(sent);
            }
        }
        Ok(())
    }

    fn tell(&self, sent: Instant) {
        if let Some(keyframes) = &self.keyframes {
            let _ = keyframes.try_send(sent);
        }
    }
}
