//! The messages.

use serde::{Deserialize, Serialize};

use crate::{MAX_PICTURES, MAX_SIDE};

/// The first thing that a worker says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The [`VERSION`](crate::VERSION) that it speaks.
    pub protocol: u32,
    /// The libraries that it works with, for people.
    pub libraries: String,
}

/// Pictures to decode, and the image to make of them. The payload has the configuration and the sample of each, one
/// after another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// In the order of the payload; one or more.
    pub pictures: Vec<Coded>,
    /// What to make.
    pub form: Form,
    /// Quality of the JPEG, 1 (worst) to 100.
    pub quality: u8,
}

/// A picture that needs no other to be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Coded {
    /// How it is coded.
    pub codec: Codec,
    /// Bytes of the decoder configuration.
    pub configuration: u32,
    /// Bytes of the sample.
    pub sample: u32,
}

/// How a picture is coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// H.264: an AVCDecoderConfigurationRecord, and NAL units behind their lengths (ISO/IEC 14496-15 §5.3).
    H264,
    /// H.265: an HEVCDecoderConfigurationRecord, and NAL units behind their lengths (ISO/IEC 14496-15 §8.3).
    H265,
    /// AV1: an AV1CodecConfigurationRecord, and OBUs (AV1-ISOBMFF §2.3 and §2.4).
    Av1,
    /// VP9: a frame, which says everything itself.
    Vp9,
}

/// What image is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The first picture in its own shape, in square pixels.
    Single {
        /// Even, 16 or more; a picture that is narrower keeps its own.
        width: u32,
    },
    /// All pictures side by side, row by row; each as large as it fits, on black.
    Tiles {
        /// Tiles of a row.
        columns: u32,
        /// Of a tile, even.
        width: u32,
        /// Of a tile, even.
        height: u32,
    },
}

/// What a worker answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// The payload is a JPEG.
    Image {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// How many pictures could not be decoded: their tiles are black.
        missing: u32,
    },
    /// There is no image; the worker goes on.
    Refused(Refusal),
}

/// Why there is no image. The texts hold nothing that a publisher sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The request is not one: a bug of whoever asked.
    #[error("the request asks for nothing that can be made")]
    Senseless,
    /// The decoder configuration cannot be read.
    #[error("the decoder configuration cannot be read")]
    Configuration,
    /// The sample cannot be decoded.
    #[error("the picture cannot be decoded")]
    Damaged,
    /// The picture is so high and narrow that no image can show it.
    #[error("the picture is too high for its width")]
    TooLarge,
    /// The libraries at hand lack a decoder, a filter or the JPEG encoder.
    #[error("the FFmpeg libraries of the worker cannot decode this codec, or cannot write JPEG")]
    Unsupported,
    /// Making the image failed.
    #[error("the image cannot be made")]
    Failed,
}

impl Request {
    /// Bytes of the payload that belongs to it.
    pub fn payload(&self) -> u64 {
        self.pictures.iter().map(|it| u64::from(it.configuration) + u64::from(it.sample)).sum()
    }

    /// Whether there is an image that it could be answered with.
    pub fn sensible(&self) -> bool {
        let even = |side: u32| side >= 2 && side.is_multiple_of(2) && side <= MAX_SIDE;
        let count = self.pictures.len();
        (1..=MAX_PICTURES).contains(&count)
            && (1..=100).contains(&self.quality)
            && match self.form {
                Form::Single { width } => width >= 16 && even(width),
                Form::Tiles { columns, width, height } => {
                    let rows = count.div_ceil(columns.max(1) as usize) as u32;
                    let fits = |tiles: u32, side: u32| tiles >= 1 && even(side) && tiles <= MAX_SIDE / side;
                    fits(columns, width) && fits(rows, height)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pictures: usize, form: Form) -> Request {
        let coded = Coded { codec: Codec::H264, configuration: 40, sample: u32::MAX };
        Request { pictures: vec![coded; pictures], form, quality: 80 }
    }

    #[test]
    fn what_cannot_be_made_is_not_sensible() {
        let single = |width| request(1, Form::Single { width });
        let tiles = |count, columns, width, height| request(count, Form::Tiles { columns, width, height });
        for good in
            [single(16), single(MAX_SIDE), tiles(25, 5, 160, 90), tiles(1, 1, 2, 2), tiles(100, 10, 408, 408)]
        {
            assert!(good.sensible(), "{good:?}");
        }
        for bad in [
            single(0),
            single(14),
            single(641),
            single(MAX_SIDE + 2),
            request(0, Form::Single { width: 640 }),
            tiles(MAX_PICTURES + 1, 10, 2, 2),
            tiles(25, 0, 160, 90),
            tiles(25, u32::MAX, 160, 90),
            tiles(25, 5, 160, 91),
            tiles(25, 5, 0, 90),
            tiles(25, 5, u32::MAX - 1, 90),
            tiles(25, 5, 820, 90),
            tiles(25, 1, 160, 180),
            Request { quality: 0, ..single(640) },
            Request { quality: 101, ..single(640) },
        ] {
            assert!(!bad.sensible(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_do_not_wrap() {
        assert_eq!(request(100, Form::Single { width: 16 }).payload(), 100 * (40 + u64::from(u32::MAX)));
    }
}
