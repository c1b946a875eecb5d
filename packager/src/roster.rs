//! Which pushes are on, what their tracks are called in the presentation, and whose sound is heard.
//!
//! Pictures go out each under a name of its own. Sounds are equal in all pushes of an encoder, so one is elected; the
//! others stand by for the moment in which it falls silent, and carry on the same rendition.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Kind, MediaTime, Timescale, Track, TrackId};

use crate::clock::House;
use crate::feed::{Feed, FeedId};
use crate::gather::Held;

/// Names of renditions in a session; each stays in the presentation while its segments do.
pub const MAX_NAMES: usize = 30;
/// Pictures of a push that names no rendition; they are called by numbers.
const NUMBERED: u8 = 8;
/// Pictures of a push that names one.
const TRACKS: u8 = 4;
/// The sound that is heard is given up when it brings nothing for so long while another does.
const SILENT: Duration = Duration::from_secs(1);
/// The same where the other one needs a new period, because it is described differently.
const DEAD: Duration = Duration::from_secs(5);

/// The pushes of an entry.
#[derive(Debug, Default)]
pub struct Roster {
    feeds: Vec<Feed>,
    /// In order of appearance; an index into it never changes.
    names: Vec<Arc<str>>,
    sounds: BTreeMap<u8, Sound>,
    base: Option<Instant>,
    next: u32,
}

/// A sound of the presentation.
#[derive(Debug)]
struct Sound {
    elected: FeedId,
    /// As the presentation has it.
    track: Track,
    heard: Option<Instant>,
    /// Decode time of its latest frame in microseconds.
    last: Option<i64>,
    /// What begins before that was heard from another push already.
    resumes: Option<i64>,
}

/// What a description or a sample brings about.
#[derive(Debug, Default)]
pub struct Brought {
    /// Tracks of the presentation that are described, or described anew.
    pub tracks: Vec<(TrackId, Track)>,
    /// Samples with their place on the common clock.
    pub samples: Vec<Held>,
}

/// What leaves with a push.
#[derive(Debug, Default)]
pub struct Left {
    /// Tracks of the presentation of which nothing more comes.
    pub tracks: Vec<TrackId>,
    /// What others carry on.
    pub carried: Brought,
}

impl Roster {
    /// Another push.
    pub fn join(&mut self, rendition: Option<Arc<str>>) -> FeedId {
        let id = FeedId(self.next);
        self.next = self.next.wrapping_add(1);
        if let Some(name) = rendition.as_ref().filter(|name| numbered(name).is_none())
            && !self.names.contains(name)
            && self.names.len() < MAX_NAMES
        {
            self.names.push(name.clone());
        }
        self.feeds.push(Feed::new(id, rendition));
        id
    }

    /// Forgets all pushes; names stay.
    pub fn clear(&mut self) {
        self.feeds.clear();
        self.sounds.clear();
    }

    /// The push of a publisher that is alone.
    pub fn sole(&mut self) -> FeedId {
        match self.feeds.first() {
            Some(feed) => feed.id,
            None => self.join(None),
        }
    }

    /// Whether none is on.
    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Whether others may be expected beside the first.
    pub fn is_group(&self) -> bool {
        self.feeds.iter().any(|feed| feed.rendition.is_some())
    }

    /// Which tracks the pushes' metadata promises.
    pub fn announced(&self) -> Option<(bool, bool)> {
        let all = self.feeds.iter().filter_map(|feed| feed.announced);
        all.reduce(|all, one| (all.0 || one.0, all.1 || one.1))
    }

    /// Takes down what a push promises.
    pub fn announce(&mut self, id: FeedId, video: bool, audio: bool) {
        if let Some(feed) = self.feed(id) {
            feed.announced = Some((video, audio));
        }
    }

    /// The push that a track of the presentation comes from.
    pub fn owner(&self, id: TrackId) -> Option<FeedId> {
        match id.kind {
            Kind::Audio => self.sounds.get(&id.index).map(|sound| sound.elected),
            Kind::Video => {
                self.feeds.iter().find(|feed| self.pictures(feed).any(|of| of == id)).map(|feed| feed.id)
            }
        }
    }

    /// What a track of a push is called in the presentation; `None` where there are too many.
    pub fn place(&self, feed: FeedId, id: TrackId) -> Option<TrackId> {
        let feed = self.feeds.iter().find(|other| other.id == feed)?;
        self.placed(feed, id)
    }

    /// The name of a track of the presentation.
    pub fn name(&self, id: TrackId) -> Arc<str> {
        let named = id.kind == Kind::Video && id.index >= NUMBERED;
        if !named {
            return id.to_string().into();
        }
        let (slot, track) = ((id.index - NUMBERED) / TRACKS, (id.index - NUMBERED) % TRACKS);
        let name = self.names.get(usize::from(slot)).map_or("", |name| name);
        match track {
            0 => format!("video-{name}").into(),
            more => format!("video-{name}-{}", more + 1).into(),
        }
    }

