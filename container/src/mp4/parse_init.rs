//! What an initialization segment says of its track, read back from the file that begins with it.

use media::{Language, Timescale, Track};
use mp4_atom::{Atom, Decode, Header, Moov};

use super::Malformed;
use super::entry::codec;

/// Reads what [`init_segment`](super::init_segment) wrote: the one track of a `moov`.
pub fn parse_init(bytes: &[u8]) -> Result<Track, Malformed> {
    let moov = find_moov(bytes)?;
    let trak = moov.trak.first().ok_or(Malformed::Missing("trak"))?;
    let timescale = Timescale::new(trak.mdia.mdhd.timescale).ok_or(Malformed::Missing("a timescale"))?;
    let entry = trak.mdia.minf.stbl.stsd.codecs.first().ok_or(Malformed::Missing("a sample entry"))?;
    Ok(Track::new(codec(entry)?, timescale).with_language(Language::new(&trak.mdia.mdhd.language)))
}

fn find_moov(mut rest: &[u8]) -> Result<Moov, Malformed> {
    loop {
        let header = Header::decode(&mut rest).map_err(boxes)?;
        let size = header.size.unwrap_or(rest.len());
        let body = rest.get(..size).ok_or(Malformed::Missing("moov"))?;
        if header.kind == Moov::KIND {
            return Moov::decode_body(&mut &*body).map_err(boxes);
        }
        rest = &rest[size..];
    }
}

