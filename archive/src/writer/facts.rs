//! What the index is told once: sessions, periods, spans, renditions and their frame rates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use container::index::Record;
use media::Captions;
use packager::Session;
use packager::presentation::{FrameRate, Period, Span};

use super::Writer;
use crate::contents::{CAPTIONS, Contents, begins, index_kind, names};
use crate::lane::Lane;

/// What the index says already.
#[derive(Default)]
pub(super) struct Known {
    pub(super) session: Option<u64>,
    /// A session of which the first segment is not said yet.
    pub(super) begins: Option<u64>,
    pub(super) burnt: BTreeSet<u64>,
    pub(super) sessions: BTreeSet<u64>,
    pub(super) periods: BTreeSet<u64>,
    pub(super) span: Option<u64>,
    pub(super) frame_rates: BTreeMap<u32, FrameRate>,
    pub(super) bitrates: BTreeMap<u32, u32>,
    pub(super) captions: BTreeMap<u32, Captions>,
}

impl Known {
    pub(super) fn of(contents: &Contents) -> Known {
        Known {
            session: None,
            begins: contents.sessions.last().map(|it| it.id).filter(|&id| contents.first_of(id).is_none()),
            burnt: contents.sessions.iter().flat_map(|session| session.burnt.iter().copied()).collect(),
            sessions: contents.sessions.iter().map(|session| session.id).collect(),
            periods: contents.periods.keys().copied().collect(),
            span: contents.spans.last().map(|span| span.first),
            frame_rates: (0..)
                .zip(&contents.renditions)
                .filter_map(|(id, it)| Some((id, it.frame_rate?)))
                .collect(),
            bitrates: (0..)
                .zip(&contents.renditions)
                .filter_map(|(id, it)| Some((id, it.bitrate?)))
                .collect(),
            captions: (0..contents.renditions.len() as u32).map(|id| (id, contents.captions(id))).collect(),
        }
    }
}

impl Writer {
    pub(super) fn session(&mut self, session: &Session) {
        self.known.session = Some(session.id);
        let burnt = session.burnt.filter(|&burnt| self.known.burnt.insert(burnt));
        let news = self.known.sessions.insert(session.id);
        if news {
            self.known.begins = Some(session.id);
        }
        if news || burnt.is_some() {
            self.say(&Record::Session {
                id: session.id,
                target_duration: session.target_duration,
                part_target: u64::try_from(session.part_target.as_micros()).unwrap_or(u64::MAX),
                burnt,
                low_latency: session.low_latency,
            });
        }
    }

    /// The session that is on begins with this segment, if none of its was there before.
    pub(super) fn begins_with(&mut self, number: u64) {
        if let Some(session) = self.known.begins.take() {
            let value = number.to_le_bytes().to_vec();
            self.say(&Record::Fact { rendition: None, name: begins(session), value });
        }
    }

    pub(super) fn period(&mut self, period: &Period) {
        if self.known.periods.insert(period.number) {
            let Period { number, discontinuity, start, elapsed } = *period;
            let (start, elapsed) = (start.micros(), u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
            self.say(&Record::Period { number, discontinuity, start, elapsed });
        }
    }

    pub(super) fn span(&mut self, span: &Span) {
        if self.known.span < Some(span.first) {
            self.known.span = Some(span.first);
            self.period(&span.period);
            let renditions = names(span);
            let (start, timescale) = (span.start.ticks, span.start.scale.hz());
            let (period, first) = (span.period.number, span.first);
            self.say(&Record::Span { period, first, start, timescale, renditions });
        }
    }

    pub(super) fn frame_rate(&mut self, rendition: &Arc<str>, rate: FrameRate) {
        let id = self.lane(rendition, media::Kind::Video);
        if self.known.frame_rates.insert(id, rate) != Some(rate) {
            self.say(&Record::FrameRate { rendition: id, frames: rate.frames, per: rate.per });
        }
    }

    pub(super) fn bitrate(&mut self, rendition: &Arc<str>, kind: media::Kind, bits: u32) {
        let id = self.lane(rendition, kind);
        if self.known.bitrates.insert(id, bits) != Some(bits) {
            self.say(&Record::Bitrate { rendition: id, bits });
        }
    }

    pub(super) fn captions(&mut self, rendition: &Arc<str>, captions: Captions) {
        let id = self.lane(rendition, media::Kind::Video);
        let known = self.known.captions.entry(id).or_default();
        if known.and(captions) != *known {
            *known = known.and(captions);
            let value = known.to_bytes().to_vec();
            self.say(&Record::Fact { rendition: Some(id), name: CAPTIONS.to_owned(), value });
        }
    }

    pub(super) fn lane(&mut self, name: &Arc<str>, kind: media::Kind) -> u32 {
        if let Some(lane) = self.lanes.get(name) {
            return lane.id;
        }
        let id = self.lanes.len() as u32;
        self.say(&Record::Rendition { id, name: name.to_string(), kind: index_kind(kind) });
        self.lanes.insert(name.clone(), Lane::new(id));
        id
    }
}
