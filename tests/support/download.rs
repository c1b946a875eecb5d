//! Following a live manifest while it grows, fetching everything once.

use std::path::{Path, PathBuf};

use super::cmaf;
use super::dash::Mpd;
use super::hls::{self, Media};
use super::server::Entry;
use super::wait::within;

/// For a stream that is followed to end.
const PATIENCE_SECONDS: u64 = 60;

/// Everything that a manifest named, in the order in which it did.
#[derive(Default, Debug)]
pub struct Download {
    pub stretches: Vec<Stretch>,
}

/// A rendition through a period: what plays with one initialization segment.
#[derive(Debug)]
pub struct Stretch {
    pub rendition: String,
    /// URI of the initialization segment.
    pub init: String,
    pub header: Vec<u8>,
    pub segments: Vec<Fetched>,
}

/// A segment that was fetched.
#[derive(PartialEq, Debug)]
pub struct Fetched {
    pub number: u64,
    pub uri: String,
    /// As the manifest says, in seconds.
    pub duration: f64,
    pub body: Vec<u8>,
}

/// What a manifest says of a segment.
struct Named<'a> {
    number: u64,
    uri: &'a str,
    init: &'a str,
    duration: f64,
    /// Ticks, where the manifest says them.
    start: Option<i64>,
}

impl Download {
    /// Follows the HLS of an entry from now to its end.
    pub fn hls(entry: &Entry) -> Download {
        let children = hls::children(&entry.wait_for("master.m3u8"));
        let mut latest: Vec<Option<Media>> = vec![None; children.len()];
        let mut download = Download::default();
        within(PATIENCE_SECONDS, "EXT-X-ENDLIST", || {
            for ((rendition, uri), before) in children.iter().zip(&mut latest) {
                let media = Media::parse(&entry.wait_for(uri));
                if let Some(before) = before {
                    assert_follows(before, &media);
                }
                download.take_playlist(entry, rendition, &media);
                *before = Some(media);
            }
            latest.iter().flatten().all(|media| media.ended).then_some(())
        });
        download
    }

    /// Follows the DASH of an entry from now to its end, by whole segments.
    pub fn dash(entry: &Entry) -> Download {
        let mpd = Mpd::parse(&entry.wait_for("manifest.mpd?ll=0"));
        let pinned = mpd.location.expect("a live MPD names its session");
        let mut download = Download::default();
        within(PATIENCE_SECONDS, "an MPD without minimumUpdatePeriod", || {
            let mpd = Mpd::parse(&entry.wait_for(&pinned));
            download.take_mpd(entry, &mpd);
            mpd.over().then_some(())
        });
        download
    }

    /// What the HLS of an entry that will not change lists now.
    pub fn hls_now(entry: &Entry, renditions: &[&str]) -> Download {
        let mut download = Download::default();
        for rendition in renditions {
            let media = Media::parse(&entry.wait_for(&format!("{rendition}.m3u8")));
            download.take_playlist(entry, rendition, &media);
        }
        download
    }

    /// The stretches of one rendition.
    pub fn of(&self, rendition: &str) -> Vec<&Stretch> {
        self.stretches.iter().filter(|stretch| stretch.rendition == rendition).collect()
    }

    fn take_playlist(&mut self, entry: &Entry, rendition: &str, media: &Media) {
        for segment in media.segments.iter().filter(|segment| !segment.gap) {
            let (number, uri, init) = (segment.number, &segment.uri, &segment.map);
            let named = Named { number, uri, init, duration: segment.seconds(), start: None };
            self.take(entry, rendition, &named);
        }
    }

    fn take_mpd(&mut self, entry: &Entry, mpd: &Mpd) {
        for representation in mpd.periods.iter().flat_map(|period| &period.representations) {
            for segment in &representation.segments {
                let seconds = segment.duration as f64 / representation.timescale as f64;
                let (number, uri, init) = (segment.number, &segment.uri, &representation.init);
                let named = Named { number, uri, init, duration: seconds, start: Some(segment.start) };
                self.take(entry, &representation.id, &named);
            }
        }
    }

