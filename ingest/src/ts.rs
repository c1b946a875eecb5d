//! MPEG transport streams in: pieces of bytes become inputs of a publication.
//!
//! ```text
//! bytes → container::ts::demux → program: which tracks there are
//!                                 ├─ video:    access units → payload blocks, parameter sets → Track ─┐
//!                                 ├─ audio:    frames → payload blocks, configuration → Track         ├─ gate → stream::Input
//!                                 └─ metadata: SCTE 35, ID3, KLV with their time ─────────────────────┘
//! ```
//!
//! What carries the bytes (SRT, UDP, TCP, a file) is no matter of this room, nor is who may publish. It reads no clock
//! and no socket. The same bytes give the same inputs, in whatever pieces they come.

mod audio;
mod clock;
mod counters;
mod gate;
mod limits;
mod metadata;
mod program;
mod sets;
mod stamps;
mod track;
mod video;

use container::ts::demux::{Coding, Demuxer, Event};
use media::{Kind, Sample, Sync, Timescale, Track, TrackId};
use stream::Input;

use clock::Shared;
pub use counters::Counters;
use gate::Gate;
pub use limits::Limits;
use metadata::Cue;
use program::Slots;
use stamps::Stamp;
use track::Slot;

/// The unit of all times of a transport stream (ISO/IEC 13818-1 §2.4.2.1).
const CLOCK: Timescale = Timescale::VIDEO;

/// A transport stream on its way into a publication. Sans-IO.
#[derive(Debug)]
pub struct Intake {
    demuxer: Demuxer,
    hall: Hall,
}

/// What becomes of what the demuxer finds.
#[derive(Debug)]
struct Hall {
    slots: Slots,
    shared: Shared,
    gate: Gate,
    counters: Counters,
}

impl Intake {
    /// An intake that knows nothing yet.
    pub fn new(limits: Limits) -> Intake {
        let demuxer = Demuxer::new(limits.demuxer());
        let (gate, slots) = (Gate::new(limits.held), Slots::new(limits));
        let (shared, counters) = Default::default();
        Intake { demuxer, hall: Hall { slots, shared, gate, counters } }
    }

    /// Any piece of a transport stream, in order; packet boundaries need not fall on pieces.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Input)) {
        let hall = &mut self.hall;
        hall.counters.bytes += bytes.len() as u64;
        self.demuxer.push(bytes, &mut |event| hall.event(event, out));
    }

    /// Something in between was lost, as the transport says: what is open is dropped.
    pub fn lost(&mut self) {
        let hall = &mut self.hall;
        // What is open is dropped, and nothing is handed on.
        self.demuxer.lost(&mut |event| hall.event(event, &mut |_| {}));
    }

    /// The end. `whole`: the sender said goodbye, so that the last picture of each track counts as complete.
    pub fn finish(&mut self, whole: bool, out: &mut dyn FnMut(Input)) {
        let hall = &mut self.hall;
        self.demuxer.finish(whole, &mut |event| hall.event(event, out));
        if whole {
            hall.end(out);
        }
        hall.gate.open(out);
    }

    /// What came, and what of it was of no use. Counters never go back.
    pub fn counters(&self) -> Counters {
        self.hall.counters.and(self.demuxer.counters())
    }

    /// What of the program is not carried, and why, in sentences for who looks after it.
    pub fn left_out(&self) -> Vec<String> {
        let programs = self.demuxer.counters().programs_left_out;
        self.hall.slots.left_out(programs)
    }
}

impl Hall {
    fn event(&mut self, event: Event<'_>, out: &mut dyn FnMut(Input)) {
        match event {
            Event::Program(program) => {
                let announced = self.slots.assign(program);
                self.counters.streams_left_out =
                    self.counters.streams_left_out.max(self.slots.beside() as u64);
                if let Some((video, audio)) = announced {
                    self.gate.pass(Input::Announce { video, audio }, &[], false, out);
                }
            }
            Event::Begins { pid, times, random_access } => self.begin(pid, Stamp { times, random_access }),
            Event::Data { pid, bytes } => self.data(pid, Piece::Data(bytes), out),
            Event::Ends { pid } => self.data(pid, Piece::End, out),
            Event::Broken { pid } => self.broken(pid),
            Event::Section { pid, bytes } => {
                if self.slots.coding(pid) == Some(Coding::Scte35) {
                    self.cue(metadata::splice(bytes), out);
                }
            }
        }
    }

