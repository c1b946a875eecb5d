//! Smooth Streaming as a client sees it: what [MS-SSTR] demands of the manifest and of fragments, and what must hold
//! between the two for whatever an encoder sends.
//!
//! `UPDATE_GOLDEN=1 cargo test -p headwater-packager --test smooth` writes the golden files anew; review the diff.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use common::smooth::{Boxes, Manifest, Stretch, boxes, fragment};
use common::{Publisher, audio_track, video_track};
use container::mp4::parse_fragment;
use media::codec::{Aac, Avc};
use media::{Codec, Sync, TrackId};
use packager::manifest::{Options, smooth};
use packager::{Presentation, Rendition, Settings};
use proptest::prelude::*;
use smooth::Absent;

/// Twelve seconds of 25 pictures, a keyframe every two seconds, with sound.
fn live() -> Publisher {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 301, 25, 50, true);
    publisher
}

fn text(presentation: &Presentation) -> String {
    smooth::manifest(presentation, &Options::default()).expect("something to list")
}

fn golden(name: &str, actual: &str) {
    let path = Path::new("tests/golden/smooth").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, actual).expect("writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} differs; with UPDATE_GOLDEN=1 it is:\n{actual}");
}

#[test]
fn golden_manifests() {
    let mut publisher = live();
    golden("live.xml", &text(publisher.presentation()));
    publisher.interrupt();
    publisher.live(15_000, 201, 25, 50, true);
    golden("away-for-three-seconds.xml", &text(publisher.presentation()));
    publisher.end();
    golden("ended.xml", &text(publisher.presentation()));
}

#[test]
fn golden_boxes_as_an_independent_parser_reads_them() {
    let publisher = live();
    let presentation = publisher.presentation();
    for stream in &Manifest::of(presentation).expect("a manifest").streams {
        let fragment = fragment(presentation, &stream.names()[1]).expect("listed");
        let Boxes { tfxd, tfrf, moof } = boxes(&fragment);
        let mdat: Vec<u8> = fragment.header[fragment.metadata..].to_vec();
        golden(
            &format!("{}-fragment.txt", stream.name),
            &format!("{moof:#?}\ntfxd {tfxd:?}\ntfrf {tfrf:?}\nmdat {mdat:?}\n"),
        );
    }
}

#[test]
fn a_live_manifest_says_so_and_how_much_can_be_seen_ms_sstr_2_2_2_1() {
    let publisher = live();
    let text = text(publisher.presentation());
    for attribute in [
        "MajorVersion=\"2\" MinorVersion=\"0\"",
        "TimeScale=\"10000000\"",
        "IsLive=\"TRUE\"",
        "Duration=\"0\"",
        "LookaheadCount=\"1\"",
        "DVRWindowLength=\"300000000\"",
    ] {
        assert!(text.contains(attribute), "{attribute} in {text}");
    }
}

#[test]
fn an_ended_one_is_not_live_and_has_its_duration_ms_sstr_2_2_2_1() {
    let mut publisher = live();
    let live = Manifest::of(publisher.presentation()).expect("a manifest");
    publisher.end();
    let ended = Manifest::of(publisher.presentation()).expect("a manifest");
    let pinned = smooth::manifest(publisher.presentation(), &Options::default().pinned());
    assert_eq!(pinned, Some(text(publisher.presentation())), "with a session named it is the same");
    assert!(live.live && !ended.live && !text(publisher.presentation()).contains("Lookahead"));
    let first = ended.streams.iter().map(|stream| stream.chunks[0].time).min().expect("a chunk");
    let last = ended.streams.iter().flat_map(|stream| &stream.chunks).map(|chunk| chunk.end()).max();
    assert_eq!(Some(first + ended.duration), last);
    assert!((119_000_000..=122_000_000).contains(&ended.duration), "{}", ended.duration);
    for (before, after) in live.streams.iter().zip(&ended.streams) {
        assert_eq!(after.chunks[..before.chunks.len()], before.chunks, "its timeline stays");
        assert!(after.chunks.len() > before.chunks.len(), "the last ones are listed now");
    }
}

#[test]
fn times_are_unix_time_and_no_double_changes_them() {
    let publisher = live();
    let manifest = Manifest::of(publisher.presentation()).expect("a manifest");
    let video = &manifest.stream("video").chunks;
    assert_eq!(video[0].time, common::START.micros() as u64 * 10);
    for Stretch { time, duration } in manifest.streams.iter().flat_map(|stream| &stream.chunks) {
        assert_eq!((*time as f64 as u64, time % 8, duration % 8), (*time, 0, 0));
    }
}

