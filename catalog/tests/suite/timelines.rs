//! Named timelines: kept with an entry, and known in memory.

use catalog::timelines::{Details, MOST};
use catalog::{Air, Caller, Catalog, Error, NewEntry, Scope};
use media::WallTime;

use crate::home::{Home, member};

on_both!(
    a_timeline_is_known_in_memory_as_soon_as_it_is_written,
    it_goes_with_its_entry,
    what_cannot_be_is_refused,
    another_account_sees_and_changes_nothing,
);

fn details() -> Details {
    let (start, end) = (WallTime::from_millis(1_000), Some(WallTime::from_millis(2_000)));
    Details { start, end, air: Air::Live }
}

fn known(catalog: &Catalog, entry: &catalog::Entry) -> Vec<(String, u64)> {
    let live = catalog.keys().entry(&entry.id).unwrap();
    live.timelines.iter().map(|it| (it.name.clone(), it.version)).collect()
}

async fn a_timeline_is_known_in_memory_as_soon_as_it_is_written(home: Home) {
    let entry = home.live("show").await;
    let (caller, timelines) = (Caller::server(), home.catalog.timelines());
    timelines.create(&caller, &entry.id, "b", details()).await.unwrap();
    let created = timelines.create(&caller, &entry.id, "a", details()).await.unwrap();
    assert_eq!(timelines.get(&Scope::All, &entry.id, "a").await, Ok(created));
    assert_eq!(known(&home.catalog, &entry), [("a".into(), 1), ("b".into(), 1)]);
    timelines.update(&caller, &entry.id, "a", Some(1), |it| it.end = None).await.unwrap();
    let stale = timelines.update(&caller, &entry.id, "a", Some(1), |_| {}).await;
    assert_eq!(stale, Err(Error::Stale { current: 2 }));
    timelines.delete(&caller, &entry.id, "b", None).await.unwrap();
    for catalog in [&home.catalog, &home.again().await] {
        assert_eq!(known(catalog, &entry), [("a".into(), 2)]);
        assert_eq!(catalog.keys().entry(&entry.id).unwrap().timelines[0].details.end, None);
    }
    let log = home.catalog.audit().list(&Scope::All, &Default::default(), &Default::default()).await.unwrap();
    let subject = format!("{}/a", entry.id);
    assert_eq!(log.items.iter().filter(|record| record.subject == subject).count(), 2);
}

async fn it_goes_with_its_entry(home: Home) {
    let entry = home.live("show").await;
    home.catalog.timelines().create(&Caller::server(), &entry.id, "a", details()).await.unwrap();
    home.catalog.entries().delete(&Caller::server(), &entry.id, None).await.unwrap();
    let gone = home.catalog.timelines().list(&Scope::All, &entry.id).await;
    assert_eq!(gone, Err(Error::NotFound("entry")));
}

async fn what_cannot_be_is_refused(home: Home) {
    let entry = home.live("show").await;
    let (caller, timelines) = (Caller::server(), home.catalog.timelines());
    for name in ["", "A", "a b", "a/b", "é", "public", "preview", &"a".repeat(33)] {
        let refused = timelines.create(&caller, &entry.id, name, details()).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "name", .. }), "{name}: {refused:?}");
    }
    let backwards = Details { end: Some(details().start), ..details() };
    let refused = timelines.create(&caller, &entry.id, "a", backwards).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "end", .. }), "{refused:?}");
    for at in 0..MOST {
        timelines.create(&caller, &entry.id, &format!("t{at}"), details()).await.unwrap();
    }
    for name in ["t0", "more"] {
        let refused = timelines.create(&caller, &entry.id, name, details()).await.unwrap_err();
        assert!(matches!(refused, Error::Conflict(_)), "{name}: {refused:?}");
    }
    let vod = home.catalog.entries().create(&caller, NewEntry::vod("film")).await.unwrap().0;
    let refused = timelines.create(&caller, &vod.id, "a", details()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
}

async fn another_account_sees_and_changes_nothing(home: Home) {
    let entry = home.live("show").await;
    let timelines = home.catalog.timelines();
    timelines.create(&Caller::server(), &entry.id, "a", details()).await.unwrap();
    let (account, _) = home.tenant("other").await;
    let other = member(&account.id);
    let not_found = Error::NotFound("entry");
    assert_eq!(timelines.list(&other.scope, &entry.id).await, Err(not_found.clone()));
    assert_eq!(timelines.create(&other, &entry.id, "b", details()).await, Err(not_found.clone()));
    assert_eq!(timelines.update(&other, &entry.id, "a", None, |_| {}).await, Err(not_found.clone()));
    assert_eq!(timelines.delete(&other, &entry.id, "a", None).await, Err(not_found));
}
