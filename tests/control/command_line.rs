//! `headwater live`, `headwater entry` and `headwater token` beside a running server.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::show::{Show, file, publish};
use crate::support::server::BINARY;
use crate::support::{Api, Server, within};

/// What a command did.
struct Done {
    success: bool,
    out: String,
    error: String,
}

/// Runs a command of the binary as somebody who stands in the server's folder would.
fn headwater(server: &Server, token: Option<&str>, words: &[&str]) -> Done {
    let mut command = Command::new(BINARY);
    command.args(words).current_dir(server.folder()).env("HEADWATER_SERVER", server.http_url(""));
    command.env_remove("HEADWATER_TOKEN");
    token.map(|token| command.env("HEADWATER_TOKEN", token));
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done { success: status.success(), out: text(stdout), error: text(stderr) }
}

impl Done {
    fn text(self) -> String {
        assert!(self.success, "{}", self.error);
        self.out
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.text()).expect("JSON")
    }

    /// What it says on stderr when it does not do it.
    fn refused(self) -> String {
        assert!(!self.success, "{}", self.out);
        assert_eq!(self.out, "");
        self.error
    }
}

/// The value behind a name in a table of names and values.
fn value<'a>(table: &'a str, name: &str) -> &'a str {
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{table}")).trim()
}

#[test]
fn a_show_is_run_from_the_command_line() {
    let server = Server::start("packager.segment = \"1s\"\n", &[]);
    let run = |words: &[&str]| headwater(&server, None, words);
    let created = run(&["live", "create", "Sunday service", "--tag", "church", "--reconnect", "10s"]).text();
    let (id, key) = (value(&created, "id"), value(&created, "key"));
    assert!(value(&created, "watch").ends_with(&format!("/watch/{id}")));
    let listed = run(&["live", "list"]).text();
    let row: Vec<_> = listed.lines().nth(1).expect("a row").split_whitespace().collect();
    assert_eq!(row[..4], [id, "offline", "Sunday", "service"]);
    assert_eq!(value(&run(&["live", "status", id]).text(), "status"), "offline");

    let _push = publish(&format!("{}/{key}", value(&created, "server")), &file());
    server.play(id).wait_for("master.m3u8");
    let status = within(20, "the encoder is known", || {
        Some(run(&["live", "status", id]).text()).filter(|text| text.contains("video-1"))
    });
    assert!(status.contains("primary leg, rtmp from 127.0.0.1:"), "{status}");
    assert!(status.contains("320") && status.contains("180"), "{status}");
    let machine = run(&["live", "status", id, "--json"]).json();
    assert_eq!((&machine["status"], &machine["legs"][0]["leg"]), (&json!("live"), &json!("primary")));
    assert_eq!(value(&run(&["live", "end", id]).text(), "status"), "ended");
    let again = run(&["live", "end", id]).refused();
    assert!(again.contains("409: nothing is on"), "{again}");

    let shown = run(&["entry", "show", id]).text();
    assert_eq!((value(&shown, "name"), value(&shown, "tags")), ("Sunday service", "church"));
    assert_eq!(run(&["entry", "delete", id]).text(), format!("{id} is deleted\n"));
    assert_eq!(run(&["entry", "list", "--json"]).json()["items"], json!([]));
    assert!(run(&["entry", "show", id]).refused().contains("404: there is no such entry"));
}

#[test]
fn a_token_is_made_beside_the_running_server() {
    let server = Server::start("", &[]);
    let token = |role: &str| {
        let words = ["token", "create", "--role", role, "--data", "data", "--config", "headwater.toml"];
        headwater(&server, None, &words).text().trim().to_owned()
    };
    let (producer, viewer) = (token("producer"), token("viewer"));
    let created = headwater(&server, Some(&producer), &["live", "create", "a show", "--json"]).json();
    let id = created["id"].as_str().expect("an id");
    let seen = headwater(&server, Some(&viewer), &["live", "show", id, "--json"]).json();
    assert_eq!((&seen["id"], &seen["keys"]), (&created["id"], &Value::Null));
    let refused = headwater(&server, Some(&viewer), &["live", "end", id]).refused();
    assert!(
        refused.contains("403: this needs the role producer; the token has the role viewer"),
        "{refused}"
    );
}

#[test]
fn a_wrong_token_a_wrong_server_and_no_token_are_said_so() {
    let server = Server::start("", &[]);
    let wrong = headwater(&server, Some("hw_wrong"), &["live", "list"]).refused();
    assert!(wrong.contains("401: ") && !wrong.contains("hw_wrong"), "{wrong}");
    let none = headwater(&server, None, &["live", "list", "--data", "elsewhere"]).refused();
    assert!(none.contains("elsewhere/admin-token") && none.contains("HEADWATER_TOKEN"), "{none}");
    let nowhere = headwater(&server, None, &["live", "list", "--server", "http://127.0.0.1:1"]).refused();
    assert!(nowhere.contains("no answer from http://127.0.0.1:1"), "{nowhere}");
}

#[test]
fn a_restart_keeps_entries_keys_and_tokens() {
    let server = Server::start("", &[]);
    let admin = Api::admin(&server);
    let token = admin.post("/tokens", &json!({"role": "producer", "name": "crew"})).done();
    let show = Show::new(&server, json!({"tags": ["kept"], "settings": {"window": "12s"}}));
    let server = server.stop().start();

    assert_eq!(Api::admin(&server).token(), admin.token());
    let crew = Api::by(&server, token["secret"].as_str().expect("a secret"));
    let kept = crew.get(&show.path("")).done();
    for member in ["name", "keys", "tags", "settings", "created", "version"] {
        assert_eq!(kept[member], show.created[member], "{member}");
    }
    let _push = publish(kept["publish"]["rtmp"]["primary"].as_str().expect("a URL"), &file());
    server.play(&show.id).wait_for("master.m3u8");
}
