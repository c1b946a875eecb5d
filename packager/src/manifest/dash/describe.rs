//! What an AdaptationSet says of sound and color, by which a player chooses before it has fetched anything.

use std::fmt::{self, Write};

use media::Codec;
use media::codec::{Color, VideoRange};

/// Channels of sound (ISO/IEC 23009-1 §5.8.5.4), and color (ISO/IEC 23091-2).
pub(super) fn write(out: &mut String, codec: &Codec) -> fmt::Result {
    match codec {
        Codec::Ac3(ac3) => write_map(out, ac3.channel_map()),
        Codec::Eac3(eac3) => write_map(out, eac3.channel_map()),
        _ => match codec.sound() {
            Some(sound) => {
                let value = channel_configuration(sound.channels);
                write_channels(out, "urn:mpeg:mpegB:cicp:ChannelConfiguration", &value.to_string())
            }
            None => write_color(out, codec),
        },
    }
}

/// By place, as decoders of Dolby's codecs say it (ETSI TS 102 366 §I.1.2.1).
fn write_map(out: &mut String, map: u16) -> fmt::Result {
    let scheme = "tag:dolby.com,2014:dash:audio_channel_configuration:2011";
    write_channels(out, scheme, &format!("{map:04X}"))
}

fn write_channels(out: &mut String, scheme: &str, value: &str) -> fmt::Result {
    writeln!(out, "      <AudioChannelConfiguration schemeIdUri=\"{scheme}\" value=\"{value}\"/>")
}

/// ISO/IEC 23091-3, Table 2: 7 channels are index 11, 8 are 12, fewer are their own number.
fn channel_configuration(channels: u8) -> u8 {
    match channels {
        7 => 11,
        8 => 12,
        few => few,
    }
}

/// Code points where they are not those of ordinary television. Who cannot show PQ sees a grey picture, so that is
/// essential; HLG is made to be shown by anybody.
fn write_color(out: &mut String, codec: &Codec) -> fmt::Result {
    let Some(color) = codec.picture().and_then(|picture| picture.color) else { return Ok(()) };
    let Color { primaries, transfer, matrix, .. } = color;
    if [primaries, transfer, matrix].iter().all(|point| matches!(point, 1 | 2)) {
        return Ok(());
    }
    let property = if color.range() == VideoRange::Pq { "EssentialProperty" } else { "SupplementalProperty" };
    let points = [
        ("ColourPrimaries", primaries),
        ("TransferCharacteristics", transfer),
        ("MatrixCoefficients", matrix),
    ];
    points.into_iter().filter(|(_, point)| *point != 2).try_for_each(|(name, point)| {
        writeln!(out, "      <{property} schemeIdUri=\"urn:mpeg:mpegB:cicp:{name}\" value=\"{point}\"/>")
    })
}
