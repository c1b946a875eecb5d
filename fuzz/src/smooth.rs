//! Smooth Streaming of whatever the packager shows, on both of its timelines.

use packager::Presentation;
use packager::manifest::{Options, smooth};
use packager::names::Resource;

/// `tfxd` ([MS-SSTR] §2.2.4.4).
const TFXD: u128 = 0x6d1d_9b05_42d5_44e6_80e2_141d_aff7_57b2;

/// What the beginning of a period may be off by rounding, where what lies before it is left out.
const ROUNDING: u64 = 16;

/// Every listed fragment can be fetched and stands where the manifest says, and none overlaps the next.
pub(crate) fn check(presentation: &Presentation) {
    check_timeline(presentation, false);
    check_timeline(presentation, presentation.ended);
}

fn check_timeline(presentation: &Presentation, from_zero: bool) {
    let options = Options { from_zero, ..Options::default() };
    let Some(text) = smooth::manifest(presentation, &options) else { return };
    let slack = if from_zero { ROUNDING } else { 0 };
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    for stream in document.root_element().children().filter(|node| node.has_tag_name("StreamIndex")) {
        let mut reached = 0;
        for chunk in stream.children().filter(|node| node.has_tag_name("c")) {
            let (time, duration) = (number(chunk, "t"), number(chunk, "d"));
            assert!(time + slack >= reached, "{time} comes before {reached} is over");
            assert_eq!(time as f64 as u64, time, "what a double holds");
            reached = time + duration;
            for level in stream.children().filter(|node| node.has_tag_name("QualityLevel")) {
                let url = attribute(stream, "Url").replace("{bitrate}", attribute(level, "Bitrate"));
                check_fragment(
                    presentation,
                    &url.replace("{start time}", attribute(chunk, "t")),
                    time,
                    duration,
                );
            }
        }
    }
}

fn check_fragment(presentation: &Presentation, url: &str, time: u64, duration: u64) {
    let Some(Resource::Fragment(name)) = Resource::parse(url) else { panic!("{url}") };
    let fragment = smooth::fragment(presentation, &name);
    let fragment = fragment.expect("such a quality").expect("listed");
    let moof = &fragment.header[..fragment.metadata];
    let at = moof.windows(16).position(|window| window == TFXD.to_be_bytes()).expect("tfxd");
    assert_eq!(moof[at + 20..at + 36], [time.to_be_bytes(), duration.to_be_bytes()].concat());
    let payload: usize = fragment.pieces().skip(1).map(|piece| piece.len()).sum();
    let mdat = u32::from_be_bytes(fragment.header[fragment.metadata..][..4].try_into().expect("four bytes"));
    assert_eq!(mdat as usize, payload + 8);
}

fn attribute<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("no {name}"))
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> u64 {
    attribute(node, name).parse().expect("a number")
}
