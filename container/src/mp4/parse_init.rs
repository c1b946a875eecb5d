//! What an initialization segment says of its track, read back from the file that begins with it.

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Timescale, Track};
use mp4_atom::{Atom, Avcc, Decode, Header, Moov, Trak};

use super::Malformed;

/// Reads what [`init_segment`](super::init_segment) wrote: the one track of a `moov`.
pub fn parse_init(bytes: &[u8]) -> Result<Track, Malformed> {
    let moov = find_moov(bytes)?;
    let trak = moov.trak.first().ok_or(Malformed::Missing("trak"))?;
    let timescale = Timescale::new(trak.mdia.mdhd.timescale).ok_or(Malformed::Missing("a timescale"))?;
    Ok(Track { codec: codec(trak)?, timescale })
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

fn codec(trak: &Trak) -> Result<Codec, Malformed> {
    let entry = trak.mdia.minf.stbl.stsd.codecs.first().ok_or(Malformed::Missing("a sample entry"))?;
    let configuration = |error: media::codec::Error| Malformed::Boxes(error.to_string());
    match entry {
        mp4_atom::Codec::Avc1(avc1) => {
            Avc::parse(avc_record(&avc1.avcc)?).map(Codec::Avc).map_err(configuration)
        }
        mp4_atom::Codec::Mp4a(mp4a) => {
            let config = mp4a_config(mp4a)?;
            Aac::parse(config).map(Codec::Aac).map_err(configuration)
        }
        _ => Err(Malformed::Missing("a codec that is known here")),
    }
}

fn avc_record(avcc: &Avcc) -> Result<Bytes, Malformed> {
    let mut record = Vec::new();
    avcc.encode_body(&mut record).map_err(boxes)?;
    Ok(record.into())
}

fn boxes(error: mp4_atom::Error) -> Malformed {
    Malformed::Boxes(error.to_string())
}

fn mp4a_config(mp4a: &mp4_atom::Mp4a) -> Result<Bytes, Malformed> {
    let specific = mp4a.esds.es_desc.dec_config.dec_specific.as_ref();
    let specific = specific.ok_or(Malformed::Missing("an AudioSpecificConfig"))?;
    Ok(Bytes::copy_from_slice(&specific.raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::init_segment;

    const AVC_RECORD: &[u8] = include_bytes!("../../../packager/tests/common/avcc-720p.bin");

    fn tracks() -> [Track; 2] {
        let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
        let audio = Timescale::new(48_000).expect("not zero");
        [
            Track { codec: Codec::Avc(avc), timescale: Timescale::VIDEO },
            Track { codec: Codec::Aac(aac), timescale: audio },
        ]
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