    /// What a push is called where people read it.
    pub fn title(&self, feed: FeedId) -> Arc<str> {
        let feed = self.feeds.iter().find(|other| other.id == feed);
        feed.and_then(|feed| feed.rendition.clone()).unwrap_or_else(|| "the push without a name".into())
    }

    /// The unit of the timestamps of a track of a push.
    pub fn timescale(&self, feed: FeedId, id: TrackId) -> Option<Timescale> {
        let feed = self.feeds.iter().find(|other| other.id == feed)?;
        feed.tracks.get(&id).map(|track| track.timescale)
    }

    /// What a track of a push is. `Err` where it has no place in the presentation.
    pub fn describe(&mut self, feed: FeedId, id: TrackId, track: Track) -> Result<Brought, Unplaced> {
        let mut brought = Brought::default();
        let place = self.place(feed, id).ok_or(Unplaced::TooMany)?;
        if let Some(feed) = self.feed(feed) {
            feed.tracks.insert(id, track.clone());
        }
        if id.kind == Kind::Audio {
            let fresh =
                || Sound { elected: feed, track: track.clone(), heard: None, last: None, resumes: None };
            let sound = self.sounds.entry(id.index).or_insert_with(fresh);
            if sound.elected != feed {
                let same = sound.track.codec == track.codec;
                return if same { Ok(brought) } else { Err(Unplaced::OtherSound) };
            }
            sound.track = track.clone();
        }
        brought.tracks.push((place, track));
        Ok(brought)
    }

    /// Takes a sample, with the push's own name of its track, and gives what has its place now.
    pub fn take(&mut self, held: Held, limit: u64) -> Brought {
        let arrival = self.arrival(held.now);
        let mut brought = Brought::default();
        let Some(feed) = self.feed(held.feed) else { return brought };
        match feed.clock.pass(held, arrival) {
            Ok(held) => self.sort(held, &mut brought),
            Err(held) => {
                for held in self.settle(held, arrival, limit) {
                    self.sort(held, &mut brought);
                }
            }
        }
        brought
    }

    /// Takes a sample of a push whose clock is not known yet.
    fn settle(&mut self, held: Held, arrival: i64, limit: u64) -> Vec<Held> {
        let house = self.house(held.feed);
        let feed = self.feed(held.feed);
        feed.map_or_else(Vec::new, |feed| feed.clock.settle(held, arrival, house.as_ref(), limit))
    }

    /// The timestamps of a push stepped: finds out anew where they are. `held` is the first of the new ones.
    pub fn restart(&mut self, mut held: Held) -> Left {
        let id = held.feed;
        let arrival = self.arrival(held.now);
        let left = self.silence(id);
        let Some(at) = self.feeds.iter().position(|feed| feed.id == id) else { return left };
        let own = self.feeds[at].tracks.keys().copied().find(|&own| self.place(id, own) == Some(held.id));
        let feed = &mut self.feeds[at];
        held.id = own.unwrap_or(held.id);
        feed.forget_standby();
        feed.clock.restart(held, arrival);
        left
    }

    /// A push is gone.
    pub fn leave(&mut self, id: FeedId) -> Left {
        let left = self.silence(id);
        self.feeds.retain(|feed| feed.id != id);
        left
    }

    /// Nothing of a push goes on for now: others carry on what they can.
    fn silence(&mut self, id: FeedId) -> Left {
        let Some(feed) = self.feeds.iter().find(|feed| feed.id == id) else { return Left::default() };
        let mut left = Left { tracks: self.pictures(feed).collect(), ..Left::default() };
        let heard = self.sounds.iter().filter(|(_, sound)| sound.elected == id).map(|(&index, _)| index);
        for index in heard.collect::<Vec<u8>>() {
            match self.heir(index, id) {
                Some(heir) => self.elect(index, heir, &mut left.carried),
                None => {
                    self.sounds.remove(&index);
                    left.tracks.push(TrackId { kind: Kind::Audio, index });
                }
            }
        }
        left
    }

    /// Who carries on a sound without `gone`: the first whose sound is described the same, or else the first.
    fn heir(&self, index: u8, gone: FeedId) -> Option<FeedId> {
        let sound = self.sounds.get(&index)?;
        let others = || self.feeds.iter().filter(|feed| feed.id != gone && feed.clock.is_set());
        let same = |feed: &&Feed| feed.sound(index).is_some_and(|track| track.codec == sound.track.codec);
        let any = |feed: &&Feed| feed.sound(index).is_some();
        others().find(same).or_else(|| others().find(any)).map(|feed| feed.id)
    }

    /// Another push's sound is heard from now on, beginning with what follows the last frame that was.
    fn elect(&mut self, index: u8, heir: FeedId, brought: &mut Brought) {
        let Some(feed) = self.feeds.iter_mut().find(|feed| feed.id == heir) else { return };
        let (Some(sound), Some(track)) = (self.sounds.get_mut(&index), feed.sound(index).cloned()) else {
            return;
        };
        let stood_by = feed.stood_by(index);
        sound.elected = heir;
        if track.codec != sound.track.codec {
            sound.track = track.clone();
            brought.tracks.push((TrackId { kind: Kind::Audio, index }, track));
        }
        sound.resumes = sound.last.map(|last| last.saturating_add(half_a_frame(&sound.track)));
        brought.samples.extend(stood_by.into_iter().filter_map(|held| sound.hear(held)));
    }

