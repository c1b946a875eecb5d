//! The beginning of a progressive MP4: `ftyp`, `moov` and the header of the one `mdat` (ISO/IEC 14496-12 §8).
//!
//! ```text
//! ftyp
//! moov    before the payload, so that playback begins with the first bytes
//!   trak  one a track: when each sample is (stts, ctts), how large (stsz), where (stsc, co64), where decoding may
//!         begin (stss); an edit list where it begins later than the others
//! mdat    the payload, of the tracks in turns
//! ```
//!
//! A [`SampleTable`] takes the samples of a track, a chunk at a time: samples whose payload is one piece. The payload
//! itself is never looked at.

use std::mem::discriminant;

use bytes::Bytes;
use media::{Codec, Kind, Sync, Track};
use mp4_atom::{
    Co64, Ctts, CttsEntry, Edts, Elst, ElstEntry, Encode, FixedPoint, Ftyp, Moov, Mvhd, Stbl, Stsc,
    StscEntry, Stsd, Stss, Stsz, StszSamples, Stts, SttsEntry, Trak,
};

use super::fragment::Boxes;
use super::{FragmentSample, Unencodable, init};

/// Ticks per second of `mvhd` and edit lists.
const MOVIE: u32 = 90_000;

/// The samples of a track.
#[derive(Clone, Debug)]
pub struct SampleTable {
    /// One a sample description.
    tracks: Vec<Track>,
    /// When the first sample is decoded, in ticks.
    start: i64,
    /// When the last one ends.
    end: i64,
    durations: Vec<(u32, u32)>,
    offsets: Vec<(u32, i32)>,
    sizes: Vec<u32>,
    /// Samples where decoding may begin, from one.
    sync: Vec<u32>,
    chunks: Vec<StscEntry>,
    /// Where chunks begin in the payload.
    places: Vec<u64>,
}

/// Samples that do not go into one track with those before them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unlike {
    /// Pictures of another size.
    #[error("the size of its pictures changes")]
    PictureSize,
    /// Sound of another sampling rate or number of channels.
    #[error("the format of its sound changes")]
    Sound,
    /// Another codec.
    #[error("its codec changes")]
    Codec,
}

