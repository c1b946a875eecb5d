//! A stream to record, and what a recording must be of it.
#![allow(dead_code)]

pub mod capture;
pub mod faulty;
#[path = "../../../packager/tests/common/mod.rs"]
pub mod publisher;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::contents::{Contents, Place};
use archive::files::Files;
use archive::{Outcome, Policy, Step, Sync, Writer};
use container::index::Kind;
use media::WallTime;
use packager::{Content, Record, Session, Settings};
use publisher::Publisher;

/// A stream: everything that the packager made, step by step, and what of it must be read back.
pub struct Aired {
    pub steps: Vec<Step>,
    /// The parts of each segment, by rendition and number.
    pub segments: BTreeMap<(String, u64), Vec<Vec<u8>>>,
}

impl Aired {
    /// `periods` of about `seconds` each, with a session's end behind the last.
    pub fn stream(periods: u32, seconds: i64) -> Aired {
        let mut publisher = Publisher::new(Settings::default()).both();
        for period in 0..i64::from(periods) {
            publisher.live(period * (seconds + 2) * 1000, seconds * 30, 30, 30, true);
            publisher.interrupt();
        }
        publisher.end();
        Aired::of(&publisher)
    }

    pub fn of(publisher: &Publisher) -> Aired {
        let session = publisher.presentation().session.clone();
        let made = publisher.log.iter().cloned().map(Step::Made);
        let steps: Vec<Step> = [Step::Session(session)].into_iter().chain(made).collect();
        let mut segments = BTreeMap::<_, Vec<Vec<u8>>>::new();
        for record in &publisher.log {
            if let Record::Part { rendition, number, part, .. } = record {
                let bytes = part.pieces().flatten().copied().collect();
                segments.entry((rendition.to_string(), *number)).or_default().push(bytes);
            }
        }
        Aired { steps, segments }
    }

    pub fn session(&self) -> &Arc<Session> {
        match &self.steps[0] {
            Step::Session(session) => session,
            _ => panic!("a stream begins with its session"),
        }
    }

    /// Numbers of the segments of a rendition, in order.
    pub fn numbers(&self, rendition: &str) -> Vec<u64> {
        self.segments.keys().filter(|(name, _)| name == rendition).map(|(_, number)| *number).collect()
    }

    /// Everything that is stored is, byte for byte, what was on air: whole segments whole, others their first parts.
    pub fn check_bytes(&self, files: &dyn Files, folder: &Path, contents: &Contents) {
        for rendition in &contents.renditions {
            for entry in &rendition.segments {
                let Place::Stored { file, offset, len, parts, whole, .. } = entry.place else { continue };
                let path = folder.join(&contents.files[file as usize].name);
                let stored = files.read(&path, offset, len as usize).expect("readable");
                let key = (rendition.name.to_string(), entry.number);
                let aired = self.segments.get(&key).unwrap_or_else(|| panic!("{key:?} was never on air"));
                let all = parts as usize == aired.len();
                assert!(!whole || all, "{key:?} is said to be whole with {parts} of {} parts", aired.len());
                assert!(parts as usize <= aired.len());
                assert!(stored == aired[..parts as usize].concat(), "{key:?} is not what was on air");
            }
        }
    }
}

/// How many parts of each segment a recording has.
pub fn stored_parts(contents: &Contents) -> BTreeMap<(String, u64), u32> {
    let mut stored = BTreeMap::new();
    for rendition in &contents.renditions {
        for entry in &rendition.segments {
            if let Place::Stored { parts, .. } = entry.place {
                stored.insert((rendition.name.to_string(), entry.number), parts);
            }
        }
    }
    stored
}

pub fn policy(sync: Sync) -> Policy {
    Policy { sync, keep_free: 0 }
}

pub fn writer(files: &Arc<dyn Files>, folder: &Path, sync: Sync) -> Writer {
    let open = Writer::open(files.clone(), folder, Arc::from("r"), policy(sync), Instant::now(), 0);
    open.unwrap_or_else(|error| panic!("{error}")).0
}

/// Records a stream, a step at a time.
pub fn record(writer: &mut Writer, steps: &[Step]) -> Vec<Outcome> {
    let start = Instant::now();
    let at = |step: usize| start + Duration::from_millis(100 * step as u64);
    steps.iter().enumerate().flat_map(|(step, it)| writer.take(std::slice::from_ref(it), at(step))).collect()
}

pub fn is_media(content: &Content) -> bool {
    *content != Content::Gap
}

pub const VIDEO: Kind = Kind::Video;
pub const EPOCH: WallTime = WallTime::from_millis(0);
