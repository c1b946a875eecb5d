//! Random legal streams: whatever an encoder may send, the timeline is contiguous, monotonic and exact, and no
//! sample is lost or changed.

mod common;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use common::{Publisher, audio_track, check, moof, video_track};
use media::{Sample, Sync, TrackId};
use packager::{Rendition, Settings};
use proptest::prelude::*;

/// How an encoder behaves.
#[derive(Clone, Debug)]
struct Encoder {
    fps: u32,
    /// Frames between keyframes, cycled through.
    gops: Vec<u32>,
    /// Consecutive B-frames.
    b_frames: u32,
    open_gop: bool,
    /// Milliseconds that the audio timestamps begin after the video's.
    audio_offset: i64,
    /// How much earlier than the video the audio is sent.
    audio_ahead: i64,
    start: i64,
    frames: u32,
}

fn encoder() -> impl Strategy<Value = Encoder> {
    (
        prop_oneof![Just(15u32), Just(24), Just(25), Just(30), Just(50), Just(60)],
        prop::collection::vec(5u32..150, 1..4),
        0u32..4,
        any::<bool>(),
        -80i64..80,
        -300i64..300,
        prop_oneof![Just(0i64), Just(16_777_000), Just(4_294_967_000), 0i64..1_000_000],
        100u32..500,
    )
        .prop_map(|(fps, gops, b_frames, open_gop, audio_offset, audio_ahead, start, frames)| Encoder {
            fps,
            gops,
            b_frames,
            open_gop,
            audio_offset,
            audio_ahead,
            start,
            frames,
        })
}

/// A sample with the time at which it is sent.
type Sent = (i64, TrackId, Sample);

impl Encoder {
    fn millis(&self, frame: i64) -> i64 {
        (frame * 1000 + i64::from(self.fps) / 2).div_euclid(i64::from(self.fps))
    }

    /// Pictures in decode order: a keyframe or P, then the B-frames that are shown before it.
    fn video(&self) -> Vec<Sent> {
        let delay = i64::from(self.b_frames > 0);
        let mut order: Vec<(i64, Sync)> = Vec::new();
        let mut shown = 0;
        for gop in self.gops.iter().cycle() {
            if order.len() as u32 >= self.frames {
                break;
            }
            self.gop(shown, i64::from(*gop), &mut order);
            shown += i64::from(*gop);
        }
        order
            .into_iter()
            .enumerate()
            .map(|(decoded, (shown, sync))| {
                let dts = self.start + self.millis(decoded as i64);
                let pts = self.start + self.millis(shown + delay * i64::from(self.b_frames.max(1)));
                let data = format!("picture {decoded}").into_bytes().into();
                let offset = (pts - dts) as i32;
                (dts, TrackId::VIDEO, Sample { dts, composition_offset: offset, duration: 0, sync, data })
            })
            .collect()
    }

    fn gop(&self, first: i64, len: i64, order: &mut Vec<(i64, Sync)>) {
        let key = match self.open_gop && first > 0 {
            true => Sync::Recovery,
            false => Sync::Yes,
        };
        order.push((first, key));
        let mut at = 1;
        while at < len {
            let reference = (at + i64::from(self.b_frames)).min(len - 1);
            order.push((first + reference, Sync::No));
            order.extend((at..reference).map(|b| (first + b, Sync::No)));
            at = reference + 1;
        }
    }

    fn audio(&self, until: i64) -> Vec<Sent> {
        (0..)
            .map(|frame: i64| (frame, self.start + self.audio_offset.max(-self.start) + (frame * 64 + 1) / 3))
            .take_while(|&(_, dts)| dts < until)
            .map(|(frame, dts)| {
                let data = format!("frame {frame}").into_bytes().into();
                let sample = Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data };
                (dts - self.audio_ahead, TrackId::AUDIO, sample)
            })
            .collect()
    }

    fn sent(&self) -> Vec<Sent> {
        let video = self.video();
        let until = video.last().map_or(0, |(at, ..)| *at);
        let mut sent = video;
        sent.extend(self.audio(until));
        sent.sort_by_key(|(at, ..)| *at);
        sent
    }
}

