//! What has no socket and no clock, alone: `cargo bench -p headwater-bench`.

mod publisher;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::rtmp::Limits;
use ingest::rtmp::chunk::Decoder;
use media::Kind;
use packager::Settings;
use packager::manifest::{Options, dash, hls};
use packager::presentation::{Presentation, Record, Retention, Segment, Session};

use crate::publisher::{FRAME, PICTURE, Publisher};

criterion_group!(benches, chunks, samples, manifests);
criterion_main!(benches);

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
    let mut publisher = Publisher::new(Settings::default());
    group.throughput(Throughput::Elements(publisher.gop()));
    group.bench_function("samples", |bench| bench.iter(|| publisher.gop()));
}

fn manifests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("manifest");
    let mut publisher = Publisher::new(Settings::default());
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

/// A day in segments of two seconds with their parts, all of it in the window.
fn day() -> Presentation {
    const SEGMENTS: u64 = 24 * 3600 / 2;
    let mut publisher = Publisher::new(Settings::default());
    let pushed: u64 = (0..3).map(|_| publisher.gop()).sum();
    assert!(pushed > 400, "six seconds were pushed");
    let made = publisher.packager.presentation().expect("segments were cut");
    let template = made.rendition("video-1").and_then(|video| video.last()).expect("a segment");
    let whole = Duration::from_secs(24 * 3600);
    let retention = Retention { live: whole * 2, dvr: whole, dvr_bytes: 0, max_bytes: u64::MAX };
    let session = Session { window: whole, retention, ..Session::clone(&made.session) };
    let mut day = Presentation::new(Arc::new(session), made.published);
    for at in 0..SEGMENTS {
        let (number, start) = (template.number + at, template.start + at as i64 * template.duration);
        let segment = Arc::new(Segment { number, start, ..Segment::clone(template) });
        day.apply(
            Record::Segment { rendition: "video-1".into(), kind: Kind::Video, segment },
            made.published,
        );
    }
    day
}
