//! Numbers and names, written without the formatting machinery: a playlist of a day has a hundred thousand of them.

use std::time::Duration;

use media::MediaTime;

use crate::presentation::{Rendition, Segment};

/// A duration in seconds with six decimals, rounded to the nearest.
pub(super) fn seconds(out: &mut String, time: MediaTime) {
    write_micros(out, time.micros().max(0) as u64);
}

/// A duration in seconds with six decimals, more than it is by a microsecond at most, but never more than `most`.
///
/// Where parts lie before the end of a segment, Shaka 5.2 measures how far the playlist is off from the media, with each
/// part anew, and resets its decoder at a millisecond: it loses all pictures up to the next keyframe. It begins with
/// exactly a millisecond, so that rounding decides, unless the playlist runs ahead by a hair.
pub(super) fn seconds_beyond(out: &mut String, time: MediaTime, most: Duration) {
    let scale = i64::from(time.scale.hz());
    let micros = (i128::from(time.ticks.max(0)) * 1_000_000 / i128::from(scale.max(1))) as u64;
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    write_micros(out, (micros + 1).min(most.max(micros)));
}

fn write_micros(out: &mut String, micros: u64) {
    integer(out, micros / 1_000_000);
    let fraction = [b'0'; 6];
    let mut digits = fraction;
    let mut rest = micros % 1_000_000;
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    out.push('.');
    out.extend(digits.map(char::from));
}

/// The URI of a segment, as [`Resource::Segment`](crate::names::Resource::Segment) writes it.
pub(super) fn segment_uri(out: &mut String, rendition: &Rendition, number: u64) {
    out.push_str(&rendition.name);
    out.push('/');
    integer(out, number);
    out.push_str(".m4s");
}

/// The URI of a listed segment, as [`Segment::resource`] names it.
pub(super) fn listed_uri(out: &mut String, rendition: &Rendition, segment: &Segment) {
    match segment.stored().and_then(|stored| stored.only) {
        None => segment_uri(out, rendition, segment.number),
        Some(_) => out.push_str(&segment.resource(&rendition.name).to_string()),
    }
}

/// The URI of a part, as [`Resource::Part`](crate::names::Resource::Part) writes it.
pub(super) fn part_uri(out: &mut String, rendition: &Rendition, number: u64, index: u64) {
    out.push_str(&rendition.name);
    out.push('/');
    integer(out, number);
    out.push('.');
    integer(out, index);
    out.push_str(".m4s");
}

fn integer(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}