    fn take(&mut self, entry: &Entry, rendition: &str, named: &Named<'_>) {
        let Named { number, uri, init, duration, start } = *named;
        let last = self.of(rendition).last().and_then(|stretch| stretch.segments.last()).map(|s| s.number);
        if last.is_some_and(|last| number <= last) {
            return;
        }
        let stretch = self.stretch(entry, rendition, init);
        if let Some(last) = stretch.segments.last() {
            assert_eq!(last.number + 1, number, "{rendition} skipped a segment");
        }
        let body = fetch(entry, uri);
        if let Some(start) = start {
            assert_eq!(cmaf::samples(&body)[0].dts, start, "S@t of {uri} is its tfdt");
        }
        stretch.segments.push(Fetched { number, uri: uri.to_owned(), duration, body });
    }

    /// What plays with `init`, which is fetched when it is new.
    fn stretch(&mut self, entry: &Entry, rendition: &str, init: &str) -> &mut Stretch {
        let known = self.stretches.iter().position(|stretch| stretch.init == init);
        let at = known.unwrap_or_else(|| {
            let (rendition, header) = (rendition.to_owned(), fetch(entry, init));
            self.stretches.push(Stretch { rendition, init: init.to_owned(), header, segments: Vec::new() });
            self.stretches.len() - 1
        });
        &mut self.stretches[at]
    }
}

impl Stretch {
    /// Writes it as one file, which is what a player appends.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let file = folder.join(format!("{name}-{}.mp4", self.rendition));
        let segments = self.segments.iter().flat_map(|segment| &segment.body);
        let bytes: Vec<u8> = self.header.iter().chain(segments).copied().collect();
        std::fs::write(&file, bytes).expect("a file in a temporary folder");
        file
    }

    /// What the manifest said it lasts, in seconds.
    pub fn seconds(&self) -> f64 {
        self.segments.iter().map(|segment| segment.duration).sum()
    }
}

fn fetch(entry: &Entry, uri: &str) -> Vec<u8> {
    let answer = entry.get(uri);
    assert_eq!(answer.status, 200, "{uri} is listed");
    answer.body
}

/// What holds between a playlist and a later one of the same rendition (RFC 8216bis §6.2.2).
pub fn assert_follows(before: &Media, after: &Media) {
    assert_eq!(before.target_duration, after.target_duration);
    assert!(after.sequence >= before.sequence, "MEDIA-SEQUENCE went back");
    assert!(
        after.discontinuity_sequence >= before.discontinuity_sequence,
        "DISCONTINUITY-SEQUENCE went back"
    );
    assert!(after.last().number >= before.last().number, "segments went away at the end");
    assert!(!before.ended || after == before, "a playlist changed after ENDLIST");
    let skipped = before.segments.iter().filter(|segment| segment.number < after.sequence);
    let mut gone = skipped.filter(|segment| segment.discontinuity).count() as u64;
    // The first listed segment's own tag is counted only when the tag goes away before it.
    let first = before.segments.iter().find(|segment| segment.number == after.sequence);
    gone += u64::from(first.is_some_and(|first| first.discontinuity && !after.segments[0].discontinuity));
    if before.last().number >= after.sequence {
        assert_eq!(after.discontinuity_sequence, before.discontinuity_sequence + gone);
    }
    for new in &after.segments {
        if let Some(old) = before.segments.iter().find(|old| old.number == new.number) {
            assert_eq!(
                (&old.uri, &old.extinf, &old.map, old.gap),
                (&new.uri, &new.extinf, &new.map, new.gap)
            );
            let stepped = (old.program_date_time - new.program_date_time).abs();
            assert!(stepped <= 1.0, "PROGRAM-DATE-TIME of {} stepped by {stepped} ms", old.number);
        }
    }
}
