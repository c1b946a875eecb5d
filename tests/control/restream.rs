//! Targets: a live entry on its way to another server, as that one gets it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::hls::Media;
use crate::support::probe::packets;
use crate::support::push::run;
use crate::support::server::Entry;
use crate::support::source::kept;
use crate::support::{Push, Server, http, within};

/// Targets are on this machine, and tried again soon.
pub const SETTINGS: &str = "recorder.mode = \"off\"\nrestream.allow_private = true\nrestream.retry_min = \"200ms\"\nrestream.retry_max = \"1s\"\n";
pub const FAR: &str = "recorder.mode = \"off\"\npackager.segment = \"1s\"\nstream.reconnect = \"2s\"\n";

/// A target, by the API.
pub struct Target<'a> {
    show: &'a Show,
    path: String,
}

impl Target<'_> {
    pub fn add<'a>(show: &'a Show, body: Value) -> (Target<'a>, Value) {
        let created = show.api.post(&show.path("/targets"), &body).done();
        let id = created["id"].as_str().expect("an id");
        (Target { show, path: show.path(&format!("/targets/{id}")) }, created)
    }

    pub fn status(&self) -> Value {
        self.show.api.get(&self.path).done()["status"].clone()
    }

    /// As soon as it is in that state.
    pub fn wait_for(&self, state: &str) -> Value {
        within(30, &format!("the target is {state}"), || {
            Some(self.status()).filter(|status| status["state"] == state)
        })
    }

    pub fn switch(&self, on: bool) {
        self.change(json!({ "enabled": on }));
    }

    pub fn change(&self, to: Value) {
        self.show.api.patch(&self.path, &to).done();
    }
}

/// What a viewer gets of a track: the hashes of its frames.
pub fn heard(play: &Entry, rendition: &str, folder: &Path) -> Vec<String> {
    let media = within(30, "three segments", || {
        let media = Media::parse(&play.wait_for(&format!("{rendition}.m3u8")));
        (media.segments.len() >= 3).then_some(media)
    });
    let mut bytes = play.get(&media.segments[0].map).body;
    media.segments.iter().for_each(|segment| bytes.extend(play.get(&segment.uri).body));
    let file = folder.join(format!("{rendition}.mp4"));
    std::fs::write(&file, bytes).expect("a file");
    hashes(&file, &rendition[..1])
}

pub fn hashes(file: &Path, kind: &str) -> Vec<String> {
    packets(file, kind).packets.into_iter().map(|packet| packet.hash).collect()
}

/// Pictures as they are decoded.
pub fn pictures(file: &Path) -> Vec<String> {
    let path = file.to_str().expect("UTF-8");
    let text = run(
        "ffmpeg",
        &["-v", "error", "-i", path, "-map", "0:v", "-vsync", "passthrough", "-f", "framemd5", "-"],
    );
    let text = String::from_utf8(text).expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(',').next()).map(|hash| hash.trim().to_owned()).collect()
}

/// All that one got is what the other has, in its order, without a hole.
pub fn assert_run(got: &[String], of: &[String], what: &str) {
    assert!(got.len() >= 20, "{what}: only {} frames", got.len());
    let at = of.windows(got.len()).position(|window| window == got);
    assert!(at.is_some(), "{what}: {} frames are no run of {}", got.len(), of.len());
}

#[test]
fn another_server_gets_the_very_frames_and_is_switched_off_and_on() {
    let far = Server::start(FAR, &["e"]);
    let server = Server::start(SETTINGS, &[]);
    let show = Show::new(&server, json!({}));
    let url = far.publish_url("e");
    let (target, created) = Target::add(&show, json!({ "name": "far", "url": url }));
    assert_eq!(
        (created["has_stream_key"].as_bool(), &created["status"]["error"]),
        (Some(true), &Value::Null)
    );
    assert!(!created.to_string().contains("key-e"), "{created}");
    target.wait_for("waiting");
    let _push = show.on_air();
    let status = target.wait_for("sending");
    assert_eq!(status["attempts"], 1);
    let play = far.play("e");
    for (rendition, kind) in [("video-1", "v"), ("audio-1", "a")] {
        let got = heard(&play, rendition, far.folder());
        assert_run(&got, &hashes(&crate::show::file(), kind), rendition);
    }
    let status = target.status();
    assert!(status["frames"].as_u64() > Some(50) && status["bytes"].as_u64() > Some(10_000), "{status:#}");
    assert_eq!((&status["skipped"], &status["error"]), (&json!(0), &Value::Null));
    assert!(status["behind_ms"].as_u64() < Some(3000) && status["bitrate"].as_u64() > Some(0), "{status:#}");

    target.switch(false);
    target.wait_for("off");
    within(20, "the stream ends there", || Media::parse(&play.wait_for("video-1.m3u8")).ended.then_some(()));
    target.switch(true);
    target.wait_for("sending");

    // The other server dies and comes back where it was.
    let rtmp = far.rtmp();
    let site = far.kill();
    let broken = target.wait_for("retrying");
    assert!(broken["error"].is_string() && broken["next_attempt"].is_string(), "{broken:#}");
    let file = site.folder().join("headwater.toml");
    let config = std::fs::read_to_string(&file).expect("it is there");
    let config = config.replace("rtmp.listen = \"127.0.0.1:0\"", &format!("rtmp.listen = \"{rtmp}\""));
    std::fs::write(&file, config).expect("a file");
    let far = site.start();
    target.wait_for("sending");
    within(20, "it is on air there again", || (far.play("e").get("master.m3u8").status == 200).then_some(()));
    let metrics = String::from_utf8(http::get(&server.http_url("metrics"), &[]).body).expect("text");
    assert!(metrics.contains("headwater_restream_targets{state=\"sending\"} 1"), "{metrics}");
    assert!(!server.log().contains("key-e"), "no key in the log");
}

