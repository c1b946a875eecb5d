//! Memory held for a stream is little more than its media bytes.
//!
//! The one test of this file has the process to itself, because it counts every allocation in it.
#![allow(unsafe_code)]

mod in_process;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use in_process::Encoder;
use packager::Settings;

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

#[test]
fn what_is_held_is_at_most_a_quarter_more_than_the_media_in_the_window() {
    let before = HELD.load(Ordering::Relaxed);
    let mut encoder = Encoder::on_air(Settings::default(), 4096);
    let mut seen = Vec::new();
    // The window is full after a minute; from then on what comes must let as much go.
    for minute in 1..=4 {
        encoder.run(60);
        let held = HELD.load(Ordering::Relaxed) - before;
        let presentation = encoder.presentation();
        let finished = presentation.renditions.iter().flat_map(|r| r.segments.values()).map(|s| s.len());
        let open = presentation.renditions.iter().flat_map(|r| &r.open).flat_map(|open| &open.parts);
        let media = finished.sum::<u64>() + open.map(|part| part.len).sum::<u64>();
        let ratio = held as f64 / media as f64;
        println!("minute {minute}: {held} bytes held for {media} bytes of media, {ratio:.3}");
        seen.push(ratio);
    }
    assert!(seen[1..].iter().all(|&ratio| ratio <= 1.25), "{seen:?}");
    assert!(seen[3] <= seen[1] + 0.02, "it does not grow: {seen:?}");
}
