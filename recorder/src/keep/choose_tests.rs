//! Which recordings go.

use super::*;

const DAY: i64 = 86_400_000_000;
/// Now, in days.
const NOW: i64 = 100;

fn at(day: i64) -> WallTime {
    WallTime::from_micros(day * DAY)
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// A recording of an entry that ended on a day.
fn ended(entry: &str, day: i64, bytes: u64) -> Candidate {
    Candidate {
        account: Some("acc".into()),
        entry: entry.into(),
        recording: format!("{entry}{day}").into(),
        ended: at(day),
        bytes,
        moved: false,
        bound: None,
        limits: Limits::default(),
    }
}

fn bound(bound: Bound, candidate: Candidate) -> Candidate {
    Candidate { bound: Some(bound), ..candidate }
}

/// Limits of entries, of the account, and free bytes of those that are wanted; then which go, by name.
fn check(
    candidates: &[Candidate],
    entry: Limits,
    account: Limits,
    room: Option<(u64, u64)>,
    expected: &[&str],
) {
    let candidates: Vec<Candidate> =
        candidates.iter().cloned().map(|it| Candidate { limits: entry, ..it }).collect();
    let accounts = HashMap::from([(Arc::from("acc"), account)]);
    let room = room.map(|(free, wanted)| Room { free, wanted, least: wanted });
    let chosen = choose(&candidates, &accounts, at(NOW), room);
    let names: Vec<&str> = chosen.iter().map(|it| &*candidates[it.at].recording).collect();
    assert_eq!(names, expected, "{entry:?} {account:?} {room:?}");
}

const NONE: Limits = Limits { age: None, count: None, bytes: None };

#[test]
fn without_limits_everything_stays_whatever_its_age() {
    let all = [ended("a", 1, 1 << 50), ended("a", 2, 1 << 50), ended("b", 3, 1 << 50)];
    check(&all, NONE, NONE, None, &[]);
    check(&all, NONE, NONE, Some((10, 10)), &[]);
    assert!(choose(&[], &HashMap::new(), at(NOW), Some(Room { free: 0, wanted: 9, least: 9 })).is_empty());
}

#[test]
fn age_counts_from_the_end_and_the_shorter_one_holds() {
    let age = |days_| Limits { age: Some(days(days_)), ..NONE };
    let all = [ended("a", 60, 1), ended("a", 90, 1), ended("b", 70, 1), ended("b", 105, 1)];
    check(&all, age(30), NONE, None, &["a60"]);
    check(&all, NONE, age(20), None, &["a60", "b70"]);
    check(&all, age(35), age(20), None, &["a60", "b70"]);
    check(&all, age(20), age(35), None, &["a60", "b70"]);
    // A clock that was set back makes nothing old.
    check(&[ended("a", 200, 1)], age(1), NONE, None, &[]);
}

#[test]
fn count_keeps_the_newest_of_each_entry_and_of_the_account() {
    let count = |count| Limits { count: Some(count), ..NONE };
    let all = [ended("a", 3, 1), ended("a", 1, 1), ended("a", 2, 1), ended("b", 1, 1), ended("b", 5, 1)];
    check(&all, count(2), NONE, None, &["a1"]);
    check(&all, count(1), NONE, None, &["a1", "b1", "a2"]);
    check(&all, NONE, count(2), None, &["a1", "b1", "a2"]);
    check(&all, count(2), count(3), None, &["a1", "b1"]);
    check(&all, count(0), NONE, None, &["a1", "b1", "a2"]);
}

#[test]
fn size_keeps_the_newest_that_fit_and_the_newest_of_all_whatever_its_size() {
    let size = |bytes| Limits { bytes: Some(bytes), ..NONE };
    let all = [ended("a", 1, 1), ended("a", 2, 10), ended("a", 3, 5), ended("b", 4, 100)];
    check(&all, size(16), NONE, None, &[]);
    check(&all, size(15), NONE, None, &["a1"]);
    // The old small one would fit: but it is older than one that goes.
    check(&all, size(6), NONE, None, &["a1", "a2"]);
    check(&all, size(4), NONE, None, &["a1", "a2"]);
    check(&all, NONE, size(100), None, &["a1", "a2", "a3"]);
}

#[test]
fn what_somebody_needs_stays_and_only_what_is_open_counts() {
    let count = Limits { count: Some(1), ..NONE };
    for (bound_, expected) in
        [(Bound::Open, &["a1", "a2"][..]), (Bound::Protected, &["a1"][..]), (Bound::Referred, &["a1"][..])]
    {
        let all = [ended("a", 1, 1), ended("a", 2, 1), bound(bound_, ended("a", 100, 1))];
        check(&all, count, NONE, None, expected);
        let old = [bound(bound_, ended("a", 1, 1))];
        let strict = Limits { age: Some(days(1)), count: Some(0), bytes: Some(0) };
        check(&old, strict, strict, Some((0, 100)), &[]);
    }
    let protected: Vec<_> = (1..9).map(|day| bound(Bound::Protected, ended("a", day, 50))).collect();
    let all = [protected, vec![ended("a", 9, 1), ended("a", 10, 1)]].concat();
    check(&all, Limits { count: Some(2), bytes: Some(2), ..NONE }, NONE, None, &[]);
}

#[test]
fn room_takes_the_oldest_of_all_until_there_is_enough() {
    let all =
        [ended("a", 5, 10), ended("b", 3, 10), bound(Bound::Protected, ended("c", 1, 99)), ended("a", 4, 10)];
    check(&all, NONE, NONE, Some((5, 6)), &["b3"]);
    check(&all, NONE, NONE, Some((5, 15)), &["b3"]);
    check(&all, NONE, NONE, Some((5, 16)), &["b3", "a4"]);
    check(&all, NONE, NONE, Some((5, 35)), &["b3", "a4", "a5"]);
    // What goes by a limit makes room already.
    check(&all, Limits { count: Some(1), ..NONE }, NONE, Some((5, 15)), &["a4"]);
}

/// It would be lost in the other store for a file or two that are here.
#[test]
fn what_is_in_another_store_does_not_go_for_room_and_counts_with_all_its_bytes() {
    let moved = |candidate| Candidate { moved: true, ..candidate };
    let all = [moved(ended("a", 1, 50)), ended("a", 2, 50), ended("a", 3, 50)];
    check(&all, Limits::default(), Limits::default(), Some((0, 60)), &["a2", "a3"]);
    check(&all[..1], Limits::default(), Limits::default(), Some((0, 10)), &[]);
    check(&all, Limits { bytes: Some(120), ..Limits::default() }, Limits::default(), None, &["a1"]);
}

#[test]
fn nothing_is_lost_for_room_that_cannot_be_had() {
    let all = [ended("a", 5, 10), ended("b", 3, 10), bound(Bound::Protected, ended("c", 1, 99))];
    check(&all, NONE, NONE, Some((5, 26)), &[]);
    let least = |least| {
        let chosen = choose(&all, &HashMap::new(), at(NOW), Some(Room { free: 5, wanted: 100, least }));
        chosen.iter().map(|it| &*all[it.at].recording).collect::<Vec<_>>()
    };
    assert_eq!(least(15), ["b3"], "enough to record again is better than nothing");
    assert_eq!(least(25), ["b3", "a5"]);
    assert_eq!(least(26), [""; 0]);
}

#[test]
fn reasons_are_told_in_words() {
    let room = Room { free: 1_300_000_000, wanted: 10 << 30, least: 9 << 30 };
    for (why, words) in [
        (Why::Age(days(30)), "it ended more than 30 days ago"),
        (Why::Age(Duration::from_secs(3600)), "it ended more than 1 hour ago"),
        (Why::Count(5), "the newest 5 recordings of an entry are kept"),
        (Why::AccountBytes(3 << 30), "the newest 3 GiB of recordings of the account are kept"),
        (Why::Room(room), "10 GiB are to be free on the disk and 1.2 GiB were"),
        (
            Why::Room(Room { free: 9, wanted: 1 << 10, least: 0 }),
            "1 KiB are to be free on the disk and 9 bytes were",
        ),
    ] {
        assert_eq!(why.to_string(), words);
    }
}

/// Of every small world: what is bound stays, what goes is the oldest, what stays fits, and no more goes than has to.
#[test]
fn in_every_small_world_the_promises_hold() {
    const BOUNDS: [Option<Bound>; 3] = [None, Some(Bound::Open), Some(Bound::Protected)];
    let limits = (0..3).flat_map(|count| (0..3).map(move |bytes| (count, bytes)));
    let limits: Vec<Limits> = limits
        .map(|(count, bytes)| Limits {
            age: None,
            count: [None, Some(1), Some(2)][count],
            bytes: [None, Some(3), Some(6)][bytes],
        })
        .collect();
    let mut worlds = 0;
    for world in 0..81 * 16 {
        let candidates: Vec<Candidate> = (0..4)
            .map(|at| {
                let bound = BOUNDS[world / 3_usize.pow(at) % 3];
                // What is open has not ended.
                let day = if bound == Some(Bound::Open) { NOW } else { i64::from(at) };
                let bytes = if (world / 81) >> at & 1 == 1 { 4 } else { 1 };
                Candidate { bound, ..ended("a", day, bytes) }
            })
            .collect();
        for limits in &limits {
            for wanted in [0, 2, 9] {
                worlds += 1;
                promises(&candidates, *limits, wanted);
            }
        }
    }
    assert_eq!(worlds, 81 * 16 * 27);
}

fn promises(candidates: &[Candidate], limits: Limits, wanted: u64) {
    let candidates: Vec<_> = candidates.iter().cloned().map(|it| Candidate { limits, ..it }).collect();
    let chosen = choose(&candidates, &HashMap::new(), at(NOW), Some(Room { free: 0, wanted, least: wanted }));
    let what = || format!("{candidates:#?}\n{limits:?} {wanted}\n{chosen:?}");
    let most: u64 = candidates.iter().filter(|it| it.bound.is_none()).map(|it| it.bytes).sum();
    let wanted = if wanted <= most { wanted } else { 0 };
    let goes = |at: usize| chosen.iter().any(|it| it.at == at);
    let free: Vec<usize> = (0..4).filter(|at| candidates[*at].bound.is_none()).collect();
    let gone: Vec<usize> = (0..4).filter(|at| goes(*at)).collect();
    assert!(free.starts_with(&gone), "the oldest that may, and nothing else: {}", what());
    let fits = |gone: &[usize]| {
        let counted: Vec<_> = (0..4).filter(|at| candidates[*at].counts() && !gone.contains(at)).collect();
        let is_free = |at: &&usize| candidates[**at].bound.is_none();
        let newest = counted.iter().max_by_key(|at| candidates[**at].age());
        let may_go = counted.iter().filter(is_free).count() - newest.iter().filter(|at| is_free(at)).count();
        let sum: u64 = counted.iter().map(|at| candidates[*at].bytes).sum();
        let within = limits.count.is_none_or(|most| counted.len() as u64 <= u64::from(most))
            && limits.bytes.is_none_or(|most| sum <= most);
        let freed: u64 = gone.iter().map(|at| candidates[*at].bytes).sum();
        (within || may_go == 0) && freed >= wanted
    };
    assert!(fits(&gone), "what stays is within the limits, or nothing more may go: {}", what());
    if let Some((_, fewer)) = gone.split_last() {
        assert!(!fits(fewer), "no more goes than has to: {}", what());
    }
}
