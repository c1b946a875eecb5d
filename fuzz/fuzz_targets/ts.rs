//! Segments of any samples as MPEG-TS: a strict reader finds every one of them, and captions are looked for in them.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use bytes::Bytes;
use container::mp4::{Fragment, FragmentSample, fragment_header};
use fuzz::peer;
use fuzz::transport::Transport;
use libfuzzer_sys::fuzz_target;
use media::codec::{Aac, Avc};
use media::{Captions, Codec, Sync, Timescale, Track, WallTime};
use packager::presentation::{Content, Init, Part, Period, Segment};
use packager::ts::Program;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    start: u32,
    video: Vec<Table<'a>>,
    audio: Vec<Table<'a>>,
    length_size: u8,
    hz48: bool,
    /// Bytes of the payload in a piece.
    piece: u8,
}

/// A part.
#[derive(Arbitrary, Debug)]
struct Table<'a> {
    base_time: u32,
    samples: Vec<(u32, i32, u8, &'a [u8])>,
}

fuzz_target!(|input: Input<'_>| {
    let video = segment(&input, &input.video, Timescale::VIDEO, video_codec(input.length_size));
    let audio = segment(&input, &input.audio, Timescale::MILLIS, audio_codec(input.hz48));
    for table in &input.video {
        for (.., data) in &table.samples {
            let _ = Captions::of(&video_codec(input.length_size), data);
        }
    }
    let (pictures, sounds) = (count(&input.video), count(&input.audio));
    let program = Program { main: Arc::new(video), sound: Some(Arc::new(audio)) };
    let file = program.mux().expect("tables and payload agree");
    assert_eq!(file, program.mux().expect("as before"));
    // What follows another segment goes on where that ended.
    let transport = Transport::read(&[&file[..], &file[..]].concat());
    assert_eq!(transport.video().len(), pictures * 2);
    assert_eq!(transport.audio().is_empty(), sounds == 0);
    let media: usize =
        input.video.iter().chain(&input.audio).flat_map(|it| &it.samples).map(|it| it.3.len()).sum();
    assert!(file.len() < 1_000_000 + media * 5 + (pictures + sounds) * 188 * 16, "{}", file.len());
});

fn count(tables: &[Table<'_>]) -> usize {
    tables.iter().map(|table| table.samples.len()).sum()
}

fn video_codec(length_size: u8) -> Codec {
    let avc = Avc::parse(Bytes::from_static(peer::AVC_RECORD)).expect("valid");
    Codec::Avc(Avc { length_size: [1, 2, 4][usize::from(length_size % 3)], ..avc })
}

fn audio_codec(hz48: bool) -> Codec {
    let config: &[u8] = if hz48 { &[0x11, 0x90] } else { &[0x12, 0x10] };
    Codec::Aac(Aac::parse(Bytes::from_static(config)).expect("valid"))
}

fn segment(input: &Input<'_>, tables: &[Table<'_>], scale: Timescale, codec: Codec) -> Segment {
    let init = Arc::new(Init { period: 1, track: Track::new(codec, scale), bytes: Bytes::new() });
    let parts = tables.iter().filter(|table| !table.samples.is_empty()).map(|table| part(table, input.piece));
    Segment {
        number: 1,
        period: Arc::new(Period {
            number: 1,
            discontinuity: 0,
            start: WallTime::from_millis(i64::from(input.start) * 1000),
            elapsed: std::time::Duration::ZERO,
        }),
        start: 0,
        duration: 0,
        scale,
        content: Content::Media { init, parts: parts.map(Arc::new).collect() },
    }
}

fn part(table: &Table<'_>, piece: u8) -> Part {
    let samples: Vec<FragmentSample> = table.samples.iter().map(sample).collect();
    let base_time = u64::from(table.base_time);
    let fragment =
        Fragment { begins_segment: false, produced: None, sequence: 1, base_time, samples: &samples };
    let payload: Vec<u8> = table.samples.iter().flat_map(|(.., data)| data.iter().copied()).collect();
    let pieces = payload.chunks(usize::from(piece).max(1)).map(Bytes::copy_from_slice).collect();
    Part {
        index: 0,
        start: base_time as i64,
        duration: 0,
        independent: true,
        header: fragment_header(&fragment),
        payload: pieces,
        len: 0,
    }
}

fn sample(&(duration, composition_offset, sync, data): &(u32, i32, u8, &[u8])) -> FragmentSample {
    let sync = [Sync::Yes, Sync::Recovery, Sync::No][usize::from(sync % 3)];
    FragmentSample { duration, size: data.len() as u32, composition_offset, sync }
}
