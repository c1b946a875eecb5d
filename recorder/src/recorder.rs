//! The recorder: which entries it looks after, and what it can be asked.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use archive::files::Files;
use packager::presentation::Stored;
use stream::{Directory, Event, Found, Quiet, Source, View, Viewer, What};
use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::about::About;
use crate::follow::Control;
use crate::metrics::Metrics;
use crate::plan::{Plan, Settings};
use crate::register::{self, Recovered, Register};
use crate::status::{Activity, Status};
use crate::tend;
use crate::told::{BACKLOG, Told};

/// How long somebody who starts or stops a recording waits for it to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hears which segments of an entry can be read from their files: rendition, N, where.
pub type Settle = Box<dyn Fn(&str, Vec<(Arc<str>, u64, Stored)>) + Send + Sync>;

/// Records what is on air. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Recorder(Arc<House>);

/// What cannot be asked of the recorder now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The public sees nothing that could be recorded.
    #[error("the entry is not live: there is nothing to record")]
    NotOnAir,
    /// It is recorded.
    #[error("it is being recorded already")]
    Recording,
    /// It is not recorded.
    #[error("it is not being recorded")]
    Off,
    /// It is paused.
    #[error("the recording is paused already")]
    Paused,
    /// It is not paused.
    #[error("the recording is not paused")]
    NotPaused,
}

/// What tasks share.
pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) root: PathBuf,
    pub(crate) directory: Directory,
    pub(crate) plan: Arc<dyn Plan>,
    pub(crate) settle: Settle,
    pub(crate) register: Arc<Register>,
    pub(crate) metrics: Metrics,
    pub(crate) quiet: Quiet,
    told: broadcast::Sender<Told>,
    slots: Mutex<HashMap<Arc<str>, Slot>>,
    stopping: AtomicBool,
    tasks: TaskTracker,
    threads: OnceLock<Handle>,
}

/// An entry that was on air since the start.
pub(crate) struct Slot {
    /// What the task is to do with the recording.
    pub(crate) control: watch::Sender<Control>,
    pub(crate) status: Arc<watch::Sender<Status>>,
    /// Whether there is a task.
    running: bool,
    /// The task is to look again before it leaves.
    pub(crate) again: bool,
    /// Somebody wants it recorded from now on, whatever the plan says.
    pub(crate) forced: bool,
    /// What comes later is to be a recording of its own.
    pub(crate) close: bool,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            control: watch::Sender::new(Control::Record),
            status: Arc::new(watch::Sender::new(Status::default())),
            running: false,
            again: false,
            forced: false,
            close: false,
        }
    }
}

impl Recorder {
    /// A recorder of what is in `directory`, below the folder `root`.
    pub fn new(
        settings: Settings,
        files: Arc<dyn Files>,
        root: PathBuf,
        directory: Directory,
        plan: Arc<dyn Plan>,
        settle: Settle,
    ) -> Recorder {
        Recorder(Arc::new(House {
            settings,
            files,
            root,
            directory,
            plan,
            settle,
            register: Arc::default(),
            metrics: Metrics::default(),
            quiet: Quiet::default(),
            told: broadcast::Sender::new(BACKLOG),
            slots: Mutex::default(),
            stopping: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            threads: OnceLock::new(),
        }))
    }

    /// Writes on these threads, which it blocks for as long as the file system does. To be said once, before
    /// [`run`](Recorder::run); unsaid, it blocks whatever runs it.
    pub fn writes_on(&self, threads: Handle) {
        let _ = self.0.threads.set(threads);
    }

    /// Reads which recordings there are, and takes up those that were open when a process died. Blocks, and comes before
    /// [`run`](Recorder::run) and before anything is served.
    pub fn recover(&self) -> io::Result<Recovered> {
        register::load(&self.0.register, &*self.0.files, &self.0.root)
    }

