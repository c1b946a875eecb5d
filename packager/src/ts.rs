//! Segments as MPEG-TS: the video of a number and the sound beside it in one file, made on request.
//!
//! What goes together is fixed with the segments themselves: the first audio rendition that has the number. So a file
//! can be had once each audio rendition that goes with the video has finished the number or is known to be without,
//! and it never changes after that. Muxing copies every payload byte, which nothing else here does.
//!
//! Deliberately not here: packets and tables (`container::ts`), playlists (`manifest::hls_ts`), keeping what was made.

mod streams;

use std::sync::Arc;

use bytes::Bytes;
use container::ts::Framing;
use media::{Codec, Kind};

use crate::presentation::{Init, Lookup, Presentation, Rendition, Segment, Span};

pub use crate::samples::Error;

/// Raised when the same segments come to give other bytes: part of what names a body.
pub const REVISION: u32 = 1;

/// The segments that one file is made of.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The one that was asked for.
    pub main: Arc<Segment>,
    /// The sound beside a video.
    pub sound: Option<Arc<Segment>>,
}

/// Why there is no file of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    /// It may come.
    NotYet,
    /// It was there or was skipped, and never comes again.
    Gone,
}

impl Program {
    /// Bytes of what it is made of; the file is a few hundredths and some tens of packets longer.
    pub fn payload_len(&self) -> u64 {
        self.main.len() + self.sound.as_ref().map_or(0, |sound| sound.len())
    }

    /// The file (ISO/IEC 13818-1, RFC 8216bis §3.1.1).
    pub fn mux(&self) -> Result<Bytes, Error> {
        let mut streams = streams::Streams::default();
        streams.add(&self.main)?;
        if let Some(sound) = &self.sound {
            streams.add(sound)?;
        }
        Ok(streams.mux().into())
    }
}

/// Whether MPEG-TS can carry what this is.
pub fn carries(init: &Init) -> bool {
    match &init.track.codec {
        Codec::Avc(_) => true,
        codec => Framing::of(codec).is_some(),
    }
}

/// What the file of segment `number` of a rendition is made of.
pub fn program(presentation: &Presentation, rendition: &Rendition, number: u64) -> Result<Program, Absent> {
    let main = match rendition.segment(number) {
        // A file of that name may have been seen with all of it.
        Lookup::Found(main) if main.is_partial() => return Err(Absent::Gone),
        Lookup::Found(main) if main.init().is_some_and(|init| carries(init)) => main.clone(),
        Lookup::Found(_) | Lookup::Gone => return Err(Absent::Gone),
        Lookup::NotYet => return Err(Absent::NotYet),
    };
    let sound = match rendition.kind {
        Kind::Video => sound(presentation, &main)?,
        Kind::Audio => None,
    };
    Ok(Program { main, sound })
}

/// The sound beside a segment of a video: that of the first audio rendition that goes with it and has some.
fn sound(presentation: &Presentation, main: &Segment) -> Result<Option<Arc<Segment>>, Absent> {
    for name in sounds(presentation, main)? {
        let rendition = presentation.rendition(name);
        match rendition.and_then(|rendition| rendition.listed(main.number)) {
            Some(segment) if segment.is_partial() => return Err(Absent::Gone),
            Some(segment) if segment.init().is_some_and(|init| carries(init)) => {
                return Ok(Some(segment.clone()));
            }
            Some(_) => {}
            // It was let go of earlier than the video.
            None if rendition.is_some_and(|rendition| rendition.has_forgotten(main.number)) => {
                return Err(Absent::Gone);
            }
            None if is_without(presentation, name, main) => {}
            None => return Err(Absent::NotYet),
        }
    }
    Ok(None)
}

/// The audio renditions that go with a segment, whether there is anything of them yet or not. What goes together is
/// known before a segment of it is finished, and forgotten once all who went on have let go of that.
fn sounds<'a>(
    presentation: &'a Presentation,
    main: &Segment,
) -> Result<impl Iterator<Item = &'a str>, Absent> {
    let (period, number) = (main.period.number, main.number);
    let covers = |span: &&Arc<Span>| span.period.number == period && span.first <= number;
    let span = presentation.spans.iter().rfind(covers).ok_or(Absent::Gone)?;
    let sounds = span.renditions.iter().filter(|(kind, _)| *kind == Kind::Audio);
    Ok(sounds.map(|(_, name)| &**name))
}

/// Whether an audio rendition that goes with a segment, and has nothing of it yet, never will: it began after it, its
/// period is over, or it left before it had begun.
fn is_without(presentation: &Presentation, name: &str, main: &Segment) -> bool {
    let (period, number) = (main.period.number, main.number);
    let last = presentation.rendition(name).and_then(|rendition| rendition.last());
    let began_later = last.is_some_and(|last| last.number > number);
    let over = presentation.closed.is_some_and(|closed| closed >= period);
    let left = presentation.spans.iter().any(|span| {
        let has = span.renditions.iter().any(|(_, other)| &**other == name);
        span.period.number == period && span.first > number && !has
    });
    let began = last.is_some_and(|last| last.period.number >= period);
    began_later || over || (left && !began)
}
