//! What publishers and readers see of a stream, in paused time and without sockets.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::Numbers;
use stream::ledger::Forgetful;
use stream::{
    Directory, Ended, Found, Grant, Input, Ledger, Leg, Publication, Refusal, Settings, Source, Takeover,
    View,
};
use tokio::time::sleep;

const HERE: &str = "192.0.2.1:1000";
const THERE: &str = "192.0.2.2:2000";

#[derive(Default)]
struct Memory {
    numbers: Mutex<HashMap<String, Numbers>>,
    broken: bool,
}

impl Ledger for Memory {
    fn load(&self, entry: &str) -> io::Result<Option<Numbers>> {
        Ok(self.numbers.lock().expect("not poisoned").get(entry).cloned())
    }

    fn entries(&self) -> io::Result<Vec<String>> {
        Ok(self.numbers.lock().expect("not poisoned").keys().cloned().collect())
    }

    fn store(&self, entry: &str, numbers: &Numbers) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("no space left"));
        }
        self.numbers.lock().expect("not poisoned").insert(entry.into(), numbers.clone());
        Ok(())
    }
}

async fn publish(directory: &Directory, from: &str, settings: Settings) -> Result<Publication, Refusal> {
    let peer: SocketAddr = from.parse().expect("an address");
    let grant =
        Grant { entry: "demo".into(), leg: Leg::Primary, rendition: None, settings: Arc::new(settings) };
    directory.publish(grant, peer).await
}

/// Sends video at 25 fps with a keyframe every two seconds, as it would arrive live.
async fn send(publication: &Publication, from_second: i64, seconds: i64) -> Result<(), Ended> {
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    publication.send(Input::Announce { video: true, audio: false }).await?;
    let track = Track { codec, timescale: Timescale::MILLIS };
    publication.send(Input::Track { id: TrackId::VIDEO, track }).await?;
    for frame in 0..seconds * 25 {
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        let dts = from_second * 1000 + frame * 40;
        let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data: vec![1; 10].into() };
        publication.send(Input::Sample { id: TrackId::VIDEO, sample }).await?;
        sleep(Duration::from_millis(40)).await;
    }
    Ok(())
}

fn view(directory: &Directory, session: Option<u64>) -> Arc<View> {
    match directory.find("demo", session) {
        Found::View(view) => view,
        other => panic!("{other:?}"),
    }
}

fn newest(view: &View) -> u64 {
    let (video, _) = view.rendition("video-1").expect("video");
    video.last().expect("a segment").number
}

#[tokio::test(start_paused = true)]
async fn a_stream_starts_plays_waits_and_ends() {
    let directory = Directory::new(Arc::new(Forgetful));
    assert!(matches!(directory.find("demo", None), Found::Unknown));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    assert!(matches!(directory.find("demo", None), Found::Starting));
    send(&publication, 0, 5).await.expect("on air");
    let live = view(&directory, None);
    let session = live.presentation.session.id;
    assert!(!live.presentation.ended);
    assert_eq!(view(&directory, Some(session)).version, live.version);
    assert!(matches!(directory.find("demo", Some(session + 1)), Found::Unknown));

    drop(publication);
    sleep(Duration::from_secs(29)).await;
    assert!(!view(&directory, None).presentation.ended, "it may still come back");
    sleep(Duration::from_secs(2)).await;
    assert!(view(&directory, None).presentation.ended);
    assert!(view(&directory, Some(session)).presentation.ended);

    sleep(Duration::from_secs(3601)).await;
    assert!(matches!(directory.find("demo", None), Found::Unknown), "its memory is given back");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_comes_back_in_time_continues_the_session() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let before = view(&directory, None);
    drop(publication);
    sleep(Duration::from_secs(10)).await;
    let publication = publish(&directory, THERE, Settings::default()).await.expect("nobody is on");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, None);
    assert_eq!(after.presentation.session, before.presentation.session);
    assert!(newest(&after) > newest(&before));
    assert_eq!(after.presentation.spans.len(), 2, "one discontinuity");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_goes_live_again_keeps_its_last_session_for_who_still_watches_it() {
    let directory = Directory::new(Arc::new(Forgetful));
    let (reconnect, keep_ended) = (Duration::from_secs(3), Duration::from_secs(60));
    let settings = Settings { reconnect, keep_ended, ..Settings::default() };
    let publication = publish(&directory, HERE, settings.clone()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    drop(publication);
    sleep(Duration::from_secs(4)).await;
    let first = view(&directory, None);
    assert!(first.presentation.ended);

    let publication = publish(&directory, HERE, settings).await.expect("free");
    assert_eq!(view(&directory, None).version, first.version, "until there is something newer to play");
    send(&publication, 0, 5).await.expect("on air");
    let second = view(&directory, None);
    assert!(second.presentation.session.id > first.presentation.session.id);
    assert!(newest(&second) > newest(&first));
    let old = view(&directory, Some(first.presentation.session.id));
    assert_eq!(old.version, first.version);
    assert_eq!(directory.sessions("demo").len(), 2);
    send(&publication, 5, 61).await.expect("on air");
    let session = first.presentation.session.id;
    assert!(matches!(directory.find("demo", Some(session)), Found::Unknown), "not kept for ever");
}

#[tokio::test(start_paused = true)]
async fn with_stale_a_healthy_incumbent_stays_and_a_silent_one_gives_way() {
    let directory = Directory::new(Arc::new(Forgetful));
    let incumbent = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&incumbent, 0, 1).await.expect("on air");
    let refused = publish(&directory, THERE, Settings::default()).await.expect_err("it is healthy");
    assert_eq!(refused, Refusal::Busy { incumbent: HERE.parse().expect("an address") });

    sleep(Duration::from_millis(1001)).await;
    let newcomer = publish(&directory, THERE, Settings::default()).await.expect("the incumbent is silent");
    assert_eq!(incumbent.ended().await, Ended::TakenOver);
    assert_eq!(send(&incumbent, 2, 1).await, Err(Ended::TakenOver));
    send(&newcomer, 0, 1).await.expect("on air");

    let same = publish(&directory, "192.0.2.2:3000", Settings::default()).await.expect("the same address");
    assert_eq!(newcomer.ended().await, Ended::TakenOver);
    drop(same);
}

