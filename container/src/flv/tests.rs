use media::Kind::{Audio, Video};
use proptest::prelude::*;

use super::*;

fn parse(kind: Kind, bytes: &[u8]) -> Tag {
    Tag::parse(kind, bytes).expect("a tag")
}

fn packet(kind: Kind, bytes: &[u8]) -> (Packet, usize) {
    let tag = parse(kind, bytes);
    let Content::Packet(packet) = tag.content else { panic!("{tag:?}") };
    (packet, tag.header)
}

fn frame(keyframe: bool, composition_time: i32) -> Data {
    Data::Frame { keyframe, composition_time }
}

fn split(kind: Kind, bytes: &[u8]) -> Vec<Result<(Packet, Vec<u8>), Error>> {
    let tag = parse(kind, bytes);
    let Content::Tracks(tracks) = tag.content else { panic!("{tag:?}") };
    let payload = &bytes[tag.header..];
    tracks.split(payload).map(|one| one.map(|(packet, at)| (packet, payload[at].to_vec()))).collect()
}

#[test]
fn composition_time_is_signed_in_24_bits() {
    for (header, keyframe, time) in [
        ([0x27, 1, 0, 0, 80], false, 80),
        ([0x17, 1, 0xff, 0xff, 0xb0], true, -80),
        ([0x17, 1, 0x80, 0, 0], true, -(1 << 23)),
    ] {
        let expected = Packet { track: 0, codec: FourCc::AVC, data: frame(keyframe, time) };
        assert_eq!(packet(Video, &header), (expected, 5));
    }
}

#[test]
fn legacy_packets_that_are_no_frames() {
    let data = |kind, bytes: &[u8]| packet(kind, bytes).0.data;
    assert_eq!(data(Video, &[0x17, 0, 0, 0, 0, 1]), Data::Configuration);
    assert_eq!(data(Video, &[0x17, 2, 0, 0, 0]), Data::End);
    assert_eq!(parse(Video, &[0x57, 0]).content, Content::Nothing);
    assert_eq!(Tag::parse(Video, &[0x17, 9, 0, 0, 0]), Err(Error::Reserved { kind: "video", packet: 9 }));
    assert_eq!(data(Audio, &[0xaf, 0]), Data::Configuration);
    assert_eq!(data(Audio, &[0xaf, 1, 0x21]), frame(true, 0));
    assert_eq!(packet(Video, &[0x1c, 1, 0, 0, 0]).0.codec, FourCc::HEVC, "as encoders in China spell it");
}

#[test]
fn an_unsupported_codec_is_named() {
    let text = |kind, bytes: &[u8]| Tag::parse(kind, bytes).map_err(|error| error.to_string());
    let audio = "use AAC, Opus, AC-3, E-AC-3 or FLAC";
    assert_eq!(text(Audio, &[0x2f, 0]), Err(format!("MP3 audio is not supported; {audio}")));
    let video = "use H.264, HEVC, AV1 or VP9";
    assert_eq!(text(Video, &[0x12]), Err(format!("Sorenson H.263 video is not supported; {video}")));
    assert_eq!(text(Video, &[0x1f]), Err(format!("an unknown codec for video is not supported; {video}")));
    assert_eq!(FourCc(*b"a\n\xff\"").to_string(), "a??\"");
}

/// As FFmpeg 9 writes them.
#[test]
fn enhanced_packets_of_one_track() {
    for (bytes, codec, data, header) in [
        (&b"\x90hvc1\x01"[..], FourCc::HEVC, Data::Configuration, 5),
        (b"\x91hvc1\0\0\x50\0", FourCc::HEVC, frame(true, 80), 8),
        (b"\xa3hvc1\0\0\x50\0", FourCc::HEVC, frame(false, 0), 5),
        (b"\x92hvc1", FourCc::HEVC, Data::End, 5),
        (b"\xd4hvc1\x02\0\x09colorInfo", FourCc::HEVC, Data::Aside, 5),
        (b"\x90av01\x81", FourCc::AV1, Data::Configuration, 5),
        (b"\x95av01\x81", FourCc::AV1, Data::Aside, 5),
        (b"\x91vp09\x82I\x83B", FourCc::VP9, frame(true, 0), 5),
        (b"\xa1avc1\xff\xff\xff\0", FourCc::AVC, frame(false, -1), 8),
    ] {
        assert_eq!(packet(Video, bytes), (Packet { track: 0, codec, data }, header), "{bytes:?}");
        assert!(parse(Video, bytes).enhanced);
    }
    for (bytes, codec, data) in [
        (&b"\x90OpusOpusHead"[..], FourCc::OPUS, Data::Configuration),
        (b"\x90ac-3", FourCc::AC3, Data::Configuration),
        (b"\x94ac-3\x01\x01\0\0\0\x04", FourCc::AC3, Data::Channels),
        (b"\x91fLaC\xff\xf8", FourCc::FLAC, frame(true, 0)),
        (b"\x92mp4a", FourCc::AAC, Data::End),
    ] {
        assert_eq!(packet(Audio, bytes), (Packet { track: 0, codec, data }, 5), "{bytes:?}");
    }
}

