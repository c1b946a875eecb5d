//! Deliveries: who is sent what, in which order and how often, and what is remembered of it.

use std::sync::Arc;
use std::time::Duration;

use catalog::deliveries::{Attempt, Due, KEPT, Queued, State, Then, WAITING};
use catalog::events::Kind;
use catalog::webhooks::{Details, Webhook};
use catalog::{Caller, Error, Event, NewEvent, Paging, Scope};
use media::WallTime;
use serde_json::{Map, Value, json};

use crate::home::Home;
use crate::webhooks::details;

on_both!(
    an_event_goes_to_those_who_want_it,
    a_claim_is_for_one_and_for_a_while,
    what_failed_is_tried_again_or_given_up,
    a_success_or_a_new_start_ends_a_failing_time,
    a_disabled_one_is_sent_nothing,
    one_that_is_over_can_be_sent_again,
    two_secrets_sign_after_a_rotation,
    only_so_many_wait,
    only_so_many_are_remembered,
    they_are_listed_page_by_page,
);

const LEASE: Duration = Duration::from_secs(60);

fn at(seconds: i64) -> WallTime {
    WallTime::from_millis((4_000_000_000 + seconds) * 1000)
}

/// An event of the far future, which every webhook was created before.
fn event(id: u64, scope: &Scope, kind: Kind) -> Arc<Event> {
    let account = match scope {
        Scope::Account(account) => Some(account.clone()),
        Scope::All => None,
    };
    let data = Map::from_iter([("by".to_owned(), json!("x"))]);
    Arc::new(Event { id, account, entry: Some("demo".into()), kind, at: at(0), data })
}

async fn webhook(home: &Home, caller: &Caller, kinds: &[Kind]) -> Webhook {
    let new = Details { kinds: kinds.to_vec(), ..details("https://a.example/") };
    home.catalog.webhooks().create(caller, caller.scope.clone(), new).await.unwrap().0
}

async fn claim(home: &Home, webhook: &Webhook, seconds: i64) -> Vec<Due> {
    home.catalog.deliveries().claim(&webhook.id, at(seconds), 10, LEASE).await.unwrap()
}

async fn one(home: &Home, webhook: &Webhook, seconds: i64) -> Due {
    let [due] = <[Due; 1]>::try_from(claim(home, webhook, seconds).await).unwrap();
    due
}

fn failed() -> Attempt {
    Attempt { status: Some(500), error: Some("answered 500".into()), excerpt: Some("oh\0no".into()) }
}

async fn an_event_goes_to_those_who_want_it(home: Home) {
    let (_, mine) = home.tenant("mine").await;
    let (_, theirs) = home.tenant("theirs").await;
    let server = Caller::server();
    let everything = webhook(&home, &mine, &[]).await;
    let some = webhook(&home, &mine, &[Kind::StreamLive, Kind::StreamEnded]).await;
    let foreign = webhook(&home, &theirs, &[]).await;
    let all = webhook(&home, &server, &[]).await;
    let deliveries = home.catalog.deliveries();
    assert_eq!(deliveries.position().await, Ok(None));
    let events = [
        event(7, &mine.scope, Kind::StreamLive),
        event(8, &mine.scope, Kind::PublishStarted),
        event(9, &Scope::All, Kind::StreamLive),
    ];
    assert_eq!(deliveries.queue(&events).await, Ok(Queued { queued: 6, refused: 0 }));
    assert_eq!(deliveries.position().await, Ok(Some(9)));
    let ids =
        async |webhook| claim(&home, webhook, 1).await.iter().map(|it| it.delivery.event).collect::<Vec<_>>();
    assert_eq!(ids(&everything).await.len(), 2);
    assert_eq!(ids(&some).await, [Some(7)]);
    assert!(ids(&foreign).await.is_empty());
    assert_eq!(ids(&all).await.len(), 3);
    let early = Event { at: WallTime::from_millis(1000), ..Event::clone(&events[0]) };
    assert_eq!(
        deliveries.queue(&[Arc::new(early)]).await.map(|it| it.queued),
        Ok(0),
        "before they were created"
    );

    let page =
        home.catalog.webhooks().deliveries(&mine.scope, &some.id, None, &Paging::default()).await.unwrap();
    let payload: Value = serde_json::from_str(&page.items[0].payload).unwrap();
    let account = events[0].account.as_ref().unwrap().as_str();
    let data = json!({"by": "x", "event": 7, "account": account, "entry": "demo"});
    assert_eq!(
        payload,
        json!({"type": "stream.live", "timestamp": "2096-10-02T07:06:40.000Z", "data": data})
    );
}

