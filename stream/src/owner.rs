//! The one task that owns a stream: takes what its publisher sends, runs the packager, publishes views.

mod air;
mod burner;
mod parting;
mod publisher;
mod publishers;
mod round;
mod state;
mod strip;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::WallTime;
use packager::{Counts, FeedId, Now, Packager, Presentation, Record};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use crate::bell::Bells;
use crate::desk::Desk;
use crate::event::{Hub, What};
use crate::settled::{Inbox, Settled};
use crate::status;
use crate::{
    Air, Ended, Grant, History, Input, Ledger, Peer, Publication, Quiet, Refusal, Settings, Timeline,
};
use air::Shows;
use burner::Burner;
use parting::Parting;
use publishers::Publishers;
pub(crate) use state::State;
use state::{Change, Named};

/// What edges ask of an owner.
pub(crate) enum Command {
    Publish {
        peer: Peer,
        grant: Box<Grant>,
        reply: oneshot::Sender<Result<Publication, Refusal>>,
    },
    /// Say whether the publisher would be let in.
    Foresee {
        peer: Peer,
        grant: Box<Grant>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// Cut the publishers, or one of them, and end the stream where that is what the reason means. Says whether there
    /// was anything to cut or end.
    Cut {
        only: Option<FeedId>,
        why: Ended,
        reply: oneshot::Sender<bool>,
    },
    Switch {
        air: Air,
        reply: oneshot::Sender<()>,
    },
    /// Which named timelines there are from now on.
    Timelines {
        timelines: Arc<[Timeline]>,
        reply: oneshot::Sender<()>,
    },
    /// Close the open segment, once the publishers are gone that leave by themselves, or after `grace`.
    Shutdown {
        grace: Duration,
        reply: oneshot::Sender<()>,
    },
}

/// How the directory reaches a stream.
pub(crate) struct Stream {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) state: watch::Receiver<Arc<State>>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) bells: Arc<Bells>,
    pub(crate) settled: Arc<Inbox>,
}

enum Phase {
    /// One publisher is on, or several.
    On(Publishers),
    /// It may come back until then.
    Waiting { until: Instant },
    /// The session is over; its last window stays until then.
    Over { until: Instant },
}

pub(crate) struct Owner {
    entry: Arc<str>,
    settings: Arc<Settings>,
    packager: Packager,
    burner: Burner,
    desk: Arc<Desk>,
    hub: Hub,
    /// What of the packager's counts the meter has.
    counted: Counts,
    resumes: bool,
    phase: Phase,
    parting: Option<Parting>,
    /// To whom the session is shown.
    shows: Shows,
    /// What of the session was told last.
    told: Option<Air>,
    /// When an encoder last tried since somebody ended the stream.
    tried: Option<Instant>,
    state: watch::Sender<Arc<State>>,
    bells: Arc<Bells>,
    /// What is in storage.
    settled: Arc<Inbox>,
    quiet: Quiet,
}

