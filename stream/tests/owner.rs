//! What publishers and readers see of a stream, in paused time and without sockets.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::Numbers;
use stream::ledger::Forgetful;
use stream::{
    Air, Directory, Ended, Event, ForGood, Found, Grant, History, Input, Ledger, Leg, Pass, Peer, Protocol,
    Publication, Refusal, Settings, Source, Takeover, View, Viewer, What,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const HERE: &str = "192.0.2.1:1000";
const THERE: &str = "192.0.2.2:2000";

#[derive(Default)]
struct Memory {
    numbers: Mutex<HashMap<String, Numbers>>,
    /// How many times something was stored.
    stored: AtomicUsize,
    broken: bool,
    /// While this is true nothing gets through.
    held: (Mutex<bool>, Condvar),
}

impl Memory {
    fn hold(&self, held: bool) {
        *self.held.0.lock().expect("not poisoned") = held;
        self.held.1.notify_all();
    }
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
        let held = self.held.0.lock().expect("not poisoned");
        drop(self.held.1.wait_while(held, |held| *held).expect("not poisoned"));
        self.stored.fetch_add(1, Ordering::Relaxed);
        self.numbers.lock().expect("not poisoned").insert(entry.into(), numbers.clone());
        Ok(())
    }
}

async fn publish(directory: &Directory, from: &str, settings: Settings) -> Result<Publication, Refusal> {
    directory.publish(grant("demo", settings), peer(from)).await
}

fn grant(entry: &str, settings: Settings) -> Grant {
    Grant {
        entry: entry.into(),
        leg: Leg::Primary,
        rendition: None,
        settings: Arc::new(settings),
        air: Air::Live,
        pass: Arc::new(ForGood),
    }
}

fn peer(from: &str) -> Peer {
    Peer::new(from.parse().expect("an address"), Protocol::Rtmp)
}

async fn restore(directory: &Directory, settings: Settings) -> io::Result<usize> {
    let settings = Arc::new(settings);
    directory.restore(|_| Some((settings.clone(), Air::Live))).await
}

