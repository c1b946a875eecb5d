//! SegmentTimeline (ISO/IEC 23009-1 §5.3.9.6).

use std::fmt::{self, Write};

use crate::presentation::Segment;

/// `S` elements with equal neighbours folded (ISO/IEC 23009-1 §5.3.9.6).
pub(super) fn write(out: &mut String, segments: &[&Segment], indent: &str) -> fmt::Result {
    writeln!(out, "{indent}  <SegmentTimeline>")?;
    let mut at = 0;
    while let Some(first) = segments.get(at) {
        let equal = segments[at..].windows(2).take_while(|pair| {
            pair[1].duration == first.duration && pair[0].start + pair[0].duration == pair[1].start
        });
        let repeats = equal.count();
        write!(out, "{indent}    <S t=\"{}\" d=\"{}\"", first.start, first.duration)?;
        match repeats {
            0 => writeln!(out, "/>")?,
            _ => writeln!(out, " r=\"{repeats}\"/>")?,
        }
        at += repeats + 1;
    }
    writeln!(out, "{indent}  </SegmentTimeline>")
}