/// ffmpeg that waits for a publisher and writes what it gets.
pub struct Listener {
    child: Child,
    file: PathBuf,
}

impl Listener {
    pub fn start(folder: &Path, name: &str, before: &[&str], url: &str) -> Listener {
        let file = folder.join(name);
        let child = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(before)
            .args(["-i", url, "-c", "copy"])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn();
        Listener { child: child.expect("ffmpeg runs"), file }
    }

    /// Waits for its end.
    pub fn file(mut self) -> PathBuf {
        within(20, "ffmpeg notices the end", || self.child.try_wait().expect("a child").map(drop));
        self.file.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it has one").port()
}

#[test]
fn ffmpeg_gets_an_entry_by_rtmp_and_by_encrypted_srt() {
    let server = Server::start(SETTINGS, &[]);
    let show = Show::new(&server, json!({}));
    let (rtmp, srt) = (free_port(), free_port());
    let rtmp = format!("rtmp://127.0.0.1:{rtmp}/live/abc");
    let folder = server.folder();
    let by_rtmp = Listener::start(folder, "got.flv", &["-listen", "1"], &rtmp);
    let listen = format!("srt://127.0.0.1:{srt}?mode=listener&passphrase=a-long-passphrase");
    let by_srt = Listener::start(folder, "got.ts", &[], &listen);
    let (one, _) = Target::add(&show, json!({ "name": "ffmpeg", "url": rtmp }));
    let url = format!("srt://127.0.0.1:{srt}?streamid=publish:abc&passphrase=a-long-passphrase&latency=200");
    let (two, created) = Target::add(&show, json!({ "name": "by SRT", "url": url }));
    assert_eq!(created["url"], format!("srt://127.0.0.1:{srt}?latency=200"));
    assert_eq!((&created["has_stream_key"], &created["has_passphrase"]), (&json!(true), &json!(true)));
    let _push = show.on_air();
    for target in [&one, &two] {
        target.wait_for("sending");
        within(30, "five seconds are sent", || {
            (target.status()["frames"].as_u64() > Some(350)).then_some(())
        });
    }
    assert_eq!(show.act("end").status, 200);
    let (flv, ts) = (by_rtmp.file(), by_srt.file());
    let source = crate::show::file();
    assert_run(&hashes(&flv, "v"), &hashes(&source, "v"), "pictures by RTMP");
    assert_run(&hashes(&flv, "a"), &hashes(&source, "a"), "sound by RTMP");
    // It ends in the middle of a group: of what is shown before the last picture that came, not all came.
    let shown = pictures(&ts);
    assert_run(&shown[..shown.len() - 4], &pictures(&source), "pictures by SRT");
    one.wait_for("waiting");
    two.wait_for("waiting");
}

/// H.264 and MPEG audio, for half a minute.
fn with_mpeg_audio() -> PathBuf {
    let words = "-hide_banner -nostdin -loglevel error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=30 \
                 -f lavfi -i sine=frequency=440:sample_rate=48000:duration=30 -c:v libx264 -preset ultrafast \
                 -pix_fmt yuv420p -bf 0 -g 25 -keyint_min 25 -sc_threshold 0 -threads 1 -c:a mp2 -ac 2 -b:a 128k";
    kept(&words.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>(), "mpegts")
}

#[test]
fn mpeg_audio_goes_on_by_srt_and_rtmp_says_that_it_cannot_carry_it() {
    let far = Server::start(FAR, &["e"]);
    let server = Server::start(&format!("{SETTINGS}srt.latency = \"200ms\"\n"), &[]);
    let show = Show::new(&server, json!({}));
    let url = format!("srt://127.0.0.1:{}", free_port());
    let listener = Listener::start(server.folder(), "got.ts", &[], &format!("{url}?mode=listener"));
    let (by_srt, _) = Target::add(&show, json!({ "name": "by SRT", "url": format!("{url}?latency=200") }));
    let (by_rtmp, _) = Target::add(&show, json!({ "name": "by RTMP", "url": far.publish_url("e") }));
    let key = show.created["keys"]["primary"].as_str().expect("a key");
    let source = with_mpeg_audio();
    let publish = format!("srt://{}?streamid=publish:{key}&pkt_size=1316", server.srt());
    let _push = Push::transport(&publish, &source, &["-re"]);
    show.public.wait_for("master.m3u8");
    let refused = by_rtmp.wait_for("refused");
    assert_eq!(refused["error"], "RTMP cannot carry mp4a.6B", "{refused:#}");
    assert!(!far.log().contains("RTMP publishing"), "nobody is called for nothing: {}", far.log());
    by_srt.wait_for("sending");
    within(30, "five seconds are sent", || (by_srt.status()["frames"].as_u64() > Some(330)).then_some(()));
    assert_eq!(show.act("end").status, 200);
    let got = listener.file();
    assert_run(&hashes(&got, "a"), &hashes(&source, "a"), "sound by SRT");
    assert_eq!(codec_of(&got), "mp2");
}

/// What ffprobe calls the sound.
fn codec_of(file: &Path) -> String {
    let path = file.to_str().expect("UTF-8");
    let words =
        ["-v", "error", "-select_streams", "a", "-show_entries", "stream=codec_name", "-of", "csv=p=0", path];
    // Streams of a program are listed twice.
    let text = String::from_utf8(run("ffprobe", &words)).expect("text");
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// TLS in front of another listener, with a certificate for this machine; says where, and writes its authority to `ca`.
fn encrypted(behind: std::net::SocketAddr, ca: &Path) -> std::net::SocketAddr {
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(ca, made.cert.pem()).expect("a file");
    let key = made.signing_key.serialize_der().try_into().expect("a key");
    let config = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key));
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config.expect("TLS")));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    listener.set_nonblocking(true).expect("for tokio");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let Ok(mut behind) = tokio::net::TcpStream::connect(behind).await else { continue };
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            }
        });
    });
    address
}

