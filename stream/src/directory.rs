//! Entry id → stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use futures_util::future::BoxFuture;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::desk::Seat;
use crate::event::{Event, Hub, What};
use crate::health::Health;
use crate::owner::{Command, Owner, Stream};
use crate::{
    Admit, Air, Ended, Found, Grant, History, Ledger, Leg, NoHistory, Peer, Publication, Refusal, Report,
    Request, Settings, Settled, Source, Status, Timeline, View, Viewer, isolated,
};

/// All streams of this server. Cloning shares it.
#[derive(Clone)]
pub struct Directory {
    streams: Arc<DashMap<Arc<str>, Stream>>,
    ledger: Arc<dyn Ledger>,
    history: Arc<dyn History>,
    hub: Hub,
    closing: Arc<AtomicBool>,
}

/// A publisher that was let in.
#[derive(Debug)]
pub struct Entered {
    /// The entry that its key named.
    pub entry: Arc<str>,
    /// Which leg it is.
    pub leg: Leg,
    /// Its end of the stream.
    pub publication: Publication,
}

impl Directory {
    /// An empty directory.
    pub fn new(ledger: Arc<dyn Ledger>) -> Directory {
        Directory::with_history(ledger, Arc::new(NoHistory))
    }

    /// The same, where sessions that are taken up go on with what was on air of them.
    pub fn with_history(ledger: Arc<dyn Ledger>, history: Arc<dyn History>) -> Directory {
        Directory { streams: Arc::default(), ledger, history, hub: Hub::new(), closing: Arc::default() }
    }

    /// Takes up the sessions that a former process left inside their reconnect window, so that players are
    /// told to wait. `known` says of an entry how its stream behaves and whom it is for, and nothing of one that is
    /// no more. Returns how many there were.
    pub async fn restore(
        &self,
        known: impl Fn(&str) -> Option<(Arc<Settings>, Air)>,
    ) -> std::io::Result<usize> {
        let mut restored = 0;
        for entry in self.ledger.entries()? {
            let Some((settings, air)) = known(&entry) else { continue };
            let entry: Arc<str> = entry.into();
            let owner = self.owner(entry.clone(), settings, air).await;
            if owner.resumes() {
                self.start(entry, owner);
                restored += 1;
            }
        }
        Ok(restored)
    }

    /// Asks whether a publisher may enter and puts it on air, or says why not. Either is told to who listens.
    pub async fn enter(&self, admit: &dyn Admit, request: &Request) -> Result<Entered, Refusal> {
        let peer = Peer::new(request.peer, request.protocol);
        let (entry, refused) = match admit.admit(request).await {
            Ok(grant) => {
                let (entry, leg) = (grant.entry.clone(), grant.leg);
                match self.publish(grant, peer).await {
                    Ok(publication) => return Ok(Entered { entry, leg, publication }),
                    Err(refused) => (Some(entry), refused),
                }
            }
            Err(refused) => (refused.entry().cloned(), refused),
        };
        self.tell_refused(entry.as_ref(), request, &refused);
        Err(refused)
    }

    /// Says whether a publisher that was decided about would get on air now, without putting it there; for protocols
    /// that have to answer first. A refusal is told to who listens.
    pub async fn foresee(&self, decided: Result<Grant, Refusal>, request: &Request) -> Result<(), Refusal> {
        let (entry, refused) = match decided {
            Ok(grant) => (Some(grant.entry.clone()), self.foresee_grant(grant, request).await.err()),
            Err(refused) => (refused.entry().cloned(), Some(refused)),
        };
        let Some(refused) = refused else { return Ok(()) };
        self.tell_refused(entry.as_ref(), request, &refused);
        Err(refused)
    }

