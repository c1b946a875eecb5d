//! Access units of H.264 and H.265 out of a byte stream.
//!
//! PES packets say when something is shown; where a picture ends is found in the NAL units alone. So it does not matter
//! whether a PES packet has one picture, several, or a slice.

use container::ts::elementary::nal::{self, Role, Standard};
use media::payload::Writer;
use media::{Codec, Slice, Sync};
use memchr::memmem;

use super::sets::Sets;
use super::stamps::{Stamp, Stamps};

/// NAL units of one picture.
const MOST_UNITS: usize = 1024;
/// Bytes of a NAL unit in which its role shows.
const TOLD: usize = 3;
/// What stands before each NAL unit.
const START: [u8; 3] = [0, 0, 1];

/// The video stream that is gathered.
#[derive(Debug)]
pub(super) struct Video {
    standard: Standard,
    most: usize,
    /// Finds start codes.
    codes: memmem::Finder<'static>,
    /// From the first NAL unit of the open access unit.
    bytes: Vec<u8>,
    /// Up to where start codes were looked for.
    searched: usize,
    units: Vec<Unit>,
    /// NAL units whose role is known.
    told: usize,
    /// The open access unit has a slice.
    sliced: bool,
    /// What is open misses its beginning.
    broken: bool,
    /// What is open is too long, which was said.
    over: bool,
    stamps: Stamps,
    sets: Sets,
    codec: Option<Codec>,
}

/// A NAL unit of the open access unit.
#[derive(Clone, Copy, Debug)]
struct Unit {
    /// Where its start code is.
    code: usize,
    role: Role,
}

/// What came of a picture.
#[derive(Debug)]
pub(super) enum Picture<'a> {
    /// The configuration is another one from here on.
    Configured(&'a Codec),
    /// A configuration that cannot be used.
    Refused,
    /// A whole access unit that is to be written.
    Whole(Access<'a>),
    /// One without a configuration.
    Unconfigured,
    /// One that is too long, or misses its beginning.
    Dropped,
}

/// An access unit where it was gathered.
#[derive(Debug)]
pub(super) struct Access<'a> {
    pub(super) stamp: Option<Stamp>,
    codec: &'a Codec,
    bytes: &'a [u8],
    units: &'a [Unit],
    key: bool,
}

impl Video {
    /// `most` bytes of an access unit.
    pub(super) fn new(standard: Standard, most: usize) -> Video {
        Video {
            standard,
            most,
            codes: memmem::Finder::new(&START),
            bytes: Vec::new(),
            searched: 0,
            units: Vec::new(),
            told: 0,
            sliced: false,
            broken: false,
            over: false,
            stamps: Stamps::default(),
            sets: Sets::new(standard),
            codec: None,
        }
    }

    /// A PES packet begins.
    pub(super) fn begin(&mut self, stamp: Stamp) {
        self.stamps.add(self.bytes.len(), stamp);
    }

    /// The next bytes. Pictures that are whole with them are handed on.
    pub(super) fn data(&mut self, bytes: &[u8], out: &mut dyn FnMut(Picture<'_>)) {
        if self.bytes.len() + bytes.len() > self.most {
            self.overflow(out);
        }
        self.bytes.extend_from_slice(bytes);
        self.search(out);
        self.tell(TOLD, out);
    }

    /// The end of the stream: what is open is whole.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Picture<'_>)) {
        self.tell(0, out);
        self.close(self.bytes.len(), out);
    }

    /// Something was lost, and what is open with it. Parameter sets that are whole are not: each may be the only one for
    /// long.
    pub(super) fn lost(&mut self) {
        let whole = self.units.get(self.told).or(self.units.last()).map_or(0, |unit| unit.code);
        let sets = self.units.iter().take_while(|unit| unit.code < whole).count();
        if !self.broken && !self.over {
            self.sets.take(each(&self.units[..sets], &self.bytes[..whole]));
        }
        self.bytes.clear();
        self.stamps.clear();
        self.forget();
        (self.broken, self.over) = (false, false);
    }

