//! A database that is locked: recording needs none.

use serde_json::json;

use crate::reel::RENDITIONS;
use crate::stage::Stage;
use crate::support::lock::Lock;
use crate::support::{Api, within};

/// A whole show while somebody holds the database: it is live, recorded and on demand, and what the catalog has to know
/// of it is written when that can be.
#[test]
fn a_show_is_recorded_while_the_database_is_locked() {
    let mut stage = Stage::new(12);
    let api = Api::admin(&stage.server);
    let lock = Lock::of(&stage.server.folder().join("data/catalog.db"));
    stage.publish(0);
    stage.goes_on(3);
    let refused = api.post("/live", &json!({"name": "another"}));
    assert_eq!(refused.problem(), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"), "RFC 9110 §10.2.3: {refused:?}");
    stage.play_out();
    stage.end();
    let played = RENDITIONS.map(|rendition| stage.on_demand(rendition));
    drop(lock);
    for (rendition, played) in RENDITIONS.iter().zip(&played) {
        let lives = stage.reel.index(rendition).lives(&played.frames, &[0]);
        let [Some(life)] = &lives.unwrap_or_else(|wrong| panic!("{rendition}: {wrong}"))[..] else {
            panic!("{rendition}: nothing was recorded")
        };
        assert_eq!(*life.end(), stage.reel.length(rendition) - 1, "{rendition}: the last frame");
    }
    let path = format!("/entries/{}/recordings", stage.show.id);
    within(30, "the catalog knows of the recording", || {
        let listed = api.get(&path).done();
        (listed["items"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
}
