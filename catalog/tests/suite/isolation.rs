//! Nobody sees, changes or finds anything of another account.

use catalog::assets::{AssetKind, NewAsset};
use catalog::audit::Filter;
use catalog::entries::list::Wanted;
use catalog::jobs::{JobState, JobStatus, NewJob};
use catalog::recordings::{Progress, RecordingState};
use catalog::{Air, Caller, Error, Leg, NewEntry, NewToken, Paging, Role, Scope, Secret};

use crate::home::{Home, names};

on_both!(
    a_foreign_entry_is_not_there,
    what_belongs_to_a_foreign_entry_is_not_there,
    lists_and_searches_show_the_own_account_only,
    a_foreign_account_and_its_tokens_are_not_there,
    nothing_can_be_created_in_a_foreign_account,
);

async fn a_foreign_entry_is_not_there(home: Home) {
    let entries = home.catalog.entries();
    let (_, mine) = home.tenant("mine").await;
    let (_, theirs) = home.tenant("theirs").await;
    let (entry, _) = entries.create(&theirs, NewEntry::live("secret show")).await.unwrap();
    let gone = Err(Error::NotFound("entry"));

    assert_eq!(entries.get(&mine.scope, &entry.id).await, gone);
    assert_eq!(entries.update(&mine, &entry.id, None, |it| it.name = "taken".into()).await, gone);
    assert_eq!(entries.update(&mine, &entry.id, Some(99), |_| {}).await, gone);
    assert_eq!(entries.switch(&mine, &entry.id, Air::Preview).await, gone);
    assert_eq!(entries.delete(&mine, &entry.id, None).await, Err(Error::NotFound("entry")));
    assert_eq!(entries.get(&theirs.scope, &entry.id).await, Ok(entry));
}

async fn what_belongs_to_a_foreign_entry_is_not_there(home: Home) {
    let catalog = &home.catalog;
    let (_, mine) = home.tenant("mine").await;
    let (_, theirs) = home.tenant("theirs").await;
    let (entry, keys) = catalog.entries().create(&theirs, NewEntry::live("show")).await.unwrap();
    let file =
        NewAsset { kind: AssetKind::Source, location: "a".into(), media_type: String::new(), bytes: 1 };
    let asset = catalog.assets().create(&theirs, &entry.id, file.clone()).await.unwrap();
    let recording = catalog.recordings().begin(&theirs, &entry.id, 7).await.unwrap();
    let work =
        NewJob { kind: "thumbnail".into(), priority: 0, max_attempts: 3, input: serde_json::json!({}) };
    let job = catalog.jobs().create(&theirs, &entry.id, work.clone()).await.unwrap();
    let gone = |what| Some(Error::NotFound(what));

    let ring = catalog.stream_keys();
    assert_eq!(ring.get(&mine.scope, &entry.id).await.err(), gone("entry"));
    assert_eq!(ring.rotate(&mine, &entry.id, Leg::Primary).await.err(), gone("entry"));
    assert_eq!(ring.revoke(&mine, &entry.id, Leg::Primary).await.err(), gone("entry"));
    let chosen = Secret::new("chosen-by-me");
    assert_eq!(ring.set(&mine, &entry.id, Leg::Primary, chosen).await.err(), gone("entry"));
    assert_eq!(ring.get(&theirs.scope, &entry.id).await, Ok(keys));

    assert_eq!(catalog.assets().list(&mine.scope, &entry.id).await.err(), gone("entry"));
    assert_eq!(catalog.assets().create(&mine, &entry.id, file).await.err(), gone("entry"));
    assert_eq!(catalog.assets().delete(&mine, &asset.id).await.err(), gone("asset"));

    let done = Progress { state: RecordingState::Finished, ended: None, bytes: 0 };
    let recordings = catalog.recordings();
    assert_eq!(recordings.list(&mine.scope, &entry.id).await.err(), gone("entry"));
    assert_eq!(recordings.begin(&mine, &entry.id, 8).await.err(), gone("entry"));
    assert_eq!(recordings.progress(&mine, &recording.id, done).await.err(), gone("recording"));
    assert_eq!(recordings.protect(&mine, &recording.id, true).await.err(), gone("recording"));
    assert_eq!(recordings.delete(&mine, &recording.id).await.err(), gone("recording"));

    let status = JobStatus { state: JobState::Cancelled, ..job.status.clone() };
    let jobs = catalog.jobs();
    assert_eq!(jobs.get(&mine.scope, &job.id).await.err(), gone("job"));
    assert_eq!(jobs.create(&mine, &entry.id, work).await.err(), gone("entry"));
    assert_eq!(jobs.update(&mine, &job.id, status).await.err(), gone("job"));
    let listed = jobs.list(&mine.scope, Some(&entry.id), None, &Paging::default()).await.unwrap();
    assert!(listed.items.is_empty());
    assert_eq!(jobs.get(&theirs.scope, &job.id).await, Ok(job));
}

