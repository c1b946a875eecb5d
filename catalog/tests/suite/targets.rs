//! Targets: kept with an entry, their secrets apart.

use catalog::targets::{Details, MOST, Secrets};
use catalog::{Caller, Error, NewEntry, Scope, Secret};

use crate::home::{Home, member};

on_both!(
    secrets_are_sent_and_never_shown,
    a_target_is_changed_and_goes_with_its_entry,
    what_cannot_be_is_refused,
    another_account_sees_and_changes_nothing,
);

fn details(url: &str) -> Details {
    let (name, url) = ("there".to_owned(), url.to_owned());
    Details { name, url, rendition: None, audio: None, enabled: true }
}

async fn secrets_are_sent_and_never_shown(home: Home) {
    let entry = home.live("show").await;
    let (caller, targets) = (Caller::server(), home.catalog.targets());
    let whole = details("rtmp://a.example/live/very-secret");
    let created = targets.create(&caller, &entry.id, whole, Secrets::default()).await.unwrap();
    assert_eq!((created.details.url.as_str(), created.has_key), ("rtmp://a.example/live", true));
    assert_eq!(targets.get(&Scope::All, &entry.id, &created.id).await, Ok(created.clone()));
    let sent = home.again().await.targets().to_send(None).await.unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1.key, Some(Secret::new("very-secret")));
    let log = home.catalog.audit().list(&Scope::All, &Default::default(), &Default::default()).await.unwrap();
    assert!(log.items.iter().any(|record| record.subject == created.id.as_str()));
    assert!(!format!("{log:?}{sent:?}").contains("very-secret"));
}

async fn a_target_is_changed_and_goes_with_its_entry(home: Home) {
    let entry = home.live("show").await;
    let (caller, targets) = (Caller::server(), home.catalog.targets());
    let at = details("srt://a.example:9000?streamid=abc");
    let created = targets.create(&caller, &entry.id, at, Secrets::default()).await.unwrap();
    let id = (&entry.id, &created.id);
    let off = targets.update(&caller, id, Some(1), |it, _| it.enabled = false).await.unwrap();
    assert_eq!((off.version, off.details.enabled, off.has_key), (2, false, true));
    let stale = targets.update(&caller, id, Some(1), |_, _| {}).await;
    assert_eq!(stale, Err(Error::Stale { current: 2 }));
    home.catalog.entries().delete(&caller, &entry.id, None).await.unwrap();
    assert!(targets.to_send(None).await.unwrap().is_empty());
}

async fn what_cannot_be_is_refused(home: Home) {
    let entry = home.live("show").await;
    let (caller, targets) = (Caller::server(), home.catalog.targets());
    let long = Some(Secret::new("0123456789"));
    for (url, passphrase, field) in [
        ("http://a.example/live/abc", None, "url"),
        ("rtmp://a.example/live", None, "stream_key"),
        ("rtmp://a.example/live/abc", long, "passphrase"),
        ("srt://a.example:9000", Some(Secret::new("short")), "passphrase"),
    ] {
        let secrets = Secrets { key: None, passphrase };
        let refused = targets.create(&caller, &entry.id, details(url), secrets).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: it, .. } if it == field), "{url}: {refused:?}");
    }
    let at = || details("rtmp://a.example/live/abc");
    for _ in 0..MOST {
        targets.create(&caller, &entry.id, at(), Secrets::default()).await.unwrap();
    }
    let refused = targets.create(&caller, &entry.id, at(), Secrets::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
    let vod = home.catalog.entries().create(&caller, NewEntry::vod("film")).await.unwrap().0;
    let refused = targets.create(&caller, &vod.id, at(), Secrets::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
}

async fn another_account_sees_and_changes_nothing(home: Home) {
    let entry = home.live("show").await;
    let targets = home.catalog.targets();
    let at = details("rtmp://a.example/live/abc");
    let created = targets.create(&Caller::server(), &entry.id, at.clone(), Secrets::default()).await.unwrap();
    let (account, _) = home.tenant("other").await;
    let other = member(&account.id);
    let gone = Error::NotFound("entry");
    assert_eq!(targets.list(&other.scope, &entry.id).await, Err(gone));
    let id = (&entry.id, &created.id);
    assert!(targets.create(&other, &entry.id, at, Secrets::default()).await.is_err());
    assert!(targets.update(&other, id, None, |_, _| {}).await.is_err());
    assert!(targets.delete(&other, id, None).await.is_err());
}
