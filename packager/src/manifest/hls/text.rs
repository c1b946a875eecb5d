//! Numbers and names, written without the formatting machinery: a playlist of a day has a hundred thousand of them.

use media::MediaTime;

use crate::presentation::Rendition;

/// A duration in seconds with six decimals, rounded to the nearest.
pub(super) fn seconds(out: &mut String, time: MediaTime) {
    let micros = time.micros().max(0) as u64;
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
