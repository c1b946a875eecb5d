//! A live entry through its life: what its producer does with it, and what there is to see of it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::api::Reply;
use crate::support::hls::{Media, session};
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::{Api, Push, Server, within};

/// For something to become what it is expected to.
const PATIENCE_SECONDS: u64 = 30;

/// A live entry and who runs it.
pub struct Show {
    pub api: Api,
    pub id: String,
    /// What creating it answered.
    pub created: Value,
    /// What the public sees.
    pub public: Entry,
}

impl Show {
    /// Created by the server's administrator, of segments of a second unless `body` says otherwise.
    pub fn new(server: &Server, body: Value) -> Show {
        Show::by(Api::admin(server), server, body)
    }

    /// Created by somebody.
    pub fn by(api: Api, server: &Server, mut body: Value) -> Show {
        if body["settings"]["segment"].is_null() {
            body["settings"]["segment"] = json!("1s");
        }
        body["name"] = json!("a show");
        let created = api.post("/live", &body).done();
        let id = created["id"].as_str().expect("an id").to_owned();
        Show { public: server.play(&id), api, id, created }
    }

    /// Where its encoder publishes to, as it was told when the entry was created.
    pub fn url(&self) -> &str {
        self.created["publish"]["rtmp"]["primary"].as_str().expect("a URL")
    }

    /// An encoder that publishes for half a minute.
    pub fn publish(&self) -> Push {
        publish(self.url(), &file())
    }

    /// An encoder that publishes, and is on air by now.
    pub fn on_air(&self) -> Push {
        let push = self.publish();
        self.public.wait_for("master.m3u8");
        push
    }

    pub fn path(&self, below: &str) -> String {
        format!("/live/{}{below}", self.id)
    }

    /// Does something to it, like `end`.
    pub fn act(&self, action: &str) -> Reply {
        self.api.send("POST", &self.path(&format!("/{action}")), &[], None)
    }

    /// Changes its settings.
    pub fn set(&self, settings: Value) -> Value {
        self.api.patch(&self.path(""), &json!({"settings": settings})).done()
    }

    /// How it is now.
    pub fn status(&self) -> Value {
        self.api.get(&self.path("/status")).done()
    }

    /// How it is as soon as `so` holds of it.
    pub fn when(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        self.within(PATIENCE_SECONDS, what, so)
    }

    /// The same within some seconds.
    pub fn within(&self, seconds: u64, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        within(seconds, what, || {
            last = self.status();
            so(&last).then(|| last.clone())
        })
    }

    /// The session that the public sees.
    pub fn session(&self) -> u64 {
        session(&self.public.wait_for("master.m3u8"))
    }

    /// The video's playlist of the session that the public sees.
    pub fn playlist(&self) -> Media {
        Media::parse(&self.public.wait_for("video-1.m3u8"))
    }
}

/// An encoder that sends a file in real time.
pub fn publish(url: &str, file: &Path) -> Push {
    Push::to(url, file, &["-re"], &[])
}

/// A minute with a keyframe each second.
pub fn file() -> PathBuf {
    Source { seconds: 60, gop: 25, ..USUAL }.file()
}

/// That an encoder was turned away, and was told why.
pub fn assert_refused(push: Push, reason: &str) {
    let (success, said) = push.outcome();
    assert!(!success, "it was let in:\n{said}");
    assert!(said.contains(reason), "the reason is not in\n{said}");
}

/// That an encoder that was on is no more.
pub fn assert_cut(push: Push) {
    let (success, said) = push.outcome();
    assert!(!success, "it was not cut:\n{said}");
}
