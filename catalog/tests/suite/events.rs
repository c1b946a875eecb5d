//! The log of events: its order, who is told what, what outlives a restart and what a database that is away.

use std::time::Duration;

use catalog::events::{DATA, Kind, Over, Subscription};
use catalog::{AccountId, Air, Caller, Catalog, Database, Event, Events, Leg, NewEntry, NewEvent, Scope};
use media::WallTime;
use rustix::process::Signal;
use sea_orm::ConnectionTrait;
use serde_json::{Map, json};

use crate::home::Home;
use crate::server::Server;

on_both!(
    what_is_recorded_is_told_at_once_and_after_a_restart,
    ids_grow_over_a_restart,
    a_subscriber_has_each_event_once_and_in_order,
    an_account_sees_its_own_only,
    a_change_of_an_entry_is_an_event,
    what_is_too_large_is_left_out,
    closing_writes_what_is_left,
    only_so_many_are_kept,
    an_event_that_is_not_kept_is_said,
);

pub fn event(account: Option<&AccountId>, entry: &str) -> NewEvent {
    NewEvent {
        account: account.cloned(),
        entry: Some(entry.to_owned()),
        kind: Kind::StreamLive,
        at: WallTime::from_micros(1_700_000_000_123_456),
        data: Map::from_iter([("n".to_owned(), json!(entry.len()))]),
    }
}

async fn take(subscription: &mut Subscription, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(subscription.next().await.unwrap().id);
    }
    ids
}

/// What is there now.
async fn all(events: &Events, scope: Scope) -> Vec<Event> {
    let mut subscription = events.subscribe(scope, Some(0));
    let mut found = Vec::new();
    while let Ok(next) = tokio::time::timeout(Duration::ZERO, subscription.next()).await {
        found.push(Event::clone(&next.unwrap()));
    }
    found
}

async fn all_kept(events: &Events) -> usize {
    all(events, Scope::All).await.len()
}

async fn what_is_recorded_is_told_at_once_and_after_a_restart(home: Home) {
    let events = home.catalog.events();
    let mut live = events.subscribe(Scope::All, None);
    let main = AccountId::main();
    let new = event(Some(&main), "demo");
    let id = events.record(new.clone());
    let told = live.next().await.unwrap();
    let NewEvent { account, entry, kind, at, data } = new;
    assert_eq!(*told, Event { id, account, entry, kind, at, data });
    events.flush().await;
    let again = home.again().await;
    assert_eq!(all(again.events(), Scope::All).await, [Event::clone(&told)]);
}

async fn ids_grow_over_a_restart(home: Home) {
    let before = home.catalog.events().record(event(None, "a"));
    // Not written: as after a crash.
    let again = home.again().await;
    let after = again.events().record(event(None, "b"));
    assert!(after > before, "{before} {after}");
    assert!(after < 1 << 53, "{after} is exact in JavaScript");
}

async fn a_subscriber_has_each_event_once_and_in_order(home: Home) {
    let events = home.catalog.events().clone();
    let first = events.record(event(None, "first"));
    let recorder = events.clone();
    let recording = tokio::spawn(async move {
        let mut ids = Vec::new();
        for _ in 0..500 {
            ids.push(recorder.record(event(None, "more")));
            tokio::task::yield_now().await;
        }
        ids
    });
    // Subscribers that come in between have what came before from memory and the rest live.
    let mut subscriptions = Vec::new();
    for _ in 0..20 {
        subscriptions.push(events.subscribe(Scope::All, Some(first)));
        tokio::task::yield_now().await;
    }
    let ids = recording.await.unwrap();
    assert!(ids.is_sorted());
    for mut subscription in subscriptions {
        assert!(!subscription.reset);
        assert_eq!(take(&mut subscription, ids.len()).await, ids);
    }
    let mut late = events.subscribe(Scope::All, Some(ids[498]));
    assert_eq!(take(&mut late, 1).await, ids[499..]);
}

async fn an_account_sees_its_own_only(home: Home) {
    let (mine, _) = home.tenant("mine").await;
    let (theirs, _) = home.tenant("theirs").await;
    let events = home.catalog.events();
    let scope = Scope::Account(mine.id.clone());
    let mut live = events.subscribe(scope.clone(), None);
    let ids =
        [Some(&theirs.id), Some(&mine.id), None, Some(&mine.id)].map(|it| events.record(event(it, "e")));
    assert_eq!(take(&mut live, 2).await, [ids[1], ids[3]]);
    let seen: Vec<u64> = all(events, scope).await.iter().map(|event| event.id).collect();
    assert_eq!(seen, [ids[1], ids[3]]);
    assert_eq!(all(events, Scope::All).await.len(), 4);
}

async fn a_change_of_an_entry_is_an_event(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let entries = home.catalog.entries();
    let (entry, _) = entries.create(&caller, NewEntry::live("show")).await.unwrap();
    entries.update(&caller, &entry.id, None, |it| it.name = "other".into()).await.unwrap();
    entries.update(&caller, &entry.id, Some(77), |it| it.name = "stale".into()).await.unwrap_err();
    entries.switch(&caller, &entry.id, Air::Preview).await.unwrap();
    home.catalog.stream_keys().rotate(&caller, &entry.id, Leg::Primary).await.unwrap();
    entries.delete(&caller, &entry.id, None).await.unwrap();
    let events = all(home.catalog.events(), Scope::Account(account.id)).await;
    let said: Vec<_> = events.iter().map(|it| (it.kind.as_str(), it.data.get("changed").cloned())).collect();
    let updated = |what: &str| ("entry.updated", Some(json!(what)));
    let expected = [
        ("entry.created", None),
        updated("details"),
        updated("air"),
        updated("keys"),
        ("entry.deleted", None),
    ];
    assert_eq!(said, expected);
    assert!(events.iter().all(|it| it.entry.as_deref() == Some(entry.id.as_str())));
}

