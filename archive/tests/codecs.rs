//! What was on air in codecs beside H.264 and AAC, and in languages, is read back as it was.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::files::Files;
use archive::{Sync, reading, recover};
use bytes::Bytes;
use common::faulty::Faulty;
use common::publisher::{Publisher, check};
use common::{Aired, record, writer};
use media::codec::{Ac3, Flac, Hevc, MpegAudio, Opus};
use media::{Codec, Kind, Language, Timescale, Track, TrackId};
use packager::Settings;
use packager::manifest::{Options, dash, hls};

const HEVC_RECORD: &[u8] = include_bytes!("../../packager/tests/common/hvcc-1080p-pq.bin");
const FOLDER: &str = "/r";

fn tracks() -> [(TrackId, Track); 5] {
    let mut stream_info = [0; 34];
    stream_info[..14].copy_from_slice(&[4, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0xb8, 0x02, 0xf0]);
    let sound = |index| TrackId { kind: Kind::Audio, index };
    let track = |codec, language| Track::new(codec, Timescale::MILLIS).with_language(Language::new(language));
    [
        (TrackId::VIDEO, track(Codec::Hevc(Hevc::parse(HEVC_RECORD.into()).expect("H.265")), "und")),
        (sound(0), track(Codec::Opus(Opus::new(2, 312).expect("Opus")), "de")),
        (
            sound(1),
            track(Codec::Ac3(Ac3::parse(Bytes::from_static(&[0x10, 0x3d, 0xe0])).expect("AC-3")), "fr"),
        ),
        (
            sound(2),
            track(Codec::Flac(Flac::parse(Bytes::copy_from_slice(&stream_info)).expect("FLAC")), "de"),
        ),
        (sound(3), track(Codec::MpegAudio(MpegAudio::new(24_000, 1).expect("MPEG audio")), "fr")),
    ]
}

#[test]
fn a_recording_says_the_same_of_codecs_and_languages() {
    let mut live = Publisher::new(Settings::default());
    live.packager.announce(true, true);
    for (id, track) in tracks() {
        live.packager.track(id, track);
    }
    for frame in 0..25 * 8i64 {
        live.elapsed = Duration::from_millis(frame as u64 * 40);
        let sync = if frame % 50 == 0 { media::Sync::Yes } else { media::Sync::No };
        live.push(TrackId::VIDEO, frame * 40, 0, sync);
        (0..4).for_each(|index| {
            live.push(TrackId { kind: Kind::Audio, index }, frame * 40, 0, media::Sync::Yes)
        });
    }
    live.end();
    check(live.presentation());
    let faulty = Faulty::default();
    let files: Arc<dyn Files> = Arc::new(faulty.clone());
    record(&mut writer(&files, Path::new(FOLDER), Sync::Segment), &Aired::of(&live).steps);
    let contents = recover::read(&faulty, Path::new(FOLDER)).unwrap_or_else(|error| panic!("{error}"));
    let session = live.presentation().session.id;
    let aired = reading::aired(&[(&contents, &Arc::from("demo/rec_1"))], session).expect("it was recorded");

    let options = Options::default();
    assert_eq!(hls::multivariant(&aired, &options), hls::multivariant(live.presentation(), &options));
    let described = |presentation| {
        let mpd = dash::mpd(presentation, &options);
        let told = [
            "<AdaptationSet",
            "<AudioChannelConfiguration",
            "<EssentialProperty",
            "<Role",
            "<Representation",
        ];
        let lines = mpd.lines().filter(|line| told.iter().any(|told| line.trim_start().starts_with(told)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(described(&aired), described(live.presentation()));
    for rendition in &live.presentation().renditions {
        let read = aired.rendition(&rendition.name).expect("recorded");
        assert_eq!(read.init(), rendition.init(), "{}", rendition.name);
    }
}
