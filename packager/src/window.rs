//! Windows on the past: what of a timeline lies between a start and an end that somebody asked for.
//!
//! A point of time is a wall time, a position from the beginning of the timeline (what lies between periods does not
//! count), or a distance back from the live edge. It is resolved to segment numbers, which mean the same in every
//! rendition; the window begins with the segment that holds the start and ends with the one that holds the end.

use std::fmt;
use std::sync::Arc;

use media::{Kind, WallTime};

use crate::presentation::{Bounds, Presentation, Rendition, Segment, Slice};

/// A segment that ends so soon after the start, or begins so shortly before the end, is left out: a time that was read
/// from a manifest has lost digits, and boundaries of tracks lie a frame apart.
const TOLERANCE_MICROS: i64 = 100_000;

/// A point of a timeline, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum At {
    /// Wall time, since the Unix epoch.
    Wall(i64),
    /// Media time from the beginning of the timeline, without what lies between periods; not negative.
    Since(i64),
    /// Media time back from the live edge; not negative.
    Back(i64),
}

/// What somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Asked {
    /// Where it begins; with the timeline where that is left out.
    pub start: Option<At>,
    /// Where it ends; with the timeline where that is left out.
    pub end: Option<At>,
}

/// A window as it was resolved with a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    bounds: Bounds,
    start: At,
    end: Option<At>,
    /// Whether nothing of it had left memory.
    complete: bool,
    /// Whether its end is the very end of its last segment.
    exact: bool,
}

/// Why there is no window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Missing {
    /// It ends where it begins, or before.
    #[error("the window ends where it begins, or before")]
    Empty,
    /// There is nothing there, and there may be.
    #[error("there is nothing there yet")]
    NotYet,
    /// What was there is held no more.
    #[error("what was there is held no more")]
    Gone,
}

/// EXT-X-PLAYLIST-TYPE (RFC 8216bis §4.4.3.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaylistType {
    /// Grows, and loses nothing.
    Event,
    /// Does not change.
    Vod,
}

/// One of the two scales on which times of a timeline can be compared.
#[derive(Clone, Copy)]
enum Scale {
    Wall,
    Position,
}

impl Scale {
    fn begin(self, segment: &Segment) -> i64 {
        match self {
            Scale::Wall => segment.wall_time().micros(),
            Scale::Position => segment.position(),
        }
    }

    fn end(self, segment: &Segment) -> i64 {
        match self {
            Scale::Wall => segment.wall_end().micros(),
            Scale::Position => segment.end_position(),
        }
    }
}

impl Presentation {
    /// Resolves a window. Costs O(log² segments).
    pub fn window(&self, asked: Asked) -> Result<Window, Missing> {
        Resolver::new(self).ok_or(Missing::NotYet)?.window(asked)
    }

    /// Number of the last segment that begins before `end`, once it is known to be the last; zero where all that is held
    /// comes after it.
    pub fn last_before(&self, end: WallTime) -> Option<u64> {
        let last = Resolver::new(self)?.last(Some(At::Wall(end.micros())));
        last.map_or(Some(0), |last| last.map(|last| last.number))
    }
}

impl Window {
    /// The slice of `presentation` that it shows.
    pub fn slice(&self, presentation: &Presentation) -> Slice {
        Slice {
            session: presentation.session.id,
            bounds: self.bounds,
            origin: presentation.origin,
            entire: true,
            ended: self.is_closed(),
        }
    }

    /// The same for a playlist that is asked for again with the very query: where that begins at a distance from the
    /// live edge it slides.
    pub fn reloaded(self, asked: Asked) -> Window {
        let slides = matches!(asked.start, Some(At::Back(_)));
        Window { complete: self.complete && !slides, ..self }
    }

    /// The numbers that it shows.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether nothing more comes into it.
    pub fn is_closed(&self) -> bool {
        self.bounds.last != u64::MAX
    }

