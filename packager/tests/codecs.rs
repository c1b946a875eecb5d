//! Codecs beside H.264 and AAC, and languages: what manifests say of them, and what begins a period.
//!
//! `UPDATE_GOLDEN=1 cargo test -p headwater-packager --test codecs` writes the golden files anew; review the diff.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{FIRST, Publisher, audio_track, check, golden, video_track};
use media::codec::{Aac, Ac3, Av1, Eac3, Hevc, MpegAudio, Opus};
use media::{Codec, Kind, Language, Sample, Sync, Timescale, Track, TrackId};
use packager::Settings;
use packager::manifest::{Options, dash, hls, hls_ts, smooth};

const HEVC_RECORD: &[u8] = include_bytes!("common/hvcc-1080p-pq.bin");
// SVT-AV1, 320x180.
const AV1_RECORD: &[u8] =
    &[0x81, 0, 0x0c, 0, 0x0a, 0x0b, 2, 0, 0, 5, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02];
const SOUNDS: [TrackId; 4] = [sound(0), sound(1), sound(2), sound(3)];

const fn sound(index: u8) -> TrackId {
    TrackId { kind: Kind::Audio, index }
}

fn track(codec: Codec, language: &str) -> Track {
    Track::new(codec, Timescale::MILLIS).with_language(Language::new(language))
}

fn hevc() -> Codec {
    Codec::Hevc(Hevc::parse(Bytes::from_static(HEVC_RECORD)).expect("H.265"))
}

fn av1() -> Codec {
    Codec::Av1(Av1::parse(Bytes::from_static(AV1_RECORD)).expect("AV1"))
}

fn aac() -> Codec {
    Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("AAC"))
}

fn ac3() -> Codec {
    Codec::Ac3(Ac3::parse(Bytes::from_static(&[0x10, 0x3d, 0xe0])).expect("AC-3, 5.1"))
}

fn eac3() -> Codec {
    Codec::Eac3(Eac3::parse(Bytes::from_static(&[0x0e, 0, 0x20, 0x04, 0])).expect("E-AC-3, stereo"))
}

fn mpeg_audio() -> Codec {
    Codec::MpegAudio(MpegAudio::new(48_000, 2).expect("MPEG-1, stereo"))
}

/// Seconds of pictures at 25 fps with a keyframe every two, and frames of each sound, from `from` ms on.
fn send(publisher: &mut Publisher, from: i64, seconds: i64, sounds: &[(TrackId, Track)]) {
    let mut sent = [0; SOUNDS.len()];
    for picture in 0..seconds * 25 {
        let at = picture * 40;
        publisher.elapsed = Duration::from_millis((from + at) as u64);
        let sync = if picture % 50 == 0 { Sync::Yes } else { Sync::No };
        publisher.push(TrackId::VIDEO, from + at, 0, sync);
        for (sent, (id, track)) in sent.iter_mut().zip(sounds) {
            let sound = track.codec.sound().expect("sound");
            let time =
                |frame: i64| frame * i64::from(sound.frame_length) * 1000 / i64::from(sound.sample_rate);
            while time(*sent) <= at {
                publisher.push(*id, from + time(*sent), 0, Sync::Yes);
                *sent += 1;
            }
        }
    }
}

fn publish(video: Codec, sounds: &[(TrackId, Track)], seconds: i64) -> Publisher {
    let mut publisher = Publisher::new(Settings::default());
    publisher.packager.announce(true, !sounds.is_empty());
    publisher.packager.track(TrackId::VIDEO, Track::new(video, Timescale::MILLIS));
    for (id, track) in sounds {
        publisher.packager.track(*id, track.clone());
    }
    send(&mut publisher, 0, seconds, sounds);
    check(publisher.presentation());
    publisher
}

/// Numbers of the periods of a rendition.
fn periods(publisher: &Publisher, name: &str) -> Vec<u64> {
    let mut periods: Vec<u64> =
        publisher.segments(name).iter().map(|segment| segment.period.number - FIRST).collect();
    periods.dedup();
    periods
}

#[test]
fn pictures_in_pq_with_two_languages_and_two_codecs_of_sound() {
    let sounds = [
        (SOUNDS[0], track(ac3(), "eng")),
        (SOUNDS[1], track(aac(), "eng")),
        (SOUNDS[2], track(aac(), "ger")),
        (SOUNDS[3], track(eac3(), "und")),
    ];
    let publisher = publish(hevc(), &sounds, 7);
    let presentation = publisher.presentation();
    golden("codecs/master.m3u8", &hls::multivariant(presentation, &Options::default()));
    golden("codecs/manifest.mpd", &dash::mpd(presentation, &Options::default()));
    golden(
        "codecs/manifest.ism",
        &smooth::manifest(presentation, &Options::default()).expect("H.265 and AAC"),
    );
    // MPEG-TS has no pictures of these, but the sound of two languages.
    golden("codecs/ts.m3u8", &hls_ts::multivariant(presentation, &Options::default()));
}

#[test]
fn what_has_no_name_elsewhere_is_there_in_hls_and_dash_alone() {
    let opus = Codec::Opus(Opus::new(2, 312).expect("stereo"));
    let publisher = publish(av1(), &[(SOUNDS[0], track(opus, "und"))], 7);
    let presentation = publisher.presentation();
    assert!(!smooth::suits(presentation) && smooth::manifest(presentation, &Options::default()).is_none());
    assert!(!hls_ts::suits(presentation));
    let master = hls::multivariant(presentation, &Options::default());
    assert!(master.contains("CODECS=\"av01.0.00M.08,opus\""), "{master}");
    assert!(dash::mpd(presentation, &Options::default()).contains("codecs=\"opus\""));
}