#[test]
fn chunks_of_a_period_follow_one_another_ms_sstr_2_2_2_6() {
    let publisher = live();
    for stream in Manifest::of(publisher.presentation()).expect("a manifest").streams {
        assert!(stream.chunks.len() >= 4);
        assert!(stream.chunks.windows(2).all(|pair| pair[0].end() == pair[1].time), "{stream:?}");
    }
}

#[test]
fn an_outage_is_a_step_in_time_ms_sstr_2_2_2_6() {
    let mut publisher = live();
    publisher.interrupt();
    publisher.live(15_000, 201, 25, 50, true);
    for stream in Manifest::of(publisher.presentation()).expect("a manifest").streams {
        let steps: Vec<u64> = stream
            .chunks
            .windows(2)
            .map(|pair| pair[1].time - pair[0].end())
            .filter(|&step| step > 0)
            .collect();
        let [step] = steps[..] else { panic!("one step in {stream:?}") };
        assert!((29_000_000..31_000_000).contains(&step), "{step}");
    }
}

#[test]
fn sound_ahead_of_the_pictures_does_not_overlap_what_comes_after_a_reconnect() {
    let mut publisher = Publisher::new(Settings::default()).both();
    for frame in 0..276i64 {
        publisher.elapsed = Duration::from_millis(frame as u64 * 40);
        let sync = if frame % 50 == 0 { Sync::Yes } else { Sync::No };
        for audio in frame * 15 / 8..(frame + 1) * 15 / 8 {
            publisher.push(TrackId::AUDIO, 1500 + audio * 64 / 3, 0, Sync::Yes);
        }
        publisher.push(TrackId::VIDEO, frame * 40, 0, sync);
    }
    publisher.interrupt();
    publisher.live(11_040, 201, 25, 50, true);
    let chunks = &Manifest::of(publisher.presentation()).expect("a manifest").stream("audio").chunks.clone();
    assert!(chunks.len() > 6, "{chunks:?}");
    assert!(chunks.windows(2).all(|pair| pair[0].end() <= pair[1].time), "{chunks:?}");
}

#[test]
fn what_a_decoder_needs_is_in_the_manifest_ms_sstr_2_2_2_5() {
    let publisher = live();
    let text = text(publisher.presentation());
    for attribute in [
        "FourCC=\"H264\" MaxWidth=\"1280\" MaxHeight=\"720\" CodecPrivateData=\"",
        "FourCC=\"AACL\" AudioTag=\"255\" SamplingRate=\"48000\" Channels=\"2\" BitsPerSample=\"16\" \
         PacketSize=\"4\" CodecPrivateData=\"1190\"",
    ] {
        assert!(text.contains(attribute), "{attribute} in {text}");
    }
    let Codec::Avc(avc) = video_track().codec else { panic!("H.264") };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let annex_b: String = avc.parameter_sets().iter().map(|set| format!("00000001{}", hex(set))).collect();
    let manifest = Manifest::parse(&text);
    assert_eq!(manifest.stream("video").private_data, [annex_b]);
    assert!(manifest.stream("video").private_data[0].starts_with("0000000167"), "SPS first");
}

#[test]
fn what_is_listed_can_be_fetched_and_nothing_else_ms_sstr_2_2_3() {
    let publisher = live();
    let presentation = publisher.presentation();
    for stream in Manifest::of(presentation).expect("a manifest").streams {
        assert!(stream.names().iter().all(|name| fragment(presentation, name).is_ok()));
        let last = *stream.chunks.last().expect("chunks");
        let get = |time| fragment(presentation, &stream.name_of(stream.bitrates[0], time));
        assert_eq!(get(last.end()), Err(Absent::NotYet), "it is not known what follows it");
        assert_eq!(get(last.end() + 3 * last.duration), Err(Absent::NotYet), "it is not made");
        assert_eq!(get(last.time + 8), Err(Absent::Gone), "nothing begins there");
        assert_eq!(get(stream.chunks[0].time - 8), Err(Absent::Gone));
        assert_eq!(get(0), Err(Absent::Gone));
        assert_eq!(get(u64::MAX), Err(Absent::NotYet));
        let other = smooth::fragment(presentation, &stream.name_of(stream.bitrates[0] + 1, last.time));
        assert_eq!(other, None, "another quality");
    }
}

#[test]
fn what_fell_out_of_the_window_is_gone() {
    let settings = Settings {
        window: Duration::from_secs(6),
        dvr_window: Duration::from_secs(6),
        ..Settings::default()
    };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 301, 25, 50, true);
    let before = Manifest::of(publisher.presentation()).expect("a manifest");
    publisher.live(12_040, 900, 25, 50, true);
    for stream in before.streams {
        assert_eq!(fragment(publisher.presentation(), &stream.names()[0]), Err(Absent::Gone));
    }
}

