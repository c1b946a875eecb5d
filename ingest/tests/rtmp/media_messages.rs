//! Audio, video, aggregate and metadata messages to inputs.

use ingest::rtmp::amf::{Object, Value};
use ingest::rtmp::message::kind;
use ingest::rtmp::session::Fault;
use media::{Codec, Sync, Timescale};
use stream::{Input, TrackId};

use super::client::{AAC_CONFIG, AVC_RECORD, Client, amf_values};

const RAW_AAC: [u8; 4] = [0xaf, 1, 0x21, 0x10];

#[test]
fn tracks_come_from_sequence_headers_once() {
    let mut client = Client::publishing();
    for timestamp in [0, 2000] {
        client.video_config(timestamp).unwrap();
        client.audio(timestamp, &[&[0xaf, 0], AAC_CONFIG].concat()).unwrap();
    }
    let [video] = client.tracks(TrackId::VIDEO)[..] else { panic!("one video track") };
    let [audio] = client.tracks(TrackId::AUDIO)[..] else { panic!("one audio track") };
    assert!(matches!(&video.codec, Codec::Avc(avc) if avc.record == AVC_RECORD));
    assert!(matches!(&audio.codec, Codec::Aac(aac) if aac.sample_rate == 48_000));
    assert_eq!((video.timescale, audio.timescale), (Timescale::MILLIS, Timescale::MILLIS));
}

#[test]
fn a_changed_sequence_header_changes_the_track() {
    let mut client = Client::with_tracks();
    client.audio(0, &[0xaf, 0, 0x12, 0x10]).unwrap();
    let [audio] = client.tracks(TrackId::AUDIO)[..] else { panic!("one audio track") };
    assert!(matches!(&audio.codec, Codec::Aac(aac) if aac.sample_rate == 44_100));
}

#[test]
fn samples_carry_what_the_tag_said() {
    let mut client = Client::with_tracks();
    client.video(1000, &[0x17, 1, 0, 0, 80, 0, 0, 0, 2, 0x65, 0x88]).unwrap();
    client.video(1040, &[0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 0x9a]).unwrap();
    client.audio(1005, &RAW_AAC).unwrap();
    let video = client.samples(TrackId::VIDEO);
    assert_eq!((video[0].dts, video[0].pts(), video[0].sync), (1000, 1080, Sync::Yes));
    assert_eq!((video[1].dts, video[1].sync, video[1].duration), (1040, Sync::No, 0));
    assert_eq!(*video[0].data, [0, 0, 0, 2, 0x65, 0x88]);
    let audio = client.samples(TrackId::AUDIO);
    assert_eq!((audio[0].dts, audio[0].sync, &*audio[0].data), (1005, Sync::Yes, &RAW_AAC[2..]));
}

#[test]
fn the_first_picture_of_an_open_gop_is_a_recovery_point() {
    let mut client = Client::with_tracks();
    client.video(0, &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x41]).unwrap();
    assert_eq!(client.samples(TrackId::VIDEO)[0].sync, Sync::Recovery);
}

#[test]
fn samples_before_their_sequence_header_are_dropped_and_counted() {
    let mut client = Client::publishing();
    client.picture(0).unwrap();
    client.audio(0, &RAW_AAC).unwrap();
    client.video_config(40).unwrap();
    client.picture(40).unwrap();
    assert_eq!(client.times(), [40]);
    assert_eq!(client.session.counters().unconfigured, 2);
}

#[test]
fn end_of_sequence_and_player_hints_are_no_samples() {
    let mut client = Client::with_tracks();
    client.video(0, &[0x17, 2, 0, 0, 0]).unwrap();
    client.video(0, &[0x57, 0]).unwrap();
    client.picture(40).unwrap();
    assert_eq!(client.inputs().len(), 1);
}

#[test]
fn adts_frames_without_sequence_header_make_their_own_configuration() {
    let frame = |data: [u8; 2]| [&[0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc][..], &data].concat();
    let mut client = Client::publishing();
    client.audio(100, &[&[0xaf, 1][..], &frame([1, 2]), &frame([3, 4])].concat()).unwrap();
    client.audio(142, &[&[0xaf, 1][..], &frame([5, 6])].concat()).unwrap();
    let [track] = client.tracks(TrackId::AUDIO)[..] else { panic!("one track") };
    assert!(matches!(&track.codec, Codec::Aac(aac) if aac.config == AAC_CONFIG));
    let samples = client.samples(TrackId::AUDIO);
    let seen: Vec<_> = samples.iter().map(|sample| (sample.dts, sample.data.to_vec())).collect();
    assert_eq!(seen, [(100, vec![1, 2]), (121, vec![3, 4]), (142, vec![5, 6])]);
}

