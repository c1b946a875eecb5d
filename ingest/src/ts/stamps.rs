//! Which time belongs to what begins where, in the bytes of an elementary stream.
//!
//! The time of a PES packet is that of the first access unit that begins in it (ISO/IEC 13818-1 §2.4.3.7).

use std::collections::VecDeque;

use container::ts::demux::Times;

/// PES packets in what is not taken yet; those in between go.
const MOST: usize = 256;

/// What a PES packet says of what begins in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Stamp {
    pub(super) times: Option<Times>,
    pub(super) random_access: bool,
}

/// The stamps of the bytes that are gathered.
#[derive(Debug, Default)]
pub(super) struct Stamps(VecDeque<(usize, Stamp)>);

impl Stamps {
    /// A PES packet begins with the byte at `at`.
    pub(super) fn add(&mut self, at: usize, stamp: Stamp) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((at, stamp));
    }

    /// What is said of a unit that begins at `at`: by the last packet that begins there or before, if no other began since
    /// then.
    pub(super) fn take(&mut self, at: usize) -> Option<Stamp> {
        let mut found = None;
        while let Some((_, stamp)) = self.0.front().filter(|(from, _)| *from <= at) {
            found = Some(*stamp);
            self.0.pop_front();
        }
        found
    }

    /// The bytes before `at` are gone.
    pub(super) fn shift(&mut self, at: usize) {
        self.0.iter_mut().for_each(|(from, _)| *from = from.saturating_sub(at));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
