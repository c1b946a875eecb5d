//! Several publishers of one entry, one for each rendition: who may enter, who goes, and what is told of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use stream::ledger::Forgetful;
use stream::{
    Air, Directory, Ended, ForGood, Found, Grant, Input, Leg, Pass, Peer, Protocol, Publication, Refusal,
    Settings, Source, State, View, Viewer, What,
};
use tokio::time::sleep;

const HERE: &str = "192.0.2.1:1000";
const THERE: &str = "192.0.2.2:2000";

fn grant(rendition: Option<&str>, settings: Settings) -> Grant {
    Grant {
        entry: "demo".into(),
        leg: Leg::Primary,
        rendition: rendition.map(str::to_owned),
        settings: Arc::new(settings),
        air: Air::Live,
        pass: Arc::new(ForGood),
    }
}

fn peer(from: &str) -> Peer {
    Peer::new(from.parse().expect("an address"), Protocol::Rtmp)
}

async fn publish(directory: &Directory, rendition: &str, from: &str) -> Result<Publication, Refusal> {
    directory.publish(grant(Some(rendition), Settings::default()), peer(from)).await
}

/// Sends video at 25 fps with a keyframe every two seconds to all at once, as it would arrive live; `late` has its
/// keyframes 1.2 s after the others.
async fn send(publications: &[&Publication], from: i64, seconds: i64, late: Option<usize>) {
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    let track = Track::new(codec, Timescale::MILLIS);
    for publication in publications {
        publication.send(Input::Announce { video: true, audio: false }).await.expect("on");
        publication.send(Input::Track { id: TrackId::VIDEO, track: track.clone() }).await.expect("on");
    }
    for frame in 0..seconds * 25 {
        for (at, publication) in publications.iter().enumerate() {
            let phase = if late == Some(at) { 30 } else { 0 };
            let sync = if frame % 50 == phase { Sync::Yes } else { Sync::No };
            let dts = from * 1000 + frame * 40;
            let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data: vec![1; 10].into() };
            publication.send(Input::Sample { id: TrackId::VIDEO, sample }).await.expect("on");
        }
        sleep(Duration::from_millis(40)).await;
    }
}

fn view(directory: &Directory) -> Arc<View> {
    match directory.find("demo", None, Viewer::Public) {
        Found::View(view) => view,
        other => panic!("{other:?}"),
    }
}