    /// Records whatever is on air, until told to stop. Recordings that are under way go on until
    /// [`finish`](Recorder::finish).
    pub async fn run(self, stop: CancellationToken) {
        let mut events = self.0.directory.events();
        self.look_at_all();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Event { entry: Some(entry), what: What::Live | What::Ended, .. }) => self.look(&entry),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => self.look_at_all(),
                    Err(RecvError::Closed) => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }

    /// Ends all recordings as they are, and returns when everything is in its files. For a server that stops, once its
    /// streams have closed their segments.
    pub async fn finish(&self) {
        self.0.stopping.store(true, Ordering::Release);
        for slot in self.0.slots().values() {
            slot.control.send_replace(Control::Stop);
        }
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Tells what happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Told> {
        self.0.told.subscribe()
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Where recordings lie: each in `ENTRY/RECORDING` below it.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// The recordings of an entry, the oldest first.
    pub fn of(&self, entry: &str) -> Vec<About> {
        self.0.register.of(entry)
    }

    /// All recordings there are.
    pub fn all(&self) -> Vec<About> {
        self.0.register.all()
    }

    /// Forgets a recording whose files somebody removes, and tells, also where it was hidden before. `false` where it is
    /// being written.
    pub fn removed(&self, entry: &str, recording: &str) -> bool {
        if self.is_written(entry, recording) {
            return false;
        }
        self.0.register.remove(entry, recording);
        self.0.tell(Told::Removed { entry: entry.into(), recording: recording.into() });
        true
    }

    /// Forgets one whose files stay, because clips are made of it, and tells. Not while it is being written.
    pub fn hidden(&self, entry: &str, recording: &str) {
        if !self.is_written(entry, recording) && self.0.register.remove(entry, recording) {
            self.0.tell(Told::Hidden { entry: entry.into(), recording: recording.into() });
        }
    }

    fn is_written(&self, entry: &str, recording: &str) -> bool {
        let busy = self.status(entry);
        busy.activity != Activity::Off && busy.recording.as_deref() == Some(recording)
    }

    /// What is done for an entry.
    pub fn status(&self, entry: &str) -> Status {
        let known = self.0.slots().get(entry).map(|slot| slot.status.borrow().clone());
        known.filter(|status| *status != Status::default()).unwrap_or_else(|| self.at_rest(entry))
    }

    fn at_rest(&self, entry: &str) -> Status {
        let newest = self.0.register.newest(entry);
        newest.map_or_else(Status::default, |about| Status {
            recording: Some(about.id),
            bytes: about.bytes,
            length: about.length,
            ..Status::default()
        })
    }

    /// Records an entry from the segment on that is on air now, whatever its mode.
    pub async fn start(&self, entry: &str) -> Result<(), Refused> {
        let on = self.0.view(entry).is_some_and(|view| !view.presentation.ended);
        if !on || self.0.is_stopping() {
            return Err(Refused::NotOnAir);
        }
        let entry: Arc<str> = entry.into();
        let status = {
            let mut slots = self.0.slots();
            let slot = slots.entry(entry.clone()).or_default();
            if slot.running && slot.status.borrow().activity != Activity::Off {
                return Err(Refused::Recording);
            }
            slot.forced = true;
            slot.again = true;
            slot.status.subscribe()
        };
        self.spawn(&entry);
        wait(status, |status| status.activity != Activity::Off).await;
        Ok(())
    }

    /// Lets segments go by, from the next one on.
    pub fn pause(&self, entry: &str) -> Result<(), Refused> {
        self.control(entry, |slot, activity| match activity {
            Activity::Off => Err(Refused::Off),
            Activity::Paused => Err(Refused::Paused),
            Activity::Recording | Activity::Failed => {
                slot.control.send_replace(Control::Pause);
                slot.status.send_modify(|status| status.activity = Activity::Paused);
                Ok(())
            }
        })
    }

    /// Records again, from the next segment on.
    pub fn resume(&self, entry: &str) -> Result<(), Refused> {
        self.control(entry, |slot, activity| match activity {
            Activity::Off => Err(Refused::Off),
            Activity::Recording | Activity::Failed => Err(Refused::NotPaused),
            Activity::Paused => {
                slot.control.send_replace(Control::Record);
                slot.status.send_modify(|status| status.activity = Activity::Recording);
                Ok(())
            }
        })
    }

    /// Ends the recording; the rest of the session is not recorded unless somebody starts it again. With `close`, what
    /// comes later is not recorded behind it, but in a new recording.
    pub async fn stop(&self, entry: &str, close: bool) -> Result<(), Refused> {
        let mut status = None;
        self.control(entry, |slot, activity| match activity {
            Activity::Off => Err(Refused::Off),
            _ => {
                slot.close = close;
                slot.control.send_replace(Control::Stop);
                status = Some(slot.status.subscribe());
                Ok(())
            }
        })?;
        if let Some(status) = status {
            wait(status, |status| status.activity == Activity::Off).await;
        }
        Ok(())
    }

    fn control(
        &self,
        entry: &str,
        change: impl FnOnce(&mut Slot, Activity) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut slots = self.0.slots();
        let slot = slots.get_mut(entry).filter(|slot| slot.running).ok_or(Refused::Off)?;
        let activity = slot.status.borrow().activity;
        change(slot, activity)
    }

    fn look_at_all(&self) {
        for status in self.0.directory.status() {
            self.look(&status.entry);
        }
    }

    /// Something may have become of the stream of an entry.
    fn look(&self, entry: &Arc<str>) {
        let known = {
            let mut slots = self.0.slots();
            slots.get_mut(entry).map(|slot| {
                slot.again = true;
                slot.control.send_modify(|_| ());
            })
        };
        if known.is_some() || self.0.view(entry).is_some() {
            self.spawn(entry);
        }
    }

    /// Starts the task of an entry, unless there is one.
    fn spawn(&self, entry: &Arc<str>) {
        let mut slots = self.0.slots();
        let slot = slots.entry(entry.clone()).or_default();
        if self.0.is_stopping() || std::mem::replace(&mut slot.running, true) {
            return;
        }
        let task = tend::run(self.0.clone(), entry.clone());
        match self.0.threads.get() {
            Some(threads) => self.0.tasks.spawn_on(task, threads),
            None => self.0.tasks.spawn(task),
        };
    }
}

impl House {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What the public sees of an entry now.
    pub(crate) fn view(&self, entry: &str) -> Option<Arc<View>> {
        match self.directory.find(entry, None, Viewer::Public) {
            Found::View(view) => Some(view),
            _ => None,
        }
    }

    pub(crate) fn tell(&self, told: Told) {
        // Nobody listens: nothing to tell.
        let _ = self.told.send(told);
    }

    pub(crate) fn with_slot<T>(&self, entry: &Arc<str>, change: impl FnOnce(&mut Slot) -> T) -> T {
        change(self.slots().entry(entry.clone()).or_default())
    }

    /// The task of an entry has nothing to do. Says whether that is so still.
    pub(crate) fn leave(&self, entry: &Arc<str>) -> bool {
        self.with_slot(entry, |slot| {
            let stays = !self.is_stopping() && slot.again;
            slot.running = stays;
            !stays
        })
    }

    // Plain fields, whole at every step.
    fn slots(&self) -> MutexGuard<'_, HashMap<Arc<str>, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait(mut status: watch::Receiver<Status>, done: impl FnMut(&Status) -> bool) {
    // A disk that is slow is waited for no longer; what was asked for is done all the same.
    let _ = timeout(PATIENCE, status.wait_for(done)).await;
}
