//! The task of an entry: recordings of its sessions, one after another.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use archive::contents::Gap;
use archive::{Cursor, Outcome};
use container::index::Reason;
use media::WallTime;
use packager::{Presentation, Segment};
use stream::isolated;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use crate::about::{About, Extent, State};
use crate::follow::{Control, Follower, Over, Written};
use crate::open::{Opened, Order, Place, Rolled};
use crate::plan::Mode;
use crate::recorder::House;
use crate::status::{Activity, Status, Tally};
use crate::told::Told;

/// Between two tries to open a recording.
const RETRY: Duration = Duration::from_secs(2);

/// Records the sessions of an entry that are due, and leaves.
pub(crate) async fn run(house: Arc<House>, entry: Arc<str>) {
    let place = Place {
        files: house.files.clone(),
        root: house.root.clone(),
        settings: house.settings.clone(),
        plan: house.plan.clone(),
        register: house.register.clone(),
    };
    let status = house.with_slot(&entry, |slot| slot.status.clone());
    let mut tending = Tending { house, place, entry, status, last: None };
    loop {
        let entry = tending.entry.clone();
        if isolated("a recording", entry, tending.sessions()).await.is_err() {
            tending.broke();
        }
        if tending.house.leave(&tending.entry) {
            return;
        }
    }
}

struct Tending {
    house: Arc<House>,
    place: Place,
    entry: Arc<str>,
    status: Arc<watch::Sender<Status>>,
    /// The session that there is nothing more to do for.
    last: Option<u64>,
}

/// A recording that is being written.
struct Job {
    about: About,
    tally: Tally,
    rolled: Rolled,
    /// The one before, and the segment with which this one began: it is still being written to.
    before: Option<(About, u64)>,
}

impl Tending {
    async fn sessions(&mut self) {
        while let Some((order, control)) = self.order() {
            self.last = Some(order.session);
            self.record(order, control).await;
        }
    }

    /// What is to be recorded now.
    fn order(&mut self) -> Option<(Order, watch::Receiver<Control>)> {
        let forced = self.house.with_slot(&self.entry, |slot| {
            slot.again = false;
            std::mem::take(&mut slot.forced)
        });
        let view = self.house.view(&self.entry)?;
        let presentation = &view.presentation;
        let session = presentation.session.id;
        let newest = self.house.register.newest(&self.entry);
        let same = newest.as_ref().filter(|about| about.last_session == session);
        let done = same.is_some_and(|about| about.state == State::Finished) || self.last == Some(session);
        if self.house.is_stopping() || (done && !forced) || (forced && presentation.ended) {
            return None;
        }
        let mode = self.house.plan.of(&self.entry);
        if mode.is_none() && same.is_none() && !forced {
            return None;
        }
        let from = if forced { edge(presentation) } else { 0 };
        let first = first(presentation).filter(|_| !forced);
        let began = first.as_ref().map_or_else(|| SystemTime::now().into(), |segment| segment.wall_time());
        let order = Order {
            entry: self.entry.clone(),
            session,
            mode: mode.unwrap_or(Mode::PerSession),
            from,
            first: first.map_or(0, |segment| segment.number),
            began,
        };
        let paused = !forced && same.is_some_and(|about| about.paused);
        let control = self.house.with_slot(&self.entry, |slot| {
            slot.close = false;
            slot.control.send_replace(if paused { Control::Pause } else { Control::Record });
            slot.control.subscribe()
        });
        Some((order, control))
    }

    async fn record(&mut self, order: Order, mut control: watch::Receiver<Control>) {
        let Some(opened) = self.open(&order, &mut control).await else {
            self.status.send_modify(|status| status.activity = Activity::Off);
            return;
        };
        let Opened { about, roll, alive, extent, repairs, rolled, .. } = opened;
        info!(entry = %self.entry, recording = %about.id, session = order.session, ?repairs, "recording");
        self.began(&about);
        self.show(&about, &extent, *control.borrow());
        let cursor = Cursor::new(extent.next.max(order.from));
        let source = Arc::new(self.house.directory.clone());
        let mut job = Job { about, tally: Tally::new(&extent), rolled, before: None };
        let mut follower =
            Follower::new(source, self.entry.clone(), order.session, (roll, alive), cursor, control);
        self.house.metrics.open.inc();
        let mut over = Over::Session;
        while let Some(written) = follower.next().await {
            over = written.over.unwrap_or(over);
            self.heard(&mut job, written).await;
        }
        self.house.metrics.open.dec();
        self.close(job, over).await;
    }