    fn begin(&mut self, pid: u16, stamp: Stamp) {
        match self.slots.get(pid) {
            Some(Slot::Video(video)) => video.units.begin(stamp),
            Some(Slot::Audio(audio)) => audio.frames.begin(stamp),
            Some(Slot::Metadata(cues)) => cues.begin(stamp),
            None => {}
        }
    }

    fn data(&mut self, pid: u16, piece: Piece<'_>, out: &mut dyn FnMut(Input)) {
        let Some((slot, here)) = self.slots.with_tracks(pid) else { return };
        let mut exit =
            Exit { shared: &mut self.shared, gate: &mut self.gate, counters: &mut self.counters, here, out };
        match (slot, piece) {
            (Slot::Video(video), Piece::Data(bytes)) => video.data(bytes, &mut exit),
            (Slot::Video(_), Piece::End) => {}
            (Slot::Video(video), Piece::Over) => video.end(&mut exit),
            (Slot::Audio(audio), Piece::Data(bytes)) => audio.data(bytes, &mut exit),
            (Slot::Audio(audio), Piece::End) => audio.end(&mut exit),
            (Slot::Metadata(cues), Piece::Data(bytes)) => {
                let fits = cues.data(bytes);
                self.counters.dropped += u64::from(!fits);
            }
            (Slot::Metadata(cues), Piece::End) => {
                for cue in cues.end() {
                    self.cue(Some(cue), out);
                }
            }
            (_, Piece::Over) => {}
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Input)) {
        for pid in self.slots.pids() {
            self.data(pid, Piece::Over, out);
        }
    }

    fn broken(&mut self, pid: u16) {
        match self.slots.get(pid) {
            Some(Slot::Video(video)) => video.units.lost(),
            Some(Slot::Audio(audio)) => audio.frames.lost(),
            Some(Slot::Metadata(cues)) => cues.lost(),
            None => {}
        }
    }

    /// Metadata without a time of its own is of the time that has come.
    fn cue(&mut self, cue: Option<Cue>, out: &mut dyn FnMut(Input)) {
        let Some(Cue { scheme, time, data }) = cue else { return };
        let pts = time.map(|time| self.shared.near(time)).or(self.shared.latest()).unwrap_or(0);
        self.counters.metadata += 1;
        let input = Input::Metadata { scheme, pts, timescale: CLOCK, data };
        self.gate.pass(input, self.slots.here(), false, out);
    }
}

/// What a slot is given.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Data(&'a [u8]),
    /// A PES packet is whole.
    End,
    /// The stream is over.
    Over,
}

/// Where tracks hand on what they have.
struct Exit<'a> {
    shared: &'a mut Shared,
    gate: &'a mut Gate,
    counters: &'a mut Counters,
    /// Tracks of the program.
    here: &'a [TrackId],
    out: &'a mut dyn FnMut(Input),
}

impl Exit<'_> {
    fn track(&mut self, id: TrackId, track: Track) {
        self.gate.pass(Input::Track { id, track }, self.here, false, self.out);
    }

    fn sample(&mut self, id: TrackId, sample: Sample, jumped: bool) {
        match id.kind {
            Kind::Video => self.counters.video += 1,
            Kind::Audio => self.counters.audio += 1,
        }
        if jumped {
            self.counters.jumps += 1;
            self.gate.jumped();
        }
        self.gate.pass(Input::Sample { id, sample }, self.here, jumped, self.out);
    }
}

/// A sample whose duration is not known.
fn sample(dts: i64, composition_offset: i32, sync: Sync, data: media::Slice) -> Sample {
    Sample { dts, composition_offset, duration: 0, sync, data }
}
