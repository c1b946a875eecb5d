//! A stream lets go of what is in storage, and nobody who watches notices.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::Segment;
use packager::presentation::{Stored, StoredFile};
use stream::ledger::Forgetful;
use stream::{
    Air, Directory, ForGood, Found, Grant, Input, Leg, Peer, Protocol, Publication, Settings, Settled,
    Source, View, Viewer,
};
use tokio::time::sleep;

async fn publish(directory: &Directory, air: Air) -> Publication {
    let window = Duration::from_secs(6);
    let packager = Arc::new(packager::Settings { window, ..packager::Settings::default() });
    let settings = Arc::new(Settings { packager, ..Settings::default() });
    let (pass, rendition) = (Arc::new(ForGood), None);
    let grant = Grant { entry: "demo".into(), leg: Leg::Primary, rendition, settings, air, pass };
    let peer = Peer::new("192.0.2.1:1000".parse().expect("an address"), Protocol::Rtmp);
    let publication = directory.publish(grant, peer).await.expect("free");
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    publication.send(Input::Announce { video: true, audio: false }).await.expect("on air");
    let track = Track::new(codec, Timescale::MILLIS);
    publication.send(Input::Track { id: TrackId::VIDEO, track }).await.expect("on air");
    publication
}

async fn send(publication: &Publication, frames: std::ops::Range<i64>) {
    for frame in frames {
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        let data = vec![1; 1000].into();
        let sample = Sample { dts: frame * 40, composition_offset: 0, duration: 0, sync, data };
        publication.send(Input::Sample { id: TrackId::VIDEO, sample }).await.expect("on air");
        sleep(Duration::from_millis(40)).await;
    }
}

fn view(directory: &Directory, viewer: Viewer) -> Arc<View> {
    match directory.find("demo", None, viewer) {
        Found::View(view) => view,
        other => panic!("{other:?}"),
    }
}

fn settled(segment: &Segment) -> Settled {
    let file = StoredFile { store: Arc::from("demo/rec_1"), name: "video-1.1.1.mp4".into() };
    let stored = Stored {
        init: segment.init().expect("media").clone(),
        file: Arc::new(file),
        offset: 700,
        len: segment.len(),
        checksum: 0,
        independent: segment.independent(),
        media: segment.media(),
        only: None,
    };
    Settled { rendition: "video-1".into(), number: segment.number, stored }
}

/// Says that everything is in storage that there is.
fn store(directory: &Directory) {
    let view = view(directory, Viewer::Public);
    let in_memory = view.presentation.renditions[0].segments.values().filter(|it| it.stored().is_none());
    directory.settle("demo", in_memory.map(|segment| settled(segment)).collect());
}

#[tokio::test(start_paused = true)]
async fn every_timeline_of_a_stream_lets_go_of_what_is_stored() {
    let directory = Directory::new(Arc::new(stream::ledger::Forgetful));
    let publication = publish(&directory, Air::Preview).await;
    send(&publication, 0..150).await;
    directory.switch("demo", Air::Live).await;
    for round in 3..40 {
        send(&publication, round * 50..(round + 1) * 50).await;
        if round > 4 {
            store(&directory);
        }
    }
    for viewer in [Viewer::Public, Viewer::Producer] {
        let presentation = view(&directory, viewer).presentation.clone();
        let shown: Vec<_> = presentation.renditions[0].shown().collect();
        let in_memory = shown.iter().filter(|segment| segment.stored().is_none()).count();
        assert!(shown.len() >= 34, "{viewer:?}: the past is there: {}", shown.len());
        assert!((7..=8).contains(&in_memory), "{viewer:?}: {in_memory}");
        let newest = shown.iter().rev().take(in_memory);
        assert!(newest.into_iter().all(|segment| segment.stored().is_none()));
    }
}

#[tokio::test(start_paused = true)]
async fn storing_makes_no_version_and_rings_no_bell() {
    let directory = Directory::new(Arc::new(Forgetful));
    let publication = publish(&directory, Air::Live).await;
    send(&publication, 0..1001).await;
    let before = view(&directory, Viewer::Public);
    let (_, version) = before.rendition("video-1").expect("video");
    let waiter = directory.clone();
    let waiting = tokio::spawn(async move {
        waiter.changed("demo", None, Viewer::Public, "video-1", version).await;
    });
    store(&directory);
    directory.settle("nobody", vec![settled(before.presentation.renditions[0].last().expect("a segment"))]);
    sleep(Duration::from_millis(300)).await;
    assert!(Arc::ptr_eq(&before, &view(&directory, Viewer::Public)));
    assert!(!waiting.is_finished());
    send(&publication, 1001..1020).await;
    waiting.await.expect("no panic");
    let after = view(&directory, Viewer::Public);
    assert!(after.presentation.renditions[0].segments.values().all(|segment| segment.stored().is_none()));
}
