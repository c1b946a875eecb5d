//! One timeline for all tracks of a period: from a publisher's timestamps to ticks since the period's zero.
//!
//! A sample leaves when its successor is known, with the exact distance to it as its duration, so that the sum
//! of durations always is the next decode time.
//!
//! * Video: 90 kHz. Decode times are shifted by the first IDR's composition offset, so that the earliest
//!   presentation time of a segment is its decode time. An IDR whose presentation time differs from that by
//!   timestamp rounding alone takes its presentation time as decode time. One that is presented later says that
//!   the first offset was not the encoder's delay, and gives the shift from there on.
//! * Audio: the sample rate. Frames are exactly as long as they are; timestamps only matter when they deviate
//!   by more than 40 ms.

use std::time::Duration;

use media::{Codec, MediaTime, Sample, Sync, Timescale, Track};

/// Beyond this an audio timestamp is believed over the count of samples.
const AUDIO_TOLERANCE: Duration = Duration::from_millis(40);
/// Within this an IDR's decode time is taken from its presentation time.
const ROUNDING: Duration = Duration::from_millis(20);

/// The most that pictures are reordered by: sixteen at 16 fps.
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// The timescale of a track's samples when they leave the packager.
pub fn output_timescale(codec: &Codec) -> Timescale {
    codec.sound().and_then(|sound| Timescale::new(sound.sample_rate)).unwrap_or(Timescale::VIDEO)
}

/// What became of a sample.
#[derive(Debug)]
pub enum Aligned {
    /// It waits for its successor; its predecessor, if any, is ready.
    Held(Option<Sample>),
    /// It lies before its predecessor's end by more than rounding and was let go.
    Dropped,
}

/// The timeline of one track in one period.
#[derive(Debug)]
pub struct Aligner {
    from: Timescale,
    to: Timescale,
    /// The period's zero in ticks of `from`.
    zero: i64,
    /// What says how long a frame is, for audio.
    sound: Option<Codec>,
    /// The first IDR's composition offset in ticks of `from`.
    shift: Option<i64>,
    pending: Option<Sample>,
    /// End of what has left; the next sample starts there when nothing is pending.
    end: Option<i64>,
    /// Ticks of `to` that the pending sample lasts, as far as is known without its successor.
    nominal: u32,
}

impl Aligner {
    /// The timeline of a track that begins at `zero`.
    pub fn new(track: &Track, zero: MediaTime) -> Aligner {
        let to = output_timescale(&track.codec);
        let sound = track.codec.sound();
        let nominal = sound.map_or(to.hz() / 30, |sound| sound.frame_length);
        Aligner {
            from: track.timescale,
            to,
            zero: zero.to(track.timescale),
            sound: sound.map(|_| track.codec.clone()),
            shift: None,
            pending: None,
            end: None,
            nominal,
        }
    }

    /// Takes the next sample in decode order.
    pub fn push(&mut self, sample: Sample) -> Aligned {
        match &self.sound {
            Some(codec) => {
                // Frames of some codecs are not all of one length, and say it themselves.
                let frame = codec.sample_duration(&sample.data);
                self.push_audio(sample, frame)
            }
            None => self.push_video(sample),
        }
    }

    /// Lets the pending sample go with the duration of its predecessor: its successor is late or never comes.
    pub fn flush(&mut self) -> Option<Sample> {
        let mut sample = self.pending.take()?;
        sample.duration = self.nominal;
        self.end = Some(sample.dts + i64::from(sample.duration));
        Some(sample)
    }

    /// The sample that waits for its successor.
    pub fn pending(&self) -> Option<&Sample> {
        self.pending.as_ref()
    }

