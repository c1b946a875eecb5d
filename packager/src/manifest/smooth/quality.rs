//! What a client must know of a quality to decode it ([MS-SSTR] §2.2.2.5).

use std::fmt::{self, Write};

use media::Codec;
use media::codec::{Aac, Avc};

use super::stream::Level;

/// HE-AAC by its own object type (ISO/IEC 14496-3 §1.5.1.1).
const HIGH_EFFICIENCY: [u8; 2] = [5, 29];

/// One `QualityLevel`.
pub(super) fn write_level(out: &mut String, index: usize, level: &Level<'_>) -> fmt::Result {
    write!(out, "    <QualityLevel Index=\"{index}\" Bitrate=\"{}\"", level.bitrate)?;
    match level.codec {
        Codec::Avc(avc) => write_avc(out, avc)?,
        Codec::Aac(aac) => write_aac(out, aac)?,
    }
    writeln!(out, "/>")
}

fn write_avc(out: &mut String, avc: &Avc) -> fmt::Result {
    write!(out, " FourCC=\"H264\" MaxWidth=\"{}\" MaxHeight=\"{}\"", avc.width, avc.height)?;
    if avc.length_size != 4 {
        write!(out, " NALUnitLengthField=\"{}\"", avc.length_size)?;
    }
    write!(out, " CodecPrivateData=\"")?;
    for set in avc.parameter_sets() {
        write!(out, "00000001{}", Hex(&set))?;
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
