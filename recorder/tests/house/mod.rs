//! A directory of streams with a recorder beside it, on a disk of its own; time is paused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use archive::files::Disk;
use archive::{Contents, recover};
use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use recorder::{FileLedger, KeepFree, Mode, Plan, Recorder, Settings, Told};
use stream::{
    Air, Directory, ForGood, Found, Grant, Input, Leg, Peer, Protocol, Publication, Source, Viewer,
};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub struct House {
    data: TempDir,
    directory: Directory,
    recorder: Recorder,
    settled: Arc<AtomicUsize>,
    settings: Settings,
    mode: Option<Mode>,
    stop: CancellationToken,
}

struct Wish {
    mode: Option<Mode>,
    names: AtomicUsize,
}

impl Plan for Wish {
    fn of(&self, _: &str) -> Option<Mode> {
        self.mode
    }

    fn name(&self) -> Option<Arc<str>> {
        let at = self.names.fetch_add(1, Ordering::Relaxed);
        let process = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
        Some(format!("rec_{at}_{process}").into())
    }
}

/// Sends video at 25 fps with a keyframe every two seconds, as it would arrive live.
pub trait Lives {
    async fn live(&self, from_second: i64, seconds: i64);
}

impl Lives for Publication {
    async fn live(&self, from_second: i64, seconds: i64) {
        let record = Bytes::from_static(include_bytes!("../../../packager/tests/common/avcc-720p.bin"));
        let track = Track::new(Codec::Avc(Avc::parse(record).expect("valid")), Timescale::MILLIS);
        let send = async |input| self.send(input).await.expect("on air");
        send(Input::Announce { video: true, audio: false }).await;
        send(Input::Track { id: TrackId::VIDEO, track }).await;
        for frame in from_second * 25..(from_second + seconds) * 25 {
            let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
            let data = vec![frame as u8; 100].into();
            let sample = Sample { dts: frame * 40, composition_offset: 0, duration: 0, sync, data };
            send(Input::Sample { id: TrackId::VIDEO, sample }).await;
            sleep(Duration::from_millis(40)).await;
        }
    }
}

impl House {
    pub fn new(mode: Option<Mode>) -> House {
        House::with(mode, Settings { keep_free: KeepFree::Bytes(0), ..Settings::default() })
    }

    pub fn with(mode: Option<Mode>, settings: Settings) -> House {
        House::on(tempfile::tempdir().expect("a directory"), mode, settings)
    }

    fn on(data: TempDir, mode: Option<Mode>, settings: Settings) -> House {
        let ledger = FileLedger::open(data.path()).expect("writable");
        let directory = Directory::new(Arc::new(ledger));
        let settled = Arc::<AtomicUsize>::default();
        let counted = settled.clone();
        let settle = Box::new(move |_: &str, stored: Vec<_>| {
            counted.fetch_add(stored.len(), Ordering::Relaxed);
        });
        let (root, plan) = (data.path().join("recordings"), Wish { mode, names: AtomicUsize::new(0) });
        let recorder =
            Recorder::new(settings.clone(), Arc::new(Disk), root, directory.clone(), Arc::new(plan), settle);
        recorder.recover().expect("readable");
        let stop = CancellationToken::new();
        tokio::spawn(recorder.clone().run(stop.clone()));
        House { data, directory, recorder, settled, settings, mode, stop }
    }

    /// What another process finds. Tasks of this one do not die with it here: what they still write, they write elsewhere.
    pub async fn again(self) -> House {
        self.stop.cancel();
        let data = tempfile::tempdir().expect("a directory");
        copy(self.data.path(), data.path());
        let house = House::on(data, self.mode, self.settings.clone());
        let known = |_: &str| Some((Arc::new(stream::Settings::default()), Air::Live));
        house.directory.restore(known).await.expect("readable");
        house
    }

    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn settled(&self) -> usize {
        self.settled.load(Ordering::Relaxed)
    }

    pub async fn publish(&self) -> Publication {
        let grant = Grant {
            entry: "demo".into(),
            leg: Leg::Primary,
            rendition: None,
            settings: Arc::new(stream::Settings::default()),
            air: Air::Live,
            pass: Arc::new(ForGood),
        };
        let peer = Peer::new("192.0.2.1:1000".parse().expect("an address"), Protocol::Rtmp);
        self.directory.publish(grant, peer).await.expect("nobody is on")
    }

    /// The end of the session, by somebody's wish.
    pub async fn end(&self) {
        assert!(self.directory.end("demo").await);
    }

    /// The recording that ends next.
    pub async fn ended(&self, told: &mut Receiver<Told>) -> Arc<str> {
        match self.wait(told, |told| matches!(told, Told::Ended { .. })).await {
            Told::Ended { recording, .. } => recording,
            other => panic!("{other:?}"),
        }
    }

    pub async fn wait(&self, told: &mut Receiver<Told>, is_it: impl Fn(&Told) -> bool) -> Told {
        loop {
            let told = told.recv().await.expect("it goes on");
            if is_it(&told) {
                return told;
            }
        }
    }

    pub fn folder(&self, id: &str) -> PathBuf {
        self.recorder.root().join("demo").join(id)
    }

    pub fn contents(&self, id: &str) -> Contents {
        recover::read(&Disk, &self.folder(id)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The segments that the session shows, which may be the last one's.
    pub fn numbers(&self) -> Vec<u64> {
        let Found::View(view) = self.directory.find("demo", None, Viewer::Public) else {
            panic!("nothing is shown");
        };
        let (video, _) = view.rendition("video-1").expect("video");
        video.segments.values().map(|segment| segment.number).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory").map(|it| it.expect("readable")) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to).expect("a directory of ours");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("there is room");
        }
    }
}
