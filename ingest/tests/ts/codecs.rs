//! What FFmpeg sends comes in picture by picture and frame by frame as FFmpeg itself reads it.

use std::path::Path;

use container::ts::elementary::nal;
use media::codec::avc::nal_units;
use media::{Codec, Sync, TrackId};

use super::seen::{Seen, audio};
use super::source;

const VIDEO: TrackId = TrackId::VIDEO;

/// NAL units as FFmpeg has them, but for those that have no place in a sample.
fn expected(file: &Path, dropped: &str) -> Vec<Vec<u8>> {
    let bytes = source::packets(file, "0:v", &format!("filter_units=remove_types={dropped}"));
    nal::units(&bytes).map(|range| bytes[range].to_vec()).collect()
}

fn units(seen: &Seen) -> Vec<Vec<u8>> {
    let samples = seen.samples(VIDEO);
    samples
        .iter()
        .flat_map(|sample| nal_units(4, &sample.data).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn assert_sound(seen: &Seen, index: u8, file: &Path, filter: &str) {
    let expected = source::packets(file, &format!("0:a:{index}"), filter);
    assert!(!expected.is_empty() && seen.payload(audio(index)) == expected, "audio {index}");
    let times = source::times(file, &format!("a:{index}"));
    let ours = seen.times(audio(index));
    assert_eq!(ours.len(), times.len(), "frames of audio {index}");
    let near = ours.iter().zip(&times).all(|(ours, theirs)| (ours.0 - theirs.0).abs() <= 2);
    assert!(near, "times of audio {index}: {ours:?} {times:?}");
}

#[test]
fn h264_with_two_languages_of_aac() {
    let words = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=ger";
    let file = source::file(2, words);
    let seen = Seen::of(&std::fs::read(&file).unwrap());
    assert_eq!(seen.times(VIDEO), source::times(&file, "v"));
    assert!(units(&seen) == expected(&file, "7-9|12"));
    let sync: Vec<usize> =
        seen.samples(VIDEO).iter().enumerate().filter(|it| it.1.sync == Sync::Yes).map(|it| it.0).collect();
    assert_eq!(sync, [0, 25]);
    assert!(matches!(seen.codec(VIDEO), Codec::Avc(avc) if (avc.width, avc.height) == (320, 180)));
    for (index, language) in [(0, "en"), (1, "de")] {
        assert_sound(&seen, index, &file, "aac_adtstoasc");
        let track = seen.tracks(audio(index))[0];
        assert_eq!(track.language.as_ref().map(|it| it.as_str()), Some(language));
    }
    let c = seen.counters;
    assert_eq!((c.video, c.dropped, c.unconfigured, c.junk, c.jumps, c.unknown), (50, 0, 0, 0, 0, 0));
    let (periods, tracks, dropped) = seen.packaged();
    assert_eq!((periods, dropped), (1, 0), "all tracks begin one period");
    assert_eq!(tracks.values().next().map(Vec::len), Some(3), "{tracks:?}");
}

#[test]
fn hevc_with_ac3_and_eac3() {
    let file = source::file(2, "-c:v libx265 -x265-params log-level=none -c:a:0 ac3 -c:a:1 eac3");
    let seen = Seen::of(&std::fs::read(&file).unwrap());
    assert_eq!(seen.times(VIDEO), source::times(&file, "v"));
    assert!(units(&seen) == expected(&file, "32-35|38"));
    assert!(matches!(seen.codec(VIDEO), Codec::Hevc(hevc) if (hevc.width, hevc.height) == (320, 180)));
    assert!(seen.samples(VIDEO)[0].sync != Sync::No);
    assert!(matches!(seen.codec(audio(0)), Codec::Ac3(ac3) if ac3.channels == 2));
    assert!(matches!(seen.codec(audio(1)), Codec::Eac3(eac3) if eac3.channels == 2));
    assert_sound(&seen, 0, &file, "");
    assert_sound(&seen, 1, &file, "");
}

#[test]
fn opus() {
    let file = source::file(1, "-c:a libopus");
    let seen = Seen::of(&std::fs::read(&file).unwrap());
    let frames = seen.samples(audio(0));
    assert!(matches!(seen.codec(audio(0)), Codec::Opus(opus) if opus.channels == 2));
    assert_eq!(seen.payload(audio(0)), source::packets(&file, "0:a:0", ""));
    assert!(frames.windows(2).all(|pair| (1799..=1801).contains(&(pair[1].dts - pair[0].dts))), "20 ms each");
}

#[test]
fn mpeg_audio_of_both_standards_in_two_languages() {
    let words = "-c:a mp2 -ar:a:1 22050 -ac:a:1 1 -metadata:s:a:0 language=fra -metadata:s:a:1 language=ger";
    let file = source::file(2, words);
    let seen = Seen::of(&std::fs::read(&file).unwrap());
    for (index, language, said) in [(0, "fr", (48_000, 2, "mp4a.6B")), (1, "de", (22_050, 1, "mp4a.69"))] {
        assert_sound(&seen, index, &file, "");
        let track = seen.tracks(audio(index))[0];
        let Codec::MpegAudio(found) = &track.codec else { panic!("{track:?}") };
        assert_eq!((found.sample_rate, found.channels, found.rfc6381().as_str()), said);
        assert_eq!(track.language.as_ref().map(|it| it.as_str()), Some(language));
        let times = seen.times(audio(index));
        let frame = 1152 * 90_000 / i64::from(said.0);
        assert!(times.windows(2).all(|pair| (frame..=frame + 1).contains(&(pair[1].0 - pair[0].0))));
    }
    let c = seen.counters;
    assert_eq!((c.dropped, c.unconfigured, c.junk, c.jumps, c.streams_left_out), (0, 0, 0, 0, 0));
    let (periods, tracks, dropped) = seen.packaged();
    assert_eq!((periods, dropped, tracks.values().next().map(Vec::len)), (1, 0, Some(3)), "{tracks:?}");
}

#[test]
fn layer_3_comes_in_as_layer_2_does() {
    let file = source::file(1, "-c:a libmp3lame -ar 24000");
    let seen = Seen::of(&std::fs::read(&file).unwrap());
    assert_sound(&seen, 0, &file, "");
    assert_eq!(seen.codec(audio(0)).rfc6381(), "mp4a.69");
    let times = seen.times(audio(0));
    assert!(
        times.windows(2).all(|pair| (2159..=2161).contains(&(pair[1].0 - pair[0].0))),
        "576 samples each"
    );
}

#[test]
fn aac_in_latm() {
    let (adts, latm) = (source::file(1, "-b:a 96k"), source::file(1, "-b:a 96k -mpegts_flags latm"));
    let (adts, latm) = (Seen::of(&std::fs::read(adts).unwrap()), Seen::of(&std::fs::read(latm).unwrap()));
    assert_eq!(latm.codec(audio(0)), adts.codec(audio(0)));
    assert!(latm.payload(audio(0)) == adts.payload(audio(0)), "the same frames as in ADTS");
    let apart = |one: &Seen, other: &Seen| {
        one.times(audio(0)).iter().zip(other.times(audio(0))).map(|(a, b)| a.0 - b.0).max()
    };
    assert!(apart(&latm, &adts).is_some_and(|ticks| ticks.abs() <= 2));
}

#[test]
fn samples_of_a_track_lie_one_after_another() {
    let seen = Seen::of(&source::stream(1, ""));
    for id in [VIDEO, audio(0)] {
        let samples = seen.samples(id);
        let pieces = media::payload::coalesce(samples.iter().map(|sample| &sample.data));
        assert!(
            pieces.len() * 8 < samples.len(),
            "{} samples of {id} are {} pieces",
            samples.len(),
            pieces.len()
        );
    }
}
