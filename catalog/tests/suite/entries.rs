//! Entries as they are written and read back.

use std::sync::Arc;
use std::time::Duration;

use access::Rules;
use catalog::entry::{Latency, Recorder};
use catalog::{Air, Caller, Details, EntryId, Error, Kind, LiveSettings, NewEntry, Retention, Scope, Secret};
use media::WallTime;
use serde_json::json;

use crate::home::Home;

on_both!(
    an_entry_is_read_back_as_it_was_written,
    a_reopened_database_has_everything,
    a_stale_update_changes_nothing_and_says_the_version,
    of_two_who_update_at_once_one_is_stale,
    what_cannot_be_stored_is_refused_by_its_field,
    text_of_every_kind_is_stored_as_it_is,
    a_live_entry_goes_from_preview_to_live_and_back,
    a_vod_entry_has_neither_air_nor_keys,
    a_deleted_entry_is_gone_with_all_that_was_its,
);

fn rules() -> Rules {
    let rules = json!({
        "playback": "signed",
        "referrers": ["example.org", "*.example.org"],
        "addresses": { "allow": ["192.0.2.0/24"], "deny": ["2001:db8::/32"] },
        "from": "2026-11-22T18:00:00Z",
    });
    serde_json::from_value(rules).unwrap()
}

fn full() -> NewEntry {
    let live = LiveSettings {
        segment: Some(Duration::from_millis(1500)),
        part: Some(Duration::from_millis(250)),
        window: Some(Duration::from_secs(60)),
        dvr: Some(Duration::from_secs(7200)),
        reconnect: Some(Duration::from_secs(10)),
        recorder: Some(Recorder::Off),
        latency: Some(Latency::Standard),
        starts_at: Some(WallTime::from_millis(1_000)),
        ends_at: Some(WallTime::from_millis(2_000)),
        keep: Retention { age: Some(Duration::from_secs(86_400)), count: Some(3), bytes: Some(1 << 40) },
        srt_passphrase: Some(Secret::new("correct horse")),
    };
    let metadata = json!({ "season": 3, "venue": { "city": "Köln" }, "nul": "a\0b" });
    let details = Details {
        name: "Final".into(),
        description: "The last one".into(),
        tags: vec!["sport".into(), "final".into(), "sport".into()],
        metadata: metadata.as_object().unwrap().clone(),
        owner: Some("anna".into()),
        access: Arc::new(rules()),
        live,
    };
    NewEntry { account: None, kind: Kind::Live, air: Air::Preview, details }
}

async fn an_entry_is_read_back_as_it_was_written(home: Home) {
    let (entry, _) = home.catalog.entries().create(&Caller::server(), full()).await.unwrap();
    let tags = vec!["final".to_owned(), "sport".to_owned()];
    assert_eq!(entry.details, Details { tags, ..full().details });
    assert_eq!((entry.version, entry.air), (1, Some(Air::Preview)));
    assert_eq!(home.catalog.entries().get(&Scope::All, &entry.id).await, Ok(entry));
}

async fn a_reopened_database_has_everything(home: Home) {
    let (entry, keys) = home.catalog.entries().create(&Caller::server(), full()).await.unwrap();
    home.catalog.clone().close().await.unwrap();
    let again = home.again().await;
    assert_eq!(again.entries().get(&Scope::All, &entry.id).await.as_ref(), Ok(&entry));
    assert_eq!(again.stream_keys().get(&Scope::All, &entry.id).await.as_ref(), Ok(&keys));
    let opened = again.keys().find(keys.primary.unwrap().expose()).unwrap();
    assert_eq!(opened.entry.settings, entry.details.live);
}

async fn a_stale_update_changes_nothing_and_says_the_version(home: Home) {
    let entry = home.live("one").await;
    let entries = home.catalog.entries();
    let caller = Caller::server();
    let two = entries.update(&caller, &entry.id, Some(1), |it| it.name = "two".into()).await.unwrap();
    assert_eq!(two.version, 2);
    assert!(two.updated >= entry.updated);
    let stale = entries.update(&caller, &entry.id, Some(1), |it| it.name = "three".into()).await;
    assert_eq!(stale, Err(Error::Stale { current: 2 }));
    assert_eq!(entries.delete(&caller, &entry.id, Some(1)).await, Err(Error::Stale { current: 2 }));
    assert_eq!(entries.get(&Scope::All, &entry.id).await, Ok(two));
}

async fn of_two_who_update_at_once_one_is_stale(home: Home) {
    let entry = home.live("one").await;
    // Two catalogs: as two processes have them, with no lock in common but the database's.
    let other = home.again().await;
    let caller = Caller::server();
    let (entries, others) = (home.catalog.entries(), other.entries());
    let one = entries.update(&caller, &entry.id, Some(1), |it| it.name = "a".into());
    let two = others.update(&caller, &entry.id, Some(1), |it| it.name = "b".into());
    let (one, two) = tokio::join!(one, two);
    let stale = Err(Error::Stale { current: 2 });
    assert!((one.is_ok() && two == stale) || (two.is_ok() && one == stale), "{one:?} {two:?}");
}