/// 7.1.6
#[test]
fn aggregate_messages_are_split() {
    let sub = |kind: u8, timestamp: u8, payload: &[u8]| {
        let header = [kind, 0, 0, payload.len() as u8, 0, 0, timestamp, 0, 0, 0, 0];
        [&header[..], payload, &[0; 4]].concat()
    };
    let mut client = Client::with_tracks();
    let picture = [0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88];
    let body = [sub(9, 10, &picture), sub(8, 33, &RAW_AAC), sub(99, 40, &[1]), sub(9, 50, &picture)].concat();
    client.send(kind::AGGREGATE, 5000, 1, body).unwrap();
    assert_eq!(client.times(), [5000, 5023, 5040]);
    assert_eq!(*client.samples(TrackId::VIDEO)[1].data, picture[5..]);
}

#[test]
fn metadata_announces_tracks_once_and_only_before_media() {
    let both = || Object::of([("videocodecid", 7.0.into()), ("audiocodecid", "mp4a".into())]);
    let mut client = Client::publishing();
    client.metadata(both()).unwrap();
    client.metadata(both()).unwrap();
    assert!(matches!(client.inputs()[..], [Input::Announce { video: true, audio: true }]));
    let mut client = Client::with_tracks();
    client.metadata(both()).unwrap();
    assert!(client.inputs().is_empty());
}

#[test]
fn metadata_of_all_shapes() {
    let announced = |values: &[Value]| {
        let mut client = Client::publishing();
        client.send(kind::DATA, 0, 1, amf_values(values)).unwrap();
        client.inputs().first().map(|input| match input {
            &&Input::Announce { video, audio } => (video, audio),
            other => panic!("{other:?}"),
        })
    };
    let object = |name: &str, value: Value| Value::Object(Object::of([(name, value)]));
    let meta = || Value::from("onMetaData");
    assert_eq!(announced(&[meta(), object("width", 1280.0.into())]), Some((true, false)));
    assert_eq!(announced(&[meta(), object("audiosamplerate", 48e3.into())]), Some((false, true)));
    assert_eq!(
        announced(&["@setDataFrame".into(), meta(), object("width", 1.0.into())]),
        Some((true, false))
    );
    for nonsense in [Value::Null, object("title", "\"><S".into()), object("width", f64::NAN.into())] {
        assert_eq!(announced(&[meta(), nonsense]), None);
    }
    assert_eq!(announced(&[meta()]), None);
    for other in ["onCuePoint", "onFI", "onTextData"] {
        assert_eq!(announced(&[other.into(), object("width", 1.0.into())]), None);
    }
}

#[test]
fn metadata_that_cannot_be_read_does_no_harm() {
    let mut client = Client::publishing();
    client.send(kind::DATA, 0, 1, vec![2, 0, 200, b'x']).unwrap();
    client.send(kind::DATA_AMF3, 0, 1, vec![0, 0x0e]).unwrap();
    client.send(kind::DATA, 0, 1, Vec::new()).unwrap();
    assert!(client.inputs().is_empty());
    assert_eq!(client.session.counters().ignored, 3);
}

#[test]
fn a_codec_that_is_not_taken_is_named_to_the_publisher() {
    let mut client = Client::publishing();
    let error = client.audio(0, &[0x2f, 0xff, 0xfb]).unwrap_err();
    assert!(error.fault.is_about_media());
    let status = client.answer("onStatus");
    assert_eq!(status.code(), "NetStream.Publish.Failed");
    assert_eq!(
        status.info("description"),
        &"MP3 audio is not supported; use AAC, Opus, AC-3, E-AC-3 or FLAC".into()
    );
}

#[test]
fn a_broken_codec_configuration_is_told_to_the_publisher() {
    let mut client = Client::publishing();
    let error = client.video(0, &[0x17, 0, 0, 0, 0, 1, 0x64, 0]).unwrap_err();
    assert!(matches!(error.fault, Fault::Codec(_)));
    assert_eq!(client.codes(), ["NetStream.Publish.Failed"]);
}
