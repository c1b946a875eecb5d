//! Listener and callers over real sockets of this machine.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use srt::{
    Accept, Ask, ConnectError, Connection, Decide, Disconnected, Encryption, KeyLength, Listener,
    MAX_PAYLOAD, Options, Passphrase, Rejection, Settings, connect,
};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

/// Lets in who asks for `open`, who asks for `secret` with a passphrase, and tells what it missed.
#[derive(Default)]
struct House {
    missed: Mutex<Vec<(String, bool)>>,
}

impl Decide for House {
    fn decide(&self, ask: &Ask<'_>) -> Result<Accept, Rejection> {
        if ask.is_full {
            return Err(Rejection::OVERLOAD);
        }
        match ask.stream_id {
            b"open" => Ok(Accept::default()),
            b"secret" => Ok(Accept { passphrase: Some(secret("correct horse")) }),
            b"panic" => panic!("a bug that this test made"),
            _ => Err(Rejection::UNAUTHORIZED),
        }
    }

    fn missed(&self, _: SocketAddr, stream_id: &[u8], encrypted: bool) {
        let stream_id = String::from_utf8_lossy(stream_id).into_owned();
        self.missed.lock().expect("whole").push((stream_id, encrypted));
    }
}

fn secret(text: &str) -> Passphrase {
    Passphrase::parse(text).expect("of a legal length")
}

fn listener(settings: &Settings) -> (Listener, SocketAddr, Arc<House>) {
    let house = Arc::new(House::default());
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let listener = Listener::bind(any, settings, house.clone()).expect("a free port");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, listener.local_addr().port()));
    (listener, address, house)
}

fn asking(stream_id: &str) -> Options {
    Options { stream_id: stream_id.to_owned(), ..Options::default() }
}

async fn pair(listener: &Listener, address: SocketAddr, options: &Options) -> (Connection, Connection) {
    let both = async { tokio::join!(listener.accept(), connect(address, options)) };
    let (accepted, called) = timeout(SOON, both).await.expect("in time");
    (accepted.expect("accepted"), called.expect("connected"))
}

