//! A bad network: a UDP proxy that loses, delays, reorders and duplicates what goes either way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What becomes of a datagram, in each direction.
#[derive(Clone, Copy)]
pub struct Link {
    /// The part that is lost, 0 to 1.
    pub loss: f64,
    /// The part that comes twice, 0 to 1.
    pub duplicates: f64,
    /// How long each takes at least.
    pub delay: Duration,
    /// How much longer at most. What takes longer than its successor is overtaken by it.
    pub jitter: Duration,
    /// What chance begins with.
    pub seed: u64,
}

/// The proxy, for one sender. It ends when it is dropped.
pub struct Lossy {
    address: SocketAddr,
    line: Arc<Line>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Line {
    queue: Mutex<BinaryHeap<Reverse<Datagram>>>,
    more: Condvar,
    stop: AtomicBool,
    lost: AtomicU64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Datagram {
    due: Instant,
    /// To the server, or back to the sender.
    forth: bool,
    bytes: Vec<u8>,
}

impl Lossy {
    /// Between a sender and `to`.
    pub fn start(to: SocketAddr, link: Link) -> Lossy {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        let back = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        back.connect(to).expect("an address of this machine");
        // Receiving looks now and then whether it is over.
        [&front, &back].map(|it| it.set_read_timeout(Some(Duration::from_millis(50))).expect("not zero"));
        let address = front.local_addr().expect("bound");
        let (line, sender) = (Arc::new(Line::default()), Arc::new(Mutex::new(None)));
        let threads = vec![
            thread::spawn({
                let (line, front, sender) = (line.clone(), front.clone(), sender.clone());
                move || line.take(&front, true, link, |from| *sender.lock().expect("whole") = Some(from))
            }),
            thread::spawn({
                let (line, back) = (line.clone(), back.clone());
                let link = Link { seed: link.seed + 1, ..link };
                move || line.take(&back, false, link, |_| ())
            }),
            thread::spawn({
                let line = line.clone();
                move || {
                    line.give(|datagram| {
                        let sender = *sender.lock().expect("whole");
                        match (datagram.forth, sender) {
                            (true, _) => drop(back.send(&datagram.bytes)),
                            (false, Some(sender)) => drop(front.send_to(&datagram.bytes, sender)),
                            (false, None) => {}
                        }
                    })
                }
            }),
        ];
        Lossy { address, line, threads }
    }

    /// Where a sender sends to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many datagrams it has lost.
    pub fn lost(&self) -> u64 {
        self.line.lost.load(Ordering::Relaxed)
    }
}

impl Line {
    fn take(&self, socket: &UdpSocket, forth: bool, link: Link, mut from: impl FnMut(SocketAddr)) {
        let mut chance = fastrand::Rng::with_seed(link.seed);
        let mut buffer = [0; 2048];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((length, sender)) = socket.recv_from(&mut buffer) else { continue };
            from(sender);
            if chance.f64() < link.loss {
                self.lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let times = if chance.f64() < link.duplicates { 2 } else { 1 };
            for _ in 0..times {
                let due = Instant::now() + link.delay + link.jitter.mul_f64(chance.f64());
                let datagram = Datagram { due, forth, bytes: buffer[..length].to_vec() };
                self.queue.lock().expect("whole").push(Reverse(datagram));
                self.more.notify_one();
            }
        }
    }

    fn give(&self, send: impl Fn(Datagram)) {
        let mut queue = self.queue.lock().expect("whole");
        while !self.stop.load(Ordering::Relaxed) {
            let due = queue.peek().map(|Reverse(first)| first.due.saturating_duration_since(Instant::now()));
            match due {
                Some(Duration::ZERO) => send(queue.pop().expect("it was there").0),
                Some(time) => queue = self.more.wait_timeout(queue, time).expect("whole").0,
                None => queue = self.more.wait(queue).expect("whole"),
            }
        }
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.line.stop.store(true, Ordering::Relaxed);
        self.line.more.notify_all();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}
