//! To whom which stretch of a session is shown, in paused time and without sockets.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, MediaTime, Sample, Sync, Timescale, Track, TrackId, WallTime};
use packager::{Lookup, Numbers};
use stream::{
    Air, Directory, ForGood, Found, Grant, Input, Ledger, Leg, Peer, Protocol, Publication, Settings, Source,
    Timeline, View, Viewer,
};
use tokio::time::sleep;

#[derive(Default)]
struct Memory(Mutex<HashMap<String, Numbers>>);

impl Ledger for Memory {
    fn load(&self, entry: &str) -> io::Result<Option<Numbers>> {
        Ok(self.0.lock().expect("not poisoned").get(entry).cloned())
    }

    fn entries(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().expect("not poisoned").keys().cloned().collect())
    }

    fn store(&self, entry: &str, numbers: &Numbers) -> io::Result<()> {
        self.0.lock().expect("not poisoned").insert(entry.into(), numbers.clone());
        Ok(())
    }
}

/// A stream that is on, in paused time: media time is what was sent, wall time the machine's.
struct Stage {
    ledger: Arc<Memory>,
    directory: Directory,
    publication: Publication,
    second: i64,
}

impl Stage {
    async fn new(air: Air) -> Stage {
        let ledger = Arc::<Memory>::default();
        let directory = Directory::new(ledger.clone());
        let publication = publish(&directory, air).await;
        Stage { ledger, directory, publication, second: 0 }
    }

    /// 25 fps with a keyframe every two seconds.
    async fn send(&mut self, seconds: i64) {
        for frame in 0..seconds * 25 {
            let dts = self.second * 1000 + frame * 40;
            let sync = if dts % 2000 == 0 { Sync::Yes } else { Sync::No };
            let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data: vec![1; 10].into() };
            let input = Input::Sample { id: TrackId::VIDEO, sample };
            self.publication.send(input).await.expect("on air");
            sleep(Duration::from_millis(40)).await;
        }
        self.second += seconds;
    }

    fn find(&self, session: Option<u64>, viewer: Viewer) -> Found {
        self.directory.find("demo", session, viewer)
    }

    fn view(&self, session: Option<u64>, viewer: Viewer) -> Arc<View> {
        match self.find(session, viewer) {
            Found::View(view) => view,
            other => panic!("{other:?}"),
        }
    }

    fn timeline(&self, name: &str, viewer: Viewer) -> Option<u64> {
        self.directory.timeline("demo", name, viewer)
    }

    /// Whether the public can have a segment, or any part of it.
    fn is_public(&self, number: u64) -> bool {
        let can = |view: &Arc<View>| {
            let Some((video, _)) = view.rendition("video-1") else { return false };
            let part = matches!(video.part(number, 0), Lookup::Found(_));
            part || matches!(video.segment(number), Lookup::Found(_))
        };
        self.directory.sessions("demo", Viewer::Public).iter().any(can)
    }

    async fn show(&self, timelines: &[Timeline]) {
        self.directory.show_timelines("demo", timelines.into()).await;
    }
}

async fn publish(directory: &Directory, air: Air) -> Publication {
    let grant = Grant {
        entry: "demo".into(),
        leg: Leg::Primary,
        rendition: None,
        settings: Arc::new(Settings::default()),
        air,
        pass: Arc::new(ForGood),
    };
    let peer = Peer::new("192.0.2.1:1000".parse().expect("an address"), Protocol::Rtmp);
    let publication = directory.publish(grant, peer).await.expect("free");
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    publication.send(Input::Announce { video: true, audio: false }).await.expect("on air");
    let track = Track::new(codec, Timescale::MILLIS);
    publication.send(Input::Track { id: TrackId::VIDEO, track }).await.expect("on air");
    publication
}

fn id(view: &View) -> u64 {
    view.presentation.session.id
}

/// Numbers of the finished segments.
fn numbers(view: &View) -> Vec<u64> {
    let (video, _) = view.rendition("video-1").expect("video");
    video.shown().map(|segment| segment.number).collect()
}

