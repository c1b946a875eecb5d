//! Any bytes as a transport stream, raw and behind the tables of a program, in pieces of any size: the same inputs come out,
//! they are no more than came in, and times go on where they were.
#![no_main]

use std::collections::BTreeMap;

use fuzz::tables;
use ingest::ts::{Counters, Intake, Limits};
use libfuzzer_sys::fuzz_target;
use media::TrackId;
use stream::Input;

/// Ticks by which a track may go back without a jump: half a second.
const BACK: i64 = 45_000;

fuzz_target!(|data: &[u8]| {
    let [mode, piece, rest @ ..] = data else { return };
    let packed;
    let bytes = match mode % 2 {
        0 => rest,
        _ => {
            packed = tables::packets(rest);
            &packed[..]
        }
    };
    let whole = run(bytes, bytes.len().max(1), *mode);
    let pieces = run(bytes, usize::from(*piece).max(1), *mode);
    assert_eq!(whole, pieces, "pieces change nothing");
});

/// What came out: of each input its track, time and length, and the counters.
fn run(bytes: &[u8], piece: usize, mode: u8) -> (Vec<(Option<TrackId>, i64, usize)>, Counters) {
    let limits = Limits { picture: 4096, packet: 1024, held: 1 << 16, ..Limits::default() };
    let mut intake = Intake::new(limits);
    let mut seen = Vec::new();
    let mut described = BTreeMap::<TrackId, u64>::new();
    let mut note = |input: Input| match input {
        Input::Announce { .. } => {}
        Input::Track { id, track } => {
            assert_eq!(id.kind, track.kind());
            *described.entry(id).or_default() += 1;
        }
        Input::Sample { id, sample } => {
            assert!(described.contains_key(&id), "a track is described before its samples");
            assert!(!sample.data.is_empty() && sample.data.len() <= 2 * 4096);
            seen.push((Some(id), sample.dts, sample.data.len()));
        }
        Input::Metadata { pts, data, .. } => {
            assert!(data.len() <= 4096 + 3);
            seen.push((None, pts, data.len()));
        }
    };
    bytes.chunks(piece).for_each(|piece| intake.push(piece, &mut note));
    intake.finish(mode & 0x80 == 0, &mut note);
    let counters = intake.counters();
    assert_eq!(counters.bytes, bytes.len() as u64);
    assert!(counters.packets * 188 <= counters.bytes);
    let total: usize = seen.iter().map(|it| it.2).sum();
    assert!(total <= bytes.len() * 4, "{total} bytes of {}", bytes.len());
    assert!(limits.video_tracks >= described.keys().filter(|id| id.kind == media::Kind::Video).count() as u8);
    if counters.jumps == 0 {
        let mut last = BTreeMap::new();
        for (id, dts, _) in &seen {
            if let Some(id) = id {
                let before: i64 = last.insert(*id, *dts).unwrap_or(*dts);
                assert!(dts - before >= -BACK, "{id} goes back without a jump");
            }
        }
    }
    (seen, counters)
}