/// Sends video at 25 fps with a keyframe every two seconds, as it would arrive live.
async fn send(publication: &Publication, from_second: i64, seconds: i64) -> Result<(), Ended> {
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    publication.send(Input::Announce { video: true, audio: false }).await?;
    let track = Track::new(codec, Timescale::MILLIS);
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
    match directory.find("demo", session, Viewer::Public) {
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
    assert!(matches!(directory.find("demo", None, Viewer::Public), Found::Unknown));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    assert!(matches!(directory.find("demo", None, Viewer::Public), Found::Starting));
    send(&publication, 0, 5).await.expect("on air");
    let live = view(&directory, None);
    let session = live.presentation.session.id;
    assert!(!live.presentation.ended);
    assert_eq!(view(&directory, Some(session)).version, live.version);
    assert!(matches!(directory.find("demo", Some(session + 1), Viewer::Public), Found::Unknown));

    drop(publication);
    sleep(Duration::from_secs(29)).await;
    assert!(!view(&directory, None).presentation.ended, "it may still come back");
    sleep(Duration::from_secs(2)).await;
    assert!(view(&directory, None).presentation.ended);
    assert!(view(&directory, Some(session)).presentation.ended);

    sleep(Duration::from_secs(3601)).await;
    assert!(
        matches!(directory.find("demo", None, Viewer::Public), Found::Unknown),
        "its memory is given back"
    );
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
    assert_eq!(directory.sessions("demo", Viewer::Public).len(), 2);
    send(&publication, 5, 61).await.expect("on air");
    let session = first.presentation.session.id;
    assert!(
        matches!(directory.find("demo", Some(session), Viewer::Public), Found::Unknown),
        "not kept for ever"
    );
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
    directory.shutdown(Duration::ZERO).await;
    assert_eq!(publication.ended().await, Ended::ShuttingDown);
    assert!(!view(&directory, None).presentation.ended, "players are answered through the drain");
    let refused = publish(&directory, HERE, Settings::default()).await.expect_err("closing");
    assert_eq!(refused, Refusal::ShuttingDown);

    let directory = Directory::new(ledger.clone());
    let restored = restore(&directory, Settings::default()).await.expect("readable");
    assert_eq!(restored, 1);
    let session = before.presentation.session.id;
    assert!(matches!(directory.find("demo", None, Viewer::Public), Found::Starting));
    assert!(matches!(directory.find("demo", Some(session), Viewer::Public), Found::Starting));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, Some(session));
    let first = *after.rendition("video-1").expect("video").0.segments.keys().next().expect("one");
    // The open segment was closed in time, so nothing is burnt.
    assert_eq!((first, after.presentation.session.burnt), (newest(&before) + 2, None));
    assert_eq!(after.presentation.session.target_duration, before.presentation.session.target_duration);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_when_asked_stays_on_air_until_he_did_or_his_time_is_over() {
    const GRACE: Duration = Duration::from_secs(5);
    for (leaves_after, seconds) in [(Some(3), 3), (None, 5)] {
        // It may not even wait for its encoder, and does not end all the same.
        let settings = Settings { reconnect: Duration::ZERO, ..Settings::default() };
        let directory = Directory::new(Arc::new(Memory::default()));
        let asked = publish(&directory, HERE, settings.clone()).await.expect("free");
        asked.leaves_when_asked();
        let small = Grant { rendition: Some("360p".into()), ..grant("demo", settings.clone()) };
        let beside = directory.publish(small, peer(HERE)).await.expect("another rendition");
        let other = directory.publish(grant("other", settings.clone()), peer(HERE)).await.expect("free");
        send(&asked, 0, 3).await.expect("on air");
        let (before, since) = (newest(&view(&directory, None)), Instant::now());
        let closing = tokio::spawn({
            let directory = directory.clone();
            async move { directory.shutdown(GRACE).await }
        });
        assert_eq!(other.ended().await, Ended::ShuttingDown, "at once");
        assert_eq!(beside.ended().await, Ended::ShuttingDown, "at once");
        drop((other, beside));
        assert_eq!(since.elapsed(), Duration::ZERO);
        assert_eq!(publish(&directory, THERE, settings).await.expect_err("closing"), Refusal::ShuttingDown);
        match leaves_after {
            Some(seconds) => {
                send(&asked, 3, seconds).await.expect("still on air");
                drop(asked);
            }
            None => assert_eq!(send(&asked, 3, 60).await, Err(Ended::ShuttingDown)),
        }
        closing.await.expect("no panic");
        assert_eq!(since.elapsed().as_secs(), seconds, "leaves after {leaves_after:?}");
        let after = view(&directory, None);
        assert!(newest(&after) > before, "what came then is on air");
        assert!(!after.presentation.ended);
    }
}

/// What was on air when it was asked last, as if a recording had it.
struct Remembered(Mutex<Option<packager::Presentation>>);

impl History for Remembered {
    fn session(&self, entry: &str, session: u64) -> Option<packager::Presentation> {
        let known = self.0.lock().expect("not poisoned").clone();
        known.filter(|known| entry == "demo" && known.session.id == session)
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_players_go_on_with_what_was_on_air() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    // The process dies here.
    let before = view(&directory, None);
    let stored = ledger.load("demo").expect("readable");
    let ledger = Arc::new(Memory::default());
    ledger.store("demo", &stored.expect("stored")).expect("stored");
    let history = Remembered(Mutex::new(Some((*before.presentation).clone())));
    let directory = Directory::with_history(ledger, Arc::new(history));
    let mut events = directory.events();
    assert_eq!(restore(&directory, Settings::default()).await.expect("readable"), 1);
    let session = before.presentation.session.id;
    let waiting = view(&directory, Some(session));
    assert_eq!(newest(&waiting), newest(&before), "before the encoder is back");
    assert!(events.try_recv().is_err(), "nobody publishes: nothing is live");
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, Some(session));
    let numbers = |view: &View| -> Vec<u64> {
        let (video, _) = view.rendition("video-1").expect("video");
        video.shown().map(|segment| segment.number).collect()
    };
    assert!(numbers(&after).starts_with(&numbers(&before)));
    assert!(numbers(&after).windows(2).all(|pair| pair[0] + 1 == pair[1]), "the burnt one is a gap");
    assert_eq!(after.presentation.spans[0], before.presentation.spans[0]);
    assert_eq!(after.presentation.spans.len(), 2);
}

/// The ledger failed from the second segment on, the recording did not.
#[tokio::test(start_paused = true)]
async fn numbers_that_a_recording_knows_and_the_ledger_does_not_are_not_given_again() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 3).await.expect("on air");
    let stored = ledger.load("demo").expect("readable").expect("stored");
    send(&publication, 3, 4).await.expect("on air");
    let before = view(&directory, None);
    assert!(newest(&before) > stored.segment);
    let ledger = Arc::new(Memory::default());
    ledger.store("demo", &stored).expect("stored");
    let history = Remembered(Mutex::new(Some((*before.presentation).clone())));
    let directory = Directory::with_history(ledger, Arc::new(history));
    restore(&directory, Settings::default()).await.expect("readable");
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let after = view(&directory, Some(before.presentation.session.id));
    let came_back = after.presentation.spans.last().expect("two").first;
    assert!(came_back > newest(&before) + 1, "nor that of the segment that was being made");
    let numbers: Vec<u64> =
        after.rendition("video-1").expect("video").0.shown().map(|it| it.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    assert_eq!(after.presentation.spans[0], before.presentation.spans[0]);
}

