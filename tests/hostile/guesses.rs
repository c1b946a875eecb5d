//! Who guesses at tokens and keys, from the very address where their owner is.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{Tenant, id};
use crate::process::{MB, assert_few, assert_memory_returns, memory, refusals};
use crate::rtmp::Rtmp;
use crate::support::Server;
use crate::support::api::Api;
use crate::support::within;

const TRIES: usize = 10_000;
const HANDS: usize = 8;
/// An answer that nothing holds back, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(2);
/// The time an answer to a guess too many is held back, a little less.
const HELD: Duration = Duration::from_millis(2900);

fn guess(number: usize) -> String {
    format!("hw_{number:040}")
}

#[test]
fn ten_thousand_guesses_at_a_token_are_slowed_and_lock_nobody_out() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let before = memory(&server);
    let begun = Instant::now();
    let looked_up: usize = thread::scope(|scope| {
        let server = &server;
        let guess_all = |hand| (0..TRIES / HANDS).filter(|n| looked_up(server, hand * TRIES + n)).count();
        let hands: Vec<_> = (0..HANDS).map(|hand| scope.spawn(move || guess_all(hand))).collect();
        assert_served(&owner);
        hands.into_iter().map(|hand| hand.join().expect("answers")).sum()
    });
    let most = 20 + 20 * (begun.elapsed().as_secs() as usize / 60 + 1);
    assert!((1..=most).contains(&looked_up), "{looked_up} guesses were looked at");
    assert_few(&server, "unauthorized");
    assert_few(&server, "too-many-requests");
    assert!(!refusals(&server, "too-many-requests").is_empty());
    assert!(memory(&server) < before + 12 * MB);
    assert_memory_returns(&server, before);
    assert_served(&owner);
    bystander.assert_undisturbed();
}

/// Whether a guess got as far as the catalog; else it is said when to try again.
fn looked_up(server: &Server, number: usize) -> bool {
    let reply = Api::by(server, &guess(number)).get("/tokens/self");
    if reply.problem() == (401, "unauthorized") {
        assert!(reply.headers.contains_key("www-authenticate"));
        return true;
    }
    assert_eq!(reply.problem(), (429, "too-many-requests"));
    assert!(reply.headers.contains_key("retry-after"));
    false
}

fn assert_served(owner: &Tenant) {
    let begun = Instant::now();
    assert_eq!(owner.producer.get(&format!("/live/{}", owner.entry())).status, 200);
    assert!(begun.elapsed() < AT_ONCE, "the owner waited {:?}", begun.elapsed());
}

#[test]
fn ten_thousand_guesses_at_a_stream_key_are_slowed_and_lock_nobody_out() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let before = memory(&server);
    thread::scope(|scope| {
        for hand in 0..HANDS {
            let server = &server;
            scope.spawn(move || (0..TRIES / HANDS).for_each(|n| drop(asked(server, hand * TRIES + n))));
        }
        publishes(&server, &owner);
    });
    let slow: Vec<_> = thread::scope(|scope| {
        let server = &server;
        let waits: Vec<_> = (0..20).map(|n| scope.spawn(move || heard(server, n))).collect();
        publishes(server, &owner);
        waits.into_iter().map(|wait| wait.join().expect("an answer")).collect()
    });
    assert!(slow.iter().all(|wait| *wait > HELD), "{slow:?}");
    assert_few(&server, "bad-name");
    let told = server.log().lines().filter(|line| line.contains("many wrong stream keys")).count();
    assert!((1..=20).contains(&told), "{told} lines");
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// Asked with a wrong key, and gone without an answer where that takes its time.
fn asked(server: &Server, number: usize) -> Rtmp {
    let mut rtmp = Rtmp::shaken(server.rtmp());
    rtmp.ask("live", &format!("{number:024}"));
    rtmp
}

/// How long the answer to a guess took.
fn heard(server: &Server, number: usize) -> Duration {
    let begun = Instant::now();
    assert!(asked(server, number).hear("NetStream.Publish.BadName"));
    begun.elapsed()
}

/// The right key lets in at once.
fn publishes(server: &Server, owner: &Tenant) {
    let begun = Instant::now();
    let rtmp = within(10, "room for a connection", || {
        let rtmp = Rtmp::publish(server.rtmp(), &owner.key());
        rtmp.has_heard("NetStream.Publish.Start").then_some(rtmp)
    });
    assert!(begun.elapsed() < AT_ONCE, "the owner waited {:?}", begun.elapsed());
    drop(rtmp);
}

/// Keys that an operator chooses may be short; they are not counted out by what is near them.
#[test]
fn a_key_that_is_nearly_right_opens_nothing() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let key = owner.key();
    let (short, long) = (&key[..key.len() - 1], format!("{key}x"));
    let changed = format!("{short}{}", if key.ends_with('a') { "b" } else { "a" });
    for wrong in [short, &long, &changed, &key.to_uppercase(), &id(&owner.live), owner.admin.token()] {
        let rtmp = Rtmp::publish(server.rtmp(), wrong);
        assert!(rtmp.has_heard("NetStream.Publish.BadName"), "{wrong:?}");
    }
    let token = owner.admin.token();
    let (short, long) = (&token[..token.len() - 1], format!("{token}x"));
    for wrong in [short, &long, &token.to_uppercase(), &format!("{short}-"), &key, "hw_", ""] {
        assert_eq!(Api::by(&server, wrong).get("/tokens/self").problem(), (401, "unauthorized"), "{wrong:?}");
    }
    let rotated = owner.producer.post(&format!("/live/{}/rotate-key", owner.entry()), &json!({})).done();
    assert_ne!(rotated["keys"]["primary"], json!(key));
    assert!(Rtmp::publish(server.rtmp(), &key).has_heard("NetStream.Publish.BadName"), "the old key");
    bystander.assert_undisturbed();
}