async fn a_claim_is_for_one_and_for_a_while(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let deliveries = home.catalog.deliveries();
    deliveries.queue(&[event(1, &Scope::All, Kind::StreamLive)]).await.unwrap();
    assert_eq!(deliveries.turns(at(0)).await, Ok(vec![webhook.id.clone()]));
    let due = one(&home, &webhook, 0).await;
    assert!(claim(&home, &webhook, 1).await.is_empty(), "somebody has it");
    assert_eq!(deliveries.turns(at(1)).await, Ok(vec![]));
    assert_eq!(deliveries.next_turn().await, Ok(Some(at(60))));
    let again = one(&home, &webhook, 60).await;
    assert_eq!(again.delivery.id, due.delivery.id, "who had it has died");
    assert_eq!(again.delivery.attempts, 0);
}

async fn what_failed_is_tried_again_or_given_up(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let deliveries = home.catalog.deliveries();
    let webhooks = home.catalog.webhooks();
    deliveries.queue(&[event(1, &Scope::All, Kind::StreamLive)]).await.unwrap();
    let due = one(&home, &webhook, 0).await;
    deliveries.settle(&due.delivery, failed(), Then::Retry(at(5))).await.unwrap();
    assert!(claim(&home, &webhook, 4).await.is_empty());
    let due = one(&home, &webhook, 5).await;
    assert_eq!((due.delivery.attempts, due.delivery.status), (1, Some(500)));
    assert_eq!(due.delivery.excerpt.as_deref(), Some("oh\u{fffd}no"));
    assert!(due.failing_since.is_some());
    deliveries.settle(&due.delivery, failed(), Then::Dead).await.unwrap();
    let dead = webhooks.delivery(&Scope::All, &webhook.id, &due.delivery.id).await.unwrap();
    assert_eq!((dead.state, dead.attempts, dead.next_try), (State::Dead, 2, None));
    assert!(dead.finished.is_some());
    assert_eq!(deliveries.next_turn().await, Ok(None));
}

async fn a_success_or_a_new_start_ends_a_failing_time(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let (deliveries, webhooks) = (home.catalog.deliveries(), home.catalog.webhooks());
    let failing = async || webhooks.get(&Scope::All, &webhook.id).await.unwrap().failing_since;
    let fail = async |id| {
        deliveries.queue(&[event(id, &Scope::All, Kind::StreamLive)]).await.unwrap();
        let due = one(&home, &webhook, 0).await;
        deliveries.settle(&due.delivery, failed(), Then::Retry(at(100))).await.unwrap();
        due
    };
    let first = fail(1).await;
    let since = failing().await;
    assert!(since.is_some());
    fail(2).await;
    assert_eq!(failing().await, since, "the first failure counts");
    deliveries.settle(&first.delivery, Attempt::default(), Then::Delivered).await.unwrap();
    assert_eq!(failing().await, None);
    fail(3).await;
    webhooks.update(&caller, &webhook.id, None, |it| it.enabled = false).await.unwrap();
    webhooks.update(&caller, &webhook.id, None, |it| it.enabled = true).await.unwrap();
    assert_eq!(failing().await, None);
}

