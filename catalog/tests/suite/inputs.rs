//! Inputs: kept with an entry, known in memory, and told of without their secrets.

use address::InputUrl;
use catalog::inputs::{Details, MOST};
use catalog::{Caller, Catalog, Error, NewEntry, Scope};

use crate::home::{Home, member};

on_both!(
    an_input_is_known_in_memory_as_soon_as_it_is_written,
    it_goes_with_its_entry,
    what_cannot_be_is_refused,
    another_account_sees_and_changes_nothing,
    the_audit_log_has_no_passphrase,
);

fn details() -> Details {
    let url = InputUrl::parse("srt://192.0.2.1:9000?passphrase=topsecretword").unwrap();
    Details { name: "venue".into(), url, rendition: Some("720p".into()), enabled: true }
}

fn known(catalog: &Catalog, entry: &catalog::Entry) -> Vec<(String, u64)> {
    let live = catalog.keys().entry(&entry.id).unwrap();
    live.inputs.iter().map(|it| (it.id.to_string(), it.version)).collect()
}

async fn an_input_is_known_in_memory_as_soon_as_it_is_written(home: Home) {
    let entry = home.live("show").await;
    let (caller, inputs) = (Caller::server(), home.catalog.inputs());
    let one = inputs.create(&caller, &entry.id, details()).await.unwrap();
    let two = inputs.create(&caller, &entry.id, details()).await.unwrap();
    let get = inputs.get(&Scope::All, &entry.id, &one.id).await;
    assert_eq!(get, Ok(one.clone()));
    let off = inputs.update(&caller, &entry.id, &one.id, Some(1), |it| it.enabled = false).await.unwrap();
    assert_eq!((off.details.enabled, off.version, &off.details.url), (false, 2, &one.details.url));
    let stale = inputs.update(&caller, &entry.id, &one.id, Some(1), |_| {}).await;
    assert_eq!(stale, Err(Error::Stale { current: 2 }));
    inputs.delete(&caller, &entry.id, &two.id, None).await.unwrap();
    for catalog in [&home.catalog, &home.again().await] {
        assert_eq!(known(catalog, &entry), [(one.id.to_string(), 2)]);
        let all = catalog.keys().with_inputs();
        assert_eq!(all.iter().map(|it| &it.id).collect::<Vec<_>>(), [&entry.id]);
    }
}

async fn it_goes_with_its_entry(home: Home) {
    let entry = home.live("show").await;
    let other = home.live("other").await;
    let input = home.catalog.inputs().create(&Caller::server(), &entry.id, details()).await.unwrap();
    let elsewhere = home.catalog.inputs().get(&Scope::All, &other.id, &input.id).await;
    assert_eq!(elsewhere, Err(Error::NotFound("input")), "by the path of another entry");
    home.catalog.entries().delete(&Caller::server(), &entry.id, None).await.unwrap();
    assert!(home.catalog.keys().with_inputs().is_empty());
    assert_eq!(home.catalog.inputs().list(&Scope::All, &entry.id).await, Err(Error::NotFound("entry")));
}

async fn what_cannot_be_is_refused(home: Home) {
    let entry = home.live("show").await;
    let (caller, inputs) = (Caller::server(), home.catalog.inputs());
    for rendition in ["", "HD", "720_p", "é", &"a".repeat(33)] {
        let wrong = Details { rendition: Some(rendition.to_owned()), ..details() };
        let refused = inputs.create(&caller, &entry.id, wrong).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid { field: "rendition", .. }), "{rendition}: {refused:?}");
    }
    let wrong = Details { name: "a".repeat(201), ..details() };
    let refused = inputs.create(&caller, &entry.id, wrong).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { field: "name", .. }), "{refused:?}");
    for _ in 0..MOST {
        inputs.create(&caller, &entry.id, details()).await.unwrap();
    }
    let refused = inputs.create(&caller, &entry.id, details()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
    let vod = home.catalog.entries().create(&caller, NewEntry::vod("film")).await.unwrap().0;
    let refused = inputs.create(&caller, &vod.id, details()).await.unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
}

async fn another_account_sees_and_changes_nothing(home: Home) {
    let entry = home.live("show").await;
    let inputs = home.catalog.inputs();
    let input = inputs.create(&Caller::server(), &entry.id, details()).await.unwrap();
    let (account, _) = home.tenant("other").await;
    let other = member(&account.id);
    let not_found = Error::NotFound("entry");
    assert_eq!(inputs.list(&other.scope, &entry.id).await, Err(not_found.clone()));
    assert_eq!(inputs.get(&other.scope, &entry.id, &input.id).await, Err(not_found.clone()));
    assert_eq!(inputs.create(&other, &entry.id, details()).await, Err(not_found.clone()));
    assert_eq!(inputs.update(&other, &entry.id, &input.id, None, |_| {}).await, Err(not_found.clone()));
    assert_eq!(inputs.delete(&other, &entry.id, &input.id, None).await, Err(not_found));
}

async fn the_audit_log_has_no_passphrase(home: Home) {
    let entry = home.live("show").await;
    let (caller, inputs) = (Caller::server(), home.catalog.inputs());
    let input = inputs.create(&caller, &entry.id, details()).await.unwrap();
    inputs.update(&caller, &entry.id, &input.id, None, |it| it.enabled = false).await.unwrap();
    inputs.delete(&caller, &entry.id, &input.id, None).await.unwrap();
    let log = home.catalog.audit().list(&Scope::All, &Default::default(), &Default::default()).await.unwrap();
    let own: Vec<_> = log.items.iter().filter(|record| record.subject == input.id.as_str()).collect();
    assert_eq!(own.len(), 3);
    let text = format!("{own:?}");
    assert!(text.contains("192.0.2.1:9000") && !text.contains("topsecret"), "{text}");
}