#[test]
fn a_temporal_delimiter_belongs_to_the_header() {
    assert_eq!(packet(Video, b"\x91av01\x12\0\x32\x05").1, 7);
    assert_eq!(packet(Video, b"\x91av01\x32\x05\x10\0").1, 5);
    assert_eq!(packet(Video, b"\x91vp09\x12\0\x32\x05").1, 5, "of AV1 alone");
    assert_eq!(packet(Video, b"\x90av01\x12\0").1, 5, "and of frames alone");
}

#[test]
fn one_track_of_several_says_which() {
    let expected = Packet { track: 1, codec: FourCc::AVC, data: frame(true, 80) };
    assert_eq!(packet(Video, b"\x96\x01avc1\x01\0\0\x50\0\0\x02"), (expected, 10));
    let expected = Packet { track: 3, codec: FourCc::AAC, data: Data::Configuration };
    assert_eq!(packet(Audio, b"\x95\0mp4a\x03\x11\x88"), (expected, 7));
}

#[test]
fn many_tracks_are_split_where_their_lengths_say() {
    let video = b"\x96\x11avc1\0\0\0\x05\0\0\x28AB\x02\0\0\x04\xff\xff\xffC";
    let of = |track, codec, time| Packet { track, codec, data: frame(true, time) };
    let both = [Ok((of(0, FourCc::AVC, 40), b"AB".to_vec())), Ok((of(2, FourCc::AVC, -1), b"C".to_vec()))];
    assert_eq!(split(Video, video), both);
    let mixed = b"\x96\x21hvc1\0\0\0\x04\0\0\0Aav01\x01\0\0\x04\x12\0BCvp09\x02\0\0\0";
    let three = [
        Ok((of(0, FourCc::HEVC, 0), b"A".to_vec())),
        Ok((of(1, FourCc::AV1, 0), b"BC".to_vec())),
        Ok((of(2, FourCc::VP9, 0), Vec::new())),
    ];
    assert_eq!(split(Video, mixed), three);
    let audio = b"\x95\x11Opus\0\0\0\x01A\x01\0\0\x02BC";
    let sound = |track| Packet { track, codec: FourCc::OPUS, data: frame(true, 0) };
    assert_eq!(split(Audio, audio), [Ok((sound(0), b"A".to_vec())), Ok((sound(1), b"BC".to_vec()))]);
}

#[test]
fn tracks_that_lie_about_their_length_end_there() {
    let cut = |len| Err(Error::Truncated { kind: "audio", len });
    let whole = Ok((Packet { track: 0, codec: FourCc::AAC, data: frame(true, 0) }, b"A".to_vec()));
    assert_eq!(split(Audio, b"\x95\x11mp4a\0\0\0\x01A\x01\xff\xff\xffB"), [whole.clone(), cut(10)]);
    assert_eq!(split(Audio, b"\x95\x11mp4a\0\0\0\x01A\x01\0"), [whole, cut(7)]);
    assert_eq!(
        split(Video, b"\x96\x11avc1\0\0\0\x02\0\0"),
        [Err(Error::Truncated { kind: "video", len: 2 })],
        "too short for its composition time"
    );
}

#[test]
fn one_message_has_so_many_tracks() {
    let message = |count: usize| [b"\x95\x11mp4a".to_vec(), [1, 0, 0, 0].repeat(count)].concat();
    assert!(split(Audio, &message(MAX_TRACKS)).iter().all(Result::is_ok));
    let all = split(Audio, &message(2_000_000));
    assert_eq!((all.len(), all.last()), (MAX_TRACKS + 1, Some(&Err(Error::TooManyTracks { kind: "audio" }))));
}

#[test]
fn what_must_not_be_inside_several_tracks_is_refused() {
    for (kind, first, inside) in [(Video, 0x96, 6), (Video, 0x96, 7), (Audio, 0x95, 5), (Audio, 0x95, 7)] {
        for way in 0..=2 {
            let tag = [&[first, way << 4 | inside][..], b"avc1\0\0\0\x01AB"].concat();
            let refused = Err(Error::Reserved { kind: kind.as_str(), packet: inside });
            assert_eq!(Tag::parse(kind, &tag), refused);
        }
    }
    assert!(matches!(Tag::parse(Video, b"\x96\x31avc1\0"), Err(Error::Reserved { .. })));
}

