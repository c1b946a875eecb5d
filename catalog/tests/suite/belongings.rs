//! Assets, recordings and jobs of an entry.

use catalog::assets::{AssetKind, NewAsset};
use catalog::audit::Filter;
use catalog::jobs::{JobState, JobStatus, NewJob};
use catalog::recordings::{Progress, RecordingState};
use catalog::{Caller, Error, Paging, Scope};
use media::WallTime;
use serde_json::json;

use crate::home::Home;

on_both!(
    assets_are_added_listed_and_forgotten,
    a_recording_grows_ends_and_is_protected,
    a_recording_is_noted_as_it_is_and_protection_is_not_the_recorders,
    jobs_are_listed_by_entry_and_state_page_by_page,
    progress_is_not_in_the_audit_log,
);

async fn assets_are_added_listed_and_forgotten(home: Home) {
    let (entry, caller, assets) = (home.live("show").await, Caller::server(), home.catalog.assets());
    let new =
        |kind, bytes| NewAsset { kind, location: "a/b.mp4".into(), media_type: "video/mp4".into(), bytes };
    let source = assets.create(&caller, &entry.id, new(AssetKind::Source, 5_000_000_000)).await.unwrap();
    let flavor = assets.create(&caller, &entry.id, new(AssetKind::Flavor, 7)).await.unwrap();
    assert_eq!(assets.list(&Scope::All, &entry.id).await, Ok(vec![source.clone(), flavor.clone()]));
    assets.delete(&caller, &source.id).await.unwrap();
    assert_eq!(assets.delete(&caller, &source.id).await, Err(Error::NotFound("asset")));
    assert_eq!(assets.list(&Scope::All, &entry.id).await, Ok(vec![flavor]));
    let huge = assets.create(&caller, &entry.id, new(AssetKind::Source, u64::MAX)).await;
    assert!(matches!(huge, Err(Error::Invalid { field: "bytes", .. })));
}

async fn a_recording_grows_ends_and_is_protected(home: Home) {
    let (entry, caller, recordings) = (home.live("show").await, Caller::server(), home.catalog.recordings());
    let recording = recordings.begin(&caller, &entry.id, 1_700_000_000).await.unwrap();
    assert_eq!(recording.progress.state, RecordingState::Open);
    let ended = Some(WallTime::from_millis(9));
    let progress = Progress { state: RecordingState::Interrupted, ended, bytes: 42 };
    recordings.progress(&caller, &recording.id, progress).await.unwrap();
    recordings.protect(&caller, &recording.id, true).await.unwrap();
    let listed = recordings.list(&Scope::All, &entry.id).await.unwrap();
    assert_eq!(listed, [catalog::recordings::Recording { progress, protected: true, ..recording.clone() }]);
    recordings.delete(&caller, &recording.id).await.unwrap();
    assert_eq!(recordings.list(&Scope::All, &entry.id).await, Ok(vec![]));
}

/// What a recorder tells later, or tells again, does no harm.
async fn a_recording_is_noted_as_it_is_and_protection_is_not_the_recorders(home: Home) {
    let (entry, caller, recordings) = (home.live("show").await, Caller::server(), home.catalog.recordings());
    let new = catalog::recordings::Recording {
        id: catalog::RecordingId::new().unwrap(),
        entry: entry.id.clone(),
        session: 7,
        progress: Progress { state: RecordingState::Open, ended: None, bytes: 0 },
        started: WallTime::from_millis(5),
        protected: false,
    };
    recordings.note(&caller, &new).await.unwrap();
    recordings.protect(&caller, &new.id, true).await.unwrap();
    let progress =
        Progress { state: RecordingState::Finished, ended: Some(WallTime::from_millis(9)), bytes: 42 };
    let ended = catalog::recordings::Recording { progress, ..new.clone() };
    for _ in 0..2 {
        recordings.note(&caller, &ended).await.unwrap();
    }
    let kept = catalog::recordings::Recording { protected: true, ..ended.clone() };
    assert_eq!(recordings.all().await, Ok(vec![kept]));
    let nowhere = catalog::recordings::Recording {
        id: catalog::RecordingId::new().unwrap(),
        entry: catalog::EntryId::parse("0_nowhere0").unwrap(),
        ..new
    };
    assert_eq!(recordings.note(&caller, &nowhere).await, Err(Error::NotFound("entry")));
}

async fn jobs_are_listed_by_entry_and_state_page_by_page(home: Home) {
    let (one, two) = (home.live("one").await, home.live("two").await);
    let (jobs, caller) = (home.catalog.jobs(), Caller::server());
    let new =
        |kind: &str| NewJob { kind: kind.into(), priority: 1, max_attempts: 3, input: json!({ "at": 1.5 }) };
    let mut made = Vec::new();
    for entry in [&one, &one, &two] {
        made.push(jobs.create(&caller, &entry.id, new("thumbnail")).await.unwrap());
    }
    let status = JobStatus {
        state: JobState::Failed,
        attempts: 3,
        progress: 5000,
        output: Some(json!([1])),
        error: Some("no picture".into()),
    };
    let failed = jobs.update(&caller, &made[0].id, status).await.unwrap();
    let read = jobs.get(&Scope::All, &failed.id).await.unwrap();
    assert_eq!((read.status.progress, &read.status.error), (1000, &Some("no picture".to_owned())));

    let count = async |entry, state| {
        let mut paging = Paging { limit: Some(1), cursor: None };
        let mut count = 0;
        loop {
            let page = jobs.list(&Scope::All, entry, state, &paging).await.unwrap();
            count += page.items.len();
            match page.next {
                Some(next) => paging.cursor = Some(next),
                None => return count,
            }
        }
    };
    assert_eq!(count(None, None).await, 3);
    assert_eq!(count(Some(&one.id), None).await, 2);
    assert_eq!(count(None, Some(JobState::Queued)).await, 2);
    assert_eq!(count(Some(&two.id), Some(JobState::Failed)).await, 0);
}

async fn progress_is_not_in_the_audit_log(home: Home) {
    let (entry, caller, recordings) = (home.live("show").await, Caller::server(), home.catalog.recordings());
    let recording = recordings.begin(&caller, &entry.id, 1).await.unwrap();
    let log = async || {
        let filter = Filter { subject: Some(recording.id.to_string()), ..Filter::default() };
        home.catalog.audit().list(&Scope::All, &filter, &Paging::default()).await.unwrap().items.len()
    };
    let grown = Progress { bytes: 1 << 20, ..recording.progress };
    recordings.progress(&caller, &recording.id, grown).await.unwrap();
    assert_eq!(log().await, 1);
    let ended = Progress { state: RecordingState::Finished, ..grown };
    recordings.progress(&caller, &recording.id, ended).await.unwrap();
    assert_eq!(log().await, 2);
}
