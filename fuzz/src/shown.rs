//! What must hold for whatever the packager shows.

use std::time::Duration;

use packager::manifest::{Options, dash, hls, hls_ts};
use packager::names::Resource;
use packager::ts::program;
use packager::{Presentation, Rendition, Segment, Settings};

use crate::boxes;
use crate::smooth;
use crate::transport::Transport;

/// Segments of a rendition with [`settings`], however short they are: two windows and a segment of at most 10 s.
const MOST_SEGMENTS: usize = 720;

/// The defaults, but no more of the past than the playlists need.
pub fn settings() -> Settings {
    Settings { dvr_window: Duration::ZERO, ..Settings::default() }
}

/// Everything at once, manifests included.
pub fn check(presentation: &Presentation) {
    for rendition in &presentation.renditions {
        check_rendition(rendition);
    }
    let most = presentation.renditions.len() * MOST_SEGMENTS + 2;
    assert!(presentation.spans.len() <= most, "{} spans", presentation.spans.len());
    check_hls(presentation);
    check_dash(presentation);
    check_ts(presentation);
    smooth::check(presentation);
}

fn check_rendition(rendition: &Rendition) {
    let segments: Vec<_> = rendition.segments.values().collect();
    assert!(segments.len() <= MOST_SEGMENTS, "{} segments of {}", segments.len(), rendition.name);
    for pair in segments.windows(2) {
        assert!(pair[1].number > pair[0].number);
        assert!(pair[1].period.number >= pair[0].period.number);
        assert!(pair[1].wall_time() >= pair[0].wall_time(), "wall time went back");
    }
    for segment in segments {
        check_segment(segment);
    }
}

/// The sum of durations is the next `tfdt`, and the boxes say what the segment says.
fn check_segment(segment: &Segment) {
    let (mut at, mut longest) = (segment.start, 0);
    for (index, part) in segment.parts().iter().enumerate() {
        assert_eq!((part.index as usize, part.start), (index, at));
        let (moof, before_payload) = boxes::moof(&part.header);
        let traf = &moof.traf[0];
        let run = &traf.trun[0];
        assert_eq!(traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time as i64), Some(at));
        assert_eq!(run.data_offset, Some(before_payload as i32));
        let default = traf.tfhd.default_sample_duration;
        let lengths = run.samples.iter().map(|s| i64::from(s.duration.or(default).expect("a duration")));
        longest = lengths.clone().max().unwrap_or(0).max(longest);
        assert_eq!(lengths.sum::<i64>(), part.duration);
        let sizes = run.samples.iter().map(|sample| u64::from(sample.size.expect("a size")));
        let payload: u64 = part.payload.iter().map(|piece| piece.len() as u64).sum();
        assert_eq!(sizes.sum::<u64>(), payload);
        assert_eq!(part.len, payload + part.header.len() as u64);
        at += part.duration;
    }
    // Where a track broke off its segment is said to end with those of the others, which may be inside its last sample.
    assert!(segment.is_gap() || segment.duration > at - segment.start - longest);
}

/// Every URI reads back, and no line is broken.
fn check_hls(presentation: &Presentation) {
    let multivariant = hls::multivariant(presentation, &Options::default());
    assert!(multivariant.starts_with("#EXTM3U\n"));
    for rendition in presentation.renditions.iter().filter(|it| !it.segments.is_empty()) {
        let target = presentation.session.target_duration;
        for line in
            hls::media(presentation, rendition, &Options::default()).lines().filter(|line| !line.is_empty())
        {
            if let Some(duration) = line.strip_prefix("#EXTINF:") {
                let seconds: f64 = duration.trim_end_matches(',').parse().expect("a number");
                assert!(seconds.round() <= f64::from(target), "{line} with a target duration of {target}");
            }
            assert!(line.starts_with('#') || Resource::parse(line).is_some(), "{line}");
        }
    }
}

fn check_dash(presentation: &Presentation) {
    for pinned in [false, true] {
        let text = dash::mpd(presentation, &Options { pinned, ..Options::default() });
        let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(document.root_element().tag_name().name(), "MPD");
    }
}

/// Segments as MPEG-TS, one after another, are one stream.
fn check_ts(presentation: &Presentation) {
    for rendition in &presentation.renditions {
        let programs =
            rendition.segments.keys().filter_map(|&number| program(presentation, rendition, number).ok());
        let files = programs.map(|program| program.mux().expect("what the packager made"));
        Transport::read(&files.collect::<Vec<_>>().concat());
        hls_ts::media(presentation, rendition, &Options::default());
    }
}

/// Milliseconds that let a lot happen without hours of clock.
pub fn millis(code: u16) -> Duration {
    Duration::from_millis(u64::from(code) * u64::from(code) / 64)
}
