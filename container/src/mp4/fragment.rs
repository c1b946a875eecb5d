//! What goes before the payload of a part: `styp`, `prft`, `moof` and the header of `mdat`.
//!
//! ```text
//! [styp]                    first part of a segment only
//! [prft]                    likewise: the wall time of its first sample (ISO/IEC 23000-19 §7.3.2.3)
//! moof
//!   mfhd                    sequence number
//!   traf
//!     tfhd                  default-base-is-moof, sample defaults
//!     tfdt                  version 1
//!     trun                  version 1 for signed composition offsets
//! mdat                      size and type only; the payload follows
//! ```

use bytes::Bytes;
use media::{Sync, WallTime};

use super::TRACK_ID;

/// What `trun` says of a sample. Times in ticks of the track.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FragmentSample {
    /// Ticks until the next sample.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// Presentation minus decode time.
    pub composition_offset: i32,
    /// Where decoding may begin.
    pub sync: Sync,
}

/// What the header of a fragment says.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// Whether it begins a segment, and so carries `styp`.
    pub begins_segment: bool,
    /// When its first sample left the encoder, for `prft`; not before 1900, where NTP begins.
    pub produced: Option<WallTime>,
    /// `mfhd` sequence number, growing within the file.
    pub sequence: u32,
    /// Decode time of the first sample.
    pub base_time: u64,
    /// In decode order; at least one.
    pub samples: &'a [FragmentSample],
}

// ISO/IEC 14496-12 §8.8.7 and §8.8.8.
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
const TFHD_DESCRIPTION: u32 = 0x02;
pub(super) const TFHD_DURATION: u32 = 0x08;
pub(super) const TFHD_FLAGS: u32 = 0x20;
const TRUN_DATA_OFFSET: u32 = 0x01;
const TRUN_FIRST_FLAGS: u32 = 0x04;
const TRUN_DURATION: u32 = 0x100;
const TRUN_SIZE: u32 = 0x200;
const TRUN_FLAGS: u32 = 0x400;
const TRUN_OFFSET: u32 = 0x800;
/// ISO/IEC 14496-12 §8.16.5.3: the time is that at which the frame left the encoder.
const PRFT_ENCODER_OUTPUT: u32 = 0x01;
/// Seconds from the NTP era (1900) to the Unix epoch (RFC 5905 §6).
const NTP_TO_UNIX: i64 = 2_208_988_800;

/// The bytes before the payload of a fragment.
pub fn fragment_header(fragment: &Fragment<'_>) -> Bytes {
    let mut out = Boxes(Vec::with_capacity(128 + fragment.samples.len() * 16));
    if fragment.begins_segment {
        out.nested(b"styp", |out| out.bytes(b"msdh\0\0\0\0msdhcmfscmf2iso6"));
    }
    if let Some(produced) = fragment.produced {
        prft(&mut out, produced, fragment.base_time);
    }
    let moof = out.0.len();
    let mut data_offset_at = 0;
    out.nested(b"moof", |out| {
        out.full(b"mfhd", 0, 0, |out| out.u32(fragment.sequence));
        out.nested(b"traf", |out| data_offset_at = traf(out, fragment));
    });
    let payload: u64 = fragment.samples.iter().map(|sample| u64::from(sample.size)).sum();
    out.mdat_header(payload);
    let offset = (out.0.len() - moof) as u32;
    out.0[data_offset_at..data_offset_at + 4].copy_from_slice(&offset.to_be_bytes());
    Bytes::from(out.0)
}

/// Producer reference time (ISO/IEC 14496-12 §8.16.5).
fn prft(out: &mut Boxes, produced: WallTime, media_time: u64) {
    out.full(b"prft", 1, PRFT_ENCODER_OUTPUT, |out| {
        out.u32(TRACK_ID);
        out.bytes(&ntp(produced).to_be_bytes());
        out.bytes(&media_time.to_be_bytes());
    });
}

/// 32 bits of seconds since 1900 and 32 of a fraction (RFC 5905 §6); from 2036 on the next era, as there.
fn ntp(time: WallTime) -> u64 {
    let seconds = time.micros().div_euclid(1_000_000) + NTP_TO_UNIX;
    let micros = time.micros().rem_euclid(1_000_000) as u64;
    ((seconds as u64) << 32) | ((micros << 32) / 1_000_000)
}

