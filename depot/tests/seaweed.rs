//! The same with a real S3-compatible server, over HTTP, signed, that is killed in between.

mod common;
#[path = "common/weed.rs"]
mod weed;

use std::time::{Duration, Instant};

use common::{House, STORE, large, play, until, write};
use depot::{S3, Stage};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use weed::Weed;

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_comes_home_over_an_outage_and_a_restart_and_plays_from_there() {
    let (house, aired, mut weed) = (House::new(), large(20), Weed::start());
    let depot = house.depot_with(s3(&weed).open().expect("an address"), Some(Duration::ZERO));
    depot.began(STORE);
    let mut writer = house.writer();
    let third = aired.steps.len() / 3;
    write(&mut writer, &aired.steps[..third]);
    until("a part is there", || house.progress(&depot).uploaded >= depot::part::SIZE).await;

    weed.kill();
    write(&mut writer, &aired.steps[third..2 * third]);
    until("somebody noticed", || house.progress(&depot).error.is_some()).await;
    assert_eq!(house.stage(&depot), Stage::Growing, "it is recorded all the same");
    depot.stop();
    drop(depot);

    tokio::task::spawn_blocking(move || {
        weed.resume();
        weed
    })
    .await
    .map(|weed| async move { finish(house, aired, writer, weed).await })
    .expect("it starts again")
    .await;
}

async fn finish(house: House, aired: common::recorded::Aired, mut writer: archive::Writer, weed: Weed) {
    let before = house.progress(&house.depot_with(s3(&weed).open().expect("an address"), None)).uploaded;
    assert!(before >= depot::part::SIZE, "what was there before is known after a restart");
    let depot = house.depot_with(s3(&weed).open().expect("an address"), Some(Duration::ZERO));
    depot.began(STORE);
    write(&mut writer, &aired.steps[2 * (aired.steps.len() / 3)..]);
    writer.finish(Instant::now()).expect("safe");
    let media = house.media();
    depot.ended(STORE);
    house.wait_moved(&depot).await;
    assert!(house.media().is_empty(), "the store is its home");
    assert!(depot.totals().sent_bytes < media.iter().map(|(_, it)| it.len() as u64).sum::<u64>());

    let client = client(&weed);
    for (name, bytes) in media {
        let object = client.get(&Path::from(format!("live/{STORE}/{name}"))).await.expect("it is there");
        let tag = object.meta.e_tag.clone().unwrap_or_default();
        assert!(object.bytes().await.expect("readable") == bytes, "{name} is not what was written");
        let parts = bytes.len().div_ceil(depot::part::SIZE as usize);
        let multipart = parts > 1;
        assert_eq!(multipart, tag.contains('-'), "{name} of {parts} parts is tagged {tag}");
    }
    let started = Instant::now();
    let played = play(&aired, &house.presentation(), &depot.remote(house.local())).await;
    println!("{played} segments from the store in {:?}", started.elapsed());

    std::fs::remove_dir_all(house.recordings()).expect("the disk is lost");
    let depot = house.depot_with(s3(&weed).open().expect("an address"), None);
    assert_eq!(depot.restore().await.expect("readable"), [STORE]);
    play(&aired, &house.presentation(), &depot.remote(house.local())).await;

    let at = Path::from(format!("live/{STORE}/video-1.9.9.mp4"));
    let upload = client.create_multipart(&at).await.expect("begun");
    let begun = format!("{{\"step\":\"begun\",\"file\":\"video-1.9.9.mp4\",\"upload\":\"{upload}\"}}\n");
    std::fs::write(house.path().join("uploads"), begun).expect("written");
    depot.removed(STORE).expect("noted");
    std::fs::remove_dir_all(house.path()).expect("removed");
    let removed = house.folder.path().join("depot/removed");
    until("nothing is left there", || std::fs::read_dir(&removed).expect("a folder").count() == 0).await;
    // An emptied folder stays in the listing of this server for a while.
    let left = client.list_with_delimiter(Some(&Path::from(format!("live/{STORE}")))).await.expect("listed");
    let left = left.objects.into_iter().map(|it| it.location.to_string());
    assert_eq!(left.filter(|name| !name.ends_with(STORE)).collect::<Vec<_>>(), [""; 0]);
    let part = client.put_part(&at, &upload, 0, vec![0; 1000].into()).await;
    assert!(part.is_err(), "the upload that was under way is over");
}

fn s3(weed: &Weed) -> S3 {
    let text = |text: &str| Some(text.to_owned());
    S3 {
        url: "s3://shows/live".into(),
        endpoint: Some(weed.endpoint()),
        region: text("us-east-1"),
        access_key: text("key"),
        secret_key: text("sesame"),
    }
}

/// Another client of the store.
fn client(weed: &Weed) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_bucket_name("shows")
        .with_endpoint(weed.endpoint())
        .with_region("us-east-1")
        .with_access_key_id("key")
        .with_secret_access_key("sesame")
        .with_allow_http(true)
        .build()
        .expect("an address")
}