#[test]
fn packet_types_to_come_are_reserved() {
    for (kind, first, known) in [(Video, 0x90, 0..=7), (Audio, 0x90, 0..=7)] {
        for packet in (0..16).filter(|packet| !known.contains(packet)) {
            let tag = [&[first | packet][..], b"avc1\0\0\0"].concat();
            assert_eq!(Tag::parse(kind, &tag), Err(Error::Reserved { kind: kind.as_str(), packet }));
        }
    }
    for packet in [3, 6] {
        let tag = [&[0x90 | packet][..], b"mp4a"].concat();
        assert_eq!(Tag::parse(Audio, &tag), Err(Error::Reserved { kind: "audio", packet }));
    }
}

#[test]
fn a_modifier_adds_nanoseconds() {
    let tag = parse(Video, b"\x97\x02\x07\xa1\x20\x01hvc1\0\0\x28A");
    assert_eq!((tag.nanos, tag.header), (500_000, 13));
    let Content::Packet(Packet { data, .. }) = tag.content else { panic!("{tag:?}") };
    assert_eq!(data, frame(true, 40));
    assert_eq!(parse(Audio, b"\x97\x02\xff\xff\xff\x01OpusA").nanos, 999_999);
    let several = parse(Audio, b"\x97\x00A\x17\x02\0\0\x09\x05\x01Opus\x02A");
    assert_eq!(
        (several.nanos, several.header),
        (9, 15),
        "one that is not known, then this one, then a track"
    );
    assert_eq!(parse(Audio, b"\x97\x01\0\x09\x01OpusA").nanos, 0, "too short to say any");
}

#[test]
fn modifiers_without_end_are_given_up() {
    let mut endless = vec![0x97];
    endless.extend([0, 0, 0x17].repeat(100));
    let too_long = Err(Error::TooLong { kind: "video" });
    assert_eq!(Tag::parse(Video, &endless), too_long);
    assert_eq!(Tag::parse(Video, &[&[0x97, 0xff, 0xff, 0xff][..], &[0; 70_000]].concat()), too_long);
    let codec_behind = [&[0x97, 0x3a][..], &[0; 60], b"avc1", &[0; 20]].concat();
    assert_eq!(Tag::parse(Video, &codec_behind), too_long);
    assert_eq!(Tag::parse(Video, &codec_behind[..64]), too_long, "nor is the rest waited for");
    assert_eq!(Tag::parse(Video, &[0x97, 0xff]), Err(Error::Truncated { kind: "video", len: 2 }));
}

#[test]
fn short_tags_are_errors() {
    for (kind, tag) in [(Video, &[][..]), (Video, &[0x17, 1, 0]), (Video, b"\x91hvc1\0\0"), (Video, b"\x96")]
    {
        assert_eq!(Tag::parse(kind, tag), Err(Error::Truncated { kind: "video", len: tag.len() }));
    }
    for tag in [&[0xaf][..], b"\x90Op", b"\x95\0mp4a"] {
        assert_eq!(Tag::parse(Audio, tag), Err(Error::Truncated { kind: "audio", len: tag.len() }));
    }
}

proptest! {
    /// Whoever reads a header as far as it is wanted knows what whoever has all of it knows.
    #[test]
    fn as_much_as_is_wanted_says_all(
        video: bool,
        first in prop_oneof![any::<u8>(), 0x90..=0x97u8],
        second in prop_oneof![any::<u8>(), 0x00..=0x25u8],
        codec in prop_oneof![Just(*b"avc1"), Just(*b"av01"), Just(*b"Opus"), any::<[u8; 4]>()],
        rest in proptest::collection::vec(prop_oneof![any::<u8>(), 0..=0x17u8], 0..80),
        with_second: bool,
    ) {
        let kind = if video { Video } else { Audio };
        let second = if with_second { &[second][..] } else { &[] };
        let tag = [&[first][..], second, &codec, &rest].concat();
        let mut known = 0;
        loop {
            let wanted = Tag::wanted(kind, &tag[..known]).min(tag.len());
            prop_assert!(wanted <= MAX_HEADER);
            if wanted <= known {
                break;
            }
            known = wanted;
        }
        let (part, whole) = (Tag::parse(kind, &tag[..known]), Tag::parse(kind, &tag));
        match (part, whole) {
            (Ok(part), Ok(whole)) => prop_assert_eq!(part, whole),
            (part, whole) => prop_assert_eq!(part.is_ok(), whole.is_ok()),
        }
    }
}
