//! What comes out of an intake.

use std::collections::BTreeMap;

use ingest::ts::{Counters, Intake, Limits};
use media::{Codec, Sample, Sync, Track, TrackId};
use packager::{Now, Packager};
use stream::Input;
use stream::metadata::Scheme;

/// All of it.
#[derive(Debug, Default)]
pub struct Seen {
    pub inputs: Vec<Input>,
    pub counters: Counters,
}

/// What is told of an input: enough to tell two of them apart.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    Announce(bool, bool),
    Track(TrackId, Track),
    Sample(TrackId, i64, i32, Sync, Vec<u8>),
    Metadata(Scheme, i64, Vec<u8>),
}

impl Seen {
    /// Everything of a stream, to its proper end.
    pub fn of(bytes: &[u8]) -> Seen {
        Seen::in_pieces(&mut bytes.chunks(1316))
    }

    pub fn in_pieces(pieces: &mut dyn Iterator<Item = &[u8]>) -> Seen {
        let mut intake = Intake::new(Limits::default());
        let mut inputs = Vec::new();
        pieces.for_each(|piece| intake.push(piece, &mut |input| inputs.push(input)));
        intake.finish(true, &mut |input| inputs.push(input));
        Seen { inputs, counters: intake.counters() }
    }

    pub fn told(&self) -> Vec<Told> {
        let told = |input: &Input| match input {
            Input::Announce { video, audio } => Told::Announce(*video, *audio),
            Input::Track { id, track } => Told::Track(*id, track.clone()),
            Input::Sample { id, sample } => {
                let Sample { dts, composition_offset, sync, data, .. } = sample;
                Told::Sample(*id, *dts, *composition_offset, *sync, data.to_vec())
            }
            Input::Metadata { scheme, pts, data, .. } => Told::Metadata(*scheme, *pts, data.to_vec()),
        };
        self.inputs.iter().map(told).collect()
    }

    /// What a track was described as, each time.
    pub fn tracks(&self, id: TrackId) -> Vec<&Track> {
        let of = |input| match input {
            &Input::Track { id: of, ref track } if of == id => Some(track),
            _ => None,
        };
        self.inputs.iter().filter_map(of).collect()
    }

    /// The only description of a track.
    pub fn codec(&self, id: TrackId) -> &Codec {
        let tracks = self.tracks(id);
        assert_eq!(tracks.len(), 1, "{id} is described once");
        &tracks[0].codec
    }

    pub fn samples(&self, id: TrackId) -> Vec<&Sample> {
        let of = |input| match input {
            &Input::Sample { id: of, ref sample } if of == id => Some(sample),
            _ => None,
        };
        self.inputs.iter().filter_map(of).collect()
    }

    /// Presentation and decode times.
    pub fn times(&self, id: TrackId) -> Vec<(i64, i64)> {
        self.samples(id).iter().map(|sample| (sample.pts(), sample.dts)).collect()
    }

    pub fn payload(&self, id: TrackId) -> Vec<u8> {
        self.samples(id).iter().flat_map(|sample| sample.data.to_vec()).collect()
    }

    /// What a packager makes of it: how many periods, and which tracks each of them begins with.
    pub fn packaged(&self) -> (u64, BTreeMap<u64, Vec<String>>, u64) {
        let mut packager = Packager::new(
            Default::default(),
            packager::Numbers::unknown(media::WallTime::from_millis(0)),
            false,
        );
        let feed = packager.join(None);
        let began = std::time::Instant::now();
        let mut arrived = began;
        for input in self.inputs.clone() {
            match input {
                Input::Announce { video, audio } => packager.announce_of(feed, video, audio),
                Input::Track { id, track } => packager.track_of(feed, id, track),
                Input::Sample { id, sample } => {
                    if id.kind == media::Kind::Video {
                        arrived += std::time::Duration::from_millis(40);
                    }
                    let since = i64::try_from((arrived - began).as_millis()).unwrap();
                    packager.push_of(
                        feed,
                        id,
                        sample,
                        Now { instant: arrived, wall: media::WallTime::from_millis(since) },
                    );
                }
                Input::Metadata { .. } => {}
            }
        }
        packager.end(media::WallTime::from_millis(i64::try_from((arrived - began).as_millis()).unwrap()));
        let mut periods = BTreeMap::<u64, Vec<String>>::new();
        for record in packager.take_log() {
            if let packager::Record::Part { rendition, period, .. } = record {
                let names = periods.entry(period.number).or_default();
                if !names.contains(&rendition.to_string()) {
                    names.push(rendition.to_string());
                }
            }
        }
        (packager.counts().periods, periods, packager.counts().dropped)
    }
}

pub fn audio(index: u8) -> TrackId {
    TrackId { kind: media::Kind::Audio, index }
}
