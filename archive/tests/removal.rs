//! Taking recordings away: whenever the process dies, a recording is there whole, or it is gone once somebody has
//! cleaned up.

mod common;

use std::path::Path;
use std::sync::Arc;

use archive::files::{Disk, Files};
use archive::{Sync, recover, removal};
use common::faulty::Faulty;
use common::{Aired, record, stored_parts, writer};

const ROOT: &str = "/data/recordings";
const ENTRY: &str = "0_k3x9p2ab";

/// Two recordings of an entry.
fn two() -> (Faulty, Aired) {
    let (faulty, aired) = (Faulty::default(), Aired::stream(1, 6));
    for recording in ["rec_00000001", "rec_00000002"] {
        record_into(&faulty, recording, &aired);
    }
    (faulty, aired)
}

fn record_into(faulty: &Faulty, recording: &str, aired: &Aired) {
    let files: Arc<dyn Files> = Arc::new(faulty.clone());
    let mut writer = writer(&files, &folder(recording), Sync::Segment);
    record(&mut writer, &aired.steps);
    writer.finish(std::time::Instant::now()).expect("finished");
}

fn folder(recording: &str) -> std::path::PathBuf {
    Path::new(ROOT).join(ENTRY).join(recording)
}

fn names(files: &dyn Files) -> Vec<String> {
    let mut names: Vec<_> = removal::recordings(files, Path::new(ROOT))
        .expect("listed")
        .into_iter()
        .map(|it| it.recording)
        .collect();
    names.sort();
    names
}

fn remove(files: &dyn Files, recording: &str) -> std::io::Result<()> {
    removal::remove(files, Path::new(ROOT), ENTRY, recording)
}

#[test]
fn a_recording_that_is_taken_away_leaves_nothing_and_the_other_alone() {
    let (faulty, aired) = two();
    let found = removal::recordings(&faulty, Path::new(ROOT)).expect("listed");
    assert_eq!(found.iter().map(|it| it.bytes).sum::<u64>(), faulty.used(), "sizes are those of the files");
    let before = faulty.used();
    remove(&faulty, "rec_00000001").expect("removed");
    assert_eq!((names(&faulty), faulty.used()), (vec!["rec_00000002".to_owned()], before / 2));
    let left = recover::read(&faulty, &folder("rec_00000002")).expect("readable");
    aired.check_bytes(&faulty, &folder("rec_00000002"), &left);
    remove(&faulty, "rec_00000001").expect("what is not there is removed already");
}

#[test]
fn a_crash_at_any_step_leaves_all_of_it_or_what_is_cleaned_up() {
    let (whole, aired) = two();
    let dry = whole.copy();
    let before = dry.calls();
    remove(&dry, "rec_00000001").expect("removed");
    let steps = dry.calls() - before;
    assert!(steps > 4, "rename, sync, several files, the folder: {steps}");
    for step in 1..=steps {
        for power in [false, true] {
            let faulty = whole.copy();
            faulty.die_at(before + step);
            let done = remove(&faulty, "rec_00000001");
            faulty.revive();
            if power {
                faulty.cut_power(step as u64);
            }
            check(&faulty, &aired, &format!("step {step} ({done:?}), power {power}"));
        }
    }
}

/// After a crash in a removal: the other recording is whole; this one is whole, or nothing of it is found or left.
fn check(faulty: &Faulty, aired: &Aired, what: &str) {
    let found = names(faulty);
    assert!(found.contains(&"rec_00000002".to_owned()), "{what}: {found:?}");
    for recording in &found {
        let contents = recover::read(faulty, &folder(recording)).unwrap_or_else(|it| panic!("{what}: {it}"));
        aired.check_bytes(faulty, &folder(recording), &contents);
        let parts: usize = stored_parts(&contents).values().map(|parts| *parts as usize).sum();
        assert_eq!(parts, aired.segments.values().map(Vec::len).sum::<usize>(), "{what}: {recording}");
    }
    removal::clean(faulty, Path::new(ROOT)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let held = removal::recordings(faulty, Path::new(ROOT)).expect("listed").iter().map(|it| it.bytes).sum();
    assert_eq!(faulty.used(), held, "{what}: nothing that nobody finds is left");
    let folders = faulty.folders(&Path::new(ROOT).join(ENTRY)).expect("listed");
    assert_eq!(folders.len(), found.len(), "{what}: {folders:?}");
}

#[test]
fn what_the_file_system_refuses_is_taken_away_by_the_next_try() {
    for (call, name) in
        [("rename", "rec_00000001"), ("sync", ENTRY), ("remove", "index"), ("remove", ".trash")]
    {
        let (faulty, _) = two();
        faulty.fail(Some((call, name, 5)));
        assert!(remove(&faulty, "rec_00000001").is_err(), "{call} {name}");
        faulty.fail(None);
        remove(&faulty, "rec_00000001").unwrap_or_else(|error| panic!("{call} {name}: {error}"));
        assert_eq!(names(&faulty), ["rec_00000002"], "{call} {name}");
        assert_eq!(removal::clean(&faulty, Path::new(ROOT)).expect("clean"), 0, "{call} {name}");
    }
}

#[test]
fn cleaning_up_takes_no_recording_and_no_folder_of_others() {
    let root = tempfile::tempdir().expect("a folder");
    for path in
        ["a/rec_1/index", "b/.trash-rec_2/index", "b/.trash-rec_2/video.1.1.mp4", "c/notes/x", "lost+found/y"]
    {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, b"12345").expect("written");
    }
    assert_eq!(removal::clean(&Disk, root.path()).expect("clean"), 1);
    let there = |path: &str| root.path().join(path).exists();
    assert_eq!(
        [there("a/rec_1/index"), there("b"), there("c/notes/x"), there("lost+found/y")],
        [true, false, true, true]
    );
    let kept = removal::recordings(&Disk, root.path()).expect("listed");
    assert!(kept.iter().all(|it| it.elsewhere == 0), "{kept:?}");
    let kept = kept.iter().find(|it| it.recording == "rec_1").expect("listed");
    assert_eq!((kept.entry.as_str(), kept.bytes), ("a", 5));
    assert!(kept.modified > 1_700_000_000_000_000, "microseconds");
    removal::remove(&Disk, root.path(), "a", "rec_1").expect("removed");
    assert!(!there("a/rec_1"));
    assert_eq!(removal::clean(&Disk, &root.path().join("never")).expect("nothing there"), 0);
}

#[test]
fn names_do_not_leave_the_root() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(root.path().join("in/x")).expect("created");
    std::fs::create_dir_all(root.path().join("out")).expect("created");
    for (entry, recording) in
        [("..", "out"), ("x", "../../out"), ("", "x"), ("x", ""), (".", "x"), ("x", ".trash-y")]
    {
        let refused = removal::remove(&Disk, &root.path().join("in"), entry, recording).expect_err("refused");
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput, "{entry} {recording}");
    }
    assert!(root.path().join("out").exists());
}
