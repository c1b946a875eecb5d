//! Who asks for segments that are being made and takes nothing of them, or hangs up.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY};
use crate::process::{MB, assert_memory_returns, assert_told, memory};
use crate::publisher::Publisher;
use crate::slow::{SETTINGS, sleepy};
use crate::support::dash::Mpd;
use crate::support::server::Entry;
use crate::support::wait::throughout;
use crate::support::{Server, within};
use crate::web::read_to_end;

/// The URI of the newest segment that the MPD lists.
fn newest(play: &Entry) -> Option<String> {
    let mpd = Mpd::parse(&play.wait_for("manifest.mpd"));
    let video = mpd.periods.into_iter().next_back()?.representations.into_iter().next()?;
    Some(video.segments.last()?.uri.clone())
}

/// Four megabytes a second, six seconds of it kept, and twenty readers of each growing segment who take nothing: they
/// hold what is held anyway, and are cut.
#[test]
fn readers_of_growing_segments_who_take_nothing_are_cut() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let play = server.play("e");
    let (http, rtmp) = (server.http(), server.rtmp());
    thread::scope(|scope| {
        let big = scope.spawn(move || {
            let mut publisher = Publisher::on_air(rtmp, "e", false);
            let begun = Instant::now();
            for frame in 0..120 {
                let due = Duration::from_millis(u64::from(frame) * 100);
                throughout(due.saturating_sub(begun.elapsed()), || ());
                assert!(publisher.picture(frame * 100, frame % 10 == 0, 400_000));
            }
        });
        let mut seen = within(10, "something to play", || newest(&play));
        let before = memory(&server);
        let mut readers: Vec<TcpStream> = Vec::new();
        while !big.is_finished() {
            let Some(uri) = newest(&play).filter(|uri| *uri != seen) else { continue };
            readers.extend((0..20).map(|_| sleepy(http, &format!("/play/e/{uri}"))));
            seen = uri;
            let now = memory(&server);
            assert!(now < before + 60 * MB, "{} MB more with {} readers", (now - before) / MB, readers.len());
        }
        big.join().expect("it was taken");
        assert!(readers.len() >= 60, "{} readers", readers.len());
        for socket in &mut readers {
            let got = read_to_end(socket, Duration::from_secs(10)).expect("cut").len();
            assert!(got < 4_000_000, "{got} bytes");
        }
    });
    assert_told(&server, "slow-reader", "127.0.0.1:");
    bystander.assert_undisturbed();
}

/// Whoever hangs up in the middle of a segment that grows leaves nothing behind.
#[test]
fn readers_who_hang_up_leave_nothing_behind() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let play = server.play(ENTRY);
    within(10, "something to play", || newest(&play));
    let before = memory(&server);
    for _ in 0..20 {
        let uri = newest(&play).expect("it goes on");
        let readers: Vec<_> =
            (0..25).map(|_| sleepy(server.http(), &format!("/play/{ENTRY}/{uri}"))).collect();
        drop(readers);
    }
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}
