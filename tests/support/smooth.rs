//! Smooth Streaming as a client follows it: manifests and fragments, as far as the tests look at them.

use std::path::{Path, PathBuf};

use mp4_atom::{Atom, Decode, Encode, Ftyp, Moof, Moov};
use roxmltree::{Document, Node};

use super::server::Entry;
use super::wait::within;

/// Units a second.
pub const TIMESCALE: u32 = 10_000_000;

/// A client manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub live: bool,
    pub duration: u64,
    pub streams: Vec<Stream>,
}

/// A StreamIndex.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    pub name: String,
    /// The URL pattern with the bitrate of the first quality in it.
    url: String,
    pub bitrate: u64,
    pub chunks: Vec<Stretch>,
}

/// From where to where, in units of 100 ns since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub time: u64,
    pub duration: u64,
}

/// Every fragment of a stream that was listed until its end.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    pub chunks: Vec<Stretch>,
    pub fragments: Vec<Vec<u8>>,
}

impl Manifest {
    /// Reads a manifest; panics where it is not one.
    pub fn parse(text: &str) -> Manifest {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let root = document.root_element();
        assert_eq!(required(root, "TimeScale"), TIMESCALE.to_string());
        let streams = root.children().filter(|child| child.has_tag_name("StreamIndex"));
        Manifest {
            live: root.attribute("IsLive").is_some_and(|live| live.eq_ignore_ascii_case("true")),
            duration: number(root, "Duration"),
            streams: streams.map(stream).collect(),
        }
    }

    /// The stream of that name.
    pub fn stream(&self, name: &str) -> &Stream {
        self.streams
            .iter()
            .find(|stream| stream.name == name)
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// Fetches everything that is listed of a stream from now to the end.
    pub fn follow(entry: &Entry, name: &str) -> Followed {
        let mut followed = Followed::default();
        within(60, "the end", || {
            let manifest = Manifest::parse(&entry.wait_for("Manifest"));
            let stream = manifest.stream(name);
            for chunk in &stream.chunks {
                if followed.chunks.last().is_none_or(|last| chunk.time > last.time) {
                    followed.take(*chunk, entry.get(&stream.url_of(chunk.time)).body);
                }
            }
            (!manifest.live).then_some(())
        });
        followed
    }
}

impl Stream {
    /// Where the fragment that begins then is, relative to the manifest.
    pub fn url_of(&self, time: u64) -> String {
        self.url.replace("{start time}", &time.to_string())
    }
}

impl Followed {
    fn take(&mut self, chunk: Stretch, fragment: Vec<u8>) {
        let moof = Moof::decode(&mut &fragment[..]).expect("a listed fragment is a fragment");
        assert_eq!(moof.traf.len(), 1);
        assert_eq!(stretches(&fragment, &TFXD), [chunk], "tfxd is what the manifest says");
        if let Some(before) = self.fragments.last() {
            assert_eq!(stretches(before, &TFRF), [chunk], "tfrf told of it");
        }
        self.chunks.push(chunk);
        self.fragments.push(fragment);
    }

    /// Writes it as a file behind an initialization segment of the same track. Fragments begin where the ones before
    /// them ended.
    pub fn write(&self, init: &[u8], folder: &Path) -> PathBuf {
        let mut bytes = timed(init);
        bytes.extend(self.fragments.iter().flatten());
        let file = folder.join("smooth.mp4");
        std::fs::write(&file, bytes).expect("a file in a temporary folder");
        file
    }
}

/// An initialization segment with the timescale of Smooth.
fn timed(init: &[u8]) -> Vec<u8> {
    let mut rest = init;
    let ftyp = Ftyp::decode(&mut rest).expect("ftyp");
    let mut moov = Moov::decode(&mut rest).expect("moov");
    moov.trak[0].mdia.mdhd.timescale = TIMESCALE;
    let mut bytes = Vec::new();
    ftyp.encode(&mut bytes).expect("a Vec takes everything");
    moov.encode(&mut bytes).expect("a Vec takes everything");
    bytes
}

const TFXD: [u8; 16] = 0x6d1d_9b05_42d5_44e6_80e2_141d_aff7_57b2_u128.to_be_bytes();
const TFRF: [u8; 16] = 0xd480_7ef2_ca39_4695_8e54_26cb_9e46_a79f_u128.to_be_bytes();

/// What a box of an extended type says, which has times of 64 bits.
fn stretches(fragment: &[u8], id: &[u8; 16]) -> Vec<Stretch> {
    let at = fragment.windows(16).position(|window| window == id).expect("the box is there");
    let size = u32::from_be_bytes(fragment[at - 8..at - 4].try_into().expect("four bytes")) as usize;
    let body = &fragment[at + 20..at - 8 + size];
    let entries = if id == &TFRF { &body[1..] } else { body };
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
    let stretch = |bytes: &[u8]| Stretch { time: number(&bytes[..8]), duration: number(&bytes[8..]) };
    entries.chunks(16).map(stretch).collect()
}

fn stream(node: Node<'_, '_>) -> Stream {
    let mut levels = node.children().filter(|child| child.has_tag_name("QualityLevel"));
    let bitrate = number(levels.next().expect("a quality"), "Bitrate");
    let chunks = node.children().filter(|child| child.has_tag_name("c"));
    Stream {
        name: required(node, "Name").to_owned(),
        url: required(node, "Url").replace("{bitrate}", &bitrate.to_string()),
        bitrate,
        chunks: chunks.map(|c| Stretch { time: number(c, "t"), duration: number(c, "d") }).collect(),
    }
}

fn required<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()))
}

fn number(node: Node<'_, '_>, name: &str) -> u64 {
    required(node, name).parse().unwrap_or_else(|_| panic!("{name} of {:?}", node.tag_name()))
}
