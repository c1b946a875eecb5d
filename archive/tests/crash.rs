//! Whenever the process dies or the power fails: what is there afterwards is what was on air, byte for byte, and what is
//! missing is at most what the sync policy says.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::files::Files;
use archive::recover::{self, Repairs};
use archive::{Contents, Step, Sync, Writer, integrity};
use common::faulty::Faulty;
use common::{Aired, record, stored_parts, writer};
use packager::Record;

const FOLDER: &str = "/r";

fn files(faulty: &Faulty) -> Arc<dyn Files> {
    Arc::new(faulty.clone())
}

/// Records until the process dies. Gives the steps that were taken before.
fn record_until_death(faulty: &Faulty, steps: &[Step], sync: Sync) -> usize {
    let files = files(faulty);
    let policy = common::policy(sync);
    let Ok((mut writer, _)) = Writer::open(files, Path::new(FOLDER), "r".into(), policy, Instant::now(), 0)
    else {
        return 0;
    };
    let start = Instant::now();
    let (mut taken, mut at) = (0, start);
    for step in steps {
        let alive = faulty.is_alive();
        at += Duration::from_millis(100);
        writer.take(std::slice::from_ref(step), at);
        if !(alive && faulty.is_alive()) {
            break;
        }
        taken += 1;
    }
    taken
}

/// A rendition's segment.
type Key = (String, u64);

/// Steps a tenth of a second apart that a rendition's segment waits for those of the others at most.
const TOGETHER: usize = 3;

/// The segments that a sync per segment has made safe after these steps.
fn safe(steps: &[Step]) -> Vec<Key> {
    let (_, all) = promised(steps);
    let names: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let (_, waited) = promised(&steps[..steps.len().saturating_sub(TOGETHER)]);
    let everywhere = |number: u64| names.iter().all(|name| all.contains(&(name.to_string(), number)));
    let whole = all.iter().filter(|(_, number)| names.len() > 1 && everywhere(*number)).cloned();
    whole.chain(waited).collect()
}

/// How many parts of each segment these steps had, and which segments they finished.
fn promised(steps: &[Step]) -> (BTreeMap<Key, u32>, Vec<Key>) {
    let (mut parts, mut finished) = (BTreeMap::new(), Vec::new());
    for step in steps {
        match step {
            Step::Made(Record::Part { rendition, number, .. }) => {
                *parts.entry((rendition.to_string(), *number)).or_default() += 1;
            }
            Step::Made(Record::Segment { rendition, segment, .. }) if !segment.is_gap() => {
                finished.push((rendition.to_string(), segment.number));
            }
            _ => {}
        }
    }
    (parts, finished)
}

