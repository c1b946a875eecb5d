//! What a client must know of a quality to decode it ([MS-SSTR] §2.2.2.5).

use std::fmt::{self, Write};

use bytes::Bytes;
use media::Codec;
use media::codec::Aac;

use super::stream::Level;

/// HE-AAC by its own object type (ISO/IEC 14496-3 §1.5.1.1).
const HIGH_EFFICIENCY: [u8; 2] = [5, 29];

/// One `QualityLevel`.
pub(super) fn write_level(out: &mut String, index: usize, level: &Level<'_>) -> fmt::Result {
    write!(out, "    <QualityLevel Index=\"{index}\" Bitrate=\"{}\"", level.bitrate)?;
    match level.codec {
        Codec::Avc(avc) => {
            write_picture(out, "H264", level.codec)?;
            write_parameter_sets(out, &avc.parameter_sets())?;
        }
        Codec::Hevc(hevc) => {
            write_picture(out, "HVC1", level.codec)?;
            write_parameter_sets(out, &hevc.parameter_sets())?;
        }
        Codec::Aac(aac) => write_aac(out, aac)?,
        Codec::Av1(_)
        | Codec::Vp9(_)
        | Codec::Opus(_)
        | Codec::Ac3(_)
        | Codec::Eac3(_)
        | Codec::Flac(_)
        | Codec::MpegAudio(_) => {}
    }
    writeln!(out, "/>")
}

/// Whether the manifest has a name for a codec: others are left out of it.
pub(super) fn is_known(codec: &Codec) -> bool {
    matches!(codec, Codec::Avc(_) | Codec::Hevc(_) | Codec::Aac(_))
}

fn write_picture(out: &mut String, four_cc: &str, codec: &Codec) -> fmt::Result {
    if let Some(picture) = codec.picture() {
        let (width, height) = (picture.width, picture.height);
        write!(out, " FourCC=\"{four_cc}\" MaxWidth=\"{width}\" MaxHeight=\"{height}\"")?;
    }
    match codec.nal_length_size() {
        Some(4) | None => Ok(()),
        Some(other) => write!(out, " NALUnitLengthField=\"{other}\""),
    }
}

fn write_parameter_sets(out: &mut String, sets: &[Bytes]) -> fmt::Result {
    write!(out, " CodecPrivateData=\"")?;
    for set in sets {
        write!(out, "00000001{}", Hex(set))?;
    }
    write!(out, "\"")
}

fn write_aac(out: &mut String, aac: &Aac) -> fmt::Result {
    let four_cc = if HIGH_EFFICIENCY.contains(&aac.object_type) { "AACH" } else { "AACL" };
    write!(out, " FourCC=\"{four_cc}\" AudioTag=\"255\" SamplingRate=\"{}\"", aac.sample_rate)?;
    // Of the decoded sound: 16 bits a sample, a packet is one sample of every channel.
    write!(out, " Channels=\"{0}\" BitsPerSample=\"16\" PacketSize=\"{1}\"", aac.channels, 2 * aac.channels)?;
    write!(out, " CodecPrivateData=\"{}\"", Hex(&aac.config))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
