//! Webhooks to where nobody but this machine should get, and receivers that do not do as they should.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Tenant, id};
use crate::process::{MB, assert_memory_returns, memory};
use crate::rtmp::Rtmp;
use crate::support::api::Api;
use crate::support::{Server, within};

const ANYWHERE: &str = "webhooks.allow_private = true\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Somebody who is called; says what it is told to, by the number of the call.
struct Receiver {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    fn new(answer: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (calls, closing) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, over) = (calls.clone(), closing.clone());
        let thread = thread::spawn(move || {
            // Who gets no answer is kept waiting until the end.
            let mut kept = Vec::new();
            for socket in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let call = counted.fetch_add(1, Ordering::Relaxed);
                match answer(call) {
                    Some(text) => say(socket, &text),
                    None => kept.push(socket),
                }
            }
        });
        Receiver { address, calls, closing, thread: Some(thread) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Answers once something of a request is there.
fn say(mut socket: TcpStream, text: &str) {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(2)));
    let _ = socket.read(&mut [0; 16 << 10]);
    let _ = socket.write_all(text.as_bytes());
}

fn create(api: &Api, url: &str) -> String {
    id(&api.post("/webhooks", &json!({"url": url})).done())
}

/// What became of a test call, once it was tried.
fn tried(api: &Api, webhook: &str) -> Value {
    let delivery = id(&api.post(&format!("/webhooks/{webhook}/test"), &json!({})).done());
    let path = format!("/webhooks/{webhook}/deliveries/{delivery}");
    within(20, "a try", || Some(api.get(&path).done()).filter(|it| it["attempts"].as_u64() > Some(0)))
}

/// Each spelling of an address that leads to this machine or its network, or a cloud's metadata.
fn inside(port: u16) -> Vec<String> {
    let hosts = [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "127.1",
        "127.000.000.001",
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "ⓛocalhost",
        "127.0.0.2",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fc00::1]",
        "224.0.0.1",
        "255.255.255.255",
    ];
    hosts.map(|host| format!("http://{host}:{port}/hook")).to_vec()
}

#[test]
fn no_webhook_reaches_what_only_this_machine_reaches() {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner").admin;
    let trap = Receiver::new(|_| Some(OK.to_owned()));
    let mut refused_later = 0;
    for url in inside(trap.address.port()) {
        let made = owner.post("/webhooks", &json!({"url": url}));
        if made.status == 422 {
            continue;
        }
        let webhook = id(&made.done());
        let tried = tried(&owner, &webhook);
        assert_ne!(tried["state"], "delivered", "{url}: {tried:#}");
        assert_eq!((&tried["status"], &tried["answer"]), (&Value::Null, &Value::Null), "{url}: {tried:#}");
        assert!(tried["error"].is_string(), "{url} says why: {tried:#}");
        assert_eq!(owner.delete(&format!("/webhooks/{webhook}")).status, 204);
        refused_later += 1;
    }
    assert!(refused_later >= 3, "names are judged when they are looked up");
    assert_eq!(trap.calls(), 0, "nobody came");
    for url in [
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/x",
        "ftp://example.org/",
        "//example.org/",
        "javascript:alert(1)",
        "http://user:password@example.org/",
        "http://",
        "http://exa mple.org/",
        "http://example.org/\r\nX: y",
        "",
    ] {
        assert_eq!(owner.post("/webhooks", &json!({"url": url})).problem(), (422, "invalid"), "{url}");
    }
    assert!(!server.log().contains("user:password"));
    bystander.assert_undisturbed();
}

#[test]
fn redirects_are_not_followed() {
    let server = Server::start(&format!("{ANYWHERE}{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner").admin;
    let trap = Receiver::new(|_| Some(OK.to_owned()));
    let location = trap.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let receiver = Receiver::new(move |_| Some(answer.clone()));
        let webhook = create(&owner, &receiver.url());
        let tried = tried(&owner, &webhook);
        assert_eq!(tried["status"].as_u64().map(|code| code / 100), Some(3), "{tried:#}");
        assert_eq!(tried["state"], "queued", "it is tried again: {tried:#}");
        assert_eq!(owner.delete(&format!("/webhooks/{webhook}")).status, 204);
    }
    assert_eq!(trap.calls(), 0, "nobody came");
    bystander.assert_undisturbed();
}

/// A receiver that fails is called again, later; one that hangs or talks for ever is let go. Neither holds up a
/// publisher, the API, or a receiver that does as it should.
#[test]
fn receivers_that_hang_or_fail_hold_up_nobody() {
    let timeout = "webhooks.timeout = \"2s\"\nwebhooks.connect_timeout = \"1s\"\n";
    let server = Server::start(&format!("{ANYWHERE}{timeout}{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let failure = "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    let good = Receiver::new(|_| Some(OK.to_owned()));
    let bad = [
        Receiver::new(|_| None),
        Receiver::new(move |_| Some(failure.to_owned())),
        Receiver::new(|_| Some(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20)))),
        Receiver::new(|_| Some(format!("HTTP/1.1 500 Oh\r\nContent-Length: 99999999\r\n\r\n{}", "x".repeat(1 << 20)))),
        Receiver::new(|_| Some("SSH-2.0-x\r\n".to_owned())),
    ];
    let once = Receiver::new(move |call| Some(if call == 0 { failure } else { OK }.to_owned()));
    let webhooks: Vec<String> =
        bad.iter().chain([&once, &good]).map(|receiver| create(&owner.admin, &receiver.url())).collect();
    let before = memory(&server);
    for _ in 0..50 {
        let begun = Instant::now();
        let rtmp = Rtmp::publish(server.rtmp(), &owner.key());
        assert!(rtmp.has_heard("NetStream.Publish.Start"));
        assert!(begun.elapsed() < Duration::from_secs(2), "a publisher waited {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    owner.producer.post("/live", &json!({"name": "x"})).done();
    assert!(begun.elapsed() < Duration::from_secs(2), "the API took {:?}", begun.elapsed());
    within(30, "all of it at the good one", || (good.calls() >= 50).then_some(()));
    let path = format!("/webhooks/{}/deliveries?state=delivered", webhooks[bad.len()]);
    within(30, "a second try", || {
        let delivered = owner.admin.get(&path).done();
        let items = delivered["items"].as_array()?;
        items.iter().any(|delivery| delivery["attempts"].as_u64() >= Some(2)).then_some(())
    });
    for webhook in &webhooks[..bad.len()] {
        let delivered = owner.admin.get(&format!("/webhooks/{webhook}/deliveries?state=delivered")).done();
        assert_eq!(delivered["items"], json!([]), "nothing was delivered to it");
        assert_eq!(owner.admin.get(&format!("/webhooks/{webhook}/deliveries")).status, 200);
    }
    assert!(memory(&server) < before + 24 * MB);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}