#[tokio::test]
async fn a_clean_end_waits_for_a_disk_that_is_slow() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 1).await.expect("on air");
    ledger.hold(true);
    send(&publication, 1, 3).await.expect("live goes on");
    let end = async {
        assert_eq!(publication.ended().await, Ended::ShuttingDown);
        ledger.hold(false);
    };
    tokio::join!(directory.shutdown(Duration::ZERO), end);
    let stored = ledger.load("demo").expect("readable").expect("stored");
    assert!(stored.closed, "the next start is not that after a crash: {stored:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_encoder_stays_away_after_a_restart_ends_with_what_was_on_air() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let before = view(&directory, None);
    directory.shutdown(Duration::ZERO).await;
    let history = Remembered(Mutex::new(Some((*before.presentation).clone())));
    let directory = Directory::with_history(ledger, Arc::new(history));
    restore(&directory, Settings::default()).await.expect("readable");
    assert!(!view(&directory, None).presentation.ended);
    sleep(Duration::from_secs(31)).await;
    let after = view(&directory, None);
    assert!(after.presentation.ended);
    assert_eq!(newest(&after), newest(&before));
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
    assert_eq!(restore(&directory, settings.clone()).await.expect("readable"), 0);
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
        let Found::View(view) = directory.find("demo", None, Viewer::Public) else {
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

/// A file for each picture would cost more than everything else that a stream does.
#[tokio::test(start_paused = true)]
async fn numbers_are_stored_with_segments_and_not_with_pictures() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 4).await.expect("on air");
    let before = (newest(&view(&directory, None)), ledger.stored.load(Ordering::Relaxed));
    send(&publication, 4, 20).await.expect("on air");
    let segments = newest(&view(&directory, None)) - before.0;
    let stored = ledger.stored.load(Ordering::Relaxed) - before.1;
    assert!(segments >= 9 && stored as u64 <= 2 * segments, "{stored} times for {segments} segments");
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
    directory.started("demo", None, Viewer::Public).await;
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    let waiter = directory.clone();
    let waiting = tokio::spawn(async move {
        waiter.started("demo", None, Viewer::Public).await;
        waiter.find("demo", None, Viewer::Public)
    });
    send(&publication, 0, 1).await.expect("on air");
    assert!(!waiting.is_finished());
    send(&publication, 1, 4).await.expect("on air");
    assert!(matches!(waiting.await.expect("no panic"), Found::View(_)));

    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    drop(publication);
    directory.started("demo", None, Viewer::Public).await;
    assert!(
        matches!(directory.find("demo", None, Viewer::Public), Found::Unknown),
        "it never came to anything"
    );
}

