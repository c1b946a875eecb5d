//! A transport stream taken apart, beside mpeg2ts-reader: `cargo bench -p headwater-bench --bench transport`.
//!
//! *packets* finds units and their times and looks at no payload, which is all that mpeg2ts-reader does. *samples* is
//! everything from bytes to inputs of a publication: NAL units found, payload written to its place.
#![allow(missing_docs, reason = "macros of mpeg2ts-reader make public items")]

use std::hint::black_box;

use bytes::Bytes;
use container::ts::demux::{self, Demuxer};
use container::ts::{self, Frame, Framing};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::ts::{Intake, Limits};
use media::codec::{Aac, Avc};
use media::{Codec, Sync};
use mpeg2ts_reader::demultiplex::{self, FilterRequest, NullPacketFilter, PatPacketFilter, PmtPacketFilter};
use mpeg2ts_reader::{demux_context, packet_filter_switch, pes, psi};

criterion_group!(benches, transport);
criterion_main!(benches);

const SECONDS: i64 = 20;
/// Bytes of a picture at 30 a second: 5 Mbit/s.
const PICTURE: usize = 20_000;
/// What a socket gives at once.
const READ: usize = 1316;

fn transport(criterion: &mut Criterion) {
    let bytes = stream();
    let mut group = criterion.benchmark_group("transport stream");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("mpeg2ts-reader, packets", |bench| bench.iter(|| reader(&bytes)));
    group.bench_function("packets", |bench| bench.iter(|| packets(&bytes)));
    group.bench_function("samples", |bench| bench.iter(|| samples(&bytes)));
}

fn packets(bytes: &[u8]) {
    let (mut demuxer, mut units) = (Demuxer::new(demux::Limits::default()), 0);
    for read in bytes.chunks(READ) {
        demuxer.push(read, &mut |event| units += u64::from(matches!(event, demux::Event::Begins { .. })));
    }
    assert!(black_box(units) > SECONDS as u64 * 30);
}

fn samples(bytes: &[u8]) {
    let mut intake = Intake::new(Limits::default());
    bytes.chunks(READ).for_each(|read| intake.push(read, &mut |input| drop(black_box(input))));
    assert!(intake.counters().video >= SECONDS as u64 * 30 - 1);
}

fn reader(bytes: &[u8]) {
    let mut context = Context::new();
    let mut demuxer = demultiplex::Demultiplex::new(&mut context);
    bytes.chunks(READ).for_each(|read| demuxer.push(&mut context, read));
}

/// H.264 and AAC; payload is noise, as coded media is.
fn stream() -> Vec<u8> {
    let record = include_bytes!("../../packager/tests/common/avcc-720p.bin");
    let avc = Avc::parse(Bytes::from_static(record)).expect("valid");
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    let pictures = (0..SECONDS * 30).map(|at| {
        let sync = if at % 60 == 0 { Sync::Yes } else { Sync::No };
        let header: &[u8] = if sync == Sync::Yes { &[0x65, 0x88] } else { &[0x41, 0x9a] };
        let unit = [header, &noise(PICTURE, at as u32)].concat();
        let data = [&(unit.len() as u32).to_be_bytes()[..], &unit].concat();
        frame(at * 3000, 3000, sync, data)
    });
    let sounds =
        (0..SECONDS * 90_000 / 1920).map(|at| frame(at * 1920, 1920, Sync::Yes, noise(340, at as u32)));
    let video =
        ts::Video { length_size: 4, parameter_sets: avc.parameter_sets(), frames: pictures.collect() };
    let framing = Framing::of(&Codec::Aac(aac)).expect("it fits");
    let audio = ts::Audio { framing, frame_duration: 1920, frames: sounds.collect() };
    ts::segment(Some(&video), Some(&audio))
}

fn frame(time: i64, duration: i64, sync: Sync, data: Vec<u8>) -> Frame {
    Frame { pts: time, dts: time, duration, sync, data: data.into() }
}

/// Bytes without start codes.
fn noise(len: usize, seed: u32) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8 | 1)
    };
    std::iter::from_fn({
        let mut state = seed;
        move || next(&mut state)
    })
    .take(len)
    .collect()
}

packet_filter_switch! {
    Switch<Context> {
        Pat: PatPacketFilter<Context>,
        Pmt: PmtPacketFilter<Context>,
        Null: NullPacketFilter<Context>,
        Pes: pes::PesPacketFilter<Context, Listener>,
    }
}
demux_context!(Context, Switch);

impl Context {
    fn do_construct(&mut self, request: FilterRequest<'_, '_>) -> Switch {
        match request {
            FilterRequest::ByPid(psi::pat::PAT_PID) => Switch::Pat(PatPacketFilter::default()),
            FilterRequest::Pmt { pid, program_number } => {
                Switch::Pmt(PmtPacketFilter::new(pid, program_number))
            }
            FilterRequest::ByStream { .. } => Switch::Pes(pes::PesPacketFilter::new(Listener)),
            _ => Switch::Null(NullPacketFilter::default()),
        }
    }
}

struct Listener;

impl<C> pes::ElementaryStreamConsumer<C> for Listener {
    fn start_stream(&mut self, _: &mut C) {}

    fn begin_packet(&mut self, _: &mut C, header: pes::PesHeader<'_>) {
        if let pes::PesContents::Parsed(Some(content)) = header.contents() {
            drop(black_box(content.pts_dts()));
        }
    }

    fn continue_packet(&mut self, _: &mut C, data: &[u8]) {
        black_box(data);
    }

    fn end_packet(&mut self, _: &mut C) {}

    fn continuity_error(&mut self, _: &mut C) {}
}