#[test]
fn a_fragment_says_where_it_stands_and_what_follows_ms_sstr_2_2_4_4_and_2_2_4_5() {
    let mut publisher = live();
    publisher.end();
    let presentation = publisher.presentation();
    for stream in Manifest::of(presentation).expect("a manifest").streams {
        for (at, name) in stream.names().iter().enumerate() {
            let Boxes { tfxd, tfrf, moof } = boxes(&fragment(presentation, name).expect("listed"));
            assert_eq!(tfxd, stream.chunks[at]);
            assert_eq!(tfrf, stream.chunks[at + 1..].iter().take(1).copied().collect::<Vec<_>>());
            let [traf] = &moof.traf[..] else { panic!("one traf") };
            assert_eq!((&traf.tfdt, traf.trun.len()), (&None, 1), "time is in tfxd alone");
            let common = traf.tfhd.default_sample_duration;
            let durations = traf.trun[0].samples.iter().map(|sample| sample.duration.or(common));
            let sum: u64 = durations.map(|duration| u64::from(duration.expect("a duration"))).sum();
            assert_eq!(sum, tfxd.duration, "of the samples");
        }
    }
}

#[test]
fn the_payload_is_the_very_memory_that_hls_and_dash_show() {
    let publisher = live();
    let presentation = publisher.presentation();
    let manifest = Manifest::of(presentation).expect("a manifest");
    for (stream, name) in [("video", "video-1"), ("audio", "audio-1")] {
        let place = |piece: &Bytes| (piece.as_ptr(), piece.len());
        let fragments = manifest.stream(stream).names();
        for (fragment_name, segment) in fragments.iter().zip(publisher.segments(name)) {
            let fragment = fragment(presentation, fragment_name).expect("listed");
            let smooth: Vec<_> = fragment.pieces().skip(1).map(place).collect();
            let cmaf: Vec<_> = segment.parts().iter().flat_map(|part| &part.payload).map(place).collect();
            assert_eq!(smooth, cmaf);
            let payload: usize = smooth.iter().map(|(_, len)| len).sum();
            let mdat = &fragment.header[fragment.metadata..];
            assert_eq!(mdat, [&(payload as u32 + 8).to_be_bytes()[..], b"mdat"].concat());
            assert_eq!(fragment.len(), (fragment.header.len() + payload) as u64);
        }
    }
}

/// Decode and presentation times of the samples that a rendition has in parts, in units of 100 ns since the epoch.
fn times(rendition: &Rendition, number: u64) -> Vec<(f64, f64)> {
    let segment = rendition.segments.get(&number).expect("held");
    let scale = f64::from(segment.scale.hz()) / 1e7;
    let zero = segment.period.start.micros() as f64 * 10.0;
    let mut times = Vec::new();
    for part in segment.parts() {
        let parsed = parse_fragment(&part.header).expect("a fragment");
        let mut decoded = parsed.base_time as f64;
        for sample in parsed.samples {
            let shown = decoded + f64::from(sample.composition_offset);
            times.push((zero + decoded / scale, zero + shown / scale));
            decoded += f64::from(sample.duration);
        }
    }
    times
}

#[test]
fn samples_are_where_they_are_in_cmaf_to_a_microsecond_ms_sstr_2_2_4_7() {
    let mut publisher = Publisher::new(Settings::default()).both();
    // A picture that is shown two frames later than it is decoded, and two that are shown one earlier.
    for frame in 0..301i64 {
        publisher.elapsed = Duration::from_millis(frame as u64 * 40);
        let offset = [80, 160, 40, 40][(frame % 4) as usize];
        let key = frame % 48 == 0;
        publisher.push(TrackId::VIDEO, frame * 40, if key { 80 } else { offset }, sync(key));
        publisher.push(TrackId::AUDIO, frame * 64 / 3, 0, Sync::Yes);
    }
    let presentation = publisher.presentation();
    let manifest = Manifest::of(presentation).expect("a manifest");
    for name in manifest.stream("video").names() {
        let fragment = fragment(presentation, &name).expect("listed");
        let Boxes { tfxd, moof, .. } = boxes(&fragment);
        let mut decoded = tfxd.time as f64;
        let expected = times(publisher.rendition("video-1"), fragment.segment.number);
        let samples = &moof.traf[0].trun[0].samples;
        assert_eq!(samples.len(), expected.len());
        for (sample, (dts, pts)) in samples.iter().zip(expected) {
            let shown = decoded + sample.cts.unwrap_or(0) as f64;
            assert!(
                (decoded - dts).abs() <= 8.0 && (shown - pts).abs() <= 8.0,
                "{decoded} {dts} {shown} {pts}"
            );
            let common = moof.traf[0].tfhd.default_sample_duration;
            decoded += f64::from(sample.duration.or(common).expect("a duration"));
        }
    }
}

