//! `headwater check` says everything that is wrong with a configuration, where, and nothing else.

use std::process::{Command, Output};

#[test]
fn all_errors_at_once_with_line_and_key() {
    let config = "\
[http]
listen = \"nowhere\"
[packager]
segmnet = \"2s\"
window = \"1s\"
[stream]
takeover = \"sometimes\"
reconnect = 30
[[streams]]
entry = \"Upper\"
key = \"fine\"
[[streams]]
entry = \"other\"
key = \"fine\"
[tls]
enabled = true
";
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("h.toml"), config).expect("a file in it");
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    let command = command.current_dir(folder.path()).args(["check", "--config", "h.toml"]);
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{stderr}");
    let expected = [
        "h.toml:2:1: http.listen",
        "h.toml:4:1: packager.segmnet",
        "h.toml:5:1: packager.window",
        "h.toml:7:1: stream.takeover",
        "h.toml:8:1: stream.reconnect",
        "h.toml:10:1: streams",
        "h.toml:14:1: streams",
        "h.toml:16:1: tls.enabled",
    ];
    assert_eq!(stderr.lines().count(), expected.len(), "{stderr}");
    for place in expected {
        assert!(stderr.contains(place), "no {place} in\n{stderr}");
    }
    assert!(!stderr.contains("fine"), "a key is a secret:\n{stderr}");
}