    /// What kind of playlist shows it. Where `pinned`, a player may have seen it open, and the kind does not change
    /// under it. None where it slides, because its beginning has left memory.
    pub fn playlist_type(&self, pinned: bool) -> Option<PlaylistType> {
        match (self.is_closed(), pinned && !self.exact, self.complete) {
            (true, false, _) => Some(PlaylistType::Vod),
            (_, _, true) => Some(PlaylistType::Event),
            _ => None,
        }
    }
}

/// The part of a query that asks for the same window, wherever the live edge has got to: `start=…&end=…`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start={}", self.start)?;
        self.end.map_or(Ok(()), |end| write!(f, "&end={end}"))
    }
}

/// As it is written in a query: RFC 3339 to the microsecond, or seconds.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = |micros: i64| (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        let (sign, micros) = match *self {
            At::Wall(micros) => {
                let (whole, rest) = parts(micros);
                let whole = WallTime::from_micros(whole * 1_000_000).to_string();
                return write!(f, "{}.{rest:06}Z", whole.split('.').next().unwrap_or_default());
            }
            At::Since(micros) => ("", micros),
            At::Back(micros) => ("-", micros),
        };
        match parts(micros) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, rest) => write!(f, "{sign}{whole}.{rest:06}"),
        }
    }
}

impl fmt::Display for PlaylistType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlaylistType::Event => "EVENT",
            PlaylistType::Vod => "VOD",
        })
    }
}

/// Finds segments by time.
struct Resolver<'a> {
    presentation: &'a Presentation,
    /// The rendition whose segments are looked at: one that goes on at the edge, a video where there is one.
    leader: &'a Rendition,
    /// The one that reaches back the furthest.
    eldest: &'a Rendition,
    oldest: &'a Arc<Segment>,
    newest: &'a Arc<Segment>,
}

impl<'a> Resolver<'a> {
    fn new(presentation: &'a Presentation) -> Option<Resolver<'a>> {
        let renditions = || presentation.renditions.iter().filter(|rendition| rendition.last().is_some());
        let last = |it: &&Arc<Rendition>| (it.last().map(|last| last.number), it.kind == Kind::Video);
        let leader = renditions().max_by_key(last)?;
        let oldest = |it: &&Arc<Rendition>| (it.shown().next().map(|it| it.number), it.name != leader.name);
        let eldest = renditions().min_by_key(oldest)?;
        let (oldest, newest) = (eldest.shown().next()?, leader.last()?);
        Some(Resolver { presentation, leader, eldest, oldest, newest })
    }

    fn window(&self, asked: Asked) -> Result<Window, Missing> {
        let start = self.fixed(asked.start.unwrap_or(At::Since(0)));
        let end = asked.end.map(|end| self.fixed(end));
        self.is_ordered(start, end)?;
        let kept = self.is_held(start);
        let first = if kept { self.first(start) } else { Some(self.first_safe()) };
        let last = self.last(end)?;
        let first = first.ok_or(Missing::NotYet)?;
        if last.is_some_and(|last| last.number < first.number) {
            return Err(if kept { Missing::NotYet } else { Missing::Gone });
        }
        let very_end = last.map(|last| At::Wall(last.wall_end().micros()));
        Ok(Window {
            bounds: Bounds { first: first.number, last: last.map_or(u64::MAX, |last| last.number) },
            start: if kept { At::Wall(first.wall_time().micros()) } else { start },
            end: very_end.or(end),
            complete: kept,
            exact: end.is_some() && end == very_end,
        })
    }

    /// The same point where it does not move with the edge.
    fn fixed(&self, at: At) -> At {
        match at {
            At::Back(back) => {
                let edge = self.newest.end_position() - self.origin();
                At::Since(edge.saturating_sub(back).max(0))
            }
            fixed => fixed,
        }
    }

    fn is_ordered(&self, start: At, end: Option<At>) -> Result<(), Missing> {
        match (start, end) {
            (At::Wall(start), Some(At::Wall(end))) | (At::Since(start), Some(At::Since(end)))
                if end <= start =>
            {
                Err(Missing::Empty)
            }
            _ => Ok(()),
        }
    }

    /// Whether the start lies in what is held, or before all that there ever was of the timeline.
    fn is_held(&self, start: At) -> bool {
        let (scale, micros) = self.on_scale(start);
        self.reaches_back() || micros >= scale.begin(self.oldest) - TOLERANCE_MICROS
    }

    /// The first segment that ends after the start.
    fn first(&self, start: At) -> Option<&'a Arc<Segment>> {
        let (scale, micros) = self.on_scale(start);
        let after = |segment: &Segment| scale.end(segment) > micros.saturating_add(TOLERANCE_MICROS);
        let before_leader = self.leader.shown().next().is_none_or(|oldest| micros < scale.begin(oldest));
        let rendition = if before_leader { self.eldest } else { self.leader };
        partition(rendition, after)
    }

