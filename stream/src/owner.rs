//! The one task that owns a stream: takes what its publisher sends, runs the packager, publishes views.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::WallTime;
use packager::{Counts, Now, Numbers, Packager};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use crate::status::{self, Meter};
use crate::{Ended, Found, Input, Ledger, Publication, Quiet, Refusal, Settings, Takeover, View};

/// Inputs that may wait for the owner before the publisher has to.
const INPUTS: usize = 256;
/// Inputs taken before a view is published, when they come faster than that.
const BATCH: usize = 64;
/// A publisher silent for this long may be pushed out (`stream.takeover = "stale"`).
const STALE: Duration = Duration::from_secs(1);
/// For so long after a healthy publisher was pushed out by one from its own address, the newcomer stays: two encoders
/// that both try again would take the stream from each other all the time.
const SETTLE: Duration = Duration::from_secs(60);
/// Live goes on without the ledger when that takes longer.
const LEDGER_PATIENCE: Duration = Duration::from_millis(500);
/// Ended sessions of a stream that stay playable by their session while a newer one is on.
const PAST_SESSIONS: usize = 2;

/// What edges ask of an owner.
pub(crate) enum Command {
    Publish {
        peer: SocketAddr,
        settings: Arc<Settings>,
        reply: oneshot::Sender<Result<Publication, Refusal>>,
    },
    Shutdown {
        reply: oneshot::Sender<()>,
    },
}

/// How the directory reaches a stream.
pub(crate) struct Stream {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) state: watch::Receiver<Arc<State>>,
    pub(crate) meter: Arc<Meter>,
}

/// What readers see of a stream.
#[derive(Debug, Default)]
pub(crate) struct State {
    session: u64,
    /// The newest snapshot: of this session, or of the last one until this one has something to play.
    current: Option<Arc<View>>,
    /// Ended sessions, newest first, with when they stop being playable.
    past: Vec<(Instant, Arc<View>)>,
    /// A publisher is there or expected back.
    expected: bool,
}

impl State {
    pub(crate) fn find(&self, session: Option<u64>) -> Found {
        let of = |id: u64| {
            let mut views = self.views();
            views.find(|view| view.presentation.session.id == id).cloned()
        };
        let view = match session {
            None => self.current.clone(),
            Some(id) => of(id),
        };
        match (view, session) {
            (Some(view), _) => Found::View(view),
            (None, Some(id)) if id != self.session => Found::Unknown,
            _ if self.expected => Found::Starting,
            _ => Found::Offline,
        }
    }

    /// Newest first.
    pub(crate) fn sessions(&self) -> Vec<Arc<View>> {
        self.views().cloned().collect()
    }

    fn views(&self) -> impl Iterator<Item = &Arc<View>> {
        self.current.iter().chain(self.past.iter().map(|(_, view)| view))
    }
}

struct Publisher {
    peer: SocketAddr,
    inputs: mpsc::Receiver<Input>,
    ended: watch::Sender<Option<Ended>>,
    heard: Instant,
    /// When it pushed a healthy one out.
    pushed: Option<Instant>,
}

enum Phase {
    /// A publisher is on.
    On(Publisher),
    /// It may come back until then.
    Waiting { until: Instant },
    /// The session is over; its last window stays until then.
    Over { until: Instant },
}

pub(crate) struct Owner {
    entry: Arc<str>,
    settings: Arc<Settings>,
    ledger: Arc<dyn Ledger>,
    packager: Packager,
    meter: Arc<Meter>,
    /// What of the packager's counts the meter has.
    counted: Counts,
    stored: Option<Numbers>,
    storing: Option<JoinHandle<std::io::Result<()>>>,
    resumes: bool,
    phase: Phase,
    state: watch::Sender<Arc<State>>,
    announced: bool,
    quiet: Quiet,
}

impl Owner {
    /// Takes up where the ledger left off.
    pub(crate) async fn new(entry: Arc<str>, settings: Arc<Settings>, ledger: Arc<dyn Ledger>) -> Owner {
        let wall = WallTime::from(SystemTime::now());
        let (reader, name) = (ledger.clone(), entry.clone());
        let loaded = tokio::task::spawn_blocking(move || reader.load(&name)).await;
        let known = match loaded {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => {
                warn!(%entry, %error, "numbering state is not readable: numbers go on from the clock");
                None
            }
            Err(error) => {
                warn!(%entry, %error, "numbering state could not be read: numbers go on from the clock");
                None
            }
        };
        let resumes = known.as_ref().is_some_and(|numbers| {
            let away = (wall - numbers.at).duration().unwrap_or_default();
            !numbers.ended && away <= settings.reconnect
        });
        let numbers = known.unwrap_or_else(|| Numbers::unknown(wall));
        let packager = Packager::new(settings.packager.clone(), numbers, resumes);
        let until = Instant::now() + settings.reconnect;
        Owner {
            entry,
            settings,
            ledger,
            packager,
            meter: Arc::default(),
            counted: Counts::default(),
            stored: None,
            storing: None,
            resumes,
            phase: Phase::Waiting { until },
            state: watch::Sender::default(),
            announced: false,
            quiet: Quiet::default(),
        }
    }

