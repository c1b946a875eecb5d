//! Webhooks: what they may be, who sees them, and that their secrets stay where they belong.

use catalog::audit::{Action, Filter};
use catalog::changes::Kind as Changed;
use catalog::events::Kind;
use catalog::webhooks::{Details, MOST, PREFIX};
use catalog::{Caller, Error, Paging, Scope};

use crate::home::Home;

on_both!(
    one_is_created_changed_and_deleted,
    a_secret_is_shown_once_and_is_in_no_log,
    a_foreign_one_is_not_there,
    there_are_only_so_many,
    what_cannot_be_called_is_refused,
    they_go_with_their_account,
);

pub fn details(url: &str) -> Details {
    Details { url: url.to_owned(), description: String::new(), kinds: Vec::new(), enabled: true }
}

async fn one_is_created_changed_and_deleted(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let webhooks = home.catalog.webhooks();
    let mut changes = home.catalog.changes();
    let kinds = vec![Kind::StreamLive, Kind::PublishStarted, Kind::StreamLive];
    let new = Details { kinds, description: "to the pager".into(), ..details("https://EXAMPLE.com") };
    let (webhook, _) = webhooks.create(&caller, caller.scope.clone(), new).await.unwrap();
    assert_eq!(webhook.details.url, "https://example.com/");
    assert_eq!(webhook.details.kinds, [Kind::PublishStarted, Kind::StreamLive]);
    assert_eq!(webhook.version, 1);
    assert_eq!(webhooks.get(&caller.scope, &webhook.id).await.as_ref(), Ok(&webhook));
    let change = changes.recv().await.unwrap();
    assert_eq!((change.account, change.kind), (Some(account.id), Changed::Webhook));

    let stale = webhooks.update(&caller, &webhook.id, Some(9), |it| it.enabled = false).await;
    assert_eq!(stale, Err(Error::Stale { current: 1 }));
    let new = webhooks.update(&caller, &webhook.id, Some(1), |it| it.enabled = false).await.unwrap();
    assert!(!new.details.enabled && new.disabled_reason.is_none() && new.version == 2);
    assert_eq!(webhooks.delete(&caller, &webhook.id, Some(1)).await, Err(Error::Stale { current: 2 }));
    webhooks.delete(&caller, &webhook.id, Some(2)).await.unwrap();
    assert_eq!(webhooks.get(&caller.scope, &webhook.id).await.err(), Some(Error::NotFound("webhook")));

    let filter = Filter { subject: Some(webhook.id.to_string()), ..Filter::default() };
    let log = home.catalog.audit().list(&caller.scope, &filter, &Paging::default()).await.unwrap();
    let actions: Vec<Action> = log.items.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::Delete, Action::Update, Action::Create]);
}

async fn a_secret_is_shown_once_and_is_in_no_log(home: Home) {
    let (webhooks, caller) = (home.catalog.webhooks(), Caller::server());
    let (webhook, first) = webhooks.create(&caller, Scope::All, details("https://a.example/")).await.unwrap();
    let (rotated, second) = webhooks.rotate(&caller, &webhook.id).await.unwrap();
    assert_eq!(rotated.version, 2);
    assert_ne!(first, second);
    let log = home.catalog.audit().list(&Scope::All, &Filter::default(), &Paging::default()).await.unwrap();
    assert!(log.items.iter().any(|it| it.action == Action::RotateSecret));
    let shown = format!("{log:?} {webhook:?} {rotated:?} {:?}", (&first, &second));
    for secret in [first, second] {
        let text = secret.expose();
        assert!(text.starts_with(PREFIX) && text.len() == PREFIX.len() + 44, "32 bytes in base64");
        assert!(!shown.contains(&text[PREFIX.len()..]));
    }
}

async fn a_foreign_one_is_not_there(home: Home) {
    let (_, mine) = home.tenant("mine").await;
    let (_, theirs) = home.tenant("theirs").await;
    let webhooks = home.catalog.webhooks();
    let create = async |scope: Scope| webhooks.create(&theirs, scope, details("https://a.example/")).await;
    let (webhook, _) = create(theirs.scope.clone()).await.unwrap();
    for scope in [Scope::All, mine.scope.clone()] {
        assert_eq!(create(scope).await.err(), Some(Error::NotFound("account")));
    }
    let (servers, _) =
        webhooks.create(&Caller::server(), Scope::All, details("https://b.example/")).await.unwrap();
    let gone = || Some(Error::NotFound("webhook"));
    for id in [&webhook.id, &servers.id] {
        assert_eq!(webhooks.get(&mine.scope, id).await.err(), gone());
        assert_eq!(webhooks.update(&mine, id, None, |it| it.enabled = false).await.err(), gone());
        assert_eq!(webhooks.rotate(&mine, id).await.err(), gone());
        assert_eq!(webhooks.test(&mine, id).await.err(), gone());
        assert_eq!(webhooks.deliveries(&mine.scope, id, None, &Paging::default()).await.err(), gone());
        assert_eq!(webhooks.delete(&mine, id, None).await.err(), gone());
    }
    let test = webhooks.test(&theirs, &webhook.id).await.unwrap();
    assert_eq!(webhooks.delivery(&mine.scope, &webhook.id, &test.id).await.err(), gone());
    assert_eq!(webhooks.redeliver(&mine, &webhook.id, &test.id).await.err(), gone());
    let wrong = webhooks.delivery(&Scope::All, &servers.id, &test.id).await;
    assert_eq!(wrong.err(), Some(Error::NotFound("delivery")), "a delivery of another webhook");
    let list = async |scope: &Scope| webhooks.list(scope, &Paging::default()).await.unwrap().items.len();
    assert_eq!((list(&mine.scope).await, list(&theirs.scope).await, list(&Scope::All).await), (0, 1, 2));
}

async fn there_are_only_so_many(home: Home) {
    let (_, caller) = home.tenant("tenant").await;
    let webhooks = home.catalog.webhooks();
    let create = async |caller: &Caller| {
        webhooks.create(caller, caller.scope.clone(), details("https://a.example/")).await.map(drop)
    };
    for _ in 0..MOST {
        create(&caller).await.unwrap();
    }
    assert!(matches!(create(&caller).await, Err(Error::Conflict(words)) if words.contains("20")));
    assert_eq!(create(&Caller::server()).await, Ok(()), "others have their own");
}

async fn what_cannot_be_called_is_refused(home: Home) {
    let webhooks = home.catalog.webhooks();
    let long = format!("https://a.example/{}", "x".repeat(3000));
    for url in ["", "x", "ftp://a.example/", "https://me:you@a.example/", "https://a.example/\0", &long] {
        let refused = webhooks.create(&Caller::server(), Scope::All, details(url)).await;
        let Err(Error::Invalid { field: "url", problem }) = refused else { panic!("{url}: {refused:?}") };
        assert!(!problem.contains("you"), "{problem}");
    }
    let new = Details { description: "x".repeat(1001), ..details("https://a.example/") };
    let refused = webhooks.create(&Caller::server(), Scope::All, new).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "description", .. })));
}

async fn they_go_with_their_account(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let webhooks = home.catalog.webhooks();
    let (webhook, _) =
        webhooks.create(&caller, caller.scope.clone(), details("https://a.example/")).await.unwrap();
    webhooks.test(&caller, &webhook.id).await.unwrap();
    home.catalog.accounts().delete(&Caller::server(), &account.id).await.unwrap();
    assert_eq!(webhooks.get(&Scope::All, &webhook.id).await.err(), Some(Error::NotFound("webhook")));
    assert_eq!(home.catalog.deliveries().next_turn().await, Ok(None));
}