#[tokio::test(start_paused = true)]
async fn always_and_never_are_what_they_say() {
    for (takeover, lets_in) in [(Takeover::Always, true), (Takeover::Never, false)] {
        let directory = Directory::new(Arc::new(Forgetful));
        let settings = Settings { takeover, ..Settings::default() };
        let incumbent = publish(&directory, HERE, settings.clone()).await.expect("free");
        send(&incumbent, 0, 1).await.expect("on air");
        sleep(Duration::from_secs(5)).await;
        let newcomer = publish(&directory, HERE, settings).await;
        assert_eq!(newcomer.is_ok(), lets_in, "{takeover:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_inside_the_reconnect_window_is_not_the_end_of_the_show() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let before = view(&directory, None);
    directory.shutdown().await;
    assert_eq!(publication.ended().await, Ended::ShuttingDown);
    assert!(!view(&directory, None).presentation.ended, "players are answered through the drain");
    let refused = publish(&directory, HERE, Settings::default()).await.expect_err("closing");
    assert_eq!(refused, Refusal::ShuttingDown);

    let directory = Directory::new(ledger.clone());
    let restored = directory.restore(&Arc::new(Settings::default())).await.expect("readable");
    assert_eq!(restored, 1);
    let session = before.presentation.session.id;
    assert!(matches!(directory.find("demo", None), Found::Starting));
    assert!(matches!(directory.find("demo", Some(session)), Found::Starting));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, Some(session));
    let first = *after.rendition("video-1").expect("video").0.segments.keys().next().expect("one");
    // The open segment was closed in time, so nothing is burnt.
    assert_eq!((first, after.presentation.session.burnt), (newest(&before) + 2, None));
    assert_eq!(after.presentation.session.target_duration, before.presentation.session.target_duration);
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_not_taken_up_again() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let settings = Settings { reconnect: Duration::from_secs(1), ..Settings::default() };
    let publication = publish(&directory, HERE, settings.clone()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let before = view(&directory, None);
    drop(publication);
    sleep(Duration::from_secs(2)).await;
    let directory = Directory::new(ledger);
    assert_eq!(directory.restore(&Arc::new(settings.clone())).await.expect("readable"), 0);
    let publication = publish(&directory, HERE, settings).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, None);
    assert!(after.presentation.session.id > before.presentation.session.id);
    assert!(newest(&after) > newest(&before), "numbers go on all the same");
}

#[tokio::test(start_paused = true)]
async fn numbers_are_stored_before_they_can_be_seen() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    let sender = tokio::spawn(async move { send(&publication, 0, 9).await });
    let mut seen = 0;
    while !sender.is_finished() {
        sleep(Duration::from_millis(7)).await;
        let Found::View(view) = directory.find("demo", None) else {
            continue;
        };
        let (video, _) = view.rendition("video-1").expect("video");
        let visible = video.open.as_ref().map_or(newest(&view), |open| open.number);
        let period = view.presentation.spans.last().expect("one").period.number;
        let stored = ledger.load("demo").expect("readable").expect("stored");
        assert!(stored.segment >= visible && stored.period >= period, "{visible} before {stored:?}");
        seen = visible;
    }
    assert!(seen > 0);
}

