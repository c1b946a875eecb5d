//! One coded picture or audio frame.

use crate::payload::Slice;

/// Where decoding may begin (ISO/IEC 14496-12 Annex I, stream access points).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sync {
    /// Depends on samples before it.
    No,
    /// An intra picture that leading pictures reach across (open GOP, SAP type 3). A segment may begin here,
    /// but is not independent.
    Recovery,
    /// Everything after it decodes without what was before (SAP type 1 or 2): an IDR, or any audio frame.
    Yes,
}

/// One coded picture or audio frame. All times are ticks of the track's timescale.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Decode time.
    pub dts: i64,
    /// Presentation time minus decode time.
    pub composition_offset: i32,
    /// Ticks until the next sample of the track; zero while that is not known.
    pub duration: u32,
    /// Whether decoding may begin here.
    pub sync: Sync,
    /// The payload: length-prefixed NAL units, or one raw audio frame.
    pub data: Slice,
}

impl Sample {
    /// Presentation time.
    pub fn pts(&self) -> i64 {
        self.dts + i64::from(self.composition_offset)
    }
}
