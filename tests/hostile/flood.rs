//! More connections than anybody needs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_few, assert_memory_returns, assert_memory_returns_again, memory, refusals};
use crate::rtmp::Rtmp;
use crate::support::{Server, within};
use crate::web::{exchange, get, read_to_end, status};

const CROWD: usize = 10_000;
/// One crowd at a time: it needs most of the files that this process may open.
static ALONE: Mutex<()> = Mutex::new(());
/// Files that the tests need beside.
const SPARE: u64 = 2000;
/// Who opens connections at once; the kernel keeps a thousand until they are accepted.
const HANDS: usize = 8;

/// A crowd of connections, each having done `greeting`.
fn crowd(size: usize, greeting: impl Fn() -> TcpStream + Sync) -> Vec<TcpStream> {
    let files = rlimit::increase_nofile_limit(CROWD as u64 + SPARE).expect("the limit of open files");
    assert!(files >= CROWD as u64 + SPARE, "at most {files} open files: raise the hard limit (ulimit -Hn)");
    thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS)
            .map(|_| scope.spawn(|| (0..size / HANDS).map(|_| greeting()).collect::<Vec<_>>()))
            .collect();
        hands.into_iter().flat_map(|hand| hand.join().expect("connections")).collect()
    })
}

fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).expect("a listener")
}

/// A viewer who asked for something and stays for more.
fn viewer(to: SocketAddr) -> TcpStream {
    let mut socket = connect(to);
    socket.write_all(format!("GET /play/{ENTRY}/time HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).expect("room");
    let mut answer = [0; 512];
    assert!(socket.read(&mut answer).expect("an answer") > 0);
    socket
}

/// The quickest of a few: a machine that does something else meanwhile says nothing about the server.
fn quickest(server: &Server) -> Duration {
    let once = || {
        let begun = Instant::now();
        let answer = exchange(server.http(), get(&format!("/play/{ENTRY}/master.m3u8")).as_bytes());
        assert_eq!(status(&answer.expect("an answer")), 200);
        begun.elapsed()
    };
    (0..5).map(|_| once()).min().expect("five")
}

/// What each of ten thousand costs, while somebody else is served and on air.
fn each_of_a_crowd(greeting: impl Fn(SocketAddr) -> TcpStream + Sync) -> u64 {
    let server = Server::start(&format!("http.header_timeout = \"1m\"\n{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let each = each_of_a_wave(&server, &greeting, before);
    assert_memory_returns(&server, before);
    let between = memory(&server);
    each_of_a_wave(&server, &greeting, between);
    assert_memory_returns_again(&server, between);
    bystander.assert_undisturbed();
    each
}

fn each_of_a_wave(server: &Server, greeting: &(impl Fn(SocketAddr) -> TcpStream + Sync), before: u64) -> u64 {
    let _alone = ALONE.lock();
    let viewers = crowd(CROWD, || greeting(server.http()));
    let fresh = quickest(server);
    assert!(fresh < Duration::from_millis(200), "{fresh:?} for a fresh request");
    memory(server).saturating_sub(before) / viewers.len() as u64
}

#[test]
fn ten_thousand_who_only_connect_cost_less_than_ten_kilobytes_each() {
    let each = each_of_a_crowd(connect);
    assert!(each < 10 << 10, "{each} bytes each");
}

/// HTTP has a buffer of 8 KiB for each direction then, and keeps both while more may be asked for.
#[test]
fn ten_thousand_viewers_who_pause_cost_two_buffers_each() {
    let each = each_of_a_crowd(viewer);
    assert!(each < 28 << 10, "{each} bytes each");
}

#[test]
fn viewers_beyond_the_limit_are_told_to_come_back() {
    let server = Server::start(&format!("http.max_connections = 100\n{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    // The clients of this test itself keep a connection or two.
    let mut viewers = crowd(400, || connect(server.http()));
    let answered = within(5, "most of them are told", || {
        let told = viewers.iter_mut().filter_map(shed).count();
        (told >= 250).then_some(told)
    });
    assert!(answered <= 310, "{answered} of 400");
    assert!(!refusals(&server, "full").is_empty());
    assert_few(&server, "full");
    drop(viewers);
    within(5, "room again", || {
        let answer = exchange(server.http(), get(&format!("/play/{ENTRY}/master.m3u8")).as_bytes())?;
        (status(&answer) == 200).then_some(())
    });
    bystander.assert_undisturbed();
}

/// Whether it was sent away with 503.
fn shed(socket: &mut TcpStream) -> Option<()> {
    let mut answer = [0; 16];
    socket.set_read_timeout(Some(Duration::from_millis(1))).expect("not zero");
    let length = socket.peek(&mut answer).ok()?;
    (status(&answer[..length]) == 503).then_some(())
}

#[test]
fn ten_thousand_who_only_connect_to_rtmp_are_shed_beyond_the_limit() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let alone = ALONE.lock();
    let mut strangers = crowd(CROWD, || connect(server.rtmp()));
    let more = memory(&server).saturating_sub(before);
    assert!(more < 40 * MB, "{} MB for a thousand connections", more / MB);
    let closed = strangers.iter_mut().map(is_closed).filter(|closed| *closed).count();
    assert!(closed >= CROWD - 1000, "{closed} were closed");
    assert!(!refusals(&server, "full").is_empty());
    assert_few(&server, "full");
    bystander.assert_undisturbed();
    drop((strangers, alone));
    within(12, "a publisher gets in again", || {
        Rtmp::publish(server.rtmp(), "key-e").has_heard("NetStream.Publish.Start").then_some(())
    });
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

fn is_closed(socket: &mut TcpStream) -> bool {
    read_to_end(socket, Duration::from_micros(200)).is_some()
}
