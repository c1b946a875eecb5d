//! What never changes: an initialization segment, a segment or a part, with its tag and its pieces.

use std::iter;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use media::Kind;
use packager::manifest::smooth::Fragment;
use packager::presentation::{Init, Part, Segment};
use packager::ts::REVISION;

use crate::etag;
use crate::pieces::Pieces;

/// Something whose bytes never change.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Immutable {
    Init(Arc<Init>),
    Segment {
        kind: Kind,
        segment: Arc<Segment>,
    },
    Part {
        kind: Kind,
        /// P and N of the segment that it is of.
        period: u64,
        number: u64,
        part: Arc<Part>,
    },
    Smooth {
        kind: Kind,
        fragment: Fragment,
        /// Without its payload.
        metadata_only: bool,
    },
    /// A segment as MPEG-TS.
    Transport {
        /// P and N of the segment that it is made of.
        period: u64,
        number: u64,
        bytes: Bytes,
    },
}

impl Immutable {
    /// Bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Immutable::Init(init) => init.bytes.len() as u64,
            Immutable::Segment { segment, .. } => segment.len(),
            Immutable::Part { part, .. } => part.len,
            Immutable::Smooth { fragment, metadata_only: true, .. } => fragment.metadata as u64,
            Immutable::Smooth { fragment, .. } => fragment.len(),
            Immutable::Transport { bytes, .. } => bytes.len() as u64,
        }
    }

    /// A strong tag. Numbers are burnt, so they and the length say which bytes these are.
    pub(crate) fn etag(&self) -> HeaderValue {
        let len = self.len();
        etag::quoted(&match self {
            Immutable::Init(init) => format!("{}-{len}", init.period),
            Immutable::Segment { segment, .. } => {
                format!("{}-{}-{len}", segment.period.number, segment.number)
            }
            Immutable::Part { period, number, part, .. } => format!("{period}-{number}.{}-{len}", part.index),
            Immutable::Smooth { fragment, .. } => {
                let segment = &fragment.segment;
                format!("{}-{}s-{len}", segment.period.number, segment.number)
            }
            Immutable::Transport { period, number, .. } => format!("{period}-{number}-ts{REVISION}-{len}"),
        })
    }

    /// RFC 4337 §3.1, RFC 3555 §4.2.8, RFC 8216bis §10.
    pub(crate) fn mime_type(&self) -> &'static str {
        mime_type(match self {
            Immutable::Init(init) => init.track.kind(),
            Immutable::Segment { kind, .. }
            | Immutable::Part { kind, .. }
            | Immutable::Smooth { kind, .. } => *kind,
            Immutable::Transport { .. } => return "video/mp2t",
        })
    }

    /// Whether its bytes have to be read before there is a body.
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self, Immutable::Segment { segment, .. } if segment.stored().is_some())
    }

    /// These bytes of it, by reference; of what is stored their length alone.
    pub(crate) fn body(&self, range: Range<u64>) -> Pieces {
        match self {
            stored if stored.is_stored() => Pieces::of_length(range.end.saturating_sub(range.start)),
            Immutable::Init(init) => Pieces::new(iter::once(&init.bytes), range),
            Immutable::Segment { segment, .. } => Pieces::new(segment.pieces(), range),
            Immutable::Part { part, .. } => Pieces::new(part.pieces(), range),
            // Metadata is the beginning: the range ends with it.
            Immutable::Smooth { fragment, .. } => Pieces::new(fragment.pieces(), range),
            Immutable::Transport { bytes, .. } => Pieces::new(iter::once(bytes), range),
        }
    }
}

/// RFC 4337 §3.1, RFC 8216bis §10.
pub(crate) fn mime_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video/mp4",
        Kind::Audio => "audio/mp4",
    }
}
