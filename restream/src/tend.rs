//! The task of a target: waits for the entry, connects, sends, tries again.

use std::sync::Arc;
use std::time::Duration;

use catalog::events::{Kind, NewEvent};
use catalog::targets::{Protocol, Secrets, Target};
use catalog::{EntryId, TargetId};
use futures_util::future::select_all;
use media::{MediaTime, Timescale};
use packager::Presentation;
use serde_json::{Map, Value, json};
use stream::{Found, Source, View, Viewer};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::destination::Destination;
use crate::follow::{Choice, Follower, Item};
use crate::link::Link;
use crate::loops::circle;
use crate::metrics::By;
use crate::restream::House;
use crate::retry::Backoff;
use crate::rtmp::tag;
use crate::status::{Board, State, now};

/// A target may take so long to hear goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How often it is looked how far a target is behind that takes nothing.
const LOOK: Duration = Duration::from_secs(1);
/// What is behind by more goes out as fast as the target takes it.
const LATE: Duration = Duration::from_millis(1200);

/// What a task is told to do. Another order is another task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Order {
    pub(crate) id: TargetId,
    pub(crate) entry: EntryId,
    url: String,
    secrets: Secrets,
    choice: Choice,
    pub(crate) enabled: bool,
}

impl Order {
    /// All of a target but its name, whose change interrupts nothing.
    pub(crate) fn new(target: Target, secrets: Secrets) -> Order {
        let details = target.details;
        Order {
            id: target.id,
            entry: target.entry,
            url: details.url,
            secrets,
            choice: Choice { rendition: details.rendition, audio: details.audio },
            enabled: details.enabled,
        }
    }
}

/// The task of a target.
pub(crate) struct Tending {
    pub(crate) house: Arc<House>,
    pub(crate) order: Order,
    pub(crate) board: Arc<Board>,
    pub(crate) stop: CancellationToken,
    /// Whether it was told that the target failed.
    pub(crate) told: bool,
}

