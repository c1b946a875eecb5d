//! Recordings: shown, protected, removed, and looked at for what they lack.

mod common;

use std::sync::{Arc, Mutex};

use catalog::recordings::{Deleted, Progress, Recording, RecordingState};
use catalog::{Caller, EntryId, NewEntry, RecordingId, Role};
use common::House;
use control_api::archive::{
    Archive, Copied, CopyStage, DamagedSegment, Gap, Integrity, OfRendition, Place, Unreadable, Verified,
};
use futures_util::future::BoxFuture;
use media::WallTime;
use serde_json::json;

/// Remembers whose files were to go, and reports what it was told to.
struct Files {
    removed: Mutex<Vec<String>>,
    report: Mutex<Result<Integrity, Unreadable>>,
    copy: Mutex<Option<Copied>>,
}

impl Archive for Files {
    fn removed<'a>(
        &'a self,
        _: &'a EntryId,
        recording: &'a RecordingId,
        deleted: Deleted,
    ) -> BoxFuture<'a, ()> {
        assert_eq!(deleted, Deleted::Gone, "no clip shows any");
        self.removed.lock().expect("whole").push(recording.to_string());
        Box::pin(async {})
    }

    fn integrity<'a>(
        &'a self,
        _: &'a EntryId,
        _: &'a RecordingId,
        verify: bool,
    ) -> BoxFuture<'a, Result<Integrity, Unreadable>> {
        let report = self.report.lock().expect("whole").clone();
        let report = report.map(|it| Integrity { verified: it.verified.filter(|_| verify), ..it });
        Box::pin(async { report })
    }

    fn copy<'a>(&'a self, _: &'a EntryId, _: &'a RecordingId) -> BoxFuture<'a, Option<Copied>> {
        let copy = *self.copy.lock().expect("whole");
        Box::pin(async move { copy })
    }
}

struct Shelf {
    house: House,
    files: Arc<Files>,
    entry: String,
    recordings: Vec<Recording>,
}

impl Shelf {
    /// An entry with a finished recording and one that grows.
    async fn new() -> Shelf {
        let files = Arc::new(Files {
            removed: Mutex::default(),
            report: Mutex::new(Ok(report())),
            copy: Mutex::default(),
        });
        let house = House::keeping(files.clone()).await;
        let (caller, catalog) = (Caller::server(), &house.catalog);
        let entry = catalog.entries().create(&caller, NewEntry::live("show")).await.expect("an entry").0.id;
        let mut recordings = Vec::new();
        for _ in 0..2 {
            recordings.push(catalog.recordings().begin(&caller, &entry, 7).await.expect("a recording"));
        }
        let ended = Some(WallTime::from_millis(1_800_000_000_000));
        let progress = Progress { state: RecordingState::Finished, ended, bytes: 42 };
        catalog.recordings().progress(&caller, &recordings[0].id, progress).await.expect("ended");
        Shelf { house, files, entry: entry.to_string(), recordings }
    }

    fn path(&self, at: usize) -> String {
        format!("/api/v1/entries/{}/recordings/{}", self.entry, self.recordings[at].id)
    }

    fn removed(&self) -> Vec<String> {
        self.files.removed.lock().expect("whole").clone()
    }
}

fn report() -> Integrity {
    let at = |seconds: i64| Some(WallTime::from_millis(1_800_000_000_000 + seconds * 1000));
    let gap = Gap {
        first: 5,
        last: 9,
        from: at(10),
        until: at(20),
        reason: "no-space",
        note: "the disk is full".to_owned(),
    };
    let video = OfRendition {
        name: "video-1".to_owned(),
        expected: 10,
        stored: 5,
        bytes: 500,
        gaps: vec![gap],
        ..OfRendition::default()
    };
    let damaged = |number, place, missing| {
        let rendition = "video-1".to_owned();
        DamagedSegment { rendition, number, place, missing }
    };
    let damaged = vec![damaged(3, Place::Disk, false), damaged(4, Place::ObjectStore, true)];
    let verified = Some(Verified { checked: 5, damaged });
    Integrity { renditions: vec![video], estimated: false, verified }
}