    /// The oldest segment that stays for as long as the shortest playlist is long, where the oldest of all may go any
    /// moment (RFC 8216bis §6.2.2).
    fn first_safe(&self) -> &'a Arc<Segment> {
        let window = i64::try_from(self.presentation.session.window.as_micros()).unwrap_or(i64::MAX);
        let safe = self.oldest.position().saturating_add(window);
        let listed = self.leader.window().next().unwrap_or(self.newest);
        let stays = partition(self.leader, |segment| segment.position() >= safe).unwrap_or(listed);
        if stays.number < listed.number { stays } else { listed }
    }

    /// The last segment that begins before the end, once it is known to be the last.
    fn last(&self, end: Option<At>) -> Result<Option<&'a Arc<Segment>>, Missing> {
        let over = self.presentation.ended.then_some(self.newest);
        let Some(end) = end else { return Ok(over) };
        let (scale, micros) = self.on_scale(end);
        let close = micros.saturating_sub(TOLERANCE_MICROS);
        match partition(self.leader, |segment| scale.end(segment) >= close) {
            // It lies in a hole between periods.
            Some(after) if scale.begin(after) >= close => self.before(after).map(Some),
            Some(last) if self.is_there(last) => Ok(Some(last)),
            _ => Ok(over),
        }
    }

    /// Whether no rendition still makes this segment: sound is a moment behind the pictures.
    fn is_there(&self, segment: &Segment) -> bool {
        let newest = segment.number == self.newest.number;
        let makes = |rendition: &&Arc<Rendition>| {
            let open = rendition.open.as_ref().is_some_and(|open| open.number == segment.number);
            let next = rendition.last().is_some_and(|last| last.number + 1 == segment.number);
            open || (next && newest)
        };
        self.presentation.ended || !self.presentation.renditions.iter().any(|it| makes(&it))
    }

    fn before(&self, segment: &Segment) -> Result<&'a Arc<Segment>, Missing> {
        self.leader.shown_before(segment.number).ok_or(if self.reaches_back() {
            Missing::NotYet
        } else {
            Missing::Gone
        })
    }

    /// Whether all that there ever was of the timeline is held.
    fn reaches_back(&self) -> bool {
        self.oldest.position() - self.origin() <= TOLERANCE_MICROS
    }

    fn on_scale(&self, at: At) -> (Scale, i64) {
        match self.fixed(at) {
            At::Wall(micros) => (Scale::Wall, micros),
            At::Since(micros) | At::Back(micros) => (Scale::Position, micros.saturating_add(self.origin())),
        }
    }

    fn origin(&self) -> i64 {
        i64::try_from(self.presentation.origin.as_micros()).unwrap_or(i64::MAX)
    }
}

/// The first segment of a rendition for which `later` holds, which then holds for all that follow.
fn partition(rendition: &Rendition, later: impl Fn(&Segment) -> bool) -> Option<&Arc<Segment>> {
    let mut found = rendition.last().filter(|last| later(last))?;
    let (mut low, mut high) = (rendition.shown().next()?.number, found.number);
    while low < high {
        let middle = low + (high - low) / 2;
        let segment = rendition.shown_from(middle).next()?;
        if later(segment) {
            (found, high) = (segment, middle);
        } else {
            low = segment.number + 1;
        }
    }
    Some(found)
}