async fn refused(address: SocketAddr, options: &Options) -> Rejection {
    match timeout(SOON, connect(address, options)).await.expect("in time") {
        Err(ConnectError::Rejected(rejection)) => rejection,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_until_the_end_and_the_end_is_told() {
    let (listener, address, _) = listener(&Settings::default());
    for to in [address, SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))] {
        let (accepted, called) = pair(&listener, to, &asking("open")).await;
        assert_eq!((accepted.stream_id(), accepted.peer().ip()), (&b"open"[..], to.ip()));
        let sent: Vec<u8> = (0..100_000_u32).map(|at| at as u8).collect();
        called.send(&sent).await.expect("connected");
        accepted.recv(&mut [0; MAX_PAYLOAD]).await.expect("connected");
        let stats = accepted.stats();
        assert!((1..=76).contains(&stats.received_packets), "{stats:?}");
        assert_eq!((stats.latency, stats.encryption), (Duration::from_millis(120), Encryption::Off));
        called.close().await;
        let (mut received, mut buffer) = (Vec::new(), [0; MAX_PAYLOAD]);
        let over = loop {
            match timeout(SOON, accepted.recv(&mut buffer)).await.expect("in time") {
                Ok(length) => received.extend_from_slice(&buffer[..length]),
                Err(over) => break over,
            }
        };
        assert_eq!(over, Disconnected::ByPeer);
        assert!(received == sent[1316..], "{} of {} bytes", received.len(), sent.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_larger_latency_holds_and_the_caller_chooses_the_key() {
    let (listener, address, _) = listener(&Settings::default());
    for key_length in [KeyLength::Aes128, KeyLength::Aes192, KeyLength::Aes256] {
        let settings = Settings { latency: Duration::from_millis(300), ..Settings::default() };
        let passphrase = Some(secret("correct horse"));
        let options = Options { passphrase, key_length, settings, ..asking("secret") };
        let (accepted, called) = pair(&listener, address, &options).await;
        called.send(b"something").await.expect("connected");
        let mut buffer = [0; MAX_PAYLOAD];
        let length = timeout(SOON, accepted.recv(&mut buffer)).await.expect("in time").expect("connected");
        assert_eq!(&buffer[..length], b"something");
        let stats = accepted.stats();
        assert_eq!((stats.latency, stats.encryption), (settings.latency, Encryption::On(key_length)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_learns_why() {
    let (listener, address, house) = listener(&Settings { connections: 1, ..Settings::default() });
    assert_eq!(refused(address, &asking("else")).await, Rejection::UNAUTHORIZED);
    assert_eq!(refused(address, &asking("panic")).await, Rejection::INTERNAL);
    assert_eq!(refused(address, &asking("secret")).await, Rejection::UNSECURE);
    let wrong = Options { passphrase: Some(secret("wrong horse")), ..asking("secret") };
    assert_eq!(refused(address, &wrong).await, Rejection::BAD_SECRET);
    let unwanted = Options { passphrase: Some(secret("wrong horse")), ..asking("open") };
    assert_eq!(refused(address, &unwanted).await, Rejection::UNSECURE);
    let told = async {
        while house.missed.lock().expect("whole").len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, told).await.expect("those with the wrong passphrase are told of");
    let missed = house.missed.lock().expect("whole").clone();
    assert_eq!(missed, [("secret".into(), true), ("secret".into(), true), ("open".into(), false)]);

    let (first, _called) = pair(&listener, address, &asking("open")).await;
    assert_eq!(refused(address, &asking("open")).await, Rejection::OVERLOAD);
    drop(first);
    let freed = async {
        while listener.connections() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, freed).await.expect("a place becomes free");
    pair(&listener, address, &asking("open")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_timeout() {
    let taken = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let options = Options { timeout: Duration::from_millis(300), ..asking("open") };
    let called = connect(taken.local_addr().expect("bound"), &options).await;
    assert!(matches!(called, Err(ConnectError::Timeout)), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_to_be() {
    let (listener, ..) = listener(&Settings::default());
    let again = Listener::bind(listener.local_addr(), &Settings::default(), Arc::new(House::default()));
    assert!(
        matches!(&again, Err(srt::Error::Socket(error)) if error.kind() == std::io::ErrorKind::AddrInUse),
        "{again:?}"
    );
}

/// Threads and descriptors of this process.
fn held() -> (usize, usize) {
    let me = procfs::process::Process::myself().expect("Linux");
    (me.tasks().expect("readable").count(), me.fd_count().expect("readable"))
}

/// A process of its own, so that other tests do not count.
#[test]
fn a_caller_that_comes_back_a_hundred_times_leaves_nothing_behind() {
    const CHILD: &str = "SRT_TEST_RESTARTS";
    const NAME: &str = "a_caller_that_comes_back_a_hundred_times_leaves_nothing_behind";
    if std::env::var_os(CHILD).is_none() {
        let itself = std::env::current_exe().expect("this program");
        let child = std::process::Command::new(itself).args(["--exact", NAME]).env(CHILD, "1").output();
        let child = child.expect("starts");
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (listener, address, _) = listener(&Settings::default());
        let round = async || {
            let (accepted, called) = pair(&listener, address, &asking("open")).await;
            called.send(b"media").await.expect("connected");
            drop(called);
            while accepted.recv(&mut [0; MAX_PAYLOAD]).await.is_ok() {}
        };
        for _ in 0..3 {
            round().await;
        }
        let before = held();
        for _ in 0..100 {
            round().await;
        }
        // libsrt lets go of a socket about a second after it was closed.
        let settled = async {
            while held().0 > before.0 || held().1 > before.1 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, settled).await.unwrap_or_else(|_| panic!("{before:?} became {:?}", held()));
    });
}