async fn what_cannot_be_stored_is_refused_by_its_field(home: Home) {
    async fn check(home: &Home, field: &str, edit: impl FnOnce(&mut Details) + Send) {
        let mut new = NewEntry::live("name");
        edit(&mut new.details);
        match home.catalog.entries().create(&Caller::server(), new).await {
            Err(Error::Invalid { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    check(&home, "name", |it| it.name = " ".into()).await;
    check(&home, "name", |it| it.name = "x".repeat(251)).await;
    check(&home, "name", |it| it.name = "a\0b".into()).await;
    check(&home, "description", |it| it.description = "x".repeat(10_001)).await;
    check(&home, "tags", |it| it.tags = (0..51).map(|n| n.to_string()).collect()).await;
    check(&home, "tags", |it| it.tags = vec![String::new()]).await;
    check(&home, "owner", |it| it.owner = Some("\0".into())).await;
    check(&home, "metadata", |it| drop(it.metadata.insert("k".into(), "x".repeat(40_000).into()))).await;
    check(&home, "segment", |it| it.live.segment = Some(Duration::ZERO)).await;
    check(&home, "window", |it| it.live.window = Some(Duration::MAX)).await;
    check(&home, "part", |it| it.live.part = Some(Duration::from_micros(1500))).await;
    check(&home, "ends_at", |it| {
        it.live.starts_at = Some(WallTime::from_millis(2));
        it.live.ends_at = Some(WallTime::from_millis(2));
    })
    .await;
}

async fn text_of_every_kind_is_stored_as_it_is(home: Home) {
    for name in ["'; DROP TABLE entries; --", "\"<S>&", "$1 ? %s \\", "\u{202e}🎉ﷺ\n\t", &"ﷺ".repeat(250)]
    {
        let mut new = NewEntry::live(name);
        new.details.tags = vec![name.chars().take(100).collect()];
        let (entry, _) = home.catalog.entries().create(&Caller::server(), new.clone()).await.unwrap();
        let read = home.catalog.entries().get(&Scope::All, &entry.id).await.unwrap();
        assert_eq!(read.details, new.details);
    }
}

async fn a_live_entry_goes_from_preview_to_live_and_back(home: Home) {
    let entry = home.live("show").await;
    for (air, version) in [(Air::Preview, 2), (Air::Live, 3)] {
        let switched = home.catalog.entries().switch(&Caller::server(), &entry.id, air).await.unwrap();
        assert_eq!((switched.air, switched.version), (Some(air), version));
        assert_eq!(home.catalog.keys().entry(&entry.id).map(|it| it.air), Some(air));
    }
}

async fn a_vod_entry_has_neither_air_nor_keys(home: Home) {
    let caller = Caller::server();
    let (entry, keys) = home.catalog.entries().create(&caller, NewEntry::vod("film")).await.unwrap();
    assert_eq!((entry.air, keys), (None, Default::default()));
    let switched = home.catalog.entries().switch(&caller, &entry.id, Air::Live).await;
    assert!(matches!(switched, Err(Error::Conflict(_))));
    let rotated = home.catalog.stream_keys().rotate(&caller, &entry.id, catalog::Leg::Primary).await;
    assert!(matches!(rotated, Err(Error::Conflict(_))));
    let edit = |it: &mut Details| it.live.dvr = Some(Duration::from_secs(9));
    let edited = home.catalog.entries().update(&caller, &entry.id, None, edit).await;
    assert!(matches!(edited, Err(Error::Invalid { field: "live", .. })));
}

async fn a_deleted_entry_is_gone_with_all_that_was_its(home: Home) {
    let caller = Caller::server();
    let (entry, keys) = home.catalog.entries().create(&caller, full()).await.unwrap();
    let recording = home.catalog.recordings().begin(&caller, &entry.id, 1).await.unwrap();
    home.catalog.entries().delete(&caller, &entry.id, Some(1)).await.unwrap();
    assert_eq!(home.catalog.entries().get(&Scope::All, &entry.id).await, Err(Error::NotFound("entry")));
    assert!(home.catalog.keys().find(keys.primary.unwrap().expose()).is_none());
    assert!(home.catalog.keys().entry(&entry.id).is_none());
    let gone = home.catalog.recordings().delete(&caller, &recording.id).await;
    assert_eq!(gone, Err(Error::NotFound("recording")));
    let unknown = EntryId::parse("0_zzzzzzzz").unwrap();
    assert_eq!(home.catalog.entries().delete(&caller, &unknown, None).await, Err(Error::NotFound("entry")));
}
