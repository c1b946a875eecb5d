//! The files of a recording in the hands of others: ordinary fragmented MP4 with exactly what the encoder sent.

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use archive::files::{Disk, Files};
use archive::{Sync, recover};
use common::capture::{CAPTURE, publish};
use common::{Aired, record, writer};

#[test]
fn ffmpeg_decodes_the_files_of_a_recording_and_finds_what_the_encoder_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk: Arc<dyn Files> = Arc::new(Disk);
    let aired = Aired::of(&publish());
    let at = folder.path().join("recording");
    let mut writer = writer(&disk, &at, Sync::Part);
    record(&mut writer, &aired.steps);
    let capture = folder.path().join("capture.flv");
    std::fs::write(&capture, CAPTURE).expect("written");

    let contents = recover::read(&*disk, &at).unwrap_or_else(|error| panic!("{error}"));
    aired.check_bytes(&*disk, &at, &contents);
    assert_eq!(contents.files.len(), 2);
    for file in &contents.files {
        let (path, map) = (at.join(&file.name), if file.name.starts_with("video") { "0:v" } else { "0:a" });
        let (sent, stored) = (packets(&capture, map), packets(&path, "0"));
        assert!(sent.len() > 90, "{} packets", sent.len());
        assert_eq!(stored, sent, "{}", file.name);
        assert_eq!(decoded(&path, "0"), decoded(&capture, map), "{}", file.name);
    }
}

/// The hash of each packet.
fn packets(path: &Path, map: &str) -> Vec<String> {
    hashes(path, &["-map", map, "-c", "copy"])
}

/// The hash of each decoded picture or frame of sound; a decoding error fails.
fn decoded(path: &Path, map: &str) -> Vec<String> {
    hashes(path, &["-map", map, "-fps_mode", "passthrough"])
}

fn hashes(path: &Path, options: &[&str]) -> Vec<String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-xerror", "-i"]).arg(path).args(options).args(["-f", "framehash", "-"]);
    let output = command.output().unwrap_or_else(|error| panic!("ffmpeg: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{}: {errors}", path.display());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap_or_default().trim().to_owned()).collect()
}
