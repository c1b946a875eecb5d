//! Lists: filters, orders, pages.

use catalog::entries::list::{Sort, Wanted};
use catalog::{Air, Caller, Entry, Error, Kind, NewEntry, Order, Paging, Scope};

use crate::home::{Home, names};

on_both!(
    entries_are_filtered_by_what_they_are,
    entries_come_in_the_order_that_was_asked_for,
    pages_have_each_entry_once,
    entries_that_are_added_or_removed_meanwhile_neither_repeat_nor_hide_others,
    a_cursor_of_another_order_is_invalid,
    a_limit_is_not_zero_and_has_a_most,
);

async fn list(home: &Home, wanted: &Wanted, paging: &Paging) -> catalog::Page<Entry> {
    home.catalog.entries().list(&Scope::All, wanted, paging).await.unwrap()
}

async fn entries_are_filtered_by_what_they_are(home: Home) {
    let caller = Caller::server();
    let mut show = NewEntry::live("show");
    show.details.tags = vec!["sport".into(), "f1".into()];
    show.details.owner = Some("anna".into());
    show.air = Air::Preview;
    home.catalog.entries().create(&caller, show).await.unwrap();
    let mut film = NewEntry::vod("film");
    film.details.tags = vec!["f1".into()];
    let (film, _) = home.catalog.entries().create(&caller, film).await.unwrap();
    home.live("news").await;

    let check = async |wanted: Wanted, expected: &[&str]| {
        let wanted = Wanted { sort: Sort::Name, order: Order::Ascending, ..wanted };
        assert_eq!(names(&list(&home, &wanted, &Paging::default()).await.items), expected, "{wanted:?}");
    };
    let all = Wanted::default;
    check(all(), &["film", "news", "show"]).await;
    check(Wanted { kind: Some(Kind::Live), ..all() }, &["news", "show"]).await;
    check(Wanted { kind: Some(Kind::Vod), ..all() }, &["film"]).await;
    check(Wanted { air: Some(Air::Live), ..all() }, &["news"]).await;
    check(Wanted { air: Some(Air::Preview), ..all() }, &["show"]).await;
    check(Wanted { tag: Some("f1".into()), ..all() }, &["film", "show"]).await;
    check(Wanted { tag: Some("F1' OR '1".into()), ..all() }, &[]).await;
    check(Wanted { owner: Some("anna".into()), ..all() }, &["show"]).await;
    check(Wanted { owner: Some("a\0".into()), ..all() }, &[]).await;
    check(Wanted { created_from: Some(film.created), ..all() }, &["film", "news"]).await;
    check(Wanted { created_until: Some(film.created), ..all() }, &["show"]).await;
    check(Wanted { tag: Some("f1".into()), kind: Some(Kind::Live), ..all() }, &["show"]).await;
}

async fn entries_come_in_the_order_that_was_asked_for(home: Home) {
    for name in ["beta", "Alpha", "éclair", "_x", "delta 10", "delta"] {
        home.live(name).await;
    }
    let first =
        list(&home, &Wanted { order: Order::Ascending, ..Wanted::default() }, &Paging::default()).await;
    assert_eq!(names(&first.items), ["beta", "Alpha", "éclair", "_x", "delta 10", "delta"]);
    home.catalog.entries().update(&Caller::server(), &first.items[1].id, None, |_| {}).await.unwrap();

    let check = async |sort, order, expected: [&str; 6]| {
        let wanted = Wanted { sort, order, ..Wanted::default() };
        let mut paging = Paging { limit: Some(4), cursor: None };
        let mut found = list(&home, &wanted, &paging).await;
        paging.cursor = found.next.take();
        found.items.extend(list(&home, &wanted, &paging).await.items);
        assert_eq!(names(&found.items), expected);
    };
    let by_name = ["_x", "Alpha", "beta", "delta", "delta 10", "éclair"];
    check(Sort::Name, Order::Ascending, by_name).await;
    check(Sort::Name, Order::Descending, reversed(by_name)).await;
    let by_update = ["beta", "éclair", "_x", "delta 10", "delta", "Alpha"];
    check(Sort::Updated, Order::Ascending, by_update).await;
    check(Sort::Updated, Order::Descending, reversed(by_update)).await;
    check(Sort::Created, Order::Descending, ["delta", "delta 10", "_x", "éclair", "Alpha", "beta"]).await;
}

