//! Bodies of API requests that are too large, too slow, too deep, or something else than they say; and too many.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Raw, parse, raw};
use crate::process::{MB, assert_few, assert_memory_returns, memory};
use crate::support::Server;
use crate::support::api::Api;
use crate::web::read_to_end;

const JSON: &[u8] = b"Content-Type: application/json\r\n";
/// The server's patience with a body, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(16);

fn server() -> (Server, Bystander, String) {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let (bystander, token) = (Bystander::on_air(&server), Api::admin(&server).token().to_owned());
    (server, bystander, token)
}

/// What the problem says it is; it is one.
fn problem(answer: &Raw) -> (u16, String) {
    assert!(answer.head.contains("content-type: application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status);
    (answer.status, body["type"].as_str().unwrap_or_default().replace("/api/problems/", ""))
}

fn post(server: &Server, token: &str, headers: &[u8], body: &[u8]) -> Raw {
    raw(server.http(), token, "POST /api/v1/live", headers, body)
}

#[test]
fn a_body_that_is_too_large_is_refused_and_forgotten() {
    let (server, bystander, token) = server();
    let before = memory(&server);
    let large = json!({"name": "x", "description": "x".repeat(1 << 20)}).to_string();
    for _ in 0..20 {
        let answer = post(&server, &token, JSON, large.as_bytes());
        assert_eq!(problem(&answer), (413, "too-large".to_owned()));
    }
    assert_eq!(problem(&endless(server.http(), &token)), (413, "too-large".to_owned()));
    assert!(memory(&server) < before + 12 * MB);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// Chunks as long as they are taken.
fn endless(to: SocketAddr, token: &str) -> Raw {
    let mut socket = TcpStream::connect(to).expect("a listener");
    let head = format!(
        "POST /api/v1/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{{\"name\":\r\n"
    );
    socket.write_all(head.as_bytes()).expect("room");
    socket.set_write_timeout(Some(Duration::from_secs(5))).expect("not zero");
    let chunk = [b"1000\r\n".to_vec(), vec![b' '; 0x1000], b"\r\n".to_vec()].concat();
    let sent = (0..100_000).take_while(|_| socket.write_all(&chunk).is_ok()).count();
    assert!(sent < 10_000, "{sent} chunks of 4 KiB were taken");
    parse(&read_to_end(&mut socket, PATIENCE).expect("the end"))
}

#[test]
fn a_body_that_drips_is_cut() {
    let (server, bystander, token) = server();
    let mut socket = TcpStream::connect(server.http()).expect("a listener");
    let head = format!(
        "POST /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).expect("room");
    let begun = Instant::now();
    let answer = loop {
        let _ = socket.write_all(b" ");
        match read_to_end(&mut socket, Duration::from_millis(300)) {
            Some(answer) => break answer,
            None => assert!(begun.elapsed() < PATIENCE, "it is still waited for"),
        }
    };
    // What was read before the end came in pieces is lost here; that the connection is gone is what counts.
    assert!(answer.is_empty() || parse(&answer).status == 408);
    bystander.assert_undisturbed();
}

#[test]
fn a_body_that_is_something_else_is_refused() {
    let (server, bystander, token) = server();
    let sound = json!({"name": "x"}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/xml",
        "*/*",
        "",
    ] {
        let answer = post(&server, &token, format!("Content-Type: {kind}\r\n").as_bytes(), sound.as_bytes());
        assert_eq!(problem(&answer), (415, "media-type".to_owned()), "{kind}");
    }
    assert_eq!(post(&server, &token, b"", sound.as_bytes()).status, 415);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 10 << 20]).expect("memory");
    let bomb = bomb.finish().expect("memory");
    let answer = post(&server, &token, &[JSON, b"Content-Encoding: gzip\r\n"].concat(), &bomb);
    assert!(matches!(answer.status, 400 | 415), "{answer:?}");
    for body in [
        &b""[..],
        b"{",
        b"{\"name\": \"x\"} {\"name\": \"y\"}",
        b"{\"name\": \"\xff\xfe\"}",
        b"{\"name\": \"\\ud800\"}",
        b"{\"name\": NaN}",
        b"{\"name\": \"a\nb\"}",
    ] {
        let answer = post(&server, &token, JSON, body);
        assert_eq!(problem(&answer), (400, "malformed".to_owned()), "{}", String::from_utf8_lossy(body));
    }
    let deep = |depth: usize| format!("{{\"name\": \"x\", \"metadata\": {{\"a\": {}", "[".repeat(depth));
    for (depth, status) in [(1000, 400), (60_000, 400), (100_000, 413)] {
        assert_eq!(post(&server, &token, JSON, deep(depth).as_bytes()).status, status, "{depth} deep");
    }
    assert_eq!(Api::admin(&server).get("/live").done()["items"], json!([]), "nothing came of it");
    bystander.assert_undisturbed();
}

/// Whoever has a token has a rate as well, and others do not notice what he does beyond it.
#[test]
fn a_flood_of_requests_is_told_when_to_come_back() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let all = Api::admin(&server);
    let token = all.post("/tokens", &json!({"role": "producer", "name": "greedy"})).done();
    let greedy = Api::by(&server, token["secret"].as_str().expect("shown once"));
    let (begun, flood) =
        (Instant::now(), || (0..1250).map(|_| served(&greedy)).filter(|served| *served).count());
    let served: usize = thread::scope(|scope| {
        let hands: Vec<_> = (0..8).map(|_| scope.spawn(flood)).collect();
        let other = Instant::now();
        assert_eq!(all.get("/tokens/self").status, 200);
        assert!(other.elapsed() < Duration::from_secs(2), "another token waited {:?}", other.elapsed());
        hands.into_iter().map(|hand| hand.join().expect("answers")).sum()
    });
    let most = 200 + 50 * (begun.elapsed().as_secs() as usize + 1);
    assert!((200..=most).contains(&served), "{served} of 10000 within {:?}", begun.elapsed());
    assert_few(&server, "too-many-requests");
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// Whether it was; else it is said when it will be.
fn served(api: &Api) -> bool {
    let reply = api.get("/live?limit=1");
    if reply.status == 200 {
        return true;
    }
    assert_eq!(reply.problem(), (429, "too-many-requests"));
    let wait = |name: &str| reply.headers[name].to_str().ok().and_then(|text| text.parse::<u64>().ok());
    assert!(wait("retry-after").is_some_and(|seconds| (1..=5).contains(&seconds)), "{reply:?}");
    assert_eq!(wait("ratelimit-remaining"), Some(0));
    false
}