#[tokio::test]
async fn a_recording_is_shown_protected_and_removed() {
    let shelf = Shelf::new().await;
    let house = &shelf.house;
    let (producer, viewer) = (house.token(Role::Producer).await, house.token(Role::Viewer).await);
    let path = shelf.path(0);
    let shown = house.get(&viewer, &path).await;
    assert_eq!((shown.status, &shown.body["state"]), (200, &json!("finished")), "{}", shown.text);
    assert_eq!(shown.body["protected"], false);
    let list = house.get(&viewer, &format!("/api/v1/entries/{}/recordings", shelf.entry)).await;
    assert_eq!(list.body["items"][0], shown.body, "as in the list");

    let protect = |protected: bool| json!({ "protected": protected });
    assert_eq!(house.patch(&viewer, &path, &protect(true)).await.status, 403);
    let patched = house.patch(&producer, &path, &protect(true)).await;
    assert_eq!((patched.status, &patched.body["protected"]), (200, &json!(true)), "{}", patched.text);
    let refused = house.delete(&producer, &path).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    assert!(refused.text.contains("protected"), "{}", refused.text);
    assert_eq!(house.patch(&producer, &path, &json!({})).await.body["protected"], true, "left out, it stays");
    assert_eq!(house.patch(&producer, &path, &protect(false)).await.body["protected"], false);

    assert_eq!(house.delete(&viewer, &path).await.status, 403);
    assert_eq!(shelf.removed(), [""; 0]);
    assert_eq!(house.delete(&producer, &path).await.status, 204);
    assert_eq!(shelf.removed(), [shelf.recordings[0].id.to_string()], "its files go");
    for gone in [house.get(&viewer, &path).await, house.delete(&producer, &path).await] {
        assert_eq!(gone.problem(), (404, "not-found"));
    }
    let admin = house.token(Role::Admin).await;
    let log = house.get(&admin, &format!("/api/v1/audit?subject={}", shelf.recordings[0].id)).await;
    let log = log.body["items"].as_array().expect("items").clone();
    assert_eq!((&log[0]["action"], &log[0]["reason"]), (&json!("delete"), &json!(null)));
    assert!(log.iter().filter(|it| it["after"] == json!({ "protected": true })).count() == 1, "{log:?}");
}

#[tokio::test]
async fn one_that_grows_is_not_removed() {
    let shelf = Shelf::new().await;
    let producer = shelf.house.token(Role::Producer).await;
    let refused = shelf.house.delete(&producer, &shelf.path(1)).await;
    assert_eq!(refused.problem(), (409, "conflict"));
    assert!(refused.text.contains("stop it first"), "{}", refused.text);
    assert_eq!(shelf.removed(), [""; 0]);
}

#[tokio::test]
async fn what_is_not_there_or_another_accounts_is_not_there() {
    let shelf = Shelf::new().await;
    let house = &shelf.house;
    let stranger = house.token_in(Role::Admin, house.account("b").await).await;
    let producer = house.token(Role::Producer).await;
    let id = &shelf.recordings[0].id;
    for (token, path) in [
        (&stranger, shelf.path(0)),
        (&producer, format!("/api/v1/entries/{}/recordings/rec_00000000", shelf.entry)),
        (&producer, format!("/api/v1/entries/0_00000000/recordings/{id}")),
        (&producer, format!("/api/v1/entries/{}/recordings/..", shelf.entry)),
    ] {
        let answers = [
            house.get(token, &path).await,
            house.patch(token, &path, &json!({ "protected": true })).await,
            house.delete(token, &path).await,
            house.get(token, &format!("{path}/integrity")).await,
        ];
        assert!(answers.iter().all(|it| it.status == 404), "{path}: {answers:?}");
    }
    assert_eq!(shelf.removed(), [""; 0]);
    let wrong = house.patch(&producer, &shelf.path(0), &json!({ "protected": null })).await;
    assert_eq!((wrong.status, wrong.fields()), (422, vec!["protected"]));
}

#[tokio::test]
async fn the_report_says_what_is_missing_and_since_when() {
    let shelf = Shelf::new().await;
    let viewer = shelf.house.token(Role::Viewer).await;
    let path = format!("{}/integrity", shelf.path(0));
    let report = shelf.house.get(&viewer, &path).await;
    assert_eq!((report.status, &report.body["complete"]), (200, &json!(false)), "{}", report.text);
    let expected = json!({
        "rendition": "video-1", "expected": 10, "stored": 5, "partial": 0, "silent": 0, "bytes": 500,
        "gaps": [{
            "first": 5, "last": 9, "from": "2027-01-15T08:00:10.000Z", "until": "2027-01-15T08:00:20.000Z",
            "reason": "no-space", "note": "the disk is full",
        }],
        "more_gaps": 0,
    });
    assert_eq!(report.body["renditions"], json!([expected]));
    assert_eq!(report.body["verified"], json!(null));
    let whole = OfRendition { expected: 1, stored: 1, ..OfRendition::default() };
    let whole = Integrity { renditions: vec![whole], ..Integrity::default() };
    *shelf.files.report.lock().expect("whole") = Ok(whole);
    assert_eq!(shelf.house.get(&viewer, &path).await.body["complete"], true);
}