#[tokio::test(start_paused = true)]
async fn going_live_leaves_the_preview_alone_and_begins_the_publics_with_the_next_segment() {
    let mut stage = Stage::new(Air::Preview).await;
    stage.send(9).await;
    let preview = stage.view(None, Viewer::Producer);
    let open = preview.rendition("video-1").expect("video").0.open.clone().expect("one is being made");
    stage.directory.switch("demo", Air::Live).await;
    assert!(matches!(stage.find(None, Viewer::Public), Found::Starting));
    assert_eq!(id(&stage.view(None, Viewer::Producer)), id(&preview), "the same session goes on");
    stage.send(4).await;
    let (live, behind) = (stage.view(None, Viewer::Public), stage.view(None, Viewer::Producer));
    assert_ne!(id(&live), id(&preview));
    assert_eq!(id(&behind), id(&preview));
    assert_eq!(numbers(&live)[0], open.number + 1, "3 s after the switch: the rest of a GOP, and one");
    assert_eq!(behind.presentation.spans.len(), 1, "no discontinuity for who watches the preview");
    for number in numbers(&preview)[0]..=open.number {
        assert!(!stage.is_public(number), "{number} was shown in preview");
    }
    assert!(numbers(&live).into_iter().all(|number| stage.is_public(number)));
    assert!(matches!(stage.find(Some(id(&preview)), Viewer::Public), Found::Unknown));
    assert!(numbers(&live).iter().all(|number| numbers(&behind).contains(number)), "one numbering");
    let of = |view: &Arc<View>| view.rendition("video-1").expect("video").0.shown().last().cloned();
    assert_eq!(of(&live).map(|it| it.period.clone()), of(&behind).map(|it| it.period.clone()));
}

