//! Where a target is in a session: from snapshot to snapshot it says what is to be sent next.
//!
//! There is no queue that a publisher could fill. What is not sent yet is in the snapshot anyway, for as long as the stream
//! keeps it; a target that is slower than that goes on at the newest keyframe, and what lies between is counted.
//!
//! Times are microseconds of the session: they go on over a reconnect of the encoder as if nothing had been between.

mod lane;
mod weave;

use media::{Codec, Kind, Sync};
use packager::samples::Error;
use packager::{Presentation, Rendition};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
pub(crate) use lane::Lane;

/// What a target wants of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// Which pictures, as `720p` or `video-720p`; the best where it is not given.
    pub rendition: Option<String>,
    /// Which sound, by its language or rendition; the first where it is not given.
    pub audio: Option<String>,
}

/// What is to be sent, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// How what follows of its kind is coded.
    Track(Track),
    /// A picture, or a frame of sound.
    Frame(Frame),
}

/// How something is coded.
#[derive(Clone, PartialEq, Debug)]
pub struct Track {
    /// Its codec with its configuration.
    pub codec: Codec,
    /// Frames per second, where they are known.
    pub frame_rate: Option<f64>,
}

/// A picture, or a frame of sound. Times in microseconds of the session.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// Which of the two.
    pub kind: Kind,
    /// When it is decoded; never after it is shown.
    pub dts: i64,
    /// When it is shown.
    pub pts: i64,
    /// How long.
    pub duration: i64,
    /// Whether decoding may begin here.
    pub sync: Sync,
    /// Bytes of the stream's own memory.
    pub data: Bytes,
}

/// What of one session was sent.
#[derive(Debug)]
pub struct Follower {
    choice: Choice,
    max_behind: i64,
    video: Option<Lane>,
    audio: Option<Lane>,
    skipped: u64,
    sent: i64,
}

impl Choice {
    /// What of it the entry does not have now.
    pub fn missing(&self, presentation: &Presentation) -> Option<&str> {
        let pictures = self.rendition.as_deref().filter(|it| pictures(presentation, Some(it)).is_none());
        pictures.or_else(|| self.audio.as_deref().filter(|it| sound(presentation, Some(it)).is_none()))
    }

    /// The codecs of what is wanted now, pictures first.
    pub fn codecs<'a>(&self, presentation: &'a Presentation) -> impl Iterator<Item = &'a Codec> + use<'a> {
        let pictures = pictures(presentation, self.rendition.as_deref());
        let chosen = pictures.into_iter().chain(sound(presentation, self.audio.as_deref()));
        chosen.filter_map(|rendition| Some(&rendition.init()?.track.codec))
    }
}

impl Follower {
    /// Begins at the newest keyframe. Past `max_behind` it goes on at the newest one then.
    pub fn new(choice: Choice, max_behind: Duration) -> Follower {
        let max_behind = i64::try_from(max_behind.as_micros()).unwrap_or(i64::MAX);
        Follower { choice, max_behind, video: None, audio: None, skipped: 0, sent: i64::MIN }
    }

    /// What is new in this snapshot, about a part of each kind at a time; nothing where there is nothing new.
    pub fn next(&mut self, presentation: &Presentation) -> Result<Vec<Item>, Error> {
        self.choose(presentation);
        self.catch_up(presentation);
        loop {
            let mut read = false;
            for lane in self.video.iter_mut().chain(&mut self.audio) {
                if let Some(rendition) = presentation.rendition(&lane.name)
                    && !lane.is_full()
                {
                    read |= lane.read(rendition)?;
                }
            }
            let lanes = [self.video.as_mut(), self.audio.as_mut()];
            let items = weave::release(lanes.into_iter().flatten(), presentation.ended && !read);
            if !items.is_empty() || !read {
                self.note(&items);
                return Ok(items);
            }
        }
    }

    /// The renditions that are followed, with their names.
    pub fn renditions(&self) -> impl Iterator<Item = &Arc<str>> {
        self.video.iter().chain(&self.audio).map(|lane| &lane.name)
    }

    /// How many frames were left out so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How far what was given out last is behind what there is.
    pub fn behind(&self, presentation: &Presentation) -> Duration {
        let lanes = self.video.iter().chain(&self.audio);
        let newest = lanes.filter_map(|lane| lane::newest_end(presentation.rendition(&lane.name)?)).max();
        let behind = newest.filter(|_| self.sent > i64::MIN).map_or(0, |newest| newest - self.sent);
        Duration::from_micros(u64::try_from(behind).unwrap_or_default())
    }