fn reversed<const N: usize>(mut names: [&str; N]) -> [&str; N] {
    names.reverse();
    names
}

async fn pages_have_each_entry_once(home: Home) {
    for _ in 0..25 {
        // Equal in what they are ordered by: the id decides.
        home.live("same").await;
    }
    for order in [Order::Ascending, Order::Descending] {
        let wanted = Wanted { sort: Sort::Name, order, ..Wanted::default() };
        let mut paging = Paging { limit: Some(10), cursor: None };
        let mut seen = Vec::new();
        let mut pages = Vec::new();
        loop {
            let page = list(&home, &wanted, &paging).await;
            pages.push(page.items.len());
            seen.extend(page.items.into_iter().map(|entry| entry.id));
            match page.next {
                Some(next) => paging.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(pages, [10, 10, 5]);
        assert!(if order == Order::Ascending { seen.is_sorted() } else { seen.iter().rev().is_sorted() });
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25);
    }
}

async fn entries_that_are_added_or_removed_meanwhile_neither_repeat_nor_hide_others(home: Home) {
    let mut before = Vec::new();
    for number in 0..12 {
        before.push(home.live(&format!("entry {number}")).await.id);
    }
    let adding = {
        let catalog = home.catalog.clone();
        tokio::spawn(async move {
            for _ in 0..12 {
                catalog.entries().create(&Caller::server(), NewEntry::live("new")).await.unwrap();
            }
        })
    };
    let wanted = Wanted::default();
    let mut paging = Paging { limit: Some(3), cursor: None };
    let mut seen = Vec::new();
    loop {
        let page = list(&home, &wanted, &paging).await;
        if let Some(last) = page.items.last() {
            // What the cursor points at goes away: the next page begins where it was.
            home.catalog.entries().delete(&Caller::server(), &last.id, None).await.unwrap();
        }
        seen.extend(page.items.into_iter().map(|entry| entry.id));
        match page.next {
            Some(next) => paging.cursor = Some(next),
            None => break,
        }
    }
    adding.await.unwrap();
    let mut old: Vec<_> = seen.iter().filter(|id| before.contains(id)).cloned().collect();
    old.reverse();
    assert_eq!(old, before, "each of the old ones once, the newest first");
}

async fn a_cursor_of_another_order_is_invalid(home: Home) {
    for _ in 0..3 {
        home.live("show").await;
    }
    let paging = Paging { limit: Some(1), cursor: None };
    let cursor = list(&home, &Wanted::default(), &paging).await.next;
    let entries = home.catalog.entries();
    let other = Wanted { sort: Sort::Name, ..Wanted::default() };
    for (wanted, cursor) in [
        (other, cursor),
        (Wanted::default(), Some("x'; --".into())),
        (Wanted::default(), Some("WyJjcmVhdGVkIGRlc2MiLCJub3cgIiwiMF8iXQ".into())),
    ] {
        let found = entries.list(&Scope::All, &wanted, &Paging { cursor, ..paging.clone() }).await;
        assert!(matches!(found, Err(Error::Invalid { field: "cursor", .. })), "{found:?}");
    }
}

async fn a_limit_is_not_zero_and_has_a_most(home: Home) {
    home.live("show").await;
    let entries = home.catalog.entries();
    let with = |limit| Paging { limit: Some(limit), cursor: None };
    let none = entries.list(&Scope::All, &Wanted::default(), &with(0)).await;
    assert!(matches!(none, Err(Error::Invalid { field: "limit", .. })));
    assert_eq!(list(&home, &Wanted::default(), &with(u32::MAX)).await.items.len(), 1);
}
