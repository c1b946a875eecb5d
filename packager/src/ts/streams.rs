//! Segments as the elementary streams of one file, with the times of MPEG-TS.
//!
//! All times count from the Unix epoch in ticks of 90 kHz and wrap when they are written, so they go on from segment
//! to segment, and over a hole between periods by as long as it lasted.

use container::ts;
use media::codec::Avc;
use media::{Codec, MediaTime, Timescale};

use super::Error;
use crate::presentation::Segment;
use crate::samples::{Frame, of_segment};

/// 90 kHz (ISO/IEC 13818-1 §2.4.3.7).
const CLOCK: Timescale = Timescale::VIDEO;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Streams {
    video: Option<ts::Video>,
    audio: Option<ts::Audio>,
}

impl Streams {
    /// Adds what a segment has. One without media adds nothing.
    pub(super) fn add(&mut self, segment: &Segment) -> Result<(), Error> {
        let frames = of_segment(segment)?;
        match segment.init().map(|init| &init.track.codec) {
            Some(Codec::Avc(avc)) => self.video = Some(video(segment, avc, &frames)),
            Some(codec) => self.audio = audio(segment, codec, &frames).or(self.audio.take()),
            None => {}
        }
        Ok(())
    }

    pub(super) fn mux(&self) -> Vec<u8> {
        ts::segment(self.video.as_ref(), self.audio.as_ref())
    }
}

fn video(segment: &Segment, avc: &Avc, frames: &[Frame]) -> ts::Video {
    let lead = CLOCK.ticks(avc.reordering());
    let mut frames: Vec<ts::Frame> = frames.iter().map(|frame| timed(segment, frame)).collect();
    frames.iter_mut().for_each(|frame| frame.dts -= lead);
    keep_order(&mut frames);
    ts::Video { length_size: avc.length_size, parameter_sets: avc.parameter_sets(), frames }
}

/// No picture is decoded later than it is shown, nor later than the one after it. In fragments it may be, by as much
/// as negative composition offsets say, and configurations are not always right about how much that is.
fn keep_order(frames: &mut [ts::Frame]) {
    let mut latest = i64::MAX;
    for frame in frames.iter_mut().rev() {
        frame.dts = frame.dts.min(frame.pts).min(latest - 1);
        latest = frame.dts;
    }
}

fn audio(segment: &Segment, codec: &Codec, frames: &[Frame]) -> Option<ts::Audio> {
    let framing = ts::Framing::of(codec)?;
    let samples = frames.first().and_then(|first| codec.sample_duration(&first.data));
    let samples = samples.or_else(|| Some(codec.sound()?.frame_length))?;
    let frame_duration = MediaTime::new(samples.into(), segment.scale).to(CLOCK);
    let frames = frames.iter().map(|frame| timed(segment, frame)).collect();
    Some(ts::Audio { framing, frame_duration, frames })
}

fn timed(segment: &Segment, frame: &Frame) -> ts::Frame {
    let zero = MediaTime::new(segment.period.start.micros(), Timescale::MICROS).to(CLOCK);
    let since = |ticks: i64| zero + segment.scale.rescale(ticks, CLOCK);
    let sample = &frame.sample;
    let dts = since(frame.dts);
    ts::Frame {
        pts: since(frame.dts + i64::from(sample.composition_offset)),
        dts,
        duration: since(frame.dts + i64::from(sample.duration)) - dts,
        sync: sample.sync,
        data: frame.data.clone(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Sync;

    use super::*;

    #[test]
    fn decode_times_never_pass_what_is_shown_nor_each_other() {
        let frame = |dts, pts| ts::Frame { pts, dts, duration: 40, sync: Sync::No, data: Bytes::new() };
        let mut frames = [frame(0, 0), frame(40, 120), frame(80, 40), frame(120, 80), frame(160, 160)];
        keep_order(&mut frames);
        assert_eq!(frames.map(|frame| frame.dts), [0, 39, 40, 80, 160]);
    }
}
