//! An encoder that goes away: what players see while it is gone, when it is back, when it is not, and when it
//! comes after all.

use std::time::Duration;

use crate::support::dash::Mpd;
use crate::support::download::assert_follows;
use crate::support::hls::{Media, session};
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::wait::throughout;
use crate::support::{Push, Server, within};

const SETTINGS: &str = "
[stream]
reconnect = \"8s\"
[packager]
segment = \"1s\"
window = \"6s\"
";

/// Shorter than the reconnect window.
const OUTAGE: Duration = Duration::from_secs(3);

/// What a player of the video sees: the playlist of its session, each version held against the one before.
struct Player<'a> {
    entry: &'a Entry,
    playlist: String,
    seen: Media,
}

impl<'a> Player<'a> {
    fn open(entry: &'a Entry) -> Player<'a> {
        let session = session(&entry.wait_for("master.m3u8"));
        let playlist = format!("video-1.m3u8?s={session}");
        let seen = Media::parse(&entry.wait_for(&playlist));
        Player { entry, playlist, seen }
    }

    fn reload(&mut self) -> &Media {
        let media = Media::parse(&self.entry.wait_for(&self.playlist));
        assert_follows(&self.seen, &media);
        self.seen = media;
        &self.seen
    }

    fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Media) -> bool) -> Media {
        within(20, what, || Some(self.reload()).filter(|media| is_so(media)).cloned())
    }

    fn mpd(&self) -> Mpd {
        let (_, session) = self.playlist.split_once('?').expect("a session");
        Mpd::parse(&self.entry.wait_for(&format!("manifest.mpd?{session}")))
    }
}

#[test]
fn an_encoder_goes_and_comes_back() {
    let file = Source { seconds: 30, gop: 25, ..USUAL }.file();
    let server = Server::start(SETTINGS, &["e"]);
    let play = server.play("e");
    let push = Push::live(&server, "e", &file);
    let mut player = Player::open(&play);
    let before = player.wait("three segments", |media| media.segments.len() >= 3);
    push.kill();

    let period = within(3, "the period is closed", || {
        let mpd = player.mpd();
        assert!(mpd.dynamic && mpd.updates, "the show goes on");
        mpd.periods.into_iter().next().filter(|period| period.duration.is_some())
    });
    let last = player.reload().clone();
    throughout(OUTAGE, || assert_eq!(*player.reload(), last, "nothing is appended in an outage"));

    let push = Push::live(&server, "e", &file);
    let back = player.wait("the encoder is back", |media| media.discontinuities() > 0);
    // A Period is shown when all its tracks have a segment, the video's playlist when the video has.
    let mpd = within(3, "a second Period", || Some(player.mpd()).filter(|mpd| mpd.periods.len() > 1));
    assert_back(&before, &last, &back, &mpd, period.start + period.duration.expect("closed"));
    slides_out(&mut player, before.discontinuity_sequence);
    push.kill();
    let ended = assert_ends(&mut player);

    let push = Push::live(&server, "e", &file);
    assert_live_again(&player, &ended);
    push.kill();
}

/// One discontinuity, numbers that go on, wall time that stepped over the outage, a second Period.
fn assert_back(before: &Media, last: &Media, back: &Media, mpd: &Mpd, end_of_first: f64) {
    assert_eq!(back.discontinuities(), 1);
    assert_eq!(back.discontinuity_sequence, before.discontinuity_sequence);
    let after = back.segments.iter().find(|segment| segment.discontinuity).expect("there is one");
    let left = last.last();
    assert_eq!(after.number, left.number + 1);
    assert_ne!(after.map, left.map);
    let hole = after.program_date_time - left.end();
    let least = OUTAGE.as_secs_f64() * 1000.0;
    assert!((least..least + 5000.0).contains(&hole), "PROGRAM-DATE-TIME stepped by {hole} ms");
    let [first, second] = &mpd.periods[..] else {
        panic!("not two Periods: {:?}", mpd.periods);
    };
    let first_end = first.start + first.duration.expect("the first Period is over");
    assert!((first_end - end_of_first).abs() < 1e-3, "the end of a Period moved");
    assert!(second.start >= first_end + OUTAGE.as_secs_f64(), "{mpd:?}");
    assert_eq!(second.duration, None);
    assert!((second.start * 1000.0 - after.program_date_time).abs() <= 100.0, "DASH and HLS tell one time");
}

fn slides_out(player: &mut Player<'_>, before: u64) {
    let media = player.wait("the outage slides out", |media| media.discontinuities() == 0);
    assert_eq!(media.discontinuity_sequence, before + 1);
}

/// The window runs out: what is open ends, and the bare URLs are on demand.
fn assert_ends(player: &mut Player<'_>) -> Media {
    let ended = player.wait("EXT-X-ENDLIST", |media| media.ended);
    let pinned = player.mpd();
    assert!(!pinned.dynamic && !pinned.updates, "players only see the end of a static MPD");
    let last = pinned.periods.last().expect("a Period");
    let end = last.start + last.duration.expect("it is over");
    assert!((pinned.duration.expect("its end is known") - end).abs() < 1e-3);
    assert_eq!(pinned.availability_start.as_deref(), Some("1970-01-01T00:00:00Z"));
    let bare = Mpd::parse(&player.entry.wait_for("manifest.mpd"));
    assert!(!bare.dynamic && !bare.updates && bare.availability_start.is_none());
    assert_eq!(bare.periods[0].start, 0.0);
    let length: f64 = bare.periods.iter().filter_map(|period| period.duration).sum();
    assert!((bare.duration.expect("it is static") - length).abs() < 1e-3);
    assert!(Media::parse(&player.entry.wait_for("video-1.m3u8")).ended);
    ended
}

/// The same URLs, with larger numbers; the old session is as it ended.
fn assert_live_again(player: &Player<'_>, ended: &Media) {
    let live = within(10, "the bare playlist is live again", || {
        let media = Media::parse(&player.entry.wait_for("video-1.m3u8"));
        (!media.ended).then_some(media)
    });
    assert!(live.sequence > ended.last().number, "numbers are never used twice");
    assert!(live.discontinuity_sequence > ended.discontinuity_sequence);
    assert!(live.segments[0].program_date_time > ended.last().end());
    let newer = session(&player.entry.wait_for("master.m3u8"));
    assert!(!player.playlist.ends_with(&newer.to_string()));
    assert_eq!(Media::parse(&player.entry.wait_for(&player.playlist)), *ended);
    assert!(player.mpd().over());
    assert!(Mpd::parse(&player.entry.wait_for("manifest.mpd")).updates);
}
