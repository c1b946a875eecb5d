//! Writing a recording: media first, index second, synced as the policy says.
//!
//! A writer blocks for as long as the file system does; it belongs on a thread that may. It holds no media: what it is
//! given is written when it returns, or lost and said so. After a failure it goes on with the next segment that it can
//! write, in a file of its own.
//!
//! Facts (sessions, periods, files) go to the index before the media that need them, so that after the death of the
//! process every file of media is known.

mod facts;
mod gaps;
mod safety;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use container::index::{Reason, Record};
use packager::Record as Made;
use packager::presentation::{Init, Part, Period, Segment, StoredFile};

use crate::cursor::Step;
use crate::files::Files;
use crate::index_file::IndexFile;
use crate::lane::{Lane, Loss, Making, MediaOut, OpenOut, reason_of};
use crate::layout::{INDEX, MediaName};
use crate::policy::{Outcome, Policy, Sync};
use crate::recover::{self, Error, Repairs};
use facts::Known;

/// Writes one recording.
pub struct Writer {
    files: Arc<dyn Files>,
    folder: PathBuf,
    /// Names the recording among all that can be opened.
    store: Arc<str>,
    policy: Policy,
    index: IndexFile,
    known: Known,
    lanes: BTreeMap<Arc<str>, Lane>,
    next_file: u32,
    paused: bool,
    synced: Instant,
    /// What a look found, and when.
    room: Option<(Instant, Result<(), Loss>)>,
    /// Names were added to the folder since it was synced.
    new_names: bool,
    /// Something to be written at once waits in the index.
    urgent: bool,
    due: bool,
    /// When a segment that some renditions closed is made safe without the others.
    due_by: Option<Instant>,
    outcomes: Vec<Outcome>,
}

impl Writer {
    /// Takes a recording up, or begins one, in `folder`; `store` names it where its segments are referred to.
    ///
    /// Gives what was repaired. Fails where the folder cannot be written: there is no recording then.
    pub fn open(
        files: Arc<dyn Files>,
        folder: &Path,
        store: Arc<str>,
        policy: Policy,
        now: Instant,
        wall: i64,
    ) -> Result<(Writer, Repairs), Error> {
        let recovered = recover::open(&*files, folder)?;
        let contents = &recovered.contents;
        let mut writer = Writer {
            index: IndexFile::new(files.clone(), folder.join(INDEX), recovered.index_len),
            known: Known::of(contents),
            lanes: (0..).zip(&contents.renditions).map(|(id, it)| (it.name.clone(), Lane::new(id))).collect(),
            next_file: contents.files.len() as u32,
            files,
            folder: folder.to_owned(),
            store,
            policy,
            paused: false,
            synced: now,
            room: None,
            new_names: false,
            urgent: false,
            due: false,
            due_by: None,
            outcomes: Vec::new(),
        };
        writer
            .begin(recovered.index_len == 0, wall)
            .map_err(|source| Error::Io { path: folder.to_owned(), source })?;
        Ok((writer, recovered.repairs))
    }

    fn begin(&mut self, fresh: bool, wall: i64) -> io::Result<()> {
        if fresh {
            self.index.begin()?;
        }
        self.say(&Record::Opened { boot: self.files.boot(), at: wall });
        self.index.sync()?;
        self.files.sync_folder(&self.folder)
    }

    /// Lets segments go by from the next one on, or records them again.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Writes what is new, and says what came of it.
    pub fn take(&mut self, steps: &[Step], now: Instant) -> Vec<Outcome> {
        for step in steps {
            self.step(step, now);
        }
        if std::mem::take(&mut self.urgent) {
            // A failure shows again with the next segment, which is lost then.
            let _ = self.index.flush();
        }
        self.sync_if_due(now);
        let outcomes = std::mem::take(&mut self.outcomes);
        // What is soon to be made safe is told then.
        let waits = |told: &Outcome| self.due_by.is_some() && matches!(told, Outcome::Stored { .. });
        let (waiting, told) = outcomes.into_iter().partition(waits);
        self.outcomes = waiting;
        told
    }

