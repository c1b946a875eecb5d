//! The audit log has each change, who made it, what was and is, and no secret.

use catalog::audit::{Action, Filter, Record};
use catalog::{Air, Caller, Details, Error, Leg, NewEntry, NewToken, Paging, Role, Scope, Secret};
use media::WallTime;
use serde_json::json;

use crate::home::Home;

on_both!(
    each_change_has_its_record,
    a_refused_change_has_none,
    no_record_has_a_secret,
    long_texts_are_cut,
    the_log_is_paged_filtered_and_pruned,
);

async fn log(home: &Home, filter: &Filter) -> Vec<Record> {
    home.catalog.audit().list(&Scope::All, filter, &Paging::default()).await.unwrap().items
}

async fn of(home: &Home, subject: &str) -> Vec<Record> {
    log(home, &Filter { subject: Some(subject.to_owned()), ..Filter::default() }).await
}

async fn each_change_has_its_record(home: Home) {
    let new = NewToken { role: Role::Producer, scope: Scope::All, name: "anna".into(), expires: None };
    let (token, _) = home.catalog.tokens().create(&Caller::server(), new).await.unwrap();
    let (entries, caller) = (home.catalog.entries(), token.caller());
    let (entry, _) = entries.create(&caller, NewEntry::live("one")).await.unwrap();
    entries.update(&caller, &entry.id, None, |it| it.name = "two".into()).await.unwrap();
    entries.switch(&caller, &entry.id, Air::Preview).await.unwrap();
    home.catalog.stream_keys().rotate(&caller, &entry.id, Leg::Backup).await.unwrap();
    entries.delete(&caller, &entry.id, None).await.unwrap();

    let log = of(&home, entry.id.as_str()).await;
    let actions: Vec<_> = log.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::Delete, Action::RotateKey, Action::Switch, Action::Update, Action::Create]);
    assert!(log.iter().all(|it| it.who == token.id.as_str() && it.account.as_ref() == Some(&entry.account)));
    assert!(log.is_sorted_by(|late, early| late.number > early.number && late.at >= early.at));
    let both = |record: &Record| (record.before.clone(), record.after.clone());
    assert_eq!(both(&log[1]), (None, Some(json!({ "leg": "backup" }))));
    assert_eq!(both(&log[2]), (Some(json!({ "air": "live" })), Some(json!({ "air": "preview" }))));
    assert_eq!(both(&log[3]), (Some(json!({ "name": "one" })), Some(json!({ "name": "two" }))));
    assert_eq!((&log[4].before, &log[4].after.as_ref().unwrap()["name"]), (&None, &json!("one")));
    assert_eq!(of(&home, token.id.as_str()).await[0].who, "server");
}

async fn a_refused_change_has_none(home: Home) {
    let entry = home.live("show").await;
    let (caller, before) = (Caller::server(), log(&home, &Filter::default()).await);
    let stale = home.catalog.entries().update(&caller, &entry.id, Some(9), |_| {}).await;
    assert_eq!(stale, Err(Error::Stale { current: 1 }));
    let taken = home.catalog.stream_keys().get(&Scope::All, &entry.id).await.unwrap().backup.unwrap();
    let refused = home.catalog.stream_keys().set(&caller, &entry.id, Leg::Primary, taken).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
    assert_eq!(log(&home, &Filter::default()).await, before);
    let keys = home.catalog.stream_keys().get(&Scope::All, &entry.id).await.unwrap();
    assert!(keys.primary.is_some(), "the old key stays where the new one is refused");
}

async fn no_record_has_a_secret(home: Home) {
    let caller = Caller::server();
    let (entry, keys) = home.catalog.entries().create(&caller, NewEntry::live("show")).await.unwrap();
    let mut secrets: Vec<Secret> = keys.primary.into_iter().chain(keys.backup).collect();
    let ring = home.catalog.stream_keys();
    secrets.push(ring.rotate(&caller, &entry.id, Leg::Primary).await.unwrap());
    secrets.push(Secret::new("chosen-by-staff"));
    ring.set(&caller, &entry.id, Leg::Backup, secrets[3].clone()).await.unwrap();
    ring.revoke(&caller, &entry.id, Leg::Backup).await.unwrap();
    let new = NewToken { role: Role::Admin, scope: Scope::All, name: "t".into(), expires: None };
    secrets.push(home.catalog.tokens().create(&caller, new).await.unwrap().1);
    home.catalog.entries().delete(&caller, &entry.id, None).await.unwrap();

    let log = format!("{:?}", log(&home, &Filter::default()).await);
    assert!(secrets.iter().all(|secret| !log.contains(secret.expose())), "{log}");
    assert!(log.contains("RotateKey") && log.contains("SetKey") && log.contains("RevokeKey"), "{log}");
}

async fn long_texts_are_cut(home: Home) {
    let entry = home.live("show").await;
    let edit = |it: &mut Details| {
        it.description = "é".repeat(9_000);
        it.metadata.insert("k".into(), json!("x".repeat(9_000)));
    };
    home.catalog.entries().update(&Caller::server(), &entry.id, None, edit).await.unwrap();
    let after = of(&home, entry.id.as_str()).await[0].after.clone().unwrap();
    assert_eq!(after["description"].as_str().unwrap().chars().count(), 301);
    assert!(after.to_string().len() < 1_500);
}

async fn the_log_is_paged_filtered_and_pruned(home: Home) {
    for _ in 0..5 {
        home.live("show").await;
    }
    let all = log(&home, &Filter::default()).await;
    assert_eq!(all.len(), 5);
    let paging = Paging { limit: Some(3), cursor: None };
    let first = home.catalog.audit().list(&Scope::All, &Filter::default(), &paging).await.unwrap();
    let paging = Paging { cursor: first.next.clone(), ..paging };
    let second = home.catalog.audit().list(&Scope::All, &Filter::default(), &paging).await.unwrap();
    assert_eq!([first.items, second.items].concat(), all);
    assert_eq!(second.next, None);

    let middle = all[2].at;
    let late = log(&home, &Filter { from: Some(middle), ..Filter::default() }).await;
    let early = log(&home, &Filter { until: Some(middle), ..Filter::default() }).await;
    assert_eq!([late, early].concat(), all);
    let gone = home.catalog.audit().prune(middle).await.unwrap();
    assert_eq!(gone, 2);
    assert_eq!(log(&home, &Filter::default()).await, all[..3]);
    assert_eq!(home.catalog.audit().prune(WallTime::from_millis(0)).await, Ok(0));
}