/// Writes `traf` and says where the data offset stands, which is known only when `moof` is whole.
fn traf(out: &mut Boxes, fragment: &Fragment<'_>) -> usize {
    let run = Run::of(fragment.samples);
    let mut flags = DEFAULT_BASE_IS_MOOF | TFHD_DESCRIPTION | TFHD_FLAGS;
    if run.duration.is_some() {
        flags |= TFHD_DURATION;
    }
    out.full(b"tfhd", 0, flags, |out| {
        out.u32(TRACK_ID);
        out.u32(1);
        if let Some(duration) = run.duration {
            out.u32(duration);
        }
        out.u32(run.flags);
    });
    out.full(b"tfdt", 1, 0, |out| out.bytes(&fragment.base_time.to_be_bytes()));
    trun(out, fragment.samples, &run)
}

pub(super) fn trun(out: &mut Boxes, samples: &[FragmentSample], run: &Run) -> usize {
    let mut flags = TRUN_DATA_OFFSET | TRUN_SIZE;
    for (set, flag) in [
        (run.duration.is_none(), TRUN_DURATION),
        (run.mixed_flags, TRUN_FLAGS),
        (run.first_flags.is_some(), TRUN_FIRST_FLAGS),
        (run.offsets, TRUN_OFFSET),
    ] {
        flags |= if set { flag } else { 0 };
    }
    let mut data_offset_at = 0;
    out.full(b"trun", 1, flags, |out| {
        out.u32(samples.len() as u32);
        data_offset_at = out.0.len();
        out.u32(0);
        if let Some(first) = run.first_flags {
            out.u32(first);
        }
        for sample in samples {
            if run.duration.is_none() {
                out.u32(sample.duration);
            }
            out.u32(sample.size);
            if run.mixed_flags {
                out.u32(sample_flags(sample.sync));
            }
            if run.offsets {
                out.bytes(&sample.composition_offset.to_be_bytes());
            }
        }
    });
    data_offset_at
}

/// What the samples of a run have in common, so that it is said once.
pub(super) struct Run {
    pub(super) duration: Option<u32>,
    pub(super) flags: u32,
    first_flags: Option<u32>,
    mixed_flags: bool,
    offsets: bool,
}

impl Run {
    pub(super) fn of(samples: &[FragmentSample]) -> Run {
        let flags_of = |at: usize| samples.get(at).map(|sample| sample_flags(sample.sync));
        let first = flags_of(0).unwrap_or(0);
        let flags = flags_of(1).unwrap_or(first);
        let mixed_flags = samples.iter().skip(1).any(|sample| sample_flags(sample.sync) != flags);
        let duration = samples
            .first()
            .map(|first| first.duration)
            .filter(|&duration| samples.iter().all(|sample| sample.duration == duration));
        Run {
            duration,
            flags,
            first_flags: (first != flags && !mixed_flags).then_some(first),
            mixed_flags,
            offsets: samples.iter().any(|sample| sample.composition_offset != 0),
        }
    }
}

/// ISO/IEC 14496-12 §8.8.3.1: `sample_depends_on` and `sample_is_non_sync_sample`.
fn sample_flags(sync: Sync) -> u32 {
    match sync {
        Sync::Yes => 0x0200_0000,
        Sync::Recovery => 0x0201_0000,
        Sync::No => 0x0101_0000,
    }
}

pub(super) struct Boxes(pub(super) Vec<u8>);

impl Boxes {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn nested(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Boxes)) {
        let at = self.0.len();
        self.u32(0);
        self.bytes(kind);
        body(self);
        let size = (self.0.len() - at) as u32;
        self.0[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }

    pub(super) fn full(&mut self, kind: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Boxes)) {
        self.nested(kind, |out| {
            out.u32(u32::from(version) << 24 | flags);
            body(out);
        });
    }

    /// ISO/IEC 14496-12 §4.2: a box past 4 GiB says so with a size of 1.
    pub(super) fn mdat_header(&mut self, payload: u64) {
        match u32::try_from(payload + 8) {
            Ok(size) => {
                self.u32(size);
                self.bytes(b"mdat");
            }
            Err(_) => {
                self.u32(1);
                self.bytes(b"mdat");
                self.bytes(&(payload + 16).to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mp4_atom::{Any, DecodeMaybe, FourCC, Moof, ReferenceTime};

    use super::*;

    fn sample(duration: u32, size: u32, composition_offset: i32, sync: Sync) -> FragmentSample {
        FragmentSample { duration, size, composition_offset, sync }
    }

    /// Reads the header back with an independent parser.
    fn moof(fragment: &Fragment<'_>) -> (Moof, usize) {
        let header = fragment_header(fragment);
        let mut rest = &header[..];
        loop {
            let before = rest.len();
            match Any::decode_maybe(&mut rest).expect("valid box") {
                Some(Any::Moof(moof)) => return (moof, header.len() - (header.len() - before)),
                Some(_) => {}
                None => panic!("no moof"),
            }
        }
    }

    #[test]
    fn an_independent_parser_reads_what_was_written() {
        let samples = [
            sample(3000, 900, 0, Sync::Yes),
            sample(2970, 100, 6000, Sync::No),
            sample(3030, 90, -3000, Sync::No),
        ];
        let (moof, _) = moof(&Fragment {
            begins_segment: true,
            produced: None,
            sequence: 7,
            base_time: 1 << 33,
            samples: &samples,
        });
        let traf = &moof.traf[0];
        assert_eq!(moof.mfhd.sequence_number, 7);
        assert_eq!(traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time), Some(1 << 33));
        let trun = &traf.trun[0];
        let durations: Vec<_> = trun.samples.iter().map(|entry| entry.duration).collect();
        let sizes: Vec<_> = trun.samples.iter().map(|entry| entry.size).collect();
        let offsets: Vec<_> = trun.samples.iter().map(|entry| entry.cts).collect();
        assert_eq!(durations, [Some(3000), Some(2970), Some(3030)]);
        assert_eq!(sizes, [Some(900), Some(100), Some(90)]);
        assert_eq!(offsets, [Some(0), Some(6000), Some(-3000)]);
    }

    #[test]
    fn the_data_offset_points_behind_the_mdat_header() {
        let samples = [sample(1024, 300, 0, Sync::Yes); 4];
        for begins_segment in [false, true] {
            let fragment =
                Fragment { begins_segment, produced: None, sequence: 1, base_time: 0, samples: &samples };
            let header = fragment_header(&fragment);
            let (moof, moof_to_end) = moof(&fragment);
            assert_eq!(moof.traf[0].trun[0].data_offset, Some(moof_to_end as i32));
            assert_eq!(&header[header.len() - 8..], [0, 0, 0x04, 0xb8, b'm', b'd', b'a', b't']);
        }
    }

    #[test]
    fn what_samples_share_is_said_once() {
        let uniform = [sample(1024, 300, 0, Sync::Yes); 20];
        let mut varied = uniform;
        varied[3].duration = 1025;
        let len = |samples: &[FragmentSample]| {
            fragment_header(&Fragment {
                begins_segment: false,
                produced: None,
                sequence: 1,
                base_time: 0,
                samples,
            })
            .len()
        };
        assert_eq!(len(&varied), len(&uniform) - 4 + 20 * 4);
    }

    /// ISO/IEC 23000-19 §7.3.2.3: a chunk is `(styp) (prft) (emsg) moof mdat`, in this order.
    #[test]
    fn a_segment_begins_with_its_brands_and_its_wall_time() {
        let samples = [sample(3000, 900, 0, Sync::Yes)];
        let produced = Some(WallTime::from_millis(1_795_309_432_250));
        let fragment =
            Fragment { begins_segment: true, produced, sequence: 1, base_time: 1 << 33, samples: &samples };
        let header = fragment_header(&fragment);
        let (mut rest, mut kinds) = (&header[..header.len() - 8], Vec::new());
        while let Some(any) = Any::decode_maybe(&mut rest).expect("valid boxes") {
            kinds.push(any.kind());
            if let Any::Prft(prft) = any {
                assert_eq!(prft.reference_track_id, TRACK_ID);
                assert_eq!(prft.media_time, 1 << 33, "that of the first sample, on the track's clock");
                assert_eq!(prft.utc_time_semantics, ReferenceTime::Output);
                let unix = (prft.ntp_timestamp >> 32) - 2_208_988_800;
                assert_eq!((unix, prft.ntp_timestamp & 0xffff_ffff), (1_795_309_432, 1 << 30));
            }
        }
        assert_eq!(kinds, [b"styp", b"prft", b"moof"].map(FourCC::new));
    }

    /// RFC 5905 §6: an NTP timestamp counts modulo 2^32 seconds.
    #[test]
    fn the_ntp_era_of_2036_begins_at_zero() {
        assert_eq!(ntp(WallTime::from_millis(0)) >> 32, 2_208_988_800);
        assert_eq!(ntp(WallTime::from_millis(((1 << 32) - 2_208_988_800) * 1000)), 0);
        assert_eq!(ntp(WallTime::from_micros(999_999)) & 0xffff_ffff, 4_294_963_001);
    }
}