    /// Opens the recording in which the session goes on, and tries again for as long as it goes on.
    async fn open(&self, order: &Order, control: &mut watch::Receiver<Control>) -> Option<Opened> {
        let mut failed = false;
        loop {
            let (place, of) = (self.place.clone(), order.clone());
            let tried = spawn_blocking(move || place.open(&of)).await;
            let error = match tried {
                Ok(Ok(opened)) => {
                    opened.gone.iter().for_each(|about| self.gone(about));
                    return Some(opened);
                }
                Ok(Err(error)) => error,
                Err(_) => "opening it panicked, which is a bug".to_owned(),
            };
            self.cannot(order, &error, std::mem::replace(&mut failed, true));
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = control.changed() => {}
            }
            let view = self.house.view(&self.entry);
            let on = view.is_some_and(|view| {
                view.presentation.session.id == order.session && !view.presentation.ended
            });
            if !on || *control.borrow_and_update() == Control::Stop {
                return None;
            }
        }
    }

    /// A recording cannot be opened: says so once to everybody, and now and then to the log.
    fn cannot(&self, order: &Order, error: &str, again: bool) {
        if let Some(unsaid) = self.house.quiet.may_say("open") {
            error!(entry = %self.entry, %error, unsaid, "cannot record: trying again while the stream is on");
        }
        self.house.metrics.failures.inc();
        self.status.send_modify(|status| {
            status.activity = Activity::Failed;
            status.reason = Some(error.to_owned());
        });
        if !again {
            let first = order.first.max(order.from);
            let gap = Gap { first, last: first, reason: Reason::Failed, note: error.to_owned() };
            let newest = self.house.register.newest(&self.entry).map(|about| about.id);
            let (recording, rendition) = (newest.unwrap_or_else(|| "".into()), "".into());
            self.house.tell(Told::Lost { entry: self.entry.clone(), recording, rendition, gap });
        }
    }

    fn show(&self, about: &About, extent: &Extent, control: Control) {
        let activity = if control == Control::Pause { Activity::Paused } else { Activity::Recording };
        self.status.send_replace(Status {
            activity,
            recording: Some(about.id.clone()),
            bytes: extent.bytes,
            length: extent.length,
            ..Status::default()
        });
    }

    /// Takes in what was written.
    async fn heard(&self, job: &mut Job, written: Written) {
        if !written.steps.is_empty() {
            self.house.metrics.writes.observe(written.took.as_secs_f64());
        }
        self.roll(job);
        if !(written.steps.is_empty() && written.outcomes.is_empty()) {
            self.status.send_modify(|status| {
                job.tally.take(&written.steps, &written.outcomes, status, &self.house.metrics);
                job.about.bytes = status.bytes;
                job.about.length = status.length;
            });
            self.house.register.grew(&job.about);
        }
        self.tell(job, &written.outcomes);
        if let Some(error) = &written.failed {
            warn!(entry = %self.entry, recording = %job.about.id, %error, "cannot begin the next recording: this one grows longer");
        }
        if !written.rolling
            && let Some((before, _)) = job.before.take()
        {
            self.ended(before, State::Finished, None).await;
        }
        let paused = written.control == Control::Pause;
        if written.control != Control::Stop && job.about.paused != paused {
            job.about.paused = paused;
            info!(entry = %self.entry, recording = %job.about.id, paused, "recording");
            self.note(&job.about).await;
        }
        let stored = written.outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Stored { rendition, number, stored } => Some((rendition, number, stored)),
            _ => None,
        });
        let stored: Vec<_> = stored.collect();
        if !stored.is_empty() {
            (self.house.settle)(&self.entry, stored);
        }
    }

    /// A recording became too long, and another one goes on.
    fn roll(&self, job: &mut Job) {
        let begun = std::mem::take(&mut *job.rolled.lock().unwrap_or_else(PoisonError::into_inner));
        for next in begun {
            info!(entry = %self.entry, recording = %next.id, before = %job.about.id, "recording goes on in a new one");
            job.tally.rolled(next.first);
            self.began(&next);
            self.status.send_modify(|status| status.recording = Some(next.id.clone()));
            let first = next.first;
            job.before = Some((std::mem::replace(&mut job.about, next), first));
        }
    }

    fn tell(&self, job: &Job, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let entry = self.entry.clone();
            match outcome {
                Outcome::Stored { .. } => {}
                Outcome::Lost { rendition, gap } => {
                    let recording = job.of(gap.first);
                    if let Some(unsaid) = self.house.quiet.may_say(gap.reason.as_str()) {
                        let (reason, note) = (gap.reason.as_str(), &gap.note);
                        warn!(%entry, %recording, %rendition, segment = gap.first, reason, note, unsaid, "segments are not recorded");
                    }
                    let (rendition, gap) = (rendition.clone(), gap.clone());
                    self.house.tell(Told::Lost { entry, recording, rendition, gap });
                }
                Outcome::Resumed { rendition, number } => {
                    let (recording, rendition, number) = (job.of(*number), rendition.clone(), *number);
                    info!(%entry, %recording, %rendition, segment = number, "segments are recorded again");
                    self.house.tell(Told::Resumed { entry, recording, rendition, number });
                }
            }
        }
    }

    fn began(&self, about: &About) {
        self.house.tell(Told::Began { entry: self.entry.clone(), recording: about.id.clone() });
    }

    async fn close(&mut self, mut job: Job, over: Over) {
        if let Some((before, _)) = job.before.take() {
            self.ended(before, State::Finished, None).await;
        }
        match over {
            Over::Gone => {
                // What comes is recorded anew.
                self.last = None;
                self.gone(&job.about);
            }
            Over::Session => self.ended(job.about, State::Finished, None).await,
            Over::Stopped if self.house.is_stopping() => {
                self.ended(job.about, State::Interrupted, None).await;
            }
            Over::Stopped => self.ended(job.about, State::Finished, None).await,
            Over::Panicked => {
                let bug = "the writer panicked, which is a bug";
                error!(entry = %self.entry, recording = %job.about.id, "the recording ends here, and its stream goes on: {bug}, please report it");
                self.ended(job.about, State::Interrupted, Some(bug)).await;
            }
        }
    }

    /// Notes the end of a recording, with what its files hold.
    async fn ended(&self, about: About, state: State, failed: Option<&str>) {
        let closed = self.house.with_slot(&self.entry, |slot| slot.close);
        let now = Some(WallTime::from(SystemTime::now()));
        let paused = about.paused && state == State::Interrupted;
        let about = About { state, ended: now, closed, paused, ..about };
        let place = self.place.clone();
        let reading = spawn_blocking(move || {
            let extent = place.read(&about).map(|contents| Extent::of(&contents));
            extent.map_or(about.clone(), |extent| about.with(&extent))
        });
        let Ok(about) = reading.await else { return };
        self.note(&about).await;
        info!(entry = %self.entry, recording = %about.id, bytes = about.bytes, seconds = about.length.as_secs(), "recording ended");
        if self.status.borrow().recording.as_deref() == Some(&*about.id) {
            self.status.send_modify(|status| {
                status.activity = if failed.is_some() { Activity::Failed } else { Activity::Off };
                status.reason = failed.map(str::to_owned);
                (status.bytes, status.length) = (about.bytes, about.length);
            });
        }
        self.house.tell(Told::Ended { entry: self.entry.clone(), recording: about.id });
    }

    /// The files of a recording were taken away.
    fn gone(&self, about: &About) {
        let (entry, recording) = (self.entry.clone(), about.id.clone());
        error!(%entry, %recording, "the folder of this recording is gone: what was in it is lost, a new recording begins");
        self.house.register.remove(&entry, &recording);
        self.status.send_replace(Status::default());
        // Nobody asked for that: a copy elsewhere may be all that is left.
        self.house.tell(Told::Hidden { entry, recording });
    }

    async fn note(&self, about: &About) {
        let (place, of) = (self.place.clone(), about.clone());
        let noted = spawn_blocking(move || place.note(&of)).await;
        let error = match noted {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => "a panic, which is a bug".to_owned(),
        };
        self.house.register.put(about.clone());
        warn!(entry = %self.entry, recording = %about.id, %error, "what is known of the recording is not written down; its own index says the same");
    }

    /// The task panicked: this session is not recorded any more.
    fn broke(&mut self) {
        self.status.send_modify(|status| {
            status.activity = Activity::Failed;
            status.reason = Some("the recorder panicked, which is a bug".to_owned());
        });
    }
}

impl Job {
    /// The recording in which a segment belongs.
    fn of(&self, number: u64) -> Arc<str> {
        let before = self.before.as_ref().filter(|(_, first)| number < *first);
        before.map_or(&self.about, |(before, _)| before).id.clone()
    }
}

/// N of the segment that is being made.
fn edge(presentation: &Presentation) -> u64 {
    let renditions = presentation.renditions.iter();
    let newest = renditions.filter_map(|rendition| Some(*rendition.segments.last()?.0)).max();
    newest.map_or(0, |newest| newest + 1)
}

/// The oldest that is shown.
fn first(presentation: &Presentation) -> Option<Arc<Segment>> {
    let renditions = presentation.renditions.iter();
    let oldest = renditions.filter_map(|rendition| rendition.shown_from(0).next());
    oldest.min_by_key(|segment| segment.number).cloned()
}
