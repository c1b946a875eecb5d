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
            let waits = match &input {
                Input::Announce { .. } => false,
                Input::Track { id, .. } => waits.all || waits.came.contains(id),
                _ => waits.all,
            };
            return if waits { self.hold(input, here, out) } else { out(input) };
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::codec::Aac;
    use media::{Codec, Sample, Sync, Timescale, Track};
    use stream::metadata::Scheme;

    use super::*;

    const ONE: TrackId = TrackId::AUDIO;
    const OTHER: TrackId = TrackId { index: 1, ..TrackId::AUDIO };

    fn sample(id: TrackId, dts: i64) -> Input {
        let sample =
            Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data: vec![0; 10].into() };
        Input::Sample { id, sample }
    }

    fn track(id: TrackId) -> Input {
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        Input::Track { id, track: Track::new(Codec::Aac(aac), Timescale::VIDEO) }
    }

    /// Passes all of them, those with `true` as jumps, and tells what came out with each.
    fn passed(gate: &mut Gate, inputs: Vec<(Input, bool)>) -> Vec<Vec<String>> {
        let pass = |(input, jumped)| {
            let mut seen = Vec::new();
            gate.pass(input, &[ONE, OTHER], jumped, &mut |input| {
                seen.push(match input {
                    Input::Sample { id, sample } => format!("{id} {}", sample.dts),
                    Input::Track { id, .. } => format!("{id}"),
                    _ => "else".to_owned(),
                });
            });
            seen
        };
        inputs.into_iter().map(pass).collect()
    }

    #[test]
    fn at_the_beginning_all_tracks_are_told_before_any_sample() {
        let inputs = [
            track(ONE),
            sample(ONE, 0),
            sample(ONE, 1920),
            track(OTHER),
            sample(OTHER, 0),
            sample(ONE, 3840),
        ];
        let seen = passed(&mut Gate::new(1 << 20), inputs.map(|input| (input, false)).into());
        assert!(seen[..4].iter().all(Vec::is_empty), "{seen:?}");
        assert_eq!(seen[4], ["audio-1", "audio-2", "audio-1 0", "audio-1 1920", "audio-2 0"]);
        assert_eq!(seen[5], ["audio-1 3840"], "it is open");
    }

    #[test]
    fn a_track_that_is_silent_is_waited_for_a_second() {
        let inputs: Vec<_> = (0..60).map(|at| (sample(ONE, at * 1920), false)).collect();
        let seen = passed(&mut Gate::new(1 << 20), inputs);
        let first = seen.iter().position(|seen| !seen.is_empty());
        assert_eq!(first.map(|at| at * 1920 / 90_000), Some(1));
    }

    #[test]
    fn what_is_held_has_a_bound_whatever_it_is() {
        let cue = || {
            let (scheme, timescale, data) = (Scheme::Klv, Timescale::VIDEO, Bytes::from_static(&[0; 100]));
            Input::Metadata { scheme, pts: 0, timescale, data }
        };
        let seen = passed(&mut Gate::new(10_000), (0..100).map(|_| (cue(), false)).collect());
        assert!(seen.iter().position(|seen| !seen.is_empty()).is_some_and(|at| at < 100));
    }

    #[test]
    fn a_track_that_jumps_waits_for_the_others() {
        let mut gate = Gate::new(1 << 20);
        passed(&mut gate, vec![(sample(ONE, 0), false), (sample(OTHER, 0), false)]);
        gate.jumped();
        let jumps = vec![
            (sample(ONE, 900_000), true),
            (sample(OTHER, 1920), false),
            (sample(ONE, 901_920), false),
            (sample(OTHER, 900_000), true),
            (sample(OTHER, 901_920), false),
        ];
        let seen = passed(&mut gate, jumps);
        let held = ["audio-1 900000", "audio-1 901920", "audio-2 900000"];
        assert_eq!(seen, [vec![], vec!["audio-2 1920"], vec![], held.to_vec(), vec!["audio-2 901920"]]);
    }
}
