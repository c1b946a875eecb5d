//! Full-text search: the same entries are found on both databases.

use catalog::entries::list::{Sort, Wanted};
use catalog::{Caller, Error, NewEntry, Order, Paging, Scope};

use crate::home::{Home, names};

on_both!(
    words_are_found_by_their_beginning_wherever_they_stand,
    what_is_changed_or_deleted_is_found_no_more,
    nothing_that_is_typed_is_a_syntax_error,
    long_texts_are_stored_and_found,
);

async fn found(home: &Home, text: &str) -> Vec<String> {
    let wanted =
        Wanted { text: Some(text.into()), sort: Sort::Name, order: Order::Ascending, ..Wanted::default() };
    let page = home.catalog.entries().list(&Scope::All, &wanted, &Paging::default()).await;
    names(&page.unwrap_or_else(|error| panic!("{text:?}: {error}")).items)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

async fn check(home: &Home, text: &str, expected: &[&str]) {
    assert_eq!(found(home, text).await, expected, "{text:?}");
}

async fn words_are_found_by_their_beginning_wherever_they_stand(home: Home) {
    let entries = home.catalog.entries();
    let mut race = NewEntry::live("Grand-Prix Köln 2026");
    race.details.description = "See www.example.com/races/1080p, 3.5 hours".into();
    race.details.tags = vec!["Motor Sport".into()];
    entries.create(&Caller::server(), race).await.unwrap();
    home.live("Финал – 決勝戦").await;
    home.live("Gran Torino").await;
    let race: &[&str] = &["Grand-Prix Köln 2026"];

    check(&home, "grand", race).await;
    check(&home, "gran", &["Gran Torino", "Grand-Prix Köln 2026"]).await;
    check(&home, "PRIX grand", race).await;
    check(&home, "koln", race).await;
    check(&home, "KÖL", race).await;
    check(&home, "202", race).await;
    check(&home, "026", &[]).await;
    check(&home, "example", race).await;
    check(&home, "com/races", race).await;
    check(&home, "1080", race).await;
    check(&home, "3.5", race).await;
    check(&home, "sport", race).await;
    check(&home, "grand torino", &[]).await;
    check(&home, "фин", &["Финал – 決勝戦"]).await;
    check(&home, "決勝", &["Финал – 決勝戦"]).await;
    check(&home, "", &["Gran Torino", "Grand-Prix Köln 2026", "Финал – 決勝戦"]).await;
}

async fn what_is_changed_or_deleted_is_found_no_more(home: Home) {
    let entry = home.live("before").await;
    let (entries, caller) = (home.catalog.entries(), Caller::server());
    entries.update(&caller, &entry.id, None, |it| it.name = "after".into()).await.unwrap();
    check(&home, "before", &[]).await;
    check(&home, "after", &["after"]).await;
    entries.delete(&caller, &entry.id, None).await.unwrap();
    check(&home, "after", &[]).await;
}

async fn nothing_that_is_typed_is_a_syntax_error(home: Home) {
    home.live("plain and simple").await;
    for text in [
        "\"",
        "'",
        "\\",
        "*",
        ":*",
        "&",
        "|",
        "!",
        "(",
        ")",
        "((",
        "<->",
        "a <-> b",
        "NEAR(a b)",
        "-",
        "^",
        "\0",
        "🎉",
        "'; DROP TABLE entries; --",
        "$1",
        "?",
        "%",
        "{name}",
        "\u{202e}",
        "  ",
        "...",
    ] {
        check(&home, text, &[]).await;
    }
    for text in
        ["plain AND", "\"plain\" (simple)", "plain\0simple", "plain*", "name:", "plain OR simple", "and not"]
    {
        let expected: &[&str] =
            if ["name:", "plain OR simple", "and not"].contains(&text) { &[] } else { &["plain and simple"] };
        check(&home, text, expected).await;
    }
    let long = Wanted { text: Some("x".repeat(501)), ..Wanted::default() };
    let refused = home.catalog.entries().list(&Scope::All, &long, &Paging::default()).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "q", .. })));
    check(&home, &"plain ".repeat(80), &["plain and simple"]).await;
}

async fn long_texts_are_stored_and_found(home: Home) {
    let mut new = NewEntry::live("long");
    let words: String = (0..1500).map(|number| format!("w{number:04} ")).collect();
    new.details.description = format!("{words}{}", "x".repeat(1_000));
    home.catalog.entries().create(&Caller::server(), new).await.unwrap();
    check(&home, "w1499", &["long"]).await;
    check(&home, &"x".repeat(400), &["long"]).await;
}
