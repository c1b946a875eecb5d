//! Stream keys: given, rotated, set, revoked, and known in memory.

use catalog::{Caller, EntryId, Error, Leg, LiveSettings, NewEntry, Scope, Secret};
use media::WallTime;

use crate::home::Home;

on_both!(
    a_new_live_entry_can_be_published_to_at_once,
    a_rotated_key_opens_and_the_old_one_does_not,
    a_revoked_key_opens_nothing_and_can_be_given_again,
    a_chosen_key_is_refused_where_a_name_could_mean_two,
    a_chosen_key_has_a_length_and_an_alphabet,
    a_key_is_matched_whole,
    who_stops_waiting_does_not_stop_a_rotation_half_way,
    another_process_learns_of_a_rotation_by_reading_anew,
    many_rotations_at_once_leave_one_key,
);

async fn a_new_live_entry_can_be_published_to_at_once(home: Home) {
    let (entry, keys) =
        home.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    for leg in [Leg::Primary, Leg::Backup] {
        let key = keys.of(leg).unwrap().expose();
        assert!(
            key.len() == 24 && key.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{key}"
        );
        let opened = home.catalog.keys().find(key).unwrap();
        assert_eq!((&opened.entry.id, &opened.entry.account, opened.leg), (&entry.id, &entry.account, leg));
    }
    assert_eq!(home.catalog.stream_keys().get(&Scope::All, &entry.id).await, Ok(keys));
}

async fn a_rotated_key_opens_and_the_old_one_does_not(home: Home) {
    let (entry, old) =
        home.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let ring = home.catalog.stream_keys();
    let new = ring.rotate(&Caller::server(), &entry.id, Leg::Primary).await.unwrap();
    let opens = |key: &Secret| home.catalog.keys().find(key.expose()).map(|it| (it.entry.id.clone(), it.leg));
    assert_eq!(opens(&new), Some((entry.id.clone(), Leg::Primary)));
    assert_eq!(opens(old.primary.as_ref().unwrap()), None);
    assert_eq!(opens(old.backup.as_ref().unwrap()), Some((entry.id.clone(), Leg::Backup)));
    assert_eq!(home.catalog.entries().get(&Scope::All, &entry.id).await.unwrap().version, 2);
    assert_eq!(ring.get(&Scope::All, &entry.id).await.unwrap().primary, Some(new));
}

async fn a_revoked_key_opens_nothing_and_can_be_given_again(home: Home) {
    let (entry, keys) =
        home.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let (ring, caller) = (home.catalog.stream_keys(), Caller::server());
    ring.revoke(&caller, &entry.id, Leg::Backup).await.unwrap();
    assert!(home.catalog.keys().find(keys.backup.unwrap().expose()).is_none());
    assert_eq!(ring.get(&Scope::All, &entry.id).await.unwrap().backup, None);
    assert_eq!(ring.revoke(&caller, &entry.id, Leg::Backup).await, Err(Error::NotFound("stream key")));
    let new = ring.rotate(&caller, &entry.id, Leg::Backup).await.unwrap();
    assert!(home.catalog.keys().find(new.expose()).is_some());
}

async fn a_chosen_key_is_refused_where_a_name_could_mean_two(home: Home) {
    async fn set(home: &Home, entry: &EntryId, leg: Leg, key: &str) -> bool {
        match home.catalog.stream_keys().set(&Caller::server(), entry, leg, Secret::new(key)).await {
            Ok(()) => true,
            Err(Error::Conflict(_)) => false,
            Err(other) => panic!("{key}: {other}"),
        }
    }
    let (one, two) = (home.live("one").await.id, home.live("two").await.id);
    assert!(set(&home, &one, Leg::Primary, "grand-prix").await);
    assert!(!set(&home, &two, Leg::Primary, "grand-prix").await, "the same");
    assert!(!set(&home, &one, Leg::Backup, "grand-prix").await, "the same on the other leg");
    assert!(!set(&home, &two, Leg::Primary, "grand-prix_720p").await, "reads as a rendition of the first");
    assert!(set(&home, &two, Leg::Primary, "grand-prix_HD").await, "HD is no name of a rendition");
    assert!(set(&home, &two, Leg::Backup, "moto-race_1").await);
    assert!(!set(&home, &one, Leg::Backup, "moto-race").await, "a rendition of it is the last");
    assert!(set(&home, &one, Leg::Primary, "grand-prix").await, "its own key again");
    assert!(
        set(&home, &one, Leg::Primary, "grand-prix_720p").await,
        "in place of the one it would contradict"
    );
}

