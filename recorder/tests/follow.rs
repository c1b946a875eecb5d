//! A recording follows its stream.

#[path = "../../archive/tests/common/mod.rs"]
mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::files::Files;
use archive::{Cursor, Outcome, Roll, Sync, integrity, recover};
use common::faulty::Faulty;
use common::publisher::Publisher;
use common::{Aired, writer};
use futures_util::future::BoxFuture;
use packager::{Presentation, Settings};
use recorder::{Alive, Control, Follower, Over};
use stream::{Air, Found, Source, View, Viewer};
use tokio::sync::{mpsc, watch};

const FOLDER: &str = "r";

/// A source whose one session grows when told to.
struct Growing {
    view: std::sync::Mutex<Option<Arc<View>>>,
    bell: tokio::sync::Notify,
}

impl Growing {
    fn show(&self, presentation: &Presentation) {
        let mut view = self.view.lock().expect("no test panics with it");
        let next = View::new(Arc::new(presentation.clone()), Air::Live, view.as_deref());
        *view = Some(Arc::new(next));
        self.bell.notify_waiters();
        self.bell.notify_one();
    }
}

impl Source for Growing {
    fn find(&self, _: &str, _: Option<u64>, _: Viewer) -> Found {
        let view = self.view.lock().expect("no test panics with it").clone();
        view.map_or(Found::Starting, Found::View)
    }

    fn started<'a>(&'a self, _: &'a str, _: Option<u64>, _: Viewer) -> BoxFuture<'a, ()> {
        Box::pin(self.bell.notified())
    }

    fn changed<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            loop {
                let bell = self.bell.notified();
                let view = self.view.lock().expect("no test panics with it").clone();
                let now =
                    view.as_ref().and_then(|view| view.rendition(rendition).map(|(_, version)| version));
                if now != Some(seen) {
                    return;
                }
                bell.await;
            }
        })
    }
}

#[tokio::test]
async fn a_recording_follows_its_stream_until_it_is_stopped() {
    let faulty = Faulty::default();
    let files: Arc<dyn Files> = Arc::new(faulty.clone());
    let source = Arc::new(Growing { view: Default::default(), bell: Default::default() });
    let (control, controlled) = watch::channel(Control::Record);
    let (told, mut hears) = mpsc::channel(64);
    let never = Box::new(|_| panic!("too short to roll"));
    let roll = Roll::new(writer(&files, Path::new(FOLDER), Sync::Part), Duration::from_secs(3600), never);
    let session = Publisher::new(Settings::default()).packager.numbers().session;
    let (writing, cursor) = ((roll, Box::new(|| true) as Alive), Cursor::default());
    let mut follower = Follower::new(source.clone(), "demo".into(), session, writing, cursor, controlled);
    let following = tokio::spawn(async move {
        let mut over = None;
        while let Some(written) = follower.next().await {
            over = written.over;
            told.send(written.outcomes).await.expect("somebody listens");
        }
        over
    });
    let mut publisher = Publisher::new(Settings::default()).both();
    for second in 0..12i64 {
        publisher.live(second * 1000, 30, 30, 30, true);
        if let Some(presentation) = publisher.packager.presentation() {
            source.show(presentation);
            tokio::task::yield_now().await;
        }
    }
    publisher.end();
    source.show(publisher.presentation());
    let aired = Aired::of(&publisher);
    let mut stored = 0;
    while stored < aired.segments.len() {
        let outcomes = hears.recv().await.expect("it goes on");
        stored += outcomes.iter().filter(|it| matches!(it, Outcome::Stored { .. })).count();
    }
    drop(control);
    assert_eq!(following.await.expect("no panic"), Some(Over::Session));
    let contents = recover::read(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    aired.check_bytes(&faulty, Path::new(FOLDER), &contents);
    assert!(integrity::report(&contents).is_complete());
    assert!(contents.sessions[0].ended);
}