#[test]
fn mpeg_audio_is_named_everywhere_but_in_smooth_and_aac_goes_before_it() {
    let sounds = [(SOUNDS[0], track(mpeg_audio(), "fr")), (SOUNDS[1], track(aac(), "de"))];
    let publisher = publish(video_track().codec, &sounds, 7);
    let presentation = publisher.presentation();
    let master = hls::multivariant(presentation, &Options::default());
    let groups: Vec<&str> = master.lines().filter_map(|line| line.split("GROUP-ID=\"").nth(1)).collect();
    assert!(
        groups[0].starts_with("audio-mp4a.40.2\"") && groups[1].starts_with("audio-mp4a.6B\""),
        "{master}"
    );
    let mpd = dash::mpd(presentation, &Options::default());
    assert!(mpd.contains("codecs=\"mp4a.6B\"") && mpd.contains("audioSamplingRate=\"48000\""), "{mpd}");
    assert_eq!(mpd.matches("cicp:ChannelConfiguration\" value=\"2\"").count(), 2, "{mpd}");
    let manifest = smooth::manifest(presentation, &Options::default()).expect("H.264 and AAC");
    assert!(manifest.contains("audio-2") && !manifest.contains("audio-1"), "{manifest}");
    let transport = hls_ts::multivariant(presentation, &Options::default());
    assert!(transport.contains(",mp4a.6B\""), "{transport}");
    let alone = publish(hevc(), &sounds[..1], 7);
    assert!(hls_ts::suits(alone.presentation()), "sound alone");
}

#[test]
fn sounds_of_one_language_in_one_group_have_names_of_their_own() {
    let sounds =
        [(SOUNDS[0], track(aac(), "de")), (SOUNDS[1], track(aac(), "de")), (SOUNDS[2], track(aac(), "und"))];
    let master = hls::multivariant(publish(hevc(), &sounds, 7).presentation(), &Options::default());
    for name in ["de (audio-1)", "de (audio-2)", "audio-3"] {
        assert!(master.contains(&format!("NAME=\"{name}\"")), "{master}");
    }
    assert_eq!(master.matches("DEFAULT=YES").count(), 1);
}

#[test]
fn another_codec_picture_size_or_language_begins_a_period_and_the_same_again_does_not() {
    let english = track(aac(), "en");
    let wider = Track::new(
        Codec::Hevc(Hevc { width: 1280, ..Hevc::parse(Bytes::from_static(HEVC_RECORD)).expect("H.265") }),
        Timescale::MILLIS,
    );
    let changes = [
        (TrackId::VIDEO, Track::new(hevc(), Timescale::MILLIS), false),
        (TrackId::AUDIO, english.clone(), false),
        (TrackId::VIDEO, video_track(), true),
        (TrackId::VIDEO, wider, true),
        (TrackId::AUDIO, track(eac3(), "en"), true),
        (TrackId::AUDIO, track(aac(), "de"), true),
    ];
    for (id, described, begins) in changes {
        let mut publisher = publish(hevc(), &[(TrackId::AUDIO, english.clone())], 6);
        publisher.packager.track(id, described.clone());
        let sound = if id == TrackId::AUDIO { described.clone() } else { english.clone() };
        send(&mut publisher, 6000, 6, &[(TrackId::AUDIO, sound)]);
        check(publisher.presentation());
        let name = described.codec.rfc6381();
        assert_eq!(periods(&publisher, "video-1").len(), 1 + usize::from(begins), "{name}");
        assert_eq!(periods(&publisher, "audio-1"), periods(&publisher, "video-1"), "{name}");
        let last = publisher.segments(&id.to_string()).last().cloned().expect("segments");
        let init = last.init().expect("media");
        assert_eq!((&init.track.codec, &init.track.language), (&described.codec, &described.language));
        let parsed = container::mp4::parse_init(&init.bytes).expect("an initialization segment");
        assert_eq!(parsed.language, described.language);
    }
}

#[test]
fn frames_of_opus_last_as_long_as_they_say() {
    let mut publisher = Publisher::new(Settings::default());
    publisher.packager.announce(false, true);
    let opus = Codec::Opus(Opus::new(2, 312).expect("stereo"));
    publisher.packager.track(TrackId::AUDIO, track(opus, "und"));
    // CELT of 10 ms, then of 20 ms, with timestamps in whole milliseconds.
    let frames = (0..300).map(|n| (n * 10, 0xf0u8)).chain((0..250).map(|n| (3000 + n * 20, 0xf8)));
    for (dts, toc) in frames {
        publisher.elapsed = Duration::from_millis(dts as u64);
        let data = vec![toc, dts as u8].into();
        let sample = Sample { dts, composition_offset: 0, duration: 0, sync: Sync::Yes, data };
        publisher.packager.push(TrackId::AUDIO, sample, publisher.now());
    }
    publisher.end();
    let segments = publisher.segments("audio-1");
    assert_eq!(segments[0].scale.hz(), 48_000);
    assert_eq!(segments.iter().map(|segment| segment.duration).sum::<i64>(), 8 * 48_000);
    check(publisher.presentation());
}

#[test]
fn what_everybody_has_is_described_as_before() {
    let publisher = {
        let mut publisher = Publisher::new(Settings::default());
        publisher.packager.announce(true, true);
        publisher.packager.track(TrackId::VIDEO, video_track());
        publisher.packager.track(TrackId::AUDIO, audio_track());
        publisher.live(0, 25 * 7, 25, 50, true);
        publisher
    };
    let master = hls::multivariant(publisher.presentation(), &Options::default());
    for new in ["LANGUAGE", "VIDEO-RANGE"] {
        assert!(!master.contains(new), "{new} where nothing is said");
    }
    assert!(master.contains("GROUP-ID=\"audio\",NAME=\"audio-1\""), "{master}");
}