    /// Writes down what is not yet, and makes everything safe. What was in the making is not whole.
    pub fn finish(&mut self, now: Instant) -> io::Result<Vec<Outcome>> {
        self.note_gaps();
        self.sync(now)?;
        self.index.flush()?;
        Ok(std::mem::take(&mut self.outcomes))
    }

    /// When what is written is made safe.
    pub fn sync_policy(&self) -> Sync {
        self.policy.sync
    }

    /// When [`tick`](Writer::tick) has something to do, if nothing is taken before.
    pub fn deadline(&self) -> Option<Instant> {
        match self.policy.sync {
            Sync::Interval(interval) if !self.index.is_safe() => Some(self.synced + interval),
            _ => self.due_by,
        }
    }

    /// Does what is due by the clock alone.
    pub fn tick(&mut self, now: Instant) -> Vec<Outcome> {
        self.take(&[], now)
    }

    fn step(&mut self, step: &Step, now: Instant) {
        match step {
            Step::Session(session) => self.session(session),
            Step::Missed { rendition, first, last } => {
                self.lose(rendition, *first, *last, Reason::Behind, "writing was slower than the stream");
            }
            Step::Made(Made::Part { rendition, number, period, init, part }) => {
                self.part(rendition, *number, period, init, part, now);
            }
            Step::Made(Made::Segment { rendition, kind, segment }) => {
                self.lane(rendition, *kind);
                self.segment(rendition, segment, now);
            }
            Step::Made(Made::Span(span)) => self.span(span),
            Step::Made(Made::FrameRate { rendition, frame_rate }) => self.frame_rate(rendition, *frame_rate),
            Step::Made(Made::Bitrate { rendition, kind, bitrate }) => {
                self.bitrate(rendition, *kind, *bitrate)
            }
            Step::Made(Made::Captions { rendition, captions }) => self.captions(rendition, *captions),
            Step::Made(Made::Closed { period, .. }) => {
                self.note_gaps();
                self.say(&Record::Closed { period: *period });
                self.due = true;
            }
            Step::Made(Made::End) => {
                self.note_gaps();
                if let Some(session) = self.known.session {
                    self.say(&Record::End { session });
                }
                self.due = true;
            }
        }
    }

    /// Takes a record into the index. One too long is an initialization segment, and comes up where its file is begun.
    fn say(&mut self, record: &Record) {
        self.urgent = true;
        let _ = self.index.push(record);
    }

    fn part(
        &mut self,
        name: &Arc<str>,
        number: u64,
        period: &Period,
        init: &Arc<Init>,
        part: &Part,
        now: Instant,
    ) {
        self.lane(name, init.track.kind());
        let making = self.lanes.get(name).and_then(|lane| lane.making.as_ref());
        if making.is_none_or(|making| making.number != number) {
            self.begins_with(number);
            self.period(period);
            let state = self.begin_segment(name, number, init, part, now);
            self.with(name, |lane| lane.making = Some(Making { number, offset: None, state }));
        }
        let Some(lane) = self.lanes.get_mut(name) else { return };
        if let Some(Making { state: state @ Ok(_), .. }) = &mut lane.making
            && state.as_ref().is_ok_and(|open| open.parts != part.index)
        {
            *state = Err((Reason::Behind, "a part was missed".to_owned()));
        }
        match lane.append(number, part) {
            Ok(Some(record)) => {
                // After a death the file itself tells its parts: their records are written with the segment's.
                let _ = self.index.push(&record);
                self.due |= self.policy.sync == Sync::Part;
            }
            Ok(None) => {}
            Err(error) => self.fail(name, &error),
        }
    }

