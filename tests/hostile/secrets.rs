//! Nothing that opens anything is in a log, whoever did what with it and however much is logged.

use std::process::Command;

use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Tenant, id, raw};
use crate::publisher::Publisher;
use crate::rtmp::Rtmp;
use crate::support::api::Api;
use crate::support::http::get;
use crate::support::server::{BINARY, Site};
use crate::support::{Server, within};

/// A key of somebody's own choice.
const CHOSEN: &str = "a-key-of-somebodys-own-choice";

/// An entry of the configuration; its key is in there as well.
const FIXED: &str = "of-the-configuration";

fn text<'a>(of: &'a Value, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {of:#}"))
}

/// Makes one of each kind of secret, and uses and misuses them. Gives them all.
fn use_all(server: &Server) -> Vec<String> {
    let owner = Tenant::new(server, "owner");
    let live = format!("/live/{}", owner.entry());
    let mut secrets = vec![owner.key(), CHOSEN.to_owned(), format!("key-{FIXED}")];
    secrets.extend([&owner.admin, &owner.producer, &owner.viewer].map(|api| api.token().to_owned()));
    secrets.push(Api::admin(server).token().to_owned());
    secrets.push(text(&owner.live, "/keys/backup").to_owned());
    let mut publisher = Publisher { rtmp: Rtmp::publish(server.rtmp(), &owner.key()) };
    publisher.describe(true, true);
    publisher.run(0, 4, true);
    misuse_keys(server, &secrets);
    misuse_tokens(server, &secrets);
    secrets.extend(playback(server, &owner));
    secrets.extend(webhook(&owner));
    for key in [json!({"key": CHOSEN}), json!({}), json!({"leg": "backup"}), json!({"key": "short!"})] {
        let reply = owner.producer.post(&format!("{live}/rotate-key"), &key);
        secrets.extend(
            ["primary", "backup"]
                .iter()
                .filter_map(|leg| reply.body["keys"][leg].as_str())
                .map(str::to_owned),
        );
    }
    within(5, "the publisher is cut", || (!publisher.rtmp.stands()).then_some(()));
    assert_eq!(owner.producer.delete(&live).status, 204);
    assert_eq!(owner.admin.delete(&format!("/tokens/{}", owner.tokens[2])).status, 204);
    secrets
}

/// Keys where keys do not belong, or with something about them.
fn misuse_keys(server: &Server, secrets: &[String]) {
    for secret in secrets {
        for (app, key) in [
            ("live", format!("{secret}_720p")),
            ("live", format!("{secret}x")),
            ("live", format!("{secret}?token={secret}")),
            ("backup", secret.clone()),
            (secret.as_str(), secret.clone()),
            ("live", secret.to_uppercase()),
        ] {
            let mut rtmp = Rtmp::shaken(server.rtmp());
            rtmp.ask(app, &key);
            rtmp.hear("Net");
        }
    }
}

/// Tokens, and keys, where tokens do not belong, and in requests that are refused.
fn misuse_tokens(server: &Server, secrets: &[String]) {
    for secret in secrets {
        for line in [
            format!("GET /api/v1/tokens/self?token={secret}"),
            format!("GET /api/v1/live/{secret}"),
            format!("GET /t/{secret}/play/{ENTRY}/master.m3u8"),
            format!("GET /play/{secret}/master.m3u8"),
            format!("GET /{secret}"),
            format!("{secret} /"),
        ] {
            raw(server.http(), &format!("{secret}x"), &line, format!("Cookie: {secret}\r\n").as_bytes(), b"");
            raw(server.http(), secret, &line, format!("X-{secret}: {secret}\r\n").as_bytes(), b"");
        }
        let body = json!({"name": secret, "key": secret, "role": secret}).to_string();
        raw(
            server.http(),
            secret,
            "POST /api/v1/tokens",
            b"Content-Type: application/json\r\n",
            body.as_bytes(),
        );
    }
}

