//! Before a period begins: waiting for the tracks that will be in it, and for a keyframe.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use media::{Kind, MediaTime, Sample, Sync, Track, TrackId, WallTime};

use crate::feed::FeedId;
use crate::settings::Settings;

/// Audio that begins earlier than the video by more than this is let go: players would wait on a hole.
const LEAD_IN_MICROS: i64 = 100_000;
/// Samples further than this from the period's zero belong to another timeline.
const SAME_TIMELINE_MICROS: i64 = 10_000_000;

/// What arrived while waiting.
#[derive(Clone, Debug)]
pub struct Held {
    /// Which push.
    pub feed: FeedId,
    /// Which track.
    pub id: TrackId,
    /// The sample in the publisher's time.
    pub sample: Sample,
    /// Its presentation time with its scale.
    pub presented: MediaTime,
    /// When it arrived.
    pub wall: WallTime,
    /// When it arrived.
    pub now: Instant,
}

/// A period that can begin.
#[derive(Debug)]
pub struct Beginning {
    /// The tracks in it.
    pub tracks: Vec<(TrackId, Track)>,
    /// Its zero in the publisher's time.
    pub zero: MediaTime,
    /// When the sample that defines the zero arrived.
    pub wall: WallTime,
    /// When the sample that defines the zero arrived.
    pub now: Instant,
    /// What to package, in order of arrival.
    pub samples: Vec<Held>,
}

/// Waiting for the tracks of a period.
#[derive(Debug, Default)]
pub struct Gather {
    held: VecDeque<Held>,
    bytes: u64,
    since: Option<Instant>,
    /// Since when a period could begin.
    ready: Option<Instant>,
}

/// What a period waits for.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Whether there will be video and audio, as far as that is known.
    pub kinds: Option<(bool, bool)>,
    /// Whether all tracks that are described come from one push, and so at once.
    pub together: bool,
    /// How long others are waited for once there is enough.
    pub moment: Duration,
}

impl Gather {
    /// Takes a sample that arrived. Video before a keyframe is of no use and is not kept.
    pub fn hold(&mut self, held: Held, limit: u64) {
        self.since.get_or_insert(held.now);
        let useless = held.id.kind == Kind::Video && held.sample.sync == Sync::No && !self.has_key(held.id);
        if useless {
            return;
        }
        self.bytes += held.sample.data.len() as u64;
        self.held.push_back(held);
        while self.bytes > limit {
            let Some(oldest) = self.held.pop_front() else {
                break;
            };
            self.bytes -= oldest.sample.data.len() as u64;
        }
    }

    /// When waiting gives up on a track, if nothing more arrives.
    pub fn deadline(&self, settings: &Settings, moment: Duration, now: Instant) -> Option<Instant> {
        let since = self.since?;
        let waits = [settings.limits.track_wait, settings.probe.max(settings.limits.track_wait)];
        let gives_up = waits.into_iter().map(|wait| since + wait);
        let begins = self.ready.map(|ready| ready + moment);
        gives_up.chain(begins).filter(|&at| at > now).min()
    }

    /// Begins the period if everything that should be in it is here, or if the wait was long enough.
    pub fn begin(
        &mut self,
        tracks: &BTreeMap<TrackId, Track>,
        expected: Expected,
        settings: &Settings,
        now: Instant,
    ) -> Option<Beginning> {
        let waited = now.saturating_duration_since(self.since?);
        let patient = waited < settings.limits.track_wait;
        let here: Vec<TrackId> = tracks.keys().copied().filter(|&id| self.has_start(id, patient)).collect();
        let alone = expected.together && patient && here.len() < tracks.len();
        if here.is_empty() || alone || !self.enough(&here, tracks, expected.kinds, settings, waited) {
            return None;
        }
        let ready = *self.ready.get_or_insert(now);
        if now.saturating_duration_since(ready) < expected.moment {
            return None;
        }
        let beginning = self.cut_loose(&here, tracks)?;
        *self = Gather::default();
        Some(beginning)
    }

