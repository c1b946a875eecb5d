//! What is asked for, and what comes of it.

use bytes::Bytes;
use worker_protocol::{Codec, Coded, Form, Refusal, Request};

/// A picture that needs no other to be decoded.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// How it is coded.
    pub codec: Codec,
    /// The decoder configuration.
    pub configuration: Bytes,
    /// The sample, in as many pieces as it lies in.
    pub sample: Vec<Bytes>,
}

/// Pictures, and the image to make of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// One or more.
    pub pictures: Vec<Picture>,
    /// What to make.
    pub form: Form,
    /// Quality of the JPEG, 1 (worst) to 100.
    pub quality: u8,
}

/// A JPEG.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub jpeg: Bytes,
}

/// Why there is no image. The texts hold nothing that a publisher sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot be made of these pictures, now or later.
    #[error("{0}")]
    Refused(Refusal),
    /// The pictures have more bytes than a job may have.
    #[error("the pictures have too many bytes")]
    TooLarge,
    /// The worker crashed over these pictures, or took too long.
    #[error("the worker failed over this picture")]
    Crashed,
    /// Too many others are being made.
    #[error("too many images are being made")]
    Busy,
    /// There is no worker to make it, or it does not start.
    #[error("headwater-worker is not there, or cannot start: the server's log says why")]
    Unavailable,
}

impl Failure {
    /// Whether trying again soon is of no use.
    pub fn lasts(self) -> bool {
        matches!(self, Failure::Refused(_) | Failure::TooLarge | Failure::Crashed)
    }
}

impl Picture {
    fn coded(&self) -> Option<Coded> {
        let size = |bytes: usize| u32::try_from(bytes).ok();
        let sample = self.sample.iter().map(Bytes::len).sum();
        Some(Coded {
            codec: self.codec,
            configuration: size(self.configuration.len())?,
            sample: size(sample)?,
        })
    }
}

impl Job {
    /// What the worker is told.
    pub(crate) fn request(&self) -> Option<Request> {
        let pictures = self.pictures.iter().map(Picture::coded).collect::<Option<_>>()?;
        Some(Request { pictures, form: self.form, quality: self.quality })
    }

    /// What it is told beside, in pieces.
    pub(crate) fn payload(&self) -> impl Iterator<Item = &Bytes> {
        self.pictures
            .iter()
            .flat_map(|picture| std::iter::once(&picture.configuration).chain(&picture.sample))
    }

    /// Bytes of that.
    pub(crate) fn len(&self) -> usize {
        self.payload().map(Bytes::len).sum()
    }
}
