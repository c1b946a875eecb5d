//! The two threads between libsrt and tokio: one wakes tasks when sockets become ready, one closes sockets.
//!
//! They begin with the first socket and end with the process, before libsrt takes itself down. While there is no
//! socket both sleep.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::error::Error;
use crate::ffi::{self, Epoll, Id};

/// How long the end of the process may take to be noticed.
const TICK: Duration = Duration::from_millis(100);
/// How long after a socket, or a handshake, memory is given back: libsrt keeps them for some seconds.
const TIDY: Duration = Duration::from_secs(5);

/// What the tasks of a socket wait for. A permit is kept, so that nothing is missed between trying and waiting.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    pub(crate) readable: Notify,
    pub(crate) writable: Notify,
}

/// A socket with its wake. Dropping it closes the socket, on a thread of its own.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: Id,
    pub(crate) wake: Arc<Wake>,
    reactor: &'static Reactor,
    /// Given back once the socket is closed.
    place: Option<Arc<()>>,
}

/// Something to look at later, on the thread that closes.
type Chore = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
struct Reactor {
    epoll: Epoll,
    state: Mutex<State>,
    /// There is a socket, or something to close, or it is the end.
    news: Condvar,
}

#[derive(Default)]
struct State {
    wakes: HashMap<Id, Arc<Wake>>,
    closing: Vec<(Id, Option<Arc<()>>)>,
    chores: VecDeque<(Instant, Chore)>,
    /// When memory of sockets that are gone is given back.
    tidy: Option<Instant>,
    running: usize,
    stop: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("sockets", &self.wakes.len()).finish_non_exhaustive()
    }
}

static REACTOR: OnceLock<Result<Reactor, String>> = OnceLock::new();

impl Socket {
    /// A new socket of this end.
    pub(crate) fn new() -> Result<Socket, Error> {
        let reactor = Reactor::get()?;
        Ok(reactor.adopt(ffi::create()?, None))
    }

    /// One that was accepted, and the place that it takes.
    pub(crate) fn accepted(&self, id: Id, place: Arc<()>) -> Result<Socket, Error> {
        let socket = self.reactor.adopt(id, Some(place));
        socket.watch()?;
        Ok(socket)
    }

    /// Wakes tasks from now on.
    pub(crate) fn watch(&self) -> Result<(), Error> {
        self.reactor.state().wakes.insert(self.id, self.wake.clone());
        self.reactor.news.notify_all();
        self.reactor.epoll.add(self.id)
    }

    /// Runs `chore` in a while, unless too many wait already.
    pub(crate) fn later(delay: Duration, chore: impl FnOnce() + Send + 'static) {
        const CHORES: usize = 1024;
        let Ok(reactor) = Reactor::get() else { return };
        let mut state = reactor.state();
        if state.chores.len() < CHORES {
            state.chores.push_back((Instant::now() + delay, Box::new(chore)));
            reactor.news.notify_all();
        }
    }

    /// A handshake came: what it took is given back in a while.
    pub(crate) fn tidy_later() {
        let Ok(reactor) = Reactor::get() else { return };
        let mut state = reactor.state();
        if state.tidy.is_none() {
            state.tidy = Some(Instant::now() + TIDY);
            reactor.news.notify_all();
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reactor.epoll.remove(self.id);
        let mut state = self.reactor.state();
        state.wakes.remove(&self.id);
        state.closing.push((self.id, self.place.take()));
        self.reactor.news.notify_all();
    }
}

impl Reactor {
    fn get() -> Result<&'static Reactor, Error> {
        let reactor = REACTOR.get_or_init(|| {
            let reactor = Reactor::new().map_err(|error| error.to_string());
            if reactor.is_ok() {
                // After libsrt's own, so that it runs before that.
                ffi::at_exit(stop);
            }
            reactor
        });
        let reactor = reactor.as_ref().map_err(|text| std::io::Error::other(text.clone()))?;
        reactor.run()?;
        Ok(reactor)
    }

    fn new() -> Result<Reactor, Error> {
        ffi::start()?;
        Ok(Reactor { epoll: Epoll::new()?, state: Mutex::default(), news: Condvar::new() })
    }

    /// Starts the threads, unless they run.
    fn run(&'static self) -> Result<(), Error> {
        let mut state = self.state();
        if state.running > 0 {
            return Ok(());
        }
        for (name, body) in [("srt-events", Reactor::events as fn(&Reactor)), ("srt-close", Reactor::chores)]
        {
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                body(self);
                self.state().running -= 1;
                self.news.notify_all();
            })?;
            state.running += 1;
        }
        Ok(())
    }

    fn adopt(&'static self, id: Id, place: Option<Arc<()>>) -> Socket {
        Socket { id, wake: Arc::default(), reactor: self, place }
    }

    fn events(&self) {
        let mut ready = Vec::new();
        while self.has_sockets() {
            self.epoll.wait(TICK, &mut ready);
            let state = self.state();
            for event in ready.drain(..) {
                let Some(wake) = state.wakes.get(&event.socket) else { continue };
                if event.readable {
                    wake.readable.notify_one();
                }
                if event.writable {
                    wake.writable.notify_one();
                }
            }
        }
    }

    /// Waits until there is a socket; says no at the end.
    fn has_sockets(&self) -> bool {
        let idle = |state: &mut State| state.wakes.is_empty() && !state.stop;
        let state = self.news.wait_while(self.state(), idle);
        !state.unwrap_or_else(PoisonError::into_inner).stop
    }

    fn chores(&self) {
        let mut state = self.state();
        while !state.stop {
            let due = state.chores.front().is_some_and(|(at, _)| *at <= Instant::now());
            if due && let Some((_, chore)) = state.chores.pop_front() {
                drop(state);
                chore();
                state = self.state();
            } else if let Some((id, place)) = state.closing.pop() {
                drop(state);
                ffi::close(id);
                drop(place);
                state = self.state();
                state.tidy.get_or_insert_with(|| Instant::now() + TIDY);
            } else if state.tidy.is_some_and(|at| at <= Instant::now()) {
                state.tidy = None;
                drop(state);
                ffi::trim();
                state = self.state();
            } else {
                state = self.pause(state);
            }
        }
    }

    /// Waits for something to do.
    fn pause<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let next = state.chores.front().map(|(at, _)| *at).into_iter().chain(state.tidy).min();
        match next.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(time) => {
                let waited = self.news.wait_timeout(state, time);
                waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state)
            }
            None => self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends both threads: libsrt is about to take down what they use.
extern "C" fn stop() {
    let Some(Ok(reactor)) = REACTOR.get() else { return };
    reactor.state().stop = true;
    reactor.news.notify_all();
    // At most a few ticks.
    let _ = reactor.news.wait_timeout_while(reactor.state(), 10 * TICK, |state| state.running > 0);
}
