//! What is removed here goes from the store too, whatever happens meanwhile, and nothing else goes.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{House, STORE, large, play, until, write};
use depot::{Depot, Stage};

/// A recording that is in the store, and here.
async fn copied(house: &House) -> Depot {
    house.record(&large(3));
    let depot = house.depot(None);
    depot.start().await.expect("readable");
    house.wait_complete(&depot).await;
    assert_eq!(house.flaky.objects().await.len(), 3, "video, audio and index");
    depot
}

fn notes(house: &House) -> PathBuf {
    house.folder.path().join("depot/removed")
}

fn remove_files(house: &House) {
    std::fs::remove_dir_all(house.path()).expect("removed");
}

async fn started(house: &House) -> Depot {
    let depot = house.depot(None);
    depot.start().await.expect("readable");
    depot
}

/// Nothing is left there, and nothing is to be done.
async fn wait_gone(house: &House, depot: &Depot) {
    let left = || std::fs::read_dir(notes(house)).expect("a folder").count() as u64;
    until("nothing is left to be done", || left() + depot.totals().pending_removals == 0).await;
    assert_eq!(house.flaky.objects().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_goes_also_after_an_outage_and_a_restart() {
    let house = House::new();
    let depot = copied(&house).await;
    house.flaky.away(true);
    depot.removed(STORE).expect("noted");
    remove_files(&house);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let totals = depot.totals();
    assert_eq!(totals.pending_removals, 1);
    assert!((6..40).contains(&totals.failures), "as patient as an upload: {} tries", totals.failures);
    depot.stop();
    let again = started(&house).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    house.flaky.away(false);
    wait_gone(&house, &again).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_before_the_depot_listens_goes_too() {
    let house = House::new();
    copied(&house).await.stop();
    let depot = house.depot(None);
    depot.removed(STORE).expect("noted");
    remove_files(&house);
    // As if the process had died here: nobody but the note knows of it.
    depot.stop();
    wait_gone(&house, &started(&house).await).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_there_before_it_is_gone_here() {
    let house = House::new();
    let depot = copied(&house).await;
    depot.removed(STORE).expect("noted");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(house.flaky.objects().await.len(), 3, "the disk refuses, for as long as that takes");
    depot.ended(STORE);
    assert!(depot.progress().is_empty(), "it is not uploaded meanwhile");
    remove_files(&house);
    wait_gone(&house, &depot).await;
}

#[tokio::test(start_paused = true)]
async fn who_dies_before_the_first_file_goes_has_removed_nothing() {
    let (house, aired) = (House::new(), large(3));
    house.record(&aired);
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    house.wait_moved(&depot).await;
    depot.removed(STORE).expect("noted");
    depot.stop();
    let depot = started(&house).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((house.stage(&depot), depot.totals().pending_removals), (Stage::Moved, 0));
    play(&aired, &house.presentation(), &depot.remote(house.local())).await;
    depot.removed(STORE).expect("noted once more");
    remove_files(&house);
    wait_gone(&house, &depot).await;
}

#[tokio::test(start_paused = true)]
async fn parts_of_an_upload_that_was_under_way_go_too() {
    let (house, aired) = (House::new(), large(12));
    let mut writer = house.writer();
    let depot = house.depot(None);
    depot.began(STORE);
    write(&mut writer, &aired.steps[..aired.steps.len() / 2]);
    until("a part is there", || house.flaky.count("part ") > 0).await;
    drop(writer);
    house.flaky.away(true);
    depot.removed(STORE).expect("noted");
    remove_files(&house);
    // The second time nobody knows any more what was under way.
    depot.removed(STORE).expect("noted again");
    depot.stop();
    house.flaky.away(false);
    wait_gone(&house, &started(&house).await).await;
    assert!(house.flaky.count(&format!("abort shows/{STORE}/video")) > 0, "{:#?}", house.flaky.log());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_no_note_removes_nothing() {
    let house = House::new();
    copied(&house).await.stop();
    std::fs::create_dir_all(notes(&house)).expect("created");
    for name in ["entry", "entry~", "~", "entry~..", "entry~rec_00000001~video", ".nfs01"] {
        std::fs::write(notes(&house).join(name), b"").expect("written");
    }
    remove_files(&house);
    let depot = started(&house).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((house.flaky.objects().await.len(), depot.totals().pending_removals), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_removed_does_not_come_back_from_the_store() {
    let house = House::new();
    let depot = copied(&house).await;
    house.flaky.away(true);
    depot.removed(STORE).expect("noted");
    remove_files(&house);
    depot.stop();
    house.flaky.away(false);
    assert_eq!(house.depot(None).restore().await.expect("readable"), [""; 0]);
}
