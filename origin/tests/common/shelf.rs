//! Presentations made by hand, and a source that finds them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use media::codec::{Aac, Avc, Codec};
use media::payload::{BlockSizes, Writer};
use media::{Kind, Timescale, Track, WallTime};
use packager::presentation::{
    Content, Init, Part, Period, Presentation, Record, Retention, Segment, Session,
};
use stream::{Air, Found, Source, View, Viewer};
use tokio::sync::watch;

pub(crate) const START: WallTime = WallTime::from_millis(1_795_309_432_000);

/// A session with a target duration of 6 s and parts of 3 s, of which at least 60 s can be fetched.
pub(crate) fn session(id: u64) -> Arc<Session> {
    Arc::new(Session {
        id,
        target_duration: 6,
        part_target: Duration::from_secs(3),
        low_latency: true,
        window: Duration::from_secs(30),
        retention: Retention {
            live: Duration::from_secs(60),
            dvr: Duration::ZERO,
            dvr_bytes: 0,
            max_bytes: 100 << 20,
        },
        burnt: None,
    })
}

pub(crate) fn init(period: u64, kind: Kind) -> Arc<Init> {
    let codec = match kind {
        Kind::Video => Codec::Avc(Avc {
            record: Bytes::from_static(&[1, 0x64, 0, 0x1f]),
            width: 1280,
            height: 720,
            pixel_aspect: (1, 1),
            length_size: 4,
            interlaced: false,
            color: None,
            in_band: false,
        }),
        Kind::Audio => Codec::Aac(Aac {
            config: Bytes::from_static(&[0x12, 0x10]),
            object_type: 2,
            sample_rate: 44_100,
            channels: 2,
            frame_length: 1024,
        }),
    };
    let bytes = Bytes::from(format!("init of {} in period {period}", kind.as_str()));
    Arc::new(Init { period, track: Track::new(codec, Timescale::VIDEO), bytes })
}

/// Builds one session as the packager's log would.
pub(crate) struct Builder {
    pub(crate) presentation: Presentation,
    period: Arc<Period>,
    writer: Writer,
}

impl Builder {
    /// The session of that id, in the period of the same number.
    pub(crate) fn new(id: u64) -> Builder {
        Builder {
            presentation: Presentation::new(session(id), START),
            period: Arc::new(Period { number: id, discontinuity: 0, start: START, elapsed: Duration::ZERO }),
            writer: Writer::new(BlockSizes::default()),
        }
    }

    /// A segment of 6 s with two parts whose payloads are of `payload` bytes each.
    pub(crate) fn segment(mut self, name: &str, number: u64, payload: usize) -> Builder {
        let parts = vec![self.part_of(number, 0, payload), self.part_of(number, 1, payload)];
        let content = Content::Media { init: init(self.period.number, kind_of(name)), parts };
        self.finish(name, number, content);
        self
    }

    pub(crate) fn gap(mut self, name: &str, number: u64) -> Builder {
        self.finish(name, number, Content::Gap);
        self
    }

    /// The next part of the open segment.
    pub(crate) fn part(mut self, name: &str, number: u64, index: u32, payload: usize) -> Builder {
        let record = Record::Part {
            rendition: name.into(),
            number,
            period: self.period.clone(),
            init: init(self.period.number, kind_of(name)),
            part: self.part_of(number, index, payload),
        };
        self.presentation.apply(record, START);
        self
    }

    /// Nothing more comes in the period.
    pub(crate) fn closed(mut self) -> Builder {
        self.presentation.apply(Record::Closed { period: self.period.number, renewed: false }, START);
        self
    }

    /// What follows stands in another period.
    pub(crate) fn period(mut self, number: u64) -> Builder {
        self.period =
            Arc::new(Period { number, discontinuity: number, start: START, elapsed: Duration::ZERO });
        self
    }

    pub(crate) fn end(mut self) -> Builder {
        self.presentation.apply(Record::End, START);
        self
    }

    pub(crate) fn view(&self) -> Arc<View> {
        Arc::new(View::new(Arc::new(self.presentation.clone()), Air::Live, None))
    }

    /// The view of a session that began in preview.
    pub(crate) fn preview(&self) -> Arc<View> {
        Arc::new(View::new(Arc::new(self.presentation.clone()), Air::Preview, None))
    }

