//! The bytes that leave are the bytes that ingest wrote: same allocation, not a copy.
//!
//! That they also leave the process as they are is measured at the socket by the origin's own tests.

mod in_process;

use std::ops::Range;

use in_process::Encoder;
use media::TrackId;
use packager::{Part, Settings};

fn address(bytes: &[u8]) -> Range<usize> {
    let range = bytes.as_ptr_range();
    range.start as usize..range.end as usize
}

#[test]
fn parts_refer_to_the_bytes_that_ingest_wrote() {
    for chunk_size in [128, 4096, 65_536] {
        let mut encoder = Encoder::on_air(Settings::default(), chunk_size);
        encoder.samples = Some(Vec::new());
        encoder.run(11);
        let samples = encoder.samples.take().expect("asked for");
        for (name, id) in [("video-1", TrackId::VIDEO), ("audio-1", TrackId::AUDIO)] {
            let rendition = encoder.presentation().rendition(name).expect("a rendition");
            let parts: Vec<&Part> =
                rendition.segments.values().flat_map(|s| s.parts()).map(|part| &**part).collect();
            let mut pieces = parts.iter().flat_map(|part| &part.payload).map(|piece| address(piece));
            let mut piece = pieces.next().expect("payload");
            let mut covered = 0;
            for (_, sample) in samples.iter().filter(|(of, _)| *of == id) {
                let wanted = address(&sample.data);
                if piece.is_empty() {
                    match pieces.next() {
                        Some(next) => piece = next,
                        None => break,
                    }
                }
                assert_eq!(piece.start, wanted.start, "{name} leaves from where it was written");
                piece.start = wanted.end;
                covered += 1;
            }
            assert!(covered > 250, "{covered} samples of {name}");
            let pieces: usize = parts.iter().map(|part| part.payload.len()).sum();
            assert!(pieces <= parts.len() * 2, "{pieces} pieces in {} parts of {name}", parts.len());
        }
    }
}