/// No configuration allows it: adding it to a clock is a panic, in the owner, once there is something to play.
fn breaking() -> Settings {
    Settings { keep_ended: Duration::MAX, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_panics_ends_its_stream_alone() {
    let directory = Directory::new(Arc::new(Memory::default()));
    let other = grant("other", Settings::default());
    let bystander = directory.publish(other, peer(HERE)).await.expect("free");
    send(&bystander, 0, 5).await.expect("on air");
    let publication = publish(&directory, THERE, breaking()).await.expect("free");
    assert_eq!(send(&publication, 0, 9).await, Err(Ended::Failed));
    assert_eq!(publication.ended().await, Ended::Failed);
    send(&bystander, 5, 5).await.expect("still on air");
    assert!(matches!(directory.find("other", None, Viewer::Public), Found::View(_)));
}

#[tokio::test(start_paused = true)]
async fn after_a_panic_players_wait_for_the_publisher_and_numbers_go_on() {
    let ledger = Arc::new(Memory::default());
    let directory = Directory::new(ledger.clone());
    let publication = publish(&directory, HERE, breaking()).await.expect("free");
    assert_eq!(send(&publication, 0, 9).await, Err(Ended::Failed));
    sleep(Duration::from_secs(1)).await;
    assert!(
        matches!(directory.find("demo", None, Viewer::Public), Found::Starting),
        "the publisher is expected back"
    );
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
        while !matches!(directory.find("demo", None, Viewer::Public), Found::Unknown) {
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

/// Of which sessions something can be seen, by whom.
fn seen(directory: &Directory, viewer: Viewer) -> &'static str {
    match directory.find("demo", None, viewer) {
        Found::View(view) if view.presentation.ended => "ended",
        Found::View(_) => "live",
        Found::Starting => "starting",
        Found::Offline | Found::Unknown => "nothing",
    }
}

/// What was told since the last look, in a word each.
fn told(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<&'static str> {
    let mut words = Vec::new();
    while let Ok(event) = events.try_recv() {
        words.push(match event.what {
            What::PublishStarted { .. } => "started",
            What::PublishStopped { .. } => "stopped",
            What::PublishRefused { .. } => "refused",
            What::Preview => "preview",
            What::Live => "live",
            What::Ended => "ended",
            What::Health { verdict, .. } => verdict.as_str(),
        });
    }
    words
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_in_preview_never_is_the_publics() {
    let directory = Directory::new(Arc::new(Forgetful));
    let mut events = directory.events();
    let preview = Grant { air: Air::Preview, ..grant("demo", Settings::default()) };
    let publication = directory.publish(preview, peer(HERE)).await.expect("free");
    assert_eq!(seen(&directory, Viewer::Public), "nothing");
    send(&publication, 0, 5).await.expect("on air");
    assert_eq!([seen(&directory, Viewer::Producer), seen(&directory, Viewer::Public)], ["live", "nothing"]);
    assert!(directory.sessions("demo", Viewer::Public).is_empty());
    let first = directory.report("demo").expect("on").session.expect("one");
    assert!(matches!(directory.find("demo", Some(first), Viewer::Public), Found::Unknown));
    assert_eq!(told(&mut events), ["started", "preview"]);

    directory.switch("demo", Air::Live).await;
    assert_eq!(seen(&directory, Viewer::Public), "starting", "the publisher stays on");
    send(&publication, 5, 5).await.expect("still on air");
    let live = view(&directory, None);
    assert!(live.presentation.session.id > first);
    assert!(matches!(directory.find("demo", Some(first), Viewer::Public), Found::Unknown));
    assert!(matches!(directory.find("demo", Some(first), Viewer::Producer), Found::View(_)));
    assert_eq!(told(&mut events), ["live"]);

    directory.switch("demo", Air::Preview).await;
    send(&publication, 10, 5).await.expect("still on air");
    assert_eq!([seen(&directory, Viewer::Producer), seen(&directory, Viewer::Public)], ["live", "ended"]);
    assert_eq!(view(&directory, None).presentation.session.id, live.presentation.session.id);
    assert_eq!(directory.sessions("demo", Viewer::Public).len(), 1);
    assert_eq!(told(&mut events), ["ended", "preview"], "the public's show is over");
}

#[tokio::test(start_paused = true)]
async fn switching_to_what_it_is_changes_nothing() {
    let directory = Directory::new(Arc::new(Forgetful));
    directory.switch("demo", Air::Live).await;
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    let before = view(&directory, None).version;
    directory.switch("demo", Air::Live).await;
    assert_eq!(view(&directory, None).version, before);
}

#[tokio::test(start_paused = true)]
async fn end_is_the_end_and_its_encoder_does_not_begin_the_next_by_itself() {
    let directory = Directory::new(Arc::new(Forgetful));
    assert!(!directory.end("demo").await, "there is nothing to end");
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    assert!(directory.end("demo").await);
    assert_eq!(publication.ended().await, Ended::Finished);
    assert!(view(&directory, None).presentation.ended);
    assert!(!directory.end("demo").await, "it has ended");

    for _ in 0..3 {
        sleep(Duration::from_secs(2)).await;
        assert_eq!(publish(&directory, HERE, Settings::default()).await.err(), Some(Refusal::Ended));
    }
    sleep(Duration::from_secs(3)).await;
    let publication = publish(&directory, HERE, Settings::default()).await.expect("it is another show");
    send(&publication, 0, 5).await.expect("on air");
    assert!(!view(&directory, None).presentation.ended);
}

#[tokio::test(start_paused = true)]
async fn who_is_disconnected_may_come_back() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    assert!(directory.disconnect("demo").await);
    assert_eq!(publication.ended().await, Ended::Disconnected);
    assert!(!directory.disconnect("demo").await, "nobody is on");
    let report = directory.report("demo").expect("known");
    assert!(report.legs.is_empty());
    assert_eq!(report.last.map(|last| last.reason), Some(Ended::Disconnected.to_string()));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    assert_eq!(view(&directory, None).presentation.spans.len(), 2, "the same session");
}

/// A pass that ends when it is told to.
#[derive(Debug, Default)]
struct Revocable(Mutex<Option<Ended>>);

impl Pass for Revocable {
    fn check(&self) -> Option<Ended> {
        self.0.lock().expect("not poisoned").clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_ends_takes_its_publisher_off_the_air() {
    for (why, waits) in [(Ended::KeyChanged, true), (Ended::TimeOver, false)] {
        let directory = Directory::new(Arc::new(Forgetful));
        let pass = Arc::new(Revocable::default());
        let grant = Grant { pass: pass.clone(), ..grant("demo", Settings::default()) };
        let publication = directory.publish(grant, peer(HERE)).await.expect("free");
        send(&publication, 0, 5).await.expect("on air");
        directory.recheck(None).await;
        assert_eq!(directory.report("demo").expect("known").legs.len(), 1);
        *pass.0.lock().expect("not poisoned") = Some(why.clone());
        directory.recheck(Some("other")).await;
        assert_eq!(directory.report("demo").expect("known").legs.len(), 1);
        directory.recheck(Some("demo")).await;
        assert_eq!(publication.ended().await, why);
        assert_eq!(seen(&directory, Viewer::Public) == "live", waits, "{why}");
        assert_eq!(Arc::strong_count(&pass), 1, "it is dropped when the publisher is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_entry_is_deleted_is_gone_at_once() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 5).await.expect("on air");
    directory.remove("demo").await;
    assert_eq!(publication.ended().await, Ended::Deleted);
    assert!(matches!(directory.find("demo", None, Viewer::Producer), Found::Unknown));
    assert_eq!(directory.report("demo"), None);
    directory.remove("demo").await;
}

#[tokio::test(start_paused = true)]
async fn why_a_publisher_left_is_told() {
    let directory = Directory::new(Arc::new(Forgetful));
    let mut events = directory.events();
    publish(&directory, HERE, Settings::default()).await.expect("free").leave("connection lost");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(told(&mut events), ["started", "stopped"], "nothing was playable, so nothing ended");
    let last = directory.report("demo").and_then(|report| report.last).expect("somebody was on");
    assert_eq!((last.reason.as_str(), last.peer), ("connection lost", peer(HERE).address));
}

#[tokio::test(start_paused = true)]
async fn the_health_of_a_publisher_is_told_when_it_becomes_something_else() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    let mut events = directory.events();
    directory.examine();
    assert!(told(&mut events).is_empty(), "too little was seen yet");
    send(&publication, 0, 8).await.expect("on air");
    directory.examine();
    assert_eq!(told(&mut events).last(), Some(&"ready"));
    let report = directory.report("demo").expect("on");
    assert_eq!(report.legs[0].health.tracks[0].frame_rate, Some(25.0));
    send(&publication, 8, 2).await.expect("on air");
    directory.examine();
    assert!(told(&mut events).is_empty(), "nothing new");
    sleep(Duration::from_secs(9)).await;
    directory.examine();
    assert_eq!(told(&mut events), ["not_ready"], "it sends nothing any more");
}

/// Waits in a task of its own for another version of a rendition than the newest.
fn wait_for_news(directory: &Directory, rendition: &'static str) -> JoinHandle<()> {
    let (_, seen) = view(directory, None).rendition(rendition).expect("it is there");
    let directory = directory.clone();
    tokio::spawn(async move { directory.changed("demo", None, Viewer::Public, rendition, seen).await })
}

/// Lets every task run as far as it can: paused time passes when none has anything to do.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

/// An audio frame of 21 1/3 ms at 48 kHz.
async fn send_audio(publication: &Publication, frames: std::ops::Range<i64>) {
    for frame in frames {
        let dts = frame * 64 / 3;
        let sample =
            Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data: vec![2; 4].into() };
        publication.send(Input::Sample { id: TrackId::AUDIO, sample }).await.expect("on air");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_rendition_hears_of_no_other() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("48 kHz stereo");
    let track = Track::new(Codec::Aac(aac), Timescale::MILLIS);
    publication.send(Input::Track { id: TrackId::AUDIO, track }).await.expect("on air");
    send_audio(&publication, 0..90).await;
    send(&publication, 0, 2).await.expect("on air");
    send_audio(&publication, 90..130).await;
    send(&publication, 2, 1).await.expect("on air");
    settle().await;
    let (video, audio) = (wait_for_news(&directory, "video-1"), wait_for_news(&directory, "audio-1"));
    settle().await;
    assert!(!video.is_finished() && !audio.is_finished(), "nothing is new");
    send_audio(&publication, 130..170).await;
    settle().await;
    assert!(audio.is_finished(), "a part of audio");
    assert!(!video.is_finished(), "and none of video");
    drop(publication);
    settle().await;
    assert!(video.is_finished(), "the open segment was closed");
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_the_end_and_of_a_stream_that_is_gone() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, HERE, Settings::default()).await.expect("free");
    send(&publication, 0, 4).await.expect("on air");
    drop(publication);
    sleep(Duration::from_secs(1)).await;
    let waiting = wait_for_news(&directory, "video-1");
    sleep(Duration::from_secs(28)).await;
    assert!(!waiting.is_finished(), "it may still come back");
    sleep(Duration::from_secs(2)).await;
    assert!(waiting.is_finished() && view(&directory, None).presentation.ended);

    let waiting = wait_for_news(&directory, "video-1");
    settle().await;
    assert!(!waiting.is_finished());
    directory.remove("demo").await;
    settle().await;
    assert!(waiting.is_finished(), "there is nothing more to wait for");
    let of_nothing = directory.changed("none", None, Viewer::Public, "video-1", 1);
    tokio::time::timeout(Duration::from_secs(1), of_nothing).await.expect("nor of what never was");
}
