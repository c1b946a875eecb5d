//! A stream made by hand, and recordings of it on disk.
#![allow(dead_code)]

#[path = "../../../packager/tests/common/playlist.rs"]
pub mod playlist;
#[path = "../../../archive/tests/common/mod.rs"]
pub mod recording;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archive::files::{Disk, Files};
use archive::{Step, Sync};
use packager::manifest::{Options, dash, hls, smooth};
use packager::names::Resource;
use packager::{Numbers, Presentation, Settings};
use recording::publisher::{Publisher, START};
use recording::{Aired, record, writer};
use stream::{Air, Found, Source, View, Viewer};
use tempfile::TempDir;
use vod::{Entries, Library};

pub const ENTRY: &str = "0_k3x9p2ab";
pub const FIRST: &str = "rec_00000001";
pub const SECOND: &str = "rec_00000002";
/// What live playlists list: less than a session.
pub const WINDOW: Duration = Duration::from_secs(6);

/// What is live, as the test says.
#[derive(Default)]
pub struct Live(Mutex<(Vec<Arc<View>>, bool)>);

impl Live {
    /// These are there, newest first; the newest is what the bare URLs show.
    pub fn shows(&self, views: Vec<Arc<View>>) {
        *self.0.lock().expect("no panic") = (views, false);
    }

    /// A publisher is there, and nothing to play yet.
    pub fn starts(&self) {
        self.0.lock().expect("no panic").1 = true;
    }
}

impl Source for Live {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        let held = self.0.lock().expect("no panic");
        let (views, starting) = &*held;
        let mut seen = views.iter().filter(|view| view.is_for(viewer));
        if entry != ENTRY {
            return Found::Unknown;
        }
        let found = match session {
            None if *starting => return Found::Starting,
            None => seen.next(),
            Some(session) => seen.find(|view| view.presentation.session.id == session),
        };
        found.map_or(if session.is_some() { Found::Unknown } else { Found::Offline }, |view| {
            Found::View(view.clone())
        })
    }

    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        let held = self.0.lock().expect("no panic");
        held.0.iter().filter(|view| entry == ENTRY && view.is_for(viewer)).cloned().collect()
    }
}

