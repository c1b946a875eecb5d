//! A recording that follows one session of its stream.
//!
//! It looks at the newest snapshot, writes what is new, and looks again when a segment was closed or a round is over. It
//! blocks for as long as the file system does, so it belongs on threads for that: to hand each part to another thread would
//! cost more than to write it. While the file system is slow nobody waits but who records: what came meanwhile is in the
//! next snapshot. So there is no queue and no copy, and what a writer that falls behind costs is bounded by what the stream
//! keeps anyway.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use archive::{Cursor, Outcome, Roll, Step, Sync};
use futures_util::future::select_all;
use stream::{Found, Source, View, Viewer};
use tokio::sync::watch;

/// Whether a folder is still there is looked at so often at most.
const LOOK: Duration = Duration::from_secs(5);
/// Parts of segments that are being made are looked for so often, of all streams at the same moment, unless each is made
/// safe by itself: to wake for each costs more than to write it. Shorter than a part usually is, so that a process that
/// dies loses the open part at most.
const ROUND: Duration = Duration::from_millis(400);

/// From when rounds are counted.
static ROUNDS: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What a recording should do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Control {
    /// Record.
    #[default]
    Record,
    /// Let segments go by.
    Pause,
    /// Write down what is there, and end.
    Stop,
}

/// Why a recording follows no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The session is over.
    Session,
    /// [`Control::Stop`].
    Stopped,
    /// Its files are gone.
    Gone,
    /// The writer panicked, which is a bug.
    Panicked,
}

/// What was written at once.
#[derive(Debug)]
pub struct Written {
    /// What was new.
    pub steps: Vec<Step>,
    /// What came of it.
    pub outcomes: Vec<Outcome>,
    /// How long that took.
    pub took: Duration,
    /// What was wanted at that time.
    pub control: Control,
    /// Whether the recording before is still being written to, behind a roll.
    pub rolling: bool,
    /// Why the next recording could not be begun, where the last one became too long.
    pub failed: Option<String>,
    /// Why this was the last of it; then everything was made safe as far as that was possible.
    pub over: Option<Over>,
}

/// Looks whether the files are still there; may block.
pub type Alive = Box<dyn FnMut() -> bool + Send>;

/// Records what the public sees of one session of an entry.
pub struct Follower {
    source: Arc<dyn Source>,
    entry: Arc<str>,
    session: u64,
    cursor: Cursor,
    control: watch::Receiver<Control>,
    /// None behind the end.
    writing: Option<Writing>,
    seen: Option<Arc<View>>,
    begun: bool,
}

struct Writing {
    roll: Roll,
    alive: Alive,
    looked: Instant,
}

impl Follower {
    /// Follows `session`, from where `cursor` stands, until `control` says stop or is gone.
    pub fn new(
        source: Arc<dyn Source>,
        entry: Arc<str>,
        session: u64,
        (roll, alive): (Roll, Alive),
        cursor: Cursor,
        control: watch::Receiver<Control>,
    ) -> Follower {
        let writing = Some(Writing { roll, alive, looked: Instant::now() });
        Follower { source, entry, session, cursor, control, writing, seen: None, begun: false }
    }

    /// Writes what is new as soon as there is something; `None` behind the end.
    pub async fn next(&mut self) -> Option<Written> {
        self.writing.as_ref()?;
        if std::mem::replace(&mut self.begun, true) {
            self.news().await;
        }
        let wanted = match self.control.has_changed() {
            Ok(_) => *self.control.borrow_and_update(),
            Err(_) => Control::Stop,
        };
        self.seen = self.view();
        let steps = self.seen.as_ref().map(|view| self.cursor.follow(&view.presentation)).unwrap_or_default();
        let over = self.over(wanted);
        let writing = self.writing.take()?;
        // What was in the making is given up with the writer: nobody sees it half done.
        let written = catch_unwind(AssertUnwindSafe(move || writing.write(steps, wanted, over)));
        let Ok((writing, written)) = written else { return Some(Written::panicked(wanted)) };
        self.writing = writing;
        Some(written)
    }

    fn view(&self) -> Option<Arc<View>> {
        match self.source.find(&self.entry, Some(self.session), Viewer::Public) {
            Found::View(view) => Some(view),
            _ => None,
        }
    }

    fn over(&self, wanted: Control) -> Option<Over> {
        let goes_on = self.seen.as_ref().is_some_and(|view| !view.presentation.ended);
        match wanted {
            _ if !goes_on => Some(Over::Session),
            Control::Stop => Some(Over::Stopped),
            Control::Record | Control::Pause => None,
        }
    }

    /// Resolves when there may be something to do.
    async fn news(&mut self) {
        let deadline = self.writing.as_ref().and_then(|writing| writing.roll.deadline());
        let (source, entry, session) = (&*self.source, &*self.entry, self.session);
        let view = self.seen.as_ref();
        let each = self.writing.as_ref().is_some_and(|writing| writing.roll.sync_policy() == Sync::Part);
        let news = async {
            match view {
                Some(view) if each => changed(source, entry, session, view).await,
                Some(view) => closed(source, entry, session, view).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = news => {}
            () = due(deadline) => {}
            // One that is gone is looked at.
            _ = self.control.changed() => {}
        }
    }
}

impl Writing {
    fn write(mut self, steps: Vec<Step>, control: Control, over: Option<Over>) -> (Option<Writing>, Written) {
        let began = Instant::now();
        match control {
            Control::Record => self.roll.pause(false),
            Control::Pause => self.roll.pause(true),
            Control::Stop => {}
        }
        let mut outcomes = self.roll.take(&steps, began);
        if over.is_some() {
            // What could not be made safe was said to be lost.
            outcomes.extend(self.roll.finish(Instant::now()).unwrap_or_default());
        }
        let over = over.or_else(|| self.is_gone(began).then_some(Over::Gone));
        let rolling = over.is_none() && self.roll.is_rolling();
        let failed = self.roll.take_failure().map(|error| error.to_string());
        let written = Written { steps, outcomes, took: began.elapsed(), control, rolling, failed, over };
        (over.is_none().then_some(self), written)
    }

    fn is_gone(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.looked) < LOOK {
            return false;
        }
        self.looked = now;
        !(self.alive)()
    }
}

impl Written {
    fn panicked(control: Control) -> Written {
        let over = Some(Over::Panicked);
        Written {
            steps: Vec::new(),
            outcomes: Vec::new(),
            took: Duration::ZERO,
            control,
            rolling: false,
            failed: None,
            over,
        }
    }
}

/// Resolves when a segment was closed in a session, or a round is over.
async fn closed(source: &dyn Source, entry: &str, session: u64, view: &View) {
    let passed = ROUNDS.elapsed().as_micros() % ROUND.as_micros();
    let left = ROUND - Duration::from_micros(passed as u64);
    let closed = source.closed(entry, Some(session), Viewer::Public, view.whole());
    let _ = tokio::time::timeout(left, closed).await;
}

/// Resolves when there may be something new in a session.
async fn changed(source: &dyn Source, entry: &str, session: u64, view: &View) {
    let changes = view.presentation.renditions.iter().filter_map(|rendition| {
        let (_, version) = view.rendition(&rendition.name)?;
        Some(source.changed(entry, Some(session), Viewer::Public, &rendition.name, version))
    });
    let changes: Vec<_> = changes.collect();
    match changes.is_empty() {
        true => std::future::pending().await,
        false => {
            select_all(changes).await;
        }
    }
}

async fn due(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
