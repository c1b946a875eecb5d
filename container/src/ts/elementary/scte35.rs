//! When a splice happens, as its section says (ANSI/SCTE 35 §9.6). What else stands in it is left to who reads it.

/// `table_id` of a splice information section.
const TABLE: u8 = 0xfc;
/// Bytes of the section up to its command.
const COMMAND: usize = 14;
const SPLICE_INSERT: u8 = 5;
const TIME_SIGNAL: u8 = 6;
/// Times have 33 bits.
const MASK: u64 = (1 << 33) - 1;

/// When it happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Splice {
    /// At this time, in ticks of 90 kHz in 33 bits, adjustment included.
    At(i64),
    /// At once, or at no time: other commands, cancellations, what is encrypted.
    Now,
}

/// Reads a section without its checksum; `None` where it is none, or breaks off.
pub fn splice(section: &[u8]) -> Option<Splice> {
    let head: &[u8; COMMAND] = section.first_chunk()?;
    if head[0] != TABLE {
        return None;
    }
    if head[4] & 0x80 != 0 {
        return Some(Splice::Now);
    }
    let adjustment = head[4..9].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)) & MASK;
    let command = &section[COMMAND..];
    let time = match head[13] {
        TIME_SIGNAL => time(command)?,
        SPLICE_INSERT => inserted(command)?,
        _ => None,
    };
    Some(time.map_or(Splice::Now, |time| Splice::At((time.wrapping_add(adjustment) & MASK) as i64)))
}

/// `splice_insert` (§9.7.3): the time of the program, where it is spliced as a whole and not at once.
fn inserted(command: &[u8]) -> Option<Option<u64>> {
    if command.get(4)? & 0x80 != 0 {
        return Some(None);
    }
    let flags = *command.get(5)?;
    let (whole, at_once) = (flags & 0x40 != 0, flags & 0x10 != 0);
    if whole && !at_once { time(command.get(6..)?) } else { Some(None) }
}

/// `splice_time` (§9.8.1).
fn time(bytes: &[u8]) -> Option<Option<u64>> {
    let said = bytes.first()? & 0x80 != 0;
    if !said {
        return Some(None);
    }
    let bytes: &[u8; 5] = bytes.first_chunk()?;
    Some(Some(bytes.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)) & MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section up to its command, with this adjustment and command type.
    fn section(adjustment: u64, kind: u8, command: &[u8]) -> Vec<u8> {
        let adjustment = adjustment.to_be_bytes();
        let mut bytes = vec![TABLE, 0x30, 0, 0];
        bytes.extend_from_slice(&adjustment[3..]);
        bytes.extend_from_slice(&[0, 0xff, 0xf0, command.len() as u8, kind]);
        bytes.extend_from_slice(command);
        bytes
    }

    #[test]
    fn a_time_signal_is_at_its_time_and_wraps() {
        let command = [0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(splice(&section(0, TIME_SIGNAL, &command)), Some(Splice::At(MASK as i64)));
        assert_eq!(splice(&section(91, TIME_SIGNAL, &command)), Some(Splice::At(90)));
        assert_eq!(splice(&section(0, TIME_SIGNAL, &[0x7f])), Some(Splice::Now));
    }

    #[test]
    fn an_insert_is_at_its_time_unless_at_once() {
        // Out of network, the program as a whole.
        let insert = |flags| [0, 0, 0, 1, 0x7f, flags, 0xfe, 0, 1, 0x5f, 0x90];
        assert_eq!(splice(&section(0, SPLICE_INSERT, &insert(0xcf))), Some(Splice::At(90_000)));
        assert_eq!(splice(&section(0, SPLICE_INSERT, &insert(0xdf))), Some(Splice::Now));
        assert_eq!(splice(&section(0, SPLICE_INSERT, &[0, 0, 0, 1, 0xff])), Some(Splice::Now), "cancelled");
    }

    #[test]
    fn what_breaks_off_is_none() {
        let whole = section(0, SPLICE_INSERT, &[0, 0, 0, 1, 0x7f, 0xcf, 0xfe, 0, 1, 0x5f, 0x90]);
        (0..whole.len()).for_each(|end| assert_eq!(splice(&whole[..end]), None, "{end} bytes"));
        assert_eq!(splice(&section(0, 0, &[])), Some(Splice::Now), "splice_null");
    }
}
