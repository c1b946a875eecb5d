//! What has no socket and no clock, alone: `cargo bench -p headwater-bench`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::rtmp::Limits;
use ingest::rtmp::chunk::Decoder;
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sample, Slice, Sync, Timescale, Track, TrackId, WallTime};
use packager::manifest::{Options, dash, hls};
use packager::presentation::{Presentation, Record, Retention, Segment, Session};
use packager::{Now, Numbers, Packager, Settings};

criterion_group!(benches, chunks, samples, manifests);
criterion_main!(benches);

/// Payload bytes of a picture and of an audio frame, about as in a stream of 5 Mbit/s.
const PICTURE: usize = 20_000;
const FRAME: usize = 300;

fn chunks(criterion: &mut Criterion) {
    const READ: usize = 64 << 10;
    let mut group = criterion.benchmark_group("chunk decoder");
    for size in [128, 4096, 65536] {
        let bytes = chunked(size);
        let mut decoder = Decoder::new(Limits::default());
        decoder.set_chunk_size(size as u32).expect("a chunk size in range");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("chunks of {size}"), |bench| {
            bench.iter(|| bytes.chunks(READ).map(|read| decode(&mut decoder, read)).sum::<usize>());
        });
    }
}

fn decode(decoder: &mut Decoder, mut read: &[u8]) -> usize {
    let mut messages = 0;
    while let Some(message) = decoder.decode(&mut read).expect("what is sent is valid") {
        black_box(message);
        messages += 1;
    }
    messages
}

/// Pictures with audio between them; each message has a full header, so that the bytes can be sent again.
fn chunked(size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for at in 0..60u32 {
        bytes.extend(message(
            6,
            9,
            at * 33,
            &[&[0x27, 1, 0, 0, 0][..], &vec![at as u8; PICTURE]].concat(),
            size,
        ));
        bytes.extend(message(4, 8, at * 33, &[&[0xaf, 1][..], &vec![at as u8; FRAME]].concat(), size));
    }
    bytes
}

fn message(csid: u8, kind: u8, timestamp: u32, payload: &[u8], chunk_size: usize) -> Vec<u8> {
    let mut bytes = vec![csid];
    bytes.extend(&timestamp.to_be_bytes()[1..]);
    bytes.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    bytes.extend([kind, 1, 0, 0, 0]);
    let chunks: Vec<_> = payload.chunks(chunk_size).collect();
    bytes.extend(chunks.join(&(0xc0 | csid)));
    bytes
}

/// 2 s at 30 pictures and 46.875 audio frames a second, again and again, with the clock of a live stream.
fn samples(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packager");
    let mut publisher = Publisher::new();
    group.throughput(Throughput::Elements(publisher.gop()));
    group.bench_function("samples", |bench| bench.iter(|| publisher.gop()));
}

fn manifests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("manifest");
    let mut publisher = Publisher::new();
    let pushed: u64 = (0..30).map(|_| publisher.gop()).sum();
    assert!(pushed > 4000, "a minute was pushed");
    let presentation = publisher.packager.presentation().expect("segments were cut");
    let rendition = presentation.rendition("video-1").expect("there is video");
    group.bench_function("media playlist", |bench| {
        bench.iter(|| hls::media(presentation, black_box(rendition), &Options::default()))
    });
    let day = day();
    let rendition = day.rendition("video-1").expect("there is video");
    group.bench_function("media playlist of a day", |bench| {
        bench.iter(|| hls::media(&day, black_box(rendition), &Options::default()))
    });
    let skip = Options { skip: true, ..Options::default() };
    group.bench_function("delta update of a day", |bench| {
        bench.iter(|| hls::media(&day, black_box(rendition), &skip))
    });
    group.bench_function("MPD", |bench| {
        bench.iter(|| dash::mpd(black_box(presentation), &Options::default().pinned()))
    });
}

/// A day in segments of two seconds with four parts each, all of it in the window.
fn day() -> Presentation {
    const SEGMENTS: u64 = 24 * 3600 / 2;
    let mut publisher = Publisher::new();
    (0..3).for_each(|_| drop(publisher.gop()));
    let made = publisher.packager.presentation().expect("segments were cut");
    let template = made.rendition("video-1").and_then(|video| video.last()).expect("a segment").clone();
    let whole = Duration::from_secs(24 * 3600);
    let retention = Retention { live: whole * 2, dvr: whole, dvr_bytes: 0, max_bytes: u64::MAX };
    let session = Session { window: whole, retention, ..Session::clone(&made.session) };
    let mut day = Presentation::new(Arc::new(session), WallTime::from_millis(START));
    for at in 0..SEGMENTS {
        let segment = Segment {
            number: template.number + at,
            start: template.start + at as i64 * template.duration,
            ..Segment::clone(&template)
        };
        let (rendition, kind) = ("video-1".into(), Kind::Video);
        let record = Record::Segment { rendition, kind, segment: Arc::new(segment) };
        day.apply(record, WallTime::from_millis(START + at as i64));
    }
    day
}

struct Publisher {
    packager: Packager,
    begin: Instant,
    picture: Slice,
    frame: Slice,
    /// Pictures and audio frames so far.
    pushed: (i64, i64),
}

impl Publisher {
    fn new() -> Publisher {
        let numbers = Numbers::unknown(WallTime::from_millis(START));
        let mut packager = Packager::new(Arc::new(Settings::default()), numbers, false);
        let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("a valid record");
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("a valid configuration");
        packager.announce(true, true);
        packager.track(TrackId::VIDEO, Track { codec: Codec::Avc(avc), timescale: Timescale::MILLIS });
        packager.track(TrackId::AUDIO, Track { codec: Codec::Aac(aac), timescale: Timescale::MILLIS });
        let (picture, frame) = (vec![1; PICTURE].into(), vec![2; FRAME].into());
        Publisher { packager, begin: Instant::now(), picture, frame, pushed: (0, 0) }
    }

    /// Pushes a group of pictures and its audio, and says how many samples that was.
    fn gop(&mut self) -> u64 {
        let before = self.pushed;
        for index in 0..60 {
            let millis = self.pushed.0 * 100 / 3;
            while self.pushed.1 * 64 / 3 <= millis {
                self.push(TrackId::AUDIO, self.pushed.1 * 64 / 3, Sync::Yes, self.frame.clone());
                self.pushed.1 += 1;
            }
            let sync = if index == 0 { Sync::Yes } else { Sync::No };
            self.push(TrackId::VIDEO, millis, sync, self.picture.clone());
            self.pushed.0 += 1;
        }
        (self.pushed.0 - before.0 + self.pushed.1 - before.1) as u64
    }

    fn push(&mut self, id: TrackId, millis: i64, sync: Sync, data: Slice) {
        let elapsed = Duration::from_millis(millis as u64);
        let now = Now { instant: self.begin + elapsed, wall: WallTime::from_millis(START + millis) };
        let sample = Sample { dts: millis, composition_offset: 0, duration: 0, sync, data };
        self.packager.push(id, sample, now);
        black_box(self.packager.take_log());
    }
}

const START: i64 = 1_795_309_432_000;
/// H.264 High@3.1, 1280x720.
const AVC_RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
    0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];
