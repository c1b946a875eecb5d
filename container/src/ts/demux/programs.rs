//! Which programs there are, and which one is taken.

use std::collections::BTreeMap;

use super::program::Program;
use super::{Limits, tables};

/// What the tables said so far.
#[derive(Debug)]
pub(super) struct Programs {
    limits: Limits,
    version: Option<u8>,
    /// Programs with the PIDs of their maps, by section of the association table.
    sections: BTreeMap<u8, Vec<(u16, u16)>>,
    /// Programs whose map was seen since the association table changed.
    seen: Vec<u16>,
    taken: Option<Program>,
    most: usize,
}

/// What a section changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Change {
    /// What PIDs are for.
    pub(super) ports: bool,
    /// The program that is taken.
    pub(super) program: bool,
}

impl Programs {
    pub(super) fn new(limits: Limits) -> Programs {
        let sections = BTreeMap::new();
        Programs { limits, version: None, sections, seen: Vec::new(), taken: None, most: 0 }
    }

    /// The program that is taken.
    pub(super) fn taken(&self) -> Option<&Program> {
        self.taken.as_ref()
    }

    /// The PIDs of maps.
    pub(super) fn maps(&self) -> impl Iterator<Item = u16> {
        self.listed().map(|(_, pid)| pid)
    }

    /// Programs beside the one that is taken, the most there were.
    pub(super) fn left_out(&self) -> u64 {
        self.most.saturating_sub(1) as u64
    }

    /// Takes a section of a table on this PID.
    pub(super) fn section(&mut self, pid: u16, section: &[u8]) -> Change {
        if pid == 0 {
            return Change { ports: self.association(section), program: false };
        }
        let programs: Vec<u16> =
            self.listed().filter(|(_, map)| *map == pid).map(|(program, _)| program).collect();
        let mut maps = programs.into_iter();
        let map = maps.find_map(|program| tables::map(section, program, self.limits.streams));
        let changed = map.is_some_and(|map| self.map(map));
        Change { ports: changed, program: changed }
    }

    fn listed(&self) -> impl Iterator<Item = (u16, u16)> {
        self.sections.values().flatten().copied().take(self.limits.programs)
    }

    fn association(&mut self, section: &[u8]) -> bool {
        let Some(table) = tables::association(section, self.limits.programs) else { return false };
        let before: Vec<_> = self.listed().collect();
        if self.version.replace(table.version) != Some(table.version) {
            self.sections.clear();
        }
        if table.programs.is_empty() {
            self.sections.remove(&table.number);
        } else {
            self.sections.insert(table.number, table.programs);
        }
        while self.sections.values().map(Vec::len).sum::<usize>() > self.limits.programs {
            self.sections.pop_last();
        }
        let after: Vec<_> = self.listed().collect();
        let changed = before != after;
        if changed {
            self.seen.clear();
            self.most = self.most.max(after.len());
            let gone = |taken: &Program| after.iter().all(|(program, _)| *program != taken.number);
            if self.taken.as_ref().is_some_and(gone) {
                self.taken = None;
            }
        }
        changed
    }

    /// Says whether the program that is taken is another one now.
    fn map(&mut self, map: Program) -> bool {
        match &self.taken {
            Some(taken) if taken.number == map.number => {
                let changed = *taken != map;
                self.taken = Some(map);
                changed
            }
            Some(taken) if taken.has_media() => false,
            _ => self.choose(map),
        }
    }

    /// The first one with media is taken. Those before it in the table are waited for until this one's map comes again.
    fn choose(&mut self, map: Program) -> bool {
        let again = self.seen.contains(&map.number);
        let mut before = self.listed().take_while(|(program, _)| *program != map.number);
        let first = again || before.all(|(program, _)| self.seen.contains(&program));
        drop(before);
        if !again {
            self.seen.push(map.number);
        }
        let takes = first && map.has_media();
        if takes {
            self.taken = Some(map);
        }
        takes
    }
}