async fn a_chosen_key_has_a_length_and_an_alphabet(home: Home) {
    let entry = home.live("show").await;
    for key in ["", "seven77", "with space", "sl/ash-es", "né-en-été", &"x".repeat(129)] {
        let set = home
            .catalog
            .stream_keys()
            .set(&Caller::server(), &entry.id, Leg::Primary, Secret::new(key))
            .await;
        assert!(matches!(set, Err(Error::Invalid { field: "key", .. })), "{key}");
    }
    let longest = Secret::new("x".repeat(128));
    assert_eq!(
        home.catalog.stream_keys().set(&Caller::server(), &entry.id, Leg::Primary, longest).await,
        Ok(())
    );
}

async fn a_key_is_matched_whole(home: Home) {
    let (_, keys) = home.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let key = keys.primary.unwrap();
    let key = key.expose();
    for wrong in ["", &key[1..], &key[..23], &key.to_uppercase(), &format!("{key}_720p"), &format!("{key}\0")]
    {
        assert!(home.catalog.keys().find(wrong).is_none(), "{wrong:?}");
    }
}

async fn who_stops_waiting_does_not_stop_a_rotation_half_way(home: Home) {
    let entry = home.live("show").await;
    for polls in 1..60 {
        let ring = home.catalog.stream_keys();
        let caller = Caller::server();
        let mut rotation = Box::pin(ring.rotate(&caller, &entry.id, Leg::Primary));
        for _ in 0..polls {
            let poll =
                std::future::poll_fn(|context| std::task::Poll::Ready(rotation.as_mut().poll(context)));
            if poll.await.is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(rotation);
    }
    // A write waits for what is under way before it.
    home.live("another").await;
    let stored = home.catalog.stream_keys().get(&Scope::All, &entry.id).await.unwrap().primary.unwrap();
    assert!(
        home.catalog.keys().find(stored.expose()).is_some(),
        "the view in memory is another than the database"
    );
    assert_eq!(home.catalog.keys().len(), 4);
}

async fn another_process_learns_of_a_rotation_by_reading_anew(home: Home) {
    let (entry, old) =
        home.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let other = home.again().await;
    let new = home.catalog.stream_keys().rotate(&Caller::server(), &entry.id, Leg::Primary).await.unwrap();
    assert!(other.keys().find(old.primary.as_ref().unwrap().expose()).is_some());
    other.refresh().await.unwrap();
    assert!(other.keys().find(old.primary.unwrap().expose()).is_none());
    assert!(other.keys().find(new.expose()).is_some());
}

async fn many_rotations_at_once_leave_one_key(home: Home) {
    let entry = home.live("show").await;
    let rotations = (0..8).map(|_| {
        let (catalog, id) = (home.catalog.clone(), entry.id.clone());
        tokio::spawn(async move {
            catalog.stream_keys().rotate(&Caller::server(), &id, Leg::Primary).await.unwrap()
        })
    });
    let rotations: Vec<_> = rotations.collect();
    let mut keys = Vec::new();
    for rotation in rotations {
        keys.push(rotation.await.unwrap());
    }
    let stored = home.catalog.stream_keys().get(&Scope::All, &entry.id).await.unwrap().primary.unwrap();
    let open: Vec<_> = keys.iter().filter(|key| home.catalog.keys().find(key.expose()).is_some()).collect();
    assert_eq!(open, [&stored]);
}

#[test]
fn a_schedule_opens_at_its_start_and_closes_at_its_end() {
    let at = WallTime::from_millis;
    let settings = LiveSettings { starts_at: Some(at(10)), ends_at: Some(at(20)), ..LiveSettings::default() };
    for (now, open) in [(9, false), (10, true), (19, true), (20, false)] {
        assert_eq!(settings.is_open_at(at(now)), open, "{now}");
    }
    assert!(LiveSettings::default().is_open_at(at(0)));
}
