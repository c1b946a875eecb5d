//! What goes before the payload of a Smooth Streaming fragment ([MS-SSTR] §2.2.4).
//!
//! ```text
//! moof
//!   mfhd                    sequence number
//!   traf
//!     tfhd                  sample defaults
//!     trun                  version 1 for signed composition offsets
//!     uuid tfxd             where the fragment stands, and how long it is
//!     uuid tfrf             where those stand that follow it; none at the end
//! mdat                      size and type only; the payload follows
//! ```
//!
//! There is no `tfdt` and no initialization segment: time is absolute, in `tfxd` and in the URL.

use bytes::Bytes;

use super::TRACK_ID;
use super::fragment::{Boxes, FragmentSample, Run, TFHD_DURATION, TFHD_FLAGS, trun};

/// [MS-SSTR] §2.2.4.4.
const TFXD: [u8; 16] =
    [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2];
/// [MS-SSTR] §2.2.4.5.
const TFRF: [u8; 16] =
    [0xd4, 0x80, 0x7e, 0xf2, 0xca, 0x39, 0x46, 0x95, 0x8e, 0x54, 0x26, 0xcb, 0x9e, 0x46, 0xa7, 0x9f];
/// Times of 64 bits.
const LONG: u8 = 1;

/// From where to where on the absolute timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Ticks of the track's timescale.
    pub time: u64,
    /// Ticks of the track's timescale.
    pub duration: u64,
}

/// What the header of a Smooth fragment says.
#[derive(Clone, Copy, Debug)]
pub struct SmoothFragment<'a> {
    /// `mfhd` sequence number, growing within the track.
    pub sequence: u32,
    /// The fragment itself.
    pub at: Stretch,
    /// Those that follow it, as many as are known: 255 at most are written.
    pub following: &'a [Stretch],
    /// In decode order, in ticks of the track's timescale; at least one.
    pub samples: &'a [FragmentSample],
}

/// The bytes before the payload of a fragment, and how many of them are `moof`, its metadata ([MS-SSTR] §2.2.4).
pub fn smooth_header(fragment: &SmoothFragment<'_>) -> (Bytes, usize) {
    let mut out = Boxes(Vec::with_capacity(192 + fragment.samples.len() * 16));
    let mut data_offset_at = 0;
    out.nested(b"moof", |out| {
        out.full(b"mfhd", 0, 0, |out| out.u32(fragment.sequence));
        out.nested(b"traf", |out| data_offset_at = traf(out, fragment));
    });
    let moof = out.0.len();
    let payload: u64 = fragment.samples.iter().map(|sample| u64::from(sample.size)).sum();
    out.mdat_header(payload);
    let offset = out.0.len() as u32;
    out.0[data_offset_at..data_offset_at + 4].copy_from_slice(&offset.to_be_bytes());
    (Bytes::from(out.0), moof)
}

/// Writes `traf` and says where the data offset stands, which is known only when `moof` is whole.
fn traf(out: &mut Boxes, fragment: &SmoothFragment<'_>) -> usize {
    let run = Run::of(fragment.samples);
    tfhd(out, &run);
    let data_offset_at = trun(out, fragment.samples, &run);
    extension(out, TFXD, |out| stretch(out, &fragment.at));
    // Where nothing follows the box may be left out, but dash.js takes that for a fault of the server.
    let following = &fragment.following[..fragment.following.len().min(u8::MAX.into())];
    extension(out, TFRF, |out| {
        out.bytes(&[following.len() as u8]);
        following.iter().for_each(|next| stretch(out, next));
    });
    data_offset_at
}

/// [MS-SSTR] §2.2.4.6, which knows neither a sample description nor `default-base-is-moof`.
fn tfhd(out: &mut Boxes, run: &Run) {
    let flags = TFHD_FLAGS | if run.duration.is_some() { TFHD_DURATION } else { 0 };
    out.full(b"tfhd", 0, flags, |out| {
        out.u32(TRACK_ID);
        if let Some(duration) = run.duration {
            out.u32(duration);
        }
        out.u32(run.flags);
    });
}