/// The entries that there are.
pub struct Known(pub Mutex<Vec<&'static str>>);

impl Entries for Known {
    fn is_known(&self, entry: &str) -> bool {
        self.0.lock().expect("no panic").contains(&entry)
    }

    fn window(&self, _: &str) -> Duration {
        WINDOW
    }
}

/// A session: what was on air, snapshot and log.
pub struct Show {
    pub aired: Aired,
    pub ended: Presentation,
    pub numbers: Numbers,
}

impl Show {
    /// Some 20 s of pictures and sound, `at` ms after the start, over before the next one.
    pub fn first() -> Show {
        Show::after(Numbers::unknown(START), 0)
    }

    pub fn after(numbers: Numbers, at: i64) -> Show {
        let settings = Settings { window: WINDOW, ..Settings::default() };
        let mut publisher = Publisher::resuming(settings, numbers, false).both();
        publisher.live(at, 600, 30, 30, true);
        publisher.end();
        Show {
            aired: Aired::of(&publisher),
            ended: publisher.presentation().clone(),
            numbers: publisher.packager.numbers().clone(),
        }
    }

    pub fn id(&self) -> u64 {
        self.ended.session.id
    }

    /// As its viewers see it when it is over.
    pub fn over(&self) -> Arc<View> {
        Arc::new(View::new(Arc::new(self.ended.clone()), Air::Live, None))
    }

    /// As they see it while it is on: without its end.
    pub fn on(&self) -> Arc<View> {
        let mut presentation = Presentation::new(self.ended.session.clone(), START);
        for step in &self.aired.steps {
            match step {
                Step::Made(packager::Record::End) | Step::Session(_) | Step::Missed { .. } => {}
                Step::Made(record) => presentation.apply(record.clone(), START),
            }
        }
        Arc::new(View::new(Arc::new(presentation), Air::Live, None))
    }
}

/// A folder of recordings, a stream beside it, and the library of both.
pub struct House {
    pub root: TempDir,
    pub live: Arc<Live>,
    pub known: Arc<Known>,
    pub library: Library,
}

impl House {
    pub fn new() -> House {
        House::with(tempfile::tempdir().expect("a folder"), Arc::new(Disk), 1 << 20)
    }

    pub fn with(root: TempDir, files: Arc<dyn Files>, cache: u64) -> House {
        let (live, known) = (Arc::<Live>::default(), Arc::new(Known(Mutex::new(vec![ENTRY]))));
        let library = Library::open(files, root.path(), live.clone(), known.clone(), cache);
        House { library: library.expect("a library"), root, live, known }
    }

    /// The same after a restart, with nothing live.
    pub fn restarted(self) -> House {
        House::with(self.root, Arc::new(Disk), 1 << 20)
    }

    /// Records what was on air, behind what the recording has.
    pub fn record(&self, recording: &str, steps: &[Step]) {
        let folder = self.root.path().join(ENTRY).join(recording);
        let disk: Arc<dyn Files> = Arc::new(Disk);
        let mut writer = writer(&disk, Path::new(&folder), Sync::Segment);
        record(&mut writer, steps);
        writer.finish(std::time::Instant::now()).expect("written");
    }

    /// What a request finds.
    pub async fn find(&self, id: &str, session: Option<u64>, resource: &Resource) -> Found {
        self.library.prepare_for(id, session, resource).await;
        let playlist = matches!(resource, Resource::Playlist { .. });
        let bare = session.is_none() && playlist;
        let named = bare.then(|| self.library.newest_session(id, Viewer::Public)).flatten();
        self.library.find(id, session.or(named), Viewer::Public)
    }

    pub async fn view(&self, id: &str, session: Option<u64>, resource: &Resource) -> Arc<View> {
        match self.find(id, session, resource).await {
            Found::View(view) => view,
            found => panic!("{found:?} of {id} {session:?} {resource}"),
        }
    }

    pub async fn master(&self, id: &str) -> String {
        let view = self.view(id, None, &Resource::Multivariant).await;
        hls::multivariant(&view.presentation, &Options::default())
    }

    /// A media playlist as it is written.
    pub async fn text(&self, id: &str, session: Option<u64>, rendition: &str) -> String {
        let resource = Resource::Playlist { rendition: rendition.to_owned() };
        let view = self.view(id, session, &resource).await;
        let (rendition, _) = view.rendition(rendition).expect("a rendition");
        hls::media(&view.presentation, rendition, &Options { low_latency: false, ..Options::default() })
    }

    pub async fn mpd(&self, id: &str, session: Option<u64>) -> String {
        let view = self.view(id, session, &Resource::Mpd).await;
        let options = Options { pinned: session.is_some(), low_latency: false, ..Options::default() };
        dash::mpd(&view.presentation, &options)
    }

    pub async fn smooth(&self, id: &str) -> String {
        let view = self.view(id, None, &Resource::Smooth).await;
        smooth::manifest(&view.presentation, &Options::default()).expect("something to list")
    }

    /// Whether a segment can be fetched.
    pub async fn has(&self, id: &str, rendition: &str, number: u64) -> bool {
        let resource = Resource::Segment { rendition: rendition.to_owned(), number };
        self.library.prepare_for(id, None, &resource).await;
        let sessions = self.library.sessions(id, Viewer::Public);
        sessions.iter().any(|view| {
            let rendition = view.presentation.rendition(rendition);
            rendition.and_then(|it| it.listed(number)).is_some_and(|it| !it.is_gap())
        })
    }
}

/// The number by which playlists name a recording.
pub fn number(recording: &str) -> u64 {
    let digits = recording.strip_prefix("rec_").expect("an id");
    (1 << 52) + u64::from_str_radix(digits, 36).expect("base 36")
}

/// An attribute of the first element of that name.
pub fn attribute(document: &str, element: &str, name: &str) -> Option<String> {
    let document = roxmltree::Document::parse(document).expect("XML");
    let mut elements = document.descendants().filter(|node| node.tag_name().name() == element);
    elements.next()?.attribute(name).map(str::to_owned)
}
