//! A recording as one MP4 file in the hands of ffmpeg: every packet of the encoder, decoded without an error.

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use archive::files::{Disk, Files};
use archive::reading::{self, Options};
use archive::{Contents, Shelf, Sync, recover};
use common::capture::{CAPTURE, publish};
use common::{Aired, record, writer};
use packager::Presentation;
use packager::progressive::{Builder, Fragment, Place, Plan};

const OPTIONS: Options = Options { ended: true, partial: false };

fn recorded(folder: &Path) -> (Contents, Shelf) {
    let disk: Arc<dyn Files> = Arc::new(Disk);
    let at = folder.join("r");
    record(&mut writer(&disk, &at, Sync::Part), &Aired::of(&publish()).steps);
    let contents = recover::read(&*disk, &at).unwrap_or_else(|error| panic!("{error}"));
    (contents, Shelf::new(disk, folder.to_owned()))
}

fn download(presentation: &Presentation, shelf: &Shelf, path: &Path) {
    let plan = Plan::new(presentation, None).expect("a plan");
    let mut builder = Builder::new(&plan);
    for (at, segment) in &plan.segments {
        let loaded = shelf.load(segment).expect("readable");
        builder.add(*at, segment, Fragment::in_memory(&loaded)).expect("ours");
    }
    let layout = builder.finish().expect("a file");
    let mut file = layout.head.to_vec();
    for piece in &layout.pieces {
        let Place::Memory(payload) = &piece.place else { panic!("loaded") };
        file.extend(payload.iter().flatten());
    }
    std::fs::write(path, file).expect("written");
}

/// The hash of each packet, or of each decoded picture or frame of sound; an error fails.
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

#[test]
fn ffmpeg_finds_all_that_the_encoder_sent_in_a_downloaded_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let (contents, shelf) = recorded(folder.path());
    let presentation = reading::presentation(&contents, &Arc::from("r"), OPTIONS).expect("shown");
    let (capture, file) = (folder.path().join("capture.flv"), folder.path().join("download.mp4"));
    std::fs::write(&capture, CAPTURE).expect("written");
    download(&presentation, &shelf, &file);
    for map in ["0:v", "0:a"] {
        let copied = |path| hashes(path, &["-map", map, "-c", "copy"]);
        assert!(copied(&capture).len() > 90, "{map}");
        assert_eq!(copied(&file), copied(&capture), "{map}");
        let decoded = |path| hashes(path, &["-map", map, "-fps_mode", "passthrough"]);
        assert_eq!(decoded(&file), decoded(&capture), "{map}");
    }
}

#[test]
fn ffmpeg_decodes_a_clip_of_two_ranges_from_one_end_to_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (contents, shelf) = recorded(folder.path());
    let video = contents.renditions.iter().find(|it| it.name.starts_with("video")).expect("a video");
    let numbers: Vec<u64> = video.segments.iter().map(|it| it.number).collect();
    assert!(numbers.len() >= 3, "{numbers:?}");
    let ranges = [numbers[0]..=numbers[0], numbers[2]..=numbers[2]];
    let clip = reading::clip(&contents, &Arc::from("r"), OPTIONS, &ranges).expect("shown");
    let file = folder.path().join("clip.mp4");
    download(&clip, &shelf, &file);
    for (kind, map) in [("video", "0:v"), ("audio", "0:a")] {
        let rendition = clip.renditions.iter().find(|it| it.name.starts_with(kind)).expect("there");
        let shown: usize = rendition.shown().map(|segment| samples(&shelf, segment)).sum();
        assert_eq!(hashes(&file, &["-map", map, "-c", "copy"]).len(), shown, "{map}");
        assert_eq!(hashes(&file, &["-map", map, "-fps_mode", "passthrough"]).len(), shown, "{map}");
    }
}

fn samples(shelf: &Shelf, segment: &packager::Segment) -> usize {
    let loaded = shelf.load(segment).expect("readable");
    let samples = |part: &Arc<packager::Part>| {
        container::mp4::parse_fragment(&part.header).expect("ours").samples.len()
    };
    loaded.parts().iter().map(samples).sum()
}
