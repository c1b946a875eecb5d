//! Recordings that are taken out: who may go, what is written down, and that their files are not forgotten.

use std::collections::HashSet;

use catalog::audit::Filter;
use catalog::clips::Range;
use catalog::events::Kind;
use catalog::recordings::{Deleted, Progress, Recording, RecordingState};
use catalog::removals::Removed;
use catalog::{Caller, Details, Entry, EntryId, Error, Paging, RecordingId, Scope};
use serde_json::json;

use crate::home::Home;

on_both!(
    what_is_taken_out_waits_for_its_files_to_go,
    what_is_open_or_protected_stays,
    a_clip_keeps_the_files_whatever_is_deleted_first,
    cleaning_up_takes_nothing_that_clips_show,
    the_rule_is_in_the_audit_log_and_in_the_event,
    another_account_takes_nothing_out,
);

async fn finished(home: &Home, entry: &Entry) -> Recording {
    let recordings = home.catalog.recordings();
    let recording = recordings.begin(&Caller::server(), &entry.id, 7).await.unwrap();
    let progress = Progress { state: RecordingState::Finished, ended: Some(recording.started), bytes: 42 };
    recordings.progress(&Caller::server(), &recording.id, progress).await.unwrap();
    recordings.get(&Scope::All, &entry.id, &recording.id).await.unwrap()
}

async fn remove(home: &Home, recording: &Recording) -> Result<Deleted, Error> {
    home.catalog.recordings().remove(&Caller::server(), &recording.entry, &recording.id, None).await
}

async fn cut(home: &Home, recording: &Recording) -> Entry {
    let range = Range { recording: recording.id.clone(), first: 1, last: 2, start: 0, end: 9 };
    let details = Details { name: "best of".to_owned(), ..Details::default() };
    home.catalog.clips().create(&Caller::server(), &recording.entry, details, vec![range]).await.unwrap()
}

async fn delete(home: &Home, entry: &EntryId) {
    home.catalog.entries().delete(&Caller::server(), entry, None).await.unwrap();
}

async fn waiting(home: &Home) -> Vec<RecordingId> {
    let all = home.catalog.removals().list().await.unwrap();
    all.into_iter().map(|it| it.recording).collect()
}

async fn what_is_taken_out_waits_for_its_files_to_go(home: Home) {
    let entry = home.live("show").await;
    let (one, two) = (finished(&home, &entry).await, finished(&home, &entry).await);
    assert_eq!(remove(&home, &one).await, Ok(Deleted::Gone));
    let (catalog, again) = (&home.catalog, home.again().await);
    assert_eq!(catalog.recordings().list(&Scope::All, &entry.id).await, Ok(vec![two.clone()]));
    let expected = vec![Removed { entry: entry.id.clone(), recording: one.id.clone() }];
    assert_eq!(again.removals().list().await, Ok(expected), "also after a crash");
    assert_eq!(remove(&home, &one).await, Err(Error::NotFound("recording")));
    let note = catalog.recordings().note(&Caller::server(), &one).await;
    assert_eq!(note, Err(Error::NotFound("recording")), "nobody brings it back who has not heard of it");
    delete(&home, &entry.id).await;
    assert_eq!(waiting(&home).await, [one.id.clone(), two.id.clone()], "an entry takes its recordings along");
    catalog.removals().done(&one.id).await.unwrap();
    catalog.removals().done(&one.id).await.unwrap();
    assert_eq!(waiting(&home).await, [two.id]);
}

async fn what_is_open_or_protected_stays(home: Home) {
    let entry = home.live("show").await;
    let recordings = home.catalog.recordings();
    let open = recordings.begin(&Caller::server(), &entry.id, 7).await.unwrap();
    let protected = finished(&home, &entry).await;
    recordings.protect(&Caller::server(), &protected.id, true).await.unwrap();
    for (recording, why) in [(&open, "written"), (&protected, "protected")] {
        let refused = remove(&home, recording).await.unwrap_err();
        assert!(matches!(&refused, Error::Conflict(it) if it.contains(why)), "{refused:?}");
    }
    assert_eq!(recordings.list(&Scope::All, &entry.id).await.unwrap().len(), 2);
    assert_eq!(waiting(&home).await, []);
    recordings.protect(&Caller::server(), &protected.id, false).await.unwrap();
    assert_eq!(remove(&home, &protected).await, Ok(Deleted::Gone));
}

