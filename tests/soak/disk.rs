//! A disk that fails under a recording: live goes on, what is lost is said, and what is not said to be lost is there.

use std::fs;

use crate::fault::{Fault, RENAME, SYNC};
use crate::stage::{Stage, VIDEO, told};
use crate::support::within;
use crate::volume::Volume;

const MEGABYTE: u64 = 1 << 20;

/// What could not be made safe is not in the recording, and the rest is, frame by frame.
#[test]
fn while_syncs_fail_live_goes_on_and_the_recording_says_what_it_lost() {
    let mut stage = Stage::new(24);
    stage.publish(0);
    stage.goes_on(3);
    let events = stage.events();
    let Some(fault) = Fault::inject(&stage.server, SYNC, "error=EIO", &[]) else { return };
    stage.goes_on(3);
    fault.over();
    let lost = told(&events, "recording.lost");
    told(&events, "recording.resumed");
    stage.goes_on(2);
    stage.play_out();
    stage.end();
    let played = stage.on_demand(VIDEO);
    let holes = stage.reel.index(VIDEO).holes(&played.frames, 0);
    assert_eq!(holes, Ok(1), "{lost:?}\n{:?}", played.media);
    assert_eq!(stage.in_files(VIDEO), played.frames, "what is lost is in no file either");
    let seconds: f64 = played.seconds().values().sum();
    let frames = played.frames.len() as f64 / 25.0;
    assert!((seconds - frames).abs() < 0.1, "{frames} s of frames, {seconds} s listed");
}

/// Somebody removes the folder of a recording: that is told, live goes on, and so does the show in a new recording.
#[test]
fn when_its_folder_is_removed_live_goes_on_and_a_new_recording_begins() {
    let mut stage = Stage::new(20);
    stage.publish(0);
    stage.goes_on(3);
    let events = stage.events();
    fs::remove_dir_all(stage.folder()).expect("a folder of ours");
    let lost = told(&events, "recording.lost");
    assert_eq!(lost.data["data"]["reason"], "failed", "{lost:?}");
    told(&events, "recording.started");
    stage.goes_on(3);
    stage.play_out();
    stage.end();
    let played = stage.on_demand(VIDEO);
    assert!(!played.frames.is_empty());
    let holes = stage.reel.index(VIDEO).holes(&played.frames, 0);
    assert_eq!(holes, Ok(0), "what was removed was still in memory");
}

/// A disk that is full, whatever was to stay free of it.
#[test]
fn on_a_full_disk_live_goes_on_and_the_recording_does_when_there_is_room() {
    let mut stage = Stage::new(24);
    let Some(volume) = Volume::over(&stage.recordings(), "size=64m") else { return };
    stage.publish(0);
    stage.goes_on(3);
    let events = stage.events();
    volume.leave(MEGABYTE / 4);
    let lost = told(&events, "recording.lost");
    assert_eq!(lost.data["data"]["reason"], "no-space", "{lost:?}");
    stage.goes_on(3);
    volume.leave(64 * MEGABYTE);
    told(&events, "recording.resumed");
    stage.goes_on(2);
    stage.play_out();
    stage.end();
    let played = stage.on_demand(VIDEO);
    let holes = stage.reel.index(VIDEO).holes(&played.frames, 0);
    assert_eq!(holes, Ok(1), "{lost:?}\n{:?}", played.media);
    assert_eq!(stage.in_files(VIDEO), played.frames, "what is lost is in no file either");
}

/// Instead of what was there, there is a file system that takes nothing; then what was there is back.
#[test]
fn when_another_file_system_that_takes_nothing_lies_over_it_live_goes_on() {
    let mut stage = Stage::new(24);
    stage.publish(0);
    stage.goes_on(3);
    let events = stage.events();
    let Some(volume) = Volume::over(&stage.recordings(), "ro") else { return };
    let lost = told(&events, "recording.lost");
    assert_eq!(lost.data["data"]["reason"], "failed", "{lost:?}");
    stage.goes_on(3);
    drop(volume);
    told(&events, "recording.started");
    stage.goes_on(2);
    stage.play_out();
    stage.end();
    let played = stage.on_demand(VIDEO);
    assert!(!played.frames.is_empty());
}

/// Nothing replaces a file: viewers notice nothing, and after the process died no number is given a second time.
#[test]
fn while_renames_fail_live_goes_on_and_no_number_comes_twice() {
    let mut stage = Stage::new(40);
    stage.publish(0);
    stage.goes_on(3);
    let Some(fault) = Fault::inject(&stage.server, RENAME, "error=EIO", &[]) else { return };
    stage.goes_on(3);
    let aired = stage.media();
    let mut stage = stage.restart();
    drop(fault);
    stage.publish(aired.segments.len() * 25);
    let again = within(30, "it goes on", || Some(stage.media()).filter(|media| media.discontinuities() > 0));
    let first = again.segments.iter().rev().find(|segment| segment.discontinuity).expect("it came back");
    assert!(first.number > aired.last().number, "{} after {}", first.number, aired.last().number);
}
