//! The bitrates by which Smooth URLs name renditions: given once, then kept for the life of the entry.
//!
//! A measured rate changes with every segment and may not stand in a URL; what was measured of a rendition's first
//! segment says about the same, and is made unique among renditions of its kind, which share a StreamIndex
//! ([MS-SSTR] §2.2.2.5: clients put Bitrate into the URL pattern).

use std::sync::Arc;

use media::Kind;

use crate::numbers::Numbers;
use crate::presentation::{Presentation, Record, Segment};

/// Names that are remembered. Beyond, those that the session does not know are forgotten.
const REMEMBERED: usize = 64;
/// What given bitrates are multiples of.
const STEP: u64 = 1000;
/// What shorter segments are taken for: a sliver says nothing about the rate.
const LEAST_MICROS: u64 = 500_000;

/// The record that names the rendition of a segment, where its session does not know the name yet.
pub(crate) fn naming(numbers: &mut Numbers, presentation: &Presentation, record: &Record) -> Option<Record> {
    let Record::Segment { rendition, kind, segment } = record else { return None };
    let known = presentation.rendition(rendition).is_some_and(|known| known.named_bitrate.is_some());
    if known || segment.is_gap() {
        return None;
    }
    let bitrate = match numbers.bitrates.get(rendition) {
        Some(&bitrate) => bitrate,
        None => give(numbers, presentation, rendition, *kind, segment),
    };
    Some(Record::Bitrate { rendition: rendition.clone(), kind: *kind, bitrate })
}

fn give(
    numbers: &mut Numbers,
    presentation: &Presentation,
    rendition: &Arc<str>,
    kind: Kind,
    first: &Segment,
) -> u32 {
    let given = Arc::make_mut(&mut numbers.bitrates);
    if given.len() >= REMEMBERED {
        given.retain(|name, _| presentation.rendition(name).is_some());
    }
    let taken: Vec<u32> = given
        .iter()
        .filter_map(|(name, &bitrate)| name.starts_with(kind.as_str()).then_some(bitrate))
        .collect();
    let mut bitrate = measured(first);
    while taken.contains(&bitrate) {
        bitrate += STEP as u32;
    }
    given.insert(rendition.clone(), bitrate);
    bitrate
}

/// Bits per second, a multiple of [`STEP`], at least one of it and at most half of what fits.
fn measured(segment: &Segment) -> u32 {
    let micros = u64::try_from(segment.span().micros()).unwrap_or(0).max(LEAST_MICROS);
    let bits = u128::from(segment.len()) * 8 * 1_000_000 / u128::from(micros);
    let steps = u64::try_from(bits).unwrap_or(u64::MAX).div_ceil(STEP);
    (steps.clamp(1, u64::from(u32::MAX) / STEP / 2) * STEP) as u32
}
