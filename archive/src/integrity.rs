//! What a recording has and lacks, and whether what it has is what was written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use container::index::Reason;

use crate::contents::{Contents, Gap, Place, Recorded};
use crate::files::Files;
use crate::moved;
use crate::recover::{checksum, is_estimated};

/// What a recording has and lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Rendition by rendition.
    pub renditions: Vec<RenditionReport>,
    /// Whether wall-clock times and sessions are estimated, because the index was lost.
    pub estimated: bool,
}

/// What a recording has and lacks of a rendition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenditionReport {
    /// Its name.
    pub name: String,
    /// Segments that it had on air, from its first one here to the end of the recording.
    pub expected: u64,
    /// Those that are here, whole.
    pub stored: u64,
    /// Those of which only the first parts are here.
    pub partial: u64,
    /// Those that had no media on air either.
    pub silent: u64,
    /// Bytes of media.
    pub bytes: u64,
    /// What is missing, and why; in order, without overlap.
    pub gaps: Vec<Gap>,
}

/// What a look at the bytes themselves found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verification {
    /// Segments looked at.
    pub checked: u64,
    /// Those that are not what was written.
    pub damaged: Vec<Damaged>,
    /// Those that were moved to another store, and not looked at.
    pub elsewhere: Vec<Elsewhere>,
}

/// A segment that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// Of which rendition.
    pub rendition: String,
    /// Its number.
    pub number: u64,
    /// Whether there is nothing of it, or nothing that can be read.
    pub missing: bool,
}

/// A segment that was moved to another store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elsewhere {
    /// Of which rendition.
    pub rendition: Arc<str>,
    /// Its number.
    pub number: u64,
    /// In which file.
    pub file: Arc<str>,
    /// Where in it, in bytes.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// CRC-32 of them.
    pub checksum: u32,
}

impl Elsewhere {
    /// What is found of it, if that is something else than what was written: with this CRC-32, or nothing.
    pub fn judge(&self, found: Option<u32>) -> Option<Damaged> {
        judge(&self.rendition, self.number, self.checksum, found)
    }
}

impl Report {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.renditions.iter().all(|it| it.gaps.is_empty() && it.partial == 0)
    }
}

/// What a recording has and lacks, as far as its index tells.
pub fn report(contents: &Contents) -> Report {
    let known = known_numbers(contents);
    let renditions = contents.renditions.iter().map(|rendition| of_rendition(rendition, &known)).collect();
    Report { renditions, estimated: is_estimated(contents) }
}

/// Reads every segment that is here and compares its checksum; what was moved to another store is only listed. Takes as
/// long as reading the whole recording.
pub fn verify(files: &dyn Files, folder: &Path, contents: &Contents) -> Verification {
    verify_while(files, folder, contents, &|| true)
}

/// The same for as long as somebody waits for it: it is asked before each segment, and what was found until then is said.
pub fn verify_while(
    files: &dyn Files,
    folder: &Path,
    contents: &Contents,
    is_wanted: &dyn Fn() -> bool,
) -> Verification {
    let mut found = Verification::default();
    let moved = moved::read(files, folder).unwrap_or_default();
    // One text for all segments of a file.
    let names: Vec<Arc<str>> = contents.files.iter().map(|file| file.name.as_str().into()).collect();
    for rendition in &contents.renditions {
        for entry in &rendition.segments {
            let Place::Stored { file, offset, len, checksum: expected, .. } = entry.place else { continue };
            if !is_wanted() {
                return found;
            }
            let file = names.get(file as usize);
            if let Some(file) = file.filter(|file| moved.contains_key(&***file)) {
                let (rendition, file) = (rendition.name.clone(), file.clone());
                let number = entry.number;
                found.elsewhere.push(Elsewhere { rendition, number, file, offset, len, checksum: expected });
                continue;
            }
            let sum = file.and_then(|file| checksum(files, &folder.join(&**file), offset, len));
            found.checked += 1;
            found.damaged.extend(judge(&rendition.name, entry.number, expected, sum));
        }
    }
    found
}

fn judge(rendition: &str, number: u64, expected: u32, found: Option<u32>) -> Option<Damaged> {
    let damaged = || Damaged { rendition: rendition.to_owned(), number, missing: found.is_none() };
    (found != Some(expected)).then(damaged)
}

/// Every segment number of which some rendition knows.
fn known_numbers(contents: &Contents) -> BTreeSet<u64> {
    let mut known = BTreeSet::new();
    for rendition in &contents.renditions {
        known.extend(rendition.segments.iter().map(|entry| entry.number));
        rendition.gaps.iter().for_each(|gap| known.extend(gap.first..=gap.last));
    }
    known
}

fn of_rendition(rendition: &Recorded, known: &BTreeSet<u64>) -> RenditionReport {
    let mut report = RenditionReport {
        name: rendition.name.to_string(),
        expected: 0,
        stored: 0,
        partial: 0,
        silent: 0,
        bytes: 0,
        gaps: Vec::new(),
    };
    let first = rendition.segments.first().map(|entry| entry.number);
    let first = first.into_iter().chain(rendition.gaps.iter().map(|gap| gap.first)).min();
    let mut here = rendition.segments.iter().peekable();
    for &number in known.range(first.unwrap_or(u64::MAX)..) {
        report.expected += 1;
        let entry = here.next_if(|entry| entry.number == number);
        match entry.map(|entry| entry.place) {
            Some(Place::Stored { len, whole, .. }) => {
                report.bytes += len;
                *(if whole { &mut report.stored } else { &mut report.partial }) += 1;
            }
            Some(Place::Silence { .. }) => report.silent += 1,
            None => missing(&mut report.gaps, number, rendition),
        }
    }
    report
}

/// Adds a number to the gaps, with the last reason that was given for it.
fn missing(gaps: &mut Vec<Gap>, number: u64, rendition: &Recorded) {
    let said = rendition.gaps.iter().rev().find(|gap| (gap.first..=gap.last).contains(&number));
    let (reason, note) = match said {
        Some(gap) => (gap.reason, gap.note.as_str()),
        None => (Reason::Interrupted, "not written before the end"),
    };
    match gaps.last_mut() {
        Some(last) if last.last + 1 == number && last.reason == reason && last.note == note => {
            last.last = number
        }
        _ => gaps.push(Gap { first: number, last: number, reason, note: note.to_owned() }),
    }
}