    fn finish(&mut self, name: &str, number: u64, content: Content) {
        let segment = Segment {
            number,
            period: self.period.clone(),
            start: number as i64 * 540_000,
            duration: 540_000,
            scale: Timescale::VIDEO,
            content,
        };
        let record =
            Record::Segment { rendition: name.into(), kind: kind_of(name), segment: Arc::new(segment) };
        self.presentation.apply(record, START);
    }

    /// A part whose payload is two pieces of a block that "ingest" wrote.
    fn part_of(&mut self, number: u64, index: u32, len: usize) -> Arc<Part> {
        let header = Bytes::from(format!("<moof and mdat header of part {index} of segment {number}>"));
        let payload: Vec<Bytes> =
            [len / 2, len - len / 2].into_iter().map(|len| self.written(number, len)).collect();
        let len = header.len() + payload.iter().map(Bytes::len).sum::<usize>();
        let independent = index == 0;
        let (start, duration) = (i64::from(index) * 270_000, 270_000);
        Arc::new(Part { index, start, duration, independent, header, payload, len: len as u64 })
    }

    fn written(&mut self, seed: u64, len: usize) -> Bytes {
        let sample: Vec<u8> = (0..len).map(|at| (at as u64 * 31 + seed) as u8).collect();
        let mut place = self.writer.reserve(len, 0);
        place.write(&sample);
        place.finish().into_bytes()
    }
}

fn kind_of(name: &str) -> Kind {
    if name.starts_with("audio") { Kind::Audio } else { Kind::Video }
}

/// A source whose shelves are filled by hand. Whoever waits for a rendition hears of everything that is put there.
#[derive(Default)]
pub(crate) struct Shelf {
    states: Mutex<HashMap<String, State>>,
    put: watch::Sender<()>,
}

/// What is found of an entry, and all its sessions.
type State = (Found, Vec<Arc<View>>);

impl Shelf {
    /// A live entry `demo`: video and audio, segments 10 to 12 and two parts of 13, in session 3.
    pub(crate) fn demo() -> (Arc<Shelf>, Presentation) {
        let mut builder = Builder::new(3);
        for name in ["video-1", "audio-1"] {
            for number in 10..13 {
                builder = builder.segment(name, number, 3000);
            }
            builder = builder.part(name, 13, 0, 500).part(name, 13, 1, 501);
        }
        let shelf = Arc::new(Shelf::default());
        shelf.put("demo", vec![builder.view()]);
        (shelf, builder.presentation)
    }

    /// An entry with these sessions, newest first.
    pub(crate) fn put(&self, entry: &str, sessions: Vec<Arc<View>>) {
        let found = sessions.first().map_or(Found::Offline, |view| Found::View(view.clone()));
        self.state(entry, found, sessions);
    }

    /// An entry in any state, from whose sessions something can be fetched.
    pub(crate) fn state(&self, entry: &str, found: Found, sessions: Vec<Arc<View>>) {
        self.states.lock().expect("no test panics here").insert(entry.to_owned(), (found, sessions));
        self.put.send_replace(());
    }
}

impl Source for Shelf {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        let shelves = self.states.lock().expect("no test panics here");
        match (shelves.get(entry), session) {
            (None, _) => Found::Unknown,
            (Some((Found::View(view), _)), None) if !view.is_for(viewer) => Found::Offline,
            (Some((found, _)), None) => found.clone(),
            (Some((_, sessions)), Some(id)) => sessions
                .iter()
                .find(|view| view.presentation.session.id == id && view.is_for(viewer))
                .map_or(Found::Unknown, |view| Found::View(view.clone())),
        }
    }

    fn changed<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        viewer: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        let mut put = self.put.subscribe();
        Box::pin(async move {
            let known = match self.find(entry, session, viewer) {
                Found::View(view) => view.rendition(rendition).map(|(_, version)| version),
                _ => None,
            };
            if known == Some(seen) {
                let _ = put.changed().await;
            }
        })
    }

    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        let shelves = self.states.lock().expect("no test panics here");
        let sessions = shelves.get(entry).map(|(_, sessions)| sessions.iter());
        sessions.into_iter().flatten().filter(|view| view.is_for(viewer)).cloned().collect()
    }
}

/// Bytes of a segment or part, put together the slow way.
pub(crate) fn joined<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    pieces.flat_map(|piece| piece.iter().copied()).collect()
}
