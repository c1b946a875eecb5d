//! Commands: sections 7.2.1 and 7.2.2, in the orders and shapes that encoders use.

use std::time::Duration;

use ingest::rtmp::amf::{Object, Value};
use ingest::rtmp::message::kind;
use ingest::rtmp::session::{Counters, Event, Fault};
use ingest::rtmp::{Limits, name};
use rml_rtmp::messages::RtmpMessage;
use stream::{Input, Leg};

use super::client::{Client, amf_command, amf_values};

fn key_of(app: &str, name: &str) -> (Leg, String) {
    let mut client = Client::new();
    client.connect(app).unwrap();
    client.publish(name).unwrap();
    let request = client.requests()[0].clone();
    (request.leg, request.key.into_secret())
}

/// 7.2.1.1
#[test]
fn connect_is_answered_with_windows_chunk_size_and_result() {
    let mut client = Client::new();
    let object = Object::of([("app", "live".into()), ("objectEncoding", 3.0.into())]);
    client.command("connect", 1.0, &[object.into()]).unwrap();
    assert!(matches!(
        client.controls[..],
        [
            RtmpMessage::WindowAcknowledgement { .. },
            RtmpMessage::SetPeerBandwidth { .. },
            RtmpMessage::SetChunkSize { .. }
        ]
    ));
    let result = client.answer("_result");
    assert_eq!(result.transaction, 1.0);
    assert_eq!(result.code(), "NetConnection.Connect.Success");
    assert_eq!(result.info("objectEncoding"), &3.0.into());
    let properties = result.values[0].as_object().unwrap();
    assert!(properties.get("fmsVer").is_some() && properties.get("capabilities").is_some());
}

#[test]
fn key_in_the_name_or_in_the_application() {
    let primary = (Leg::Primary, "KEY_720p".to_owned());
    for (app, name) in [
        ("live", "KEY_720p"),
        ("live/", "KEY_720p?user=a&x=b"),
        ("live?token=1", "KEY_720p"),
        ("live/KEY_720p", ""),
        ("live/_definst_", "KEY_720p"),
    ] {
        assert_eq!(key_of(app, name), primary, "{app} {name}");
    }
    assert_eq!(key_of("backup", "KEY"), (Leg::Backup, "KEY".to_owned()));
}

#[test]
fn an_unknown_application_is_rejected_with_a_description() {
    let mut client = Client::new();
    let error = client.connect("vod").unwrap_err();
    assert_eq!(error.fault, Fault::Name(name::Error::UnknownApp));
    let answer = client.answer("_error");
    assert_eq!((answer.transaction, answer.code()), (1.0, "NetConnection.Connect.Rejected"));
    assert_eq!(
        answer.info("description"),
        &"unknown application; publish to /live/KEY or /backup/KEY".into()
    );
}

#[test]
fn a_bad_key_is_refused_and_never_repeated() {
    for key in ["../../etc/passwd", "a\0b", "a\nb", "<script>", "", &"k".repeat(10_000)] {
        let mut client = Client::new();
        client.connect("live").unwrap();
        let error = client.publish(key).unwrap_err();
        assert_eq!(client.codes(), ["NetStream.Publish.BadName"]);
        assert!(key.is_empty() || !error.to_string().contains(key));
        assert!(client.requests().is_empty());
    }
}

/// 7.2.2: FMLE, OBS and FFmpeg agree on the commands, not on their order.
#[test]
fn the_way_to_publishing_in_any_order() {
    let orders: [&[&str]; 4] = [
        &["releaseStream", "FCPublish", "createStream"],
        &["createStream", "FCPublish", "releaseStream"],
        &["createStream", "_checkbw", "getStreamLength", "onBWDone", "SetSomething"],
        &["createStream"],
    ];
    for order in orders {
        let mut client = Client::new();
        client.connect("live").unwrap();
        for (index, name) in order.iter().enumerate() {
            client.command(name, 2.0 + index as f64, &[Value::Null, "KEY".into()]).unwrap();
        }
        client.publish("KEY").unwrap();
        assert_eq!(client.requests().len(), 1);
        client.session.accept(1);
        client.listen();
        assert_eq!(client.codes(), ["NetStream.Publish.Start"], "{order:?}");
        assert!(client.session.is_publishing());
    }
}

#[test]
fn create_stream_gives_a_new_message_stream_each_time() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    client.forget();
    for transaction in [2.0, 3.0] {
        client.command("createStream", transaction, &[Value::Null]).unwrap();
    }
    let ids: Vec<_> = client.answers.iter().map(|a| (a.transaction, a.values[1].clone())).collect();
    assert_eq!(ids, [(2.0, 1.0.into()), (3.0, 2.0.into())]);
}