impl SampleTable {
    /// A table without samples.
    pub fn new(track: Track) -> SampleTable {
        SampleTable {
            tracks: vec![track],
            start: 0,
            end: 0,
            durations: Vec::new(),
            offsets: Vec::new(),
            sizes: Vec::new(),
            sync: Vec::new(),
            chunks: Vec::new(),
            places: Vec::new(),
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Adds samples whose payload is one piece, `place` bytes behind the beginning of the payload of all. The first is
    /// decoded at `at`, in ticks from the beginning of the movie.
    ///
    /// What lies between the last sample and these makes the last one longer; where they come too early, it is shorter.
    pub fn add(
        &mut self,
        track: &Track,
        at: i64,
        place: u64,
        samples: &[FragmentSample],
    ) -> Result<(), Unlike> {
        if samples.is_empty() {
            return Ok(());
        }
        let description = self.description(track)?;
        if self.is_empty() {
            (self.start, self.end) = (at, at);
        }
        self.stretch(at - self.end);
        self.chunk(place, samples.len() as u32, description);
        for sample in samples {
            self.sample(sample);
        }
        Ok(())
    }

    fn sample(&mut self, sample: &FragmentSample) {
        self.sizes.push(sample.size);
        if sample.sync == Sync::Yes {
            self.sync.push(self.sizes.len() as u32);
        }
        count(&mut self.durations, sample.duration);
        count(&mut self.offsets, sample.composition_offset);
        self.end += i64::from(sample.duration);
    }

    /// The number of the sample description, from one. A new one where the decoder is told something new.
    fn description(&mut self, track: &Track) -> Result<u32, Unlike> {
        if let Some(known) = self.tracks.iter().position(|it| it == track) {
            return Ok(known as u32 + 1);
        }
        let size = |codec: &Codec| codec.picture().map(|picture| picture.display_size());
        let sound = |codec: &Codec| codec.sound().map(|sound| (sound.sample_rate, sound.channels));
        match self.tracks.first().map(|it| (&it.codec, &track.codec)) {
            Some((one, other)) if discriminant(one) != discriminant(other) => Err(Unlike::Codec),
            Some((one, other)) if size(one) != size(other) => Err(Unlike::PictureSize),
            Some((one, other)) if sound(one) != sound(other) => Err(Unlike::Sound),
            _ if self.tracks.first().is_some_and(|it| it.timescale != track.timescale) => Err(Unlike::Sound),
            _ => {
                self.tracks.push(track.clone());
                Ok(self.tracks.len() as u32)
            }
        }
    }

    /// Moves the end of the last sample. None is shorter than a tick, so that decode times grow.
    fn stretch(&mut self, ticks: i64) {
        let mut missing = ticks;
        let mut tail = Vec::new();
        while missing != 0
            && let Some(duration) = uncount(&mut self.durations)
        {
            let wanted = i64::from(duration) + missing;
            let given = wanted.clamp(1, u32::MAX.into());
            tail.push(given as u32);
            missing = if missing < 0 { wanted - given } else { 0 };
            self.end += given - i64::from(duration);
        }
        tail.into_iter().rev().for_each(|duration| count(&mut self.durations, duration));
    }

    fn chunk(&mut self, place: u64, samples_per_chunk: u32, sample_description_index: u32) {
        self.places.push(place);
        let first_chunk = self.places.len() as u32;
        let entry = StscEntry { first_chunk, samples_per_chunk, sample_description_index };
        let same = |last: &StscEntry| {
            (last.samples_per_chunk, last.sample_description_index)
                == (entry.samples_per_chunk, entry.sample_description_index)
        };
        if !self.chunks.last().is_some_and(same) {
            self.chunks.push(entry);
        }
    }

    fn hz(&self) -> u32 {
        self.tracks.first().map_or(MOVIE, |track| track.timescale.hz())
    }

    /// Ticks of the movie.
    fn movie(&self, ticks: i64) -> u64 {
        let ticks = u128::try_from(ticks).unwrap_or_default() * u128::from(MOVIE);
        u64::try_from(ticks / u128::from(self.hz())).unwrap_or(u64::MAX)
    }
}

/// The bytes of a progressive file before `payload` bytes of media. Tables without samples are left out.
pub fn progressive_header(tables: &[SampleTable], payload: u64) -> Result<Bytes, Unencodable> {
    let codec = |source| Unencodable { codec: "progressive", source };
    let tables: Vec<&SampleTable> = tables.iter().filter(|table| !table.is_empty()).collect();
    // Its length does not depend on where the payload begins.
    let before = head(&tables, 0, payload).map_err(codec)?.len() as u64;
    head(&tables, before, payload).map(Bytes::from).map_err(codec)
}

fn head(tables: &[&SampleTable], before: u64, payload: u64) -> Result<Vec<u8>, mp4_atom::Error> {
    let samples: usize = tables.iter().map(|table| table.len()).sum();
    let mut out = Vec::with_capacity(2048 + samples * 8);
    let ftyp = Ftyp {
        major_brand: b"mp42".into(),
        minor_version: 0,
        compatible_brands: vec![b"mp42".into(), b"isom".into(), b"iso4".into()],
    };
    ftyp.encode(&mut out)?;
    moov(tables, before)?.encode(&mut out)?;
    let mut out = Boxes(out);
    out.mdat_header(payload);
    Ok(out.0)
}

fn moov(tables: &[&SampleTable], before: u64) -> Result<Moov, mp4_atom::Error> {
    let trak = |(id, table): (u32, &&SampleTable)| table.trak(id, before);
    Ok(Moov {
        mvhd: Mvhd {
            timescale: MOVIE,
            duration: tables.iter().map(|table| table.movie(table.end)).max().unwrap_or_default(),
            rate: FixedPoint::from(1),
            volume: FixedPoint::from(1),
            next_track_id: tables.len() as u32 + 1,
            ..Default::default()
        },
        trak: (1..).zip(tables).map(trak).collect::<Result<_, _>>()?,
        ..Default::default()
    })
}

impl SampleTable {
    fn trak(&self, id: u32, before: u64) -> Result<Trak, mp4_atom::Error> {
        let mut traks = self.tracks.iter().map(init::trak).collect::<Result<Vec<_>, _>>()?;
        let codecs = traks.iter_mut().flat_map(|it| std::mem::take(&mut it.mdia.minf.stbl.stsd.codecs));
        let codecs = codecs.collect();
        let mut trak = traks.swap_remove(0);
        trak.tkhd.track_id = id;
        trak.tkhd.duration = self.movie(self.end);
        trak.edts = (self.start > 0).then(|| self.edits());
        trak.mdia.mdhd.duration = u64::try_from(self.end - self.start).unwrap_or_default();
        trak.mdia.minf.stbl = self.stbl(Stsd { codecs }, before);
        Ok(trak)
    }

    /// Nothing until it begins (ISO/IEC 14496-12 §8.6.6).
    fn edits(&self) -> Edts {
        let entry = |ticks, media_time| ElstEntry {
            segment_duration: self.movie(ticks),
            media_time,
            media_rate: FixedPoint::from(1),
        };
        let entries = vec![entry(self.start, None), entry(self.end - self.start, Some(0))];
        Edts { elst: Some(Elst { entries }) }
    }

    fn stbl(&self, stsd: Stsd, before: u64) -> Stbl {
        let video = self.tracks.first().is_some_and(|track| track.kind() == Kind::Video);
        Stbl {
            stsd,
            stts: Stts { entries: self.durations.iter().map(|&run| stts(run)).collect() },
            ctts: self
                .offsets
                .iter()
                .any(|run| run.1 != 0)
                .then(|| Ctts { entries: self.offsets.iter().map(|&run| ctts(run)).collect() }),
            stss: (video && self.sync.len() < self.sizes.len()).then(|| Stss { entries: self.sync.clone() }),
            stsc: Stsc { entries: self.chunks.clone() },
            stsz: Stsz { samples: StszSamples::Different { sizes: self.sizes.clone() } },
            co64: Some(Co64 { entries: self.places.iter().map(|place| before + place).collect() }),
            ..Default::default()
        }
    }
}

fn stts((sample_count, sample_delta): (u32, u32)) -> SttsEntry {
    SttsEntry { sample_count, sample_delta }
}

fn ctts((sample_count, offset): (u32, i32)) -> CttsEntry {
    CttsEntry { sample_count, sample_offset: offset.into() }
}

/// One more of a value.
fn count<T: PartialEq>(runs: &mut Vec<(u32, T)>, value: T) {
    match runs.last_mut() {
        Some((count, last)) if *last == value => *count += 1,
        _ => runs.push((1, value)),
    }
}

/// One less of the last.
fn uncount<T: Copy>(runs: &mut Vec<(u32, T)>) -> Option<T> {
    let (count, value) = runs.last_mut()?;
    let value = *value;
    *count -= 1;
    if *count == 0 {
        runs.pop();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use media::Timescale;
    use media::codec::{Aac, Avc};
    use mp4_atom::{Any, DecodeMaybe};

    use super::*;

    const AVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/avcc-720p.bin");

    fn video() -> Track {
        let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
        Track::new(Codec::Avc(avc), Timescale::VIDEO)
    }

    fn audio(config: &'static [u8]) -> Track {
        let aac = Aac::parse(Bytes::from_static(config)).expect("valid");
        let timescale = Timescale::new(aac.sample_rate).expect("a rate");
        Track::new(Codec::Aac(aac), timescale)
    }

    fn samples(count: usize, duration: u32) -> Vec<FragmentSample> {
        let sample = |at: usize| FragmentSample {
            duration,
            size: 100 + at as u32,
            composition_offset: [0, 6000, -3000][at % 3],
            sync: if at == 0 { Sync::Yes } else { Sync::No },
        };
        (0..count).map(sample).collect()
    }

    fn moov(tables: &[SampleTable], payload: u64) -> (Moov, Bytes) {
        let header = progressive_header(tables, payload).expect("encodable");
        let mut rest = &header[..];
        let mut kinds = Vec::new();
        let mut found = None;
        while rest.len() > 16
            && let Some(any) = Any::decode_maybe(&mut rest).expect("valid boxes")
        {
            kinds.push(any.kind().to_string());
            if let Any::Moov(moov) = any {
                found = Some(moov);
            }
        }
        assert_eq!(kinds, ["ftyp", "moov"], "fast start: moov comes before mdat");
        (found.expect("moov"), header)
    }

    /// ISO/IEC 14496-12 §8.6 and §8.7: the tables say of each sample when and where it is.
    #[test]
    fn an_independent_parser_reads_the_tables() {
        let mut table = SampleTable::new(video());
        table.add(&video(), 0, 0, &samples(3, 3000)).expect("alike");
        table.add(&video(), 9000, 5000, &samples(3, 3000)).expect("alike");
        let (moov, header) = moov(&[table], 9999);
        let trak = &moov.trak[0];
        assert_eq!((moov.mvhd.duration, trak.mdia.mdhd.duration), (18_000, 18_000));
        let stbl = &trak.mdia.minf.stbl;
        assert_eq!(stbl.stts.entries, [stts((6, 3000))]);
        let offsets = &stbl.ctts.as_ref().expect("ctts").entries;
        assert_eq!(
            offsets.iter().map(|it| it.sample_offset).collect::<Vec<_>>(),
            [0, 6000, -3000, 0, 6000, -3000]
        );
        assert_eq!(stbl.stss.as_ref().expect("stss").entries, [1, 4]);
        let chunk = StscEntry { first_chunk: 1, samples_per_chunk: 3, sample_description_index: 1 };
        assert_eq!(stbl.stsc.entries, [chunk], "alike chunks are said once");
        let before = header.len() as u64;
        assert_eq!(stbl.co64.as_ref().expect("co64").entries, [before, before + 5000]);
        assert_eq!(&header[header.len() - 4..], b"mdat");
        let StszSamples::Different { sizes } = &stbl.stsz.samples else { panic!("sizes differ") };
        assert_eq!(sizes, &[100, 101, 102, 100, 101, 102]);
        assert!(trak.edts.is_none(), "it begins with the movie");
    }

    /// Time is that of the movie: what is missing makes the sample before it longer, an overlap shorter.
    #[test]
    fn holes_and_overlaps_move_no_later_sample() {
        for (next, durations, end) in [
            (6000, vec![(4, 3000)], 12_000),
            (7500, vec![(1, 3000), (1, 4500), (2, 3000)], 13_500),
            (5000, vec![(1, 3000), (1, 2000), (2, 3000)], 11_000),
            (2000, vec![(1, 1999), (1, 1), (2, 3000)], 8000),
        ] {
            let mut table = SampleTable::new(video());
            table.add(&video(), 0, 0, &samples(2, 3000)).expect("alike");
            table.add(&video(), next, 1000, &samples(2, 3000)).expect("alike");
            assert_eq!((table.durations.clone(), table.end), (durations, end), "{next}");
        }
    }

    /// ISO/IEC 14496-12 §8.6.6: an empty edit for a track that begins later.
    #[test]
    fn a_track_that_begins_later_has_an_edit_list() {
        const AAC: &[u8] = &[0x11, 0x90];
        let (mut one, mut other) = (SampleTable::new(video()), SampleTable::new(audio(AAC)));
        one.add(&video(), 0, 0, &samples(2, 90_000)).expect("alike");
        other.add(&audio(AAC), 480, 300, &samples(10, 1024)).expect("alike");
        let (moov, _) = moov(&[one, SampleTable::new(video()), other], 1000);
        assert_eq!(moov.trak.iter().map(|it| it.tkhd.track_id).collect::<Vec<_>>(), [1, 2]);
        let edits = moov.trak[1].edts.as_ref().and_then(|it| it.elst.as_ref()).expect("an edit list");
        let edits: Vec<_> = edits.entries.iter().map(|it| (it.segment_duration, it.media_time)).collect();
        assert_eq!(edits, [(900, None), (19_200, Some(0))]);
        assert_eq!(moov.trak[1].tkhd.duration, 20_100);
        assert!(moov.trak[1].mdia.minf.stbl.stss.is_none(), "sound can be decoded anywhere");
    }

    /// ISO/IEC 14496-12 §8.5.2: a sample description for each configuration; what no player follows is refused.
    #[test]
    fn another_configuration_is_another_description_or_refused() {
        let mut table = SampleTable::new(video());
        table.add(&video(), 0, 0, &samples(1, 3000)).expect("alike");
        let Codec::Avc(avc) = video().codec else { panic!("H.264") };
        let mut record = avc.record.to_vec();
        record[2] ^= 0x40;
        let same_size = Avc { record: record.into(), ..avc.clone() };
        let same_size = Track { codec: Codec::Avc(same_size), ..video() };
        table.add(&same_size, 3000, 100, &samples(1, 3000)).expect("the same size");
        let larger = Track { codec: Codec::Avc(Avc { width: 1920, height: 1080, ..avc }), ..video() };
        assert_eq!(table.add(&larger, 6000, 200, &samples(1, 3000)), Err(Unlike::PictureSize));
        assert_eq!(table.add(&audio(&[0x11, 0x90]), 6000, 200, &samples(1, 3000)), Err(Unlike::Codec));
        let (moov, _) = moov(std::slice::from_ref(&table), 200);
        let stbl = &moov.trak[0].mdia.minf.stbl;
        assert_eq!(stbl.stsd.codecs.len(), 2);
        assert_eq!(
            stbl.stsc.entries.iter().map(|it| it.sample_description_index).collect::<Vec<_>>(),
            [1, 2]
        );

        let mut table = SampleTable::new(audio(&[0x11, 0x90]));
        table.add(&audio(&[0x11, 0x90]), 0, 0, &samples(1, 1024)).expect("alike");
        let mono = audio(&[0x11, 0x88]);
        assert_eq!(table.add(&mono, 1024, 100, &samples(1, 1024)), Err(Unlike::Sound));
    }

    /// ISO/IEC 14496-12 §4.2: a box past 4 GiB.
    #[test]
    fn a_large_payload_has_a_large_size() {
        let mut table = SampleTable::new(video());
        table.add(&video(), 0, 5 << 30, &samples(1, 3000)).expect("alike");
        let (moov, header) = moov(&[table], 6 << 30);
        assert_eq!(&header[header.len() - 16..header.len() - 8], b"\0\0\0\x01mdat");
        let places = &moov.trak[0].mdia.minf.stbl.co64.as_ref().expect("co64").entries;
        assert_eq!(places, &[header.len() as u64 + (5 << 30)]);
    }
}
