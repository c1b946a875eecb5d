//! What the numbers of a picture mean as light: code points of ITU-T H.273 (ISO/IEC 23091-2).

/// Color primaries, transfer characteristics and matrix of a picture, as code points; 2 means not said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Color {
    /// ColourPrimaries: 1 is BT.709, 9 is BT.2020.
    pub primaries: u8,
    /// TransferCharacteristics: 1 is BT.709, 16 is PQ, 18 is HLG.
    pub transfer: u8,
    /// MatrixCoefficients: 1 is BT.709, 9 is BT.2020 with non-constant luminance.
    pub matrix: u8,
    /// VideoFullRangeFlag: levels from 0 on, not those of television.
    pub full_range: bool,
}

/// How bright a picture may be, as VIDEO-RANGE of HLS names it (RFC 8216bis §4.4.6.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// Hybrid log-gamma (ARIB STD-B67).
    Hlg,
    /// Perceptual quantizer (SMPTE ST 2084).
    Pq,
}

impl Color {
    /// What a bitstream that does not say it leaves open.
    pub const UNSAID: Color = Color { primaries: 2, transfer: 2, matrix: 2, full_range: false };

    /// Itself, unless it says nothing.
    pub fn said(self) -> Option<Color> {
        (self != Color::UNSAID).then_some(self)
    }

    /// Range by the transfer characteristics.
    pub fn range(self) -> VideoRange {
        match self.transfer {
            16 => VideoRange::Pq,
            18 => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        }
    }
}

impl VideoRange {
    /// `SDR`, `HLG` or `PQ`.
    pub fn as_str(self) -> &'static str {
        match self {
            VideoRange::Sdr => "SDR",
            VideoRange::Hlg => "HLG",
            VideoRange::Pq => "PQ",
        }
    }
}
