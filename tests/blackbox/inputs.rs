//! Inputs: media that the server takes by itself, from real senders.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::compare::read;
use crate::support::hls::Media;
use crate::support::source::USUAL;
use crate::support::{Api, Download, Push, Server, within};

/// For something to become what it is expected to, on a machine that does other things too.
const PATIENCE_SECONDS: u64 = 20;

/// A port that nobody has at present.
fn tcp_port() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    socket.expect("a free port").port()
}

fn udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    socket.expect("a free port").port()
}

/// An ffmpeg that sends to, or waits at, a URL for half a minute.
fn send(url: &str) -> Push {
    send_with("-stream_loop 2", url)
}

fn send_with(options: &str, url: &str) -> Push {
    let file = USUAL.file();
    let file = file.display();
    Push::pasted(&format!(
        "ffmpeg -hide_banner -nostdin -loglevel error -re {options} -i {file} -map 0 -c copy -f mpegts '{url}'"
    ))
}

/// A live entry with one input.
struct Fed {
    api: Api,
    entry: String,
    input: String,
}

impl Fed {
    fn new(server: &Server, url: &str) -> Fed {
        let api = Api::admin(server);
        let live = json!({"name": "fed", "settings": {"segment": "1s", "reconnect": "30s"}});
        let entry = api.post("/live", &live).done()["id"].as_str().expect("an id").to_owned();
        let created = api.post(&format!("/live/{entry}/inputs"), &json!({"url": url})).done();
        Fed { input: created["id"].as_str().expect("an id").to_owned(), entry, api }
    }

    fn path(&self) -> String {
        format!("/live/{}/inputs/{}", self.entry, self.input)
    }

    fn status(&self) -> Value {
        self.api.get(&self.path()).done()["status"].take()
    }

    /// As soon as it stands there.
    fn stands(&self, state: &str) -> Value {
        within(PATIENCE_SECONDS, state, || Some(self.status()).filter(|status| status["state"] == state))
    }

    /// How many publish to the entry.
    fn legs(&self) -> usize {
        let status = self.api.get(&format!("/live/{}/status", self.entry)).done();
        status["legs"].as_array().map_or(0, Vec::len)
    }

    fn plays(&self, server: &Server) -> Media {
        let play = server.play(&self.entry);
        let master = play.wait_for("master.m3u8");
        let (_, uri) = crate::support::hls::children(&master).into_iter().next().expect("a rendition");
        Media::parse(&play.wait_for(&uri))
    }
}

#[test]
fn datagrams_go_on_air_and_come_back_with_their_sender_and_obey_the_api() {
    let server = Server::start("", &[]);
    let url = format!("udp://127.0.0.1:{}", udp_port());
    let fed = Fed::new(&server, &url);
    let waits = fed.stands("waiting");
    assert!(waits["error"].as_str().is_some_and(|why| why.contains("nothing is received")), "{waits:#}");

    let sender = send(&format!("{url}?pkt_size=1316"));
    let runs = fed.stands("running");
    assert!(runs["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")), "{runs:#}");
    fed.plays(&server);
    let leg = fed.api.get(&format!("/live/{}/status", fed.entry)).done()["legs"][0].take();
    assert_eq!(leg["protocol"], "udp");
    let busy = within(PATIENCE_SECONDS, "a bitrate", || {
        Some(fed.status()).filter(|status| status["bitrate"].as_u64() > Some(50_000))
    });
    assert_eq!((&busy["ts"]["continuity_errors"], &busy["datagrams"]["dropped"]), (&json!(0), &json!(0)));
    assert!(busy["ts"]["video"].as_u64() > Some(0) && busy["ts"]["audio"].as_u64() > Some(0), "{busy:#}");

    sender.kill();
    let silent = fed.stands("waiting");
    assert!(silent["error"].as_str().is_some_and(|why| why.contains("nothing came")), "{silent:#}");
    assert_eq!(fed.legs(), 0);
    let again = send(&format!("{url}?pkt_size=1316"));
    let back = fed.stands("running");
    assert_eq!(back["attempts"], 1, "the port stayed open");
    within(PATIENCE_SECONDS, "a second period of the same stream", || {
        let media = fed.plays(&server);
        media.segments.iter().any(|segment| segment.discontinuity).then_some(())
    });

    assert_eq!(fed.api.post(&format!("/live/{}/end", fed.entry), &json!({})).status, 200);
    let ended = fed.stands("waiting");
    assert!(
        ended["error"].as_str().is_some_and(|why| why.contains("ended by the event's staff")),
        "{ended:#}"
    );
    assert_eq!(fed.api.post(&format!("{}/restart", fed.path()), &json!({})).status, 204);
    fed.stands("running");

    fed.api.patch(&fed.path(), &json!({"enabled": false})).done();
    fed.stands("off");
    within(PATIENCE_SECONDS, "off air", || (fed.legs() == 0).then_some(()));
    fed.api.patch(&fed.path(), &json!({"enabled": true})).done();
    fed.stands("running");
    assert_eq!(fed.api.delete(&fed.path()).status, 204);
    within(PATIENCE_SECONDS, "off air", || (fed.legs() == 0).then_some(()));
    assert_eq!(fed.api.get(&fed.path()).problem(), (404, "not-found"));
    drop(again);
}

