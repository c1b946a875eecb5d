//! Contents as the records of a new index.

use container::index::{Kind, Record};
use packager::presentation::Span;

use super::{Contents, Entry, MediaFile, PartPlace, Place, Recorded, SessionFacts, index_kind};

impl Contents {
    /// Records whose fold these contents are: what an index is written anew with.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for session in &self.sessions {
            records.push(session.record(None));
            records.extend(session.burnt.iter().map(|&burnt| session.record(Some(burnt))));
        }
        records.extend(self.periods.values().map(|period| Record::Period {
            number: period.number,
            discontinuity: period.discontinuity,
            start: period.start.micros(),
            elapsed: u64::try_from(period.elapsed.as_micros()).unwrap_or(u64::MAX),
        }));
        for (id, rendition) in (0..).zip(&self.renditions) {
            facts(id, rendition, &mut records);
        }
        records.extend(self.spans.iter().map(|span| Record::Span {
            period: span.period.number,
            first: span.first,
            start: span.start.ticks,
            timescale: span.start.scale.hz(),
            renditions: names(span),
        }));
        records.extend((0..).zip(&self.files).map(|(id, file)| file.record(id)));
        for (id, rendition) in (0..).zip(&self.renditions) {
            media(id, rendition, &mut records);
        }
        self.rest(&mut records);
        records
    }

    fn rest(&self, records: &mut Vec<Record>) {
        records.extend(self.facts.iter().map(|((rendition, name), value)| Record::Fact {
            rendition: *rendition,
            name: name.clone(),
            value: value.clone(),
        }));
        records.extend(self.closed.map(|period| Record::Closed { period }));
        let ended = self.sessions.iter().filter(|session| session.ended);
        records.extend(ended.map(|session| Record::End { session: session.id }));
    }
}

impl SessionFacts {
    fn record(&self, burnt: Option<u64>) -> Record {
        let SessionFacts { id, target_duration, part_target, low_latency, .. } = *self;
        Record::Session { id, target_duration, part_target, burnt, low_latency }
    }
}

/// What goes together in a span.
pub(crate) fn names(span: &Span) -> Vec<(Kind, String)> {
    span.renditions.iter().map(|(kind, name)| (index_kind(*kind), name.to_string())).collect()
}

fn facts(id: u32, rendition: &Recorded, records: &mut Vec<Record>) {
    records.push(Record::Rendition { id, name: rendition.name.to_string(), kind: rendition.kind });
    let rate = rendition.frame_rate;
    records.extend(rate.map(|it| Record::FrameRate { rendition: id, frames: it.frames, per: it.per }));
    records.extend(rendition.bitrate.map(|bits| Record::Bitrate { rendition: id, bits }));
}

fn media(id: u32, rendition: &Recorded, records: &mut Vec<Record>) {
    records.extend(rendition.gaps.iter().map(|gap| Record::Gap {
        rendition: id,
        first: gap.first,
        last: gap.last,
        reason: gap.reason,
        note: gap.note.clone(),
    }));
    records.extend(rendition.segments.iter().map(|entry| entry.record(id)));
    records.extend(rendition.open.iter().map(PartPlace::record));
}

impl MediaFile {
    fn record(&self, id: u32) -> Record {
        let MediaFile { rendition, period, first, .. } = *self;
        Record::File { id, rendition, period, first, init: self.init.to_vec() }
    }
}

impl PartPlace {
    /// As a record of the index.
    pub fn record(&self) -> Record {
        let PartPlace { file, number, index, offset, len, start, duration, independent, checksum } = *self;
        Record::Part { file, number, index, offset, len, start, duration, independent, checksum }
    }
}

impl Entry {
    /// As a record of the index.
    pub fn record(&self, rendition: u32) -> Record {
        let Entry { number, start, duration, place } = *self;
        match place {
            Place::Stored { file, offset, len, checksum, independent, parts, whole, media } => {
                Record::Segment {
                    file,
                    number,
                    offset,
                    len,
                    start,
                    duration,
                    independent,
                    checksum,
                    parts,
                    whole,
                    media,
                }
            }
            Place::Silence { period, timescale } => {
                Record::Silence { rendition, number, period, start, duration, timescale: timescale.hz() }
            }
        }
    }
}
