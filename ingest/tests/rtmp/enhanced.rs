//! Enhanced RTMP v1 and v2 (Veovera): codecs by FourCC, several tracks in a name, modifiers, capabilities.
//!
//! The captures are what FFmpeg 9 sends: a second of pictures at ten a second with a keyframe in five, and a tone.

use ingest::rtmp::amf::{Object, Value};
use ingest::rtmp::message::kind;
use ingest::rtmp::session::Fault;
use media::payload::coalesce;
use media::{Kind, Sync, Timescale, TrackId};
use stream::Input;

use super::client::{AAC_CONFIG, AVC_RECORD, Answer, Client};

const VIDEO_2: TrackId = TrackId { kind: Kind::Video, index: 1 };
const AUDIO_2: TrackId = TrackId { kind: Kind::Audio, index: 1 };

/// The tags of an FLV file: type, timestamp in milliseconds, body.
fn tags(file: &'static [u8]) -> impl Iterator<Item = (u8, u32, &'static [u8])> {
    let mut rest = &file[9..];
    std::iter::from_fn(move || {
        let (_, tag) = rest.split_at_checked(4)?;
        let (header, body) = tag.split_at_checked(11)?;
        let number = |at: usize| u32::from_be_bytes([0, header[at], header[at + 1], header[at + 2]]);
        let (body, after) = body.split_at_checked(number(1) as usize)?;
        rest = after;
        Some((header[0], number(4) | u32::from(header[7]) << 24, body))
    })
}

fn sent(file: &'static [u8]) -> Client {
    let mut client = Client::publishing();
    for (kind, timestamp, body) in tags(file) {
        client.send(kind, timestamp, 1, body.to_vec()).unwrap();
    }
    client
}

/// What a track of a capture is, how many samples it has, and at how many of those decoding may begin. Of HEVC the second
/// is a CRA picture.
fn seen(client: &Client, id: TrackId) -> (String, usize, usize) {
    let [track] = client.tracks(id)[..] else { panic!("one {id}, not {}", client.tracks(id).len()) };
    let samples = client.samples(id);
    let keys = samples.iter().filter(|sample| sample.sync != Sync::No).count();
    (track.codec.rfc6381(), samples.len(), keys)
}

#[test]
fn hevc_and_opus() {
    let client = sent(include_bytes!("captures/hevc-opus.flv"));
    assert_eq!(seen(&client, TrackId::VIDEO), ("hvc1.1.6.L30.90".into(), 10, 2));
    assert_eq!(seen(&client, TrackId::AUDIO), ("opus".into(), 51, 51));
    let picture = client.samples(TrackId::VIDEO)[0];
    assert_eq!((picture.dts, picture.composition_offset), (0, 200_000));
    assert_eq!(client.tracks(TrackId::VIDEO)[0].timescale, Timescale::MICROS);
    assert_eq!(
        &picture.data[..8],
        b"\0\0\x02\x6d\x28\x01\xac\x15",
        "what follows header and composition time"
    );
    assert_eq!((client.session.counters().ignored, client.session.counters().unconfigured), (0, 0));
}

#[test]
fn av1_and_ac_3() {
    let client = sent(include_bytes!("captures/av1-ac3.flv"));
    assert_eq!(seen(&client, TrackId::VIDEO), ("av01.0.00M.08".into(), 10, 2));
    assert_eq!(seen(&client, TrackId::AUDIO), ("ac-3".into(), 32, 32));
    for picture in client.samples(TrackId::VIDEO) {
        assert!(!picture.data.starts_with(&[0x12, 0]), "a temporal delimiter");
    }
    let bytes: usize = client.samples(TrackId::VIDEO).iter().map(|sample| sample.data.len()).sum();
    let frames = tags(include_bytes!("captures/av1-ac3.flv"))
        .filter(|(kind, _, body)| *kind == 9 && body[0] & 15 == 1);
    assert_eq!(bytes, frames.map(|(_, _, body)| body.len() - 7).sum(), "all of the rest");
    assert_side_by_side(&client, TrackId::VIDEO);
}

#[test]
fn vp9_and_flac() {
    let client = sent(include_bytes!("captures/vp9-flac.flv"));
    assert_eq!(seen(&client, TrackId::VIDEO), ("vp09.00.10.08".into(), 10, 2));
    assert_eq!(
        seen(&client, TrackId::AUDIO),
        ("flac".into(), 47, 47),
        "also after the STREAMINFO at the end"
    );
    let picture = client.tracks(TrackId::VIDEO)[0].codec.picture().unwrap();
    assert_eq!((picture.width, picture.height), (128, 72), "as the keyframe says");
}