impl Owner {
    /// Takes up where the ledger left off.
    pub(crate) async fn new(
        entry: Arc<str>,
        settings: Arc<Settings>,
        air: Air,
        ledger: Arc<dyn Ledger>,
        history: Arc<dyn History>,
        hub: Hub,
    ) -> Owner {
        let wall = WallTime::from(SystemTime::now());
        let burner = Burner::new(entry.clone(), ledger);
        let numbers = burner.load(wall).await;
        let away = (wall - numbers.at).duration().unwrap_or_default();
        let resumes = !numbers.ended && away <= settings.reconnect;
        let session = numbers.session;
        let mut packager = Packager::new(settings.packager.clone(), numbers, resumes);
        if resumes && let Some(aired) = aired(history, entry.clone(), session).await {
            packager.take_up(&aired, wall);
        }
        let shows = Shows::new(&mut packager, air, resumes);
        let until = Instant::now() + settings.reconnect;
        Owner {
            entry,
            settings,
            packager,
            burner,
            desk: Arc::new(Desk::new(air)),
            hub,
            counted: Counts::default(),
            resumes,
            phase: Phase::Waiting { until },
            parting: None,
            shows,
            told: None,
            tried: None,
            state: watch::Sender::default(),
            bells: Arc::default(),
            settled: Arc::default(),
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
    pub(crate) fn stream(mut self) -> (Stream, impl Future<Output = ()>) {
        let (sender, commands) = mpsc::channel(16);
        let (state, desk, bells) = (self.state.subscribe(), self.desk.clone(), self.bells.clone());
        let settled = self.settled.clone();
        let taken_up = self.views();
        self.show(taken_up);
        (Stream { commands: sender, state, desk, bells, settled }, self.run(commands))
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
                    Some(command) => if self.obey(command).await { return },
                    None => return,
                },
                input = next_input(&mut self.phase) => self.take(input).await,
                () = timer.as_mut(), if deadline.is_some() => {
                    if deadline.is_some_and(|at| at <= Instant::now()) && self.on_time().await {
                        return;
                    }
                }
            }
            if self.has_parted().await {
                return;
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let own = match &self.phase {
            Phase::On(_) => self.packager.deadline(Instant::now().into_std()).map(Instant::from_std),
            Phase::Waiting { until } | Phase::Over { until } => Some(*until),
        };
        own.into_iter().chain(self.parting.as_ref().map(|it| it.until)).min()
    }

    /// Says whether the stream is done with. Who asked may have left meanwhile; a publisher that did is noticed by
    /// its closed channel.
    async fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Publish { peer, grant, reply } => {
                let _ = reply.send(self.publish(peer, *grant).await);
                false
            }
            Command::Foresee { peer, grant, reply } => {
                let _ = reply.send(self.foresee(peer, *grant));
                false
            }
            Command::Cut { only, why, reply } => {
                let gone = matches!(why, Ended::Deleted);
                let _ = reply.send(self.cut(only, why).await);
                gone
            }
            Command::Switch { air, reply } => {
                self.switch(air).await;
                let _ = reply.send(());
                false
            }
            Command::Timelines { timelines, reply } => {
                self.shows.set(&timelines);
                self.refresh().await;
                let _ = reply.send(());
                false
            }
            Command::Shutdown { grace, reply } => self.part(grace, reply).await,
        }
    }

    fn begin_session(&mut self, air: Air) {
        let numbers = self.packager.numbers().clone();
        self.packager = Packager::new(self.settings.packager.clone(), numbers, false);
        self.counted = Counts::default();
        self.told = None;
        let last = self.state.borrow().shown.clone();
        self.shows.begin(&mut self.packager, air, &last);
    }

    /// Shows it to another kind of viewer, in one step for all outputs. The session goes on, and whoever watches
    /// its preview; everybody else sees what begins with the next segment, or nothing more.
    async fn switch(&mut self, air: Air) {
        self.tried = None;
        if air == self.shows.air() {
            return;
        }
        info!(entry = %self.entry, air = air.as_str(), "switched");
        if matches!(self.phase, Phase::Over { .. }) {
            self.begin_session(air);
        } else if air == Air::Live {
            self.shows.go_live(&mut self.packager);
        } else {
            self.publish_view().await;
            let session = self.packager.numbers().session;
            self.shows.go_preview(self.state.borrow().whole(session));
        }
        self.refresh().await;
    }

    /// Shows anew what there is, after a change of what is shown to whom.
    async fn refresh(&mut self) {
        self.publish_view().await;
        let taken_back = self.shows.air() == Air::Preview && self.told == Some(Air::Live);
        if taken_back {
            self.tell_of_the_end();
            self.told = None;
        }
        self.show_newest();
        self.bells.ring_all();
    }

    async fn end(&mut self) {
        self.packager.end(WallTime::from(SystemTime::now()));
        self.phase = Phase::Over { until: Instant::now() + self.settings.keep_ended };
        self.desk.stand(status::State::Ended);
        info!(entry = %self.entry, "stream ended");
        self.publish_view().await;
        self.show(None);
        self.tell_of_the_end();
    }

    /// What never was playable was nothing to anybody.
    fn tell_of_the_end(&self) {
        if self.told.is_some() {
            self.hub.tell(Some(&self.entry), What::Ended);
        }
    }

    /// What was stored meanwhile.
    fn settle(&mut self) {
        for Settled { rendition, number, stored } in self.settled.take() {
            self.packager.settle(&rendition, number, stored);
        }
    }

    /// Says whether the stream is done with.
    async fn on_time(&mut self) -> bool {
        self.settle();
        match self.phase {
            Phase::On(_) => self.packager.tick(now()),
            Phase::Waiting { .. } => {
                self.end().await;
                // Nothing was ever playable: there is nothing to keep.
                return self.state.borrow().is_empty();
            }
            Phase::Over { .. } => return true,
        }
        self.publish_view().await;
        false
    }

    async fn shut_down(&mut self) {
        self.packager.interrupt(WallTime::from(SystemTime::now()));
        self.publish_view().await;
        if let Phase::On(publishers) = &self.phase {
            publishers.cut(&Ended::ShuttingDown);
        }
        self.burner.settle(self.packager.numbers()).await;
    }

    /// Shows readers the newest snapshot, if anything is new, after its numbers are burnt.
    async fn publish_view(&mut self) {
        self.shows.prepare(&mut self.packager);
        self.burner.burn(self.packager.numbers()).await;
        for notice in self.packager.take_notices() {
            if let Some(unsaid) = self.quiet.may_say(notice.topic()) {
                warn!(entry = %self.entry, unsaid, "{notice}");
            }
        }
        self.count();
        let log = self.packager.take_log();
        if !log.is_empty() {
            log.iter().for_each(|record| self.desk.meter.record(record));
            if log.iter().any(|record| matches!(record, Record::Segment { .. })) {
                self.note_alignment();
            }
            self.show_newest();
        }
    }

    fn show_newest(&mut self) {
        let newest = self.views();
        self.show(newest);
        self.announce();
    }

    fn views(&mut self) -> Option<Vec<Named>> {
        let presentation = self.packager.presentation().cloned()?;
        let before = self.state.borrow().whole(presentation.session.id).cloned();
        Some(self.shows.follow(presentation, before.as_deref()))
    }

    /// Tells once that there is something to play for whom it is for now.
    fn announce(&mut self) {
        let air = self.shows.air();
        let (session, playable) = self.primary();
        if !playable || self.told == Some(air) {
            return;
        }
        self.told = Some(air);
        info!(entry = %self.entry, session, air = air.as_str(), "stream is playable");
        let what = match air {
            Air::Preview => What::Preview,
            Air::Live => What::Live,
        };
        self.hub.tell(Some(&self.entry), what);
    }

    fn primary(&self) -> (u64, bool) {
        let whole = self.state.borrow().whole(self.packager.numbers().session).is_some();
        self.shows.primary(whole)
    }

    fn count(&mut self) {
        let counts = self.packager.counts();
        if counts != self.counted {
            self.desk.meter.counts(self.counted, counts);
            self.counted = counts;
        }
    }

    fn show(&mut self, shown: Option<Vec<Named>>) {
        let (before, coming) = (self.state.borrow().clone(), self.shows.coming());
        let (over, gone) = (self.shows.take_over(), self.shows.take_gone());
        let expected = !matches!(self.phase, Phase::Over { .. });
        let parts_only = over.is_empty() && gone.is_empty() && before.coming == coming;
        if shown.is_none() && parts_only && before.expected == expected {
            return;
        }
        let whole = shown.as_ref().and_then(|shown| shown.first()).map(|named| named.view.clone());
        let keep = self.settings.keep_ended;
        let next = before.next(Change { shown, coming, over, gone, expected, keep });
        self.state.send_replace(Arc::new(next));
        let (session, playable) = self.primary();
        self.desk.session(session, self.shows.air(), playable);
        match whole.filter(|_| parts_only) {
            Some(whole) => self.bells.ring(&whole),
            None => self.bells.ring_all(),
        }
    }
}

/// What was on air of a session. What cannot be read is not gone on with.
async fn aired(history: Arc<dyn History>, entry: Arc<str>, session: u64) -> Option<Presentation> {
    spawn_blocking(move || history.session(&entry, session)).await.ok().flatten()
}

async fn next_input(phase: &mut Phase) -> (FeedId, Option<Input>) {
    match phase {
        Phase::On(publishers) => publishers.next().await,
        Phase::Waiting { .. } | Phase::Over { .. } => std::future::pending().await,
    }
}

fn now() -> Now {
    Now { instant: Instant::now().into_std(), wall: WallTime::from(SystemTime::now()) }
}