#[tokio::test(start_paused = true)]
async fn live_survives_the_loss_of_the_ledger() {
    let directory = Directory::new(Arc::new(Memory { broken: true, ..Memory::default() }));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 9).await.expect("on air");
    assert!(view(&directory, None).presentation.playable());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_start_hears_of_it() {
    let directory = Directory::new(Arc::new(Forgetful));
    directory.started("demo", None).await;
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    let waiter = directory.clone();
    let waiting = tokio::spawn(async move {
        waiter.started("demo", None).await;
        waiter.find("demo", None)
    });
    send(&publication, 0, 1).await.expect("on air");
    assert!(!waiting.is_finished());
    send(&publication, 1, 4).await.expect("on air");
    assert!(matches!(waiting.await.expect("no panic"), Found::View(_)));

    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    drop(publication);
    directory.started("demo", None).await;
    assert!(matches!(directory.find("demo", None), Found::Unknown), "it never came to anything");
}

/// No configuration allows it: adding it to a clock is a panic, in the owner, once there is something to play.
fn breaking() -> Settings {
    Settings { keep_ended: Duration::MAX, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_panics_ends_its_stream_alone() {
    let directory = Directory::new(Arc::new(Memory::default()));
    let other = Grant {
        entry: "other".into(),
        leg: Leg::Primary,
        rendition: None,
        settings: Arc::new(Settings::default()),
    };
    let bystander = directory.publish(other, HERE.parse().expect("an address")).await.expect("free");
    send(&bystander, 0, 5).await.expect("on air");
    let publication = publish(&directory, THERE, breaking()).await.expect("free");
    assert_eq!(send(&publication, 0, 9).await, Err(Ended::Failed));
    assert_eq!(publication.ended().await, Ended::Failed);
    send(&bystander, 5, 5).await.expect("still on air");
    assert!(matches!(directory.find("other", None), Found::View(_)));
}

#[tokio::test(start_paused = true)]
async fn after_a_panic_players_wait_for_the_publisher_and_numbers_go_on() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, breaking()).await.expect("free");
    assert_eq!(send(&publication, 0, 9).await, Err(Ended::Failed));
    sleep(Duration::from_secs(1)).await;
    assert!(matches!(directory.find("demo", None), Found::Starting), "the publisher is expected back");
    let burnt = ledger.load("demo").expect("readable").expect("stored");

    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let back = view(&directory, Some(burnt.session));
    let first = *back.rendition("video-1").expect("video").0.segments.keys().next().expect("one");
    assert_eq!((first, back.presentation.session.burnt), (burnt.segment + 1, Some(burnt.segment)));
}

/// The end of the session panics too, and the wall clock says then that the publisher is not expected any more.
#[tokio::test(start_paused = true)]
async fn after_a_panic_nobody_waits_for_ever() {
    let directory = Directory::new(Arc::new(Memory::default()));
    let settings = Settings { reconnect: Duration::from_secs(1), ..breaking() };
    let publication = publish(&directory, HERE, settings).await.expect("free");
    assert_eq!(send(&publication, 0, 9).await, Err(Ended::Failed));
    tokio::time::resume();
    let gone = async {
        while !matches!(directory.find("demo", None), Found::Unknown) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("let go");
}

#[tokio::test(start_paused = true)]
async fn two_who_want_the_same_entry_do_not_push_each_other_out_all_the_time() {
    let directory = Directory::new(Arc::new(Forgetful));
    let mut incumbent = publish(&directory, HERE, Settings::default()).await.expect("free");
    let mut switches = 0;
    for second in 0..60 {
        send(&incumbent, second, 1).await.expect("on air");
        match publish(&directory, HERE, Settings::default()).await {
            Ok(newcomer) => {
                switches += 1;
                incumbent = newcomer;
            }
            Err(refused) => assert!(matches!(refused, Refusal::Busy { .. }), "{refused}"),
        }
    }
    assert_eq!(switches, 1);
    sleep(Duration::from_millis(1001)).await;
    publish(&directory, HERE, Settings::default()).await.expect("one that is silent gives way all the same");
}