/// Track 0 of each kind has a plain header, as FFmpeg and OBS do it for servers of old.
#[test]
fn several_tracks_in_one_name() {
    let client = sent(include_bytes!("captures/several.flv"));
    assert_eq!(seen(&client, TrackId::VIDEO), ("avc1.4d400a".into(), 10, 2));
    assert_eq!(seen(&client, VIDEO_2), ("avc1.4d400a".into(), 10, 2));
    assert_eq!(seen(&client, TrackId::AUDIO).0, "mp4a.40.2");
    assert_eq!(seen(&client, AUDIO_2).0, "ec-3");
    let width = |id| client.tracks(id)[0].codec.picture().map(|picture| picture.width);
    assert_eq!((width(TrackId::VIDEO), width(VIDEO_2)), (Some(128), Some(64)));
    for id in [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO, AUDIO_2] {
        assert_side_by_side(&client, id);
    }
}

fn assert_side_by_side(client: &Client, id: TrackId) {
    let samples = client.samples(id);
    let pieces = coalesce(samples.iter().map(|sample| &sample.data));
    assert_eq!(pieces.len(), 1, "{id} in one piece");
}

/// A tag of H.264 in an enhanced header of that packet type.
fn avc(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first][..], b"avc1", payload].concat()
}

#[test]
fn a_message_of_several_tracks_is_shared_out_without_copying() {
    let mut client = Client::publishing();
    let len = [&[0, 0][..], &[AVC_RECORD.len() as u8]].concat();
    let config = [b"\x96\x10avc1", &[0][..], &len, AVC_RECORD, &[1], &len, AVC_RECORD].concat();
    client.video(0, &config).unwrap();
    let picture =
        b"\x96\x11avc1\0\0\0\x09\0\0\x28\0\0\0\x02\x65\x88\x01\0\0\x0a\0\0\x28\0\0\0\x03\x65\x88\x99";
    client.video(40, picture).unwrap();
    client.audio(40, b"\x95\x20mp4a\0\0\0\x02\x11\x90mp4a\x01\0\0\x02\x12\x10").unwrap();
    client.audio(40, b"\x95\x11mp4a\0\0\0\x01A\x01\0\0\x02BC").unwrap();
    let one = |id| client.samples(id)[0];
    assert_eq!((client.tracks(TrackId::VIDEO).len(), client.tracks(VIDEO_2).len()), (1, 1));
    assert_eq!(*one(TrackId::VIDEO).data, [0, 0, 0, 2, 0x65, 0x88]);
    assert_eq!(*one(VIDEO_2).data, [0, 0, 0, 3, 0x65, 0x88, 0x99]);
    assert_eq!((one(VIDEO_2).dts, one(VIDEO_2).composition_offset), (40_000, 40_000));
    assert_eq!(one(TrackId::VIDEO).data.holds().0, one(VIDEO_2).data.holds().0, "in one block");
    assert_eq!((&*one(TrackId::AUDIO).data, &*one(AUDIO_2).data), (&b"A"[..], &b"BC"[..]));
    assert_ne!(client.tracks(TrackId::AUDIO)[0].codec, client.tracks(AUDIO_2)[0].codec);
}

#[test]
fn what_is_whole_of_a_message_that_breaks_off_counts() {
    let mut client = Client::publishing();
    client.audio(0, b"\x95\x11mp4a\0\0\0\x01A\x01\0\0\x02B").unwrap();
    assert_eq!(client.session.counters().unconfigured, 1);
    client.audio(0, &[&b"\x90mp4a"[..], AAC_CONFIG].concat()).unwrap();
    client.audio(0, b"\x95\x11mp4a\0\0\0\x01A\x01\0\0\x02B").unwrap();
    assert_eq!(*client.samples(TrackId::AUDIO)[0].data, *b"A");
    assert_eq!(client.session.counters().ignored, 2);
}

