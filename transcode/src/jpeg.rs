//! A picture as JPEG.

use ffmpeg::{Dictionary, Packet, Rational, codec, encoder, frame};
use ffmpeg_next as ffmpeg;
use worker_protocol::Refusal;

use crate::fit::PIXELS;

/// A JPEG of a picture in JPEG's colours; `quality` from 1 to 100.
pub(crate) fn encode(picture: &mut frame::Video, quality: u8) -> Result<Vec<u8>, Refusal> {
    let failed = |_| Refusal::Failed;
    let mut encoder = open(picture, quality)?;
    picture.set_pts(Some(0));
    encoder.send_frame(picture).map_err(failed)?;
    encoder.send_eof().map_err(failed)?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet).map_err(failed)?;
    packet.data().map(<[u8]>::to_vec).ok_or(Refusal::Failed)
}

fn open(picture: &frame::Video, quality: u8) -> Result<encoder::video::Encoder, Refusal> {
    let unsupported = |_| Refusal::Unsupported;
    let codec = encoder::find(codec::Id::MJPEG).ok_or(Refusal::Unsupported)?;
    let context = codec::Context::new_with_codec(codec);
    let mut encoder = context.encoder().video().map_err(unsupported)?;
    encoder.set_width(picture.width());
    encoder.set_height(picture.height());
    encoder.set_format(PIXELS);
    encoder.set_time_base(Rational(1, 25));
    encoder.open_as_with(codec, options(quality)).map_err(unsupported)
}

fn options(quality: u8) -> Dictionary<'static> {
    let scale = scale(quality).to_string();
    let mut options = Dictionary::new();
    options.set("threads", "1");
    options.set("qmin", &scale);
    options.set("qmax", &scale);
    options.set("huffman", "optimal");
    options
}

/// The encoder's own measure: 2 is the best that is worth its bytes, 31 the worst there is.
fn scale(quality: u8) -> u8 {
    let worse = u16::from(100 - quality.clamp(1, 100));
    2 + (worse * 29 / 99) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_covers_the_encoders_range() {
        assert_eq!([100, 80, 50, 1].map(scale), [2, 7, 16, 31]);
    }
}
