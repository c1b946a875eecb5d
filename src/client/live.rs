//! `headwater live …`

use serde_json::{Map, Value, json};

use super::show::{items, more, pairs, table, text};
use super::{Api, print};
use crate::cli::{self, LiveCommand};

pub(super) fn run(live: &cli::Live) -> anyhow::Result<()> {
    let flags = &live.server;
    let api = Api::new(flags)?;
    match &live.command {
        LiveCommand::Create(new) => print(flags, &api.post("/live", Some(&body(new)))?, created),
        LiveCommand::List(page) => print(flags, &api.get(&format!("/live{}", page.query()))?, list),
        LiveCommand::Show { id } => print(flags, &api.get(&format!("/live/{id}"))?, created),
        LiveCommand::Status { id } => print(flags, &api.get(&format!("/live/{id}/status"))?, status),
        LiveCommand::GoLive { id } => act(&api, flags, id, "go-live"),
        LiveCommand::Preview { id } => act(&api, flags, id, "preview"),
        LiveCommand::End { id } => act(&api, flags, id, "end"),
        LiveCommand::Disconnect { id } => act(&api, flags, id, "disconnect"),
        LiveCommand::RotateKey { id, leg } => {
            let body = json!({"leg": leg.as_str()});
            print(flags, &api.post(&format!("/live/{id}/rotate-key"), Some(&body))?, keys)
        }
    }
}

/// Does it, and shows a person where that leaves the stream.
fn act(api: &Api, flags: &cli::Server, id: &cli::EntryId, action: &str) -> anyhow::Result<()> {
    let answer = api.post(&format!("/live/{id}/{action}"), None)?;
    match flags.json {
        true => print(flags, &answer, created),
        false => print(flags, &api.get(&format!("/live/{id}/status"))?, status),
    }
}

/// What was not said is not sent: the server knows the defaults.
fn body(new: &cli::NewLive) -> Value {
    let mut body = Map::new();
    let mut put =
        |name: &str, value: Option<Value>| drop(value.map(|value| body.insert(name.to_owned(), value)));
    put("name", Some(json!(new.name)));
    put("description", new.description.as_ref().map(|it| json!(it)));
    put("tags", (!new.tags.is_empty()).then(|| json!(new.tags)));
    put("air", new.preview.then(|| json!("preview")));
    let settings = new.settings();
    put("settings", (!settings.is_empty()).then(|| json!(settings)));
    Value::Object(body)
}

fn created(live: &Value) -> String {
    let of = |pointer: &str| text(live, pointer);
    let facts = [
        ("id", of("/id")),
        ("name", of("/name")),
        ("status", of("/status")),
        ("server", of("/encoders/obs/service/settings/server")),
        ("key", of("/keys/primary")),
        ("srt", of("/publish/srt/primary/url")),
        ("watch", of("/playback/watch")),
        ("hls", of("/playback/hls")),
        ("dash", of("/playback/dash")),
        ("ffmpeg", of("/encoders/ffmpeg")),
    ];
    pairs(&facts)
}

fn list(answer: &Value) -> String {
    let columns = [("ID", "/id"), ("STATUS", "/status"), ("NAME", "/name"), ("CREATED", "/created")];
    table(&columns, items(answer, "/items")) + more(answer)
}

fn keys(answer: &Value) -> String {
    pairs(&[("primary", text(answer, "/keys/primary")), ("backup", text(answer, "/keys/backup"))])
}

fn status(status: &Value) -> String {
    let of = |pointer: &str| text(status, pointer);
    let mut out = pairs(&[
        ("status", of("/status")),
        ("since", of("/since")),
        ("viewers", of("/viewers")),
        ("dropped", of("/counters/dropped")),
        ("last publisher left", of("/last/reason")),
    ]);
    for leg in items(status, "/legs") {
        out += &self::leg(leg);
    }
    out
}

fn leg(leg: &Value) -> String {
    let of = |pointer: &str| text(leg, pointer);
    let rendition = leg["rendition"].as_str().map(|rendition| format!(" {rendition}")).unwrap_or_default();
    let mut out = format!(
        "\n{} leg{rendition}, {} from {}, {}\n",
        of("/leg"),
        of("/protocol"),
        of("/peer"),
        of("/health/verdict")
    );
    let columns = [
        ("TRACK", "/id"),
        ("CODEC", "/codec"),
        ("WIDTH", "/width"),
        ("HEIGHT", "/height"),
        ("FPS", "/frame_rate"),
        ("BITRATE", "/bitrate"),
    ];
    out += &table(&columns, items(leg, "/health/tracks"));
    for finding in items(leg, "/health/findings") {
        let of = |pointer: &str| text(finding, pointer);
        out += &format!("{}: {} {}\n", of("/severity"), of("/message"), of("/remedy"));
    }
    out
}