    /// Whether a segment can be written, and where.
    fn begin_segment(
        &mut self,
        name: &Arc<str>,
        number: u64,
        init: &Arc<Init>,
        part: &Part,
        now: Instant,
    ) -> Result<OpenOut, Loss> {
        if self.paused {
            return Err((Reason::Paused, "recording was paused".into()));
        }
        if part.index != 0 {
            return Err((Reason::Behind, "recording began in the middle of the segment".into()));
        }
        self.room(now)?;
        let failed = |error: io::Error| (reason_of(&error), error.to_string());
        // Of parts and of what is safe the media tell as well: that waits for the segment's own record.
        if self.urgent || self.index.has_failed() {
            self.index.flush().map_err(failed)?;
        }
        if self.index.is_full() {
            return Err((Reason::Failed, "the index cannot be made safe".into()));
        }
        if !self.lanes.get(name).is_some_and(|lane| lane.continues(number, init)) {
            self.begin_file(name, number, init).map_err(failed)?;
        }
        self.resumed(name, number);
        Ok(OpenOut::default())
    }

    fn begin_file(&mut self, name: &Arc<str>, number: u64, init: &Arc<Init>) -> io::Result<()> {
        self.leave_file(name);
        let Some(lane) = self.lanes.get(name) else { return Ok(()) };
        let id = self.next_file;
        let media = MediaName { rendition: name.to_string(), period: init.period, first: number };
        let stored = StoredFile { store: self.store.clone(), name: media.to_string().into() };
        let record = Record::File {
            id,
            rendition: lane.id,
            period: init.period,
            first: number,
            init: init.bytes.to_vec(),
        };
        self.index.push(&record).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        self.next_file += 1;
        self.index.flush()?;
        self.new_names = true;
        let file = MediaOut::create(&*self.files, &self.folder, Arc::new(stored), id, number, init.clone())?;
        self.with(name, |lane| lane.file = Some(file));
        Ok(())
    }

    /// Gives up the file of a lane, and makes safe what is in it.
    fn leave_file(&mut self, name: &Arc<str>) {
        let files = self.files.clone();
        let file = self.lanes.get_mut(name).and_then(|lane| lane.withdraw(&*files));
        if let Some(mut file) = file {
            self.sync_file(name, &mut file);
        }
    }

    fn segment(&mut self, name: &Arc<str>, segment: &Segment, now: Instant) {
        let number = segment.number;
        self.period(&segment.period);
        if segment.is_gap() {
            self.silence(name, segment);
            return;
        }
        let Some(lane) = self.lanes.get_mut(name) else { return };
        let lost = match &lane.making {
            Some(Making { number: making, state: Ok(open), .. }) if *making == number => {
                let all = segment.parts().len() == open.parts as usize;
                (!all).then(|| (Reason::Behind, "a part was missed".to_owned()))
            }
            Some(Making { number: making, state: Err(lost), .. }) if *making == number => Some(lost.clone()),
            _ => Some((Reason::Behind, "its parts were missed".to_owned())),
        };
        match lost {
            Some((reason, note)) => {
                self.leave_file(name);
                self.with(name, |lane| lane.making = None);
                self.lose(name, number, number, reason, &note);
            }
            None => self.close(name, segment, now),
        }
    }

    fn close(&mut self, name: &Arc<str>, segment: &Segment, now: Instant) {
        let closed = self.lanes.get_mut(name).and_then(|lane| lane.close(segment));
        if let Some((record, stored)) = closed {
            self.say(&record);
            self.sync_with_others(segment.number, now);
            self.outcomes.push(Outcome::Stored { rendition: name.clone(), number: segment.number, stored });
        }
    }

    fn silence(&mut self, name: &Arc<str>, segment: &Segment) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        lane.making = None;
        let record = Record::Silence {
            rendition: lane.id,
            number: segment.number,
            period: segment.period.number,
            start: segment.start,
            duration: segment.duration,
            timescale: segment.scale.hz(),
        };
        self.say(&record);
    }

    /// A file could not be written: the segment in the making is lost, and the next one gets a new file.
    fn fail(&mut self, name: &Arc<str>, error: &io::Error) {
        self.leave_file(name);
        let lost = (reason_of(error), error.to_string());
        self.with(name, |lane| {
            if let Some(making) = &mut lane.making {
                making.state = Err(lost);
            }
        });
    }

    fn with(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Lane)) {
        if let Some(lane) = self.lanes.get_mut(name) {
            change(lane);
        }
    }
}
