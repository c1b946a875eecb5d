//! A decoded picture in square pixels, at a size, in JPEG's colours.

use ffmpeg::format::Pixel;
use ffmpeg::{Rational, color, filter, frame};
use ffmpeg_next as ffmpeg;
use worker_protocol::{MAX_SIDE, Refusal};

/// Width and height in pixels, both even.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    /// As a picture of this shape has it at most so wide, and never wider than it is.
    pub(crate) fn at_width(shape: Shape, width: u32) -> Result<Size, Refusal> {
        let width = width.min(even(shape.width)).max(2);
        let height = u64::from(width) * u64::from(shape.height) / u64::from(shape.width.max(1));
        let height = even(u32::try_from(height).unwrap_or(u32::MAX)).max(2);
        if height > MAX_SIDE { Err(Refusal::TooLarge) } else { Ok(Size { width, height }) }
    }

    /// The largest of this shape within `frame`.
    pub(crate) fn within(shape: Shape, frame: Size) -> Size {
        let scaled = |side: u32, by: u32, per: u32| u64::from(side) * u64::from(by) / u64::from(per.max(1));
        let fit = |side: u64, most: u32| even(u32::try_from(side).unwrap_or(most).min(most)).max(2);
        let wide = u64::from(shape.width) * u64::from(frame.height)
            >= u64::from(shape.height) * u64::from(frame.width);
        match wide {
            true => {
                Size { height: fit(scaled(shape.height, frame.width, shape.width), frame.height), ..frame }
            }
            false => {
                Size { width: fit(scaled(shape.width, frame.height, shape.height), frame.width), ..frame }
            }
        }
    }
}

/// How a picture is meant to be shown: its size in square pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Shape {
    /// Of a decoded picture: its lines stay, its pixels become square.
    pub(crate) fn of(frame: &frame::Video) -> Shape {
        let Rational(horizontal, vertical) = frame.aspect_ratio();
        let known = horizontal > 0 && vertical > 0;
        let (horizontal, vertical) = if known { (horizontal as u64, vertical as u64) } else { (1, 1) };
        let width = (u64::from(frame.width()) * horizontal + vertical / 2) / vertical;
        Shape { width: u32::try_from(width.max(1)).unwrap_or(u32::MAX), height: frame.height() }
    }
}

fn even(side: u32) -> u32 {
    side & !1
}

/// Scales to exactly this size, whatever shape it has.
///
/// By a filter graph and not by the scaler alone, because the graph takes care of matrix and range: JPEG is full range
/// BT.601 (ITU-T T.871 §7), broadcast pictures are neither.
pub(crate) fn fit(picture: &frame::Video, size: Size) -> Result<frame::Video, Refusal> {
    let failed = |_| Refusal::Failed;
    let mut graph = graph(picture, size).map_err(|_| Refusal::Unsupported)?;
    let (mut input, mut output) = ends(&mut graph)?;
    input.source().add(picture).map_err(failed)?;
    input.source().flush().map_err(failed)?;
    let mut fitted = frame::Video::empty();
    output.sink().frame(&mut fitted).map_err(failed)?;
    Ok(fitted)
}

fn ends(graph: &mut filter::Graph) -> Result<(filter::Context, filter::Context), Refusal> {
    Ok((graph.get("in").ok_or(Refusal::Failed)?, graph.get("out").ok_or(Refusal::Failed)?))
}

fn graph(picture: &frame::Video, size: Size) -> Result<filter::Graph, ffmpeg::Error> {
    let find = |name| filter::find(name).ok_or(ffmpeg::Error::FilterNotFound);
    let mut graph = filter::Graph::new();
    graph.add(&find("buffer")?, "in", &source(picture)?)?;
    graph.add(&find("buffersink")?, "out", "")?;
    graph.output("in", 0)?.input("out", 0)?.parse(&chain(picture, size))?;
    graph.validate()?;
    Ok(graph)
}

fn source(picture: &frame::Video) -> Result<String, ffmpeg::Error> {
    let format = picture.format().descriptor().ok_or(ffmpeg::Error::InvalidData)?.name();
    let (width, height) = (picture.width(), picture.height());
    Ok(format!("video_size={width}x{height}:pix_fmt={format}:time_base=1/25"))
}

fn chain(picture: &frame::Video, size: Size) -> String {
    let fields = if picture.is_interlaced() { "yadif=deint=interlaced," } else { "" };
    let (Size { width, height }, matrix) = (size, matrix(picture));
    let colours = format!("in_color_matrix={matrix}:out_color_matrix=bt601:out_range=full");
    format!("{fields}scale=w={width}:h={height}:flags=bicubic:{colours},format=yuvj420p")
}

/// What says nothing is taken for what browsers take it for: high definition for BT.709, the rest for BT.601.
fn matrix(picture: &frame::Video) -> &'static str {
    let unspecified = picture.color_space() == color::Space::Unspecified;
    if unspecified && picture.height() >= 720 { "bt709" } else { "auto" }
}

/// The pixels that [`fit`] makes.
pub(crate) const PIXELS: Pixel = Pixel::YUVJ420P;

#[cfg(test)]
mod tests {
    use super::*;

    fn at_width(shape: (u32, u32), width: u32) -> Result<(u32, u32), Refusal> {
        let shape = Shape { width: shape.0, height: shape.1 };
        Size::at_width(shape, width).map(|size| (size.width, size.height))
    }

    #[test]
    fn a_picture_keeps_its_shape_and_never_grows() {
        assert_eq!(at_width((1280, 720), 640), Ok((640, 360)));
        assert_eq!(at_width((1280, 720), 1920), Ok((1280, 720)));
        assert_eq!(at_width((1025, 577), 1920), Ok((1024, 576)));
        assert_eq!(at_width((720, 1280), 16), Ok((16, 28)));
        assert_eq!(at_width((1, 1), 640), Ok((2, 2)));
        assert_eq!(at_width((16_384, 16), 640), Ok((640, 2)));
        assert_eq!(at_width((u32::MAX, 1), 640), Ok((640, 2)));
    }

    #[test]
    fn a_tower_is_too_large() {
        assert_eq!(at_width((16, 16_384), 16), Err(Refusal::TooLarge));
        assert_eq!(at_width((16, u32::MAX), 640), Err(Refusal::TooLarge));
    }

    #[test]
    fn within_a_tile_a_picture_touches_two_sides() {
        let tile = Size { width: 160, height: 90 };
        let within = |width, height| {
            let size = Size::within(Shape { width, height }, tile);
            (size.width, size.height)
        };
        assert_eq!(within(1920, 1080), (160, 90));
        assert_eq!(within(720, 1280), (50, 90));
        assert_eq!(within(2048, 858), (160, 66));
        assert_eq!(within(16, 9), (160, 90));
        assert_eq!(within(1, u32::MAX), (2, 90));
        assert_eq!(within(u32::MAX, 1), (160, 2));
    }
}
