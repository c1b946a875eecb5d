//! HTTP requests that mean two things, ask for too much, or for what cannot be.

use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_memory_returns, assert_told, memory};
use crate::support::Server;
use crate::support::http;
use crate::web::{exchange, get, status};

/// One answer to what may be the start of a second request, hidden in the first, and then the end.
fn refused(server: &Server, head: &str, allowed: &[u16]) {
    let hidden = get("/play/hidden/master.m3u8");
    let request = format!("GET /play/{ENTRY}/master.m3u8 HTTP/1.1\r\n{head}\r\n0\r\n\r\n{hidden}");
    let answer = exchange(server.http(), request.as_bytes()).expect("an answer and the end");
    assert!(allowed.contains(&status(&answer)), "{} to {head:.80?}", status(&answer));
    let answers = String::from_utf8_lossy(&answer).matches("HTTP/1.1 4").count();
    assert_eq!(answers, 1, "{head:.80?}");
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    for head in [
        "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Host: x\r\nTransfer-Encoding: chunked\r\n",
        "Host: x\r\nTransfer-Encoding: xchunked\r\n",
        "Host: x\r\nTransfer-Encoding : chunked\r\n",
        "Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "Host: x\r\nContent-Length: +5\r\n",
        "Host: x\r\nX: y\r\n folded\r\n",
        "",
        "Host: a\r\nHost: b\r\n",
    ] {
        refused(&server, head, &[400]);
    }
    bystander.assert_undisturbed();
}

#[test]
fn what_is_too_much_is_refused_and_forgotten() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let target = format!("/play/{ENTRY}/master.m3u8");
    for _ in 0..20 {
        let head = format!("Host: x\r\nX: {}\r\n", "x".repeat(1 << 20));
        refused(&server, &head, &[431]);
        refused(&server, &format!("Host: x\r\n{}", "X: y\r\n".repeat(1000)), &[431]);
        let query = exchange(server.http(), get(&format!("{target}?{}", "q".repeat(100_000))).as_bytes());
        assert!(matches!(status(&query.expect("an answer")), 414 | 431));
    }
    let answer = exchange(server.http(), get(&format!("{target}?{}", "q".repeat(10_000))).as_bytes());
    assert_eq!(status(&answer.expect("an answer")), 414);
    assert_told(&server, "target-too-long", "127.0.0.1:");
    assert!(memory(&server) < before + 8 * MB);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

#[test]
fn ranges_that_cannot_be() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let segment = bystander.play().url(&bystander.media().last().uri);
    let many: String = (0..1000).map(|at| format!("{at}-{at},")).collect();
    for (range, allowed) in [
        ("bytes=0-18446744073709551616", 206),
        ("bytes=18446744073709551616-", 416),
        ("bytes=99999999-", 416),
        ("bytes=9-3", 200),
        ("bytes=-", 200),
        ("lines=1-2", 200),
        (&format!("bytes={many}0-0"), 200),
    ] {
        assert_eq!(http::get(&segment, &[("range", range)]).status, allowed, "{range:.60}");
    }
    bystander.assert_undisturbed();
}

/// Nothing is waited for that a playlist does not offer: until it does, the parameters of a blocking request (RFC
/// 8216bis §6.2.5.2) are as unknown as any other, and the answer comes at once.
#[test]
fn parameters_of_blocking_requests_never_hang() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    for query in [
        "_HLS_msn=18446744073709551615",
        "_HLS_msn=18446744073709551616&_HLS_part=4294967296",
        "_HLS_msn=-1",
        "_HLS_part=0",
        "_HLS_msn=1&_HLS_msn=2&_HLS_part=0&_HLS_part=1",
        "_HLS_msn=99999999999999999999999999",
        "_HLS_msn=&_HLS_part=x&_HLS_skip=YES",
    ] {
        let begun = Instant::now();
        let answer = bystander.play().get(&format!("video-1.m3u8?{query}"));
        assert!(matches!(answer.status, 200 | 400), "{} to {query}", answer.status);
        assert!(begun.elapsed() < Duration::from_secs(1), "{query}");
    }
    bystander.assert_undisturbed();
}
