//! What the tables say: which programs there are, and what is in one (ISO/IEC 13818-1 §2.4.4.3 and §2.4.4.8).

use super::descriptors::{self, Descriptors};
use super::program::{Elementary, Program};

const ASSOCIATION: u8 = 0;
const MAP: u8 = 2;
/// Bytes of a section before its table's own fields.
const HEADER: usize = 8;

/// A section of the program association table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Association {
    pub(super) version: u8,
    /// Which section of the table.
    pub(super) number: u8,
    /// Programs with the PIDs of their maps.
    pub(super) programs: Vec<(u16, u16)>,
}

/// The head that both tables have. `None` for another table, or one that is not valid yet.
fn head(section: &[u8], table: u8) -> Option<(u16, u8, u8, &[u8])> {
    let (&[id, syntax, _, high, low, version, number, _], body) = section.split_first_chunk::<HEADER>()?;
    let current = version & 1 == 1;
    let right = id == table && syntax & 0x80 != 0 && current;
    right.then_some((u16::from_be_bytes([high, low]), version >> 1 & 0x1f, number, body))
}

/// Reads a section of the program association table; what goes beyond `most` programs is left out.
pub(super) fn association(section: &[u8], most: usize) -> Option<Association> {
    let (_, version, number, body) = head(section, ASSOCIATION)?;
    let entry = |bytes: &[u8; 4]| {
        let &[n0, n1, p0, p1] = bytes;
        (u16::from_be_bytes([n0, n1]), u16::from_be_bytes([p0, p1]) & 0x1fff)
    };
    // Program 0 is the network's table.
    let programs = body.as_chunks().0.iter().map(entry).filter(|(program, _)| *program != 0);
    Some(Association { version, number, programs: programs.take(most).collect() })
}

/// Reads the map of a program; what goes beyond `most` streams is left out. `None` for another table, another program,
/// and one that breaks off.
pub(super) fn map(section: &[u8], program: u16, most: usize) -> Option<Program> {
    let (number, version, _, body) = head(section, MAP)?;
    let (&[c0, c1, l0, l1], body) = body.split_first_chunk()?;
    let (own, mut rest) = body.split_at_checked(length(l0, l1))?;
    let mut streams: Vec<Elementary> = Vec::new();
    while let Some((&[stream_type, p0, p1, l0, l1], after)) = rest.split_first_chunk() {
        let (own, after) = after.split_at_checked(length(l0, l1))?;
        rest = after;
        let pid = pid(p0, p1);
        if streams.len() < most && streams.iter().all(|stream| stream.pid != pid) {
            streams.push(elementary(stream_type, pid, own));
        }
    }
    let clock = Some(pid(c0, c1)).filter(|pid| *pid != 0x1fff);
    let cue = descriptors::registration(own) == Some(*b"CUEI");
    (number == program).then_some(Program { number, version, clock, cue, streams })
}

fn elementary(stream_type: u8, pid: u16, own: &[u8]) -> Elementary {
    let Descriptors { coding, language, audio_type } = descriptors::read(stream_type, own);
    Elementary { pid, stream_type, coding, language, audio_type }
}

fn pid(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low]) & 0x1fff
}

/// A length of twelve bits, of which the first two are zero.
fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]) & 0x0fff)
}

impl Program {
    /// Whether it has anything to play.
    pub(super) fn has_media(&self) -> bool {
        self.streams.iter().any(|stream| stream.coding.is_media())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Coding;
    use super::*;
    use crate::ts::psi;

    /// The section in the payload of a packet of ours, without its checksum.
    fn section(payload: &[u8]) -> &[u8] {
        let length = usize::from(payload[3]);
        &payload[1..length]
    }

    #[test]
    fn what_is_written_here_is_read_here() {
        let association = association(section(&psi::association()), 9).expect("an association table");
        assert_eq!(association.programs, [(1, 0x1000)]);
        let sounds = [(0x0f, Coding::Adts), (0x03, Coding::MpegAudio), (0x04, Coding::MpegAudio)];
        for (stream_type, coding) in sounds {
            let map_of = psi::map(true, Some(stream_type));
            let program = map(section(&map_of), 1, 9).expect("a map");
            assert_eq!((program.number, program.clock), (1, Some(0x100)));
            let seen: Vec<_> = program.streams.iter().map(|stream| (stream.pid, stream.coding)).collect();
            assert_eq!(seen, [(0x100, Coding::Avc), (0x101, coding)]);
            assert!(program.has_media());
            assert_eq!(map(section(&map_of), 2, 9), None, "another program");
        }
    }

    #[test]
    fn tables_end_at_their_limits_and_where_they_break_off() {
        let map_of = psi::map(true, Some(0x0f));
        let section = section(&map_of);
        assert_eq!(map(section, 1, 1).map(|program| program.streams.len()), Some(1));
        for end in 0..section.len() {
            let _ = map(&section[..end], 1, 9);
            let _ = association(&section[..end], 9);
        }
        let mut beyond = section.to_vec();
        beyond[11] = 0xff;
        assert_eq!(map(&beyond, 1, 9), None, "descriptors longer than the table");
    }

    #[test]
    fn a_table_that_is_not_valid_yet_is_none() {
        let map_of = psi::map(true, Some(0x0f));
        let mut next = section(&map_of).to_vec();
        next[5] &= !1;
        assert_eq!(map(&next, 1, 9), None);
    }
}