/// A box of the extended type `id` (ISO/IEC 14496-12 §4.2), with version and no flags.
fn extension(out: &mut Boxes, id: [u8; 16], body: impl FnOnce(&mut Boxes)) {
    out.nested(b"uuid", |out| {
        out.bytes(&id);
        out.u32(u32::from(LONG) << 24);
        body(out);
    });
}

fn stretch(out: &mut Boxes, stretch: &Stretch) {
    out.bytes(&stretch.time.to_be_bytes());
    out.bytes(&stretch.duration.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use media::Sync;
    use mp4_atom::{Decode, Moof};

    use super::*;

    const AT: Stretch = Stretch { time: 17_953_094_320_000_000, duration: 20_000_000 };
    const NEXT: Stretch = Stretch { time: AT.time + AT.duration, duration: 19_999_992 };

    fn header(following: &[Stretch]) -> (Bytes, usize) {
        let sample = |duration, composition_offset, sync| FragmentSample {
            duration,
            size: 100,
            composition_offset,
            sync,
        };
        let samples = [
            sample(333_336, 0, Sync::Yes),
            sample(333_328, 666_664, Sync::No),
            sample(333_336, -333_336, Sync::No),
        ];
        smooth_header(&SmoothFragment { sequence: 9, at: AT, following, samples: &samples })
    }

    /// What stands behind the extended type of the box that has it, from its version on.
    fn uuid<'a>(header: &'a [u8], id: &[u8; 16]) -> Option<&'a [u8]> {
        let at = header.windows(16).position(|window| window == id)?;
        let size = u32::from_be_bytes(header[at - 8..at - 4].try_into().expect("four bytes")) as usize;
        assert_eq!(&header[at - 4..at], b"uuid");
        Some(&header[at + 16..at - 8 + size])
    }

    #[test]
    fn tfxd_says_where_the_fragment_stands_ms_sstr_2_2_4_4() {
        let (header, _) = header(&[]);
        let expected = [&[1, 0, 0, 0][..], &AT.time.to_be_bytes(), &AT.duration.to_be_bytes()].concat();
        assert_eq!(uuid(&header, &TFXD), Some(&expected[..]));
    }

    #[test]
    fn tfrf_says_where_those_stand_that_follow_ms_sstr_2_2_4_5() {
        let (with, _) = header(&[NEXT, AT]);
        let times = [NEXT.time, NEXT.duration, AT.time, AT.duration].map(u64::to_be_bytes).concat();
        assert_eq!(uuid(&with, &TFRF), Some(&[&[1, 0, 0, 0, 2][..], &times].concat()[..]));
        assert_eq!(uuid(&header(&[]).0, &TFRF), Some(&[1, 0, 0, 0, 0][..]), "none follows");
    }

    #[test]
    fn an_independent_parser_reads_the_samples_ms_sstr_2_2_4_7() {
        let (header, moof) = header(&[NEXT]);
        let parsed = Moof::decode(&mut &header[..moof]).expect("a moof");
        let [traf] = &parsed.traf[..] else { panic!("one traf") };
        assert_eq!((parsed.mfhd.sequence_number, &traf.tfdt), (9, &None));
        let samples: Vec<_> =
            traf.trun[0].samples.iter().map(|entry| (entry.duration, entry.size, entry.cts)).collect();
        let size = Some(100);
        assert_eq!(
            samples,
            [
                (Some(333_336), size, Some(0)),
                (Some(333_328), size, Some(666_664)),
                (Some(333_336), size, Some(-333_336))
            ]
        );
        assert_eq!(traf.trun[0].data_offset, Some(header.len() as i32), "the payload comes next");
        assert_eq!(header[moof..], [0, 0, 1, 52, b'm', b'd', b'a', b't']);
    }
}