    /// Whether video came for as long as the probe without a keyframe.
    pub fn lacks_key(&self, tracks: &BTreeMap<TrackId, Track>, settings: &Settings, now: Instant) -> bool {
        let waited = self.since.map(|since| now.saturating_duration_since(since));
        let mut video = tracks.keys().filter(|id| id.kind == Kind::Video);
        waited.is_some_and(|waited| waited >= settings.probe) && video.any(|&id| !self.has_key(id))
    }

    fn enough(
        &self,
        here: &[TrackId],
        tracks: &BTreeMap<TrackId, Track>,
        announced: Option<(bool, bool)>,
        settings: &Settings,
        waited: Duration,
    ) -> bool {
        let has = |kind| here.iter().any(|id| id.kind == kind);
        let described = |kind| tracks.keys().any(|id| id.kind == kind);
        let (video, audio) = announced.unwrap_or((true, true));
        let complete = (has(Kind::Video) || !(video || described(Kind::Video)))
            && (has(Kind::Audio) || !(audio || described(Kind::Audio)));
        let waits_for_key = described(Kind::Video) && !has(Kind::Video) && waited < settings.probe;
        complete || (waited >= settings.limits.track_wait && !waits_for_key)
    }

    fn has_key(&self, id: TrackId) -> bool {
        self.held.iter().any(|held| held.id == id && held.sample.sync != Sync::No)
    }

    /// Whether a track can begin. With `patient`, audio from long before the keyframe does not count: what
    /// belongs beside the keyframe is still to come.
    fn has_start(&self, id: TrackId, patient: bool) -> bool {
        let key = self.held.iter().find(|held| held.id.kind == Kind::Video && held.sample.sync != Sync::No);
        let earliest = key.filter(|_| patient).map(|key| key.presented.micros() - LEAD_IN_MICROS);
        match id.kind {
            Kind::Video => self.has_key(id),
            Kind::Audio => {
                let mut audio = self.held.iter().filter(|held| held.id == id);
                audio.any(|held| earliest.is_none_or(|earliest| held.presented.micros() >= earliest))
            }
        }
    }

    /// The zero is the first keyframe, or audio that begins shortly before it. Pictures beside the first ones come with
    /// the samples and not with the tracks: they join the period where they have a keyframe.
    fn cut_loose(&mut self, here: &[TrackId], tracks: &BTreeMap<TrackId, Track>) -> Option<Beginning> {
        let video = here.iter().copied().find(|id| id.kind == Kind::Video);
        let lead = match video {
            Some(id) => self.held.iter().find(|held| held.id == id && held.sample.sync != Sync::No)?,
            None => self.held.iter().find(|held| here.contains(&held.id))?,
        };
        let (wall, now, start) = (lead.wall, lead.now, lead.presented.micros());
        let first_key = lead.sample.dts;
        let fits = |held: &Held| {
            let after = held.presented.micros() - start;
            match held.id.kind {
                Kind::Video if Some(held.id) != video => after.abs() < SAME_TIMELINE_MICROS,
                Kind::Video => held.sample.dts >= first_key,
                Kind::Audio => {
                    here.contains(&held.id) && (-LEAD_IN_MICROS..SAME_TIMELINE_MICROS).contains(&after)
                }
            }
        };
        let samples: Vec<Held> = self.held.drain(..).filter(fits).collect();
        let is_key = |held: &&Held| Some(held.id) == video && held.sample.dts == first_key;
        let of_zero = |held: &&Held| held.id.kind == Kind::Audio || is_key(held);
        let zero = samples.iter().filter(of_zero).map(|held| held.presented).min()?;
        let begins = here.iter().filter(|id| id.kind == Kind::Audio || Some(**id) == video);
        let tracks = begins.filter_map(|id| Some((*id, tracks.get(id)?.clone()))).collect();
        Some(Beginning { tracks, zero, wall, now, samples })
    }
}
