//! Smooth manifests and fragments as an independent client reads them.

use mp4_atom::{Decode, Moof};
use packager::Presentation;
use packager::manifest::{Options, smooth};
use packager::names::Resource;
use packager::names::smooth::{FragmentName, Zero};

/// A client manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    pub live: bool,
    pub duration: u64,
    pub streams: Vec<Stream>,
}

/// A StreamIndex.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    pub name: String,
    /// What the URLs of its fragments say that times count from.
    pub zero: Option<Zero>,
    pub bitrates: Vec<u32>,
    pub private_data: Vec<String>,
    pub chunks: Vec<Stretch>,
}

/// From where to where, in units of 100 ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    pub time: u64,
    pub duration: u64,
}

/// What the boxes of a fragment say.
#[derive(Clone, PartialEq, Debug)]
pub struct Boxes {
    pub tfxd: Stretch,
    pub tfrf: Vec<Stretch>,
    pub moof: Moof,
}

impl Stretch {
    pub fn end(self) -> u64 {
        self.time + self.duration
    }
}

impl Manifest {
    pub fn of(presentation: &Presentation) -> Option<Manifest> {
        smooth::manifest(presentation, &Options::default()).map(|text| Manifest::parse(&text))
    }

    /// The one that counts from zero.
    pub fn from_zero(presentation: &Presentation) -> Option<Manifest> {
        let options = Options { from_zero: true, ..Options::default() };
        smooth::manifest(presentation, &options).map(|text| Manifest::parse(&text))
    }

    pub fn parse(text: &str) -> Manifest {
        let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "SmoothStreamingMedia");
        Manifest {
            live: root.attribute("IsLive") == Some("TRUE"),
            duration: number(root, "Duration"),
            streams: elements(root, "StreamIndex").map(stream).collect(),
        }
    }

    /// The one of that name.
    pub fn stream(&self, name: &str) -> &Stream {
        self.streams.iter().find(|stream| stream.name == name).unwrap_or_else(|| panic!("no {name}"))
    }
}

impl Stream {
    /// What a client asks for, for each chunk in the first quality.
    pub fn names(&self) -> Vec<FragmentName> {
        self.chunks.iter().map(|chunk| self.name_of(self.bitrates[0], chunk.time)).collect()
    }

    pub fn name_of(&self, bitrate: u32, time: u64) -> FragmentName {
        FragmentName { zero: self.zero, bitrate, stream: self.name.clone(), time, metadata_only: false }
    }
}

fn stream(node: roxmltree::Node<'_, '_>) -> Stream {
    let text = |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap_or_default().to_owned();
    let name = text(node, "Name");
    let levels: Vec<_> = elements(node, "QualityLevel").collect();
    let chunks: Vec<Stretch> =
        elements(node, "c").map(|c| Stretch { time: number(c, "t"), duration: number(c, "d") }).collect();
    assert_eq!(number(node, "Chunks"), chunks.len() as u64);
    assert_eq!(number(node, "QualityLevels"), levels.len() as u64);
    let filled = text(node, "Url").replace("{bitrate}", "1000").replace("{start time}", "8");
    let Some(Resource::Fragment(FragmentName { zero, .. })) = Resource::parse(&filled) else {
        panic!("{filled}")
    };
    let before = zero.map(|zero| format!("{zero}/")).unwrap_or_default();
    let url = format!("{before}QualityLevels({{bitrate}})/Fragments({name}={{start time}})");
    assert_eq!(text(node, "Url"), url);
    for (index, level) in levels.iter().enumerate() {
        assert_eq!(number(*level, "Index"), index as u64);
    }
    Stream {
        name,
        zero,
        bitrates: levels.iter().map(|level| number(*level, "Bitrate") as u32).collect(),
        private_data: levels.iter().map(|level| text(*level, "CodecPrivateData")).collect(),
        chunks,
    }
}

fn elements<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> u64 {
    let text = node.attribute(name).unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()));
    text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}"))
}

/// The boxes before the payload of a fragment.
pub fn boxes(fragment: &smooth::Fragment) -> Boxes {
    let moof = &fragment.header[..fragment.metadata];
    let tfxd = extension(moof, 0x6d1d_9b05_42d5_44e6_80e2_141d_aff7_57b2).expect("tfxd");
    let tfrf = extension(moof, 0xd480_7ef2_ca39_4695_8e54_26cb_9e46_a79f).expect("tfrf");
    let (count, entries) = tfrf.split_first().expect("a count");
    assert_eq!(entries.len(), usize::from(*count) * 16);
    Boxes {
        tfxd: stretch(tfxd),
        tfrf: entries.chunks(16).map(stretch).collect(),
        moof: Moof::decode(&mut &moof[..]).expect("a moof"),
    }
}

/// What stands in a box of an extended type behind its version, which says that times have 64 bits.
fn extension(moof: &[u8], id: u128) -> Option<&[u8]> {
    let at = moof.windows(16).position(|window| window == id.to_be_bytes())?;
    let size = u32::from_be_bytes(moof[at - 8..at - 4].try_into().expect("four bytes")) as usize;
    assert_eq!((&moof[at - 4..at], &moof[at + 16..at + 20]), (&b"uuid"[..], &[1, 0, 0, 0][..]));
    Some(&moof[at + 20..at - 8 + size])
}

fn stretch(bytes: &[u8]) -> Stretch {
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    Stretch { time: number(0), duration: number(8) }
}

/// The fragment of that name.
pub fn fragment(
    presentation: &Presentation,
    name: &FragmentName,
) -> Result<smooth::Fragment, smooth::Absent> {
    smooth::fragment(presentation, name).expect("such a quality")
}
