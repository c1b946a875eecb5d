//! Recordings are played from the store.

mod common;

use std::time::Duration;

use archive::files::Disk;
use archive::integrity::{self, Damaged, Elsewhere};
use common::{House, STORE, interrupted, large, play};
use media::Kind;
use packager::presentation::{Content, StoredFile};
use stream::{Storage, Unavailable};

async fn moved(house: &House) -> depot::Depot {
    let depot = house.depot(Some(Duration::ZERO));
    depot.start().await.expect("readable");
    house.wait_moved(&depot).await;
    depot
}

#[tokio::test(start_paused = true)]
async fn it_plays_byte_for_byte_and_the_store_is_asked_for_blocks_once() {
    let (house, aired) = (House::new(), large(16));
    house.record(&aired);
    let bytes: u64 = house.media().iter().map(|(_, it)| it.len() as u64).sum();
    let depot = moved(&house).await;
    let asked = house.flaky.count("get ");
    let remote = depot.remote(house.local());
    let played = play(&aired, &house.presentation(), &remote).await;
    let fetched = house.flaky.count("get ") - asked;
    // Two files, whose last blocks are short, and what was read ahead behind their end.
    let blocks = (bytes >> 21) as usize + 2;
    assert!(played > 10 && fetched <= blocks + 4, "{fetched} requests for {blocks} blocks");
}

/// What a download asks for before its first byte.
#[tokio::test(start_paused = true)]
async fn the_heads_of_all_segments_cost_no_request_each() {
    let (house, aired) = (House::new(), large(16));
    house.record(&aired);
    let depot = moved(&house).await;
    let segments = integrity::verify(&Disk, &house.path(), &house.contents()).elsewhere;
    let (asked, remote) = (house.flaky.count("get "), depot.remote(house.local()));
    for it in &segments {
        let file = StoredFile { store: STORE.into(), name: (*it.file).into() };
        let head = remote.read(&file, it.offset..it.offset + 100).await.expect("readable");
        assert_eq!(head[4..8], *b"styp", "a segment begins here");
    }
    let fetched = house.flaky.count("get ") - asked;
    let audio = segments.iter().filter(|it| &*it.rendition == "audio-1").count();
    let video: u64 = segments.iter().filter(|it| &*it.rendition == "video-1").map(|it| it.len).sum();
    assert!(audio > 5 && fetched <= (video >> 21) as usize + 4, "{fetched} for {} segments", segments.len());
}

#[tokio::test(start_paused = true)]
async fn what_comes_next_is_there_before_it_is_asked_for() {
    let (house, aired) = (House::new(), large(10));
    house.record(&aired);
    let depot = moved(&house).await;
    let remote = depot.remote(house.local());
    let presentation = house.presentation();
    let video = presentation.renditions.iter().find(|it| it.kind == Kind::Video).expect("video");
    let segments: Vec<_> = video.segments.values().filter(|it| it.content != Content::Gap).collect();
    remote.load(segments[0]).await.expect("readable");
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.flaky.away(true);
    assert!(remote.load(segments[1]).await.is_ok(), "it was read ahead");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_said_and_over_when_it_is_over() {
    let (house, aired) = (House::new(), large(3));
    house.record(&aired);
    let depot = moved(&house).await;
    let remote = depot.remote(house.local());
    let presentation = house.presentation();
    let segment = presentation.renditions[0].segments.values().next().expect("a segment");
    house.flaky.away(true);
    match remote.load(segment).await {
        Err(Unavailable::Failed(why)) => assert!(why.contains("connection refused"), "{why}"),
        other => panic!("{other:?}"),
    }
    house.flaky.away(false);
    assert!(remote.load(segment).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_neither_has_is_gone() {
    let house = House::new();
    let remote = house.depot(None).remote(house.local());
    let file = StoredFile { store: STORE.into(), name: "video.1.1.mp4".into() };
    assert_eq!(remote.read(&file, 0..10).await, Err(Unavailable::Gone));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_here_is_played_from_its_copy() {
    let (house, aired) = (House::new(), large(6));
    house.record(&aired);
    let depot = house.depot(None);
    depot.start().await.expect("readable");
    house.wait_complete(&depot).await;
    for (name, mut bytes) in house.media() {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(house.path().join(name), bytes).expect("written");
    }
    play(&aired, &house.presentation(), &depot.remote(house.local())).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_store_lost_or_damaged_is_found_by_reading_it() {
    let (house, aired) = (House::new(), large(8));
    house.record(&aired);
    let depot = moved(&house).await;
    let all = integrity::verify(&Disk, &house.path(), &house.contents());
    assert_eq!((all.checked, all.elsewhere.len()), (0, aired.segments.len()));
    let asked = house.flaky.count("get ");
    assert_eq!(depot.check(STORE, &all.elsewhere).await.expect("read"), []);
    let bytes: u64 = all.elsewhere.iter().map(|it| it.len).sum();
    assert!(house.flaky.count("get ") - asked <= (bytes >> 21) as usize + 2, "by blocks, once each");

    let of = |rendition: &'static str| all.elsewhere.iter().filter(move |it| &*it.rendition == rendition);
    let (changed, cut) = (of("video-1").nth(1).expect("one"), of("video-1").next_back().expect("one"));
    let object = format!("shows/{STORE}/{}", changed.file);
    let mut media = house.flaky.object(&object).await.expect("there").to_vec();
    media[(changed.offset + changed.len - 1) as usize] ^= 1;
    media.truncate((cut.offset + cut.len - 1) as usize);
    house.flaky.replace(&object, Some(media)).await;
    let audio = of("audio-1").next().expect("audio");
    house.flaky.replace(&format!("shows/{STORE}/{}", audio.file), None).await;

    let damaged =
        |it: &Elsewhere, missing| Damaged { rendition: it.rendition.to_string(), number: it.number, missing };
    let mut expected: Vec<Damaged> = of("audio-1").map(|it| damaged(it, true)).collect();
    expected.extend([damaged(changed, false), damaged(cut, true)]);
    assert_eq!(depot.check(STORE, &all.elsewhere).await.expect("read"), expected);
    house.flaky.away(true);
    assert!(depot.check(STORE, &all.elsewhere).await.is_err(), "nobody can say");
}

#[tokio::test(start_paused = true)]
async fn recordings_come_back_when_the_disk_was_lost() {
    let (house, aired) = (House::new(), interrupted(4));
    house.record(&aired);
    let depot = house.depot(None);
    depot.start().await.expect("readable");
    house.wait_complete(&depot).await;
    depot.stop();
    let before = house.presentation();
    std::fs::remove_dir_all(house.folder.path().join("recordings")).expect("removed");
    let depot = house.depot(None);
    assert_eq!(depot.restore().await.expect("readable"), [STORE]);
    assert_eq!(house.presentation(), before);
    play(&aired, &house.presentation(), &depot.remote(house.local())).await;
    assert_eq!(depot.restore().await.expect("readable"), [""; 0], "what is here is left alone");
}
