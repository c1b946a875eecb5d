//! From a request to an image.

use ffmpeg_next::frame;
use worker_protocol::{Coded, Form, Refusal, Reply, Request};

use crate::canvas::Canvas;
use crate::decode::decode;
use crate::fit::{Shape, Size, fit};
use crate::jpeg;

/// An image that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How many pictures could not be decoded.
    pub missing: u32,
    /// The file.
    pub jpeg: Vec<u8>,
}

impl Image {
    /// What is said of it.
    pub fn reply(&self) -> Reply {
        Reply::Image { width: self.width, height: self.height, missing: self.missing }
    }
}

/// The image that a request asks for. The libraries must have been [started](crate::start).
pub fn make(request: &Request, payload: &[u8]) -> Result<Image, Refusal> {
    if !request.sensible() || request.payload() != payload.len() as u64 {
        return Err(Refusal::Senseless);
    }
    match request.form {
        Form::Single { width } => single(request, payload, width),
        Form::Tiles { columns, width, height } => tiles(request, payload, columns, Size { width, height }),
    }
}

fn single(request: &Request, payload: &[u8], width: u32) -> Result<Image, Refusal> {
    let (coded, configuration, sample) = pictures(request, payload).next().ok_or(Refusal::Senseless)?;
    let picture = decode(coded.codec, configuration, sample)?;
    let fitted = fit(&picture, Size::at_width(Shape::of(&picture), width)?)?;
    finish(fitted, request.quality, 0)
}

/// A picture that cannot be decoded leaves its tile black; if none can, there is no image.
fn tiles(request: &Request, payload: &[u8], columns: u32, tile: Size) -> Result<Image, Refusal> {
    let mut canvas = Canvas::new(columns, request.pictures.len() as u32, tile);
    let mut missing = Vec::new();
    for (at, (coded, configuration, sample)) in (0..).zip(pictures(request, payload)) {
        let picture = decode(coded.codec, configuration, sample);
        let fitted = picture.and_then(|picture| fit(&picture, Size::within(Shape::of(&picture), tile)));
        match fitted {
            Ok(fitted) => canvas.put(at, &fitted),
            Err(refusal) => missing.push(refusal),
        }
    }
    match missing[..] {
        [refusal, ..] if missing.len() == request.pictures.len() => Err(refusal),
        _ => finish(canvas.finish(), request.quality, missing.len() as u32),
    }
}

fn finish(mut picture: frame::Video, quality: u8, missing: u32) -> Result<Image, Refusal> {
    let jpeg = jpeg::encode(&mut picture, quality)?;
    Ok(Image { width: picture.width(), height: picture.height(), missing, jpeg })
}

/// Each picture with its configuration and its sample. The sizes are those of the payload.
fn pictures<'a>(
    request: &'a Request,
    mut payload: &'a [u8],
) -> impl Iterator<Item = (Coded, &'a [u8], &'a [u8])> {
    request.pictures.iter().map_while(move |&coded| {
        let (configuration, rest) = payload.split_at_checked(coded.configuration as usize)?;
        let (sample, rest) = rest.split_at_checked(coded.sample as usize)?;
        payload = rest;
        Some((coded, configuration, sample))
    })
}
