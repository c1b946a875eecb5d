//! What is known of each PID: what it is for, and where its counter stands (ISO/IEC 13818-1 §2.4.3.3).

use super::packet::Packet;
use super::program::Coding;
use super::programs::Programs;
use super::section::Sections;
use super::unit::Unit;
use super::{NULL, PACKET};

/// PIDs there can be.
const PIDS: usize = 1 << 13;

/// What the packets of a PID are for.
#[derive(Debug)]
pub(super) enum Role {
    /// The association table, or the map of a program.
    Table(Sections),
    /// PES packets.
    Unit(Unit),
    /// Sections of an elementary stream.
    Cue(Sections),
    /// Nothing, although the program names it.
    Ignored,
}

/// One PID.
#[derive(Debug)]
pub(super) struct Port {
    pid: u16,
    coding: Option<Coding>,
    pub(super) role: Role,
    /// The last packet with payload.
    last: Option<[u8; PACKET]>,
    /// That was there twice.
    repeated: bool,
}

/// How a packet follows the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    InOrder,
    /// The same once more; allowed once.
    Duplicate,
    /// So many are missing, at least.
    After {
        missing: u8,
    },
}

impl Port {
    fn new(pid: u16, coding: Option<Coding>) -> Port {
        let role = match coding {
            None => Role::Table(Sections::default()),
            Some(Coding::Scte35) => Role::Cue(Sections::default()),
            Some(Coding::Other(_)) => Role::Ignored,
            Some(_) => Role::Unit(Unit::new(pid)),
        };
        Port { pid, coding, role, last: None, repeated: false }
    }

    /// Notes the counter of a packet.
    pub(super) fn arrive(&mut self, packet: &Packet<'_>) -> Arrival {
        if packet.discontinuity {
            self.last = None;
        }
        if packet.payload.is_none() || matches!(self.role, Role::Ignored) {
            // Without payload the counter stands still.
            return Arrival::InOrder;
        }
        let Some(last) = self.last.replace(*packet.bytes) else { return Arrival::InOrder };
        let counter = last[3] & 0x0f;
        if packet.counter == counter && !self.repeated && is_same(&last, packet.bytes) {
            self.repeated = true;
            return Arrival::Duplicate;
        }
        self.repeated = false;
        match packet.counter.wrapping_sub(counter).wrapping_sub(1) & 0x0f {
            0 => Arrival::InOrder,
            missing => Arrival::After { missing },
        }
    }

    /// Ends the open unit, where its successor would; says whether there was one.
    pub(super) fn end(&mut self) -> bool {
        match &mut self.role {
            Role::Unit(unit) => unit.end(),
            _ => false,
        }
    }

    /// Whether something of a unit came, and not all.
    pub(super) fn is_open(&self) -> bool {
        match &self.role {
            Role::Unit(unit) => unit.is_open(),
            _ => true,
        }
    }
}

/// A duplicate differs in the clock alone, if it has one (§2.4.3.3).
fn is_same(one: &[u8; PACKET], other: &[u8; PACKET]) -> bool {
    let clock = one[3] & 0x20 != 0 && one[4] >= 7 && one[5] & 0x10 != 0;
    let from = if clock { 12 } else { 4 };
    one[..4] == other[..4] && one[from..] == other[from..]
}

/// The PIDs that are known.
#[derive(Debug)]
pub(super) struct Ports {
    ports: Vec<Port>,
    /// One more than the place in `ports` of each PID.
    places: Box<[u8]>,
}

impl Default for Ports {
    fn default() -> Self {
        let mut ports = Ports { ports: Vec::new(), places: vec![0; PIDS].into() };
        ports.add(Port::new(0, None));
        ports
    }
}

impl Ports {
    pub(super) fn get(&mut self, pid: u16) -> Option<&mut Port> {
        let place = usize::from(*self.places.get(usize::from(pid))?);
        self.ports.get_mut(place.checked_sub(1)?)
    }

    /// Which there are; a copy, because what is done with them may change that.
    pub(super) fn pids(&self) -> Vec<u16> {
        self.ports.iter().map(|port| port.pid).collect()
    }

    /// Makes them what the tables say. One that is for the same as before goes on; says which elementary streams do not.
    pub(super) fn assign(&mut self, programs: &Programs) -> Vec<u16> {
        let mut before = std::mem::take(&mut self.ports);
        before.iter().for_each(|port| self.places[usize::from(port.pid)] = 0);
        let maps = programs.maps().map(|pid| (pid, None));
        let taken = programs.taken().into_iter();
        let streams = taken.clone().flat_map(|program| &program.streams).map(|it| (it.pid, Some(it.coding)));
        let clock = taken.filter_map(|program| program.clock);
        let clock = clock.map(|pid| (pid, Some(Coding::Other(super::Other::Unknown))));
        for (pid, coding) in std::iter::once((0, None)).chain(maps).chain(streams).chain(clock) {
            if pid >= NULL || self.places[usize::from(pid)] != 0 {
                continue;
            }
            let known = before.iter().position(|port| port.pid == pid && port.coding == coding);
            self.add(known.map_or_else(|| Port::new(pid, coding), |at| before.swap_remove(at)));
        }
        before.iter().filter(|port| matches!(port.role, Role::Unit(_))).map(|port| port.pid).collect()
    }

    fn add(&mut self, port: Port) {
        let pid = usize::from(port.pid);
        if let Ok(place) = u8::try_from(self.ports.len() + 1) {
            self.places[pid] = place;
            self.ports.push(port);
        }
    }
}
