//! Images for the origin, made by the worker that stands beside this program.

use std::pin::Pin;

use config::Transcode;
use media::Codec;
use origin::{Order, Shape, Unmade};
use packager::still::Still;
use thumbs::{Failure, Form, Job, Metrics, Picture, Settings, Thumbs};

use crate::worker;

/// Images of pictures.
pub(crate) struct Stills {
    thumbs: Thumbs,
    /// Of the JPEGs, 1 to 100.
    quality: u8,
}

impl Stills {
    /// Starts what supervises the worker, in this runtime.
    pub(crate) fn start(transcode: &Transcode, metrics: &Metrics) -> Stills {
        let settings = Settings { program: worker::program(), ..settings(transcode) };
        let quality = u8::try_from(transcode.image_quality).unwrap_or(100);
        Stills { thumbs: Thumbs::counted(settings, metrics), quality }
    }

    async fn image(&self, order: Order) -> Result<bytes::Bytes, Unmade> {
        let image = self.thumbs.image(&order.name, || job(&order, self.quality)).await;
        image.map(|image| image.jpeg.clone()).map_err(unmade)
    }
}

impl origin::Stills for Stills {
    fn known<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Result<bytes::Bytes, Unmade>>> + Send + 'a>> {
        Box::pin(async move {
            let known = self.thumbs.known(name).await?;
            Some(known.map(|image| image.jpeg.clone()).map_err(unmade))
        })
    }

    fn make(&self, order: Order) -> Pin<Box<dyn Future<Output = Result<bytes::Bytes, Unmade>> + Send + '_>> {
        Box::pin(self.image(order))
    }
}

fn settings(transcode: &Transcode) -> Settings {
    Settings {
        cache_bytes: transcode.image_cache,
        queue: transcode.image_queue,
        job_timeout: transcode.image_timeout,
        ..Settings::default()
    }
}

fn job(order: &Order, quality: u8) -> Job {
    let pictures = order.pictures.iter().map(|still| still.as_ref().map_or_else(nothing, picture)).collect();
    Job { pictures, form: form(order.shape), quality }
}

fn picture(still: &Still) -> Picture {
    let coded = &still.init.track.codec;
    let codec = match coded {
        Codec::Avc(_) => thumbs::Codec::H264,
        Codec::Hevc(_) => thumbs::Codec::H265,
        Codec::Av1(_) => thumbs::Codec::Av1,
        Codec::Vp9(_) => thumbs::Codec::Vp9,
        Codec::Aac(_)
        | Codec::Opus(_)
        | Codec::Ac3(_)
        | Codec::Eac3(_)
        | Codec::Flac(_)
        | Codec::MpegAudio(_) => return nothing(),
    };
    Picture { codec, configuration: coded.record().clone(), sample: still.sample.clone() }
}

/// What cannot be decoded, so that its tile stays black.
fn nothing() -> Picture {
    Picture { codec: thumbs::Codec::H264, configuration: bytes::Bytes::new(), sample: Vec::new() }
}

fn form(shape: Shape) -> Form {
    match shape {
        Shape::Single { width } => Form::Single { width: width.max(16) },
        Shape::Tiles { columns, width, height } => Form::Tiles { columns, width, height },
    }
}

fn unmade(failure: Failure) -> Unmade {
    match failure {
        Failure::Refused(_) | Failure::TooLarge | Failure::Crashed => Unmade::Undecodable,
        Failure::Busy => Unmade::Busy,
        Failure::Unavailable => Unmade::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_defaults_are_those_of_the_crate() {
        assert_eq!(settings(&Transcode::default()), Settings::default());
    }
}
