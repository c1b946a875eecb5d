//! Addresses that only this machine and its network can reach are not called, however they are written.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use webhooks::{Metrics, Resolve, Settings, System, Webhooks};

use crate::home::{Home, Names, has_failed, is_over, settings};
use crate::receiver::{Receiver, Reply};

const REFUSED: &str = "the host is on a private network, which webhooks.allow_private forbids";

/// That a URL is refused for where it leads, and nobody is called.
async fn check(resolver: Arc<dyn Resolve>, hosts: &[&str]) {
    let home = Home::new().await;
    let inside = Receiver::start(|_| Reply::Status(200, "", "a secret")).await;
    let port = inside.address.port();
    let settings = Settings { allow_private: false, schedule: vec![Duration::from_secs(3600)], ..settings() };
    let dispatcher = Webhooks::new(home.catalog.clone(), settings, Metrics::default());
    let work = home.begin(dispatcher.with_resolver(resolver));
    for host in hosts {
        let (webhook, _) = home.webhook(&format!("http://{host}:{port}/")).await;
        home.catalog.webhooks().test(&catalog::Caller::server(), &webhook.id).await.unwrap();
        let delivery = home.settled(&webhook, |it| is_over(it) || has_failed(it)).await;
        assert_eq!(delivery.error.as_deref(), Some(REFUSED), "{host}");
        assert_eq!((delivery.status, delivery.excerpt), (None, None), "{host}");
        home.catalog.webhooks().delete(&catalog::Caller::server(), &webhook.id, None).await.unwrap();
    }
    work.stop().await;
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn literal_addresses_in_any_spelling() {
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0x7F.0x0.0x0.0x1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "①②⑦.0.0.1",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "255.255.255.255",
        "224.0.0.1",
    ];
    check(Arc::new(System), &hosts).await;
}

#[tokio::test]
async fn names_by_the_system() {
    check(Arc::new(System), &["localhost", "LOCALHOST"]).await;
}

#[tokio::test]
async fn names_that_lead_inside() {
    let names = Names::new([
        ("inside.example", &["127.0.0.1"]),
        ("metadata.example", &["169.254.169.254"]),
        ("both.example", &["93.184.215.14", "127.0.0.1"]),
        ("mapped.example", &["::ffff:10.0.0.1"]),
        ("six.example", &["2606:4700::1", "::1"]),
    ]);
    let hosts = ["inside.example", "metadata.example", "both.example", "mapped.example", "six.example"];
    check(names, &hosts).await;
}

#[tokio::test]
async fn a_name_is_asked_for_once_a_call_and_its_address_is_the_one_that_is_called() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(|_| Reply::Status(200, "", "")).await;
    let names = Names::new([("hooks.example", &["127.0.0.1"])]);
    let dispatcher = Webhooks::new(home.catalog.clone(), settings(), Metrics::default());
    let work = home.begin(dispatcher.with_resolver(names.clone()));
    let host = format!("hooks.example:{}", receiver.address.port());
    home.webhook(&format!("http://{host}/")).await;
    home.record("demo");
    assert_eq!(receiver.next().await.headers["host"], host);
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    work.stop().await;
}
