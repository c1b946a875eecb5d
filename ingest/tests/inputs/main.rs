//! Inputs over real sockets: who is heard, who waits, and what an operator is told.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "written for other tests too")]
#[path = "../ts/mux.rs"]
mod mux;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use address::InputUrl;
use ingest::input::{Definition, Inputs, Metrics, Permit, Settings, State, Status, What};
use mux::{AUDIO, Mux, adts};
use stream::ledger::Forgetful;
use stream::{Air, Directory, ForGood, Grant, Leg, Refusal};
use tokio::runtime::Handle;
use tokio::time::{interval, timeout};

/// For something to become what it is expected to.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lets everybody in while it is open.
struct Door(AtomicBool);

impl Permit for Door {
    fn permit(&self, entry: &str, rendition: Option<&str>) -> Result<Grant, Refusal> {
        if !self.0.load(Ordering::Relaxed) {
            return Err(Refusal::NotNow { entry: entry.into(), text: "it is not its time".to_owned() });
        }
        Ok(Grant {
            entry: entry.into(),
            leg: Leg::Primary,
            rendition: rendition.map(str::to_owned),
            settings: Arc::default(),
            air: Air::Live,
            pass: Arc::new(ForGood),
        })
    }
}

struct House {
    inputs: Inputs,
    directory: Directory,
    door: Arc<Door>,
}

fn house(settings: Settings) -> House {
    let (directory, door) = (Directory::new(Arc::new(Forgetful)), Arc::new(Door(AtomicBool::new(true))));
    let inputs =
        Inputs::new(settings, door.clone(), directory.clone(), Metrics::default(), Handle::current());
    House { inputs, directory, door }
}

fn input(id: &str, url: &str) -> Definition {
    Definition {
        id: id.into(),
        entry: format!("entry-of-{id}").into(),
        url: InputUrl::parse(url).unwrap(),
        rendition: None,
        enabled: true,
        trusted: false,
    }
}

/// Once it is so.
async fn once(inputs: &Inputs, id: &str, so: impl Fn(&Status) -> bool) -> Status {
    let mut looks = interval(Duration::from_millis(5));
    let looking = async {
        loop {
            looks.tick().await;
            if let Some(status) = inputs.status(id).filter(&so) {
                return status;
            }
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("not in time: {:?}", inputs.status(id)))
}

fn says(status: &Status, words: &str) -> bool {
    status.error.as_deref().is_some_and(|error| error.contains(words))
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|it| it.local_addr()).unwrap().port()
}

/// A sender of sound, a datagram at each step.
struct Sender {
    socket: UdpSocket,
    to: SocketAddr,
    mux: Mux,
    step: i64,
    rtp: bool,
}

impl Sender {
    fn new(port: u16) -> Sender {
        let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), ([127, 0, 0, 1], port).into());
        Sender { socket, to, mux: Mux::default(), step: 0, rtp: false }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn send(&mut self) {
        // Whoever takes its place has seen no tables yet.
        self.mux.association(&[(1, 0x1000)]);
        self.mux.map(1, 0x1000, 0, &[(0x0f, AUDIO, &[])]);
        self.mux.sound(AUDIO, self.step * 1920, &adts(100));
        self.step += 1;
        let media = std::mem::take(&mut self.mux.bytes);
        let [high, low] = (self.step as u16).to_be_bytes();
        let header: &[u8] = if self.rtp { &[0x80, 33, high, low, 0, 0, 0, 0, 0, 0, 0, 1] } else { &[] };
        // Where nobody listens yet that is an error of the one before.
        let _ = self.socket.send_to(&[header, &media].concat(), self.to);
    }

    /// Sends until `done`, which is given what it looks at.
    async fn until(senders: &mut [&mut Sender], inputs: &Inputs, done: impl Fn(&Status) -> bool) -> Status {
        let mut beat = interval(Duration::from_millis(10));
        let sending = async {
            loop {
                beat.tick().await;
                senders.iter_mut().for_each(|sender| sender.send());
                if let Some(status) = inputs.status("one").filter(&done) {
                    return status;
                }
            }
        };
        timeout(PATIENCE, sending).await.unwrap_or_else(|_| panic!("not in time: {:?}", inputs.status("one")))
    }
}

#[tokio::test]
async fn one_sender_at_a_time_is_heard_and_the_next_once_it_is_silent() {
    let house = house(Settings::default());
    let port = free_port();
    let mut news = house.inputs.news();
    house.inputs.set([input("one", &format!("udp://127.0.0.1:{port}"))]);
    let waits = once(&house.inputs, "one", |status| status.state == State::Waiting).await;
    assert!(says(&waits, "nothing is received"), "{waits:?}");

    let (mut first, mut second) = (Sender::new(port), Sender::new(port));
    Sender::until(&mut [&mut first], &house.inputs, |status| status.state == State::Running).await;
    let both = Sender::until(&mut [&mut first, &mut second], &house.inputs, |status| {
        status.datagrams.is_some_and(|datagrams| datagrams.foreign >= 20)
    })
    .await;
    assert_eq!((both.state, both.peer), (State::Running, Some(first.address())));
    assert_eq!(both.ts.continuity_errors, 0, "the other's packets are not among them");
    let next = second.address();
    Sender::until(&mut [&mut second], &house.inputs, |status| {
        status.state == State::Running && status.peer == Some(next)
    })
    .await;
    assert_eq!(house.directory.report("entry-of-one").unwrap().legs.len(), 1);
    let gone = once(&house.inputs, "one", |status| status.state == State::Waiting).await;
    assert!(says(&gone, "nothing came from"), "{gone:?}");
    let told: Vec<What> = std::iter::from_fn(|| news.try_recv().ok()).map(|news| news.what).collect();
    assert!(matches!(told.first(), Some(What::Started { peer }) if *peer == first.address()), "{told:?}");
    assert!(matches!(told.last(), Some(What::Failed { .. })), "{told:?}");
}

