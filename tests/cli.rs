//! The real binary from outside: what it prints, what it exits with, that it starts and stops.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const CONFIG: &str = r#"
[http]
listen = "127.0.0.1:0"
[rtmp]
listen = "127.0.0.1:0"
[srt]
listen = "127.0.0.1:0"
[[streams]]
entry = "demo"
key = "hush"
"#;

fn headwater(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn folder_with(config: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("h.toml"), config).expect("a file in it");
    folder
}

fn run(config: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let folder = folder_with(config);
    let variables = variables.iter().copied();
    let Output { status, stdout, stderr } =
        headwater(folder.path(), arguments).envs(variables).output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

/// A server that stands, with its ready line.
struct Server {
    child: Child,
    ready: String,
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Server {
        let mut command = headwater(folder, arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready).expect("stdout is text");
        Server { child, ready: ready.trim_end().to_owned() }
    }

    fn address(&self, name: &str) -> &str {
        let word = self.ready.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.unwrap_or_else(|| panic!("no {name} in {:?}", self.ready))
    }

    /// Asks it to stop; its exit code, how long that took, and what it had said on stderr.
    fn stop(mut self, signal: Signal) -> (Option<i32>, Duration, String) {
        let asked = Instant::now();
        kill_process(Pid::from_child(&self.child), signal).expect("a child of ours");
        let mut log = String::new();
        self.child.stderr.take().expect("stderr is piped").read_to_string(&mut log).expect("the log is text");
        let status = self.child.wait().expect("it ends");
        (status.code(), asked.elapsed(), log)
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn serves_until_told_to_stop() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = folder_with(CONFIG);
        let server = Server::start(
            folder.path(),
            &["serve", "--config", "h.toml", "--data", "d", "--log-format", "json"],
        );
        let expected =
            ["http", "rtmp", "srt"].map(|name| format!("{name}={}", server.address(name))).join(" ");
        assert_eq!(server.ready, format!("headwater ready {expected}"));
        TcpStream::connect(server.address("http")).expect("http listens");
        TcpStream::connect(server.address("rtmp")).expect("rtmp listens");
        assert!(folder.path().join("d").is_dir());
        let (code, took, log) = server.stop(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
        assert!(!log.contains("hush"), "{log}");
    }
}

#[test]
fn the_ready_line_names_what_is_enabled() {
    let folder = folder_with("rtmp.enabled = false\nsrt.enabled = false\nhttp.listen = \"127.0.0.1:0\"");
    let server = Server::start(folder.path(), &["serve", "--config", "h.toml"]);
    assert_eq!(server.ready, format!("headwater ready http={}", server.address("http")));
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn two_servers_do_not_share_a_data_directory() {
    let folder = folder_with(CONFIG);
    let server = Server::start(folder.path(), &["serve", "--config", "h.toml"]);
    let second =
        headwater(folder.path(), &["serve", "--config", "h.toml"]).output().expect("the binary runs");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server runs"), "{second:?}");
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("an address").to_string();
    let variables = [("HEADWATER_RTMP__LISTEN", listen.as_str())];
    let (code, stdout, stderr) = run(CONFIG, &["serve", "--config", "h.toml"], &variables);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("rtmp.listen: port") && stderr.contains("HEADWATER_RTMP__LISTEN"), "{stderr}");
}

#[test]
fn a_data_directory_that_cannot_be_is_an_error_that_names_the_setting() {
    let (code, _, stderr) = run(CONFIG, &["serve", "--config", "h.toml", "--data", "h.toml"], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("storage.data: cannot create the data directory h.toml"), "{stderr}");
}

#[test]
fn check_says_what_a_server_would_do() {
    let (code, stdout, stderr) =
        run(CONFIG, &["check", "--config", "h.toml"], &[("HEADWATER_RTMP__ENABLED", "false")]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        stdout,
        "ok\nhttp listens on 127.0.0.1:0\nrtmp is off\nsrt listens on 127.0.0.1:0\ndata in data\ncatalog in data/catalog.db\nlive entries of the configuration: 1\n"
    );
}

#[test]
fn check_says_everything_that_is_wrong() {
    let config = "[packager]\nsegmnet = \"2s\"\npart = \"5s\"\n";
    let (code, stdout, stderr) =
        run(config, &["check", "--config", "h.toml"], &[("HEADWATER_HTTP__LISTEN", "x")]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let expected = "h.toml:2:1: packager.segmnet: unknown key; did you mean \"segment\"?\n\
                    h.toml:3:1: packager.part: is \"5s\"; use 100ms to 2s\n\
                    environment variable HEADWATER_HTTP__LISTEN: http.listen: is \"x\"; \
                    use IP:PORT, an IPv6 address in brackets\n";
    assert_eq!(stderr, expected);
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let (code, _, stderr) = run("", &["check", "--config", "missing.toml"], &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("missing.toml: cannot read the configuration"), "{stderr}");
}

const OVER_TLS: &str = "http.listen = \"127.0.0.1:0\"\nhttps.listen = \"127.0.0.1:0\"\n\
                        rtmp.listen = \"127.0.0.1:0\"\nrtmps.listen = \"127.0.0.1:0\"\n\
                        srt.listen = \"127.0.0.1:0\"\n";

#[test]
fn one_flag_gives_it_a_certificate_that_stays() {
    let folder = folder_with(OVER_TLS);
    let serve = || {
        let arguments = ["serve", "--config", "h.toml", "--data", "d", "--tls-self-signed"];
        let server = Server::start(folder.path(), &arguments);
        let addresses =
            ["http", "https", "rtmp", "rtmps", "srt"].map(|name| format!("{name}={}", server.address(name)));
        assert_eq!(server.ready, format!("headwater ready {}", addresses.join(" ")));
        let certificate = std::fs::read(folder.path().join("d/tls/self-signed.pem")).expect("it is kept");
        assert_eq!(server.stop(Signal::TERM).0, Some(0));
        certificate
    };
    assert_eq!(serve(), serve());
    let (code, stdout, _) =
        run(OVER_TLS, &["check", "--config", "h.toml"], &[("HEADWATER_TLS__SELF_SIGNED", "true")]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("https listens on 127.0.0.1:0\nrtmp listens on 127.0.0.1:0\nrtmps listens"),
        "{stdout}"
    );
}

#[test]
fn check_says_everything_that_is_wrong_with_a_certificate() {
    let folder = folder_with(&format!("{OVER_TLS}tls.certificate = \"c.pem\"\ntls.key = \"k.pem\"\n"));
    let said = |command: &str| {
        let output =
            headwater(folder.path(), &[command, "--config", "h.toml"]).output().expect("the binary runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("k.pem", "no key");
    for command in ["check", "serve"] {
        let (code, said) = said(command);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("tls.certificate: c.pem cannot be read"), "{said}");
        assert!(said.contains("tls.key: k.pem has no private key"), "{said}");
    }
    let [key, other] = [(); 2].map(|()| rcgen::KeyPair::generate().expect("a key"));
    let mut certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    certificate.not_after = rcgen::date_time_ymd(2001, 2, 3);
    write("c.pem", &certificate.self_signed(&key).expect("signed").pem());
    write("k.pem", &other.serialize_pem());
    assert_eq!(said("check"), (Some(1), "tls.key: k.pem is not the key of the certificate\n".to_owned()));
    write("k.pem", &key.serialize_pem());
    let (code, text) = said("check");
    assert!(code == Some(1) && text.starts_with("tls.certificate: c.pem expired Feb  3"), "{text}");
}