#[test]
fn fc_publish_is_answered() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    client.command("FCPublish", 3.0, &[Value::Null, "KEY".into()]).unwrap();
    assert_eq!(client.answer("onFCPublish").code(), "NetStream.Publish.Start");
}

#[test]
fn every_way_to_stop_ends_publishing_once() {
    let (unpublish, delete, close) = (("FCUnpublish", 1), ("deleteStream", 1), ("closeStream", 0));
    for way in [&[unpublish][..], &[delete], &[close], &[unpublish, delete, close], &[close, unpublish]] {
        let mut client = Client::with_tracks();
        for &(name, values) in way {
            let values = &[Value::Null, 1.0.into()][..1 + values];
            client.command(name, 6.0, values).unwrap();
        }
        assert_eq!(client.unpublished(), 1, "{way:?}");
        assert!(!client.session.is_publishing());
        assert_eq!(client.codes(), ["NetStream.Unpublish.Success"]);
        client.forget();
        client.picture(40).unwrap();
        assert!(client.events.is_empty(), "media after the end");
    }
}

#[test]
fn deleting_another_stream_ends_nothing() {
    let mut client = Client::with_tracks();
    client.command("deleteStream", 6.0, &[Value::Null, 7.0.into()]).unwrap();
    assert!(client.session.is_publishing());
}

#[test]
fn one_connection_may_publish_again() {
    let mut client = Client::with_tracks();
    client.picture(100_000).unwrap();
    client.command("FCUnpublish", 6.0, &[Value::Null]).unwrap();
    client.publish("OTHER").unwrap();
    client.session.accept(1);
    client.forget();
    client.picture(0).unwrap();
    assert!(client.events.is_empty(), "the tracks of the first publication are gone");
    client.video_config(0).unwrap();
    client.picture(40).unwrap();
    assert_eq!(client.times(), [40]);
}

#[test]
fn publishing_twice_on_one_message_stream_is_refused() {
    let mut client = Client::publishing();
    assert!(client.publish("KEY").is_err());
    assert_eq!(client.codes(), ["NetStream.Publish.BadName"]);
}

/// Publishing is on a message stream (7.2.2.6), of which a connection may have several (7.2.1.3).
#[test]
fn names_on_one_connection_are_published_side_by_side() {
    let mut client = Client::publishing();
    client.publish_on(2, "KEY_720p").unwrap();
    let asked: Vec<_> =
        client.requests().iter().map(|it| (it.stream_id, it.key.clone().into_secret())).collect();
    assert_eq!(asked, [(2, "KEY_720p".to_owned())]);
    client.session.accept(2);
    client.listen();
    assert_eq!(client.codes(), ["NetStream.Publish.Start"]);
    client.forget();
    let config = [&[0x17, 0, 0, 0, 0][..], super::client::AVC_RECORD].concat();
    for (stream_id, at) in [(2, 40), (1, 80), (2, 120)] {
        client.send(kind::VIDEO, at, stream_id, config.clone()).unwrap();
        client.send(kind::VIDEO, at, stream_id, vec![0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88]).unwrap();
    }
    client.send(kind::VIDEO, 160, 3, config).unwrap();
    assert_eq!(client.session.counters().ignored, 1, "nobody publishes there");
    let samples = client.events.iter().filter_map(|event| match event {
        Event::Input(stream_id, Input::Sample { sample, .. }) => Some((*stream_id, sample.dts)),
        _ => None,
    });
    assert_eq!(samples.collect::<Vec<_>>(), [(2, 40), (1, 80), (2, 120)]);
    client.forget();
    client.command("deleteStream", 0.0, &[Value::Null, 1.0.into()]).unwrap();
    assert!(
        matches!(client.events[..], [Event::Unpublish(1, Counters { video: 1, .. })]),
        "{:?}",
        client.events
    );
    client.picture(200).unwrap();
    assert!(client.session.is_publishing());
    assert_eq!(client.times(), [200], "one alone is meant by whatever comes");
}

#[test]
fn a_name_that_is_refused_leaves_the_others_alone() {
    let mut client = Client::with_limits(Limits { publications: 2, ..Limits::default() });
    client.connect("live").unwrap();
    client.publish_on(1, "KEY").unwrap();
    client.session.accept(1);
    client.publish_on(2, "WRONG").unwrap();
    client.session.refuse(2, "unknown stream key");
    client.listen();
    client.forget();
    client.picture(0).unwrap();
    assert!(client.session.is_publishing());
    client.publish_on(2, "KEY_a").unwrap();
    client.session.accept(2);
    assert!(client.publish_on(3, "KEY_b").is_err(), "two are enough");
}

