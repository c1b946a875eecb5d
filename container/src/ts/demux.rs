//! MPEG-TS to what its elementary streams carry (ISO/IEC 13818-1): any pieces of bytes go in, units of a program's streams
//! come out.
//!
//! ```text
//! bytes → framer (188, 192, 204; resync) → packet → port of its PID ─┬─ PAT, PMT → Program
//!                                          continuity, duplicates    ├─ PES      → Begins, Data, Ends, Broken
//!                                                                    └─ sections → Section
//! ```
//!
//! One program is taken: the first of the association table that has pictures or sound. What is lost on the way breaks
//! the unit that is open on its PID, and nothing else. All state is bounded by [`Limits`].
//!
//! Deliberately not here: what is in a unit (see [`elementary`](super::elementary)), timelines, who sends.

mod descriptors;
mod framer;
mod packet;
mod pes;
mod port;
mod program;
mod programs;
mod section;
mod tables;
mod unit;

use super::PACKET;
use framer::Framer;
use packet::Packet;
pub use pes::Times;
use port::{Arrival, Ports, Role};
pub use program::{Coding, Elementary, Other, Program};
use programs::Programs;
use section::Section;

/// The PID of packets that carry nothing (§2.4.3.3).
const NULL: u16 = 0x1fff;
/// PIDs below it carry tables of the transport stream, of the network, and services (ETSI EN 300 468 §5.1.3).
const RESERVED: u16 = 0x20;

/// What one transport stream may make a demuxer hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Programs of an association table that are looked at, 1 to 64.
    pub programs: usize,
    /// Elementary streams of the program that are looked at, 1 to 128.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { programs: 16, streams: 64 }
    }
}

/// What came, and what of it was of no use. None of them goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Times that packets were not where they should be.
    pub sync_losses: u64,
    /// Packets that are missing by their counters, at least.
    pub continuity_errors: u64,
    /// Packets that are there twice.
    pub duplicates: u64,
    /// Packets marked as damaged on their way.
    pub damaged: u64,
    /// Scrambled packets.
    pub scrambled: u64,
    /// Packets of a PID that is none of the program's, nor a table's.
    pub unknown: u64,
    /// Sections whose checksum is wrong.
    pub crc_errors: u64,
    /// PES packets that are cut by a loss, scrambled, or have no proper header.
    pub broken: u64,
    /// Programs beside the one that is taken, the most there were at once.
    pub programs_left_out: u64,
}