#[test]
fn rtmps_goes_only_to_whom_an_authority_vouches_for() {
    let far = Server::start(FAR, &["e"]);
    let ca = far.folder().join("ca.pem");
    let url = format!("rtmps://{}/live/key-e", encrypted(far.rtmp(), &ca));
    let server = Server::start(SETTINGS, &[]);
    let show = Show::new(&server, json!({}));
    let (target, _) = Target::add(&show, json!({ "name": "nobody knows it", "url": url }));
    let _push = show.on_air();
    let status = target.wait_for("retrying");
    assert!(status["error"].as_str().is_some_and(|error| error.contains("TLS")), "{status:#}");

    let settings = format!("{SETTINGS}restream.ca = {ca:?}\n");
    let server = Server::start(&settings, &[]);
    let show = Show::new(&server, json!({}));
    let (target, _) = Target::add(&show, json!({ "name": "known", "url": url }));
    let _push = show.on_air();
    target.wait_for("sending");
    let got = heard(&far.play("e"), "video-1", far.folder());
    assert_run(&got, &hashes(&crate::show::file(), "v"), "pictures by RTMPS");
}

#[test]
fn a_target_that_would_go_in_circles_or_is_private_is_refused() {
    let server = Server::start(SETTINGS, &[]);
    let show = Show::new(&server, json!({}));
    let (target, _) = Target::add(&show, json!({ "name": "itself", "url": show.url() }));
    let _push = show.on_air();
    let status = target.wait_for("refused");
    assert!(status["error"].as_str().is_some_and(|error| error.contains("circles")), "{status:#}");

    let server = Server::start("recorder.mode = \"off\"\n", &[]);
    let show = Show::new(&server, json!({}));
    let (target, _) = Target::add(&show, json!({ "name": "inside", "url": "rtmp://127.0.0.1:1/live/abc" }));
    let _push = show.on_air();
    let status = target.wait_for("refused");
    assert!(status["error"].as_str().is_some_and(|error| error.contains("allow_private")), "{status:#}");
}