/// Every sample that a rendition holds, by its payload, with its presentation time in ticks.
fn samples(rendition: &Rendition) -> Vec<(Vec<u8>, i64)> {
    let mut out = Vec::new();
    for part in rendition.segments.values().flat_map(|segment| segment.parts()) {
        let moof = moof(&part.header);
        let traf = &moof.traf[0];
        let payload: Vec<u8> = part.payload.iter().flat_map(|piece: &Bytes| piece.iter().copied()).collect();
        let (mut at, mut offset) = (part.start, 0);
        for entry in traf.trun[0].samples.iter() {
            let size = entry.size.expect("a size") as usize;
            let presented = at + entry.cts.unwrap_or(0);
            out.push((payload[offset..offset + size].to_vec(), presented));
            offset += size;
            at += i64::from(entry.duration.or(traf.tfhd.default_sample_duration).expect("a duration"));
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_the_timeline_is_exact(encoder in encoder()) {
        let settings = Settings { window: Duration::from_secs(600), ..Settings::default() };
        let mut publisher = Publisher::new(settings);
        publisher.packager.announce(true, true);
        publisher.packager.track(TrackId::VIDEO, video_track());
        publisher.packager.track(TrackId::AUDIO, audio_track());
        let sent = encoder.sent();
        let first = sent.first().map_or(0, |(at, ..)| *at);
        for (at, id, sample) in &sent {
            publisher.elapsed = Duration::from_millis((at - first) as u64);
            publisher.packager.push(*id, sample.clone(), publisher.now());
        }
        publisher.end();
        check(publisher.presentation());

        let video = publisher.rendition("video-1");
        let periods: std::collections::HashSet<u64> =
            video.segments.values().map(|segment| segment.period.number).collect();
        prop_assert_eq!(periods.len(), 1, "no discontinuity without a cause");
        let limit = u64::from(publisher.presentation().session.target_duration) * 1_000_000 + 500_000;
        for segment in video.segments.values() {
            prop_assert!((segment.span().micros() as u64) < limit);
        }

        let held: Vec<_> = samples(video);
        let pushed: Vec<_> = sent.iter().filter(|(_, id, _)| *id == TrackId::VIDEO).collect();
        prop_assert_eq!(held.len(), pushed.len(), "every picture");
        let shift = held[0].1 - pushed[0].2.pts() * 90;
        for ((data, presented), (_, _, sample)) in held.iter().zip(&pushed) {
            prop_assert_eq!(&data[..], &sample.data[..], "in decode order, unchanged");
            let off = presented - (sample.pts() * 90 + shift);
            // Where a segment begins without an IDR, a picture may be raised to its start by timestamp rounding.
            let forced = publisher.packager.counts().forced_cuts > 0;
            let tolerance = if encoder.open_gop || forced { 90 } else { 0 };
            prop_assert!(off.abs() <= tolerance, "presentation times are kept: {} ticks off", off);
        }
        check_audio(&publisher, &sent, pushed[0].2.pts(), held[0].1)?;
    }
}

/// Audio frames come in order, none twice, and in sync with the video to the rounding of its timestamps.
fn check_audio(
    publisher: &Publisher,
    sent: &[Sent],
    video_sent: i64,
    video_held: i64,
) -> Result<(), TestCaseError> {
    let audio = publisher.rendition("audio-1");
    let stamps: HashMap<&[u8], i64> = sent
        .iter()
        .filter(|(_, id, _)| *id == TrackId::AUDIO)
        .map(|(_, _, sample)| (&sample.data[..], sample.dts))
        .collect();
    let held = samples(audio);
    for (data, presented) in &held {
        let after_video = stamps[&data[..]] - video_sent;
        let held_after_video = *presented as f64 / 48.0 - video_held as f64 / 90.0;
        let off = held_after_video - after_video as f64;
        let name = String::from_utf8_lossy(data);
        prop_assert!(
            off.abs() <= 1.5,
            "{}, sent {} ms after the video, is {} ms off",
            name,
            after_video,
            off
        );
    }
    // What begins long before the first picture is let go; nothing else is.
    let early = stamps.values().filter(|&&dts| dts - video_sent < -100).count();
    prop_assert!(held.len() + early >= stamps.len(), "{} of {} frames", held.len(), stamps.len());
    Ok(())
}