    fn note(&mut self, items: &[Item]) {
        let ends = items.iter().filter_map(|item| match item {
            Item::Frame(frame) => Some(frame.dts.saturating_add(frame.duration)),
            Item::Track(_) => None,
        });
        self.sent = ends.fold(self.sent, i64::max);
    }

    /// Finds what is wanted, where it is not followed yet or is gone.
    fn choose(&mut self, presentation: &Presentation) {
        let Choice { rendition, audio } = &self.choice;
        if is_gone(self.video.as_ref(), presentation) {
            let wanted = pictures(presentation, rendition.as_deref());
            let better = wanted.filter(|it| self.video.as_ref().is_none_or(|lane| lane.name != it.name));
            if let Some(lane) = better.and_then(|rendition| Lane::newest(rendition, self.sent)) {
                self.video = Some(lane);
            }
        }
        if is_gone(self.audio.as_ref(), presentation) {
            let wanted = sound(presentation, audio.as_deref());
            let better = wanted.filter(|it| self.audio.as_ref().is_none_or(|lane| lane.name != it.name));
            let from = self.video.as_ref().map_or(self.sent, |video| self.sent.max(video.from()));
            let lane = better.and_then(|rendition| match &self.video {
                Some(video) if self.sent == i64::MIN => Lane::beside(rendition, video),
                _ => Lane::newest(rendition, from),
            });
            if lane.is_some() {
                self.audio = lane;
            }
        }
    }

    /// Goes on at the newest keyframe where it is too far behind, and there is a newer one.
    fn catch_up(&mut self, presentation: &Presentation) {
        let Some(leader) = self.video.as_ref().or(self.audio.as_ref()) else { return };
        let Some(rendition) = presentation.rendition(&leader.name) else { return };
        let behind = lane::newest_end(rendition).map_or(0, |newest| newest.saturating_sub(leader.position()));
        if behind <= self.max_behind {
            return;
        }
        let Some(ahead) = Lane::newest(rendition, leader.end().saturating_add(1)) else { return };
        let mut skipped = leader.skipped_until(rendition, &ahead);
        let beside = self.audio.as_ref().filter(|_| self.video.is_some());
        let audio = beside.and_then(|old| {
            let rendition = presentation.rendition(&old.name)?;
            let lane = Lane::beside(rendition, &ahead)?;
            skipped += old.skipped_until(rendition, &lane);
            Some(lane.like(old))
        });
        match &mut self.video {
            Some(video) => {
                *video = ahead.like(video);
                self.audio = audio.or(self.audio.take());
            }
            None => self.audio = self.audio.take().map(|old| ahead.like(&old)),
        }
        self.skipped += skipped;
    }
}

fn is_gone(lane: Option<&Lane>, presentation: &Presentation) -> bool {
    let rendition = lane.and_then(|lane| presentation.rendition(&lane.name));
    rendition
        .is_none_or(|rendition| !rendition.alive() && rendition.open.is_none() && rendition.last().is_some())
}

/// The pictures that are wanted, among those that are on.
fn pictures<'a>(presentation: &'a Presentation, wanted: Option<&str>) -> Option<&'a Arc<Rendition>> {
    let on = presentation.renditions.iter().filter(|it| it.kind == Kind::Video && it.init().is_some());
    let size = |rendition: &&Arc<Rendition>| {
        let pixels = rendition.init().map_or(0, |init| pixels(&init.track.codec));
        (rendition.open.is_some() || rendition.alive(), pixels, rendition.bitrate.average)
    };
    let mut fits = on.filter(|it| wanted.is_none_or(|wanted| is_called(&it.name, wanted)));
    match wanted {
        Some(_) => fits.next(),
        None => fits.max_by_key(size),
    }
}

/// The sound that is wanted.
fn sound<'a>(presentation: &'a Presentation, wanted: Option<&str>) -> Option<&'a Arc<Rendition>> {
    let on = presentation.renditions.iter().filter(|it| it.kind == Kind::Audio && it.init().is_some());
    let speaks = |it: &Rendition, wanted: &str| {
        let language = it.init().and_then(|init| init.track.language.as_ref());
        language.is_some_and(|language| language.to_string() == wanted)
    };
    let mut fits =
        on.filter(|it| wanted.is_none_or(|wanted| is_called(&it.name, wanted) || speaks(it, wanted)));
    fits.next()
}

/// Whether a rendition is meant by its name, or by what stands behind its kind.
fn is_called(name: &str, wanted: &str) -> bool {
    name == wanted || name.split_once('-').is_some_and(|(_, rest)| rest == wanted)
}

fn pixels(codec: &Codec) -> u32 {
    codec.picture().map_or(0, |it| u32::from(it.width) * u32::from(it.height))
}