    async fn foresee_grant(&self, grant: Grant, request: &Request) -> Result<(), Refusal> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        let (entry, grant) = (grant.entry.clone(), Box::new(grant));
        let peer = Peer::new(request.peer, request.protocol);
        // A stream that is not there, or is just ending, lets anybody in.
        self.ask(&entry, |reply| Command::Foresee { peer, grant, reply }).await.unwrap_or(Ok(()))
    }

    fn tell_refused(&self, entry: Option<&Arc<str>>, request: &Request, refused: &Refusal) {
        let peer = Peer::new(request.peer, request.protocol);
        let (reason, text) = (refused.reason(), refused.to_string());
        self.hub.tell(entry, What::PublishRefused { leg: request.leg, peer, reason, text });
    }

    /// Puts a publisher on air, or says why not.
    pub async fn publish(&self, grant: Grant, peer: Peer) -> Result<Publication, Refusal> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        // A stream may end between finding it and being heard by it.
        for _ in 0..3 {
            let commands = self.stream(&grant).await;
            let (reply, answer) = oneshot::channel();
            let grant = Box::new(grant.clone());
            if commands.send(Command::Publish { peer, grant, reply }).await.is_ok()
                && let Ok(answer) = answer.await
            {
                return answer;
            }
        }
        Err(Refusal::Failed)
    }

    /// Disconnects the publisher; its stream waits for it to come back. `false` when nobody publishes.
    pub async fn disconnect(&self, entry: &str) -> bool {
        self.cut(entry, Ended::Disconnected).await
    }

    /// Ends the stream now, and keeps its encoder from beginning the next by itself. `false` when there is none.
    pub async fn end(&self, entry: &str) -> bool {
        self.cut(entry, Ended::Finished).await
    }

    /// Ends the stream and forgets all of it: its entry is no more.
    pub async fn remove(&self, entry: &str) {
        let Some(commands) = self.commands(entry) else { return };
        self.cut(entry, Ended::Deleted).await;
        self.streams.remove_if(entry, |_, stream| stream.commands.same_channel(&commands));
    }

    /// Shows the stream to another kind of viewer, on all outputs at once. What was shown before ends there.
    pub async fn switch(&self, entry: &str, air: Air) {
        self.ask(entry, |reply| Command::Switch { air, reply }).await.unwrap_or_default()
    }

    /// Says which named timelines the stream has. Where it has these already it is not bothered.
    pub async fn show_timelines(&self, entry: &str, timelines: Arc<[Timeline]>) {
        let news = self.streams.get(entry).is_some_and(|stream| stream.desk.timelines(&timelines));
        if news {
            self.ask(entry, |reply| Command::Timelines { timelines, reply }).await.unwrap_or_default();
        }
    }

    /// These segments of a stream are in storage: its owner lets go of their bytes when they are far enough from the edge.
    /// Nobody is woken by it, and nothing that can be seen changes.
    pub fn settle(&self, entry: &str, stored: Vec<Settled>) {
        if let Some(stream) = self.streams.get(entry) {
            stream.settled.put(stored);
        }
    }

    /// Cuts the publishers whose pass has come to an end, of one entry or of all.
    pub async fn recheck(&self, entry: Option<&str>) {
        let all = self.streams.iter().filter(|stream| entry.is_none_or(|entry| **stream.key() == *entry));
        let over: Vec<_> = all.map(|stream| (stream.key().clone(), stream.desk.recheck())).collect();
        for (entry, gone) in over {
            for (feed, why) in gone {
                let only = Some(feed);
                self.ask(&entry, |reply| Command::Cut { only, why, reply }).await;
            }
        }
    }

    /// Tells who listens of every publisher whose health became something else.
    pub fn examine(&self) {
        for stream in self.streams.iter() {
            for (seat, health) in stream.desk.news() {
                let (Health { verdict, findings, .. }, Seat { leg, rendition, .. }) = (&*health, seat);
                let what = What::Health { leg, rendition, verdict: *verdict, findings: findings.clone() };
                self.hub.tell(Some(stream.key()), what);
            }
        }
    }

    /// A stream as it is now; `None` when there was none since the server started, or it is long over.
    pub fn report(&self, entry: &str) -> Option<Report> {
        self.streams.get(entry).map(|stream| stream.desk.report(stream.key().clone()))
    }

    /// Tells what happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.hub.listen()
    }

    async fn cut(&self, entry: &str, why: Ended) -> bool {
        self.ask(entry, |reply| Command::Cut { only: None, why, reply }).await.unwrap_or(false)
    }

    async fn ask<T>(&self, entry: &str, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let commands = self.commands(entry)?;
        let (reply, answer) = oneshot::channel();
        commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }

    fn commands(&self, entry: &str) -> Option<mpsc::Sender<Command>> {
        self.streams.get(entry).map(|stream| stream.commands.clone())
    }

    /// Ends every publication and closes every open segment, in order that a later process goes on from there. Returns when
    /// all are closed. Nobody is let in any more; publishers that
    /// [leave when they are asked](Publication::leaves_when_asked) stay on air until they did, or `grace` is over.
    pub async fn shutdown(&self, grace: Duration) {
        self.closing.store(true, Ordering::Release);
        let streams: Vec<_> = self.streams.iter().map(|stream| stream.commands.clone()).collect();
        let mut answers = Vec::new();
        for commands in streams {
            let (reply, answer) = oneshot::channel();
            if commands.send(Command::Shutdown { grace, reply }).await.is_ok() {
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
        self.streams.iter().map(|stream| stream.desk.status(stream.key().clone())).collect()
    }

    fn version(&self, entry: &str, session: Option<u64>, viewer: Viewer, rendition: &str) -> Option<u64> {
        match self.find(entry, session, viewer) {
            Found::View(view) => view.rendition(rendition).map(|(_, version)| version),
            _ => None,
        }
    }

    async fn stream(&self, grant: &Grant) -> mpsc::Sender<Command> {
        if let Some(commands) = self.commands(&grant.entry) {
            return commands;
        }
        let owner = self.owner(grant.entry.clone(), grant.settings.clone(), grant.air).await;
        self.start(grant.entry.clone(), owner)
    }

    async fn owner(&self, entry: Arc<str>, settings: Arc<Settings>, air: Air) -> Owner {
        let (ledger, history) = (self.ledger.clone(), self.history.clone());
        Owner::new(entry, settings, air, ledger, history, self.hub.clone()).await
    }

    /// Spawns the owner, unless somebody else was faster.
    fn start(&self, entry: Arc<str>, owner: Owner) -> mpsc::Sender<Command> {
        let directory = self.clone();
        self.streams
            .entry(entry.clone())
            .or_insert_with(|| {
                let settings = owner.settings().clone();
                let (stream, run) = owner.stream();
                let (commands, desk) = (stream.commands.clone(), stream.desk.clone());
                tokio::spawn(async move {
                    let ended = isolated("stream", &entry, run).await;
                    directory.let_go(&entry, &commands);
                    if ended.is_err() {
                        let air = desk.report(entry.clone()).air;
                        directory.take_up(entry, settings, air).await;
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
    async fn take_up(&self, entry: Arc<str>, settings: Arc<Settings>, air: Air) {
        let owner = self.owner(entry.clone(), settings, air).await;
        if owner.resumes() && !self.closing.load(Ordering::Acquire) {
            self.start(entry, owner);
        }
    }
}

impl Source for Directory {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        self.streams.get(entry).map_or(Found::Unknown, |stream| stream.state.borrow().find(session, viewer))
    }

    fn timeline(&self, entry: &str, name: &str, viewer: Viewer) -> Option<u64> {
        self.streams.get(entry)?.state.borrow().timeline(name, viewer)
    }

    fn started<'a>(&'a self, entry: &'a str, session: Option<u64>, viewer: Viewer) -> BoxFuture<'a, ()> {
        let state = self.streams.get(entry).map(|stream| stream.state.clone());
        Box::pin(async move {
            if let Some(mut state) = state {
                // A stream that is gone is not starting either.
                let _ = state.wait_for(|state| !matches!(state.find(session, viewer), Found::Starting)).await;
            }
        })
    }

    fn changed<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        viewer: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        let bell = self.streams.get(entry).and_then(|stream| stream.bells.of(rendition));
        Box::pin(async move {
            let Some(mut bell) = bell else { return };
            // Heard first and looked at then, so that nothing rings in between unheard.
            bell.borrow_and_update();
            if self.version(entry, session, viewer, rendition) == Some(seen) {
                // A stream that is gone has changed too.
                let _ = bell.changed().await;
            }
        })
    }

    fn closed<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        viewer: Viewer,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        let bell = self.streams.get(entry).map(|stream| stream.bells.of_whole());
        Box::pin(async move {
            let Some(mut bell) = bell else { return };
            bell.borrow_and_update();
            if matches!(self.find(entry, session, viewer), Found::View(view) if view.whole() == seen) {
                let _ = bell.changed().await;
            }
        })
    }

    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        self.streams.get(entry).map_or_else(Vec::new, |stream| stream.state.borrow().sessions(viewer))
    }
}