#[tokio::test(start_paused = true)]
async fn taken_back_it_ends_for_the_public_at_once_and_begins_under_another_id() {
    let mut stage = Stage::new(Air::Live).await;
    stage.send(9).await;
    let first = stage.view(None, Viewer::Public);
    stage.directory.switch("demo", Air::Preview).await;
    let over = stage.view(Some(id(&first)), Viewer::Public);
    assert!(over.presentation.ended && numbers(&over) == numbers(&first));
    let seen = *numbers(&first).last().expect("some");
    stage.send(6).await;
    for number in seen + 1..=seen + 3 {
        assert!(!stage.is_public(number), "{number} was shown in preview");
    }
    assert!(stage.is_public(seen), "what was the public's stays so for a while");
    assert!(!stage.view(Some(id(&first)), Viewer::Producer).presentation.ended, "the session goes on");

    stage.directory.switch("demo", Air::Live).await;
    stage.send(6).await;
    let again = stage.view(None, Viewer::Public);
    assert!(id(&again) > id(&first) && numbers(&again)[0] > seen + 3);
    assert!(stage.view(Some(id(&first)), Viewer::Public).presentation.ended, "it stays over for its players");
    let (preview, ()) = (stage.view(None, Viewer::Producer), drop(again));
    assert_eq!(preview.presentation.spans.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn ids_of_timelines_are_used_by_nothing_else() {
    let mut stage = Stage::new(Air::Preview).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        stage.directory.switch("demo", Air::Live).await;
        stage.send(6).await;
        ids.push(id(&stage.view(None, Viewer::Public)));
        stage.directory.switch("demo", Air::Preview).await;
        stage.directory.disconnect("demo").await;
        stage.publication = publish(&stage.directory, Air::Preview).await;
        stage.send(6).await;
    }
    let whole = stage.view(None, Viewer::Producer);
    ids.push(id(&whole));
    stage.directory.end("demo").await;
    sleep(Duration::from_secs(5)).await;
    stage.publication = publish(&stage.directory, Air::Preview).await;
    stage.send(5).await;
    let next = stage.view(None, Viewer::Producer);
    assert_eq!(id(&next), next.presentation.spans[0].period.number, "a session is named by its first period");
    ids.push(id(&next));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "sessions and timelines have ids of their own");
    let periods: Vec<u64> = whole.presentation.spans.iter().map(|span| span.period.number).collect();
    assert!(
        periods.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no hole for a hint to fall into: {periods:?}"
    );
    let discontinuities: Vec<u64> =
        whole.presentation.spans.iter().map(|span| span.period.discontinuity).collect();
    assert!(discontinuities.windows(2).all(|pair| pair[1] == pair[0] + 1), "{discontinuities:?}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_follows_goes_on_with_what_the_public_saw() {
    let mut stage = Stage::new(Air::Preview).await;
    stage.send(5).await;
    stage.directory.switch("demo", Air::Live).await;
    stage.send(6).await;
    let before = stage.view(None, Viewer::Public);
    for (air, goes_on) in [(Air::Live, true), (Air::Preview, false)] {
        let directory = Directory::new(stage.ledger.clone());
        let settings = Arc::new(Settings::default());
        let restored = directory.restore(|_| Some((settings.clone(), air))).await.expect("readable");
        assert_eq!(restored, 1);
        let starting = matches!(directory.find("demo", Some(id(&before)), Viewer::Public), Found::Starting);
        assert_eq!(starting, goes_on, "{air:?}");
    }
    let directory = Directory::new(stage.ledger.clone());
    let settings = Arc::new(Settings::default());
    directory.restore(|_| Some((settings.clone(), Air::Live))).await.expect("readable");
    stage.publication = publish(&directory, Air::Live).await;
    stage.directory = directory;
    stage.send(5).await;
    let after = stage.view(Some(id(&before)), Viewer::Public);
    assert_eq!(id(&stage.view(None, Viewer::Public)), id(&before));
    assert!(numbers(&after)[0] > *numbers(&before).last().expect("some"));
    assert_eq!(after.presentation.origin, before.presentation.origin, "positions mean the same");
}

/// Who crashes while it is in preview, and is shown to everybody when it is back, shows nothing of before.
#[tokio::test(start_paused = true)]
async fn what_was_preview_when_the_process_died_does_not_become_public_with_a_restart() {
    let mut stage = Stage::new(Air::Live).await;
    stage.send(5).await;
    let session = id(&stage.view(None, Viewer::Public));
    stage.directory.switch("demo", Air::Preview).await;
    stage.send(5).await;
    let burnt = stage.ledger.load("demo").expect("readable").expect("stored").segment;
    let directory = Directory::new(stage.ledger.clone());
    let settings = Arc::new(Settings::default());
    directory.restore(|_| Some((settings.clone(), Air::Live))).await.expect("readable");
    stage.publication = publish(&directory, Air::Live).await;
    stage.directory = directory;
    stage.send(5).await;
    let live = stage.view(None, Viewer::Public);
    assert!(id(&live) != session && numbers(&live)[0] > burnt);
    assert!(live.presentation.session.burnt.is_none(), "nor is the number listed that was open in preview");
}

/// Wall time of media time, by the first period's clock.
fn wall(view: &View, seconds: i64) -> WallTime {
    let start = view.presentation.spans[0].period.start;
    start.plus(MediaTime::new(seconds * 1000, Timescale::MILLIS))
}

#[tokio::test(start_paused = true)]
async fn a_named_timeline_shows_what_lies_in_it_to_whom_it_is_for() {
    let mut stage = Stage::new(Air::Preview).await;
    stage.send(5).await;
    let preview = stage.view(None, Viewer::Producer);
    let timeline = |name: &str, from: i64, to: Option<i64>, air| Timeline {
        name: name.into(),
        start: wall(&preview, from),
        end: to.map(|to| wall(&preview, to)),
        air,
    };
    let show = timeline("show", 8, Some(14), Air::Live);
    let rehearsal = timeline("rehearsal", 1, None, Air::Preview);
    stage.show(&[show.clone(), rehearsal.clone()]).await;
    assert!(stage.timeline("rehearsal", Viewer::Producer).is_some());
    assert_eq!(stage.timeline("rehearsal", Viewer::Public), None);
    assert_eq!(stage.timeline("show", Viewer::Producer), None, "it has not begun");
    stage.send(7).await;
    let named = stage.timeline("show", Viewer::Public).expect("it has begun");
    let first = numbers(&preview)[0];
    let shown = stage.view(Some(named), Viewer::Public);
    assert_eq!(numbers(&shown)[0], first + 4, "the segment of the eighth second");
    assert!(matches!(stage.find(None, Viewer::Public), Found::Offline), "bare it is the public timeline");
    assert!(!stage.is_public(first + 3) && stage.is_public(first + 4));
    stage.send(8).await;
    let over = stage.view(Some(named), Viewer::Public);
    assert!(over.presentation.ended);
    assert_eq!(numbers(&over), [first + 4, first + 5, first + 6]);
    assert!(!stage.is_public(first + 7));

    let earlier = Timeline { start: wall(&preview, 4), end: None, ..show };
    stage.show(std::slice::from_ref(&earlier)).await;
    assert!(matches!(stage.find(Some(named), Viewer::Public), Found::Unknown), "it is another one now");
    let again = stage.timeline("show", Viewer::Public).expect("it has begun");
    assert_eq!(numbers(&stage.view(Some(again), Viewer::Public))[0], first + 2);
    stage.show(&[Timeline { air: Air::Preview, ..earlier }]).await;
    assert!(matches!(stage.find(Some(again), Viewer::Public), Found::Unknown));
    assert!(stage.directory.sessions("demo", Viewer::Public).is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_public_hears_when_it_begins_and_ends() {
    let mut stage = Stage::new(Air::Preview).await;
    stage.send(5).await;
    stage.directory.switch("demo", Air::Live).await;
    let directory = stage.directory.clone();
    let started = tokio::spawn(async move { directory.started("demo", None, Viewer::Public).await });
    stage.send(4).await;
    started.await.expect("told");
    let view = stage.view(None, Viewer::Public);
    let (directory, session) = (stage.directory.clone(), id(&view));
    let (_, seen) = view.rendition("video-1").expect("video");
    let waiting = tokio::spawn(async move {
        directory.changed("demo", Some(session), Viewer::Public, "video-1", seen).await;
    });
    tokio::task::yield_now().await;
    stage.directory.switch("demo", Air::Preview).await;
    tokio::time::timeout(Duration::from_secs(1), waiting).await.expect("at once").expect("told");
    assert!(stage.view(Some(session), Viewer::Public).presentation.ended);
}
