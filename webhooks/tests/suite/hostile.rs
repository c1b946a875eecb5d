//! Receivers that mean harm: nothing of theirs is read without an end.

use std::time::Duration;

use catalog::deliveries::{EXCERPT, State};
use webhooks::Settings;

use crate::home::{Home, has_failed, is_over, settings};
use crate::receiver::{Receiver, Reply};

async fn check(reply: Reply, state: State, error: Option<&str>) -> catalog::deliveries::Delivery {
    let home = Home::new().await;
    let receiver = Receiver::start(move |_| reply.clone()).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let timeout = Duration::from_secs(3);
    let work = home.work(Settings { timeout, schedule: vec![Duration::from_secs(3600)], ..settings() });
    home.record("demo");
    let delivery = home.settled(&webhook, |it| is_over(it) || has_failed(it)).await;
    assert_eq!((delivery.state, delivery.error.as_deref()), (state, error));
    work.stop().await;
    delivery
}

#[tokio::test]
async fn an_endless_body_is_read_to_its_beginning() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let delivery = check(Reply::Endless(head, "abcdefgh"), State::Delivered, None).await;
    assert_eq!(delivery.excerpt.unwrap().len(), EXCERPT);
}

#[tokio::test]
async fn endless_fields_are_refused() {
    let wrong = Some("the answer is not HTTP, or was cut off");
    check(Reply::Endless("HTTP/1.1 200 OK\r\n", "a: b\r\n"), State::Queued, wrong).await;
    check(Reply::Endless("HTTP/1.1 200 OK\r\nlong: ", "xxxxxxxxxxxxxxxx"), State::Queued, wrong).await;
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let wrong = Some("the answer is not HTTP, or was cut off");
    check(Reply::Raw(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()), State::Queued, wrong).await;
    check(Reply::Raw((0..=255).cycle().take(100_000).collect()), State::Queued, wrong).await;
}

#[tokio::test]
async fn an_answer_without_an_end_has_a_time() {
    let slow = Some("no answer within 3s");
    check(Reply::Raw(b"HTTP/1.1 200 OK\r\n".to_vec()), State::Queued, slow).await;
    check(Reply::Endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"), State::Queued, slow).await;
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhel\xff\0".to_vec();
    let delivery = check(Reply::Raw(begun), State::Delivered, None).await;
    assert_eq!(delivery.excerpt.as_deref(), Some("hel\u{fffd}\u{fffd}"), "the status is what counts");
}
