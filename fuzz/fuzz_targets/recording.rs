//! The index of a recording and a file of media, as a disk may give them back: recovery ends, and what is shown is there.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use archive::Contents;
use archive::reading::{Options, presentation};
use container::index::{Item, Reader, Record, begin, frame, write};
use libfuzzer_sys::fuzz_target;
use packager::manifest::{Options as Asked, dash, hls};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    index: &'a [u8],
    bodies: Vec<&'a [u8]>,
    media: &'a [u8],
    ended: bool,
}

fuzz_target!(|input: Input<'_>| {
    read(input.index);
    // Checksums keep a fuzzer out: here are frames that have the right ones.
    let mut contents = Contents::default();
    for body in &input.bodies {
        if let Some(record) = record(body) {
            contents.take(record);
        }
    }
    let shown = presentation(&contents, &Arc::from("r"), Options { ended: input.ended, partial: true });
    if let Some(shown) = shown {
        let asked = Asked::default();
        dash::mpd(&shown, &asked);
        hls::multivariant(&shown, &asked);
        shown.renditions.iter().for_each(|rendition| drop(hls::media(&shown, rendition, &asked)));
    }
    if let Ok(extent) = container::mp4::fragment_extent(input.media) {
        assert!(extent.header <= input.media.len());
    }
    let _ = container::mp4::parse_init(input.media);
});

/// What is read of any bytes is whole frames, in their order, and ends with the file.
fn read(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let mut end = 0;
    while let Some(item) = reader.next() {
        assert!(reader.position() > end && reader.position() <= bytes.len());
        end = reader.position();
        if let Item::Damage(range) = item {
            assert!(range.start < range.end && range.end <= bytes.len());
        }
    }
}

/// The record of a body, written and read again.
fn record(body: &[u8]) -> Option<Record> {
    let mut bytes = Vec::new();
    begin(&mut bytes);
    frame(&mut bytes, body).ok()?;
    let Item::Record(record) = Reader::new(&bytes).ok()?.next()? else { return None };
    let mut again = Vec::new();
    begin(&mut again);
    write(&mut again, &record).expect("as long as it was");
    assert_eq!(Reader::new(&again).ok()?.next(), Some(Item::Record(record.clone())));
    Some(record)
}