impl Tending {
    /// Until it is told to stop.
    pub(crate) async fn run(mut self) {
        let settings = &self.house.settings;
        let mut backoff = Backoff::new(settings.retry_min, settings.retry_max);
        let stop = self.stop.clone();
        let mut done = None;
        loop {
            self.turn(State::Waiting);
            let view = tokio::select! {
                view = self.live(done) => view,
                () = stop.cancelled() => return,
            };
            let session = view.presentation.session.id;
            let mut began = None;
            let failure = match self.attempt(&view, &mut began).await {
                Ok(()) if stop.is_cancelled() => return,
                Ok(()) => {
                    done = Some(session);
                    backoff.reset();
                    continue;
                }
                Err(failure) => failure,
            };
            drop(view);
            let sent = began.map_or(Duration::ZERO, |began: Instant| began.elapsed());
            let pause = match failure {
                Failure::Reconnect => Duration::ZERO,
                _ => backoff.after(sent, random()),
            };
            self.failed(&failure, pause);
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Connects and sends one session; `began` says when it was sent to.
    async fn attempt(&mut self, view: &View, began: &mut Option<Instant>) -> Result<(), Failure> {
        if let Some(missing) = self.order.choice.missing(&view.presentation) {
            return Err(Failure::NoRendition(missing.to_owned()));
        }
        self.turn(State::Connecting);
        self.board.change(|status| status.attempts += 1);
        self.house.metrics.attempts.inc();
        let stop = self.stop.clone();
        let link = tokio::select! {
            link = self.connect(&view.presentation) => link?,
            () = stop.cancelled() => return Ok(()),
        };
        *began = Some(Instant::now());
        self.started();
        let mut link = link;
        let sent = self.send(&mut link, view.presentation.session.id).await;
        if sent.is_ok() {
            link.finish(GOODBYE).await;
            self.tell(Kind::TargetStopped, Map::new());
        }
        sent
    }

    async fn connect(&self, presentation: &Presentation) -> Result<Link, Failure> {
        let (house, order) = (&self.house, &self.order);
        let to = Destination::parse(&order.url, order.secrets.clone()).ok_or(Failure::Url)?;
        // Said before anybody is called: the target would see a publication without media at each try.
        let mut codecs = order.choice.codecs(presentation);
        if let Some(codec) = codecs.find(|codec| to.protocol != Protocol::Srt && !tag::is_known(codec)) {
            return Err(Failure::rtmp_codec(codec));
        }
        let wait = house.settings.connect_timeout;
        let addresses = timeout(wait, house.ways.addresses(&to)).await;
        for address in addresses.map_err(|_| Failure::ConnectTimeout(wait))?? {
            let (keys, ports) = (house.catalog.keys(), &house.settings.own_ports);
            if circle(keys, &order.entry, to.key(), address, ports).await {
                return Err(Failure::Circle);
            }
        }
        let codecs = presentation.renditions.iter().filter_map(|it| it.init());
        let mut four_cc: Vec<_> = codecs.filter_map(|init| tag::four_cc(&init.track.codec)).collect();
        four_cc.sort_unstable();
        four_cc.dedup();
        Link::open(&house.ways, &to, four_cc, wait).await
    }

    /// Sends a session until it is over, or the target is to stop.
    async fn send(&mut self, link: &mut Link, session: u64) -> Result<(), Failure> {
        let house = self.house.clone();
        let mut follower = Follower::new(self.order.choice.clone(), house.settings.max_behind);
        let mut skipped = 0;
        loop {
            let view = self.view(session);
            if let Some(view) = &view {
                let items = follower.next(&view.presentation)?;
                let behind = follower.behind(&view.presentation);
                self.report(&follower, &items, behind, &mut skipped);
                if !items.is_empty() {
                    link.queue(items, behind > LATE)?;
                    if !self.drain(link, &follower, session).await? {
                        return Ok(());
                    }
                    continue;
                }
            }
            let Some(view) = view.filter(|view| !view.presentation.ended) else { return Ok(()) };
            tokio::select! {
                () = changed(&house.directory, &self.order.entry, session, &view) => {}
                taken = link.work() => self.took(taken?),
                () = self.stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Sends what waits; says whether to go on.
    async fn drain(&self, link: &mut Link, follower: &Follower, session: u64) -> Result<bool, Failure> {
        let patience = self.house.settings.stall_timeout;
        let (mut gives_up, mut looks) = (Instant::now() + patience, Instant::now() + LOOK);
        while !link.is_idle() {
            tokio::select! {
                taken = link.work() => {
                    self.took(taken?);
                    gives_up = Instant::now() + patience;
                }
                () = self.stop.cancelled() => return Ok(false),
                () = sleep_until(looks.min(gives_up)) => {
                    if Instant::now() >= gives_up {
                        return Err(Failure::Stalled(patience));
                    }
                    looks += LOOK;
                    let behind = self.view(session).map(|view| follower.behind(&view.presentation));
                    self.board.change(|status| status.behind = behind.unwrap_or(status.behind));
                }
            }
        }
        Ok(true)
    }

    fn took(&self, bytes: u64) {
        if bytes > 0 {
            self.board.took(bytes);
            self.house.metrics.bytes.get_or_create_owned(&self.protocol()).inc_by(bytes);
        }
    }

    fn report(&self, follower: &Follower, items: &[Item], behind: Duration, skipped: &mut u64) {
        let frames = items.iter().filter(|item| matches!(item, Item::Frame(_))).count() as u64;
        let more = follower.skipped() - std::mem::replace(skipped, follower.skipped());
        if more > 0 {
            tracing::warn!(target = %self.order.id, entry = %self.order.entry, frames = more, "a target is too slow: it goes on at the newest keyframe");
        }
        self.house.metrics.frames.get_or_create_owned(&self.protocol()).inc_by(frames);
        self.house.metrics.skipped.inc_by(more);
        self.board.change(|status| {
            status.frames += frames;
            status.skipped += more;
            status.behind = behind;
            if frames > 0 {
                status.renditions = follower.renditions().cloned().collect();
            }
        });
    }

    fn view(&self, session: u64) -> Option<Arc<View>> {
        match self.house.directory.find(self.order.entry.as_str(), Some(session), Viewer::Public) {
            Found::View(view) => Some(view),
            _ => None,
        }
    }

    /// Resolves with what the public sees of the entry, once it is live in another session than `done`.
    async fn live(&self, done: Option<u64>) -> Arc<View> {
        let (directory, entry) = (&self.house.directory, self.order.entry.as_str());
        let mut events = directory.events();
        loop {
            if let Found::View(view) = directory.find(entry, None, Viewer::Public)
                && !view.presentation.ended
                && Some(view.presentation.session.id) != done
                && view.presentation.renditions.iter().any(|rendition| rendition.init().is_some())
            {
                return view;
            }
            loop {
                use tokio::sync::broadcast::error::RecvError;
                match events.recv().await {
                    Ok(event) if event.entry.as_deref() != Some(entry) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }

    fn started(&mut self) {
        self.turn(State::Sending);
        self.board.change(|status| status.error = None);
        self.told = false;
        tracing::info!(target = %self.order.id, entry = %self.order.entry, to = %self.order.url, "sending to a target");
        self.tell(Kind::TargetStarted, Map::new());
    }

    /// Says what went wrong; the same again is said once.
    fn failed(&mut self, failure: &Failure, pause: Duration) {
        self.turn(if failure.is_refusal() { State::Refused } else { State::Retrying });
        let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        let next = now().plus(MediaTime::new(micros, Timescale::MICROS));
        self.board.change(|status| {
            status.error = Some(failure.to_string());
            status.next_attempt = Some(next);
        });
        self.house.metrics.failures.inc();
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(target = %self.order.id, entry = %self.order.entry, to = %self.order.url, %failure, "a target cannot be sent to: trying again");
            let why = [("reason", json!(failure.word())), ("text", json!(failure.to_string()))];
            self.tell(Kind::TargetFailed, why.into_iter().map(|(name, it)| (name.to_owned(), it)).collect());
        }
    }

    fn turn(&self, state: State) {
        self.house.metrics.moved(Some(self.board.state()), Some(state));
        self.board.turn(state);
    }

    fn tell(&self, kind: Kind, mut data: Map<String, Value>) {
        data.insert("target".to_owned(), json!(self.order.id.as_str()));
        data.insert("url".to_owned(), json!(self.order.url));
        let entry = &self.order.entry;
        let account = self.house.catalog.keys().entry(entry).map(|it| it.account.clone());
        let entry = Some(entry.to_string());
        self.house.catalog.events().record(NewEvent { account, entry, kind, at: now(), data });
    }

    fn protocol(&self) -> By {
        let scheme = self.order.url.split(':').next();
        let protocol = ["rtmp", "rtmps", "srt"].into_iter().find(|it| scheme == Some(*it));
        By { protocol: protocol.unwrap_or("other") }
    }
}

/// Resolves when there may be something new in a session.
async fn changed(source: &dyn Source, entry: &EntryId, session: u64, view: &View) {
    let changes = view.presentation.renditions.iter().filter_map(|rendition| {
        let (_, version) = view.rendition(&rendition.name)?;
        Some(source.changed(entry.as_str(), Some(session), Viewer::Public, &rendition.name, version))
    });
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() {
        return std::future::pending().await;
    }
    select_all(changes).await;
}

fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all come back at once, and that is all.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