/// Both are of the configuration; the one that connects is there before its sender.
#[test]
fn tcp_connects_and_listens_and_loses_no_frame() {
    let (called, waiting) = (tcp_port(), tcp_port());
    let settings = format!(
        "stream.reconnect = \"2s\"\n\
         [[inputs]]\nentry = \"e1\"\nurl = \"tcp://127.0.0.1:{called}\"\n\
         [[inputs]]\nentry = \"e2\"\nurl = \"tcp://127.0.0.1:{waiting}?listen\"\n"
    );
    let server = Server::start(&settings, &["e1", "e2"]);
    within(PATIENCE_SECONDS, "a failure in the log", || {
        server.log().contains("cannot connect to").then_some(())
    });
    std::thread::scope(|scope| {
        for (entry, url) in [
            ("e1", format!("tcp://127.0.0.1:{called}?listen=1")),
            ("e2", format!("tcp://127.0.0.1:{waiting}")),
        ] {
            let play = server.play(entry);
            let sender = send_with("", &url);
            scope.spawn(move || {
                let download = Download::hls(&play);
                sender.done();
                let folder = tempfile::tempdir().expect("a temporary folder");
                for (rendition, frames) in [("video-1", 300), ("audio-1", 560)] {
                    let stretches = download.of(rendition);
                    assert_eq!(stretches.len(), 1, "{entry}: {rendition} has one period");
                    let came = read(stretches[0], folder.path()).packets.len();
                    assert!(came >= frames, "{entry}: {came} of {rendition}");
                }
            });
        }
    });
}

#[test]
fn a_multicast_group_is_joined() {
    let port = udp_port();
    let group = Ipv4Addr::new(239, 255, 77, (port % 250) as u8 + 1);
    if let Err(why) = reaches_itself(group, udp_port()) {
        eprintln!("skipped: this machine has no multicast on loopback: {why}");
        return;
    }
    let server = Server::start("", &[]);
    let fed = Fed::new(&server, &format!("udp://{group}:{port}?interface=127.0.0.1"));
    fed.stands("waiting");
    let _sender = send(&format!("udp://{group}:{port}?localaddr=127.0.0.1&pkt_size=1316&ttl=0"));
    fed.stands("running");
    fed.plays(&server);
}

fn reaches_itself(group: Ipv4Addr, port: u16) -> std::io::Result<()> {
    let (here, there) = (UdpSocket::bind((group, port))?, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
    here.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    here.set_read_timeout(Some(Duration::from_secs(2)))?;
    there.send_to(b"here", (group, port))?;
    here.recv(&mut [0; 8]).map(drop)
}

#[test]
fn an_srt_listener_is_called_again_when_it_comes_back_and_with_the_right_passphrase_only() {
    let port = udp_port();
    let listener = format!("srt://127.0.0.1:{port}?mode=listener&passphrase=correct-horse&pbkeylen=16");
    let server = Server::start("input.connect_timeout = \"1s\"\n", &[]);
    let fed = Fed::new(&server, &format!("srt://127.0.0.1:{port}?passphrase=another-horse&latency=60"));
    let sender = send(&listener);
    let failed = within(PATIENCE_SECONDS, "a refusal", || {
        Some(fed.status())
            .filter(|status| status["error"].as_str().is_some_and(|why| why.contains("refused")))
    });
    assert!(failed["next_attempt"].is_string() || failed["state"] == "connecting", "{failed:#}");
    let right = format!("srt://127.0.0.1:{port}?passphrase=correct-horse&latency=60");
    fed.api.patch(&fed.path(), &json!({"url": right})).done();
    // A listener of FFmpeg ends with a caller that it refused.
    drop(sender);
    let sender = send(&listener);
    fed.stands("running");
    fed.plays(&server);
    let link = within(PATIENCE_SECONDS, "statistics", || {
        Some(fed.status()["link"].take()).filter(|link| link["packets"].as_u64() > Some(0))
    });
    assert_eq!(link["encryption"], "aes-128", "{link:#}");
    within(PATIENCE_SECONDS, "it is on air for a while", || {
        let segments = fed.plays(&server).segments;
        (segments.iter().map(|segment| segment.seconds()).sum::<f64>() > 4.0).then_some(())
    });
    sender.kill();
    let gone = within(PATIENCE_SECONDS, "it noticed", || {
        Some(fed.status()).filter(|status| status["state"] != "running")
    });
    // By the fourth pause it would be eight seconds, were it not expected back.
    within(PATIENCE_SECONDS, "it is tried again and again, each time within a second", || {
        let status = fed.status();
        if let Some(next) = status["next_attempt"].as_str() {
            let next = OffsetDateTime::parse(next, &Rfc3339).expect("a time");
            assert!(next - OffsetDateTime::now_utc() <= Duration::from_secs(1), "{status:#}");
        }
        (status["attempts"].as_u64() >= gone["attempts"].as_u64().map(|tries| tries + 4)).then_some(())
    });
    let _sender = send(&listener);
    fed.stands("running");
    let log = server.log();
    assert!(log.contains("passphrase=hidden") && !log.contains("correct-horse"), "{log}");
}