fn on(directory: &Directory) -> Vec<Option<String>> {
    let report = directory.report("demo").expect("known");
    report.legs.iter().map(|leg| leg.rendition.as_deref().map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn several_publishers_make_one_switching_set_and_go_one_by_one() {
    let directory = Directory::new(Arc::new(Forgetful));
    let high = publish(&directory, "1080p", HERE).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("another rendition");
    let plain =
        directory.publish(grant(None, Settings::default()), peer(HERE)).await.expect("without a name");
    send(&[&high, &low, &plain], 0, 9, None).await;
    let made = view(&directory);
    for name in ["video-1080p", "video-720p", "video-1"] {
        assert!(made.rendition(name).is_some_and(|(rendition, _)| rendition.alive()), "{name}");
    }
    assert_eq!(on(&directory), [Some("1080p".into()), Some("720p".into()), None]);

    high.leave("done");
    send(&[&low, &plain], 9, 8, None).await;
    assert_eq!(on(&directory), [Some("720p".into()), None]);
    let report = directory.report("demo").expect("known");
    assert_eq!(report.state, State::Publishing, "as long as any is on");
    let last = report.last.expect("one left");
    assert_eq!((last.rendition.as_deref(), &*last.reason), (Some("1080p"), "done"));
    let gone = view(&directory);
    assert!(!gone.rendition("video-1080p").expect("known").0.alive());
    assert!(gone.rendition("video-720p").expect("known").0.alive());
    assert_eq!(gone.presentation.spans.last().map(|span| span.period.number), {
        made.presentation.spans.first().map(|span| span.period.number)
    });

    drop((low, plain));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(directory.report("demo").expect("known").state, State::Waiting);
}

/// A newcomer meets the incumbent of its own rendition and no other.
#[tokio::test(start_paused = true)]
async fn a_newcomer_meets_the_incumbent_of_its_rendition_alone() {
    let directory = Directory::new(Arc::new(Forgetful));
    let high = publish(&directory, "1080p", HERE).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("free");
    send(&[&high, &low], 0, 5, None).await;
    let refused = publish(&directory, "720p", THERE).await.expect_err("it is healthy");
    assert_eq!(refused, Refusal::Busy { incumbent: HERE.parse().expect("an address") });
    let again = publish(&directory, "720p", "192.0.2.1:3000").await.expect("from the same address");
    assert_eq!(low.ended().await, Ended::TakenOver);
    send(&[&high, &again], 5, 5, None).await;
    assert_eq!(on(&directory), [Some("1080p".into()), Some("720p".into())]);
    assert_eq!(view(&directory).presentation.spans.iter().map(|span| span.period.number).max(), {
        view(&directory).presentation.spans.iter().map(|span| span.period.number).min()
    });
}

#[tokio::test(start_paused = true)]
async fn there_is_an_end_to_renditions_and_it_says_so() {
    let directory = Directory::new(Arc::new(Forgetful));
    let settings = Settings { max_renditions: 2, ..Settings::default() };
    let enter = async |name: &str| directory.publish(grant(Some(name), settings.clone()), peer(HERE)).await;
    let (_one, _two) = (enter("a").await.expect("free"), enter("b").await.expect("free"));
    let refused = enter("c").await.expect_err("full");
    assert_eq!(refused, Refusal::Full { most: 2 });
    assert!(refused.to_string().contains("stream.max_renditions"), "{refused}");
    let long = "x".repeat(25);
    assert_eq!(enter(&long).await.expect_err("no name").reason(), "unsupported");
}

/// `1` is what a push without a name is called: `video-1`.
#[tokio::test(start_paused = true)]
async fn the_rendition_called_1_is_the_one_without_a_name() {
    let directory = Directory::new(Arc::new(Forgetful));
    let plain = directory.publish(grant(None, Settings::default()), peer(HERE)).await.expect("free");
    let _one = publish(&directory, "1", HERE).await.expect("from the same address");
    assert_eq!(plain.ended().await, Ended::TakenOver);
}

#[tokio::test(start_paused = true)]
async fn disconnecting_and_ending_are_for_all() {
    let directory = Directory::new(Arc::new(Forgetful));
    let high = publish(&directory, "1080p", HERE).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("free");
    send(&[&high, &low], 0, 5, None).await;
    assert!(directory.disconnect("demo").await);
    assert_eq!((high.ended().await, low.ended().await), (Ended::Disconnected, Ended::Disconnected));
    assert!(on(&directory).is_empty());
    let high = publish(&directory, "1080p", HERE).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("free");
    assert!(directory.end("demo").await);
    assert_eq!((high.ended().await, low.ended().await), (Ended::Finished, Ended::Finished));
    assert_eq!(directory.report("demo").expect("known").state, State::Ended);
}

#[derive(Debug, Default)]
struct Lapsing(Mutex<Option<Ended>>);

impl Pass for Lapsing {
    fn check(&self) -> Option<Ended> {
        self.0.lock().expect("not poisoned").clone()
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_pass_any_more_goes_alone() {
    let directory = Directory::new(Arc::new(Forgetful));
    let pass = Arc::new(Lapsing::default());
    let lapsing = Grant { pass: pass.clone(), ..grant(Some("1080p"), Settings::default()) };
    let high = directory.publish(lapsing, peer(HERE)).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("free");
    send(&[&high, &low], 0, 5, None).await;
    *pass.0.lock().expect("not poisoned") = Some(Ended::KeyChanged);
    directory.recheck(Some("demo")).await;
    assert_eq!(high.ended().await, Ended::KeyChanged);
    assert_eq!(on(&directory), [Some("720p".into())]);
}

#[tokio::test(start_paused = true)]
async fn misaligned_keyframes_are_a_finding_with_a_remedy_and_events_name_the_rendition() {
    let directory = Directory::new(Arc::new(Forgetful));
    let mut events = directory.events();
    let high = publish(&directory, "1080p", HERE).await.expect("free");
    let low = publish(&directory, "720p", HERE).await.expect("free");
    send(&[&high, &low], 0, 16, Some(1)).await;
    let report = directory.report("demo").expect("known");
    let codes =
        |at: usize| report.legs[at].health.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert!(codes(1).contains(&"keyframes_misaligned"), "{:?}", codes(1));
    assert!(!codes(0).contains(&"keyframes_misaligned"), "{:?}", codes(0));
    directory.examine();
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        match event.what {
            What::PublishStarted { rendition, .. } => {
                told.push(format!("started {}", rendition.expect("named")))
            }
            What::Health { rendition, .. } => told.push(format!("health {}", rendition.expect("named"))),
            _ => {}
        }
    }
    assert_eq!(told, ["started 1080p", "started 720p", "health 1080p", "health 720p"]);
}