#[tokio::test]
async fn how_much_of_it_the_object_store_has_is_shown() {
    let shelf = Shelf::new().await;
    let (house, viewer) = (&shelf.house, shelf.house.token(Role::Viewer).await);
    assert_eq!(house.get(&viewer, &shelf.path(0)).await.body["object_store"], json!(null), "there is none");
    let copy = Copied { stage: CopyStage::Uploading, bytes: 42, uploaded: 17, failing: true };
    *shelf.files.copy.lock().expect("whole") = Some(copy);
    let shown = json!({ "stage": "uploading", "bytes": 42, "uploaded_bytes": 17, "failing": true });
    assert_eq!(house.get(&viewer, &shelf.path(0)).await.body["object_store"], shown);
    let listed = house.get(&viewer, &format!("/api/v1/entries/{}/recordings", shelf.entry)).await;
    assert_eq!(listed.body["items"][1]["object_store"], shown);
}

#[tokio::test]
async fn verifying_is_for_producers_and_says_what_is_damaged() {
    let shelf = Shelf::new().await;
    let house = &shelf.house;
    let (producer, viewer) = (house.token(Role::Producer).await, house.token(Role::Viewer).await);
    let path = format!("{}/integrity?verify=true", shelf.path(0));
    assert_eq!(house.get(&viewer, &path).await.problem(), (403, "forbidden"));
    let found = house.get(&producer, &path).await;
    let damaged = json!([
        { "rendition": "video-1", "number": 3, "place": "disk", "missing": false },
        { "rendition": "video-1", "number": 4, "place": "object-store", "missing": true },
    ]);
    assert_eq!(found.body["verified"], json!({ "checked": 5, "damaged": damaged, "more_damaged": 0 }));
    for (error, problem) in [
        (Unreadable::Busy, (503, "unavailable")),
        (Unreadable::Failed("EIO".to_owned()), (503, "unavailable")),
        (Unreadable::Missing, (404, "not-found")),
    ] {
        *shelf.files.report.lock().expect("whole") = Err(error);
        let answer = house.get(&producer, &path).await;
        assert_eq!(answer.problem(), problem);
        assert_eq!(answer.status == 503, !answer.header("retry-after").is_empty());
    }
    assert_eq!(house.get(&producer, &format!("{path}&x=1")).await.status, 422);
    let unread = house.get(&producer, &path.replace("true", "maybe")).await;
    assert_eq!((unread.status, unread.fields()), (422, vec!["verify"]));
}

#[tokio::test]
async fn a_report_of_very_many_gaps_is_cut() {
    let shelf = Shelf::new().await;
    let mut report = report();
    let one = report.renditions[0].gaps[0].clone();
    report.renditions[0].gaps = vec![one; 2500];
    *shelf.files.report.lock().expect("whole") = Ok(report);
    let viewer = shelf.house.token(Role::Viewer).await;
    let shown = shelf.house.get(&viewer, &format!("{}/integrity", shelf.path(0))).await.body;
    let video = &shown["renditions"][0];
    assert_eq!((video["gaps"].as_array().map(Vec::len), &video["more_gaps"]), (Some(1000), &json!(1500)));
}

#[tokio::test]
async fn entries_and_accounts_say_how_much_is_kept() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let keep = json!({ "keep_age": "30d", "keep_count": 5, "keep_size": 1_u64 << 40 });
    let entry = house.post(&admin, "/api/v1/live", &json!({ "name": "show", "settings": keep })).await;
    assert_eq!(entry.status, 201, "{}", entry.text);
    let path = format!("/api/v1/live/{}", entry.id());
    let of = |view: &serde_json::Value| json!({ "keep_age": view["keep_age"], "keep_count": view["keep_count"], "keep_size": view["keep_size"] });
    assert_eq!(of(&house.get(&admin, &path).await.body["settings"]), keep);
    let less = house.patch(&admin, &path, &json!({ "settings": { "keep_count": null } })).await;
    let expected = json!({ "keep_age": "30d", "keep_count": null, "keep_size": 1_u64 << 40 });
    assert_eq!(of(&less.body["settings"]), expected, "{}", less.text);

    let account = house.post(&admin, "/api/v1/accounts", &json!({ "name": "a", "quotas": keep })).await;
    assert_eq!((account.status, of(&account.body["quotas"])), (201, keep.clone()), "{}", account.text);
    let account = format!("/api/v1/accounts/{}", account.id());
    let open = house.patch(&admin, &account, &json!({ "quotas": { "keep_age": null } })).await;
    assert_eq!(open.body["quotas"]["keep_age"], json!(null), "{}", open.text);
    for (member, value) in [
        ("keep_age", json!("59m")),
        ("keep_age", json!("3651d")),
        ("keep_count", json!(0)),
        ("keep_count", json!(1_000_001)),
        ("keep_size", json!(1000)),
        ("keep_size", json!((1_u64 << 50) + 1)),
    ] {
        let (settings, quotas) =
            (json!({ "settings": { member: value } }), json!({ "quotas": { member: value } }));
        let refused = house.patch(&admin, &path, &settings).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![&*format!("settings.{member}")]),
            "{value}"
        );
        let refused = house.patch(&admin, &account, &quotas).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![&*format!("quotas.{member}")]), "{value}");
    }
}
