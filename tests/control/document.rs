//! `docs/provision.md`: each command in it is run as it stands there.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::events::receiver::Receiver;
use crate::support::server::{BINARY, Site};
use crate::support::{Api, Server};

const DOCUMENT: &str = "docs/provision.md";

/// What stands between fences that begin like this.
fn blocks(document: &str, fence: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line {
            "```" => inside = false,
            _ if line == fence => {
                inside = true;
                blocks.push(String::new());
            }
            _ if inside => *blocks.last_mut().expect("it began") += &format!("{line}\n"),
            _ => {}
        }
    }
    blocks
}

/// A command that finds the binary under its name.
fn command(words: &[&str]) -> Command {
    let folder = Path::new(BINARY).parent().expect("a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").expect("a PATH"));
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env("PATH", path).stdin(Stdio::null());
    command
}

/// The server as the document starts it, on free ports.
fn serve(document: &str) -> Server {
    let [block] = &blocks(document, "```sh server")[..] else { panic!("one block starts the server") };
    let mut command = command(&["bash", "-c", &format!("exec {block}")]);
    for (name, value) in [
        ("HEADWATER_HTTP__LISTEN", "127.0.0.1:0"),
        ("HEADWATER_RTMP__LISTEN", "127.0.0.1:0"),
        ("HEADWATER_WEBHOOKS__ALLOW_PRIVATE", "true"),
    ] {
        command.env(name, value);
    }
    Site::new("", &[]).start_by(command)
}

#[test]
fn an_event_is_provisioned_as_the_document_says() {
    let document = std::fs::read_to_string(DOCUMENT).expect("the document");
    let server = serve(&document);
    let receiver = Receiver::new(&[]);
    let script = blocks(&document, "```sh").concat();
    let mut bash = command(&["timeout", "180", "bash", "-euxo", "pipefail", "-c", &script]);
    bash.current_dir(server.folder()).env_remove("HEADWATER_TOKEN");
    bash.env("HEADWATER_SERVER", server.http_url("").trim_end_matches('/')).env("HOOK", receiver.url());
    let Output { status, stdout, stderr } = bash.output().expect("bash runs");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}");

    let told = std::array::from_fn(|_| receiver.next().json()["type"].clone());
    assert_eq!(told, ["webhook.test", "stream.live", "stream.ended"], "{said}");
    let entries = Api::admin(&server).get("/live?q=sunday").done();
    assert_eq!(entries["items"][0]["status"], "ended", "{said}");
}

#[test]
fn every_command_of_the_document_is_one_that_is_run() {
    let document = std::fs::read_to_string(DOCUMENT).expect("the document");
    let fences = document.lines().filter(|line| line.starts_with("```") && *line != "```");
    for fence in fences {
        assert!(["```sh", "```sh server", "```json", "```text"].contains(&fence), "{fence}");
    }
    assert!(blocks(&document, "```sh").len() > 5);
}