async fn lists_and_searches_show_the_own_account_only(home: Home) {
    let entries = home.catalog.entries();
    let (_, mine) = home.tenant("mine").await;
    let (other, theirs) = home.tenant("theirs").await;
    entries.create(&mine, NewEntry::live("my final")).await.unwrap();
    entries.create(&theirs, NewEntry::live("their final")).await.unwrap();

    for text in [None, Some("final".to_owned())] {
        let wanted = Wanted { text, ..Wanted::default() };
        let page = entries.list(&mine.scope, &wanted, &Paging::default()).await.unwrap();
        assert_eq!(names(&page.items), ["my final"]);
        let page = entries.list(&Scope::All, &wanted, &Paging::default()).await.unwrap();
        assert_eq!(names(&page.items), ["their final", "my final"]);
    }
    let wanted = Wanted { account: Some(other.id), ..Wanted::default() };
    let page = entries.list(&mine.scope, &wanted, &Paging::default()).await.unwrap();
    assert!(page.items.is_empty(), "asking for a foreign account by name");
    let log = home.catalog.audit().list(&mine.scope, &Filter::default(), &Paging::default()).await.unwrap();
    assert!(log.items.iter().all(|it| Scope::Account(it.account.clone().unwrap()) == mine.scope), "{log:?}");
    assert_eq!(log.items.len(), 2, "the account and its entry");
}

async fn a_foreign_account_and_its_tokens_are_not_there(home: Home) {
    let catalog = &home.catalog;
    let (account, mine) = home.tenant("mine").await;
    let (other, theirs) = home.tenant("theirs").await;
    let new = |scope: &Scope| NewToken {
        role: Role::Viewer,
        scope: scope.clone(),
        name: "t".into(),
        expires: None,
    };
    let (token, secret) = catalog.tokens().create(&theirs, new(&theirs.scope)).await.unwrap();

    assert_eq!(catalog.accounts().get(&mine.scope, &other.id).await.err(), Some(Error::NotFound("account")));
    let accounts = catalog.accounts().list(&mine.scope, &Paging::default()).await.unwrap().items;
    assert_eq!(accounts, [account]);
    assert_eq!(catalog.tokens().get(&mine.scope, &token.id).await.err(), Some(Error::NotFound("API token")));
    assert_eq!(catalog.tokens().revoke(&mine, &token.id).await, Err(Error::NotFound("API token")));
    assert!(catalog.tokens().list(&mine.scope, &Paging::default()).await.unwrap().items.is_empty());
    assert_eq!(catalog.tokens().authenticate(&secret).await.map(|it| it.scope), Ok(theirs.scope));
}

async fn nothing_can_be_created_in_a_foreign_account(home: Home) {
    let (_, mine) = home.tenant("mine").await;
    let (other, theirs) = home.tenant("theirs").await;
    let new = NewEntry { account: Some(other.id), ..NewEntry::live("planted") };
    assert_eq!(home.catalog.entries().create(&mine, new).await.err(), Some(Error::NotFound("account")));
    for scope in [theirs.scope, Scope::All] {
        let token = NewToken { role: Role::Admin, scope, name: "planted".into(), expires: None };
        let made = home.catalog.tokens().create(&mine, token).await;
        assert_eq!(made.err(), Some(Error::NotFound("account")));
    }
    let quotas = catalog::Quotas::default();
    let made = home.catalog.accounts().create(&mine, "planted", quotas).await;
    assert_eq!(made.err(), Some(Error::NotFound("account")));
    let page =
        home.catalog.entries().list(&Caller::server().scope, &Wanted::default(), &Paging::default()).await;
    assert!(page.unwrap().items.is_empty());
}