async fn a_clip_keeps_the_files_whatever_is_deleted_first(home: Home) {
    let entry = home.live("show").await;
    let recording = finished(&home, &entry).await;
    let (one, two) = (cut(&home, &recording).await, cut(&home, &recording).await);
    assert_eq!(remove(&home, &recording).await, Ok(Deleted::Kept));
    let shown = home.catalog.recordings().stock().await.unwrap();
    assert_eq!(shown, (vec![], HashSet::from([recording.id.clone()])), "hidden, and needed");
    assert_eq!(home.catalog.recordings().hidden().await, Ok(vec![recording.clone()]));
    let note = home.catalog.recordings().note(&Caller::server(), &recording).await;
    assert_eq!(note, Err(Error::NotFound("recording")), "it stays hidden");
    delete(&home, &one.id).await;
    assert_eq!(waiting(&home).await, [], "one clip is left");
    delete(&home, &two.id).await;
    assert_eq!(waiting(&home).await, std::slice::from_ref(&recording.id));

    let other = finished(&home, &entry).await;
    let clip = cut(&home, &other).await;
    delete(&home, &entry.id).await;
    assert_eq!(waiting(&home).await, std::slice::from_ref(&recording.id), "the clip outlives the entry");
    delete(&home, &clip.id).await;
    assert_eq!(waiting(&home).await.len(), 2);
}

async fn cleaning_up_takes_nothing_that_clips_show(home: Home) {
    let entry = home.live("show").await;
    let recording = finished(&home, &entry).await;
    let clip = cut(&home, &recording).await;
    let recordings = home.catalog.recordings();
    let known = recordings.stock().await.unwrap();
    assert_eq!(known, (vec![recording.clone()], HashSet::from([recording.id.clone()])));
    let refused = recordings.remove(&Caller::server(), &entry.id, &recording.id, Some("it is old")).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    delete(&home, &clip.id).await;
    assert_eq!(recordings.stock().await, Ok((vec![recording.clone()], HashSet::new())));
    let gone = recordings.remove(&Caller::server(), &entry.id, &recording.id, Some("it is old")).await;
    assert_eq!(gone, Ok(Deleted::Gone));
}

async fn the_rule_is_in_the_audit_log_and_in_the_event(home: Home) {
    let entry = home.live("show").await;
    let recording = finished(&home, &entry).await;
    let mut events = home.catalog.events().subscribe(Scope::All, None);
    let why = "it ended more than 30 days ago";
    let recordings = home.catalog.recordings();
    recordings.remove(&Caller::server(), &entry.id, &recording.id, Some(why)).await.unwrap();
    let event = events.next().await.unwrap();
    assert_eq!((event.kind, event.entry.as_deref()), (Kind::RecordingRemoved, Some(entry.id.as_str())));
    assert_eq!(
        (&event.data["recording"], &event.data["reason"]),
        (&json!(recording.id.as_str()), &json!(why))
    );
    let filter = Filter { subject: Some(recording.id.to_string()), ..Filter::default() };
    let log = home.catalog.audit().list(&Scope::All, &filter, &Paging::default()).await.unwrap().items;
    assert_eq!((log[0].who.as_str(), log[0].action.as_str()), ("server", "delete"));
    assert_eq!(log[0].reason.as_deref(), Some(why));
    assert!(log[1..].iter().all(|it| it.reason.is_none()), "what people do needs no reason");
}

async fn another_account_takes_nothing_out(home: Home) {
    let (entry, other) = (home.live("show").await, home.live("other").await);
    let recording = finished(&home, &entry).await;
    let (_, stranger) = home.tenant("b").await;
    let recordings = home.catalog.recordings();
    for (caller, of) in [(&stranger, &entry.id), (&Caller::server(), &other.id)] {
        let refused = recordings.remove(caller, of, &recording.id, None).await;
        assert_eq!(refused, Err(Error::NotFound("recording")));
        let unseen = recordings.get(&caller.scope, of, &recording.id).await;
        assert!(matches!(unseen, Err(Error::NotFound(_))));
    }
    assert_eq!(waiting(&home).await, []);
}
