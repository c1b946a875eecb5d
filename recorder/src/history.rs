//! What recordings have of a session that goes on after a restart.

use std::path::PathBuf;
use std::sync::Arc;

use archive::files::Files;
use archive::recover::{self, is_estimated};
use archive::{Contents, reading};
use packager::Presentation;
use stream::History;

use crate::about::About;
use crate::register;

/// Recordings of one session that are read at most, the newest: a recording is as long as a day.
const RECORDINGS: usize = 16;

/// What was on air, out of the recordings below a folder. Those that were open when a process died have been taken up
/// before it is asked ([`Recorder::recover`](crate::Recorder::recover)).
pub struct Aired {
    files: Arc<dyn Files>,
    root: PathBuf,
}

impl Aired {
    /// What lies below `root`.
    pub fn new(files: Arc<dyn Files>, root: PathBuf) -> Aired {
        Aired { files, root }
    }

    /// The recordings in which something of a session can be, oldest first.
    fn recordings(&self, entry: &str, session: u64) -> Vec<About> {
        let folder = self.root.join(entry);
        let names = register::folders(&folder, register::is_name).unwrap_or_default();
        let entry: Arc<str> = entry.into();
        let about = |id: &Arc<str>| About::read(&*self.files, &folder.join(&**id), &entry, id).ok().flatten();
        let known = names.iter().filter_map(about);
        // A session's names are never used twice and grow, and so do those of its timelines.
        let mut known: Vec<About> = known.filter(|about| about.last_session >= session).collect();
        known.sort_by_key(|about| about.first);
        known.split_off(known.len().saturating_sub(RECORDINGS))
    }

    /// What one holds. Where times are estimated they are not those that were on air.
    fn read(&self, about: &About) -> Option<(Contents, Arc<str>)> {
        let store: Arc<str> = format!("{}/{}", about.entry, about.id).into();
        let contents = recover::read(&*self.files, &self.root.join(&*store)).ok()?;
        (!is_estimated(&contents)).then_some((contents, store))
    }
}

impl History for Aired {
    fn session(&self, entry: &str, session: u64) -> Option<Presentation> {
        if !packager::names::is_entry_id(entry) {
            return None;
        }
        let read: Vec<_> =
            self.recordings(entry, session).iter().filter_map(|about| self.read(about)).collect();
        let read: Vec<_> = read.iter().map(|(contents, store)| (contents, store)).collect();
        reading::aired(&read, session)
    }
}