fn sync(key: bool) -> Sync {
    if key { Sync::Yes } else { Sync::No }
}

#[test]
fn a_manifest_comes_when_it_is_known_what_follows_the_first_chunk() {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 76, 25, 50, true);
    assert!(publisher.presentation().playable() && !smooth::playable(publisher.presentation()));
    assert_eq!(Manifest::of(publisher.presentation()), None);
    publisher.live(3040, 60, 25, 24, true);
    assert!(smooth::playable(publisher.presentation()));
}

#[test]
fn a_stream_that_ends_early_has_all_of_it_listed() {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 76, 25, 50, true);
    publisher.end();
    let manifest = Manifest::of(publisher.presentation()).expect("a manifest");
    assert_eq!(manifest.stream("video").chunks.len(), 2);
}

/// A change of the picture's size begins a period with another configuration.
fn reconfigured() -> Publisher {
    let mut publisher = live();
    publisher.packager.track(TrackId::VIDEO, small_video_track());
    publisher.live(12_040, 301, 25, 50, true);
    publisher
}

/// H.264 of another size.
fn small_video_track() -> media::Track {
    const RECORD: &[u8] = &[
        0x01, 0xf4, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0xf4, 0x00, 0x1e, 0x91, 0x9b, 0x28, 0x16, 0x84,
        0x9b, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x21, 0xf1, 0x42, 0x99, 0x60,
        0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xc4, 0x48, 0x44, 0xff, 0xf8, 0xf8, 0x00,
    ];
    let codec = Codec::Avc(Avc::parse(Bytes::from_static(RECORD)).expect("valid"));
    media::Track { codec, ..video_track() }
}

#[test]
fn what_is_listed_has_one_configuration_from_its_beginning_to_the_edge() {
    let before = Manifest::of(live().presentation()).expect("a manifest");
    let publisher = reconfigured();
    let after = Manifest::of(publisher.presentation()).expect("a manifest");
    assert_eq!(after.stream("video").private_data.len(), 1);
    assert_ne!(after.stream("video").private_data, before.stream("video").private_data);
    let first = after.stream("video").chunks[0].time;
    assert!(before.stream("video").chunks.iter().all(|chunk| chunk.time < first));
    assert_eq!(after.stream("audio").chunks[0], before.stream("audio").chunks[0], "sound is what it was");
}

#[test]
fn a_client_is_not_led_into_another_configuration() {
    let before = Manifest::of(live().presentation()).expect("a manifest");
    let publisher = reconfigured();
    let presentation = publisher.presentation();
    let stream = before.stream("video");
    let (mut at, mut seen) = (stream.chunks[0], 0);
    loop {
        let name = stream.name_of(stream.bitrates[0], at.time);
        let fragment = fragment(presentation, &name).expect("what a fragment tells of can be fetched");
        let codec = &fragment.segment.init().expect("media").track.codec;
        assert_eq!(*codec, video_track().codec);
        seen += 1;
        match boxes(&fragment).tfrf.first() {
            Some(next) => at = *next,
            None => break,
        }
    }
    assert!(seen > stream.chunks.len(), "to the end of what has this configuration");
}

#[test]
fn high_efficiency_aac_is_told_apart_ms_sstr_2_2_2_5() {
    let aac = Aac::parse(Bytes::from_static(&[0x2b, 0x11, 0x88, 0x00])).expect("valid");
    let mut publisher = Publisher::new(Settings::default());
    publisher.packager.announce(false, true);
    publisher.packager.track(TrackId::AUDIO, media::Track { codec: Codec::Aac(aac), ..audio_track() });
    for frame in 0..300i64 {
        publisher.elapsed = Duration::from_millis((frame * 128 / 3) as u64);
        publisher.push(TrackId::AUDIO, frame * 128 / 3, 0, Sync::Yes);
    }
    let text = text(publisher.presentation());
    assert!(text.contains("FourCC=\"AACH\"") && text.contains("CodecPrivateData=\"2B118800\""), "{text}");
}

