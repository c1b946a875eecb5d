//! What is told of changes.

use catalog::changes::Kind;
use catalog::{Air, Caller, Change, Error, Leg, NewEntry};

use crate::home::Home;

on_both!(changes_are_told_once_committed_and_in_order, a_refused_change_is_not_told);

async fn changes_are_told_once_committed_and_in_order(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let mut changes = home.catalog.changes();
    let entries = home.catalog.entries();
    let (entry, _) = entries.create(&caller, NewEntry::live("show")).await.unwrap();
    entries.update(&caller, &entry.id, None, |it| it.name = "other".into()).await.unwrap();
    entries.switch(&caller, &entry.id, Air::Preview).await.unwrap();
    home.catalog.stream_keys().rotate(&caller, &entry.id, Leg::Primary).await.unwrap();
    entries.delete(&caller, &entry.id, None).await.unwrap();
    let kinds =
        [Kind::EntryCreated, Kind::EntryUpdated, Kind::AirSwitched, Kind::KeysChanged, Kind::EntryDeleted];
    for kind in kinds {
        let told = Change { account: Some(account.id.clone()), entry: Some(entry.id.clone()), kind };
        assert_eq!(changes.try_recv(), Ok(told));
    }
    assert!(changes.try_recv().is_err());
}

async fn a_refused_change_is_not_told(home: Home) {
    let entry = home.live("show").await;
    let mut changes = home.catalog.changes();
    let stale = home.catalog.entries().update(&Caller::server(), &entry.id, Some(9), |_| {}).await;
    assert_eq!(stale, Err(Error::Stale { current: 1 }));
    assert!(changes.try_recv().is_err());
}