async fn a_disabled_one_is_sent_nothing(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let webhook = webhook(&home, &caller, &[]).await;
    let (deliveries, webhooks) = (home.catalog.deliveries(), home.catalog.webhooks());
    let mut events = home.catalog.events().subscribe(caller.scope.clone(), None);
    deliveries.queue(&[1, 2, 3].map(|id| event(id, &caller.scope, Kind::StreamLive))).await.unwrap();
    let due = claim(&home, &webhook, 0).await;
    deliveries
        .settle(&due[0].delivery, failed(), Then::Disable("it answered 410 Gone".into()))
        .await
        .unwrap();
    let now = webhooks.get(&caller.scope, &webhook.id).await.unwrap();
    assert_eq!(now.disabled_reason.as_deref(), Some("it answered 410 Gone"));
    assert!(!now.details.enabled);
    let told = events.next().await.unwrap();
    assert_eq!((told.kind, told.account.as_ref()), (Kind::WebhookDisabled, Some(&account.id)));

    deliveries.settle(&due[1].delivery, failed(), Then::Retry(at(5))).await.unwrap();
    assert_eq!(deliveries.next_turn().await, Ok(None), "what was on its way does not come back");
    let queued = deliveries.queue(&[event(4, &caller.scope, Kind::StreamLive)]).await.unwrap();
    assert_eq!(queued.queued, 0);
    let refused = webhooks.test(&caller, &webhook.id).await;
    assert!(matches!(refused, Err(Error::Conflict(words)) if words.contains("disabled")));
    let state = Some(State::Dead);
    let dead = webhooks.deliveries(&caller.scope, &webhook.id, state, &Paging::default()).await.unwrap();
    assert_eq!(dead.items.len(), 3);

    let on = webhooks.update(&caller, &webhook.id, None, |it| it.enabled = true).await.unwrap();
    assert_eq!(on.disabled_reason, None);
}

async fn one_that_is_over_can_be_sent_again(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let (deliveries, webhooks) = (home.catalog.deliveries(), home.catalog.webhooks());
    let test = webhooks.test(&caller, &webhook.id).await.unwrap();
    assert_eq!((test.kind, test.event, test.state), (Kind::WebhookTest, None, State::Queued));
    let due = one(&home, &webhook, 0).await;
    deliveries.settle(&due.delivery, failed(), Then::Dead).await.unwrap();
    let mut changes = home.catalog.changes();
    let again = webhooks.redeliver(&caller, &webhook.id, &test.id).await.unwrap();
    assert_eq!(changes.recv().await.unwrap().kind, catalog::changes::Kind::Delivery);
    assert_eq!((again.state, again.attempts, again.finished), (State::Queued, 0, None));
    assert_eq!(again.id, test.id, "the receiver knows it by its id");
    let due = one(&home, &webhook, 0).await;
    deliveries.settle(&due.delivery, failed(), Then::Retry(at(1000))).await.unwrap();
    let early = webhooks.redeliver(&caller, &webhook.id, &test.id).await.unwrap();
    assert_eq!(early.attempts, 1, "one that waits goes on waiting, before its turn");
    assert_eq!(one(&home, &webhook, 1).await.delivery.id, test.id);
}

async fn two_secrets_sign_after_a_rotation(home: Home) {
    let (webhooks, caller) = (home.catalog.webhooks(), Caller::server());
    let (webhook, first) = webhooks.create(&caller, Scope::All, details("https://a.example/")).await.unwrap();
    let (_, second) = webhooks.rotate(&caller, &webhook.id).await.unwrap();
    webhooks.test(&caller, &webhook.id).await.unwrap();
    let now = WallTime::from(std::time::SystemTime::now());
    let secrets = async |at| {
        let due = home.catalog.deliveries().claim(&webhook.id, at, 1, Duration::ZERO).await.unwrap();
        due.into_iter().next().unwrap().secrets
    };
    assert_eq!(secrets(now).await, [second.clone(), first]);
    assert_eq!(secrets(at(0)).await, [second], "a day later the old one signs no more");
}

