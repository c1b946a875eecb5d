//! A recording through SIGKILLs at random moments: what was on air is there, once, in order, to the stated tail.

use std::collections::BTreeMap;
use std::env;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::aired::Watch;
use crate::frames::Hashes;
use crate::recorded::{Played, folder, in_files};
use crate::reel::{RATE, RENDITIONS, Reel};
use crate::show::{SETTINGS, Show};
use crate::support::Server;
use crate::support::server::Site;
use crate::support::wait::throughout;

/// The longest that an encoder publishes before the next kill, in seconds.
const LONGEST: f64 = 6.0;
/// The last encoder plays the end of the reel, and nobody kills it; in seconds.
const ENCORE: usize = 6;

/// One encoder, from its first frame to the death of the server.
struct Life {
    /// The keyframe of the reel that it began with.
    begin: usize,
    /// How long it published.
    length: Duration,
    /// What viewers were told, long enough before the end: seconds of each segment of each rendition.
    promised: BTreeMap<&'static str, BTreeMap<u64, f64>>,
}

/// Of a rendition, what came back of each life.
type Came = Vec<Option<RangeInclusive<usize>>>;

#[test]
fn what_was_on_air_is_recorded_whenever_the_server_is_killed() {
    let kills: usize = number("SOAK_KILLS").unwrap_or(3);
    let seed = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    eprintln!("soak: {kills} kills, SOAK_SEED={seed}");
    let reel = Reel::of((kills as f64 * (LONGEST + 3.0)) as usize + ENCORE + 4);
    let mut random = Rng::with_seed(seed);
    let mut server = Site::new(SETTINGS, &[]).left_after_failure().start();
    let show = Show::new(&server);
    let mut lives: Vec<Life> = Vec::new();
    for kill in 1..=kills {
        let length = Duration::from_secs_f64(0.3 + random.f64() * (LONGEST - 0.3));
        let (site, life) = live_and_die(server, &show, &reel, next(lives.last()), length);
        let asked = Instant::now();
        server = site.start();
        eprintln!("soak: kill {kill} after {length:.1?}, back after {:.1?}", asked.elapsed());
        lives.push(life);
    }
    let (last, session) = play_out(&server, &show, &reel);
    lives.push(last);
    check(&server, &show, session, &reel, &lives);
}

/// Publishes for a while, and kills the server.
fn live_and_die(server: Server, show: &Show, reel: &Reel, begin: usize, length: Duration) -> (Site, Life) {
    let since = Instant::now();
    let watch = Watch::of(show.play(&server));
    let encoder = reel.publish(&server, &show.key, begin);
    throughout(length, || ());
    let aired = watch.end();
    let now = Instant::now();
    let site = server.kill();
    drop(encoder);
    (site, Life { begin, length: since.elapsed(), promised: aired.promised(now) })
}

/// Where the next encoder begins: at a keyframe that the one before has not come to.
fn next(before: Option<&Life>) -> usize {
    before.map_or(0, |life| life.begin + (life.length.as_secs_f64().ceil() as usize + 1) * RATE)
}

/// Publishes the end of the reel, all of it, and ends the show. Gives the session that was live.
fn play_out(server: &Server, show: &Show, reel: &Reel) -> (Life, u64) {
    let (since, begin) = (Instant::now(), reel.frames - ENCORE * RATE);
    let watch = Watch::of(show.play(server));
    reel.publish(server, &show.key, begin).done();
    let promised = watch.end().promised(Instant::now());
    let session = show.end(server);
    (Life { begin, length: since.elapsed(), promised }, session)
}

fn check(server: &Server, show: &Show, session: u64, reel: &Reel, lives: &[Life]) {
    let folder = folder(&server.folder().join("data"), &show.id);
    let stored = RENDITIONS.map(|rendition| in_files(&folder, rendition));
    for (rendition, stored) in RENDITIONS.iter().zip(&stored) {
        let came = came(reel, rendition, stored, lives);
        tell(rendition, lives, &came);
        assert_ends_with_the_reel(reel, rendition, &came);
    }
    for (rendition, stored) in RENDITIONS.iter().zip(&stored) {
        let played = Played::once_ended(&show.play(server), session, rendition);
        assert_promises(rendition, lives, &played);
        let longest = stored.len().max(played.frames.len());
        let other = (0..longest).find(|&at| stored.get(at) != played.frames.get(at));
        assert_eq!(other, None, "{rendition}: what is played is what is in the files");
    }
}

/// Nothing twice, nothing out of order, nothing missing within a life.
fn came(reel: &Reel, rendition: &str, stored: &Hashes, lives: &[Life]) -> Came {
    let begins: Vec<usize> = lives.iter().map(|life| Reel::begin(rendition, life.begin)).collect();
    reel.index(rendition).lives(stored, &begins).unwrap_or_else(|wrong| panic!("{rendition}: {wrong}"))
}

/// Of an encoder that left by itself not a frame is missing.
fn assert_ends_with_the_reel(reel: &Reel, rendition: &str, came: &Came) {
    let last = came.last().cloned().flatten();
    assert_eq!(last.map(|life| *life.end()), Some(reel.length(rendition) - 1), "{rendition}: its last frame");
}

/// What viewers were told of for as long as a part lasts is in the recording.
fn assert_promises(rendition: &str, lives: &[Life], played: &Played) {
    let seconds = played.seconds();
    for (at, life) in lives.iter().enumerate() {
        let promised = life.promised.get(rendition).into_iter().flatten();
        for (number, promised) in promised {
            let kept = seconds.get(number).copied().unwrap_or_default();
            assert!(kept > promised - 0.001, "{rendition}, life {at}: {kept} s of {promised} s of {number}");
        }
    }
}

fn tell(rendition: &str, lives: &[Life], came: &Came) {
    let of = |(life, came): (&Life, &Option<RangeInclusive<usize>>)| {
        let frames = came.as_ref().map_or(0, |it| it.end() - it.start() + 1);
        format!("{:.2}/{:.2}", Reel::seconds(rendition, frames), life.length.as_secs_f64())
    };
    let lives: Vec<String> = lives.iter().zip(came).map(of).collect();
    eprintln!("soak: {rendition}, seconds kept of seconds published: {}", lives.join(" "));
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")))
}