#[test]
fn repeated_configurations_change_nothing_and_others_do() {
    let mut client = Client::publishing();
    client.video_config(0).unwrap();
    for _ in 0..3 {
        client.video(0, &avc(0x90, AVC_RECORD)).unwrap();
        client.audio(0, &[&b"\x90mp4a"[..], AAC_CONFIG].concat()).unwrap();
    }
    assert_eq!((client.tracks(TrackId::VIDEO).len(), client.tracks(TrackId::AUDIO).len()), (1, 1));
    client.audio(0, b"\x90mp4a\x12\x10").unwrap();
    client.audio(0, b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0").unwrap();
    let audio: Vec<String> =
        client.tracks(TrackId::AUDIO).iter().map(|track| track.codec.rfc6381()).collect();
    assert_eq!(audio, ["mp4a.40.2", "mp4a.40.2", "opus"]);
    client.audio(0, b"\x91mp4aA").unwrap();
    assert!(client.samples(TrackId::AUDIO).is_empty(), "a frame of the codec before");
}

/// ModEx TimestampOffsetNano.
#[test]
fn nanoseconds_are_added_to_the_timestamp() {
    let mut client = Client::publishing();
    client.video(0, &avc(0x90, AVC_RECORD)).unwrap();
    client.video(1000, b"\x97\x02\x05\x16\x15\x03avc1\0\0\0\x02\x65\x88").unwrap();
    client.video(1033, b"\xa7\x02\x0a\x2c\x2a\x01avc1\0\0\x01\0\0\0\x02\x41\x88").unwrap();
    let times =
        client.samples(TrackId::VIDEO).into_iter().map(|sample| (sample.dts, sample.composition_offset));
    assert_eq!(times.collect::<Vec<_>>(), [(1_000_333, 0), (1_033_666, 1000)]);
}

#[test]
fn what_is_no_frame_changes_nothing() {
    let mut client = Client::with_tracks();
    client.video(0, b"\xd4avc1\x02\0\x09colorInfo\x03\0\0\x09").unwrap();
    client.video(0, b"\x92avc1").unwrap();
    client.video(0, b"\x95av01\x81").unwrap();
    client.video(0, b"\xd1\0").unwrap();
    client.audio(0, b"\x94mp4a\x01\x02\0\0\0\x03").unwrap();
    client.audio(0, b"\x92mp4a").unwrap();
    assert!(client.inputs().is_empty());
    assert_eq!(client.session.counters().ignored, 0);
    client.video(0, &avc(0x9d, b"of times to come")).unwrap();
    client.video(0, b"\x96\x16avc1\0").unwrap();
    client.video(0, &[0x97; 500]).unwrap();
    assert_eq!(client.session.counters().ignored, 3);
    client.picture(40).unwrap();
    assert_eq!(client.times(), [40]);
}

#[test]
fn tracks_beyond_the_limit_are_skipped() {
    let mut client = Client::publishing();
    for track in 0..=255 {
        client.video(0, &[b"\x96\x00avc1", &[track][..], AVC_RECORD].concat()).unwrap();
        client.video(0, &[b"\x96\x03avc1", &[track][..], b"\0\0\0\x02\x65\x88"].concat()).unwrap();
    }
    let last = client.inputs().into_iter().filter_map(|input| match input {
        Input::Sample { id, .. } => Some(id.index),
        _ => None,
    });
    assert_eq!(last.collect::<Vec<_>>(), (0..8).collect::<Vec<u8>>());
    assert_eq!(client.session.counters().ignored, 2 * (256 - 8));
}

#[test]
fn a_publisher_of_an_unknown_codec_alone_is_told_what_to_use() {
    for (tag, told) in [
        (
            &b"\x91vvc1\0\0\0abc"[..],
            "video with the FourCC vvc1 is not supported; use H.264, HEVC, AV1 or VP9",
        ),
        (b"\x96\x01vp08\0abc", "video with the FourCC vp08 is not supported; use H.264, HEVC, AV1 or VP9"),
    ] {
        let mut client = Client::publishing();
        client.audio(0, &[&[0xaf, 0], AAC_CONFIG].concat()).unwrap();
        let refused = (0..100).find_map(|frame| client.video(frame * 33, tag).err()).expect("refused");
        assert!(matches!(refused.fault, Fault::Tag(_)) && refused.fault.is_about_media());
        assert_eq!(client.answer("onStatus").info("description"), &told.into());
    }
}

#[test]
fn an_unknown_codec_beside_a_known_one_is_skipped() {
    let mut client = Client::with_tracks();
    for frame in 0..100 {
        client.video(frame * 40, b"\x96\x01vvc1\x01\0\0\0abc").unwrap();
        client.audio(frame * 40, b"\x91.mp3\xff\xfb").unwrap();
        client.picture(frame * 40).unwrap();
    }
    assert_eq!(client.times().len(), 100);
    assert_eq!((client.session.counters().ignored, client.session.counters().enhanced), (200, 200));
}

#[test]
fn metadata_may_name_codecs_and_tracks_by_number() {
    let announced = |properties| {
        let mut client = Client::publishing();
        client.metadata(properties).unwrap();
        client.inputs().first().map(|input| match input {
            &&Input::Announce { video, audio } => (video, audio),
            other => panic!("{other:?}"),
        })
    };
    let hvc1 = f64::from(u32::from_be_bytes(*b"hvc1"));
    assert_eq!(announced(Object::of([("videocodecid", hvc1.into())])), Some((true, false)));
    let second = || Object::of([("1", Object::of([("channels", 2.0.into())]).into())]);
    assert_eq!(announced(Object::of([("audioTrackIdInfoMap", second().into())])), Some((false, true)));
    assert_eq!(announced(Object::of([("audioTrackIdInfoMap", Object::default().into())])), None);
}

fn connected(properties: &[(&str, Value)]) -> (Client, Answer) {
    let mut object = Object::of([("app", "live".into()), ("tcUrl", "rtmp://host/live".into())]);
    object.0.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut client = Client::new();
    client.command("connect", 1.0, &[object.into()]).unwrap();
    let answer = client.answer("_result").clone();
    (client, answer)
}

#[test]
fn capabilities_are_told_to_who_asks() {
    let asks = [
        ("fourCcList", Value::Array(vec!["*".into()])),
        ("videoFourCcInfoMap", Object::of([("*", 4.0.into())]).into()),
        ("capsEx", 0.0.into()),
    ];
    for one in &asks {
        let (_, answer) = connected(std::slice::from_ref(one));
        for of in &answer.values {
            let get = |name: &str| of.as_object().and_then(|object| object.get(name)).cloned();
            let all =
                ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", "ac-3", "ec-3", "fLaC"].map(Value::from);
            assert_eq!(get("fourCcList"), Some(Value::Array(all.to_vec())));
            assert_eq!(get("capsEx"), Some(15.0.into()));
            let flags = |map: &str, codec: &str| get(map)?.as_object()?.get(codec)?.as_number();
            assert_eq!(flags("videoFourCcInfoMap", "hvc1"), Some(4.0));
            assert_eq!(flags("audioFourCcInfoMap", "Opus"), Some(4.0));
            assert_eq!(flags("audioFourCcInfoMap", "hvc1"), None);
        }
    }
    let (_, answer) = connected(&[]);
    assert_eq!(answer.values[0].as_object().map(|properties| properties.0.len()), Some(2), "as ever");
    assert_eq!(answer.values[1].as_object().map(|information| information.0.len()), Some(4), "as ever");
}

#[test]
fn who_can_reconnect_is_asked_to() {
    for (flags, asked) in
        [(Some(1.0), true), (Some(15.0), true), (Some(2.0), false), (Some(f64::NAN), false), (None, false)]
    {
        let caps = flags.map(|flags| ("capsEx", Value::Number(flags)));
        let (mut client, _) = connected(caps.as_slice());
        assert!(!client.session.ask_to_reconnect("not publishing yet"));
        client.publish("KEY").unwrap();
        client.session.accept(1);
        client.listen();
        client.forget();
        assert_eq!(client.session.ask_to_reconnect("be back"), asked);
        client.listen();
        if asked {
            let status = client.answer("onStatus");
            assert_eq!(status.code(), "NetConnection.Connect.ReconnectRequest");
            assert_eq!(status.info("level"), &"status".into());
            assert_eq!(status.info("description"), &"be back".into());
        }
    }
}

/// Any split of the input, as every header is found out about in steps.
#[test]
fn headers_may_come_in_pieces() {
    let whole = sent(include_bytes!("captures/several.flv"));
    for split in [1, 2, 3, 7] {
        let mut client = Client::publishing();
        client.split = split;
        for (kind, timestamp, body) in tags(include_bytes!("captures/several.flv")) {
            client.send(kind, timestamp, 1, body.to_vec()).unwrap();
        }
        for id in [TrackId::VIDEO, VIDEO_2, TrackId::AUDIO, AUDIO_2] {
            let data = |client: &Client| {
                client.samples(id).iter().map(|sample| sample.data.to_vec()).collect::<Vec<_>>()
            };
            assert_eq!(data(&client), data(&whole));
        }
    }
    let mut client = Client::publishing();
    client.send(kind::VIDEO, 0, 1, avc(0x90, AVC_RECORD)).unwrap();
    assert_eq!(client.tracks(TrackId::VIDEO).len(), 1);
}
