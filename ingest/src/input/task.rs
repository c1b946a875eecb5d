//! The task of one input: it tries, and tries again, until it is told to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use address::input::Source;
use stream::{Directory, Ended, Refusal};
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::board::{Board, State};
use super::supervisor::{News, What};
use super::{Definition, Metrics, Permit, Settings, srt, tcp, udp};

/// How often an input that may not run asks again: schedules are kept this exactly.
const ASK: Duration = Duration::from_secs(1);
/// How often it looks whether the publisher that is in its place has gone.
const BUSY: Duration = Duration::from_secs(2);
/// A stream that was ended rests until nobody has tried for three seconds.
const REST: Duration = Duration::from_millis(3500);

/// What all inputs share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) permit: Arc<dyn Permit>,
    pub(super) directory: Directory,
    pub(super) metrics: Metrics,
    pub(super) places: Semaphore,
    pub(super) news: broadcast::Sender<News>,
}

/// One input.
pub(super) struct Task {
    pub(super) definition: Definition,
    pub(super) shared: Arc<Shared>,
    pub(super) board: Board,
    pub(super) stop: CancellationToken,
    pub(super) restart: Arc<Notify>,
    /// For how many milliseconds it was on air in this try.
    on_air: AtomicU64,
    /// Whether it was said that it failed, and not yet that it is on air again.
    failed: AtomicBool,
    /// What the log has of its last failure.
    said: Mutex<String>,
}

/// How a try ends.
#[derive(Debug)]
pub(super) enum End {
    /// The server ended the publication.
    Ended(Ended),
    /// There was media, and it may not go on air.
    Refused(Refusal),
    /// Something is wrong out there, in words.
    Failed(String),
}

/// What comes after a try.
enum Next {
    Stop,
    /// Somebody has to ask for it.
    Hold(String),
    /// Once the permit says so.
    Ask,
    /// After a pause of this length, or one of the backoff.
    Again(String, Option<Duration>),
}

impl Task {
    pub(super) fn new(
        definition: Definition,
        shared: Arc<Shared>,
        (board, stop, restart): (Board, CancellationToken, Arc<Notify>),
    ) -> Task {
        let (on_air, failed, said) = Default::default();
        Task { definition, shared, board, stop, restart, on_air, failed, said }
    }

