//! The initialization segment: `ftyp` and `moov` (the CMAF header, ISO/IEC 23000-19 §7.3.1).

use bytes::Bytes;
use media::Codec;
use media::codec::{Aac, Avc};
use mp4_atom::{
    Atom, Audio, Avc1, Avcc, Dinf, Dref, Encode, FixedPoint, Ftyp, Hdlr, Mdhd, Mdia, Minf, Moov, Mp4a, Mvex,
    Mvhd, Pasp, Smhd, Stbl, Stsd, Tkhd, Trak, Trex, Url, Visual, Vmhd, esds,
};

use super::TRACK_ID;

/// A track whose configuration MP4 cannot carry; the publisher's fault.
#[derive(Debug, thiserror::Error)]
#[error("{codec} configuration does not fit an MP4 sample entry: {source}")]
pub struct Unencodable {
    pub(super) codec: &'static str,
    pub(super) source: mp4_atom::Error,
}

/// `ftyp` and `moov` of a track. Samples follow in fragments with the track's timescale.
pub fn init_segment(track: &media::Track) -> Result<Bytes, Unencodable> {
    let codec = match &track.codec {
        Codec::Avc(_) => "H.264",
        Codec::Aac(_) => "AAC",
    };
    encode(track).map_err(|source| Unencodable { codec, source })
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
    let (handler, name) = match track.codec {
        Codec::Avc(_) => (b"vide", "Video"),
        Codec::Aac(_) => (b"soun", "Audio"),
    };
    Ok(Trak {
        tkhd: tkhd(&track.codec),
        edts: None,
        meta: None,
        mdia: Mdia {
            mdhd: Mdhd { timescale: track.timescale.hz(), language: "und".into(), ..Default::default() },
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
    match codec {
        Codec::Avc(avc) => {
            let (width, height) = avc.display_size();
            tkhd.width = FixedPoint::from(width.min(u16::MAX.into()) as u16);
            tkhd.height = FixedPoint::from(height.min(u16::MAX.into()) as u16);
        }
        Codec::Aac(_) => {
            tkhd.alternate_group = 1;
            tkhd.volume = FixedPoint::from(1);
        }
    }
    tkhd
}

fn minf(codec: &Codec) -> Result<Minf, mp4_atom::Error> {
    let entry = match codec {
        Codec::Avc(avc) => mp4_atom::Codec::Avc1(avc1(avc)?),
        Codec::Aac(aac) => mp4_atom::Codec::Mp4a(mp4a(aac)),
    };
    let video = matches!(codec, Codec::Avc(_));
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

fn avc1(avc: &Avc) -> Result<Avc1, mp4_atom::Error> {
    let (h_spacing, v_spacing) = avc.pixel_aspect;
    Ok(Avc1 {
        visual: Visual {
            data_reference_index: 1,
            width: avc.width,
            height: avc.height,
            ..Default::default()
        },
        avcc: Avcc::decode_body(&mut &avc.record[..])?,
        pasp: (h_spacing != v_spacing)
            .then(|| Pasp { h_spacing: h_spacing.into(), v_spacing: v_spacing.into() }),
        ..Default::default()
    })
}

fn mp4a(aac: &Aac) -> Mp4a {
    // The rate field is 16.16: rates above 65535 Hz are told by the AudioSpecificConfig alone.
    let rate = u16::try_from(aac.sample_rate).unwrap_or(0);
    Mp4a {
        audio: Audio {
            data_reference_index: 1,
            channel_count: aac.channels.into(),
            sample_size: 16,
            sample_rate: FixedPoint::from(rate),
        },
        esds: mp4_atom::Esds {
            es_desc: esds::EsDescriptor {
                es_id: TRACK_ID as u16,
                dec_config: esds::DecoderConfig {
                    object_type_indication: 0x40,
                    stream_type: 5,
                    dec_specific: Some(esds::DecoderSpecific {
                        raw: aac.config.to_vec(),
                        ..Default::default()
                    }),
                    ..Default::default()
                },
                ..Default::default()
            },
        },
        btrt: None,
        taic: None,
    }
}
