//! All inputs: makes what runs be what is wanted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stream::{Directory, isolated};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::board::{Board, Status};
use super::task::{Shared, Task};
use super::{Definition, Metrics, Permit, Settings};

/// How much news a listener may be behind before it loses the oldest.
const BACKLOG: usize = 256;
/// A task that panicked begins anew after this.
const AFTER_PANIC: Duration = Duration::from_secs(1);
/// For inputs to leave when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// Something that happened to an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// Which.
    pub input: Arc<str>,
    /// Of which entry.
    pub entry: Arc<str>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// It is on air.
    Started {
        /// With media of this sender.
        peer: SocketAddr,
    },
    /// It is not, though it should be. Told once until it is on air again.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// All inputs of this server. Cloning shares them.
#[derive(Clone)]
pub struct Inputs(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    threads: Handle,
    running: Mutex<HashMap<Arc<str>, Running>>,
}

struct Running {
    definition: Definition,
    board: Board,
    stop: CancellationToken,
    restart: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Inputs {
    /// None yet. Their tasks run on `threads`.
    pub fn new(
        settings: Settings,
        permit: Arc<dyn Permit>,
        directory: Directory,
        metrics: Metrics,
        threads: Handle,
    ) -> Inputs {
        let places = Semaphore::new(settings.max_running.clamp(1, Semaphore::MAX_PERMITS));
        let news = broadcast::Sender::new(BACKLOG);
        let shared = Arc::new(Shared { settings, permit, directory, metrics, places, news });
        Inputs(Arc::new(Inner { shared, threads, running: Mutex::default() }))
    }

    /// Makes what runs be this, at once. What stays as it was goes on untouched.
    pub fn set(&self, wanted: impl IntoIterator<Item = Definition>) {
        let mut running = self.running();
        let mut old = std::mem::take(&mut *running);
        for definition in wanted {
            let id = definition.id.clone();
            let before = old.remove(&id);
            let now = match before {
                Some(same) if same.definition == definition => same,
                before => self.start(definition, before),
            };
            running.insert(id, now);
        }
        old.into_values().for_each(|gone| gone.stop.cancel());
    }

    /// How one does; `None` where there is none of this id.
    pub fn status(&self, id: &str) -> Option<Status> {
        self.running().get(id).map(|running| running.board.status())
    }

    /// Those of an entry, by id.
    pub fn of(&self, entry: &str) -> Vec<(Definition, Status)> {
        let running = self.running();
        let own = running.values().filter(|it| *it.definition.entry == *entry);
        let mut all: Vec<_> = own.map(|it| (it.definition.clone(), it.board.status())).collect();
        all.sort_by(|one, other| one.0.id.cmp(&other.0.id));
        all
    }

    /// Tries at once, where one waits for its next try or was ended. `false` where there is none of this id.
    pub fn restart(&self, id: &str) -> bool {
        self.running().get(id).map(|running| running.restart.notify_waiters()).is_some()
    }

    /// Tells what happens from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.0.shared.news.subscribe()
    }

    /// Lets them run until told to stop, and returns when they have left.
    pub async fn run(self, stop: CancellationToken) {
        stop.cancelled().await;
        let all = std::mem::take(&mut *self.running());
        let tasks: Vec<JoinHandle<()>> = all
            .into_values()
            .map(|running| {
                running.stop.cancel();
                running.task
            })
            .collect();
        let left = async {
            for task in tasks {
                // It has said how it ended.
                let _ = task.await;
            }
        };
        if tokio::time::timeout(DRAIN, left).await.is_err() {
            tracing::warn!("inputs did not end in time");
        }
    }

    /// Starts one, after what it takes the place of has left.
    fn start(&self, definition: Definition, before: Option<Running>) -> Running {
        let (board, stop, restart) = (Board::new(), CancellationToken::new(), Arc::new(Notify::new()));
        let parts = (board.clone(), stop.clone(), restart.clone());
        let task = Arc::new(Task::new(definition.clone(), self.0.shared.clone(), parts));
        let ended = stop.clone();
        let task = self.0.threads.spawn(async move {
            if let Some(before) = before {
                before.stop.cancel();
                let _ = before.task.await;
            }
            while isolated("input", &task.definition.id, task.run()).await.is_err() && !ended.is_cancelled() {
                tokio::time::sleep(AFTER_PANIC).await;
            }
        });
        Running { definition, board, stop, restart, task }
    }

    // Each step leaves whole entries behind.
    fn running(&self) -> MutexGuard<'_, HashMap<Arc<str>, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs").field("running", &self.running().len()).finish_non_exhaustive()
    }
}
