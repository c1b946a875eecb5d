//! What viewers were told while it was live.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::reel::RENDITIONS;
use crate::support::hls::Media;
use crate::support::server::Entry;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(150);
/// What is listed this long before the process dies is recorded: the length of a part.
const WRITTEN: Duration = Duration::from_millis(500);

/// Looks at the playlists from a thread of its own.
pub struct Watch {
    stop: SyncSender<()>,
    thread: JoinHandle<Aired>,
}

/// What was listed, by rendition.
#[derive(Default)]
pub struct Aired(BTreeMap<&'static str, Listed>);

/// What was listed of a rendition.
#[derive(Default)]
struct Listed {
    /// When a segment was first seen, and its EXTINF.
    segments: BTreeMap<u64, (Instant, f64)>,
    /// When a segment that was not finished was seen, and how long its parts were together, in seconds.
    open: Vec<(Instant, u64, f64)>,
}

impl Watch {
    /// Of an entry.
    pub fn of(play: Entry) -> Watch {
        let (stop, stopped) = sync_channel(1);
        let look = move || {
            let mut aired = Aired::default();
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                aired.look(&play);
            }
            aired
        };
        Watch { stop, thread: thread::spawn(look) }
    }

    /// What it saw until now.
    pub fn end(self) -> Aired {
        drop(self.stop);
        self.thread.join().expect("a playlist can be read")
    }
}

impl Aired {
    fn look(&mut self, play: &Entry) {
        for rendition in RENDITIONS {
            let answer = play.get(&format!("{rendition}.m3u8"));
            if answer.status == 200 {
                self.0.entry(rendition).or_default().take(&Media::parse(&answer.text()));
            }
        }
    }

    /// What has to be in the recording of a process that died `now`: of each rendition the segments, and the seconds
    /// that each lasts at least.
    pub fn promised(&self, now: Instant) -> BTreeMap<&'static str, BTreeMap<u64, f64>> {
        let old = |seen: Instant| now.duration_since(seen) >= WRITTEN;
        let promised = |listed: &Listed| {
            let mut segments = BTreeMap::new();
            let open = listed.open.iter().rev().find(|(seen, ..)| old(*seen));
            segments.extend(open.map(|(_, number, seconds)| (*number, *seconds)));
            let whole = listed.segments.iter().filter(|(_, (seen, _))| old(*seen));
            segments.extend(whole.map(|(number, (_, seconds))| (*number, *seconds)));
            segments
        };
        self.0.iter().map(|(rendition, listed)| (*rendition, promised(listed))).collect()
    }
}

impl Listed {
    fn take(&mut self, media: &Media) {
        let now = Instant::now();
        if media.ended {
            return;
        }
        for segment in media.segments.iter().filter(|segment| !segment.gap) {
            self.segments.entry(segment.number).or_insert((now, segment.seconds()));
        }
        let Some(last) = media.segments.last() else { return };
        let open = media.low_latency.iter().flat_map(|it| &it.open).filter(|part| !part.gap);
        let seconds: f64 = open.map(|part| part.seconds).sum();
        if seconds > 0.0 {
            self.open.push((now, last.number + 1, seconds));
        }
    }
}
