//! A request that is sent twice is done once.

use catalog::idempotency::Claim;
use catalog::{Caller, Error, NewEntry, NewToken, Role, Scope, Token};
use sea_orm::ConnectionTrait;

use crate::home::Home;

on_both!(
    a_request_is_done_once_and_answered_as_before,
    a_crash_before_the_answer_leaves_what_was_created,
    a_key_belongs_to_its_token_and_its_request,
    a_key_that_was_given_back_or_ran_out_is_free,
);

async fn token(home: &Home) -> Token {
    let new = NewToken { role: Role::Producer, scope: Scope::All, name: "t".into(), expires: None };
    home.catalog.tokens().create(&Caller::server(), new).await.unwrap().0
}

async fn a_request_is_done_once_and_answered_as_before(home: Home) {
    let (token, keys) = (token(&home).await, home.catalog.idempotency());
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Fresh));
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Running));
    keys.keep(&token.id, "k", "{\"id\":1}").await.unwrap();
    let replay = Claim::Replay { subject: None, answer: Some("{\"id\":1}".into()) };
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(replay));
}

async fn a_crash_before_the_answer_leaves_what_was_created(home: Home) {
    let (token, keys) = (token(&home).await, home.catalog.idempotency());
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Fresh));
    let caller = Caller { request: Some("k".into()), ..token.caller() };
    let (entry, _) = home.catalog.entries().create(&caller, NewEntry::live("show")).await.unwrap();
    let again = home.again().await;
    let replay = Claim::Replay { subject: Some(entry.id.to_string()), answer: None };
    assert_eq!(again.idempotency().claim(&token.id, "k", "hash").await, Ok(replay));
}

async fn a_key_belongs_to_its_token_and_its_request(home: Home) {
    let (one, two, keys) = (token(&home).await, token(&home).await, home.catalog.idempotency());
    assert_eq!(keys.claim(&one.id, "k", "hash").await, Ok(Claim::Fresh));
    assert_eq!(keys.claim(&two.id, "k", "hash").await, Ok(Claim::Fresh));
    assert_eq!(keys.claim(&one.id, "k", "other").await, Ok(Claim::Other));
    for key in ["", &"x".repeat(256), "a\0"] {
        let refused = keys.claim(&one.id, key, "hash").await;
        assert!(matches!(refused, Err(Error::Invalid { field: "Idempotency-Key", .. })), "{key}");
    }
}

async fn a_key_that_was_given_back_or_ran_out_is_free(home: Home) {
    let (token, keys) = (token(&home).await, home.catalog.idempotency());
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Fresh));
    keys.release(&token.id, "k").await.unwrap();
    assert_eq!(keys.claim(&token.id, "k", "other").await, Ok(Claim::Fresh));
    home.raw().await.execute_unprepared("UPDATE idempotency SET expires = 1").await.unwrap();
    assert_eq!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Fresh));
    keys.keep(&token.id, "k", "done").await.unwrap();
    keys.release(&token.id, "k").await.unwrap();
    assert!(matches!(keys.claim(&token.id, "k", "hash").await, Ok(Claim::Replay { .. })), "done is done");
}
