//! Sample entries: what a decoder has to know of a codec, as MP4 says it, and read back.

use bytes::Bytes;
use media::Codec;
use media::codec::{Aac, Ac3, Av1, Avc, Color, Eac3, Flac, Hevc, MpegAudio, Opus, Picture, Vp9};
use mp4_atom::{
    Ac3SpecificBox, Atom, Audio, Av01, Av1c, Avc1, Avc3, Avcc, Colr, Dfla, Dops, Ec3SpecificBox, FixedPoint,
    Hvc1, Hvcc, Mp4a, Pasp, Visual, Vp09, VpcC, esds,
};

use super::{Malformed, TRACK_ID};

/// The head of the only metadata block of `dfLa`: the last one, STREAMINFO, 34 bytes (RFC 9639 §8.1).
const ONLY_STREAM_INFO: [u8; 8] = [0, 0, 0, 0, 0x80, 0, 0, 34];

/// Values of `objectTypeIndication` (ISO/IEC 14496-1 §7.2.6.6.2).
mod object_type {
    pub(super) const AAC: u8 = 0x40;
    pub(super) const MPEG2: u8 = 0x69;
    pub(super) const MPEG1: u8 = 0x6b;
}

type Failure = mp4_atom::Error;

/// The sample entry of a codec (ISO/IEC 14496-12 §8.5.2).
pub(super) fn sample_entry(codec: &Codec) -> Result<mp4_atom::Codec, Failure> {
    Ok(match codec {
        Codec::Avc(avc) => h264(codec, avc)?,
        Codec::Hevc(hevc) => mp4_atom::Codec::Hvc1(Hvc1 {
            visual: visual(codec),
            hvcc: body::<Hvcc>(&hevc.record)?,
            colr: colr(codec),
            pasp: pasp(codec),
            ..Default::default()
        }),
        Codec::Av1(av1) => mp4_atom::Codec::Av01(Av01 {
            visual: visual(codec),
            av1c: body::<Av1c>(&av1.record)?,
            colr: colr(codec),
            ..Default::default()
        }),
        Codec::Vp9(vp9) => mp4_atom::Codec::Vp09(Vp09 {
            visual: visual(codec),
            vpcc: body::<VpcC>(&[&[1, 0, 0, 0], &vp9.record[..]].concat())?,
            btrt: None,
            colr: colr(codec),
            pasp: None,
            spatial: None,
        }),
        Codec::Aac(aac) => mp4_atom::Codec::Mp4a(mp4a(codec, object_type::AAC, Some(&aac.config))),
        Codec::Opus(opus) => mp4_atom::Codec::Opus(mp4_atom::Opus {
            audio: audio(codec),
            dops: body::<Dops>(&opus.record)?,
            btrt: None,
        }),
        Codec::Ac3(ac3) => mp4_atom::Codec::Ac3(mp4_atom::Ac3 {
            audio: audio(codec),
            dac3: body::<Ac3SpecificBox>(&ac3.record)?,
        }),
        Codec::Eac3(eac3) => mp4_atom::Codec::Eac3(mp4_atom::Eac3 {
            audio: audio(codec),
            dec3: body::<Ec3SpecificBox>(&eac3.record)?,
        }),
        Codec::Flac(flac) => mp4_atom::Codec::Flac(mp4_atom::Flac {
            audio: Audio { sample_size: flac.bit_depth.into(), ..audio(codec) },
            dfla: body::<Dfla>(&[&ONLY_STREAM_INFO, &flac.record[..]].concat())?,
        }),
        Codec::MpegAudio(audio) => mp4_atom::Codec::Mp4a(mp4a(codec, audio.object_type_indication(), None)),
    })
}

