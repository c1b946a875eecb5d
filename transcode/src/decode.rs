//! A picture that needs no other, decoded.

use ffmpeg::codec::{self, decoder};
use ffmpeg::{Dictionary, Packet, frame};
use ffmpeg_next as ffmpeg;
use worker_protocol::{Codec, MAX_PIXELS, Refusal};

use crate::annex_b;

/// The first picture of a sample.
pub(crate) fn decode(codec: Codec, configuration: &[u8], sample: &[u8]) -> Result<frame::Video, Refusal> {
    let Codec::H264 = codec;
    let stream = annex_b::of(configuration, sample)?;
    let mut decoder = open(codec::Id::H264)?;
    let mut frame = frame::Video::empty();
    let damaged = |_| Refusal::Damaged;
    decoder.send_packet(&Packet::copy(&stream)).map_err(damaged)?;
    decoder.send_eof().map_err(damaged)?;
    decoder.receive_frame(&mut frame).map_err(damaged)?;
    Ok(frame)
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
