//! Somebody who follows the events (WHATWG HTML §9.2).

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::Api;

/// For the next event to be told.
const PATIENCE: Duration = Duration::from_secs(30);
/// Events that are not asked for yet; reading waits beyond that.
const EVENTS: usize = 1000;

/// An event as it was told.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

/// Reads along until dropped.
pub struct Follower {
    events: Receiver<Event>,
}

impl Follower {
    /// From now on, or from behind an event.
    pub fn new(api: &Api, after: Option<u64>) -> Follower {
        let after = after.map(|id| id.to_string());
        let headers: Vec<_> = after.iter().map(|id| ("last-event-id", id.as_str())).collect();
        let body = api.open("/events", &headers);
        let (sender, events) = sync_channel(EVENTS);
        let (begun, beginning) = sync_channel(1);
        thread::spawn(move || read(BufReader::new(body), &begun, &sender));
        // Its first line says that nothing is missed from here on.
        beginning.recv_timeout(PATIENCE).expect("events begin");
        Follower { events }
    }

    /// The next one.
    pub fn next(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("another event")
    }
}

/// Until the server ends it, or nobody listens any more.
fn read(body: impl BufRead, begun: &SyncSender<()>, sender: &SyncSender<Event>) {
    let (mut id, mut kind) = (0, String::new());
    for line in body.lines().map_while(Result::ok) {
        let _ = begun.try_send(());
        match line.split_once(": ") {
            Some(("id", value)) => id = value.parse().expect("an id is a number"),
            Some(("event", value)) => kind = value.to_owned(),
            Some(("data", value)) => {
                let data = serde_json::from_str(value).expect("data is JSON in a line");
                if sender.send(Event { id, kind: kind.clone(), data }).is_err() {
                    return;
                }
            }
            _ => {}
        }
    }
}