/// What comes out of a transport stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// The program that is taken, for the first time or changed. Streams with another PID or coding are others.
    Program(&'a Program),
    /// A PES packet begins.
    Begins {
        /// Its stream.
        pid: u16,
        /// When the first access unit that begins in it is decoded and shown, where that is said.
        times: Option<Times>,
        /// Decoding may begin here, as the packet says.
        random_access: bool,
    },
    /// What the open PES packet carries, piece by piece.
    Data {
        /// Its stream.
        pid: u16,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The open PES packet is whole.
    Ends {
        /// Its stream.
        pid: u16,
    },
    /// Something of this stream was lost: the open PES packet, and what comes does not follow what was.
    Broken {
        /// Its stream.
        pid: u16,
    },
    /// A section, without its checksum.
    Section {
        /// Its stream.
        pid: u16,
        /// The bytes.
        bytes: &'a [u8],
    },
}

/// Takes a transport stream apart.
#[derive(Debug)]
pub struct Demuxer {
    framer: Framer,
    router: Router,
}

/// What is done with packets.
#[derive(Debug)]
struct Router {
    ports: Ports,
    programs: Programs,
    counters: Counters,
}

impl Demuxer {
    /// One that knows nothing yet.
    pub fn new(limits: Limits) -> Demuxer {
        let (ports, programs) = (Ports::default(), Programs::new(limits));
        Demuxer {
            framer: Framer::default(),
            router: Router { ports, programs, counters: Counters::default() },
        }
    }

    /// Takes any piece of the stream, in order; packets need not end with it.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Event<'_>)) {
        let router = &mut self.router;
        self.framer.push(bytes, &mut |packet| router.packet(packet, out));
    }

    /// Something in between was lost, as whoever brings the bytes says.
    pub fn lost(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        self.framer.clear();
        for pid in self.router.ports.pids() {
            self.router.break_open(pid, out);
        }
    }

    /// The end. With `whole`, PES packets that the next one would have ended are whole, and where none is open nothing is
    /// broken.
    pub fn finish(&mut self, whole: bool, out: &mut dyn FnMut(Event<'_>)) {
        for pid in self.router.ports.pids() {
            let ended = whole && self.router.ports.get(pid).is_some_and(port::Port::end);
            let open = self.router.ports.get(pid).is_some_and(|port| port.is_open());
            if ended {
                out(Event::Ends { pid });
            } else if open || !whole {
                self.router.break_open(pid, out);
            }
        }
    }

    /// What came so far.
    pub fn counters(&self) -> Counters {
        let programs_left_out = self.router.programs.left_out();
        Counters { sync_losses: self.framer.losses, programs_left_out, ..self.router.counters }
    }
}

impl Router {
    fn packet(&mut self, bytes: &[u8; PACKET], out: &mut dyn FnMut(Event<'_>)) {
        self.counters.packets += 1;
        let packet = Packet::read(bytes);
        if packet.pid == NULL {
            return;
        }
        if packet.damaged {
            self.counters.damaged += 1;
            return;
        }
        let Some(port) = self.ports.get(packet.pid) else {
            self.counters.unknown += u64::from(packet.pid >= RESERVED);
            return;
        };
        match port.arrive(&packet) {
            Arrival::InOrder => {}
            Arrival::Duplicate => {
                self.counters.duplicates += 1;
                return;
            }
            Arrival::After { missing } => {
                self.counters.continuity_errors += u64::from(missing);
                self.break_open(packet.pid, out);
            }
        }
        if packet.scrambled {
            self.counters.scrambled += 1;
            self.break_open(packet.pid, out);
        } else if let Some(payload) = packet.payload {
            self.payload(&packet, payload, out);
        }
    }

    fn payload(&mut self, packet: &Packet<'_>, payload: &[u8], out: &mut dyn FnMut(Event<'_>)) {
        let Some(port) = self.ports.get(packet.pid) else { return };
        match &mut port.role {
            Role::Ignored => {}
            Role::Unit(unit) => self.counters.broken += unit.push(packet, payload, out),
            Role::Cue(sections) => {
                let crc_errors = &mut self.counters.crc_errors;
                sections.push(packet.begins, payload, &mut |section| match section {
                    Section::Whole(bytes) => out(Event::Section { pid: packet.pid, bytes }),
                    Section::Damaged => *crc_errors += 1,
                });
            }
            Role::Table(sections) => {
                // Tables change the ports while their sections are read.
                let mut taken = std::mem::take(sections);
                taken.push(packet.begins, payload, &mut |section| match section {
                    Section::Whole(bytes) => self.table(packet.pid, bytes, out),
                    Section::Damaged => self.counters.crc_errors += 1,
                });
                if let Some(Role::Table(sections)) = self.ports.get(packet.pid).map(|port| &mut port.role) {
                    *sections = taken;
                }
            }
        }
    }

    fn table(&mut self, pid: u16, section: &[u8], out: &mut dyn FnMut(Event<'_>)) {
        let change = self.programs.section(pid, section);
        if change.ports {
            self.ports.assign(&self.programs).into_iter().for_each(|pid| out(Event::Broken { pid }));
        }
        if change.program
            && let Some(program) = self.programs.taken()
        {
            out(Event::Program(program));
        }
    }

    fn break_open(&mut self, pid: u16, out: &mut dyn FnMut(Event<'_>)) {
        let Some(port) = self.ports.get(pid) else { return };
        match &mut port.role {
            Role::Ignored => {}
            Role::Table(sections) | Role::Cue(sections) => sections.clear(),
            Role::Unit(unit) => {
                self.counters.broken += unit.clear();
                out(Event::Broken { pid });
            }
        }
    }
}

#[cfg(test)]
mod tests;
