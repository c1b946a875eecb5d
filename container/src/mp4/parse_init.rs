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
    use media::codec::{Aac, Avc};

    use super::*;
    use crate::mp4::init_segment;

    const AVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/avcc-720p.bin");

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
