//! A picture that needs no other, decoded.

use ffmpeg::codec::{self, decoder};
use ffmpeg::{Dictionary, Packet, frame};
use ffmpeg_next as ffmpeg;
use worker_protocol::{Codec, MAX_PIXELS, Refusal};

use crate::annex_b;

/// The first picture of a sample.
pub(crate) fn decode(codec: Codec, configuration: &[u8], sample: &[u8]) -> Result<frame::Video, Refusal> {
    let (id, stream) = match codec {
        Codec::H264 => (codec::Id::H264, annex_b::h264(configuration, sample)?),
        Codec::H265 => (codec::Id::HEVC, annex_b::h265(configuration, sample)?),
        Codec::Av1 => (codec::Id::AV1, temporal_unit(configuration, sample)),
        Codec::Vp9 => (codec::Id::VP9, sample.to_vec()),
    };
    let mut decoder = open(id)?;
    let mut frame = frame::Video::empty();
    let damaged = |_| Refusal::Damaged;
    decoder.send_packet(&Packet::copy(&stream)).map_err(damaged)?;
    decoder.send_eof().map_err(damaged)?;
    decoder.receive_frame(&mut frame).map_err(damaged)?;
    Ok(frame)
}

/// With the delimiter that decoders expect, and the sequence header of the configuration before the sample's own.
fn temporal_unit(configuration: &[u8], sample: &[u8]) -> Vec<u8> {
    const DELIMITER: [u8; 2] = [0x12, 0];
    [&DELIMITER, configuration.get(4..).unwrap_or_default(), sample].concat()
}

fn open(id: codec::Id) -> Result<decoder::Video, Refusal> {
    let unsupported = |_| Refusal::Unsupported;
    let codec = decoder::find(id).ok_or(Refusal::Unsupported)?;
    let decoder = codec::Context::new_with_codec(codec).decoder();
    let opened = decoder.open_as_with(codec, options()).map_err(unsupported)?;
    opened.video().map_err(unsupported)
}

/// One thread, because a picture is decoded faster than threads are started. What is damaged is refused: half a picture
/// over grey is worse than words.
fn options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("threads", "1");
    options.set("err_detect", "explode");
    options.set("max_pixels", &MAX_PIXELS.to_string());
    options
}
