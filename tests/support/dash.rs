//! DASH MPDs, as far as the tests look at them.

use roxmltree::{Document, Node};

/// An MPD.
#[derive(Clone, Debug, PartialEq)]
pub struct Mpd {
    pub dynamic: bool,
    /// `minimumUpdatePeriod`, which a presentation that may still change has.
    pub updates: bool,
    /// `mediaPresentationDuration` in seconds.
    pub duration: Option<f64>,
    pub availability_start: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    pub periods: Vec<Period>,
}

/// A Period.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    pub id: String,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub duration: Option<f64>,
    pub representations: Vec<Representation>,
}

/// A Representation with its addressing.
#[derive(Clone, Debug, PartialEq)]
pub struct Representation {
    pub id: String,
    pub timescale: i64,
    pub offset: i64,
    pub init: String,
    pub segments: Vec<Segment>,
}

/// One entry of a SegmentTimeline, repetitions written out.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub number: u64,
    pub uri: String,
    /// Ticks.
    pub start: i64,
    /// Ticks.
    pub duration: i64,
}

impl Mpd {
    /// Reads an MPD; panics where it is not one.
    pub fn parse(text: &str) -> Mpd {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let root = document.root_element();
        let location = children(root, "Location").next().and_then(|node| node.text());
        Mpd {
            dynamic: root.attribute("type") == Some("dynamic"),
            updates: root.attribute("minimumUpdatePeriod").is_some(),
            duration: root.attribute("mediaPresentationDuration").map(seconds),
            availability_start: root.attribute("availabilityStartTime").map(str::to_owned),
            location: location.map(str::to_owned),
            periods: children(root, "Period").map(period).collect(),
        }
    }

    /// Whether nothing more comes.
    pub fn over(&self) -> bool {
        !self.updates
    }
}

fn period(node: Node<'_, '_>) -> Period {
    Period {
        id: required(node, "id").to_owned(),
        start: seconds(required(node, "start")),
        duration: node.attribute("duration").map(seconds),
        representations: children(node, "AdaptationSet").map(representation).collect(),
    }
}

fn representation(set: Node<'_, '_>) -> Representation {
    let template = children(set, "SegmentTemplate").next().expect("a SegmentTemplate");
    let id = children(set, "Representation").next().map(|node| required(node, "id"));
    let media = required(template, "media");
    let mut segments: Vec<Segment> = Vec::new();
    for s in children(template, "SegmentTimeline").flat_map(|line| children(line, "S")) {
        let duration = integer(required(s, "d"));
        for _ in 0..=s.attribute("r").map_or(0, integer) {
            let follows = segments.last().map(|last| last.start + last.duration);
            let start = s.attribute("t").map(integer).filter(|&t| Some(t) > follows).or(follows);
            let number = integer(required(template, "startNumber")) as u64 + segments.len() as u64;
            let uri = media.replace("$Number$", &number.to_string());
            segments.push(Segment { number, uri, start: start.expect("the first S has t"), duration });
        }
    }
    Representation {
        id: id.expect("a Representation").to_owned(),
        timescale: integer(required(template, "timescale")),
        offset: template.attribute("presentationTimeOffset").map_or(0, integer),
        init: required(template, "initialization").to_owned(),
        segments,
    }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(("urn:mpeg:dash:schema:mpd:2011", name)))
}

fn required<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()))
}

fn integer(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

/// The one form of xs:duration that is used: PT and seconds.
fn seconds(text: &str) -> f64 {
    let seconds = text.strip_prefix("PT").and_then(|text| text.strip_suffix('S'));
    seconds.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{text:?} is no duration"))
}
