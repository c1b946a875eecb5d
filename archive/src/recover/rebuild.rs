//! An index made from the files of media, as far as they tell.

use container::index::Record;
use container::mp4::{MAX_HEADER, WalkError, init_extent, parse_init};
use media::{MediaTime, Timescale, Track, WallTime};

use super::media::Walk;
use super::{Error, Recovery, at, segment};
use crate::contents::{PartPlace, Place, index_kind};
use crate::files::Listed;
use crate::layout::MediaName;

/// The fact that says that wall-clock anchors, sessions and discontinuity numbers are estimated.
pub const REBUILT: &str = "rebuilt";

impl Recovery<'_> {
    /// Adds what the media have and the index does not.
    pub(super) fn rebuild(&mut self) -> Result<(), Error> {
        let mut names: Vec<(MediaName, Listed)> =
            self.listed.iter().filter_map(|it| Some((MediaName::parse(&it.name)?, it.clone()))).collect();
        names.sort_by_key(|(name, _)| (name.period, name.first, name.rendition.clone()));
        for (name, listed) in &names {
            self.rebuild_file(name, listed)?;
        }
        if self.repairs.rebuilt {
            self.estimate_session();
            self.say(Record::Fact { rendition: None, name: REBUILT.into(), value: Vec::new() });
        }
        Ok(())
    }

    fn rebuild_file(&mut self, name: &MediaName, listed: &Listed) -> Result<(), Error> {
        let known = self.contents.files.iter().position(|file| file.name == listed.name);
        let file = match known {
            Some(known) => known as u32,
            None => match self.claim(name, listed)? {
                Some(claimed) => claimed,
                None => return Ok(()),
            },
        };
        let track = parse_init(&self.contents.files[file as usize].init).ok();
        let end = self.find_segments(file, listed.len);
        if let Some(track) = track {
            self.estimate_period(name, file, &track, listed.modified);
        }
        if end < listed.len {
            let path = self.path(file);
            self.files.cut(&path, end).map_err(at(&path))?;
            self.repairs.cut += listed.len - end;
        }
        Ok(())
    }

    /// Takes a file up that the index does not know, if it is one of ours.
    fn claim(&mut self, name: &MediaName, listed: &Listed) -> Result<Option<u32>, Error> {
        let path = self.folder.join(&listed.name);
        let mut wanted = 4 << 10;
        let init = loop {
            let bytes = self.files.read(&path, 0, wanted).map_err(at(&path))?;
            match init_extent(&bytes) {
                Ok(extent) => break bytes.slice(..extent.len),
                Err(WalkError::Needs(needed)) if needed as u64 <= listed.len && needed <= MAX_HEADER => {
                    wanted = needed.max(wanted * 2);
                }
                Err(_) => return Ok(None),
            }
        };
        let Ok(track) = parse_init(&init) else { return Ok(None) };
        self.repairs.rebuilt = true;
        let rendition = self.contents.rendition_id(&name.rendition).unwrap_or_else(|| {
            let id = self.contents.renditions.len() as u32;
            self.say(Record::Rendition { id, name: name.rendition.clone(), kind: index_kind(track.kind()) });
            id
        });
        let id = self.contents.files.len() as u32;
        let (period, first) = (name.period, name.first);
        self.say(Record::File { id, rendition, period, first, init: init.to_vec() });
        Ok(Some(id))
    }

    /// Every segment of a file that the index does not know. Says where the last whole one ends.
    fn find_segments(&mut self, file: u32, len: u64) -> u64 {
        let path = self.path(file);
        let about = self.contents.files[file as usize].clone();
        let mut walk = Walk::new(self.files, &path, about.init.len() as u64, len);
        let (mut number, mut open) = (about.first, Vec::<PartPlace>::new());
        loop {
            let next = number + u64::from(!open.is_empty());
            if let Some(end) = self.known(file, next, walk.position()) {
                self.found(&open, true);
                open.clear();
                number = next + 1;
                walk.skip_to(end);
                continue;
            }
            let Some(mut part) = walk.next(file, number, open.len() as u32) else {
                break;
            };
            if walk.begins_segment && !open.is_empty() {
                self.found(&open, true);
                open.clear();
                number += 1;
                (part.number, part.index) = (number, 0);
            }
            open.push(part);
        }
        // Whether the last one had more parts on air, nothing tells.
        self.found(&open, false);
        walk.position()
    }

    /// Where segment `number` ends, if the index knows it to begin here.
    fn known(&self, file: u32, number: u64, at: u64) -> Option<u64> {
        let rendition = self.contents.rendition_of(file)?;
        let segments = &self.contents.renditions[rendition as usize].segments;
        let entry = &segments[segments.binary_search_by_key(&number, |entry| entry.number).ok()?];
        match entry.place {
            Place::Stored { file: of, offset, len, .. } if of == file && offset == at => Some(offset + len),
            _ => None,
        }
    }

    fn found(&mut self, parts: &[PartPlace], whole: bool) {
        if let Some(record) = segment(parts, whole) {
            self.repairs.rebuilt = true;
            self.say(record);
        }
    }

    /// A period of which nothing is known but its media began so long before the file was last written.
    fn estimate_period(&mut self, name: &MediaName, file: u32, track: &Track, modified: i64) {
        let rendition = &self.contents.renditions[self.contents.files[file as usize].rendition as usize];
        let of_file = |place: &Place| matches!(place, Place::Stored { file: of, .. } if *of == file);
        let mut segments = rendition.segments.iter().filter(|entry| of_file(&entry.place));
        let Some(first) = segments.next().copied() else { return };
        let last = segments.next_back().copied().unwrap_or(first);
        let number = name.period;
        if !self.contents.periods.contains_key(&number) {
            let end = MediaTime::new(last.start + last.duration, track.timescale);
            let start = WallTime::from_micros(modified - end.micros()).floor_millis().micros();
            let discontinuity =
                self.contents.periods.values().next_back().map_or(0, |last| last.discontinuity + 1);
            self.say(Record::Period { number, discontinuity, start, elapsed: 0 });
        }
        let spans = &self.contents.spans;
        if !spans.iter().any(|span| span.period.number == number && span.first <= name.first) {
            let timescale = track.timescale.hz();
            let all = self.contents.renditions.iter();
            let renditions = all.map(|it| (it.kind, it.name.to_string())).collect();
            let (first, start) = (name.first, first.start);
            self.say(Record::Span { period: number, first, start, timescale, renditions });
        }
    }

    fn estimate_session(&mut self) {
        let Some(&id) = self.contents.periods.keys().next() else { return };
        if !self.contents.sessions.is_empty() {
            return;
        }
        let longest = self.longest_segment().to(Timescale::MILLIS).max(1000);
        let target_duration = u32::try_from((longest + 499) / 1000).unwrap_or(u32::MAX);
        self.say(Record::Session {
            id,
            target_duration,
            part_target: 500_000,
            burnt: None,
            low_latency: false,
        });
        self.say(Record::End { session: id });
    }

    fn longest_segment(&self) -> MediaTime {
        let of = |entry: &crate::contents::Entry| match entry.place {
            Place::Stored { file, .. } => {
                let init = &self.contents.files.get(file as usize)?.init;
                Some(MediaTime::new(entry.duration, parse_init(init).ok()?.timescale))
            }
            Place::Silence { .. } => None,
        };
        let longest = self.contents.renditions.iter().map(|rendition| {
            rendition
                .segments
                .iter()
                .max_by_key(|entry| entry.duration)
                .and_then(of)
                .unwrap_or(MediaTime::ZERO)
        });
        longest.max().unwrap_or(MediaTime::ZERO)
    }
}
