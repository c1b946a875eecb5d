//! Taking up the recording in which a session goes on, or beginning one. Blocks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use archive::files::Files;
use archive::layout::INDEX;
use archive::recover::{self, Repairs};
use archive::{Contents, Policy, Roll, Writer};
use media::WallTime;

use crate::about::{About, Extent, State};
use crate::follow::Alive;
use crate::plan::{Mode, Plan, Settings};
use crate::register::Register;

/// What is to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub entry: Arc<str>,
    pub session: u64,
    pub mode: Mode,
    /// N of the first segment that is wanted.
    pub from: u64,
    /// N of the first that there is to have.
    pub first: u64,
    /// When that began.
    pub began: WallTime,
}

/// A recording that can be written to.
pub(crate) struct Opened {
    pub about: About,
    pub roll: Roll,
    pub alive: Alive,
    pub extent: Extent,
    pub repairs: Repairs,
    /// Those that were begun behind it since somebody looked.
    pub rolled: Rolled,
    /// One that should have gone on, and whose files are gone.
    pub gone: Option<About>,
}

/// Recordings that were begun because the one before became too long.
pub(crate) type Rolled = Arc<Mutex<Vec<About>>>;

/// Where recordings are begun.
#[derive(Clone)]
pub(crate) struct Place {
    pub files: Arc<dyn Files>,
    pub root: PathBuf,
    pub settings: Settings,
    pub plan: Arc<dyn Plan>,
    pub register: Arc<Register>,
}

/// A recording that is being taken up.
struct Start {
    about: About,
    extent: Extent,
    repairs: Repairs,
}

impl Place {
    pub fn folder(&self, entry: &str, id: &str) -> PathBuf {
        self.root.join(entry).join(id)
    }

    /// Opens the recording in which a session goes on.
    pub fn open(&self, order: &Order) -> Result<Opened, String> {
        let (known, gone) = self.continued(order);
        let start = match known {
            Some(about) => self.taken_up(about, order)?,
            None => {
                Start { about: self.begun(order)?, extent: Extent::default(), repairs: Repairs::default() }
            }
        };
        let Start { about, extent, repairs } = start;
        let writer = self.writer(&about)?;
        self.note(&about)?;
        let rolled = Rolled::default();
        let roll = Roll::new(writer, self.settings.max_length, self.opener(order, rolled.clone()));
        let roll = roll.recorded(extent.length);
        let (files, index) = (self.files.clone(), self.folder(&about.entry, &about.id).join(INDEX));
        let alive = Box::new(move || files.read(&index, 0, 1).is_ok());
        Ok(Opened { about, roll, alive, extent, repairs, rolled, gone })
    }

    /// The recording that goes on, if one does; or one that cannot, because its files are gone.
    fn continued(&self, order: &Order) -> (Option<About>, Option<About>) {
        let newest = self.register.newest(&order.entry);
        let goes_on = |about: &About| {
            let session = about.last_session == order.session || order.mode == Mode::Append;
            session && !about.closed && about.length < self.settings.max_length
        };
        let Some(about) = newest.filter(goes_on) else { return (None, None) };
        let index = self.folder(&about.entry, &about.id).join(INDEX);
        match self.files.read(&index, 0, 1) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, Some(about)),
            _ => (Some(about), None),
        }
    }

    fn taken_up(&self, about: About, order: &Order) -> Result<Start, String> {
        let folder = self.folder(&about.entry, &about.id);
        let recovered = recover::open(&*self.files, &folder).map_err(|error| error.to_string())?;
        let extent = Extent::of(&recovered.contents);
        let about = About { state: State::Open, ended: None, last_session: order.session, ..about };
        Ok(Start { about: about.with(&extent), extent, repairs: recovered.repairs })
    }

    fn begun(&self, order: &Order) -> Result<About, String> {
        Ok(About {
            entry: order.entry.clone(),
            id: self.plan.name().ok_or("there is no randomness for its name")?,
            state: State::Open,
            session: order.session,
            last_session: order.session,
            first: order.first.max(order.from),
            started: order.began,
            ended: None,
            bytes: 0,
            length: Duration::ZERO,
            paused: false,
            closed: false,
        })
    }

    fn writer(&self, about: &About) -> Result<Writer, String> {
        let folder = self.folder(&about.entry, &about.id);
        let store: Arc<str> = format!("{}/{}", about.entry, about.id).into();
        let wall = WallTime::from(SystemTime::now()).micros();
        let opened = Writer::open(self.files.clone(), &folder, store, self.policy(), Instant::now(), wall);
        opened.map(|(writer, _)| writer).map_err(|error| error.to_string())
    }

    fn policy(&self) -> Policy {
        // Where nobody knows how much there is, writing will tell.
        let total = self.files.space(&self.root).map_or(0, |space| space.total);
        Policy { sync: self.settings.sync, keep_free: self.settings.keep_free.bytes(total) }
    }

    /// Makes what is known of a recording last.
    pub fn note(&self, about: &About) -> Result<(), String> {
        let folder = self.folder(&about.entry, &about.id);
        about.write(&*self.files, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        self.register.put(about.clone());
        Ok(())
    }

    /// What the files of a recording hold.
    pub fn read(&self, about: &About) -> Option<Contents> {
        recover::read(&*self.files, &self.folder(&about.entry, &about.id)).ok()
    }

    fn opener(
        &self,
        order: &Order,
        rolled: Rolled,
    ) -> Box<dyn FnMut(u64) -> Result<Writer, recover::Error> + Send> {
        let (place, order) = (self.clone(), order.clone());
        Box::new(move |first| {
            let began = WallTime::from(SystemTime::now());
            let order = Order { first, from: first, began, ..order.clone() };
            let begun = place.begun(&order).and_then(|about| {
                let writer = place.writer(&about)?;
                place.note(&about).map(|()| (about, writer))
            });
            let (about, writer) = begun.map_err(|text| recover::Error::Io {
                path: place.root.join(&*order.entry),
                source: std::io::Error::other(text),
            })?;
            rolled.lock().unwrap_or_else(PoisonError::into_inner).push(about);
            Ok(writer)
        })
    }
}
