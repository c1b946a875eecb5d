//! Live entries are provisioned in one round trip, edited with conditions, and run.

mod common;

use catalog::Role;
use common::House;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_name_is_enough_and_the_answer_is_everything() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "Sunday service"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.id();
    assert_eq!(made.header("location"), format!("/api/v1/live/{id}"));
    assert_eq!(made.header("etag"), "\"1-offline\"");
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    assert_eq!(made.body["status"], "offline");
    assert_eq!(made.body["publish"]["rtmp"]["primary"], format!("rtmp://example.org:1935/live/{key}"));
    assert!(made.body["publish"]["whip"].is_null());
    let srt = &made.body["publish"]["srt"]["primary"];
    let streamid = format!("publish:{}", made.body["keys"]["primary"].as_str().unwrap_or_default());
    assert_eq!((&srt["port"], &srt["streamid"]), (&json!(8890), &json!(streamid)));
    assert!(srt["passphrase"].is_null());
    assert_eq!(made.body["playback"]["hls"], format!("http://example.org:8080/play/{id}/master.m3u8"));
    assert_eq!(made.body["encoders"]["obs"]["service"]["settings"]["key"], key);
    let opened = house.catalog.keys().find(key).expect("it can be published to at once");
    assert_eq!(opened.entry.id.as_str(), id);
    let shown = house.get(&token, made.header("location")).await;
    assert_eq!(shown.body, made.body);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let wrong = json!({
        "name": " ",
        "tags": ["a", ""],
        "settings": {"segment": "45s", "part": "3s", "starts_at": "tomorrow", "window": "4s"},
    });
    let refused = house.post(&token, "/api/v1/live", &wrong).await;
    assert_eq!(refused.problem(), (422, "invalid"), "{}", refused.text);
    let fields =
        ["name", "tags[1]", "settings.segment", "settings.part", "settings.starts_at", "settings.window"];
    assert_eq!(refused.fields(), fields);
}

#[tokio::test]
async fn an_edit_is_a_merge_and_can_be_conditional() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let new = json!({"name": "a", "owner": "o", "metadata": {"x": {"y": 1, "z": 2}}, "settings": {"segment": "4s"}});
    let made = house.post(&token, "/api/v1/live", &new).await;
    let path = format!("/api/v1/live/{}", made.id());
    let patch = json!({"owner": null, "metadata": {"x": {"y": null}}, "settings": {"dvr": "1h"}});
    let headers = [("if-match", made.header("etag"))];
    let edited = house.send(&token, Method::PATCH, &path, &headers, Some(&patch)).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!(edited.header("etag"), "\"2-offline\"");
    assert_eq!(edited.body["owner"], json!(null));
    assert_eq!(edited.body["metadata"], json!({"x": {"z": 2}}));
    assert_eq!(edited.body["settings"]["segment"], "4s");
    assert_eq!(edited.body["settings"]["dvr"], "1h");
    let late = house.send(&token, Method::PATCH, &path, &headers, Some(&json!({"name": "late"}))).await;
    assert_eq!(late.problem(), (412, "stale"));
    let late = house.send(&token, Method::DELETE, &path, &headers, None).await;
    assert_eq!(late.problem(), (412, "stale"));
    let same =
        house.send(&token, Method::GET, &path, &[("if-none-match", edited.header("etag"))], None).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(house.delete(&token, &path).await.status, 204);
    assert_eq!(house.get(&token, &path).await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn a_creation_that_is_sent_twice_is_done_once() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let create = async |key: &str, name: &str| {
        let body = json!({"name": name});
        house.send(&token, Method::POST, "/api/v1/live", &[("idempotency-key", key)], Some(&body)).await
    };
    let first = create("k-1", "a").await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = create("k-1", "a").await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(create("k-1", "b").await.problem(), (422, "key-reused"));
    assert_ne!(create("k-2", "a").await.id(), first.id());
    assert_eq!(create(&"k".repeat(256), "a").await.fields(), ["Idempotency-Key"]);
    // What was refused was not done, and its key is free again.
    assert_eq!(create("k-3", "").await.problem(), (422, "invalid"));
    assert_eq!(create("k-3", "c").await.status, 201);
    let list = house.get(&token, "/api/v1/live").await;
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn the_same_creation_at_once_is_done_once() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let body = json!({"name": "a"});
    let create = async || {
        house.send(&token, Method::POST, "/api/v1/live", &[("idempotency-key", "k")], Some(&body)).await
    };
    let answers = [tokio::join!(create(), create()), tokio::join!(create(), create())];
    for answer in answers.into_iter().flat_map(|(one, two)| [one, two]) {
        let in_progress = answer.problem() == (409, "in-progress") && answer.header("retry-after") == "1";
        assert!(answer.status == 201 || in_progress, "{}", answer.text);
    }
    let list = house.get(&token, "/api/v1/live").await;
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn of_edits_of_the_same_version_one_wins_and_unconditional_ones_all_do() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    let path = made.header("location").to_owned();
    let edit = async |name: &str, tag: Option<&str>| {
        let headers: Vec<_> = tag.map(|tag| ("if-match", tag)).into_iter().collect();
        house.send(&token, Method::PATCH, &path, &headers, Some(&json!({"metadata": {name: 1}}))).await.status
    };
    let tag = Some(made.header("etag"));
    let (one, two, three) = tokio::join!(edit("a", tag), edit("b", tag), edit("c", tag));
    let mut statuses = [one, two, three];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412]);
    let all = tokio::join!(edit("d", None), edit("e", None), edit("f", None));
    assert_eq!(all, (200, 200, 200));
    let metadata = house.get(&token, &path).await.body["metadata"].clone();
    assert_eq!(metadata.as_object().map(serde_json::Map::len), Some(4), "{metadata}");
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_filtered() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    for number in 0..7 {
        let tags: &[&str] = if number % 2 == 0 { &["even"] } else { &[] };
        house.post(&token, "/api/v1/live", &json!({"name": format!("event {number}"), "tags": tags})).await;
    }
    let (mut path, mut names) = ("/api/v1/entries?limit=3&sort=name&order=asc".to_owned(), Vec::new());
    while !path.is_empty() {
        let page = house.get(&token, &path).await;
        let items = page.body["items"].as_array().expect("items").clone();
        assert!(items.len() <= 3);
        names.extend(items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()));
        let link = page.header("link").to_owned();
        assert_eq!(link.is_empty(), page.body["next"].is_null());
        path = link.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    }
    assert_eq!(names, (0..7).map(|number| format!("event {number}")).collect::<Vec<_>>());
    for (query, count) in [
        ("tag=even", 4),
        ("q=event+3", 1),
        ("status=offline", 7),
        ("status=live", 0),
        ("status=offline&limit=2", 2),
        ("kind=vod", 0),
        ("air=preview", 0),
        ("created_from=2999-01-01T00:00:00Z", 0),
    ] {
        let page = house.get(&token, &format!("/api/v1/entries?{query}")).await;
        assert_eq!(page.body["items"].as_array().map(Vec::len), Some(count), "{query}: {}", page.text);
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=x", "cursor"),
        ("sort=size", "sort"),
        ("limt=3", "limt"),
        ("created_from=now", "created_from"),
        ("account=x", "account"),
    ] {
        let refused = house.get(&token, &format!("/api/v1/entries?{query}")).await;
        assert_eq!((refused.problem(), refused.fields()), ((422, "invalid"), vec![field]), "{query}");
    }
}
