//! API tokens.

use catalog::tokens::Rejected;
use catalog::{Caller, Error, NewToken, Paging, Role, Scope, Secret, Who};
use media::WallTime;
use sea_orm::ConnectionTrait;

use crate::home::Home;

on_both!(
    a_token_says_whose_it_is_and_what_he_may_do,
    a_token_that_is_unknown_expired_or_revoked_opens_nothing,
    a_secret_is_kept_nowhere,
    the_last_use_is_noted,
    who_has_a_token_is_told_from_who_guesses,
);

fn new(scope: Scope) -> NewToken {
    NewToken { role: Role::Producer, scope, name: "ci".into(), expires: None }
}

async fn a_token_says_whose_it_is_and_what_he_may_do(home: Home) {
    let (_, tenant) = home.tenant("tenant").await;
    let tokens = home.catalog.tokens();
    let (token, secret) = tokens.create(&Caller::server(), new(tenant.scope.clone())).await.unwrap();
    assert!(secret.expose().starts_with("hw_") && secret.expose().len() == 43);
    let found = tokens.authenticate(&secret).await.unwrap();
    assert_eq!((found.role, found.caller().who), (Role::Producer, Who::Token(token.id.clone())));
    assert_eq!(found.caller().scope, tenant.scope);
    let listed = tokens.list(&tenant.scope, &Paging::default()).await.unwrap().items;
    assert_eq!(listed.iter().map(|it| &it.id).collect::<Vec<_>>(), [&token.id]);
}

async fn a_token_that_is_unknown_expired_or_revoked_opens_nothing(home: Home) {
    let (tokens, caller) = (home.catalog.tokens(), Caller::server());
    let past = NewToken { expires: Some(WallTime::from_millis(1)), ..new(Scope::All) };
    let (_, expired) = tokens.create(&caller, past).await.unwrap();
    let (token, revoked) = tokens.create(&caller, new(Scope::All)).await.unwrap();
    assert!(tokens.authenticate(&revoked).await.is_ok());
    tokens.revoke(&caller, &token.id).await.unwrap();
    tokens.revoke(&caller, &token.id).await.unwrap();

    let check = async |secret: &str, reason| {
        let found = tokens.authenticate(&Secret::new(secret)).await;
        assert_eq!(found, Err(Error::Rejected(reason)));
    };
    check(expired.expose(), Rejected::Expired).await;
    check(revoked.expose(), Rejected::Revoked).await;
    for unknown in ["", "hw_", "hw_0", "' OR '1'='1", "\0", &"x".repeat(100_000)] {
        check(unknown, Rejected::Unknown).await;
    }
}

async fn a_secret_is_kept_nowhere(home: Home) {
    let (_, secret) = home.catalog.tokens().create(&Caller::server(), new(Scope::All)).await.unwrap();
    let raw = home.raw().await;
    let query = sea_orm::Statement::from_string(
        raw.get_database_backend(),
        "SELECT id || role || name || digest AS text FROM api_tokens",
    );
    let row = raw.query_one_raw(query).await.unwrap().unwrap();
    let text: String = row.try_get("", "text").unwrap();
    assert!(!text.contains(&secret.expose()[3..]), "{text}");
}

async fn the_last_use_is_noted(home: Home) {
    let tokens = home.catalog.tokens();
    let (token, secret) = tokens.create(&Caller::server(), new(Scope::All)).await.unwrap();
    assert_eq!(tokens.get(&Scope::All, &token.id).await.unwrap().last_used, None);
    tokens.authenticate(&secret).await.unwrap();
    let first = tokens.get(&Scope::All, &token.id).await.unwrap().last_used;
    assert!(first >= Some(token.created));
    tokens.authenticate(&secret).await.unwrap();
    assert_eq!(tokens.get(&Scope::All, &token.id).await.unwrap().last_used, first, "not each use is written");
}

async fn who_has_a_token_is_told_from_who_guesses(home: Home) {
    let tokens = home.catalog.tokens();
    let (token, secret) = tokens.create(&Caller::server(), new(Scope::All)).await.unwrap();
    assert!(tokens.is_known(&secret), "from its first moment");
    assert!(!tokens.is_known(&Secret::new("hw_guess")));
    let again = home.again().await;
    assert!(again.tokens().is_known(&secret), "after a restart too");
    let (_, elsewhere) = again.tokens().create(&Caller::server(), new(Scope::All)).await.unwrap();
    assert!(!tokens.is_known(&elsewhere), "made by another process");
    tokens.authenticate(&elsewhere).await.unwrap();
    assert!(tokens.is_known(&elsewhere), "and used here");
    tokens.revoke(&Caller::server(), &token.id).await.unwrap();
    assert!(tokens.authenticate(&secret).await.is_err());
    assert!(!tokens.is_known(&secret));
}