    /// A publisher's timestamp with its scale.
    pub fn source_time(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.from)
    }

    fn position(&self, ticks: i64) -> i64 {
        self.from.rescale(ticks.saturating_sub(self.zero), self.to)
    }

    fn push_video(&mut self, mut sample: Sample) -> Aligned {
        let offset = i64::from(sample.composition_offset);
        let shift = *self.shift.get_or_insert(offset);
        let presented = self.position(sample.pts());
        let mut dts = self.position(sample.dts + shift);
        if sample.sync == Sync::Yes {
            let late = presented - dts;
            let rounding = self.to.ticks(ROUNDING);
            // GStreamer's first decode times stand still until the delay of its B-frames is made up.
            if (rounding..=self.to.ticks(LONGEST_DELAY)).contains(&late) {
                self.shift = Some(offset);
            }
            if (-rounding..=self.to.ticks(LONGEST_DELAY)).contains(&late) {
                dts = presented;
            }
        }
        dts = match (&self.pending, self.end) {
            (Some(pending), _) => dts.max(pending.dts + 1),
            (None, Some(end)) => end,
            (None, None) => dts.max(0),
        };
        sample.dts = dts;
        sample.composition_offset = (presented - dts).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let previous = self.replace(sample);
        self.nominal = previous.as_ref().map_or(self.nominal, |previous| previous.duration);
        Aligned::Held(previous)
    }

    /// `frame` is how long the sample lasts, where it says so; else it is as long as the one before it.
    fn push_audio(&mut self, mut sample: Sample, frame: Option<u32>) -> Aligned {
        let stamped = self.position(sample.dts);
        let tolerance = self.to.ticks(AUDIO_TOLERANCE);
        sample.dts = match (&self.pending, self.end) {
            // Audio from before the period began would only push what follows out of sync.
            (None, None) if stamped < -self.to.ticks(Duration::from_millis(1)) => return Aligned::Dropped,
            (Some(pending), _) => {
                let expected = pending.dts + i64::from(self.nominal);
                match stamped - expected {
                    late if late < -tolerance => return Aligned::Dropped,
                    early if early > tolerance => stamped,
                    _ => expected,
                }
            }
            (None, Some(end)) if stamped < end - tolerance => return Aligned::Dropped,
            (None, Some(end)) => end,
            (None, None) => stamped.max(0),
        };
        sample.composition_offset = 0;
        let previous = self.replace(sample);
        self.nominal = frame.unwrap_or(self.nominal);
        Aligned::Held(previous)
    }

    fn replace(&mut self, sample: Sample) -> Option<Sample> {
        let next = sample.dts;
        let mut previous = self.pending.replace(sample)?;
        previous.duration = (next - previous.dts).clamp(1, u32::MAX.into()) as u32;
        self.end = Some(next);
        Some(previous)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::codec::Aac;

    use super::*;
    use crate::fixture;

    fn video(dts: i64, composition_offset: i32, sync: bool) -> Sample {
        let sync = if sync { Sync::Yes } else { Sync::No };
        Sample { dts, composition_offset, duration: 0, sync, data: vec![0].into() }
    }

    fn run(aligner: &mut Aligner, samples: impl IntoIterator<Item = Sample>) -> Vec<Sample> {
        let mut out = Vec::new();
        for sample in samples {
            if let Aligned::Held(Some(sample)) = aligner.push(sample) {
                out.push(sample);
            }
        }
        out.extend(aligner.flush());
        out
    }

    fn assert_contiguous(samples: &[Sample]) {
        for pair in samples.windows(2) {
            assert_eq!(pair[0].dts + i64::from(pair[0].duration), pair[1].dts);
        }
    }

    #[test]
    fn negative_offsets_put_the_first_picture_at_zero() {
        // Two B-frames: decode order I P B B, 40 ms a picture, one picture of delay.
        let mut aligner = Aligner::new(&fixture::video_track(), MediaTime::new(40, Timescale::MILLIS));
        let out = run(
            &mut aligner,
            [video(0, 40, true), video(40, 120, false), video(80, 0, false), video(120, 0, false)],
        );
        let times: Vec<_> = out.iter().map(|s| (s.dts, s.pts())).collect();
        assert_eq!(times, [(0, 0), (3600, 10_800), (7200, 3600), (10_800, 7200)]);
        assert_contiguous(&out);
    }

    #[test]
    fn rounding_at_an_idr_moves_its_decode_time_and_no_presentation_time() {
        let mut aligner = Aligner::new(&fixture::video_track(), MediaTime::new(66, Timescale::MILLIS));
        let out = run(
            &mut aligner,
            [video(0, 66, true), video(33, 67, false), video(67, 67, true), video(100, 66, false)],
        );
        assert_eq!(out[2].composition_offset, 0);
        let presented: Vec<_> = out.iter().map(|s| s.pts()).collect();
        assert_eq!(presented, [0, 34 * 90, 68 * 90, 100 * 90]);
        assert_contiguous(&out);
    }

    #[test]
    fn a_delay_that_shows_only_at_the_second_idr_is_the_shift_from_there_on() {
        // As GStreamer's flvmux stamps two B-frames at 30 fps: decode times stand still at first.
        let mut aligner = Aligner::new(&fixture::video_track(), MediaTime::new(0, Timescale::MILLIS));
        let samples = [(0, 0, true), (0, 100, false), (0, 33, false), (33, 33, false), (67, 66, true)];
        let samples = samples.into_iter().chain([(100, 133, false), (133, 34, false), (200, 67, true)]);
        let out = run(&mut aligner, samples.map(|(dts, offset, key)| video(dts, offset, key)));
        let keys: Vec<_> = out.iter().filter(|s| s.sync == Sync::Yes).map(|s| (s.dts, s.pts())).collect();
        assert_eq!(keys, [(0, 0), (133 * 90, 133 * 90), (267 * 90, 267 * 90)]);
        assert_contiguous(&out);
    }

    fn audio(dts: i64) -> Sample {
        Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data: vec![0].into() }
    }

    fn aac_track() -> Track {
        let aac = Aac::parse(Bytes::from_static(&[0x12, 0x10])).expect("44.1 kHz stereo");
        Track::new(Codec::Aac(aac), Timescale::MILLIS)
    }

    #[test]
    fn audio_frames_are_exact_through_a_day_of_rounded_timestamps() {
        let mut aligner = Aligner::new(&aac_track(), MediaTime::new(0, Timescale::MILLIS));
        let frames = 24 * 3600 * 44_100 / 1024;
        let out = run(&mut aligner, (0..frames).map(|i| audio((i * 1024 * 1000 + 22_050) / 44_100)));
        assert_eq!(out.len() as i64, frames);
        assert!(out.iter().all(|sample| sample.duration == 1024));
    }

    #[test]
    fn frames_that_say_how_long_they_are_are_that_long() {
        let opus =
            Track::new(Codec::Opus(media::codec::Opus::new(2, 312).expect("stereo")), Timescale::MILLIS);
        let mut aligner = Aligner::new(&opus, MediaTime::new(0, Timescale::MILLIS));
        // CELT of 20 ms, 2.5 ms and 10 ms.
        let packet = |dts, toc: u8| Sample { data: vec![toc].into(), ..audio(dts) };
        let out = run(&mut aligner, [packet(0, 0xf8), packet(20, 0xe0), packet(22, 0xf0), packet(32, 0xf8)]);
        assert_eq!(out.iter().map(|s| s.duration).collect::<Vec<_>>(), [960, 120, 480, 960]);
        assert_contiguous(&out);
    }

    #[test]
    fn a_real_hole_in_audio_becomes_one_long_frame() {
        let mut aligner = Aligner::new(&aac_track(), MediaTime::new(0, Timescale::MILLIS));
        let out = run(&mut aligner, [audio(0), audio(23), audio(246), audio(269)]);
        let durations: Vec<_> = out.iter().map(|s| s.duration).collect();
        assert_eq!(durations, [1024, 10_849 - 1024, 1024, 1024]);
        assert_contiguous(&out);
    }

    #[test]
    fn audio_that_repeats_itself_is_dropped_until_it_is_new() {
        let mut aligner = Aligner::new(&aac_track(), MediaTime::new(0, Timescale::MILLIS));
        let stamps = [0, 23, 46, 70, 93, 0, 23, 46, 70, 93, 116];
        let out = run(&mut aligner, stamps.map(audio));
        assert!(out.iter().all(|s| s.duration == 1024));
        assert!((6..=7).contains(&out.len()), "{} frames for 116 ms", out.len());
    }

    #[test]
    fn after_a_flush_the_next_sample_follows_without_gap_or_overlap() {
        for late in [40, 10] {
            let mut aligner = Aligner::new(&fixture::video_track(), MediaTime::new(0, Timescale::MILLIS));
            let mut out = run(&mut aligner, [video(0, 0, true), video(20, 0, false)]);
            out.extend(run(&mut aligner, [video(20 + late, 0, false), video(100, 0, false)]));
            assert_contiguous(&out);
            assert_eq!(out[3].pts(), 9000);
        }
    }

    #[test]
    fn decode_times_never_stand_still() {
        let mut aligner = Aligner::new(&fixture::video_track(), MediaTime::new(0, Timescale::MILLIS));
        let out = run(&mut aligner, [video(0, 0, true), video(0, 0, false), video(0, 0, false)]);
        assert_eq!(out.iter().map(|s| s.dts).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