fn recover(faulty: &Faulty) -> (Contents, Repairs) {
    let recovered = recover::open(faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    (recovered.contents, recovered.repairs)
}

/// What must hold for whatever was recovered.
fn check(faulty: &Faulty, aired: &Aired, what: &str) -> Contents {
    let (contents, repairs) = recover(faulty);
    assert!(!repairs.rebuilt, "{what}: the index is never lost");
    aired.check_bytes(faulty, Path::new(FOLDER), &contents);
    let read = recover::read(faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stored_parts(&read), stored_parts(&contents), "{what}: what was repaired is written down");
    let (again, repairs) = recover(faulty);
    let unclaimed = repairs.unclaimed.clone();
    assert_eq!(repairs, Repairs { unclaimed, ..Repairs::default() }, "{what}: nothing is left to repair");
    assert_eq!(stored_parts(&again), stored_parts(&contents), "{what}");
    contents
}

/// A recording goes on after it was recovered, and loses nothing of what follows.
fn goes_on(faulty: &Faulty, aired: &Aired, steps: &[Step], what: &str) {
    let before = stored_parts(&check(faulty, aired, what));
    let files = files(faulty);
    record(&mut writer(&files, Path::new(FOLDER), Sync::Segment), steps);
    let contents = recover::read(faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    aired.check_bytes(faulty, Path::new(FOLDER), &contents);
    let after = stored_parts(&contents);
    let (parts, _) = promised(steps);
    assert!(before.iter().chain(&parts).all(|(key, parts)| after.get(key) == Some(parts)), "{what}");
    let verified = integrity::verify(faulty, Path::new(FOLDER), &contents);
    assert_eq!(verified.damaged, [], "{what}");
}

/// The steps of the first period and of the second.
fn halves(aired: &Aired) -> (&[Step], Vec<Step>) {
    let closed = |step: &Step| matches!(step, Step::Made(Record::Closed { .. }));
    let middle = aired.steps.iter().position(closed).expect("two periods");
    let session = std::slice::from_ref(&aired.steps[0]);
    (&aired.steps[..middle], [session, &aired.steps[middle + 1..]].concat())
}

fn calls(aired: &Aired, sync: Sync) -> usize {
    let faulty = Faulty::default();
    record_until_death(&faulty, halves(aired).0, sync);
    faulty.calls()
}

const POLICIES: [Sync; 3] = [Sync::Part, Sync::Segment, Sync::Interval(Duration::from_secs(1))];

#[test]
fn a_killed_process_loses_at_most_what_it_was_writing() {
    let aired = Aired::stream(2, 5);
    let (steps, more) = halves(&aired);
    for sync in POLICIES {
        for call in 0..=calls(&aired, sync) {
            let what = format!("{sync:?}, killed in call {call}");
            let faulty = Faulty::default();
            faulty.die_at(call);
            let taken = record_until_death(&faulty, steps, sync);
            faulty.revive();
            let stored = stored_parts(&check(&faulty, &aired, &what));
            let (parts, _) = promised(&steps[..taken]);
            let lost = parts.iter().find(|(key, parts)| stored.get(key).is_none_or(|stored| stored < parts));
            assert_eq!(lost, None, "{what}: was taken and is lost");
            goes_on(&faulty, &aired, &more, &what);
        }
    }
}

#[test]
fn a_power_cut_loses_at_most_what_the_policy_says() {
    let aired = Aired::stream(2, 5);
    let (steps, more) = halves(&aired);
    for sync in POLICIES {
        for call in 0..=calls(&aired, sync) {
            for seed in 1..6 {
                let what = format!("{sync:?}, power cut in call {call}, seed {seed}");
                let faulty = Faulty::default();
                faulty.die_at(call);
                let taken = record_until_death(&faulty, steps, sync);
                faulty.cut_power(seed * 7919 + call as u64);
                let stored = stored_parts(&check(&faulty, &aired, &what));
                let kept = match sync {
                    Sync::Interval(_) => steps[..taken.saturating_sub(11)].to_vec(),
                    _ => steps[..taken].to_vec(),
                };
                let (parts, _) = promised(&kept);
                let finished = safe(&kept);
                for (key, parts) in &parts {
                    let must = sync != Sync::Segment || finished.contains(key);
                    let there = stored.get(key).copied().unwrap_or(0);
                    assert!(!must || there >= *parts, "{what}: {there} of {parts} parts of {key:?}");
                }
                if seed == 1 {
                    goes_on(&faulty, &aired, &more, &what);
                }
            }
        }
    }
}

#[test]
fn a_recovery_that_is_interrupted_itself_loses_nothing() {
    let aired = Aired::stream(2, 5);
    let (steps, _) = halves(&aired);
    let total = calls(&aired, Sync::Part);
    for call in (3..total).step_by(7) {
        let faulty = Faulty::default();
        faulty.die_at(call);
        let taken = record_until_death(&faulty, steps, Sync::Part);
        faulty.cut_power(call as u64);
        let (parts, _) = promised(&steps[..taken]);
        for death in 1..8 {
            for power in [false, true] {
                let faulty = faulty.copy();
                faulty.die_at(faulty.calls() + death);
                let _ = recover::open(&faulty, Path::new(FOLDER));
                if power {
                    faulty.cut_power(death as u64)
                } else {
                    faulty.revive()
                }
                let what = format!("cut in call {call}, recovery cut in call {death}");
                let stored = stored_parts(&check(&faulty, &aired, &what));
                assert!(parts.iter().all(|(key, parts)| stored.get(key) >= Some(parts)), "{what}");
            }
        }
    }
}
