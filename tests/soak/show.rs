//! An entry that is published to and recorded.

use serde_json::{Value, json};

use crate::support::hls::session;
use crate::support::server::Entry;
use crate::support::{Api, Server};

/// Segments of a second; an encoder that is away is waited for, however slow the machine is.
pub const SETTINGS: &str = "
auth.rate = 10000
auth.burst = 100000
[packager]
segment = \"1s\"
[stream]
reconnect = \"120s\"
";

/// An entry: what outlives the servers that serve it.
pub struct Show {
    pub id: String,
    pub key: String,
}

impl Show {
    /// A new one.
    pub fn new(server: &Server) -> Show {
        let created = Api::admin(server).post("/live", &json!({"name": "a show"})).done();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Show { id: text(&created["id"]), key: text(&created["keys"]["primary"]) }
    }

    /// As the public sees it.
    pub fn play(&self, server: &Server) -> Entry {
        server.play(&self.id)
    }

    /// Ends it. Gives the session that was live, which is another one than the recording that follows it.
    pub fn end(&self, server: &Server) -> u64 {
        let live = session(&self.play(server).wait_for("master.m3u8"));
        Api::admin(server).send("POST", &format!("/live/{}/end", self.id), &[], None).done();
        live
    }
}