    /// Whether a session of a former process, or of an owner that panicked, goes on.
    pub(crate) fn resumes(&self) -> bool {
        self.resumes
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// How to reach it, and the task to spawn.
    pub(crate) fn stream(self) -> (Stream, impl Future<Output = ()>) {
        let (sender, commands) = mpsc::channel(16);
        let (state, meter) = (self.state.subscribe(), self.meter.clone());
        self.meter.state(status::State::Waiting);
        self.show(None);
        (Stream { commands: sender, state, meter }, self.run(commands))
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut timer = pin!(sleep_until(Instant::now()));
        loop {
            let deadline = self.deadline();
            // A deadline that moves away is looked at when the old one is over: that is far cheaper than
            // setting the timer with every sample.
            if let Some(at) = deadline
                && (at < timer.deadline() || timer.is_elapsed())
            {
                timer.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Publish { peer, settings, reply }) => {
                        // A publisher that left meanwhile is noticed by its closed channel.
                        let _ = reply.send(self.publish(peer, settings).await);
                    }
                    Some(Command::Shutdown { reply }) => {
                        self.shut_down().await;
                        let _ = reply.send(());
                        return;
                    }
                    None => return,
                },
                input = next_input(&mut self.phase) => self.take(input).await,
                () = timer.as_mut(), if deadline.is_some() => {
                    if deadline.is_some_and(|at| at <= Instant::now()) && self.on_time().await {
                        return;
                    }
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::On(_) => self.packager.deadline(Instant::now().into_std()).map(Instant::from_std),
            Phase::Waiting { until } | Phase::Over { until } => Some(*until),
        }
    }

    async fn publish(&mut self, peer: SocketAddr, settings: Arc<Settings>) -> Result<Publication, Refusal> {
        let mut pushed = None;
        if let Phase::On(publisher) = &self.phase {
            if !gives_way(publisher, peer, self.settings.takeover) {
                return Err(Refusal::Busy { incumbent: publisher.peer });
            }
            pushed = publisher.is_healthy().then(Instant::now);
            info!(entry = %self.entry, incumbent = %publisher.peer, newcomer = %peer, "publisher takes over");
            publisher.ended.send_replace(Some(Ended::TakenOver));
            self.packager.interrupt(WallTime::from(SystemTime::now()));
        }
        if let Phase::Over { .. } = self.phase {
            let numbers = self.packager.numbers().clone();
            self.packager = Packager::new(settings.packager.clone(), numbers, false);
            self.counted = Counts::default();
            self.announced = false;
        }
        self.settings = settings;
        self.packager.begin();
        let (sender, inputs) = mpsc::channel(INPUTS);
        let (ended, watcher) = watch::channel(None);
        self.phase = Phase::On(Publisher { peer, inputs, ended, heard: Instant::now(), pushed });
        self.meter.state(status::State::Publishing);
        self.publish_view().await;
        self.show(None);
        Ok(Publication { inputs: sender, ended: watcher })
    }

    /// One input, and whatever else is there already; `None` when the publisher is gone.
    async fn take(&mut self, input: Option<Input>) {
        match input {
            Some(input) => {
                self.package(input);
                self.take_more();
                self.publish_view().await;
            }
            None => {
                self.lose();
                self.publish_view().await;
                self.show(None);
            }
        }
    }

    /// The rest of a batch, as far as it is there. What does not fit stays in the channel.
    fn take_more(&mut self) {
        for _ in 1..BATCH {
            let Phase::On(publisher) = &mut self.phase else {
                return;
            };
            let Ok(input) = publisher.inputs.try_recv() else {
                return;
            };
            self.package(input);
        }
    }

    fn package(&mut self, input: Input) {
        if let Phase::On(publisher) = &mut self.phase {
            publisher.heard = Instant::now();
        }
        match input {
            Input::Announce { video, audio } => self.packager.announce(video, audio),
            Input::Track { id, track } => self.packager.track(id, track),
            Input::Sample { id, sample } => {
                self.meter.sample(&sample);
                self.packager.push(id, sample, now());
            }
        }
    }

    fn lose(&mut self) {
        self.packager.interrupt(WallTime::from(SystemTime::now()));
        let until = Instant::now() + self.settings.reconnect;
        self.phase = Phase::Waiting { until };
        self.meter.state(status::State::Waiting);
        info!(entry = %self.entry, reconnect = ?self.settings.reconnect, "publisher is gone");
    }

    /// Says whether the stream is done with.
    async fn on_time(&mut self) -> bool {
        match self.phase {
            Phase::On(_) => self.packager.tick(now()),
            Phase::Waiting { .. } => {
                self.packager.end(WallTime::from(SystemTime::now()));
                self.phase = Phase::Over { until: Instant::now() + self.settings.keep_ended };
                self.meter.state(status::State::Ended);
                info!(entry = %self.entry, "stream ended");
                self.publish_view().await;
                self.show(None);
                // Nothing was ever playable: there is nothing to keep.
                return self.state.borrow().current.is_none();
            }
            Phase::Over { .. } => return true,
        }
        self.publish_view().await;
        false
    }

    async fn shut_down(&mut self) {
        self.packager.interrupt(WallTime::from(SystemTime::now()));
        self.publish_view().await;
        if let Phase::On(publisher) = &self.phase {
            publisher.ended.send_replace(Some(Ended::ShuttingDown));
        }
    }

    /// Shows readers the newest snapshot, if anything is new, after its numbers are burnt.
    async fn publish_view(&mut self) {
        self.burn().await;
        for notice in self.packager.take_notices() {
            if let Some(unsaid) = self.quiet.may_say(notice.topic()) {
                warn!(entry = %self.entry, unsaid, "{notice}");
            }
        }
        self.count();
        let log = self.packager.take_log();
        if log.is_empty() {
            return;
        }
        log.iter().for_each(|record| self.meter.record(record));
        let Some(presentation) = self.packager.presentation() else { return };
        let previous = self.state.borrow().current.clone();
        let view = Arc::new(View::new(Arc::new(presentation.clone()), previous.as_deref()));
        if view.presentation.playable() && !self.announced {
            self.announced = true;
            info!(entry = %self.entry, session = self.packager.numbers().session, "stream is playable");
        }
        self.show(Some(view));
    }

    fn count(&mut self) {
        let counts = self.packager.counts();
        if counts != self.counted {
            self.meter.counts(self.counted, counts);
            self.counted = counts;
        }
    }

    fn show(&self, view: Option<Arc<View>>) {
        let before = self.state.borrow().clone();
        let expected = !matches!(self.phase, Phase::Over { .. });
        let session = self.packager.numbers().session;
        if view.is_none() && (before.expected, before.session) == (expected, session) {
            return;
        }
        let now = Instant::now();
        let mut past = before.past.clone();
        past.retain(|(until, _)| *until > now);
        let current = match view.filter(|view| view.presentation.playable()) {
            None => before.current.clone(),
            Some(view) => {
                let id = view.presentation.session.id;
                let older = before.current.iter().filter(|old| old.presentation.session.id != id);
                let until = now + self.settings.keep_ended;
                past.splice(0..0, older.map(|old| (until, old.clone())));
                past.truncate(PAST_SESSIONS);
                Some(view)
            }
        };
        self.state.send_replace(Arc::new(State { session, current, past, expected }));
    }

    /// Stores the numbers if they changed. Live does not wait for a disk that hangs or fails.
    async fn burn(&mut self) {
        let numbers = self.packager.numbers();
        if self.stored.as_ref().is_some_and(|stored| same(stored, numbers)) {
            return;
        }
        if self.storing.as_ref().is_some_and(|storing| !storing.is_finished()) {
            return;
        }
        let (ledger, entry, numbers) = (self.ledger.clone(), self.entry.clone(), numbers.clone());
        self.stored = Some(numbers.clone());
        let mut storing = tokio::task::spawn_blocking(move || ledger.store(&entry, &numbers));
        match timeout(LEDGER_PATIENCE, &mut storing).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                warn!(entry = %self.entry, %error, "numbering state could not be stored: live goes on");
            }
            Ok(Err(error)) => warn!(entry = %self.entry, %error, "numbering state could not be stored"),
            Err(_) => {
                warn!(entry = %self.entry, "numbering state is slow to store: live goes on");
                self.storing = Some(storing);
            }
        }
    }
}

