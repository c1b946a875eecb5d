//! Players that wait for the next segment (`_HLS_msn`), all of them for the same one: what each costs while it waits,
//! and when the last of them has its answer.
//!
//! The clock runs from the moment the keyframe that closes the segment was handed to the kernel.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::fleet::Fleet;
use crate::http::get;
use crate::playlist;
use crate::publisher::Writes;
use crate::script::Script;
use crate::server::{Headwater, Server};

/// Keyframes before the first that is looked at: the first playlist stands by then.
const LEAD: usize = 3;
/// For the segment of an earlier keyframe to be listed.
const SETTLE: Duration = Duration::from_millis(300);
/// For what is being counted to come about.
const PATIENCE: Duration = Duration::from_secs(30);

/// What waiting costs.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// Bytes of the server for a connection that was accepted and asks nothing.
    pub idle: f64,
    /// Bytes of the server more for one that waits.
    pub waiting: f64,
    /// From the keyframe to the last byte of the first answer, and of the last.
    pub answered: (Duration, Duration),
    /// CPU time of the server from before the keyframe to after the last answer.
    pub cpu: Duration,
}

/// Lets `players` wait, `rounds` times.
pub fn measure(
    server: &Headwater,
    players: usize,
    rounds: usize,
    script: &Arc<Script>,
) -> anyhow::Result<Vec<Waited>> {
    let (sender, keyframes) = mpsc::channel(64);
    let fleet = Fleet::start(&server.target(), 1, script, Writes::Message, vec![sender])?;
    fleet.handle().block_on(watch(server, players, rounds, keyframes))
}

async fn watch(
    server: &Headwater,
    players: usize,
    rounds: usize,
    mut keyframes: mpsc::Receiver<Instant>,
) -> anyhow::Result<Vec<Waited>> {
    for _ in 0..LEAD {
        keyframes.recv().await.context("the publishers are gone")?;
    }
    let before = server.family().memory()?;
    let host = server.http();
    let mut sockets = Vec::with_capacity(players);
    for _ in 0..players {
        sockets.push(TcpStream::connect(&host).await.context("a connection")?);
    }
    gauge(&host, "headwater_http_connections", players).await?;
    let idle = per(before, server.family().memory()?, players);
    let mut found = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let connected = server.family().memory()?;
        while keyframes.try_recv().is_ok() {}
        keyframes.recv().await.context("the publishers are gone")?;
        sleep(SETTLE).await;
        ask(server, &mut sockets).await?;
        gauge(&host, "headwater_http_blocked_requests", players).await?;
        let waiting = per(connected, server.family().memory()?, players);
        let cpu = server.family().cpu()?;
        let closed = keyframes.recv().await.context("the publishers are gone")?;
        let (answered, back) = answers(sockets, closed).await?;
        sockets = back;
        let cpu = server.family().cpu()? - cpu;
        found.push(Waited { idle, waiting, answered, cpu });
    }
    Ok(found)
}

fn per(before: u64, after: u64, players: usize) -> f64 {
    (after as f64 - before as f64) / players as f64
}

/// Everybody asks for the segment that is being made.
async fn ask(server: &Headwater, sockets: &mut [TcpStream]) -> anyhow::Result<()> {
    let (host, path) = (server.http(), server.playlist(0));
    let text = String::from_utf8(get(&host, &path).await?)?;
    let next = playlist::listed(&text);
    let request = format!(
        "GET {path}?_HLS_msn={next} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36\r\n\r\n"
    );
    for socket in sockets {
        socket.write_all(request.as_bytes()).await?;
    }
    Ok(())
}

/// Reads all answers; says when the first and the last was there, counted from `closed`.
async fn answers(
    sockets: Vec<TcpStream>,
    closed: Instant,
) -> anyhow::Result<((Duration, Duration), Vec<TcpStream>)> {
    let mut reading = JoinSet::new();
    for socket in sockets {
        reading.spawn(answer(socket));
    }
    let (mut first, mut last, mut sockets) = (Duration::MAX, Duration::ZERO, Vec::new());
    while let Some(read) = reading.join_next().await {
        let (at, socket) = read??;
        let took = at.saturating_duration_since(closed);
        (first, last) = (first.min(took), last.max(took));
        sockets.push(socket);
    }
    Ok(((first, last), sockets))
}

/// One answer, which must be a playlist.
async fn answer(mut socket: TcpStream) -> anyhow::Result<(Instant, TcpStream)> {
    let mut bytes = Vec::with_capacity(4096);
    loop {
        ensure!(socket.read_buf(&mut bytes).await? > 0, "the server closed a connection");
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(head) = response.parse(&bytes)? {
            ensure!(response.code == Some(200), "answered {:?}", response.code);
            let length = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
            let length: usize = std::str::from_utf8(length.context("no length")?.value)?.parse()?;
            if bytes.len() >= head + length {
                return Ok((Instant::now(), socket));
            }
        }
    }
}

/// Waits until the server says that there are so many of something.
async fn gauge(host: &str, name: &str, wanted: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let text = String::from_utf8(get(host, "/metrics").await?)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
        if value.is_some_and(|value| value >= wanted) {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "{name} is {value:?}, not {wanted}");
        sleep(Duration::from_millis(50)).await;
    }
}
