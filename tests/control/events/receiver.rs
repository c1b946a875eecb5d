//! Whom webhooks call.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// For a call to come, the first try again included.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls that are not asked for yet; who calls waits beyond that.
const CALLS: usize = 100;

/// A call as it was received.
#[derive(Debug)]
pub struct Call {
    headers: HashMap<String, String>,
    pub body: String,
}

/// Takes calls until the test is over.
pub struct Receiver {
    address: SocketAddr,
    calls: mpsc::Receiver<Call>,
}

impl Receiver {
    /// Answers with these statuses, and then with 204.
    pub fn new(statuses: &'static [u16]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, calls) = sync_channel(CALLS);
        let mut statuses = statuses.iter().copied();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(call) = take(stream, statuses.next().unwrap_or(204)) else { continue };
                if sender.send(call).is_err() {
                    return;
                }
            }
        });
        Receiver { address, calls }
    }

    /// Where it is called.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next call.
    pub fn next(&self) -> Call {
        self.calls.recv_timeout(PATIENCE).expect("another call")
    }
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a call is JSON")
    }
}

fn take(stream: TcpStream, status: u16) -> Option<Call> {
    let mut reader = BufReader::new(&stream);
    let lines = (&mut reader).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: Vec<_> = lines.collect();
    assert!(head.first()?.starts_with("POST /hook HTTP/1.1"), "{head:?}");
    let fields = head.iter().filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> =
        fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    write!(&stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()?;
    Some(Call { headers, body: String::from_utf8(body).ok()? })
}
