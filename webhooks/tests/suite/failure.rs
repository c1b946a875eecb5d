//! What fails: tried again, given up, disabled.

use std::time::Duration;

use catalog::Scope;
use catalog::deliveries::State;
use catalog::events::Kind;
use tokio::net::TcpListener;
use webhooks::Settings;

use crate::home::{Home, has_failed, is_over, settings};
use crate::receiver::{Receiver, Reply};

#[tokio::test]
async fn a_failure_is_tried_again_until_it_succeeds() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(|n| match n {
        0 => Reply::Status(500, "", "no"),
        1 => Reply::Status(404, "", "no"),
        _ => Reply::Status(204, "", ""),
    })
    .await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let work = home.work(settings());
    home.record("demo");
    let delivery = home.settled(&webhook, is_over).await;
    assert_eq!((delivery.state, delivery.attempts, delivery.status), (State::Delivered, 3, Some(204)));
    let ids = [receiver.next().await, receiver.next().await, receiver.next().await];
    assert!(ids.iter().all(|call| call.headers["webhook-id"] == delivery.id.as_str()));
    let failing = home.catalog.webhooks().get(&Scope::All, &webhook.id).await.unwrap().failing_since;
    assert_eq!(failing, None);
    work.stop().await;
}

#[tokio::test]
async fn what_fails_for_too_long_is_given_up() {
    let home = Home::new().await;
    let receiver = Receiver::start(|_| Reply::Status(503, "", "try later")).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let work = home.work(Settings { give_up: Duration::from_secs(1), ..settings() });
    home.record("demo");
    let delivery = home.settled(&webhook, is_over).await;
    assert_eq!((delivery.state, delivery.status), (State::Dead, Some(503)));
    assert!(delivery.attempts >= 2, "{}", delivery.attempts);
    assert_eq!(
        (delivery.error.as_deref(), delivery.excerpt.as_deref()),
        (Some("it answered 503"), Some("try later"))
    );
    assert!(home.catalog.webhooks().get(&Scope::All, &webhook.id).await.unwrap().details.enabled);
    work.stop().await;
}

#[tokio::test]
async fn who_says_gone_is_left_alone() {
    let home = Home::new().await;
    let receiver = Receiver::start(|_| Reply::Status(410, "", "")).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let mut events = home.catalog.events().subscribe(Scope::All, None);
    let work = home.work(settings());
    home.record("demo");
    while events.next().await.unwrap().kind != Kind::WebhookDisabled {}
    let now = home.catalog.webhooks().get(&Scope::All, &webhook.id).await.unwrap();
    assert!(!now.details.enabled);
    assert_eq!(now.disabled_reason.as_deref(), Some("it answered 410 Gone"));
    assert_eq!(home.settled(&webhook, is_over).await.state, State::Dead);
    home.record("later");
    work.stop().await;
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn who_fails_for_days_is_disabled() {
    let home = Home::new().await;
    let receiver = Receiver::start(|_| Reply::Status(500, "", "")).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let mut events = home.catalog.events().subscribe(Scope::All, None);
    let work = home.work(Settings { disable_after: Duration::from_millis(300), ..settings() });
    home.record("demo");
    while events.next().await.unwrap().kind != Kind::WebhookDisabled {}
    let reason =
        home.catalog.webhooks().get(&Scope::All, &webhook.id).await.unwrap().disabled_reason.unwrap();
    assert!(reason.starts_with("nothing was delivered since 20"), "{reason}");
    work.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let home = Home::new().await;
    let inside = Receiver::start(|_| Reply::Status(200, "", "")).await;
    let location: &'static str = Box::leak(format!("location: {}\r\n", inside.url()).into_boxed_str());
    for status in [301, 302, 303, 307, 308] {
        let receiver = Receiver::start(move |_| Reply::Status(status, location, "")).await;
        let (webhook, _) = home.webhook(&receiver.url()).await;
        let work = home.work(Settings { schedule: vec![Duration::from_secs(3600)], ..settings() });
        home.catalog.webhooks().test(&catalog::Caller::server(), &webhook.id).await.unwrap();
        let delivery = home.settled(&webhook, has_failed).await;
        assert_eq!((delivery.state, delivery.status), (State::Queued, Some(status)));
        assert!(delivery.error.unwrap().contains("redirects are not followed"));
        work.stop().await;
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_told_apart() {
    let home = Home::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (nobody, _) = home.webhook(&format!("http://{closed}/")).await;
    let silent = Receiver::start(|_| Reply::Nothing).await;
    let (silence, _) = home.webhook(&silent.url()).await;
    let (unknown, _) = home.webhook("http://name.invalid/").await;
    let timeout = Duration::from_millis(500);
    let work = home.work(Settings { timeout, schedule: vec![Duration::from_secs(3600)], ..settings() });
    home.record("demo");
    let error = async |webhook| home.settled(webhook, has_failed).await.error.unwrap();
    assert_eq!(error(&nobody).await, "no connection: connection refused");
    assert_eq!(error(&silence).await, "no answer within 500ms");
    let unknown = error(&unknown).await;
    assert!(
        unknown == "the host name has no address" || unknown.starts_with("no connection within"),
        "{unknown}"
    );
    work.stop().await;
}
