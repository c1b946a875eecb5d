//! Any bytes, at any depth of an RTMP connection, in reads of any size.
#![no_main]

use std::time::{Duration, Instant};

use fuzz::peer;
use ingest::rtmp::session::Event;
use ingest::rtmp::{Limits, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [depth, read, rest @ ..] = data else { return };
    let now = Instant::now();
    let limits = Limits::default();
    let mut session = Session::new(limits, now);
    let prefix = [vec![], peer::handshake(), peer::publish(), peer::tracks()];
    for bytes in prefix.iter().take(usize::from(depth % 4) + 1) {
        session.handle(bytes, now).expect("legal");
        drain(&mut session, true);
    }
    let accept = depth & 0x80 == 0;
    for bytes in rest.chunks(usize::from(*read).max(1)) {
        let handled = session.handle(bytes, now);
        drain(&mut session, accept);
        if handled.is_err() {
            break;
        }
    }
    let counters = session.counters();
    assert!(counters.bytes <= (data.len() + 8192) as u64);
    let _ = session.handle_timeout(now + Duration::from_secs(60));
    session.end_all("over");
    drain(&mut session, accept);
});

fn drain(session: &mut Session, accept: bool) {
    while let Some(event) = session.poll_event() {
        match event {
            Event::Publish(request) if accept => session.accept(request.stream_id),
            Event::Publish(request) => session.refuse(request.stream_id, "no"),
            Event::Input(..) | Event::Unpublish(..) => {}
        }
    }
    let answers = session.poll_transmit().unwrap_or_default();
    assert!(answers.len() <= Limits::default().answers + (64 << 10), "{} bytes of answers", answers.len());
}