    /// Too long: what came of it goes, and what comes up to the next picture.
    fn overflow(&mut self, out: &mut dyn FnMut(Picture<'_>)) {
        self.bytes.clear();
        self.stamps.clear();
        self.forget();
        if !self.over {
            out(Picture::Dropped);
        }
        self.over = true;
        // The next picture is told from what is lost by what stands before its slices.
        self.sliced = true;
    }

    fn search(&mut self, out: &mut dyn FnMut(Picture<'_>)) {
        let mut from = self.searched;
        while let Some(at) = self.codes.find(&self.bytes[from..]).map(|at| from + at) {
            from = at + START.len();
            if self.units.len() == MOST_UNITS {
                self.overflow(out);
                return;
            }
            self.units.push(Unit { code: at, role: Role::Other });
        }
        // A start code may be cut by the end of what came.
        self.searched = from.max(self.bytes.len().saturating_sub(START.len() - 1));
        if self.units.is_empty() {
            // Before the first NAL unit there is nothing.
            self.drop_front(self.searched);
        }
    }

    /// Finds out what NAL units are for as soon as `least` bytes of them are there.
    fn tell(&mut self, least: usize, out: &mut dyn FnMut(Picture<'_>)) {
        while let Some(unit) = self.units.get(self.told).copied() {
            let start = unit.code + START.len();
            let next = self.units.get(self.told + 1).map(|next| next.code);
            let end = next.unwrap_or(self.bytes.len());
            if next.is_none() && end < start + least {
                return;
            }
            let role = nal::role(self.standard, self.bytes.get(start..end).unwrap_or_default());
            if self.sliced && role.begins() {
                self.close(unit.code, out);
                continue;
            }
            self.units[self.told].role = role;
            self.told += 1;
            if let Role::Slice { first, .. } = role {
                // One that does not begin with its first slice lost that.
                self.broken |= !self.sliced && !first;
                self.sliced = true;
            }
        }
    }

    /// The open access unit ends before `end`.
    fn close(&mut self, end: usize, out: &mut dyn FnMut(Picture<'_>)) {
        let stamp = self.units[..self.told].first().and_then(|first| self.stamps.take(first.code));
        self.configure(end, out);
        let (units, bytes) = (&self.units[..self.told], &self.bytes[..end]);
        match &self.codec {
            _ if !self.sliced || self.over => {}
            _ if self.broken => out(Picture::Dropped),
            None => out(Picture::Unconfigured),
            Some(codec) => {
                let key = is_key(self.standard, units, bytes, stamp);
                out(Picture::Whole(Access { stamp, codec, bytes, units, key }));
            }
        }
        (self.broken, self.over) = (false, false);
        self.units.drain(..self.told);
        self.told = 0;
        self.sliced = false;
        self.drop_front(end);
    }

    fn configure(&mut self, end: usize, out: &mut dyn FnMut(Picture<'_>)) {
        let (units, bytes) = (&self.units[..self.told], &self.bytes[..end]);
        let is_set = |unit: &Unit| matches!(unit.role, Role::Video | Role::Sequence | Role::Picture);
        if !self.broken && !self.over && units.iter().any(is_set) {
            self.sets.take(each(units, bytes));
        }
        match self.sets.changed() {
            Some(Ok(codec)) if self.codec.as_ref() != Some(&codec) => {
                out(Picture::Configured(self.codec.insert(codec)));
            }
            Some(Err(_)) => out(Picture::Refused),
            _ => {}
        }
    }

    fn drop_front(&mut self, end: usize) {
        self.bytes.drain(..end);
        self.stamps.shift(end);
        self.searched = self.searched.saturating_sub(end);
        self.units.iter_mut().for_each(|unit| unit.code -= end);
    }

    fn forget(&mut self) {
        self.units.clear();
        (self.searched, self.told, self.sliced) = (0, 0, false);
    }
}

/// NAL units with what they are for.
fn each<'a>(units: &'a [Unit], bytes: &'a [u8]) -> impl Iterator<Item = (Role, &'a [u8])> + Clone {
    units.iter().enumerate().map(move |(at, unit)| {
        let end = units.get(at + 1).map_or(bytes.len(), |next| next.code);
        let unit_bytes = bytes.get(unit.code + START.len()..end).unwrap_or_default();
        let zeros = unit_bytes.iter().rev().take_while(|byte| **byte == 0).count();
        (unit.role, &unit_bytes[..unit_bytes.len() - zeros])
    })
}

/// Whether decoding may begin here, as far as NAL units say, or the packet with parameter sets.
fn is_key(standard: Standard, units: &[Unit], bytes: &[u8], stamp: Option<Stamp>) -> bool {
    let by_packet = stamp.is_some_and(|stamp| stamp.random_access);
    each(units, bytes).any(|(role, unit)| match role {
        Role::Slice { key, .. } => key,
        Role::Supplement => standard == Standard::Avc && nal::is_recovery_point(unit),
        Role::Sequence => by_packet,
        _ => false,
    })
}

impl Access<'_> {
    /// Writes it as a sample: NAL units with lengths of four bytes, without what stands in the configuration or is of no use.
    /// `None` where nothing is left. `millis` is for the rate alone.
    pub(super) fn write(&self, writer: &mut Writer, millis: u32) -> Option<(Slice, Sync)> {
        let kept = each(self.units, self.bytes).filter(|(role, unit)| is_kept(*role) && !unit.is_empty());
        let len = kept.clone().map(|(_, unit)| 4 + unit.len()).sum();
        let mut place = writer.reserve(len, millis);
        for (_, unit) in kept {
            place.write(&(unit.len() as u32).to_be_bytes());
            place.write(unit);
        }
        let data = place.finish();
        let sync = self.codec.classify(self.key, &data);
        (!data.is_empty()).then_some((data, sync))
    }
}

fn is_kept(role: Role) -> bool {
    !matches!(role, Role::Video | Role::Sequence | Role::Picture | Role::Delimiter | Role::Surplus)
}
