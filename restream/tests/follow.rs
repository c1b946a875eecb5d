//! What a target is sent of a session, snapshot by snapshot.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use container::mp4::{Fragment, FragmentSample, fragment_header};
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sync, Timescale, Track, WallTime};
use packager::presentation::Retention;
use packager::{Init, Part, Period, Presentation, Record, Segment, Session};
use restream::follow::{Choice, Follower, Frame, Item};

const PICTURE: i64 = 3600;

/// A session that is made segment by segment: a second each, parts of half a second.
struct Air {
    presentation: Presentation,
    period: Arc<Period>,
    number: u64,
    start: i64,
}

fn avc() -> Codec {
    let color = None;
    let record = Bytes::from_static(b"record");
    Codec::Avc(Avc {
        record,
        width: 320,
        height: 180,
        pixel_aspect: (1, 1),
        length_size: 4,
        interlaced: false,
        in_band: false,
        color,
    })
}

fn period(number: u64, elapsed: u64) -> Arc<Period> {
    let start = WallTime::from_millis(1_000_000);
    Arc::new(Period { number, discontinuity: 0, start, elapsed: Duration::from_secs(elapsed) })
}

impl Air {
    fn new() -> Air {
        let long = Duration::from_secs(60);
        let retention = Retention { live: long, dvr: long, dvr_bytes: 1 << 20, max_bytes: 1 << 30 };
        let (target_duration, part_target) = (1, Duration::from_millis(500));
        let session = Session {
            id: 1,
            target_duration,
            part_target,
            low_latency: true,
            window: long,
            retention,
            burnt: None,
        };
        let presentation = Presentation::new(Arc::new(session), WallTime::from_millis(0));
        Air { presentation, period: period(1, 0), number: 1, start: 0 }
    }

    /// A second more; only its first half, where it is open.
    fn second(&mut self, open: bool) {
        let parts = if open { 1 } else { 2 };
        let sound = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        let tracks = [
            ("video-1", Track::new(avc(), Timescale::VIDEO), PICTURE, 25),
            ("audio-1", Track::new(Codec::Aac(sound), Timescale::new(48_000).expect("not zero")), 960, 50),
        ];
        for (name, track, duration, each) in tracks {
            let (name, kind) = (Arc::<str>::from(name), track.kind());
            let scale = track.timescale;
            let init = Arc::new(Init { period: self.period.number, track, bytes: Bytes::new() });
            let begins = self.start * i64::from(scale.hz());
            let mut made = Vec::new();
            for index in 0..2_i64 {
                let count = if index == 0 { each / 2 } else { each - each / 2 };
                let start = begins + index * (each / 2) * duration;
                let sample = |at: i64| FragmentSample {
                    duration: duration as u32,
                    size: 1,
                    // Pictures are shown in another order than they are decoded in.
                    composition_offset: if kind == Kind::Video && at % 3 == 1 {
                        -(duration as i32)
                    } else {
                        0
                    },
                    sync: if kind == Kind::Audio || index == 0 && at == 0 { Sync::Yes } else { Sync::No },
                };
                let samples: Vec<_> = (0..count).map(sample).collect();
                let (base_time, samples) = (start as u64, &samples[..]);
                let header = fragment_header(&Fragment {
                    begins_segment: index == 0,
                    produced: None,
                    sequence: 1,
                    base_time,
                    samples,
                });
                let payload = vec![Bytes::from(vec![7; count as usize])];
                let (independent, len) =
                    (kind == Kind::Audio || index == 0, header.len() as u64 + count as u64);
                let (index, duration) = (index as u32, count * duration);
                made.push(Arc::new(Part { index, start, duration, independent, header, payload, len }));
            }
            for part in made.iter().take(parts) {
                let (rendition, number, period) = (name.clone(), self.number, self.period.clone());
                self.apply(Record::Part {
                    rendition,
                    number,
                    period,
                    init: init.clone(),
                    part: part.clone(),
                });
            }
            if !open {
                let (number, period, start) = (self.number, self.period.clone(), begins);
                let duration = i64::from(scale.hz());
                let content = packager::Content::Media { init, parts: made };
                let segment = Arc::new(Segment { number, period, start, duration, scale, content });
                self.apply(Record::Segment { rendition: name, kind, segment });
            }
        }
        if !open {
            self.number += 1;
            self.start += 1;
        }
    }