    /// Runs until it is told to stop.
    pub(super) async fn run(&self) {
        if let Some(why) = self.is_off() {
            return self.board.stand(State::Off, why);
        }
        if let Err(why) = self.is_allowed() {
            return self.board.stand(State::Failed, Some(why));
        }
        // All of it may be dropped wherever it is.
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            () = self.run_in_its_place() => {}
        }
        self.board.stand(State::Off, None);
    }

    /// Only so many run at once.
    async fn run_in_its_place(&self) {
        let places = &self.shared.places;
        if places.available_permits() == 0 {
            let most = self.shared.settings.max_running;
            self.board.stand(State::Waiting, Some(format!("{most} inputs run already (input.max_running)")));
        }
        // Never closed.
        let Ok(_place) = places.acquire().await else { return };
        self.try_again_and_again().await;
    }

    async fn try_again_and_again(&self) {
        let mut backoff = Backoff::new(self.shared.settings.retry_max);
        loop {
            self.permitted().await;
            self.board.attempt();
            self.shared.metrics.attempts.inc();
            self.on_air.store(0, Ordering::Relaxed);
            let end = self.attempt().await;
            backoff.tried(Duration::from_millis(self.on_air.load(Ordering::Relaxed)));
            match end.next() {
                Next::Stop => return std::future::pending().await,
                Next::Ask => {}
                Next::Hold(why) => {
                    self.board.stand(State::Waiting, Some(why));
                    self.restart.notified().await;
                }
                Next::Again(why, pause) => {
                    let pause = pause.unwrap_or_else(|| backoff.pause(fastrand::f64()));
                    self.say(&why);
                    self.board.failed(why, pause);
                    self.pause(pause).await;
                }
            }
        }
    }

    async fn attempt(&self) -> End {
        match self.definition.url.source() {
            Source::Udp(udp) => udp::receive(self, udp).await,
            Source::Tcp(host) => tcp::connect(self, host).await,
            Source::TcpListen(address) => tcp::listen(self, *address).await,
            Source::Srt(srt) => srt::call(self, srt).await,
        }
    }

    /// Waits until it may run.
    async fn permitted(&self) {
        let Definition { entry, rendition, .. } = &self.definition;
        while let Err(refusal) = self.shared.permit.permit(entry, rendition.as_deref()) {
            self.board.stand(State::Waiting, Some(refusal.to_string()));
            self.pause(ASK).await;
        }
    }

    async fn pause(&self, pause: Duration) {
        // Whoever is asked to try at once does.
        let _ = tokio::time::timeout(pause, self.restart.notified()).await;
    }

    /// Why it does not run, where it is not to: nothing more to say where it was switched off itself.
    fn is_off(&self) -> Option<Option<String>> {
        match (self.definition.enabled, self.shared.settings.enabled) {
            (false, _) => Some(None),
            (_, false) => Some(Some("this server runs no inputs (input.enabled)".to_owned())),
            _ => None,
        }
    }

    fn is_allowed(&self) -> Result<(), String> {
        let listens = self.definition.url.source().called().is_none();
        match listens && !self.definition.trusted && !self.shared.settings.allow_listen {
            true => {
                Err("inputs that are made by the API may not open ports of this server (input.allow_listen)"
                    .to_owned())
            }
            false => Ok(()),
        }
    }

    /// It was on air for so long.
    pub(super) fn was_on_air(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.on_air.fetch_max(span, Ordering::Relaxed);
    }

    /// It waits for this, and is not on air for want of it.
    pub(super) fn wait_for(&self, what: String) {
        self.board.stand(State::Waiting, Some(what));
    }

    /// Its sender is gone, and it waits for the next without trying again.
    pub(super) fn lost(&self, why: String) {
        self.say(&why);
        self.wait_for(why);
    }

    /// Says that it failed: once to those who listen, and to the log whenever it is for another reason.
    fn say(&self, why: &str) {
        self.shared.metrics.failures.inc();
        self.tell(What::Failed { reason: why.to_owned() });
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != why {
            let Definition { id, entry, url, .. } = &self.definition;
            tracing::warn!(input = %id, %entry, %url, "input failed, it is tried again: {why}");
            why.clone_into(&mut said);
        }
    }

    /// Tells those who listen.
    pub(super) fn tell(&self, what: What) {
        let fails = matches!(what, What::Failed { .. });
        if !fails {
            self.said.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if self.failed.swap(fails, Ordering::Relaxed) && fails {
            return;
        }
        let Definition { id, entry, .. } = &self.definition;
        // Nobody listens: nothing to tell.
        let _ = self.shared.news.send(News { input: id.clone(), entry: entry.clone(), what });
    }
}

impl End {
    fn next(self) -> Next {
        const RESTART: &str = "restart this input, or switch it off and on, to publish again";
        match self {
            End::Ended(Ended::ShuttingDown) | End::Refused(Refusal::ShuttingDown) => Next::Stop,
            End::Ended(ended @ Ended::Finished) => Next::Hold(format!("{ended}; {RESTART}")),
            End::Ended(Ended::TimeOver | Ended::Deleted) | End::Refused(Refusal::NotNow { .. }) => Next::Ask,
            End::Ended(ended) => Next::Again(ended.to_string(), None),
            End::Refused(refusal @ Refusal::Busy { .. }) => Next::Again(refusal.to_string(), Some(BUSY)),
            End::Refused(refusal @ Refusal::Ended) => Next::Again(refusal.to_string(), Some(REST)),
            End::Refused(refusal) => Next::Again(refusal.to_string(), None),
            End::Failed(why) => Next::Again(why, None),
        }
    }

    /// The reason, for whoever looks after the stream.
    pub(super) fn farewell(&self) -> String {
        match self {
            End::Ended(ended) => ended.to_string(),
            End::Refused(refusal) => refusal.to_string(),
            End::Failed(why) => why.clone(),
        }
    }
}
