//! A wall clock that is set while streams are on air.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::bystander::{ENTRY, SETTINGS};
use crate::publisher::Publisher;
use crate::support::dash::Mpd;
use crate::support::download::assert_follows;
use crate::support::hls::Media;
use crate::support::server::{BINARY, Entry, Server, Site};
use crate::support::wait::throughout;
use crate::support::within;

/// Where Debian and Ubuntu put the library that tells a process another time.
fn library() -> PathBuf {
    let folders =
        ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"];
    let paths = folders.map(|folder| Path::new(folder).join("libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.exists()).expect("libfaketime: scripts/setup --tests installs it")
}

/// A server with a wall clock of its own.
struct Clock {
    server: Server,
    file: PathBuf,
}

impl Clock {
    fn start() -> Clock {
        let site = Site::new(SETTINGS, &[ENTRY]);
        let file = site.folder().join("clock");
        fs::write(&file, "+0").expect("a file of ours");
        let mut command = Command::new(BINARY);
        command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &file);
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
        Clock { server: site.start_by(command), file }
    }

    /// Sets it to the real time and `seconds`.
    fn set(&self, seconds: i64) {
        let beside = self.file.with_extension("new");
        fs::write(&beside, format!("{seconds:+}")).expect("a file of ours");
        fs::rename(&beside, &self.file).expect("a file of ours");
    }

    /// What the server takes for now: the clock for players, in milliseconds since the Unix epoch.
    fn now(&self) -> f64 {
        let text = self.server.play(ENTRY).wait_for("time");
        let format = &time::format_description::well_known::Rfc3339;
        let time = time::OffsetDateTime::parse(&text, format).unwrap_or_else(|_| panic!("no time: {text:?}"));
        time.unix_timestamp_nanos() as f64 / 1e6
    }
}

fn playlist(play: &Entry) -> Media {
    Media::parse(&play.wait_for("video-1.m3u8"))
}

/// A period goes on as if nothing had happened; the next one begins at the new time, but never before the end of the
/// one before it.
fn check(step: i64) {
    let clock = Clock::start();
    let play = clock.server.play(ENTRY);
    let mut publisher = Publisher::on_air(clock.server.rtmp(), ENTRY, false);
    publisher.run(0, 8, false);
    let before = within(10, "segments", || Some(playlist(&play)).filter(|media| media.segments.len() >= 5));
    let mpd = Mpd::parse(&play.wait_for("manifest.mpd"));
    let real = clock.now();
    clock.set(step);
    let stepped = clock.now() - real;
    assert!((stepped - step as f64 * 1000.0).abs() < 60_000.0, "the clock stepped by {stepped} ms");

    publisher.run(8000, 8, false);
    let after = within(10, "no stall", || {
        Some(playlist(&play)).filter(|media| media.last().number >= before.last().number + 5)
    });
    assert_follows(&before, &after);
    assert_eq!(after.discontinuities(), 0);
    let later = Mpd::parse(&play.wait_for("manifest.mpd"));
    assert_eq!(later.availability_start, mpd.availability_start);
    assert_eq!((later.periods.len(), later.periods[0].start), (1, mpd.periods[0].start));
    assert_next_period(&clock, &after, step);
}

/// The encoder comes back with the clock still wrong.
fn assert_next_period(clock: &Clock, before: &Media, step: i64) {
    let play = clock.server.play(ENTRY);
    let mut publisher = Publisher::on_air(clock.server.rtmp(), ENTRY, false);
    publisher.run(0, 8, false);
    let after = within(10, "a second period", || {
        Some(playlist(&play)).filter(|media| media.segments.iter().any(|segment| segment.discontinuity))
    });
    assert_follows(before, &after);
    let first = after.segments.iter().find(|segment| segment.discontinuity).expect("there is one");
    let last =
        after.segments.iter().rfind(|segment| segment.number < first.number).expect("it is still listed");
    let hole = first.program_date_time - last.end();
    // Sixteen seconds were sent at once, so that media time is as far ahead.
    let least = (step as f64 - 20.0).max(0.0) * 1000.0 - 1.0;
    assert!((least..least + 60_000.0).contains(&hole), "PROGRAM-DATE-TIME stepped by {hole} ms");
    let still = playlist(&play);
    throughout(Duration::from_millis(500), || assert_follows(&still, &playlist(&play)));
}

#[test]
fn a_wall_clock_that_is_set_forward_by_an_hour_stalls_nobody() {
    check(3600);
}

#[test]
fn a_wall_clock_that_is_set_back_by_an_hour_stalls_nobody() {
    check(-3600);
}

#[test]
fn a_leap_second_stalls_nobody() {
    check(1);
}
