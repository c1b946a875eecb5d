//! Where in a recording a time is, for the control API: looked up in its index.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use archive::files::Disk;
use archive::reading::{self, Options};
use archive::recover;
use control_api::{ClipSource, Cut, Cutting, Uncut};
use packager::Presentation;
use packager::presentation::Segment;
use packager::window::{Asked, Missing, Window};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// What is not recorded yet is waited for so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(250);

/// Recordings on this machine's disk.
pub(crate) struct Clipper {
    root: PathBuf,
}

impl Clipper {
    /// Recordings below `root`.
    pub(crate) fn new(root: PathBuf) -> Clipper {
        Clipper { root }
    }

    async fn cut(&self, source: ClipSource<'_>, asked: &[Asked]) -> Result<Vec<Cut>, (usize, Uncut)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let presentation = self.read(source).await.map_err(|why| (0, why))?;
            let cuts =
                (0..).zip(asked).map(|(at, asked)| cut(&presentation, *asked).map_err(|why| (at, why)));
            match cuts.collect() {
                Err((_, Uncut::NotYet)) if Instant::now() < deadline => sleep(LOOK).await,
                done => return done,
            }
        }
    }

    async fn read(&self, source: ClipSource<'_>) -> Result<Presentation, Uncut> {
        let folder = self.root.join(source.entry.as_str()).join(source.recording.as_str());
        let options = Options { ended: !source.grows, partial: false };
        let read = spawn_blocking(move || read(&folder, options)).await;
        read.unwrap_or_else(|error| Err(Uncut::Unreadable(error.to_string())))
    }
}

impl control_api::Clipper for Clipper {
    fn cut<'a>(&'a self, source: ClipSource<'a>, asked: Vec<Asked>) -> Cutting<'a> {
        Box::pin(async move { self.cut(source, &asked).await })
    }
}

fn read(folder: &Path, options: Options) -> Result<Presentation, Uncut> {
    let contents = recover::read(&Disk, folder).map_err(|error| Uncut::Unreadable(error.to_string()))?;
    // Names of files are of no interest here.
    let shown = reading::presentation(&contents, &Arc::from(""), options);
    shown.ok_or(if options.ended { Uncut::Outside } else { Uncut::NotYet })
}

/// The segments between two points; without an end, up to the newest.
fn cut(presentation: &Presentation, asked: Asked) -> Result<Cut, Uncut> {
    let window = presentation.window(asked).map_err(|missing| why(missing, presentation))?;
    let newest = presentation.renditions.iter().filter_map(|it| it.last()).map(|it| it.number).max();
    let last = match (window.is_closed(), asked.end) {
        (true, _) => window.bounds().last,
        (false, None) => newest.ok_or(Uncut::NotYet)?,
        (false, Some(_)) => return Err(Uncut::NotYet),
    };
    placed(presentation, &window, last).ok_or(Uncut::Outside)
}

fn placed(presentation: &Presentation, window: &Window, last: u64) -> Option<Cut> {
    let first = window.bounds().first;
    let listed = |number| presentation.renditions.iter().find_map(|it| it.listed(number));
    let since = |micros: i64| micros - i64::try_from(presentation.origin.as_micros()).unwrap_or(i64::MAX);
    let start = since(listed(first).map(|it: &Arc<Segment>| it.position())?);
    Some(Cut { first, last, start, end: since(listed(last)?.end_position()) })
}

fn why(missing: Missing, presentation: &Presentation) -> Uncut {
    match missing {
        Missing::Empty => Uncut::Empty,
        Missing::NotYet if !presentation.ended => Uncut::NotYet,
        Missing::NotYet | Missing::Gone => Uncut::Outside,
    }
}
