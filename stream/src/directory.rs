//! Entry id → stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::owner::{Command, Owner, Stream};
use crate::{Found, Grant, Ledger, Publication, Refusal, Settings, Source, Status, View, isolated};

/// All streams of this server. Cloning shares it.
#[derive(Clone)]
pub struct Directory {
    streams: Arc<DashMap<Arc<str>, Stream>>,
    ledger: Arc<dyn Ledger>,
    closing: Arc<AtomicBool>,
}

impl Directory {
    /// An empty directory.
    pub fn new(ledger: Arc<dyn Ledger>) -> Directory {
        Directory { streams: Arc::default(), ledger, closing: Arc::default() }
    }

    /// Takes up the sessions that a former process left inside their reconnect window, so that players are
    /// told to wait. Returns how many there were.
    pub async fn restore(&self, settings: &Arc<Settings>) -> std::io::Result<usize> {
        let mut restored = 0;
        for entry in self.ledger.entries()? {
            let entry: Arc<str> = entry.into();
            let owner = Owner::new(entry.clone(), settings.clone(), self.ledger.clone()).await;
            if owner.resumes() {
                self.start(entry, owner);
                restored += 1;
            }
        }
        Ok(restored)
    }

    /// Puts a publisher on air, or says why not.
    pub async fn publish(&self, grant: Grant, peer: SocketAddr) -> Result<Publication, Refusal> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        // A stream may end between finding it and being heard by it.
        for _ in 0..3 {
            let commands = self.stream(&grant).await;
            let (reply, answer) = oneshot::channel();
            let settings = grant.settings.clone();
            if commands.send(Command::Publish { peer, settings, reply }).await.is_ok()
                && let Ok(answer) = answer.await
            {
                return answer;
            }
        }
        Err(Refusal::Failed)
    }

    /// Ends every publication and closes every open segment, in order that a later process goes on from there.
    pub async fn shutdown(&self) {
        self.closing.store(true, Ordering::Release);
        let streams: Vec<_> = self.streams.iter().map(|stream| stream.commands.clone()).collect();
        let mut answers = Vec::new();
        for commands in streams {
            let (reply, answer) = oneshot::channel();
            if commands.send(Command::Shutdown { reply }).await.is_ok() {
                answers.push(answer);
            }
        }
        for answer in answers {
            // An owner that is gone has nothing open.
            let _ = answer.await;
        }
    }

    /// Every stream that is known, as it is now.
    pub fn status(&self) -> Vec<Status> {
        self.streams.iter().map(|stream| stream.meter.status(stream.key().clone())).collect()
    }

    async fn stream(&self, grant: &Grant) -> mpsc::Sender<Command> {
        if let Some(stream) = self.streams.get(&grant.entry) {
            return stream.commands.clone();
        }
        let owner = Owner::new(grant.entry.clone(), grant.settings.clone(), self.ledger.clone()).await;
        self.start(grant.entry.clone(), owner)
    }

    /// Spawns the owner, unless somebody else was faster.
    fn start(&self, entry: Arc<str>, owner: Owner) -> mpsc::Sender<Command> {
        let directory = self.clone();
        self.streams
            .entry(entry.clone())
            .or_insert_with(|| {
                let settings = owner.settings().clone();
                let (stream, run) = owner.stream();
                let commands = stream.commands.clone();
                tokio::spawn(async move {
                    let ended = isolated("stream", &entry, run).await;
                    directory.let_go(&entry, &commands);
                    if ended.is_err() {
                        directory.take_up(entry, &settings).await;
                    }
                });
                stream
            })
            .commands
            .clone()
    }

    /// Forgets a stream whose owner is gone.
    fn let_go(&self, entry: &Arc<str>, commands: &mpsc::Sender<Command>) {
        // Through the drain readers go on seeing what there was.
        if !self.closing.load(Ordering::Acquire) {
            self.streams.remove_if(entry, |_, stream| stream.commands.same_channel(commands));
        }
    }

    /// A panic is to a stream what a crash is to the server: its session goes on where the ledger says, and players
    /// are told to wait for its publisher.
    async fn take_up(&self, entry: Arc<str>, settings: &Arc<Settings>) {
        let owner = Owner::new(entry.clone(), settings.clone(), self.ledger.clone()).await;
        if owner.resumes() && !self.closing.load(Ordering::Acquire) {
            self.start(entry, owner);
        }
    }
}

impl Source for Directory {
    fn find(&self, entry: &str, session: Option<u64>) -> Found {
        self.streams.get(entry).map_or(Found::Unknown, |stream| stream.state.borrow().find(session))
    }

    fn started<'a>(&'a self, entry: &'a str, session: Option<u64>) -> BoxFuture<'a, ()> {
        let state = self.streams.get(entry).map(|stream| stream.state.clone());
        Box::pin(async move {
            if let Some(mut state) = state {
                // A stream that is gone is not starting either.
                let _ = state.wait_for(|state| !matches!(state.find(session), Found::Starting)).await;
            }
        })
    }

    fn sessions(&self, entry: &str) -> Vec<Arc<View>> {
        self.streams.get(entry).map_or_else(Vec::new, |stream| stream.state.borrow().sessions())
    }
}
