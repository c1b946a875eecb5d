//! The sample table of a fragment, read back from the header that was written before its payload.
//!
//! Other dialects make their own headers for the same payload: they take its samples from here, so that nothing beside
//! the header need be kept, in memory or on disk.

use media::Sync;
use mp4_atom::{Atom, Decode, Header, Moof, Traf, TrunEntry};

use super::FragmentSample;

/// What the header of a fragment said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParsedFragment {
    /// Decode time of the first sample, in ticks of the track (`tfdt`).
    pub base_time: u64,
    /// In decode order.
    pub samples: Vec<FragmentSample>,
}

/// A header that is not a fragment's with one track (ISO/IEC 14496-12 §8.8.4).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// The boxes cannot be read.
    #[error("boxes of a fragment: {0}")]
    Boxes(String),
    /// A box that every fragment has is not there.
    #[error("fragment without {0}")]
    Missing(&'static str),
}

/// Reads what [`fragment_header`](super::fragment_header) wrote. What stands before `moof` and after it is skipped.
pub fn parse_fragment(header: &[u8]) -> Result<ParsedFragment, Malformed> {
    let moof = find_moof(header)?;
    let traf = moof.traf.first().ok_or(Malformed::Missing("traf"))?;
    let tfdt = traf.tfdt.as_ref().ok_or(Malformed::Missing("tfdt"))?;
    let entries = traf.trun.iter().flat_map(|run| run.samples.iter());
    let samples = entries.map(|entry| sample(traf, entry)).collect::<Result<_, _>>()?;
    Ok(ParsedFragment { base_time: tfdt.base_media_decode_time, samples })
}

fn find_moof(mut rest: &[u8]) -> Result<Moof, Malformed> {
    let malformed = |error: mp4_atom::Error| Malformed::Boxes(error.to_string());
    loop {
        let header = Header::decode(&mut rest).map_err(malformed)?;
        let size = header.size.unwrap_or(rest.len());
        let body = rest.get(..size).ok_or(Malformed::Missing("moof"))?;
        if header.kind == Moof::KIND {
            return Moof::decode_body(&mut &*body).map_err(malformed);
        }
        rest = &rest[size..];
    }
}

fn sample(traf: &Traf, entry: TrunEntry) -> Result<FragmentSample, Malformed> {
    let tfhd = &traf.tfhd;
    let duration = entry.duration.or(tfhd.default_sample_duration).ok_or(Malformed::Missing("a duration"))?;
    let size = entry.size.or(tfhd.default_sample_size).ok_or(Malformed::Missing("a size"))?;
    let flags = entry.flags.or(tfhd.default_sample_flags).unwrap_or_default();
    Ok(FragmentSample {
        duration,
        size,
        composition_offset: entry.cts.unwrap_or_default() as i32,
        sync: sync_of(flags),
    })
}

/// The inverse of what is written: `sample_is_non_sync_sample` and `sample_depends_on` (ISO/IEC 14496-12 §8.8.3.1).
fn sync_of(flags: u32) -> Sync {
    match (flags & 0x1_0000 != 0, flags >> 24 & 3) {
        (false, _) => Sync::Yes,
        (true, 2) => Sync::Recovery,
        (true, _) => Sync::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::{Fragment, fragment_header};

    fn read_back(samples: &[FragmentSample], begins_segment: bool) {
        let base_time = 1 << 40;
        let produced = begins_segment.then_some(media::WallTime::from_millis(1_795_309_432_000));
        let header = fragment_header(&Fragment { begins_segment, produced, sequence: 1, base_time, samples });
        let expected = ParsedFragment { base_time, samples: samples.to_vec() };
        assert_eq!(parse_fragment(&header), Ok(expected));
    }

    #[test]
    fn what_was_written_is_read_back() {
        let sample = |duration, composition_offset, sync| FragmentSample {
            duration,
            size: 40 + duration,
            composition_offset,
            sync,
        };
        let (yes, no, recovery) = (Sync::Yes, Sync::No, Sync::Recovery);
        for begins_segment in [false, true] {
            read_back(&[sample(1024, 0, yes); 23], begins_segment);
            read_back(&[sample(3000, 0, yes)], begins_segment);
            let mixed = [sample(3000, 0, recovery), sample(2970, 6000, no), sample(3030, -3000, no)];
            read_back(&mixed, begins_segment);
            read_back(&[mixed[1], mixed[0], sample(1, 0, yes), mixed[2]], begins_segment);
        }
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        let samples = [FragmentSample { duration: 1, size: 2, composition_offset: 3, sync: Sync::No }; 3];
        let fragment =
            Fragment { begins_segment: true, produced: None, sequence: 1, base_time: 0, samples: &samples };
        let header = fragment_header(&fragment);
        let mdat_header = 8;
        for end in 0..header.len() - mdat_header {
            assert!(parse_fragment(&header[..end]).is_err(), "{end}");
        }
    }
}
