//! What could be had as MPEG-TS at any time on the way: it never changes, never goes away, and never is long in coming.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use media::Kind;
use packager::ts::{Absent, Program, program};
use packager::{Presentation, Rendition};

/// Programs by rendition and number.
#[derive(Default)]
pub struct Witness(pub BTreeMap<(Arc<str>, u64), Program>);

impl Witness {
    pub fn look(&mut self, presentation: Option<&Presentation>) {
        let all = presentation.iter().flat_map(|presentation| &presentation.renditions);
        for rendition in all.filter(|rendition| rendition.kind == Kind::Video) {
            self.look_at(presentation.expect("it has a rendition"), rendition);
        }
    }

    fn look_at(&mut self, presentation: &Presentation, rendition: &Rendition) {
        let end = rendition.last().map_or(0, |last| last.wall_time().plus(last.span()).micros());
        // Timestamps of two tracks may lie 10 s apart, and one that falls silent is waited for.
        let most = 10_000_000 + i64::from(presentation.session.target_duration) * 4_000_000;
        for (&number, segment) in &rendition.segments {
            let key = (rendition.name.clone(), number);
            match (program(presentation, rendition, number), self.0.get(&key)) {
                (Ok(now), Some(before)) => assert!(now == *before, "{key:?} has two bodies"),
                (Ok(now), None) => drop(self.0.insert(key, now)),
                (Err(Absent::Gone), _) => {
                    assert!(segment.is_gap() || is_old(presentation, number), "{key:?} cannot be had");
                }
                (Err(Absent::NotYet), Some(_)) => panic!("{key:?} was there"),
                (Err(Absent::NotYet), None) => {
                    assert!(!presentation.ended, "{key:?} is still to come");
                    assert!(end - segment.wall_time().micros() <= most, "{key:?} is long in coming");
                }
            }
        }
    }
}

/// Whether no playlist that goes on lists it: its sound may be gone before its picture is.
fn is_old(presentation: &Presentation, number: u64) -> bool {
    let first = |rendition: &Arc<Rendition>| rendition.window().next().map(|first| first.number);
    presentation.renditions.iter().filter_map(first).max().is_some_and(|first| number < first)
}