#[test]
fn a_refused_publisher_is_told_why() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    client.publish("KEY").unwrap();
    client.session.refuse(1, "unknown stream key");
    client.listen();
    let status = client.answer("onStatus");
    assert_eq!(status.code(), "NetStream.Publish.BadName");
    assert_eq!(status.info("level"), &"error".into());
    assert_eq!(status.info("description"), &"unknown stream key".into());
}

/// Some encoders send media without waiting for the answer to publish.
#[test]
fn media_behind_an_unanswered_publish_is_kept_or_forgotten_with_it() {
    for accept in [true, false] {
        let mut client = Client::new();
        client.connect("live").unwrap();
        client.publish("KEY").unwrap();
        let tag = [&[0x17, 0, 0, 0, 0][..], super::client::AVC_RECORD].concat();
        let message =
            super::chunker::Outgoing { kind: kind::VIDEO, timestamp: 0, stream_id: 1, payload: tag };
        let bytes = client.chunker.chunks(6, 0, &message).concat();
        client.session.handle(&bytes, client.now).unwrap();
        if accept {
            client.session.accept(1)
        } else {
            client.session.refuse(1, "no")
        }
        client.listen();
        assert_eq!(client.inputs().len(), usize::from(accept));
    }
}

#[test]
fn the_end_of_a_publication_is_told() {
    let mut client = Client::publishing();
    client.session.end_all("another publisher took over");
    client.listen();
    let status = client.answer("onStatus");
    assert_eq!(status.code(), "NetStream.Unpublish.Success");
    assert_eq!(status.info("description"), &"another publisher took over".into());
}

#[test]
fn an_idle_peer_is_not_told_of_an_end() {
    let mut client = Client::new();
    client.session.end_all("server is shutting down");
    assert_eq!(client.session.poll_transmit(), None);
}

#[test]
fn players_are_sent_elsewhere() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    client.command("play", 4.0, &[Value::Null, "KEY".into()]).unwrap();
    let status = client.answer("onStatus");
    assert_eq!(status.code(), "NetStream.Play.StreamNotFound");
    assert_eq!(status.info("description"), &"playback is by HLS and DASH".into());
}

/// 7.1.1: type 17 has a zero byte, then AMF0, in which single values may switch to AMF3.
#[test]
fn commands_of_clients_that_announced_amf3() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    let publish = amf_values(&["publish".into(), 5.0.into(), Value::Null]);
    let payload = [&[0][..], &publish, &[0x11, 0x06, 0x07], b"KEY"].concat();
    client.send(kind::COMMAND_AMF3, 0, 1, payload).unwrap();
    assert_eq!(client.requests()[0].clone().key.into_secret(), "KEY");
    let mut client = Client::new();
    let connect = amf_command("connect", 1.0, &[Object::of([("app", "live".into())]).into()]);
    client.send(kind::COMMAND_AMF3, 0, 0, [vec![0], connect].concat()).unwrap();
    assert_eq!(client.answer("_result").code(), "NetConnection.Connect.Success");
}

#[test]
fn commands_with_rare_types_are_read() {
    let mut client = Client::new();
    let app = [&[0, 3][..], b"app", &[0x0c, 0, 0, 0, 4], b"live"].concat();
    let date = [&[0, 1][..], b"d", &[0x0b], &[0; 10]].concat();
    let strict = [&[0, 1][..], b"s", &[0x0a, 0, 0, 0, 2, 5, 6]].concat();
    let array = [&[8, 0, 0, 0, 9][..], &app, &date, &strict, &[0, 0, 9]].concat();
    let payload = [amf_values(&["connect".into(), 1.0.into()]), array].concat();
    client.send(kind::COMMAND, 0, 0, payload).unwrap();
    assert_eq!(client.answer("_result").code(), "NetConnection.Connect.Success");
}

#[test]
fn a_peer_has_ten_seconds_to_publish_and_thirty_of_silence() {
    let mut client = Client::new();
    client.connect("live").unwrap();
    assert_eq!(client.pass(Duration::from_secs(9)), Ok(()));
    client.command("_checkbw", 2.0, &[]).unwrap();
    assert!(matches!(client.pass(Duration::from_secs(1)).unwrap_err().fault, Fault::Slow { .. }));

    let mut client = Client::with_tracks();
    assert_eq!(client.pass(Duration::from_secs(29)), Ok(()));
    client.picture(0).unwrap();
    assert_eq!(client.pass(Duration::from_secs(29)), Ok(()));
    assert!(matches!(client.pass(Duration::from_secs(1)).unwrap_err().fault, Fault::Silent { .. }));

    let mut client = Client::with_tracks();
    client.now += Duration::from_secs(100);
    client.command("FCUnpublish", 6.0, &[]).unwrap();
    assert_eq!(client.pass(Duration::from_secs(9)), Ok(()));
    assert!(client.pass(Duration::from_secs(1)).is_err());
}
