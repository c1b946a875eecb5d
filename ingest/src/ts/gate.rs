//! Holds samples back for a moment: at the beginning until every track is known, and where timestamps jump until every
//! track has jumped.
//!
//! The packager begins a period with the tracks that it knows, and a new one where they step. Tracks of a transport stream
//! turn up one after another, and step one after another.

use std::collections::VecDeque;

use media::TrackId;
use stream::Input;

/// The longest that samples are held, in ticks of 90 kHz of their own time: a second.
const LONGEST: i64 = 90_000;

/// What an input takes beside its payload, at most.
const ROOM: usize = 256;

/// Where samples wait.
#[derive(Debug)]
pub(super) struct Gate {
    most: usize,
    bytes: usize,
    held: VecDeque<Input>,
    waits: Option<Waits>,
}

/// For whom.
#[derive(Debug)]
struct Waits {
    /// All samples wait, not only those of tracks that came.
    all: bool,
    /// Tracks that came.
    came: Vec<TrackId>,
    /// The earliest and the latest decode time that wait.
    span: Option<(i64, i64)>,
}

impl Gate {
    /// One that waits for all tracks; `most` bytes are held.
    pub(super) fn new(most: usize) -> Gate {
        let waits = Some(Waits { all: true, came: Vec::new(), span: None });
        Gate { most, bytes: 0, held: VecDeque::new(), waits }
    }

    /// A track of the program has jumped, with the sample that comes next.
    pub(super) fn jumped(&mut self) {
        self.waits.get_or_insert(Waits { all: false, came: Vec::new(), span: None });
    }

    /// Takes an input. `here` are the tracks of the program that are to be waited for; `jumped` says that it does not follow
    /// what was of its track.
    pub(super) fn pass(&mut self, input: Input, here: &[TrackId], jumped: bool, out: &mut dyn FnMut(Input)) {
        let Some(waits) = &mut self.waits else { return out(input) };
        let Input::Sample { id, sample } = &input else {
            if waits.all && !matches!(input, Input::Announce { .. }) {
                self.hold(input, here, out);
            } else {
                out(input);
            }
            return;
        };
        if (waits.all || jumped) && !waits.came.contains(id) {
            waits.came.push(*id);
        }
        if !waits.all && !waits.came.contains(id) {
            return out(input);
        }
        let (from, to) = waits.span.unwrap_or((sample.dts, sample.dts));
        waits.span = Some((from.min(sample.dts), to.max(sample.dts)));
        self.hold(input, here, out);
    }

    fn hold(&mut self, input: Input, here: &[TrackId], out: &mut dyn FnMut(Input)) {
        self.bytes += match &input {
            Input::Sample { sample, .. } => ROOM + sample.data.len(),
            Input::Metadata { data, .. } => ROOM + data.len(),
            _ => ROOM,
        };
        self.held.push_back(input);
        if self.is_over(here) {
            self.open(out);
        }
    }

    /// Lets everything go.
    pub(super) fn open(&mut self, out: &mut dyn FnMut(Input)) {
        let waits = self.waits.take();
        self.bytes = 0;
        let held = std::mem::take(&mut self.held);
        if waits.is_none_or(|waits| !waits.all) {
            return held.into_iter().for_each(out);
        }
        // What the tracks are comes first, each time the first that was said; what follows is in order.
        let mut described: Vec<TrackId> = Vec::new();
        let (first, rest): (Vec<Input>, Vec<Input>) = held.into_iter().partition(|input| match input {
            Input::Track { id, .. } if !described.contains(id) => {
                described.push(*id);
                true
            }
            _ => false,
        });
        first.into_iter().chain(rest).for_each(out);
    }

    fn is_over(&self, here: &[TrackId]) -> bool {
        let Some(waits) = &self.waits else { return true };
        let long = waits.span.is_some_and(|(from, to)| to.saturating_sub(from) > LONGEST);
        let came = !here.is_empty() && here.iter().all(|id| waits.came.contains(id));
        long || self.bytes > self.most || came
    }
}