    fn apply(&mut self, record: Record) {
        self.presentation.apply(record, WallTime::from_millis(0));
    }
}

fn frames(follower: &mut Follower, air: &Air) -> Vec<Frame> {
    let mut frames = Vec::new();
    loop {
        let items = follower.next(&air.presentation).expect("it can be read");
        if items.is_empty() {
            return frames;
        }
        frames.extend(items.into_iter().filter_map(|item| match item {
            Item::Frame(frame) => Some(frame),
            Item::Track(_) => None,
        }));
    }
}

fn follower() -> Follower {
    Follower::new(Choice::default(), Duration::from_secs(3))
}

#[test]
fn pictures_and_sound_go_out_in_one_order_and_none_is_decoded_after_it_is_shown() {
    let mut air = Air::new();
    air.second(false);
    let mut follower = follower();
    let first = follower.next(&air.presentation).expect("it can be read");
    assert!(matches!(first.first(), Some(Item::Track(_))), "what it is comes first");
    air.second(false);
    let mut all = frames(&mut follower, &air);
    let rest = frames(&mut follower, &air);
    all.extend(rest);
    assert!(all.windows(2).all(|pair| pair[0].dts <= pair[1].dts), "by the time of decoding");
    assert!(all.iter().all(|frame| frame.dts <= frame.pts));
    assert!(
        all.iter().any(|frame| frame.kind == Kind::Audio)
            && all.iter().any(|frame| frame.kind == Kind::Video)
    );
    assert!(frames(&mut follower, &air).is_empty(), "nothing goes out twice");
}

#[test]
fn it_begins_at_the_newest_keyframe() {
    let mut air = Air::new();
    (0..3).for_each(|_| air.second(false));
    air.second(true);
    let sent = frames(&mut follower(), &air);
    assert_eq!(sent.first().map(|frame| (frame.kind, frame.sync)), Some((Kind::Video, Sync::Yes)));
    assert!(sent.iter().all(|frame| frame.pts >= 3_000_000 - 40_000), "of what is over nothing");
    assert!(sent.iter().filter(|frame| frame.kind == Kind::Audio).count() >= 20);
}

#[test]
fn one_that_is_too_far_behind_goes_on_at_the_newest_keyframe_and_says_what_it_left_out() {
    let mut air = Air::new();
    air.second(false);
    let mut follower = follower();
    let before = frames(&mut follower, &air).len();
    (0..8).for_each(|_| air.second(false));
    assert!(follower.behind(&air.presentation) > Duration::from_secs(7));
    let after = frames(&mut follower, &air);
    assert_eq!(after.first().map(|frame| frame.sync), Some(Sync::Yes));
    assert!(after[0].dts >= 8_000_000 - 40_000, "the last second: {}", after[0].dts);
    let made = 9 * 75;
    let held = made - before as u64 - after.len() as u64 - follower.skipped();
    assert!(held <= 3, "each frame went out, was left out, or waits: {held}");
    assert!(follower.behind(&air.presentation) < Duration::from_secs(1));
}

#[test]
fn times_go_on_over_a_reconnect_of_the_encoder() {
    let mut air = Air::new();
    air.second(false);
    let mut follower = follower();
    let before = frames(&mut follower, &air);
    (air.period, air.start) = (period(2, 1), 0);
    air.second(false);
    let after = frames(&mut follower, &air);
    let (last, next) = (before.last().expect("some").dts, after[0].dts);
    assert!((0..=60_000).contains(&(next - last)), "{last} {next}");
}

#[test]
fn a_rendition_that_is_not_there_is_missed() {
    let mut air = Air::new();
    air.second(false);
    let choice = Choice { rendition: Some("720p".into()), audio: None };
    assert_eq!(choice.missing(&air.presentation), Some("720p"));
    let choice = Choice { rendition: Some("video-1".into()), audio: Some("1".into()) };
    assert_eq!(choice.missing(&air.presentation), None);
}
