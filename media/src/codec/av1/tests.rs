use super::*;

// SVT-AV1, Main, 320x180.
const RECORD: &[u8] =
    &[0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0b, 0x02, 0x00, 0x00, 0x05, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02];

// SVT-AV1, Main, 1920x1080, ten bits, BT.2020 with HLG.
const HLG: &[u8] = &[
    0x81, 0x08, 0x4c, 0x00, 0x0a, 0x0f, 0x02, 0x00, 0x00, 0x42, 0x95, 0x5d, 0xfe, 0x1b, 0x80, 0x5f, 0x0a,
    0x12, 0x24, 0x12, 0x08,
];

#[test]
fn reads_size_and_profile() {
    let av1 = Av1::parse(Bytes::from_static(RECORD)).expect("valid");
    assert_eq!((av1.width, av1.height, av1.bit_depth, av1.color), (320, 180, 8, None));
    assert_eq!(av1.rfc6381(), "av01.0.00M.08");
}

#[test]
fn reads_color() {
    let av1 = Av1::parse(Bytes::from_static(HLG)).expect("valid");
    assert_eq!((av1.width, av1.height, av1.bit_depth), (1920, 1080, 10));
    assert_eq!(av1.color, Some(Color { primaries: 9, transfer: 18, matrix: 9, full_range: false }));
    assert_eq!(av1.rfc6381(), "av01.0.08M.10.0.110.09.18.09.0");
}

#[test]
fn a_record_is_made_of_the_sequence_header() {
    for record in [RECORD, HLG] {
        let sent = Av1::parse(Bytes::from_static(record)).expect("valid");
        let sample = [&[0x12, 0][..], &record[4..]].concat();
        assert_eq!(Av1::from_sequence_header(&sample), Ok(sent), "behind a temporal delimiter");
    }
}

#[test]
fn every_truncation_is_an_error_and_no_panic() {
    for end in 0..HLG.len() {
        assert!(Av1::parse(Bytes::from_static(&HLG[..end])).is_err(), "{end}");
    }
    let payload = &HLG[6..];
    for end in 0..payload.len() {
        let _ = Av1::from_sequence_header(&[&[0x0a, end as u8][..], &payload[..end]].concat());
    }
}

#[test]
fn decoding_begins_at_a_key_frame_behind_a_sequence_header() {
    let av1 = Av1::parse(Bytes::from_static(RECORD)).expect("valid");
    let (key, inter, hidden) = ([0x32, 1, 0x10], [0x32, 1, 0x30], [0x32, 1, 0x00]);
    let header = &RECORD[4..];
    assert_eq!(av1.classify(true, &[header, &key].concat()), Sync::Yes);
    assert_eq!(av1.classify(true, &key), Sync::Recovery);
    assert_eq!(av1.classify(true, &[header, &inter].concat()), Sync::No);
    assert_eq!(av1.classify(true, &[header, &hidden].concat()), Sync::No, "shown later, if at all");
    assert_eq!(av1.classify(false, &[header, &key].concat()), Sync::No);
}

#[test]
fn delimiters_are_taken_off() {
    assert_eq!(without_delimiters(&[0x12, 0, 0x32, 1, 0x10]), [0x32, 1, 0x10]);
    assert_eq!(without_delimiters(&[0x12, 0]), []);
    assert_eq!(without_delimiters(&[0x32, 1, 0x10]), [0x32, 1, 0x10]);
}
