//! Our boxes, read by a crate that did not write them.

use std::io::Cursor;

use container::mp4::init_segment;
use media::{Codec, Timescale, Track};
use mp4_atom::{Any, Decode, DecodeMaybe, Moof, Moov};

/// The `moov` of an initialization segment, which must be there.
pub fn moov(bytes: &[u8]) -> Moov {
    let mut rest = Cursor::new(bytes);
    let mut found = None;
    while (rest.position() as usize) < bytes.len() {
        if let Any::Moov(moov) = Any::decode(&mut rest).expect("whole boxes") {
            found = Some(moov);
        }
    }
    found.expect("an initialization segment has a moov")
}

/// The `moof` of a fragment's header, and how many bytes from its start to the payload.
pub fn moof(header: &[u8]) -> (Moof, usize) {
    let mut rest = header;
    loop {
        let at = rest.len();
        match Any::decode_maybe(&mut rest).expect("whole boxes") {
            Some(Any::Moof(moof)) => return (moof, at),
            Some(_) => {}
            None => panic!("no moof before the payload"),
        }
    }
}

/// A configuration that was let in gives an initialization segment that says the same.
pub fn check_init(codec: Codec) {
    let timescale = Timescale::VIDEO;
    let track = Track::new(codec, timescale);
    let Ok(bytes) = init_segment(&track) else { return };
    let moov = moov(&bytes);
    assert_eq!(moov.trak.len(), 1);
    assert_eq!(moov.trak[0].mdia.mdhd.timescale, timescale.hz());
    let entries = &moov.trak[0].mdia.minf.stbl.stsd.codecs;
    match (&track.codec, &entries[..]) {
        (Codec::Avc(avc), [mp4_atom::Codec::Avc1(entry)]) => {
            assert_eq!((entry.visual.width, entry.visual.height), (avc.width, avc.height));
            let profile = &entry.avcc;
            let written =
                [profile.avc_profile_indication, profile.profile_compatibility, profile.avc_level_indication];
            assert_eq!(written, avc.record[1..4]);
        }
        (Codec::Aac(aac), [mp4_atom::Codec::Mp4a(entry)]) => {
            assert_eq!(entry.audio.channel_count, u16::from(aac.channels));
        }
        (Codec::MpegAudio(audio), [mp4_atom::Codec::Mp4a(entry)]) => {
            let config = &entry.esds.es_desc.dec_config;
            assert_eq!(config.object_type_indication, audio.object_type_indication());
            assert!(config.dec_specific.is_none());
        }
        (codec, [entry]) => assert_eq!(kind(codec), Some(entry_name(entry)), "{codec:?} became {entry:?}"),
        (codec, entries) => panic!("{codec:?} became {entries:?}"),
    }
    // Of E-AC-3 an extension is left out; everything else is said again.
    let read = container::mp4::parse_init(&bytes).expect("what we wrote");
    assert_eq!(read.codec.rfc6381(), track.codec.rfc6381());
    assert_eq!((read.codec.picture(), read.codec.sound()), (track.codec.picture(), track.codec.sound()));
    assert!(
        track
            .codec
            .rfc6381()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
    );
}

/// The sample entry that a codec has.
fn kind(codec: &Codec) -> Option<&'static str> {
    Some(match codec {
        Codec::Avc(avc) if avc.in_band => "avc3",
        Codec::Hevc(_) => "hvc1",
        Codec::Av1(_) => "av01",
        Codec::Vp9(_) => "vp09",
        Codec::Opus(_) => "Opus",
        Codec::Ac3(_) => "ac-3",
        Codec::Eac3(_) => "ec-3",
        Codec::Flac(_) => "fLaC",
        Codec::Avc(_) | Codec::Aac(_) | Codec::MpegAudio(_) => return None,
    })
}

fn entry_name(entry: &mp4_atom::Codec) -> &'static str {
    match entry {
        mp4_atom::Codec::Avc3(_) => "avc3",
        mp4_atom::Codec::Hvc1(_) => "hvc1",
        mp4_atom::Codec::Av01(_) => "av01",
        mp4_atom::Codec::Vp09(_) => "vp09",
        mp4_atom::Codec::Opus(_) => "Opus",
        mp4_atom::Codec::Ac3(_) => "ac-3",
        mp4_atom::Codec::Eac3(_) => "ec-3",
        mp4_atom::Codec::Flac(_) => "fLaC",
        _ => "another",
    }
}