    /// Names a settled sample as the presentation does. A sound that is not heard stands by, or takes over.
    fn sort(&mut self, mut held: Held, brought: &mut Brought) {
        let Some(place) = self.place(held.feed, held.id) else { return };
        held.id = place;
        if place.kind == Kind::Video {
            brought.samples.push(held);
            return;
        }
        let (index, now, from) = (place.index, held.now, held.feed);
        let Some(sound) = self.sounds.get_mut(&index) else { return self.found(held, brought) };
        if sound.elected == from {
            brought.samples.extend(sound.hear(held));
            return;
        }
        let silent = now.saturating_duration_since(*sound.heard.get_or_insert(now));
        let codec = sound.track.codec.clone();
        let Some(feed) = self.feed(from) else { return };
        let same = feed.sound(index).is_some_and(|track| track.codec == codec);
        feed.stand_by(held);
        if silent > if same { SILENT } else { DEAD } {
            self.elect(index, from, brought);
        }
    }

    /// The first frame of a sound that nobody brought.
    fn found(&mut self, held: Held, brought: &mut Brought) {
        let Some(track) = self.feed(held.feed).and_then(|feed| feed.sound(held.id.index).cloned()) else {
            return;
        };
        brought.tracks.push((held.id, track.clone()));
        let mut sound = Sound { elected: held.feed, track, heard: None, last: None, resumes: None };
        let index = held.id.index;
        brought.samples.extend(sound.hear(held));
        self.sounds.insert(index, sound);
    }

    /// What the timestamps of the others say: those of the push that has been on for longest.
    fn house(&self, but: FeedId) -> Option<House> {
        let mut others = self.feeds.iter().filter(|feed| feed.id != but && feed.clock.is_set());
        let first = others.next()?;
        let offsets = std::iter::once(first).chain(others).filter_map(|feed| feed.clock.offset()).collect();
        Some(House { lead: first.clock.lead()?, keys: first.clock.keys(), offsets })
    }

    fn arrival(&mut self, now: Instant) -> i64 {
        let base = *self.base.get_or_insert(now);
        i64::try_from(now.saturating_duration_since(base).as_micros()).unwrap_or(i64::MAX)
    }

    fn feed(&mut self, id: FeedId) -> Option<&mut Feed> {
        self.feeds.iter_mut().find(|feed| feed.id == id)
    }

    fn pictures<'a>(&'a self, feed: &'a Feed) -> impl Iterator<Item = TrackId> + 'a {
        let own = feed.tracks.keys().filter(|id| id.kind == Kind::Video);
        own.filter_map(|&id| self.placed(feed, id))
    }

    fn placed(&self, feed: &Feed, id: TrackId) -> Option<TrackId> {
        if id.kind == Kind::Audio {
            return Some(id);
        }
        let index = match &feed.rendition {
            None => (id.index < NUMBERED).then_some(id.index)?,
            Some(name) => match numbered(name) {
                Some(index) => (id.index == 0).then_some(index)?,
                None => {
                    let slot = self.names.iter().position(|known| known == name)?;
                    let first = NUMBERED + u8::try_from(slot).ok()? * TRACKS;
                    (id.index < TRACKS).then_some(first + id.index)?
                }
            },
        };
        Some(TrackId { index, ..id })
    }
}

impl Sound {
    /// A frame of the sound that is heard, in the timescale that the presentation knows of it, if it is a new one.
    fn hear(&mut self, mut held: Held) -> Option<Held> {
        self.heard = Some(held.now);
        if self.resumes.is_some_and(|resumes| held.presented.micros() <= resumes) {
            return None;
        }
        self.resumes = None;
        self.last = Some(held.presented.micros());
        let scale = self.track.timescale;
        if held.presented.scale != scale {
            held.sample.dts = held.presented.scale.rescale(held.sample.dts, scale);
            held.presented = MediaTime::new(held.presented.to(scale), scale);
        }
        Some(held)
    }
}

/// Why a track of a push has no place of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unplaced {
    /// There are more names of renditions, or tracks in a push, than there may be.
    TooMany,
    /// Its sound is described differently from the one that is heard.
    OtherSound,
}

/// The place of a rendition that is named by a number as those without a name are: `1` is `video-1`.
fn numbered(name: &str) -> Option<u8> {
    let number: u8 = name.parse().ok().filter(|number| (1..=NUMBERED).contains(number))?;
    (number.to_string() == name).then(|| number - 1)
}

fn half_a_frame(track: &Track) -> i64 {
    track.codec.sound().map_or(0, |sound| {
        let scale = Timescale::new(sound.sample_rate).unwrap_or(Timescale::VIDEO);
        MediaTime::new(i64::from(sound.frame_length) / 2, scale).micros()
    })
}