/// Whether nothing changed that a later process must know.
fn same(stored: &Numbers, numbers: &Numbers) -> bool {
    let (at, until, longest_gop) = (numbers.at, numbers.until, numbers.longest_gop);
    Numbers { at, until, longest_gop, ..stored.clone() } == *numbers
}

async fn next_input(phase: &mut Phase) -> Option<Input> {
    match phase {
        Phase::On(publisher) => publisher.inputs.recv().await,
        Phase::Waiting { .. } | Phase::Over { .. } => std::future::pending().await,
    }
}

impl Publisher {
    fn is_healthy(&self) -> bool {
        !self.inputs.is_closed() && self.heard.elapsed() < STALE
    }
}

fn gives_way(incumbent: &Publisher, newcomer: SocketAddr, takeover: Takeover) -> bool {
    let gone = incumbent.inputs.is_closed();
    let settles = incumbent.pushed.is_some_and(|pushed| pushed.elapsed() < SETTLE);
    gone || match takeover {
        Takeover::Always => true,
        Takeover::Never => false,
        Takeover::Stale => !incumbent.is_healthy() || (incumbent.peer.ip() == newcomer.ip() && !settles),
    }
}

fn now() -> Now {
    Now { instant: Instant::now().into_std(), wall: WallTime::from(SystemTime::now()) }
}