async fn what_is_too_large_is_left_out(home: Home) {
    let data = Map::from_iter([("text".to_owned(), json!("x".repeat(DATA)))]);
    home.catalog.events().record(NewEvent { data, ..event(None, "large") });
    let found = all(home.catalog.events(), Scope::All).await;
    assert_eq!(found[0].data, Map::from_iter([("left_out".to_owned(), json!(true))]));
}

async fn closing_writes_what_is_left(home: Home) {
    let ids = ["a", "b", "c"].map(|entry| home.catalog.events().record(event(None, entry)));
    home.catalog.clone().close().await.unwrap();
    let again = home.again().await;
    assert_eq!(all(again.events(), Scope::All).await.iter().map(|it| it.id).collect::<Vec<_>>(), ids);
}

async fn only_so_many_are_kept(home: Home) {
    let events = home.catalog.events();
    let first = events.record(event(None, "first"));
    for n in 0..catalog::events::KEPT + 600 {
        events.record(event(None, "many"));
        if n % 2000 == 0 {
            events.flush().await;
        }
    }
    events.flush().await;
    assert_eq!(events.lost(), 0);
    let kept = all(events, Scope::All).await;
    assert_eq!(kept.len(), catalog::events::KEPT);
    assert!(events.subscribe(Scope::All, Some(first)).reset);
    let again = home.again().await;
    assert_eq!(all(again.events(), Scope::All).await, kept);
    let count = "SELECT count(*) AS n FROM events";
    let raw = home.raw().await;
    let row =
        raw.query_one_raw(sea_orm::Statement::from_string(raw.get_database_backend(), count)).await.unwrap();
    let rows: i64 = row.unwrap().try_get("", "n").unwrap();
    assert!(rows < catalog::events::KEPT as i64 + 600, "{rows} rows");
}

async fn an_event_that_is_not_kept_is_said(home: Home) {
    let events = home.catalog.events();
    let id = events.record(event(None, "a"));
    let later = events.record(event(None, "b"));
    assert!(!events.subscribe(Scope::All, None).reset);
    assert!(!events.subscribe(Scope::All, Some(0)).reset);
    assert!(!events.subscribe(Scope::All, Some(id)).reset);
    for unknown in [1, later + 1, u64::MAX] {
        assert!(events.subscribe(Scope::All, Some(unknown)).reset, "{unknown}");
    }
}

#[tokio::test]
async fn who_falls_behind_is_let_go() {
    let home = Home::sqlite().await;
    let events = home.catalog.events();
    let mut slow = events.subscribe(Scope::All, None);
    (0..=catalog::events::BACKLOG).for_each(|_| _ = events.record(event(None, "many")));
    assert_eq!(slow.next().await, Err(Over::Lagged));
}

#[tokio::test]
async fn a_frozen_database_delays_nobody_and_is_caught_up_with() {
    let server = Server::start();
    let database = Database::postgres(server.database().await).with_patience(Duration::from_secs(2));
    let catalog = Catalog::open(&database).await.unwrap();
    let events = catalog.events();
    let mut live = events.subscribe(Scope::All, None);
    server.signal(Signal::STOP);
    let start = std::time::Instant::now();
    let ids: Vec<u64> = (0..1000).map(|_| events.record(event(None, "frozen"))).collect();
    assert_eq!(take(&mut live, 1000).await, ids);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let flushed = tokio::time::timeout(Duration::from_millis(100), events.flush()).await;
    assert!(flushed.is_err(), "it was not frozen");
    server.signal(Signal::CONT);
    tokio::time::timeout(Duration::from_secs(60), events.flush()).await.unwrap();
    assert_eq!(events.lost(), 0);
    catalog.close().await.unwrap();
    let again = Catalog::open(&database).await.unwrap();
    assert_eq!(all(again.events(), Scope::All).await.len(), 1000);
}

#[tokio::test]
async fn what_does_not_fit_is_told_and_counted_and_not_kept() {
    let server = Server::start();
    let database = Database::postgres(server.database().await).with_patience(Duration::from_secs(1));
    let catalog = Catalog::open(&database).await.unwrap();
    server.signal(Signal::STOP);
    let most = catalog::events::UNWRITTEN + 1000;
    (0..most).for_each(|_| _ = catalog.events().record(event(None, "e")));
    let lost = catalog.events().lost();
    assert!((1..=1000).contains(&lost), "{lost}");
    assert_eq!(all(catalog.events(), Scope::All).await.len(), most);
    server.signal(Signal::CONT);
}

#[tokio::test]
async fn an_end_is_told_after_what_came_before_and_recording_goes_on() {
    let home = Home::sqlite().await;
    let events = home.catalog.events();
    let mut live = events.subscribe(Scope::All, None);
    let before = events.record(event(None, "before"));
    events.end();
    events.record(event(None, "after"));
    assert_eq!(take(&mut live, 1).await, [before]);
    assert_eq!(live.next().await, Err(Over::Closed));
    let mut late = events.subscribe(Scope::All, Some(before));
    assert_eq!(take(&mut late, 1).await.len(), 1);
    assert_eq!(late.next().await, Err(Over::Closed));
    home.catalog.clone().close().await.unwrap();
    assert_eq!(all_kept(home.again().await.events()).await, 2);
}

#[tokio::test]
async fn a_caller_of_the_server_is_told_of_all_accounts() {
    let home = Home::sqlite().await;
    let mut live = home.catalog.events().subscribe(Caller::server().scope, None);
    let entry = home.live("show").await;
    let told = live.next().await.unwrap();
    assert_eq!((told.kind, told.entry.as_deref()), (Kind::EntryCreated, Some(entry.id.as_str())));
}
