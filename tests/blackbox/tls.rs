//! HTTPS and RTMPS with the clients that people have: curl and ffmpeg.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::hls::Media;
use crate::support::http::get;
use crate::support::server::{Entry, Site};
use crate::support::source::{Source, USUAL};
use crate::support::tls::{self, Certificate, FILES, LISTENERS};
use crate::support::{Api, Push, Server, within};

/// What curl got.
#[derive(Debug)]
struct Got {
    version: String,
    status: String,
    body: Vec<u8>,
}

fn curl(trusts: &Path, options: &[&str], url: &str) -> Got {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--cacert"]).arg(trusts).args(options);
    command.args(["--write-out", "%{stderr}%{http_version} %{http_code}", url]).stdin(Stdio::null());
    let output = command.output().expect("curl runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{url}: {said}");
    let (version, status) = said.trim().split_once(' ').expect("version and status");
    Got { version: version.to_owned(), status: status.to_owned(), body: output.stdout }
}

/// A server with a certificate of its own making, an entry that was provisioned over HTTPS, and an encoder that publishes
/// to it as the answer said, over TLS.
struct Stage {
    server: Server,
    trusts: PathBuf,
    id: String,
    _push: Push,
}

impl Stage {
    fn on_air() -> Stage {
        let server = Server::start(&format!("tls.self_signed = true\n{LISTENERS}"), &[]);
        let trusts = server.folder().join("data/tls/self-signed.pem");
        let live = provisioned(&server, &trusts);
        let (id, url) = (text(&live, "/id").to_owned(), text(&live, "/publish/rtmps/primary"));
        let (key, port) = (text(&live, "/keys/primary"), server.listener("rtmps").port());
        assert_eq!(url, format!("rtmps://localhost:{port}/live/{key}"));
        assert_eq!(text(&live, "/playback/hls"), https(&server, &format!("play/{id}/master.m3u8")));
        let push = Push::to(url, &Source { seconds: 60, ..USUAL }.file(), &["-re"], &[]);
        server.play(&id).wait_for("master.m3u8");
        Stage { server, trusts, id, _push: push }
    }

    fn play(&self) -> Entry {
        self.server.play(&self.id)
    }

    /// Over HTTP/2.
    fn curl(&self, path: &str) -> Got {
        self.curl_by(&["--http2"], path)
    }

    fn curl_by(&self, options: &[&str], path: &str) -> Got {
        curl(&self.trusts, options, &https(&self.server, &format!("play/{}/{path}", self.id)))
    }

    fn playlist(&self, query: &str) -> Media {
        let got = self.curl(&format!("video-1.m3u8{query}"));
        assert_eq!((got.version.as_str(), got.status.as_str()), ("2", "200"));
        Media::parse(&String::from_utf8(got.body).expect("text"))
    }
}

fn https(server: &Server, path: &str) -> String {
    format!("https://localhost:{}/{path}", server.listener("https").port())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

fn provisioned(server: &Server, trusts: &Path) -> Value {
    let bearer = format!("Authorization: Bearer {}", Api::admin(server).token());
    let options =
        ["--header", &bearer, "--header", "Content-Type: application/json", "--data", r#"{"name":"n"}"#];
    let made = curl(trusts, &options, &https(server, "api/v1/live"));
    assert_eq!((made.version.as_str(), made.status.as_str()), ("2", "201"));
    serde_json::from_slice(&made.body).expect("JSON")
}

#[test]
fn what_comes_by_rtmps_is_the_same_over_http_and_https_in_both_versions() {
    let stage = Stage::on_air();
    let media = within(20, "three segments", || {
        Some(Media::parse(&stage.play().wait_for("video-1.m3u8"))).filter(|media| media.segments.len() >= 3)
    });
    let first = media.segments.iter().map(|segment| &segment.uri).chain([&media.last().map]);
    for uri in first {
        let clear = stage.play().get(uri);
        assert_eq!(clear.status, 200, "{uri}");
        for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
            let got = stage.curl_by(&[option], uri);
            assert_eq!((got.version.as_str(), got.status.as_str()), (version, "200"), "{uri}");
            assert!(got.body == clear.body, "{uri} over {version}");
        }
        let some = stage.curl_by(&["--http2", "--range", "100-20099"], uri);
        assert!(some.body == clear.body[100..clear.body.len().min(20_100)], "a range of {uri}");
    }
    assert_low_latency(&stage);
    let status = Api::admin(&stage.server).get(&format!("/live/{}/status", stage.id)).body;
    assert!(status.to_string().contains(r#""protocol":"rtmps""#), "{status:#}");
    assert!(!stage.server.log().contains("ERROR"), "{}", stage.server.log());
}

/// Reloads that block until there is more, and a segment that is asked for while it is made.
fn assert_low_latency(stage: &Stage) {
    let next = |media: &Media| (media.last().number + 1, media.low_latency().open.len());
    for _ in 0..6 {
        let (msn, part) = next(&stage.playlist(""));
        let newer = next(&stage.playlist(&format!("?_HLS_msn={msn}&_HLS_part={part}")));
        assert!(newer > (msn, part), "{msn}.{part} was waited for: {newer:?}");
    }
    let begun = within(10, "a segment that has begun", || {
        let (msn, parts) = next(&stage.playlist(""));
        (parts == 1).then_some(msn)
    });
    let uri = format!("video-1/{begun}.m4s");
    let grown = stage.curl(&uri);
    assert!(grown.status == "200" && grown.body == stage.play().get(&uri).body, "{uri} as it was made");
}

#[test]
fn a_certificate_is_replaced_under_who_plays() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let site = Site::new(&format!("{LISTENERS}{FILES}"), &["e"]);
    first.write(site.folder());
    let server = site.start();
    let (https, folder) = (server.listener("https"), server.folder().to_owned());
    let push = Push::live(&server, "e", &USUAL.file());
    server.play("e").wait_for("master.m3u8");
    let connect = |trusts: &Certificate| tls::connect(https, &trusts.certificate, &["http/1.1"]);
    let mut player = connect(&first).expect("the first certificate");
    let mut plays = || {
        let (head, body) = tls::ask(&mut player, "/play/e/video-1.m3u8").expect("an answer");
        assert!(head.starts_with("http/1.1 200") && !body.is_empty(), "{head}");
    };
    plays();
    // Half of a renewal, and then the other half.
    std::fs::write(folder.join("certificate.pem"), &second.certificate).expect("a file");
    server.hang_up();
    within(10, "the refusal", || server.log().contains("is not the key of the certificate").then_some(()));
    assert!(connect(&first).is_ok(), "the old pair stays");
    let metric = |name: &str| {
        let text = get(&server.http_url("metrics"), &[]).text();
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no {name}:\n{text}"))
    };
    assert!(metric("headwater_tls_certificate_files_refused").ends_with(" 1"));
    second.write(&folder);
    within(10, "the new certificate", || connect(&second).ok());
    assert!(connect(&first).is_err(), "the old one is shown to nobody any more");
    assert!(metric("headwater_tls_certificate_files_refused").ends_with(" 0"));
    assert!(metric("headwater_tls_certificate_reloads_total{outcome=\"replaced\"}").ends_with(" 1"));
    plays();
    drop(push);
}