/// Playback tokens, by their part that nobody can make.
fn playback(server: &Server, owner: &Tenant) -> Vec<String> {
    let path = format!("/entries/{}/playback-token", owner.entry());
    let made = [json!({}), json!({"preview": true}), json!({"ip": "192.0.2.7"})].map(|wanted| {
        let made = owner.producer.post(&path, &wanted).done();
        let token = text(&made, "/token").to_owned();
        for below in [
            format!("play/{}/master.m3u8", owner.entry()),
            format!("watch/{}", owner.entry()),
            format!("play/{ENTRY}/master.m3u8"),
            "metrics".to_owned(),
        ] {
            get(
                &server.http_url(&format!("t/{token}/{below}")),
                &[("referer", &format!("http://x/t/{token}/"))],
            );
        }
        Api::by(server, &token).get("/tokens/self");
        token.rsplit('.').next().expect("a signature").to_owned()
    });
    made.to_vec()
}

/// Secrets of webhooks, with and without their prefix.
fn webhook(owner: &Tenant) -> Vec<String> {
    let made =
        owner.admin.post("/webhooks", &json!({"url": "http://127.0.0.1:9/hook?token=in-its-url"})).done();
    let path = format!("/webhooks/{}", id(&made));
    let rotated = owner.admin.post(&format!("{path}/rotate-secret"), &json!({})).done();
    let delivery = id(&owner.admin.post(&format!("{path}/test"), &json!({})).done());
    let delivery = format!("{path}/deliveries/{delivery}");
    within(20, "a try", || (owner.admin.get(&delivery).done()["attempts"].as_u64() > Some(0)).then_some(()));
    let bare = |made: &Value| text(made, "/secret").trim_start_matches("whsec_").to_owned();
    vec![bare(&made), bare(&rotated)]
}

fn assert_unsaid(text: &str, secrets: &[String], place: &str) {
    for secret in secrets {
        assert!(secret.len() >= 8, "{secret:?} is too short to be looked for");
        let line = text.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} in {place}: {line:?}");
    }
}

fn nothing_is_said(format: &str) {
    let settings = format!("log.format = \"{format}\"\nauth.failures = 10000\n{FREELY}{SETTINGS}");
    let mut command = Command::new("env");
    command.args(["RUST_LOG=trace", BINARY]);
    let server = Site::new(&settings, &[ENTRY, FIXED]).start_by(command);
    let bystander = Bystander::on_air(&server);
    let secrets = use_all(&server);
    assert!(secrets.len() >= 15, "{secrets:?}");
    bystander.assert_undisturbed();
    let all = Api::admin(&server);
    for path in ["/audit?limit=500", "/accounts", "/tokens", "/webhooks", "/entries?limit=500"] {
        assert_unsaid(&all.get(path).done().to_string(), &secrets, path);
    }
    let metrics = get(&server.http_url("metrics"), &[]).text();
    assert_unsaid(&metrics, &secrets, "the metrics");
    let log = server.log();
    assert!(log.contains("DEBUG") && log.contains("RTMP publishing"), "much is logged");
    assert_unsaid(&log, &secrets, "the log");
}

#[test]
fn no_secret_is_in_a_log_for_people() {
    nothing_is_said("text");
}

#[test]
fn no_secret_is_in_a_log_for_machines() {
    nothing_is_said("json");
}

/// A database's URL has a password in it; what is wrong with it is said without.
#[test]
fn no_password_of_a_database_is_said() {
    let password = "pass-word-of-it";
    for url in [
        format!("postgres://user:{password}@127.0.0.1:9/name"),
        format!("postgres://user:{password}@127.0.0.1:not-a-port/name"),
        format!("postgres://user:{password}@[::1/name"),
        format!("mysql://user:{password}@127.0.0.1/name"),
        format!("postgres://user:{password}@127.0.0.1:9/name?sslmode={password}"),
        password.to_owned(),
    ] {
        for arguments in [
            &["serve", "--log-format", "json"][..],
            &["serve"],
            &["check"],
            &["token", "create", "--role", "admin"],
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let mut command = Command::new(BINARY);
            command.args(arguments).current_dir(&folder).env("RUST_LOG", "trace");
            command.env("HEADWATER_HTTP__LISTEN", "127.0.0.1:0").env("HEADWATER_RTMP__LISTEN", "127.0.0.1:0");
            command.env("HEADWATER_SRT__LISTEN", "127.0.0.1:0");
            let output = command.env("HEADWATER_DATABASE__URL", &url).output().expect("the binary runs");
            for said in [&output.stdout, &output.stderr] {
                let said = String::from_utf8_lossy(said);
                assert!(!said.contains(password), "{arguments:?} with {url}: {said}");
            }
            assert!(arguments == ["check"] || !output.status.success(), "{arguments:?} with {url}");
        }
    }
}