async fn only_so_many_wait(home: Home) {
    let caller = Caller::server();
    let flooded = webhook(&home, &caller, &[Kind::StreamLive]).await;
    let deliveries = home.catalog.deliveries();
    let flood: Vec<_> = (1..=WAITING + 5).map(|id| event(id, &Scope::All, Kind::StreamLive)).collect();
    assert_eq!(deliveries.queue(&flood).await, Ok(Queued { queued: WAITING, refused: 5 }));
    let other = webhook(&home, &caller, &[]).await;
    let more = [event(WAITING + 6, &Scope::All, Kind::StreamLive)];
    assert_eq!(
        deliveries.queue(&more).await,
        Ok(Queued { queued: 1, refused: 1 }),
        "others are not concerned"
    );
    assert_eq!(one(&home, &other, 0).await.delivery.event, Some(WAITING + 6));
    let due = claim(&home, &flooded, 0).await;
    deliveries.settle(&due[0].delivery, Attempt::default(), Then::Delivered).await.unwrap();
    assert_eq!(deliveries.queue(&more).await.map(|it| it.refused), Ok(0));
}

async fn only_so_many_are_remembered(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let (deliveries, webhooks) = (home.catalog.deliveries(), home.catalog.webhooks());
    let count = KEPT + 50;
    for id in 1..=count {
        deliveries.queue(&[event(id, &Scope::All, Kind::StreamLive)]).await.unwrap();
    }
    webhooks.update(&caller, &webhook.id, None, |it| it.enabled = false).await.unwrap();
    webhooks.update(&caller, &webhook.id, None, |it| it.enabled = true).await.unwrap();
    deliveries.queue(&[event(count + 1, &Scope::All, Kind::StreamLive)]).await.unwrap();
    deliveries.prune().await.unwrap();
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let paging = Paging { limit: Some(500), cursor };
        let page = webhooks.deliveries(&Scope::All, &webhook.id, None, &paging).await.unwrap();
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found.len() as u64, KEPT + 1);
    assert_eq!(found[0].state, State::Queued, "what waits stays");
    assert_eq!(found.last().unwrap().event, Some(51), "the oldest went");
}

async fn they_are_listed_page_by_page(home: Home) {
    let caller = Caller::server();
    let webhook = webhook(&home, &caller, &[]).await;
    let (deliveries, webhooks) = (home.catalog.deliveries(), home.catalog.webhooks());
    // One transaction, so that many share their time.
    deliveries
        .queue(&(1..=7).map(|id| event(id, &Scope::All, Kind::StreamLive)).collect::<Vec<_>>())
        .await
        .unwrap();
    let (mut cursor, mut seen) = (None, Vec::new());
    for expected in [3, 3, 1] {
        let paging = Paging { limit: Some(3), cursor };
        let page = webhooks.deliveries(&Scope::All, &webhook.id, None, &paging).await.unwrap();
        assert_eq!(page.items.len(), expected);
        seen.extend(page.items.into_iter().map(|it| it.event.unwrap()));
        cursor = page.next;
    }
    seen.sort_unstable();
    assert_eq!((cursor, seen), (None, (1..=7).collect()));
    let paging = Paging { limit: None, cursor: Some("nonsense".into()) };
    let refused = webhooks.deliveries(&Scope::All, &webhook.id, None, &paging).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "cursor", .. })));
}

#[tokio::test]
async fn events_of_the_log_can_be_queued() {
    let home = Home::sqlite().await;
    let webhook = webhook(&home, &Caller::server(), &[]).await;
    let mut events = home.catalog.events().subscribe(Scope::All, None);
    let now = WallTime::from(std::time::SystemTime::now());
    let new = NewEvent { account: None, entry: None, kind: Kind::StreamEnded, at: now, data: Map::new() };
    home.catalog.events().record(new);
    let event = events.next().await.unwrap();
    home.catalog.deliveries().queue(std::slice::from_ref(&event)).await.unwrap();
    assert_eq!(one(&home, &webhook, 0).await.delivery.event, Some(event.id));
}