#[tokio::test]
async fn rtp_comes_off_and_what_comes_twice_is_dropped() {
    let house = house(Settings::default());
    let port = free_port();
    house.inputs.set([input("one", &format!("udp://127.0.0.1:{port}"))]);
    once(&house.inputs, "one", |status| status.state == State::Waiting).await;
    let mut sender = Sender { rtp: true, ..Sender::new(port) };
    let runs = Sender::until(&mut [&mut sender], &house.inputs, |status| status.ts.audio > 20).await;
    assert_eq!((runs.ts.continuity_errors, runs.ts.sync_losses), (0, 0));
    sender.step -= 2;
    let late = Sender::until(&mut [&mut sender], &house.inputs, |status| {
        status.datagrams.is_some_and(|datagrams| datagrams.unusable > 0)
    })
    .await;
    assert_eq!(late.state, State::Running);
}

#[tokio::test]
async fn what_stays_as_it_was_goes_on_and_what_goes_leaves_its_port() {
    let house = house(Settings::default());
    let (stays, goes) = (free_port(), free_port());
    let one = input("one", &format!("udp://127.0.0.1:{stays}"));
    let two = input("two", &format!("udp://127.0.0.1:{goes}"));
    house.inputs.set([one.clone(), two.clone()]);
    let mut sender = Sender::new(stays);
    let runs =
        Sender::until(&mut [&mut sender], &house.inputs, |status| status.state == State::Running).await;
    once(&house.inputs, "two", |status| status.state == State::Waiting).await;
    house.inputs.set([one.clone(), Definition { enabled: false, ..two }]);
    once(&house.inputs, "two", |status| status.state == State::Off).await;
    assert!(UdpSocket::bind(("127.0.0.1", goes)).is_ok(), "it is closed");
    let still = Sender::until(&mut [&mut sender], &house.inputs, |status| status.bytes > runs.bytes).await;
    assert_eq!((still.since, still.attempts), (runs.since, 1));
    house.inputs.set([]);
    assert!(house.inputs.status("one").is_none());
    let mut looks = interval(Duration::from_millis(5));
    let left = async {
        while !house.directory.report("entry-of-one").is_none_or(|report| report.legs.is_empty()) {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, left).await.expect("off air");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_tried_again() {
    let house = house(Settings::default());
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("udp://{}", taken.local_addr().unwrap());
    house.inputs.set([input("one", &url)]);
    let failed = once(&house.inputs, "one", |status| status.state == State::Failed).await;
    assert!(says(&failed, "cannot receive on") && failed.next_attempt.is_some(), "{failed:?}");
    drop(taken);
    assert!(house.inputs.restart("one") && !house.inputs.restart("two"));
    let waits = once(&house.inputs, "one", |status| status.state == State::Waiting).await;
    assert!(waits.attempts >= 2, "{waits:?}");
}

#[tokio::test]
async fn who_may_not_waits_until_he_may() {
    let house = house(Settings::default());
    house.door.0.store(false, Ordering::Relaxed);
    house.inputs.set([input("one", &format!("udp://127.0.0.1:{}", free_port()))]);
    let waits = once(&house.inputs, "one", |status| says(status, "not its time")).await;
    assert_eq!((waits.state, waits.attempts), (State::Waiting, 0));
    house.door.0.store(true, Ordering::Relaxed);
    once(&house.inputs, "one", |status| says(status, "nothing is received")).await;
}

#[tokio::test]
async fn what_is_not_allowed_says_by_which_setting() {
    let strict = Settings { allow_listen: false, allow_private: false, ..Settings::default() };
    let house = house(strict);
    let listens = input("listens", &format!("udp://127.0.0.1:{}", free_port()));
    let calls = input("calls", "tcp://localhost:9");
    let trusted = Definition { id: "trusted".into(), trusted: true, ..calls.clone() };
    house.inputs.set([listens, calls, trusted]);
    once(&house.inputs, "listens", |status| says(status, "input.allow_listen")).await;
    once(&house.inputs, "calls", |status| says(status, "input.allow_private")).await;
    once(&house.inputs, "trusted", |status| says(status, "cannot connect to")).await;
}

#[tokio::test]
async fn only_so_many_run_at_once() {
    let house = house(Settings { max_running: 1, ..Settings::default() });
    let one = input("one", &format!("udp://127.0.0.1:{}", free_port()));
    house.inputs.set([one.clone()]);
    once(&house.inputs, "one", |status| says(status, "nothing is received")).await;
    let two = input("two", &format!("udp://127.0.0.1:{}", free_port()));
    house.inputs.set([one.clone(), two.clone()]);
    once(&house.inputs, "two", |status| says(status, "input.max_running")).await;
    house.inputs.set([two]);
    once(&house.inputs, "two", |status| says(status, "nothing is received")).await;
}
