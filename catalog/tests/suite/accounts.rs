//! Accounts and their quotas.

use std::time::Duration;

use catalog::{AccountId, Caller, Error, NewEntry, Quotas, Retention, Scope};

use crate::home::Home;

on_both!(
    there_is_a_main_account_and_it_stays,
    quotas_are_stored_and_known_in_memory,
    an_account_with_entries_cannot_be_deleted,
    a_stale_update_changes_nothing,
);

const KEEP: Retention =
    Retention { age: Some(Duration::from_secs(86_400)), count: Some(7), bytes: Some(5_000_000_000) };
const QUOTAS: Quotas = Quotas { streams: Some(3), bitrate: Some(20_000_000), keep: KEEP };

async fn there_is_a_main_account_and_it_stays(home: Home) {
    let accounts = home.catalog.accounts();
    let main = accounts.get(&Scope::All, &AccountId::main()).await.unwrap();
    assert_eq!(home.live("show").await.account, main.id);
    assert!(matches!(accounts.delete(&Caller::server(), &main.id).await, Err(Error::Conflict(_))));
}

async fn quotas_are_stored_and_known_in_memory(home: Home) {
    let accounts = home.catalog.accounts();
    let account = accounts.create(&Caller::server(), "tenant", QUOTAS).await.unwrap();
    assert_eq!(accounts.get(&Scope::All, &account.id).await.as_ref(), Ok(&account));
    assert_eq!(home.catalog.keys().quotas(&account.id), QUOTAS);
    let less = Quotas { streams: Some(1), ..Quotas::default() };
    accounts.update(&Caller::server(), &account.id, Some(1), "tenant", less).await.unwrap();
    assert_eq!(home.catalog.keys().quotas(&account.id), less);
    assert_eq!(home.again().await.keys().quotas(&account.id), less);
}

async fn an_account_with_entries_cannot_be_deleted(home: Home) {
    let (account, caller) = home.tenant("tenant").await;
    let (entry, _) = home.catalog.entries().create(&caller, NewEntry::live("show")).await.unwrap();
    let accounts = home.catalog.accounts();
    assert!(matches!(accounts.delete(&Caller::server(), &account.id).await, Err(Error::Conflict(_))));
    home.catalog.entries().delete(&caller, &entry.id, None).await.unwrap();
    assert_eq!(accounts.delete(&Caller::server(), &account.id).await, Ok(()));
    assert_eq!(accounts.get(&Scope::All, &account.id).await, Err(Error::NotFound("account")));
}

async fn a_stale_update_changes_nothing(home: Home) {
    let (account, _) = home.tenant("tenant").await;
    let update =
        home.catalog.accounts().update(&Caller::server(), &account.id, Some(7), "other", QUOTAS).await;
    assert_eq!(update, Err(Error::Stale { current: 1 }));
    assert_eq!(home.catalog.accounts().get(&Scope::All, &account.id).await, Ok(account));
}
