//! Who may watch: kept with an entry, and known in memory.

use std::sync::Arc;

use access::{Playback, Rules};
use catalog::{Caller, Entry, Error, NewEntry, Scope};
use media::WallTime;

use crate::home::Home;

on_both!(
    what_is_not_said_is_open,
    rules_are_known_in_memory_once_they_are_written,
    a_vod_entry_has_rules_too,
    rules_that_cannot_be_written_are_refused,
    the_secret_of_playback_tokens_is_made_once,
);

async fn set(home: &Home, entry: &Entry, rules: Rules) -> Result<Entry, Error> {
    let edit = |details: &mut catalog::Details| details.access = Arc::new(rules);
    home.catalog.entries().update(&Caller::server(), &entry.id, None, edit).await
}

fn signed() -> Rules {
    Rules { playback: Playback::Signed, ..Rules::default() }
}

async fn what_is_not_said_is_open(home: Home) {
    let entry = home.live("show").await;
    assert!(entry.details.access.is_open());
    assert_eq!(home.catalog.keys().rules(entry.id.as_str()), None);
    assert_eq!(home.catalog.keys().rules("0_00000000"), None);
    assert_eq!(home.catalog.keys().rules("demo"), None, "no id of ours");
}

async fn rules_are_known_in_memory_once_they_are_written(home: Home) {
    let entry = home.live("show").await;
    let known = |of: &catalog::Catalog| of.keys().rules(entry.id.as_str()).as_deref().cloned();
    set(&home, &entry, signed()).await.unwrap();
    assert_eq!(known(&home.catalog), Some(signed()));
    assert_eq!(known(&home.again().await), Some(signed()), "after a restart too");
    set(&home, &entry, Rules::default()).await.unwrap();
    assert_eq!(known(&home.catalog), None);
}

async fn a_vod_entry_has_rules_too(home: Home) {
    let vod = home.catalog.entries().create(&Caller::server(), NewEntry::vod("film")).await.unwrap().0;
    set(&home, &vod, signed()).await.unwrap();
    assert_eq!(*home.catalog.entries().get(&Scope::All, &vod.id).await.unwrap().details.access, signed());
}

async fn rules_that_cannot_be_written_are_refused(home: Home) {
    let entry = home.live("show").await;
    let (from, until) = (Some(WallTime::from_millis(2)), Some(WallTime::from_millis(1)));
    let error = set(&home, &entry, Rules { from, until, ..Rules::default() }).await.unwrap_err();
    assert_eq!(error, Error::Invalid { field: "access", problem: "until is not after from".into() });
}

async fn the_secret_of_playback_tokens_is_made_once(home: Home) {
    let secret = home.catalog.playback_secret();
    assert_eq!(secret.expose().len(), 60);
    assert_eq!(home.again().await.playback_secret(), secret);
    assert_ne!(Home::sqlite().await.catalog.playback_secret(), secret, "each database has its own");
}
