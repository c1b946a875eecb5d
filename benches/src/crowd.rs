//! Players that all wait for the same part, and are woken by it.
//!
//! They sit on one thread and keep almost nothing each, so that a crowd fits beside the server that it asks. The clock
//! runs from the moment the first picture of the next part was handed to the kernel.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep};

use crate::fleet::Fleet;
use crate::http::{get, request};
use crate::playlist;
use crate::publisher::Writes;
use crate::script::Script;
use crate::server::Server;
use crate::usage::Family;

/// Keyframes before the first that is looked at.
const LEAD: usize = 3;
/// Connections that are begun at once.
const BATCH: usize = 256;
/// For the server to take in what was sent, and to give back what it no longer needs.
const SETTLE: Duration = Duration::from_millis(1200);
/// Bytes of an answer read at once.
const READ: usize = 16 << 10;

/// One waking.
#[derive(Clone, Debug)]
pub struct Woken {
    /// From the picture to each answer, sorted.
    pub answers: Vec<Duration>,
    /// CPU time of the server meanwhile.
    pub cpu: Duration,
    /// Server memory for each player that waits, beyond what its connection took at rest.
    pub waiting: f64,
    /// Server memory for each connection at rest.
    pub resting: f64,
}

/// Has `players` wait for the last part of a segment, `rounds` times.
pub fn measure(
    server: &dyn Server,
    players: usize,
    rounds: usize,
    script: &Arc<Script>,
) -> anyhow::Result<Vec<Woken>> {
    // Sockets of both ends of the crowd, and what a process has open anyway.
    rlimit::increase_nofile_limit(players as u64 + 1000)?;
    let (sender, keyframes) = mpsc::channel(16);
    let _fleet = Fleet::start(&server.target(), 1, script, Writes::Message, vec![sender])?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let crowd = Crowd { host: server.http(), path: server.playlist(0), keyframes };
    LocalSet::new().block_on(&runtime, crowd.watch(server.family(), players, rounds))
}

struct Crowd {
    host: String,
    path: String,
    keyframes: mpsc::Receiver<Instant>,
}

impl Crowd {
    async fn watch(mut self, family: &Family, players: usize, rounds: usize) -> anyhow::Result<Vec<Woken>> {
        for _ in 0..LEAD {
            self.keyframe().await?;
        }
        sleep(SETTLE).await;
        let before = family.memory()?;
        let mut seats = self.seats(players).await?;
        sleep(SETTLE).await;
        let resting = per(family.memory()?.saturating_sub(before), players);
        let mut woken = Vec::new();
        for _ in 0..rounds {
            let (round, back) = self.round(family, seats).await?;
            seats = back;
            woken.push(Woken { resting, ..round });
        }
        Ok(woken)
    }

    /// Connections that have asked once, as those of players who waited before have.
    async fn seats(&self, players: usize) -> anyhow::Result<Vec<TcpStream>> {
        let request: Rc<[u8]> = request(&self.host, &self.path, None).into();
        let mut seats = Vec::with_capacity(players);
        while seats.len() < players {
            let mut batch = JoinSet::new();
            for _ in 0..BATCH.min(players - seats.len()) {
                let (host, request) = (self.host.clone(), request.clone());
                batch.spawn_local(async move {
                    let mut socket = TcpStream::connect(host).await?;
                    socket.set_nodelay(true)?;
                    ask(&mut socket, &request).await?;
                    anyhow::Ok(socket)
                });
            }
            while let Some(seat) = batch.join_next().await {
                seats.push(seat.context("a player panicked")??);
            }
        }
        Ok(seats)
    }

    async fn round(
        &mut self,
        family: &Family,
        seats: Vec<TcpStream>,
    ) -> anyhow::Result<(Woken, Vec<TcpStream>)> {
        self.drain();
        self.keyframe().await?;
        let awaited = self.next_to_come().await?;
        let before = family.memory()?;
        let players = seats.len();
        let mut waiting = JoinSet::new();
        for seat in seats {
            let awaited = awaited.clone();
            waiting.spawn_local(wait(seat, awaited));
        }
        // The crowd asks while this waits; what the server holds then is what waiting costs.
        sleep(SETTLE).await;
        let (held, cpu) = (family.memory()?, family.cpu()?);
        let sent = self.keyframe().await?;
        let mut back = Vec::with_capacity(players);
        let mut answers = Vec::with_capacity(players);
        while let Some(seat) = waiting.join_next().await {
            let (seat, at) = seat.context("a player panicked")??;
            ensure!(at >= sent, "a player was answered before the part was there");
            answers.push(at - sent);
            back.push(seat);
        }
        let cpu = family.cpu()? - cpu;
        answers.sort();
        let waiting = per(held.saturating_sub(before), players);
        Ok((Woken { answers, cpu, waiting, resting: 0.0 }, back))
    }

    /// The request for the last part of the segment that begins now.
    async fn next_to_come(&self) -> anyhow::Result<Rc<[u8]>> {
        let text = String::from_utf8(get(&self.host, &self.path).await?)?;
        let last = playlist::last_part(&text).context("the playlist lists no parts")?;
        let path = format!("{}?_HLS_msn={}&_HLS_part={last}", self.path, playlist::listed(&text));
        Ok(request(&self.host, &path, None).into())
    }

    async fn keyframe(&mut self) -> anyhow::Result<Instant> {
        self.keyframes.recv().await.context("the publisher is gone")
    }

    fn drain(&mut self) {
        while self.keyframes.try_recv().is_ok() {}
    }
}

async fn wait(mut seat: TcpStream, request: Rc<[u8]>) -> anyhow::Result<(TcpStream, Instant)> {
    ask(&mut seat, &request).await?;
    Ok((seat, Instant::now()))
}

/// Sends a request and reads its whole answer, which must be 200 and say how long it is.
async fn ask(socket: &mut TcpStream, request: &[u8]) -> anyhow::Result<()> {
    socket.write_all(request).await?;
    let mut left = None;
    while left != Some(0) {
        socket.readable().await?;
        left = read(socket, left)?;
    }
    Ok(())
}

/// Reads once, and says how much is left of the body when its head was there.
fn read(socket: &TcpStream, left: Option<usize>) -> anyhow::Result<Option<usize>> {
    // On the stack while there is something, so that a player who waits has no buffer.
    let mut buffer = [0; READ];
    let read = match socket.try_read(&mut buffer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(left),
        read => read?,
    };
    ensure!(read > 0, "the server closed the connection in an answer");
    match left {
        Some(left) => Ok(Some(left.saturating_sub(read))),
        None => {
            let (head, length) = head(&buffer[..read])?;
            Ok(Some((head + length).saturating_sub(read)))
        }
    }
}

/// Bytes of an answer's head and of its body.
fn head(bytes: &[u8]) -> anyhow::Result<(usize, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes)?;
    ensure!(parsed.is_complete(), "the head of an answer came in pieces");
    ensure!(response.code == Some(200), "answered {:?}", response.code);
    let length = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let length = std::str::from_utf8(length.context("an answer of unknown length")?.value)?.parse()?;
    Ok((parsed.unwrap(), length))
}

fn per(bytes: u64, players: usize) -> f64 {
    bytes as f64 / players as f64
}