fn boxes(error: mp4_atom::Error) -> Malformed {
    Malformed::Boxes(error.to_string())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Codec;
    use media::codec::{Aac, Ac3, Av1, Avc, Eac3, Flac, Hevc, MpegAudio, Opus, Vp9};

    use super::*;
    use crate::mp4::init_segment;

    const AVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/avcc-720p.bin");

    const HEVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/hvcc-1080p-pq.bin");
    // SVT-AV1, 320x180.
    const AV1_RECORD: &[u8] =
        &[0x81, 0, 0x0c, 0, 0x0a, 0x0b, 2, 0, 0, 5, 0x21, 0xe7, 0xf6, 0x60, 0x17, 0xc0, 0x02];
    // FFmpeg: 48 kHz, stereo, 16 bits, blocks of 1024.
    const STREAM_INFO: &[u8] = &[
        4, 0, 4, 0, 0, 1, 0x0d, 0, 1, 0x7f, 0x0b, 0xb8, 2, 0xf0, 0, 1, 0x77, 0, 0xaa, 0xed, 0x52, 0x8a, 1, 3,
        5, 0x58, 0x80, 0xdd, 0x56, 0x1c, 0x98, 0x43, 0x3b, 0x6e,
    ];

    /// One of each codec, as encoders configure them.
    fn codecs() -> Vec<Codec> {
        let fixed = Bytes::from_static;
        let avc = || Avc::parse(fixed(AVC_RECORD)).expect("H.264");
        vec![
            Codec::Avc(avc()),
            Codec::Avc(avc().with_in_band()),
            Codec::Hevc(Hevc::parse(fixed(HEVC_RECORD)).expect("H.265")),
            Codec::Av1(Av1::parse(fixed(AV1_RECORD)).expect("AV1")),
            Codec::Vp9(Vp9::parse(fixed(&[0, 11, 0x82, 1, 1, 1, 0, 0]), (320, 180)).expect("VP9")),
            Codec::Aac(Aac::parse(fixed(&[0x11, 0x90])).expect("AAC")),
            Codec::Opus(Opus::new(2, 312).expect("Opus")),
            Codec::Opus(Opus::new(6, 312).expect("Opus, 5.1")),
            Codec::Ac3(Ac3::parse(fixed(&[0x10, 0x3d, 0xe0])).expect("AC-3")),
            Codec::Eac3(Eac3::parse(fixed(&[0x0e, 0, 0x20, 0x0f, 0])).expect("E-AC-3")),
            Codec::Eac3(Eac3::parse(fixed(&[0x0e, 0, 0x20, 0x0f, 2, 2])).expect("E-AC-3, 7.1")),
            Codec::Flac(Flac::parse(fixed(STREAM_INFO)).expect("FLAC")),
            Codec::MpegAudio(MpegAudio::new(48_000, 2).expect("MPEG-1")),
            Codec::MpegAudio(MpegAudio::new(22_050, 1).expect("MPEG-2")),
        ]
    }

    #[test]
    fn a_track_of_every_codec_is_read_back_as_it_was() {
        for codec in codecs() {
            let timescale = codec.sound().and_then(|sound| Timescale::new(sound.sample_rate));
            let track =
                Track::new(codec, timescale.unwrap_or(Timescale::VIDEO)).with_language(Language::new("de"));
            let bytes = init_segment(&track).expect("fits");
            assert_eq!(parse_init(&bytes).as_ref(), Ok(&track));
            let name = track.codec.rfc6381();
            let entry = match name.split('.').next().unwrap_or_default() {
                "opus" => "Opus",
                "flac" => "fLaC",
                entry => entry,
            };
            assert!(
                bytes.windows(4).any(|word| word == entry.as_bytes()),
                "{name} has a sample entry {entry}"
            );
        }
    }

    /// ISO/IEC 14496-1 §7.2.6.6: what FFmpeg writes of it, too.
    #[test]
    fn mpeg_audio_is_an_object_type_without_specific_information() {
        for (rate, indication) in [(48_000, 0x6b), (24_000, 0x69)] {
            let codec = Codec::MpegAudio(MpegAudio::new(rate, 2).expect("it"));
            let bytes = init_segment(&Track::new(codec, Timescale::VIDEO)).expect("fits");
            let esds = bytes.windows(4).position(|word| word == b"esds").expect("an esds");
            // ES_Descriptor, then DecoderConfigDescriptor of 13 bytes: an audio stream, and nothing in it.
            let (es, config) = (&bytes[esds + 8..esds + 10], &bytes[esds + 13..esds + 17]);
            assert_eq!((es, config), (&[3, 21][..], &[4, 13, indication, 0x15][..]));
        }
    }

    #[test]
    fn color_is_said_where_the_bitstream_says_it() {
        let colr = |codec: Codec| {
            let bytes = init_segment(&Track::new(codec, Timescale::VIDEO)).expect("fits");
            let at = bytes.windows(8).position(|word| word == b"colrnclx");
            at.map(|at| bytes[at + 8..at + 15].to_vec())
        };
        let [_, _, hevc, av1, ..] = &codecs()[..] else { panic!("codecs") };
        assert_eq!(colr(hevc.clone()), Some(vec![0, 9, 0, 16, 0, 9, 0]), "BT.2020 with PQ");
        assert_eq!(colr(av1.clone()), None);
    }

    /// What a peer could have sent in place of this record.
    fn parsed(of: &Codec, record: Bytes) -> Option<Codec> {
        let codec = match of {
            Codec::Avc(_) => Avc::parse(record).map(Codec::Avc),
            Codec::Hevc(_) => Hevc::parse(record).map(Codec::Hevc),
            Codec::Av1(_) => Av1::parse(record).map(Codec::Av1),
            Codec::Vp9(_) => Vp9::parse(record, (320, 180)).map(Codec::Vp9),
            Codec::Aac(_) => Aac::parse(record).map(Codec::Aac),
            Codec::Opus(_) => Opus::parse(record).map(Codec::Opus),
            Codec::Ac3(_) => Ac3::parse(record).map(Codec::Ac3),
            Codec::Eac3(_) => Eac3::parse(record).map(Codec::Eac3),
            Codec::Flac(_) => Flac::parse(record).map(Codec::Flac),
            Codec::MpegAudio(_) => MpegAudio::from_frame(&record).map(Codec::MpegAudio),
        };
        codec.ok()
    }

    proptest::proptest! {
        #[test]
        fn a_damaged_record_is_refused_or_says_the_same_when_it_is_read_back(
            which in 0..14usize,
            damage in proptest::collection::vec((0..120usize, proptest::num::u8::ANY), 1..6),
            end in 0..200usize,
        ) {
            let codec = codecs().swap_remove(which);
            let mut record = codec.record().to_vec();
            for (at, value) in damage {
                record.get_mut(at).into_iter().for_each(|byte| *byte = value);
            }
            record.truncate(end);
            if let Some(damaged) = parsed(&codec, record.into()) {
                let track = Track::new(damaged, Timescale::VIDEO);
                if let Ok(bytes) = init_segment(&track) {
                    let read = parse_init(&bytes).expect("what we wrote");
                    let told = |track: &Track| (track.codec.rfc6381(), track.codec.picture(), track.codec.sound());
                    proptest::prop_assert_eq!(told(&read), told(&track));
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_record_that_is_made_of_a_bitstream_is_one_that_mp4_has_words_for(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        ) {
            let after = |begin: &[u8]| [begin, &bytes].concat();
            let dolby = after(&[0x0b, 0x77]);
            let header = after(&[0x0a, bytes.len() as u8]);
            let mpeg = after(&[0xff]);
            let made = [
                Ac3::from_frame(&dolby).map(Codec::Ac3),
                Eac3::from_frame(&dolby).map(Codec::Eac3),
                Vp9::from_keyframe(&after(&[0x82, 0x49, 0x83, 0x42])).map(Codec::Vp9),
                Av1::from_sequence_header(&header).map(Codec::Av1),
                MpegAudio::from_frame(&mpeg).map(Codec::MpegAudio),
            ];
            for codec in made.into_iter().flatten() {
                let track = Track::new(codec, Timescale::VIDEO);
                let init = init_segment(&track).expect("a record of our own");
                proptest::prop_assert_eq!(parse_init(&init), Ok(track));
            }
        }
    }

    fn tracks() -> [Track; 2] {
        let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        let audio = Timescale::new(48_000).expect("not zero");
        [Track::new(Codec::Avc(avc), Timescale::VIDEO), Track::new(Codec::Aac(aac), audio)]
    }

    #[test]
    fn a_track_is_read_back_as_it_was() {
        for track in tracks() {
            let bytes = init_segment(&track).expect("fits");
            assert_eq!(parse_init(&bytes), Ok(track));
        }
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for track in tracks() {
            let bytes = init_segment(&track).expect("fits");
            for end in 0..bytes.len() {
                assert!(parse_init(&bytes[..end]).is_err(), "{end}");
            }
        }
    }
}
