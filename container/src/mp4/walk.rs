//! Where the fragments of a file begin and end, told from the headers of its boxes alone (ISO/IEC 14496-12 §4.2).
//!
//! A file is an initialization segment and fragments; a fragment is anything up to and including an `mdat`, with one
//! `moof` before that. Payload is never looked at, so a walk costs what the headers cost.

/// The longest header of a fragment that is looked at, in bytes; a longer one is malformed.
pub const MAX_HEADER: usize = 4 << 20;

/// Where the payload of a fragment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Bytes before the payload.
    pub header: usize,
    /// Bytes of payload.
    pub payload: u64,
    /// Whether it begins a segment (`styp`, ISO/IEC 14496-12 §8.16.2).
    pub begins_segment: bool,
}

impl Extent {
    /// Bytes of header and payload.
    pub fn len(&self) -> u64 {
        self.payload.saturating_add(self.header as u64)
    }

    /// Never: a fragment has a header.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where an initialization segment ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InitExtent {
    /// Its bytes.
    pub len: usize,
}

/// Why a walk ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WalkError {
    /// At least so many bytes from the start are needed to tell.
    #[error("the box goes on to byte {0}")]
    Needs(usize),
    /// No fragment of ours begins like this.
    #[error("no box that stands in a fragment")]
    Malformed,
}

/// The fragment that begins here; `bytes` may end anywhere.
pub fn fragment_extent(bytes: &[u8]) -> Result<Extent, WalkError> {
    let (mut at, mut begins_segment, mut moof) = (0, false, false);
    loop {
        let head = head(bytes, at)?;
        match &head.kind {
            b"mdat" if moof => {
                return Ok(Extent { header: at + head.header, payload: head.body, begins_segment });
            }
            b"styp" if at == 0 => begins_segment = true,
            b"moof" if !moof => moof = true,
            b"prft" | b"emsg" | b"sidx" | b"free" | b"skip" | b"uuid" => {}
            _ => return Err(WalkError::Malformed),
        }
        at = skip(bytes, at, &head)?;
    }
}

/// The initialization segment that a file begins with; `bytes` may end anywhere.
pub fn init_extent(bytes: &[u8]) -> Result<InitExtent, WalkError> {
    let mut at = 0;
    loop {
        let head = head(bytes, at)?;
        let moov = &head.kind == b"moov";
        match &head.kind {
            b"ftyp" if at == 0 => {}
            b"moov" | b"free" | b"skip" | b"uuid" if at > 0 => {}
            _ => return Err(WalkError::Malformed),
        }
        at = skip(bytes, at, &head)?;
        if moov {
            return Ok(InitExtent { len: at });
        }
    }
}

struct Head {
    kind: [u8; 4],
    header: usize,
    body: u64,
}

fn head(bytes: &[u8], at: usize) -> Result<Head, WalkError> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(&[a, b, c, d, k0, k1, k2, k3]) = rest.first_chunk() else {
        return Err(needs(at + 8));
    };
    let kind = [k0, k1, k2, k3];
    let (header, size) = match u32::from_be_bytes([a, b, c, d]) {
        1 => {
            let large =
                rest.get(8..16).and_then(|large| large.first_chunk()).ok_or_else(|| needs(at + 16))?;
            (16, u64::from_be_bytes(*large))
        }
        // "To the end of the file" is nothing that grows.
        0 => return Err(WalkError::Malformed),
        size => (8, u64::from(size)),
    };
    let body = size.checked_sub(header as u64).ok_or(WalkError::Malformed)?;
    Ok(Head { kind, header, body })
}

/// Where the box after this one begins, which must be within what was given.
fn skip(bytes: &[u8], at: usize, head: &Head) -> Result<usize, WalkError> {
    let end = usize::try_from(head.body).ok().and_then(|body| body.checked_add(at + head.header));
    let end = end.filter(|&end| end <= MAX_HEADER).ok_or(WalkError::Malformed)?;
    if end > bytes.len() { Err(needs(end)) } else { Ok(end) }
}

fn needs(end: usize) -> WalkError {
    if end <= MAX_HEADER { WalkError::Needs(end) } else { WalkError::Malformed }
}

#[cfg(test)]
mod tests {
    use media::Sync;

    use super::*;
    use crate::mp4::{Fragment, FragmentSample, fragment_header};

    fn fragment(begins_segment: bool) -> Vec<u8> {
        let samples = [FragmentSample { duration: 1, size: 5, composition_offset: 3, sync: Sync::No }; 3];
        fragment_header(&Fragment {
            begins_segment,
            produced: None,
            sequence: 1,
            base_time: 0,
            samples: &samples,
        })
        .to_vec()
    }

    #[test]
    fn a_fragment_is_found_from_its_header_alone() {
        for begins_segment in [false, true] {
            let header = fragment(begins_segment);
            let expected = Extent { header: header.len(), payload: 15, begins_segment };
            assert_eq!(fragment_extent(&header), Ok(expected));
            let mut stamped = [&[0, 0, 0, 12][..], b"prft", &[0; 4]].concat();
            stamped.extend_from_slice(&fragment(false));
            assert_eq!(fragment_extent(&stamped).map(|extent| extent.payload), Ok(15));
        }
    }

    #[test]
    fn what_ends_early_says_how_much_it_needs() {
        let header = fragment(true);
        for end in 0..header.len() {
            let Err(WalkError::Needs(needed)) = fragment_extent(&header[..end]) else { panic!("{end}") };
            assert!(needed > end && needed <= header.len());
        }
    }

    #[test]
    fn nothing_else_is_a_fragment() {
        let init = [&[0, 0, 0, 8][..], b"ftyp", &[0, 0, 0, 8], b"moov"].concat();
        assert_eq!(init_extent(&init), Ok(InitExtent { len: 16 }));
        for bytes in [
            &init[..],
            &[0; 16],
            b"\0\0\0\x08mdat\0\0\0\0",
            b"\0\0\0\x07moof\0\0\0\0",
            b"\0\0\0\x01moof\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x7f\xff\xff\xffmoof",
        ] {
            assert_eq!(fragment_extent(bytes), Err(WalkError::Malformed), "{bytes:?}");
        }
    }
}
