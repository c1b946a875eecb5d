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
        (codec, entries) => panic!("{codec:?} became {entries:?}"),
    }
    assert!(track.codec.rfc6381().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
}
