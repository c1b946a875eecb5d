//! Somebody who is on air while others misbehave, and must not notice.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use crate::publisher::Publisher;
use crate::support::hls::Media;
use crate::support::server::Entry;
use crate::support::{Server, within};

/// The entry of the bystander; each site of these tests has it.
pub const ENTRY: &str = "bystander";
/// What these tests run with, beside what they are about.
pub const SETTINGS: &str = "[packager]\nsegment = \"1s\"\n";

/// Ten pictures a second, a keyframe each second.
const FRAME_MILLIS: u32 = 100;
/// How far a segment may be behind the clock: its own length, a frame, and a busy machine.
const LATE_MILLIS: f64 = 4000.0;

/// Publishes in real time from a thread of its own.
pub struct Bystander {
    play: Entry,
    began: u64,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<bool>>,
}

impl Bystander {
    /// On air, with something to play.
    pub fn on_air(server: &Server) -> Bystander {
        let publisher = Publisher::on_air(server.rtmp(), ENTRY, false);
        let (stop, stopped) = sync_channel(1);
        let thread = thread::spawn(move || publish(publisher, || stopped.recv_timeout(pause())));
        let play = server.play(ENTRY);
        play.wait_for("master.m3u8");
        let began = Media::parse(&play.wait_for("video-1.m3u8")).last().number;
        Bystander { play, began, stop: Some(stop), thread: Some(thread) }
    }

    /// It went on all the time, and goes on now.
    pub fn assert_undisturbed(&self) {
        let newest = self.media().last().number;
        within(10, "the bystander goes on", || (self.media().last().number > newest).then_some(()));
        let media = self.media();
        assert!(media.last().number > self.began && !media.ended);
        assert_eq!(media.discontinuities(), 0, "{media:?}");
        for segment in &media.segments {
            assert!(!segment.gap && (segment.seconds() - 1.0).abs() < 0.15, "{segment:?}");
        }
        let late = now_millis() - media.last().end();
        assert!(late < LATE_MILLIS, "the bystander is {late} ms behind");
    }

    /// Its playlist.
    pub fn media(&self) -> Media {
        Media::parse(&self.play.wait_for("video-1.m3u8"))
    }

    /// Below its entry.
    pub fn play(&self) -> &Entry {
        &self.play
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(true))), "the bystander was cut");
        }
    }
}

fn pause() -> Duration {
    Duration::from_millis(FRAME_MILLIS.into())
}

/// Sends pictures until told to stop; whether the server took them all.
fn publish(mut publisher: Publisher, wait: impl Fn() -> Result<(), RecvTimeoutError>) -> bool {
    let since = std::time::Instant::now();
    let mut frame = 0;
    loop {
        while u128::from(frame * FRAME_MILLIS) <= since.elapsed().as_millis() {
            if !publisher.picture(frame * FRAME_MILLIS, frame % 10 == 0, 1000) {
                return false;
            }
            frame += 1;
        }
        if wait() != Err(RecvTimeoutError::Timeout) {
            return true;
        }
    }
}

fn now_millis() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs_f64() * 1000.0
}
