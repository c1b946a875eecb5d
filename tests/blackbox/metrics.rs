//! What an operator's monitoring sees.

use crate::support::http::get;
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// The value of a line of the exposition, by its name and labels.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap_or_else(|_| panic!("{series} is {line:?}")))
}

fn scrape(server: &Server) -> String {
    let answer = get(&server.http_url("metrics"), &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    answer.text()
}

#[test]
fn a_stream_its_viewers_and_who_was_refused_are_counted() {
    let server = Server::start("", &["e"]);
    let play = server.play("e");
    let push = Push::live(&server, "e", &Source { seconds: 30, ..USUAL }.file());
    play.wait_for("master.m3u8");
    let (refused, _) = Push::to(&server.rtmp_url("live/stranger"), &USUAL.file(), &[], &[]).outcome();
    assert!(!refused);
    assert_eq!(play.get("video-1/1.m4s").status, 410);

    let text = scrape(&server);
    let count = |series: &str| value(&text, series).unwrap_or_else(|| panic!("no {series} in\n{text}"));
    assert_eq!(count(r#"headwater_streams{state="publishing"}"#), 1.0);
    assert_eq!(count(r#"headwater_stream_periods_total{entry="e"}"#), 1.0);
    assert_eq!(count(r#"headwater_stream_dropped_samples_total{entry="e"}"#), 0.0);
    assert!(count(r#"headwater_stream_segments_total{entry="e"}"#) >= 2.0);
    assert!(count(r#"headwater_stream_parts_total{entry="e"}"#) >= 8.0);
    assert!(count(r#"headwater_stream_media_bytes_total{entry="e"}"#) > 10_000.0);
    let lag = count(r#"headwater_stream_lag_seconds{entry="e"}"#);
    assert!((-0.5..3.0).contains(&lag), "the live edge lies {lag} s behind the clock");
    assert_eq!(count("headwater_rtmp_connections"), 1.0);
    assert_eq!(count(r#"headwater_rtmp_refusals_total{reason="unknown-key"}"#), 1.0);
    assert!(count("headwater_rtmp_received_bytes_total") > 10_000.0);
    assert!(count(r#"headwater_http_requests_total{class="multivariant",status="2xx"}"#) >= 1.0);
    assert_eq!(count(r#"headwater_http_problems_total{reason="gone"}"#), 1.0);
    assert!(count(r#"headwater_http_response_bytes_total{class="multivariant"}"#) > 100.0);
    assert_eq!(count("headwater_panics_total"), 0.0);
    assert!(count("process_resident_memory_bytes") > 1e6);
    assert!(text.ends_with("# EOF\n"));

    push.kill();
    within(5, "the stream waits for its encoder", || {
        (value(&scrape(&server), r#"headwater_streams{state="waiting"}"#) == Some(1.0)).then_some(())
    });
}

#[test]
fn a_server_is_alive_and_ready_once_it_listens() {
    let server = Server::start("", &[]);
    for page in ["healthz", "readyz"] {
        let answer = get(&server.http_url(page), &[]);
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{page}");
    }
    assert_eq!(get(&server.http_url("nowhere"), &[]).status, 404);
}
