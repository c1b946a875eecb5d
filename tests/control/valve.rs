//! A server that stops reading: a TCP proxy that can be shut.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::wait::pause;

/// Between two looks whether it is shut.
const LOOK: Duration = Duration::from_millis(25);
/// What a connection may have sent that nobody has read.
const BUFFER: usize = 16 << 10;

/// The proxy. While it is shut it takes connections and reads nothing, and those of that time and from before are never
/// read from again. Dropping it closes all.
pub struct Valve {
    address: SocketAddr,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    /// How often it was turned: it is open where that is even.
    turns: AtomicU64,
    over: AtomicBool,
}

impl Valve {
    /// In front of another listener, open.
    pub fn start(behind: SocketAddr) -> Valve {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(BUFFER).expect("connections have it from their listener");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        socket.listen(64).expect("it is bound");
        let (listener, line) = (TcpListener::from(socket), Arc::new(Line::default()));
        let address = listener.local_addr().expect("it has one");
        let accepting = line.clone();
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                let line = accepting.clone();
                thread::spawn(move || line.carry(near, behind));
            }
        });
        Valve { address, line }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts it, or opens it again.
    pub fn turn(&self) {
        self.line.turns.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Valve {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Line {
    fn carry(&self, near: TcpStream, behind: SocketAddr) {
        let born = self.turns.load(Ordering::Relaxed);
        if born % 2 == 1 {
            return self.hang(u64::MAX);
        }
        let Ok(far) = TcpStream::connect(behind) else { return };
        let ends = || Some((near.try_clone().ok()?, far.try_clone().ok()?));
        let Some((other_near, other_far)) = ends() else { return };
        thread::scope(|scope| {
            scope.spawn(|| self.copy(other_far, other_near, born));
            self.copy(near, far, born);
        });
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, born: u64) {
        let _ = from.set_read_timeout(Some(LOOK));
        let mut buffer = [0; 4096];
        loop {
            self.hang(born);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            match from.read(&mut buffer) {
                Ok(read @ 1..) if to.write_all(&buffer[..read]).is_ok() => {}
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
                _ => {
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
            }
        }
    }

    /// Waits as long as it is not as it was at that turn.
    fn hang(&self, born: u64) {
        while self.turns.load(Ordering::Relaxed) != born && !self.over.load(Ordering::Relaxed) {
            pause();
        }
    }
}