/// The codec of a sample entry.
pub(super) fn codec(entry: &mp4_atom::Codec) -> Result<Codec, Malformed> {
    let configuration = |error: media::codec::Error| Malformed::Boxes(error.to_string());
    match entry {
        mp4_atom::Codec::Avc1(avc1) => Avc::parse(record(&avc1.avcc)?).map(Codec::Avc),
        mp4_atom::Codec::Avc3(avc3) => Avc::parse(record(&avc3.avcc)?).map(Avc::with_in_band).map(Codec::Avc),
        mp4_atom::Codec::Hvc1(hvc1) => Hevc::parse(record(&hvc1.hvcc)?).map(Codec::Hevc),
        mp4_atom::Codec::Av01(av01) => Av1::parse(record(&av01.av1c)?).map(Codec::Av1),
        mp4_atom::Codec::Vp09(vp09) => {
            Vp9::parse(record(&vp09.vpcc)?, (vp09.visual.width, vp09.visual.height)).map(Codec::Vp9)
        }
        mp4_atom::Codec::Mp4a(mp4a) => match mp4a.esds.es_desc.dec_config.object_type_indication {
            object_type::MPEG1 | object_type::MPEG2 => mpeg_audio(&mp4a.audio).map(Codec::MpegAudio),
            _ => Aac::parse(mp4a_config(mp4a)?).map(Codec::Aac),
        },
        mp4_atom::Codec::Opus(opus) => Opus::parse(record(&opus.dops)?).map(Codec::Opus),
        mp4_atom::Codec::Ac3(ac3) => Ac3::parse(record(&ac3.dac3)?).map(Codec::Ac3),
        mp4_atom::Codec::Eac3(eac3) => Eac3::parse(record(&eac3.dec3)?).map(Codec::Eac3),
        mp4_atom::Codec::Flac(flac) => Flac::parse(record(&flac.dfla)?).map(Codec::Flac),
        _ => return Err(Malformed::Missing("a codec that is known here")),
    }
    .map_err(configuration)
}

fn body<A: Atom>(record: &[u8]) -> Result<A, Failure> {
    A::decode_body(&mut &*record)
}

fn record(atom: &impl Atom) -> Result<Bytes, Malformed> {
    let mut record = Vec::new();
    atom.encode_body(&mut record).map_err(|error| Malformed::Boxes(error.to_string()))?;
    Ok(record.into())
}

fn h264(codec: &Codec, avc: &Avc) -> Result<mp4_atom::Codec, Failure> {
    let (visual, avcc) = (visual(codec), body::<Avcc>(&avc.record)?);
    let (colr, pasp) = (colr(codec), pasp(codec));
    Ok(if avc.in_band {
        mp4_atom::Codec::Avc3(Avc3 { visual, avcc, colr, pasp, ..Default::default() })
    } else {
        mp4_atom::Codec::Avc1(Avc1 { visual, avcc, colr, pasp, ..Default::default() })
    })
}

fn visual(codec: &Codec) -> Visual {
    let (width, height) = codec.picture().map_or((0, 0), |picture| (picture.width, picture.height));
    Visual { data_reference_index: 1, width, height, ..Default::default() }
}

/// ISO/IEC 14496-12 §12.1.5, where the bitstream says it.
fn colr(codec: &Codec) -> Option<Colr> {
    let Color { primaries, transfer, matrix, full_range } = codec.picture()?.color?;
    Colr::new(primaries.into(), transfer.into(), matrix.into(), full_range).ok()
}

/// ISO/IEC 14496-12 §12.1.4, where pixels are not square.
fn pasp(codec: &Codec) -> Option<Pasp> {
    let Picture { pixel_aspect: (horizontal, vertical), .. } = codec.picture()?;
    (horizontal != vertical).then(|| Pasp { h_spacing: horizontal.into(), v_spacing: vertical.into() })
}

/// The rate field is 16.16: rates above 65535 Hz are told by the codec's record alone.
fn audio(codec: &Codec) -> Audio {
    let (rate, channels) = codec.sound().map_or((0, 0), |sound| (sound.sample_rate, sound.channels));
    Audio {
        data_reference_index: 1,
        channel_count: channels.into(),
        sample_size: 16,
        sample_rate: FixedPoint::from(u16::try_from(rate).unwrap_or(0)),
    }
}

/// `specific` is the DecoderSpecificInfo, where the object type has one.
fn mp4a(codec: &Codec, object_type_indication: u8, specific: Option<&Bytes>) -> Mp4a {
    let dec_specific =
        specific.map(|specific| esds::DecoderSpecific { raw: specific.to_vec(), ..Default::default() });
    let dec_config =
        esds::DecoderConfig { object_type_indication, stream_type: 5, dec_specific, ..Default::default() };
    let es_desc = esds::EsDescriptor { es_id: TRACK_ID as u16, dec_config, ..Default::default() };
    Mp4a { audio: audio(codec), esds: mp4_atom::Esds { es_desc }, btrt: None, taic: None }
}

/// The entry says all that there is to say of it.
fn mpeg_audio(audio: &Audio) -> Result<MpegAudio, media::codec::Error> {
    MpegAudio::new(audio.sample_rate.integer().into(), u8::try_from(audio.channel_count).unwrap_or(u8::MAX))
}

fn mp4a_config(mp4a: &Mp4a) -> Result<Bytes, Malformed> {
    let specific = mp4a.esds.es_desc.dec_config.dec_specific.as_ref();
    let specific = specific.ok_or(Malformed::Missing("an AudioSpecificConfig"))?;
    Ok(Bytes::copy_from_slice(&specific.raw))
}
