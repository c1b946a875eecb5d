//! Media goes to another store: whenever the process dies or the power fails, it is here, or known to be there, or both.

mod common;

use std::path::Path;
use std::sync::Arc;

use archive::files::{Disk, Files};
use archive::moved::{self, Moved};
use archive::{Contents, Sync, integrity, recover, removal};
use common::faulty::Faulty;
use common::{Aired, record, writer};

const FOLDER: &str = "/r";

/// A recording that is over, and what there is to move.
fn recorded() -> (Faulty, Contents, Moved) {
    let faulty = Faulty::default();
    let files: Arc<dyn Files> = Arc::new(faulty.clone());
    record(&mut writer(&files, Path::new(FOLDER), Sync::Segment), &Aired::stream(2, 4).steps);
    let contents = recover::read(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    let there =
        (0..).zip(&contents.files).map(|(id, file)| (file.name.clone(), contents.end_of(id))).collect();
    (faulty, contents, there)
}

/// Nothing is lost, also where the recording is gone on with.
fn check(faulty: &Faulty, before: &Contents, there: &Moved) {
    let folder = Path::new(FOLDER);
    let here = faulty.list(folder).expect("listed");
    let known = moved::read(faulty, folder).expect("readable");
    for (name, len) in there {
        let is_here = here.iter().any(|it| it.name == *name && it.len == *len);
        assert!(is_here || known.get(name) == Some(len), "{name} is neither here nor known to be there");
    }
    let recovered = recover::open(faulty, folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(recovered.repairs.lost, 0);
    assert_eq!(integrity::report(&recovered.contents), integrity::report(before));
    assert_eq!(integrity::verify(faulty, folder, &recovered.contents).damaged, []);
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    let (start, contents, there) = recorded();
    let calls = {
        let whole = start.copy();
        moved::move_out(&whole, Path::new(FOLDER), &there).expect("moved");
        assert!(whole.list(Path::new(FOLDER)).expect("listed").iter().all(|it| !it.name.ends_with(".mp4")));
        check(&whole, &contents, &there);
        whole.calls() - start.calls()
    };
    for call in 0..=calls {
        for power in [None, Some(1), Some(77)] {
            let faulty = start.copy();
            faulty.die_at(start.calls() + call);
            let _ = moved::move_out(&faulty, Path::new(FOLDER), &there);
            match power {
                Some(seed) => faulty.cut_power(seed + call as u64),
                None => faulty.revive(),
            }
            check(&faulty, &contents, &there);
            moved::move_out(&faulty, Path::new(FOLDER), &there).expect("the same call goes on");
            check(&faulty, &contents, &there);
        }
    }
}

#[test]
fn what_was_moved_is_counted_where_it_is() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("e/rec_1");
    std::fs::create_dir_all(&folder).expect("created");
    std::fs::write(folder.join("index"), b"123").expect("written");
    std::fs::write(folder.join("video-1.1.1.mp4"), b"12345").expect("written");
    let there = [("video-1.1.1.mp4".to_owned(), 5)].into();
    moved::move_out(&Disk, &folder, &there).expect("moved");
    let [kept] = &removal::recordings(&Disk, root.path()).expect("listed")[..] else { panic!("one") };
    let list = std::fs::metadata(folder.join("moved")).expect("there").len();
    assert_eq!((kept.bytes, kept.elsewhere), (3 + list, 5));
}

#[test]
fn an_index_that_is_damaged_is_not_made_anew_of_nothing() {
    let (faulty, _, there) = recorded();
    moved::move_out(&faulty, Path::new(FOLDER), &there).expect("moved");
    let index = Path::new(FOLDER).join("index");
    let middle = faulty.read(&index, 0, usize::MAX).expect("readable").len() / 2;
    faulty.flip(&index, middle);
    let opened = recover::open(&faulty, Path::new(FOLDER));
    assert!(matches!(opened, Err(recover::Error::Moved { .. })), "{opened:?}");
}
