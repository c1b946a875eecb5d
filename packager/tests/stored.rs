//! Segments in storage: a presentation that holds none of their bytes says the same as one that holds all.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::Publisher;
use packager::manifest::{Options, dash, hls};
use packager::presentation::{Segment, Stored, StoredFile};
use packager::{Presentation, Settings};

fn ended() -> Publisher {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 300, 30, 30, true);
    publisher.end();
    publisher
}

fn bytes(segment: &Segment) -> Bytes {
    segment.pieces().flatten().copied().collect::<Vec<u8>>().into()
}

fn stored(segment: &Segment, len: u64) -> Stored {
    let file = StoredFile { store: Arc::from("demo"), name: "video-1.1.1.mp4".into() };
    Stored {
        init: segment.init().expect("media").clone(),
        file: Arc::new(file),
        offset: 700,
        len,
        checksum: 0,
        independent: segment.independent(),
        media: segment.media(),
        only: None,
    }
}

fn settle(presentation: &Presentation) -> Presentation {
    let mut settled = presentation.clone();
    for rendition in &presentation.renditions {
        for segment in rendition.segments.values() {
            settled.settle(&rendition.name, segment.number, stored(segment, segment.len()));
        }
    }
    settled
}

#[test]
fn manifests_do_not_tell_memory_from_storage() {
    let publisher = ended();
    let live = publisher.presentation();
    let settled = settle(live);
    let options = Options::default();
    assert_eq!(hls::multivariant(&settled, &options), hls::multivariant(live, &options));
    assert_eq!(dash::mpd(&settled, &options), dash::mpd(live, &options));
    for (ours, theirs) in settled.renditions.iter().zip(&live.renditions) {
        assert_eq!(hls::media(&settled, ours, &options), hls::media(live, theirs, &options));
        assert!(ours.segments.values().all(|segment| segment.pieces().next().is_none()));
    }
}

#[test]
fn a_loaded_segment_has_the_parts_that_it_had_on_air() {
    let publisher = ended();
    for rendition in &settle(publisher.presentation()).renditions {
        for segment in rendition.segments.values() {
            let live = publisher.rendition(&rendition.name).segments[&segment.number].clone();
            let loaded = segment.loaded(&bytes(&live)).expect("whole fragments");
            assert_eq!(bytes(&loaded), bytes(&live));
            let facts = |segment: &Segment| -> Vec<_> {
                let parts = segment.parts().iter();
                parts.map(|it| (it.index, it.start, it.duration, it.independent, it.header.clone())).collect()
            };
            assert_eq!(facts(&loaded), facts(&live));
        }
    }
}

#[test]
fn bytes_that_are_no_whole_fragments_are_refused() {
    let publisher = ended();
    let live = publisher.segments("video-1").remove(0);
    let segment = settle(publisher.presentation()).renditions[0].segments[&live.number].clone();
    let whole = bytes(&live);
    for end in (1..whole.len()).step_by(97).filter(|&end| {
        let mut at = 0;
        !live.parts().iter().any(|part| {
            at += part.len as usize;
            at == end
        })
    }) {
        assert!(segment.loaded(&whole.slice(..end)).is_err(), "{end}");
    }
}

#[test]
fn what_is_not_of_these_bytes_is_not_let_go_of() {
    let publisher = ended();
    let mut presentation = publisher.presentation().clone();
    let segment = publisher.segments("video-1").remove(0);
    presentation.settle("video-1", segment.number, stored(&segment, segment.len() + 1));
    presentation.settle("video-1", 7, stored(&segment, segment.len()));
    presentation.settle("video-9", segment.number, stored(&segment, segment.len()));
    assert_eq!(&presentation, publisher.presentation());
}
