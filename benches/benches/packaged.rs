//! What a second of media costs the packager: instructions and allocations, which no busy machine changes.
//!
//! `cargo bench -p headwater-bench --bench packaged`. Instructions are counted by valgrind where it is installed: of this
//! program, which packages from memory, and of ffmpeg, which copies a file into HLS with fragmented MP4. Each runs twice,
//! for a short and for a long stream, so that what comes before and after the media falls away.

mod publisher;

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use packager::Settings;

use crate::publisher::Publisher;

/// Seconds of the two streams whose difference is counted.
const SHORT: u64 = 60;
const LONG: u64 = 180;

/// Seconds of a group of pictures.
const GOP: u64 = 2;

/// Counts what is asked of the system's allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

// The one thing that a counter of allocations cannot do without.
#[allow(unsafe_code)]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size() as u64, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("package") => {
            let seconds =
                arguments.next().and_then(|seconds| seconds.parse().ok()).expect("how many seconds");
            package(&mut Publisher::new(Settings::default()), seconds);
        }
        _ => report(),
    }
}

fn package(publisher: &mut Publisher, seconds: u64) {
    (0..seconds / GOP).for_each(|_| {
        publisher.gop();
    });
}

fn report() {
    let mut publisher = Publisher::new(Settings::default());
    package(&mut publisher, SHORT);
    let before = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
    let samples: u64 = (0..LONG / GOP).map(|_| publisher.gop()).sum();
    let per_second = |now: u64, before: u64| (now - before) as f64 / LONG as f64;
    println!("a second of 720p30 and AAC at 5 Mbit/s, {:.0} samples:", samples as f64 / LONG as f64);
    println!("  allocations            {:>12.0}", per_second(ALLOCATIONS.load(Relaxed), before.0));
    println!("  bytes of allocations   {:>12.0}", per_second(BYTES.load(Relaxed), before.1));
    let own = env::current_exe().expect("this program has a path");
    let ours = between(|seconds| instructions(own.as_os_str(), &["package", &seconds.to_string()]));
    let theirs = between(|seconds| {
        let text = seconds.to_string();
        let file = env::temp_dir().join(format!("headwater-packaged-{}-{seconds}", std::process::id()));
        let found = prepare(&file, &text).and_then(|()| copy(&file));
        let _ = std::fs::remove_dir_all(&file);
        found
    });
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            println!("  instructions           {ours:>12.0}");
            println!("  of ffmpeg -c copy      {theirs:>12.0}   ratio {:.3}", ours / theirs);
        }
        (Some(ours), None) => println!("  instructions           {ours:>12.0}   (no ffmpeg to compare with)"),
        _ => println!("  instructions           not counted: valgrind is not installed"),
    }
}

/// Per second of media, of what a run of so many seconds counts.
fn between(count: impl Fn(u64) -> Option<u64>) -> Option<f64> {
    Some(count(LONG)?.saturating_sub(count(SHORT)?) as f64 / (LONG - SHORT) as f64)
}

/// Instructions of a program from its begin to its end.
fn instructions(program: &OsStr, arguments: &[&str]) -> Option<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args(arguments);
    let output = valgrind.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}

/// A file with about the same stream, in a folder of its own.
fn prepare(folder: &std::path::Path, seconds: &str) -> Option<()> {
    std::fs::create_dir_all(folder).ok()?;
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args([
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=1280x720:r=30",
        "-f",
        "lavfi",
        "-i",
        "sine=r=48000",
    ]);
    ffmpeg.args(["-t", seconds, "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-keyint_min", "60"]);
    ffmpeg.args(["-b:v", "4.8M", "-maxrate", "4.8M", "-bufsize", "4.8M", "-nal-hrd", "cbr"]);
    ffmpeg.args(["-c:a", "aac", "-b:a", "112k", "-f", "flv"]).arg(folder.join("in.flv"));
    ffmpeg.stdin(Stdio::null()).status().ok()?.success().then_some(())
}

fn copy(folder: &std::path::Path) -> Option<u64> {
    let (input, output) = (folder.join("in.flv"), folder.join("out.m3u8"));
    let (input, output) = (input.to_str()?, output.to_str()?);
    let arguments = ["-v", "error", "-i", input, "-c", "copy", "-f", "hls", "-hls_time", "2"];
    let hls = ["-hls_segment_type", "fmp4", "-hls_list_size", "15", output];
    instructions(OsStr::new("ffmpeg"), &[&arguments[..], &hls].concat())
}
