//! Recordings get into the store, whatever happens on the way. The clock is paused: an outage takes no time.

mod common;

use std::time::{Duration, Instant};

use archive::layout::INDEX;
use archive::{integrity, recover};
use common::{House, STORE, interrupted, large, play, until, write};
use depot::Stage;

/// What the store has is what is here, and its index came last.
async fn check_copied(house: &House) {
    let media = house.media();
    assert!(!media.is_empty());
    for (name, bytes) in &media {
        let object = house.flaky.object(&format!("shows/{STORE}/{name}")).await;
        assert!(object.is_some_and(|it| it == *bytes), "{name} is not what is here");
    }
    let index = house.flaky.object(&format!("shows/{STORE}/{INDEX}")).await.expect("an index");
    assert!(index == std::fs::read(house.path().join(INDEX)).expect("an index"));
    let log = house.flaky.log();
    let put = |line: &&String| ["part ", "put ", "complete "].iter().any(|word| line.starts_with(word));
    let last = log.iter().rfind(put).expect("something was put");
    assert_eq!(last, &format!("put shows/{STORE}/{INDEX}"));
}

#[tokio::test(start_paused = true)]
async fn parts_follow_while_it_is_recorded_and_the_rest_at_its_end() {
    let (house, aired) = (House::new(), large(16));
    let mut writer = house.writer();
    let depot = house.depot(None);
    depot.began(STORE);
    let half = aired.steps.len() / 2;
    write(&mut writer, &aired.steps[..half]);
    until("two parts are there", || house.flaky.count("part ") == 2).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(house.flaky.count("part "), 2, "S3 takes parts of 5 MiB and more: less of it waits");
    assert_eq!(house.flaky.count("complete ") + house.flaky.count("put "), 0, "nothing is over");
    assert_eq!(house.stage(&depot), Stage::Growing);
    assert!(house.progress(&depot).uploaded >= 16 << 20 && house.progress(&depot).pending() > 0);
    write(&mut writer, &aired.steps[half..]);
    writer.finish(Instant::now()).expect("safe");
    depot.ended(STORE);
    house.wait_complete(&depot).await;
    check_copied(&house).await;
    assert!(depot.progress().is_empty(), "it is done with");
    assert_eq!(depot.totals().pending_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_segment_in_the_making_is_not_in_the_store() {
    let (house, aired) = (House::new(), large(12));
    let mut writer = house.writer();
    // Its file is taken back to the last whole segment when the rest of it is lost.
    let steps = &aired.steps[..aired.steps.len() - 8];
    write(&mut writer, steps);
    let depot = house.depot(None);
    depot.began(STORE);
    until("a part is there", || house.flaky.count("part ") > 0).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (contents, progress) = (house.contents(), house.progress(&depot));
    let whole: u64 = integrity::report(&contents).renditions.iter().map(|it| it.bytes).sum();
    let inits: u64 = contents.files.iter().map(|it| it.init.len() as u64).sum();
    assert_eq!(progress.bytes, whole + inits, "what is final is whole segments");
    assert!(house.media().iter().map(|(_, it)| it.len() as u64).sum::<u64>() > progress.bytes);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_ten_minutes_loses_nothing() {
    let (house, aired) = (House::new(), interrupted(10));
    let mut writer = house.writer();
    let depot = house.depot(None);
    depot.began(STORE);
    let third = aired.steps.len() / 3;
    write(&mut writer, &aired.steps[..third]);
    until("a part is there", || house.flaky.count("part ") > 0).await;
    house.flaky.away(true);
    write(&mut writer, &aired.steps[third..]);
    writer.finish(Instant::now()).expect("nobody who records waits for a store");
    depot.ended(STORE);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let progress = house.progress(&depot);
    assert!(progress.error.is_some_and(|it| it.contains("connection refused")));
    assert!(progress.failures > 5 && progress.failures < 40, "{} tries", progress.failures);
    assert_eq!((depot.totals().failing, depot.totals().pending_recordings), (1, 1));
    house.flaky.away(false);
    let back = tokio::time::Instant::now();
    house.wait_complete(&depot).await;
    assert!(back.elapsed() < Duration::from_secs(120), "it goes on within a minute or so");
    check_copied(&house).await;
    assert!(house.flaky.most_parts_at_once() <= 2, "what is in memory is bounded");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_it_was() {
    let (house, aired) = (House::new(), large(20));
    house.record(&aired);
    let depot = house.depot(None);
    depot.start().await.expect("readable");
    until("some parts are there", || house.flaky.count("part ") >= 3).await;
    depot.stop();
    drop(depot);
    let again = house.depot(None);
    again.start().await.expect("readable");
    house.wait_complete(&again).await;
    check_copied(&house).await;
    let parts: Vec<String> = house.flaky.log().into_iter().filter(|it| it.starts_with("part ")).collect();
    let mut once = parts.clone();
    once.sort();
    once.dedup();
    assert!(parts.len() - once.len() <= 1, "none but the one on its way is sent twice: {parts:#?}");
    assert_eq!(house.flaky.count("create "), 1);
    again.stop();
    let later = house.depot(None);
    later.start().await.expect("readable");
    assert!(later.progress().is_empty(), "what is there is not looked at again");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_the_store_forgot_is_begun_anew() {
    let (house, aired) = (House::new(), large(12));
    let mut writer = house.writer();
    let depot = house.depot(None);
    depot.began(STORE);
    write(&mut writer, &aired.steps[..aired.steps.len() / 2]);
    until("a part is there", || house.flaky.count("part ") > 0).await;
    house.flaky.forget_uploads();
    write(&mut writer, &aired.steps[aired.steps.len() / 2..]);
    writer.finish(Instant::now()).expect("safe");
    depot.ended(STORE);
    house.wait_complete(&depot).await;
    check_copied(&house).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_store_damaged_is_found_and_sent_again() {
    let (house, aired) = (House::new(), large(8));
    house.record(&aired);
    house.flaky.damage(2);
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    until("it was found", || house.progress(&depot).error.is_some_and(|it| it.contains("not what was sent")))
        .await;
    assert_eq!(house.media().len(), 2, "nothing goes before it is verified there");
    house.wait_moved(&depot).await;
    play(&aired, &house.presentation(), &depot.remote(house.local())).await;
}

#[tokio::test(start_paused = true)]
async fn media_goes_when_all_of_it_is_there_and_the_recording_can_be_gone_on_with() {
    let house = House::new();
    let aired = interrupted(6);
    let cut = aired.steps.len() / 2;
    let mut writer = house.writer();
    write(&mut writer, &aired.steps[..cut]);
    writer.finish(Instant::now()).expect("safe");
    drop(writer);
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    house.wait_moved(&depot).await;
    assert!(house.media().is_empty(), "the store is their home");
    let before = house.contents();

    // The entry goes live again, and its recording is appended to.
    depot.began(STORE);
    let mut writer = house.writer();
    let report = integrity::report(&house.contents());
    assert_eq!(house.contents().renditions[0].segments.len(), before.renditions[0].segments.len());
    write(&mut writer, &aired.steps[cut..]);
    writer.finish(Instant::now()).expect("safe");
    drop(writer);
    assert!(!house.media().is_empty(), "what is new is here");
    depot.ended(STORE);
    house.wait_moved(&depot).await;
    assert!(house.media().is_empty());
    let after = integrity::report(&house.contents());
    for (before, after) in report.renditions.iter().zip(&after.renditions) {
        assert!(after.stored > before.stored);
    }
    let verified = integrity::verify(&archive::files::Disk, &house.path(), &house.contents());
    assert!(verified.damaged.is_empty(), "what is elsewhere is not missing");
    assert!(recover::open(&archive::files::Disk, &house.path()).is_ok_and(|it| it.repairs.lost == 0));
}

#[tokio::test(start_paused = true)]
async fn media_stays_as_long_as_it_is_meant_to() {
    let (house, aired) = (House::new(), large(3));
    house.record(&aired);
    // The age of a copy is told by the clock on the wall, which nobody pauses.
    let depot = house.depot(Some(Duration::from_secs(24 * 3600)));
    depot.start().await.expect("readable");
    house.wait_complete(&depot).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(house.media().len(), 2);
    assert_eq!(house.stage(&depot), Stage::Complete);
}

#[tokio::test(start_paused = true)]
async fn media_that_is_damaged_here_stays_here() {
    let (house, aired) = (House::new(), large(3));
    house.record(&aired);
    let (name, mut bytes) = house.media().pop().expect("media");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(house.path().join(&name), bytes).expect("written");
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    house.wait_complete(&depot).await;
    until("it is done with", || depot.progress().is_empty()).await;
    assert_eq!(house.media().len(), 2, "its copy is no better");
}

#[tokio::test(start_paused = true)]
async fn how_far_a_recording_is_is_known_without_its_files_until_it_changes() {
    let (house, aired) = (House::new(), large(12));
    let mut writer = house.writer();
    let half = aired.steps.len() / 2;
    write(&mut writer, &aired.steps[..half]);
    writer.finish(Instant::now()).expect("safe");
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    until("it is done with", || depot.progress().is_empty()).await;
    assert_eq!(depot.known(STORE), None);
    let before = house.progress(&depot);
    assert_eq!((before.stage, before.pending()), (Stage::Moved, 0));
    assert_eq!(depot.known(STORE).as_ref(), Some(&before));

    let mut writer = house.writer();
    depot.began(STORE);
    write(&mut writer, &aired.steps[half..]);
    writer.finish(Instant::now()).expect("safe");
    until("it grows", || house.progress(&depot).bytes > before.bytes).await;
    assert!(house.progress(&depot).uploaded >= before.bytes, "what was moved counts");
    depot.ended(STORE);
    house.wait_moved(&depot).await;
    let after = house.progress(&depot);
    assert!(after.bytes > before.bytes && after.pending() == 0, "{after:?}");
    depot.removed(STORE).expect("noted");
    std::fs::remove_dir_all(house.path()).expect("removed");
    assert_eq!(depot.known(STORE), None);
}
