//! The initialization segment: `ftyp` and `moov` (the CMAF header, ISO/IEC 23000-19 §7.3.1).

use bytes::Bytes;
use media::{Codec, Kind, Language};
use mp4_atom::{
    Dinf, Dref, Encode, FixedPoint, Ftyp, Hdlr, Mdhd, Mdia, Minf, Moov, Mvex, Mvhd, Smhd, Stbl, Stsd, Tkhd,
    Trak, Trex, Url, Vmhd,
};

use super::TRACK_ID;
use super::entry::sample_entry;

/// A track whose configuration MP4 cannot carry; the publisher's fault.
#[derive(Debug, thiserror::Error)]
#[error("{codec} configuration does not fit an MP4 sample entry: {source}")]
pub struct Unencodable {
    pub(super) codec: &'static str,
    pub(super) source: mp4_atom::Error,
}

/// `ftyp` and `moov` of a track. Samples follow in fragments with the track's timescale.
pub fn init_segment(track: &media::Track) -> Result<Bytes, Unencodable> {
    encode(track).map_err(|source| Unencodable { codec: track.codec.name(), source })
}

fn encode(track: &media::Track) -> Result<Bytes, mp4_atom::Error> {
    let ftyp = Ftyp {
        major_brand: b"cmf2".into(),
        minor_version: 0,
        compatible_brands: vec![b"cmf2".into(), b"cmfc".into(), b"iso6".into()],
    };
    let mut out = Vec::with_capacity(1024);
    ftyp.encode(&mut out)?;
    moov(track)?.encode(&mut out)?;
    Ok(out.into())
}

fn moov(track: &media::Track) -> Result<Moov, mp4_atom::Error> {
    Ok(Moov {
        mvhd: Mvhd {
            timescale: track.timescale.hz(),
            rate: FixedPoint::from(1),
            volume: FixedPoint::from(1),
            next_track_id: TRACK_ID + 1,
            ..Default::default()
        },
        mvex: Some(Mvex {
            mehd: None,
            trex: vec![Trex {
                track_id: TRACK_ID,
                default_sample_description_index: 1,
                ..Default::default()
            }],
        }),
        trak: vec![trak(track)?],
        ..Default::default()
    })
}

pub(super) fn trak(track: &media::Track) -> Result<Trak, mp4_atom::Error> {
    let (handler, name) = match track.kind() {
        Kind::Video => (b"vide", "Video"),
        Kind::Audio => (b"soun", "Audio"),
    };
    let language = track.language.as_ref().map_or("und", Language::iso639_2);
    Ok(Trak {
        tkhd: tkhd(&track.codec),
        edts: None,
        meta: None,
        mdia: Mdia {
            mdhd: Mdhd { timescale: track.timescale.hz(), language: language.into(), ..Default::default() },
            hdlr: Hdlr { handler: handler.into(), name: name.into() },
            minf: minf(&track.codec)?,
        },
        senc: None,
        tref: None,
        udta: None,
    })
}

fn tkhd(codec: &Codec) -> Tkhd {
    let mut tkhd = Tkhd { track_id: TRACK_ID, enabled: true, in_movie: true, ..Default::default() };
    match codec.picture() {
        Some(picture) => {
            let (width, height) = picture.display_size();
            tkhd.width = FixedPoint::from(width.min(u16::MAX.into()) as u16);
            tkhd.height = FixedPoint::from(height.min(u16::MAX.into()) as u16);
        }
        None => {
            tkhd.alternate_group = 1;
            tkhd.volume = FixedPoint::from(1);
        }
    }
    tkhd
}

fn minf(codec: &Codec) -> Result<Minf, mp4_atom::Error> {
    let entry = sample_entry(codec)?;
    let video = codec.kind() == Kind::Video;
    Ok(Minf {
        vmhd: video.then(Vmhd::default),
        smhd: (!video).then(Smhd::default),
        nmhd: None,
        sthd: None,
        hmhd: None,
        dinf: Dinf { dref: Dref { entries: vec![Url::default().into()] } },
        stbl: Stbl {
            stsd: Stsd { codecs: vec![entry] },
            stco: Some(Default::default()),
            ..Default::default()
        },
    })
}
