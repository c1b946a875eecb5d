//! What a stream takes of memory does not grow with its window, where its past is in storage: of a segment there only its
//! place is kept.
//!
//! The one test of this file has the process to itself, because it counts every allocation in it.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Publisher, video_track};
use media::{Sample, Sync, TrackId};
use packager::Settings;
use packager::presentation::{Segment, Stored, StoredFile};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `at` came from `System.alloc` with this layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HOUR: i64 = 3600;
/// Bytes of a picture; there are two a second.
const PICTURE: usize = 25_000;
/// What a segment in storage may cost.
const PLACE: usize = 208;

/// Publishes an hour in segments of two seconds, and stores each when it is there.
fn hour(publisher: &mut Publisher, hour: i64, file: &Arc<StoredFile>) {
    for frame in 0..HOUR * 2 {
        let dts = (hour * HOUR * 2 + frame) * 500;
        publisher.elapsed = Duration::from_millis(dts as u64);
        let sync = if frame % 4 == 0 { Sync::Yes } else { Sync::No };
        let data = vec![frame as u8; PICTURE].into();
        let sample = Sample { dts, composition_offset: 0, duration: 0, sync, data };
        publisher.packager.push(TrackId::VIDEO, sample, publisher.now());
        publisher.packager.take_log();
        let newest = publisher.packager.presentation().and_then(|it| it.renditions.first()?.last().cloned());
        if let Some(segment) = newest.filter(|_| frame % 4 == 1) {
            publisher.packager.settle("video-1", segment.number, stored(&segment, file));
        }
    }
}

fn stored(segment: &Segment, file: &Arc<StoredFile>) -> Stored {
    Stored {
        init: segment.init().expect("media").clone(),
        file: file.clone(),
        offset: segment.number * 100_000,
        len: segment.len(),
        checksum: segment.number as u32,
        independent: segment.independent(),
        media: segment.media(),
        only: None,
    }
}

#[test]
fn a_day_takes_as_much_memory_as_an_hour_but_for_the_places_of_its_segments() {
    let settings = Settings { dvr_window: Duration::from_secs(7 * 24 * 3600), ..Settings::default() };
    let file = Arc::new(StoredFile { store: "demo/rec_1".into(), name: "video-1.1.1.mp4".into() });
    let mut publisher = Publisher::new(settings);
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, video_track());
    let mut seen = Vec::new();
    for at in 0..24 {
        hour(&mut publisher, at, &file);
        let rendition = publisher.rendition("video-1");
        let segments = rendition.segments.size();
        assert!(segments as i64 >= (at + 1) * HOUR / 2 - 1, "nothing of the past is gone: {segments}");
        seen.push((HELD.load(Ordering::Relaxed), segments, rendition.held_bytes()));
    }
    let ((first, few, media_first), (last, many, media_last)) = (seen[0], seen[23]);
    let place = (last - first) / (many - few);
    println!("{first} bytes after an hour, {last} after a day: {place} bytes for each of {many} segments");
    println!("of them media: {media_first}, {media_last}");
    assert!(place <= PLACE, "{place} bytes for a segment in storage");
    assert!(media_last <= media_first + 4 * PICTURE as u64, "{media_last} of media after {media_first}");
}