#[test]
fn a_rendition_keeps_its_bitrate_through_sessions_and_restarts() {
    let mut publisher = live();
    publisher.end();
    let first = Manifest::of(publisher.presentation()).expect("a manifest");
    let numbers = publisher.packager.numbers().clone();
    let named: Vec<_> = numbers.bitrates.iter().map(|(name, bitrate)| (&**name, *bitrate)).collect();
    let bitrate = |name| first.stream(name).bitrates[0];
    assert_eq!(named, [("audio-1", bitrate("audio")), ("video-1", bitrate("video"))]);
    for resume in [false, true] {
        let mut again = Publisher::resuming(Settings::default(), numbers.clone(), resume).both();
        // Ten times the rate.
        again.live(20_000, 1200, 100, 200, false);
        again.end();
        let later = Manifest::of(again.presentation()).expect("a manifest");
        assert_eq!(later.stream("video").bitrates, first.stream("video").bitrates);
    }
}

/// What an encoder does, one after another.
#[derive(Clone, Debug)]
struct Act {
    frames: i64,
    fps: i64,
    gop: i64,
    audio: bool,
    /// Milliseconds that it is away afterwards; it stays on where this is nothing.
    away: Option<i64>,
}

fn act() -> impl Strategy<Value = Act> {
    let fps = prop_oneof![Just(10i64), Just(25), Just(30), Just(60)];
    let away = prop_oneof![Just(None), (0i64..5000).prop_map(Some)];
    (20i64..400, fps, 5i64..120, any::<bool>(), away).prop_map(|(frames, fps, gop, audio, away)| Act {
        frames,
        fps,
        gop,
        audio,
        away,
    })
}

/// Everything that was ever fetched, by its URL.
type Fetched = BTreeMap<String, Vec<u8>>;

/// What must hold of a snapshot: everything listed can be fetched and is what it was, stands where the manifest says,
/// tells of the next one as that tells of itself, and nothing overlaps.
fn check(presentation: &Presentation, fetched: &mut Fetched) -> Result<(), TestCaseError> {
    let Some(manifest) = Manifest::of(presentation) else { return Ok(()) };
    for stream in &manifest.streams {
        for pair in stream.chunks.windows(2) {
            prop_assert!(pair[0].end() <= pair[1].time, "{:?}", pair);
        }
        for (at, name) in stream.names().iter().enumerate() {
            let fragment = fragment(presentation, name).expect("listed");
            let Boxes { tfxd, tfrf, .. } = boxes(&fragment);
            prop_assert_eq!(tfxd, stream.chunks[at]);
            prop_assert!(tfrf.len() <= 1);
            if let (Some(told), Some(next)) = (tfrf.first(), stream.chunks.get(at + 1)) {
                prop_assert_eq!(told, next);
            }
            let bytes: Vec<u8> = fragment.pieces().flatten().copied().collect();
            let before = fetched.insert(name.to_string(), bytes.clone());
            prop_assert!(before.is_none_or(|before| before == bytes), "{} has two bodies", name);
        }
    }
    Ok(())
}

/// The same where times count from zero; but for rounding, where an outage is left out, nothing overlaps.
fn check_from_zero(presentation: &Presentation) -> Result<(), TestCaseError> {
    let manifest = Manifest::from_zero(presentation).expect("all that was on air");
    let chunks = manifest.streams.iter().flat_map(|stream| &stream.chunks);
    prop_assert_eq!(chunks.map(|chunk| chunk.time).min(), Some(0));
    for stream in &manifest.streams {
        for pair in stream.chunks.windows(2) {
            prop_assert!(pair[0].end() <= pair[1].time + 16, "{:?}", pair);
        }
        for (at, name) in stream.names().iter().enumerate() {
            let fragment = fragment(presentation, name).expect("listed");
            prop_assert_eq!(boxes(&fragment).tfxd, stream.chunks[at]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn manifests_and_fragments_agree_whatever_an_encoder_does(acts in prop::collection::vec(act(), 1..6)) {
        let mut publisher = Publisher::new(Settings { window: Duration::from_secs(20), ..Settings::default() }).both();
        let (mut at, mut fetched) = (0, Fetched::new());
        for act in acts {
            publisher.live(at, act.frames, act.fps, act.gop, act.audio);
            at += act.frames * 1000 / act.fps;
            if let Some(presentation) = publisher.packager.presentation() {
                check(presentation, &mut fetched)?;
            }
            if let Some(away) = act.away {
                publisher.interrupt();
                at += away;
            }
        }
        publisher.end();
        if let Some(presentation) = publisher.packager.presentation() {
            check(presentation, &mut fetched)?;
            let manifest = Manifest::of(presentation).expect("all that was on air");
            for stream in &manifest.streams {
                prop_assert!(stream.names().iter().all(|name| fetched.contains_key(&name.to_string())));
            }
            check_from_zero(presentation)?;
        }
    }
}
