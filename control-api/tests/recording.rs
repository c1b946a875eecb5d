//! Recording by API: whoever records says whether it makes sense, and a viewer may not.

mod common;

use catalog::Role;
use common::House;
use serde_json::json;

#[tokio::test]
async fn what_makes_no_sense_is_a_conflict_with_its_reason() {
    let house = House::new().await;
    let (producer, viewer) = (house.token(Role::Producer).await, house.token(Role::Viewer).await);
    let made = house.post(&producer, "/api/v1/live", &json!({"name": "show"})).await;
    let path = |below: &str| format!("/api/v1/live/{}/{below}", made.id());
    for action in ["start", "pause", "resume", "stop"] {
        let path = path(&format!("recording/{action}"));
        let refused = house.post(&producer, &path, &json!({})).await;
        assert_eq!(refused.problem(), (409, "conflict"), "{action}");
        assert_eq!(refused.body["detail"], "this server records nothing");
        assert_eq!(house.post(&viewer, &path, &json!({})).await.problem(), (403, "forbidden"));
    }
    let wrong = house.post(&producer, &path("recording/stop"), &json!({"new": "yes"})).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    let status = house.get(&viewer, &path("status")).await.body;
    assert_eq!((&status["recording"]["state"], &status["recording"]["gaps"]), (&json!("off"), &json!([])));
}
