//! Whether what came back is what was sent.
//!
//! Tolerances are those of RTMP, whose timestamps are whole milliseconds: a decode time and a composition offset
//! are each rounded once by the encoder, so that any two presentation times of a track are as far apart as in the
//! source to 1 ms, and so are those of two tracks.

use std::path::Path;

use crate::support::Download;
use crate::support::cmaf::{self, Sample};
use crate::support::download::Stretch;
use crate::support::probe::{Packets, packets};

/// One millisecond, and the tick that a rescaled value is rounded to.
const ROUNDING_MILLIS: f64 = 1.0 + 1.0 / 44.1;

/// The tracks of one source, sent and received.
struct Track {
    sent: Packets,
    received: Packets,
}

/// Every frame of `source` came back in one period, with its bytes, at its time.
pub fn assert_whole(source: &Path, download: &Download, renditions: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tracks: Vec<Track> = renditions
        .iter()
        .map(|rendition| {
            let stretches = download.of(rendition);
            assert_eq!(stretches.len(), 1, "{rendition} has one period");
            let received = read(stretches[0], folder.path());
            Track { sent: packets(source, kind(rendition)), received }
        })
        .collect();
    for (track, rendition) in tracks.iter().zip(renditions) {
        assert_same_payload(&track.sent, &track.received, rendition);
        assert_same_times(track, rendition);
    }
    assert_together(&tracks);
}

/// `v` of `video-1`, as ffprobe calls it.
pub fn kind(rendition: &str) -> &str {
    &rendition[..1]
}

/// The packets of a stretch, which follow one another without gap or overlap and last as long as was said.
///
/// Presentation times are taken from the boxes: FFmpeg (5.1 and 9.0) shows those of fragments with negative
/// composition offsets later, by the most negative one.
pub fn read(stretch: &Stretch, folder: &Path) -> Packets {
    let rendition = &stretch.rendition;
    let mut read = packets(&stretch.write(folder, "stretch"), kind(rendition));
    let segments: Vec<Vec<Sample>> = stretch.segments.iter().map(|s| cmaf::samples(&s.body)).collect();
    for (at, segment) in segments.iter().enumerate() {
        assert_begins_at_its_tfdt(segment, &read, &format!("{rendition}, segment {at}"));
    }
    let samples = segments.concat();
    for pair in samples.windows(2) {
        assert!(pair[0].duration > 0, "{rendition}: decode time stands still at {:?}", pair[0]);
        assert_eq!(pair[0].dts + pair[0].duration, pair[1].dts, "{rendition}: no gap and no overlap");
    }
    if kind(rendition) == "a" {
        assert!(samples.iter().all(|sample| sample.duration == 1024), "AAC frames are exact");
    }
    assert_eq!(samples.len(), read.packets.len(), "{rendition}: a demuxer sees every sample");
    for (packet, sample) in read.packets.iter_mut().zip(&samples) {
        assert_eq!(packet.dts, sample.dts, "{rendition}: a demuxer sees the times that stand in the boxes");
        packet.pts = sample.pts;
    }
    let length: i64 = samples.iter().map(|sample| sample.duration).sum();
    let (length, said) = (read.millis(length), stretch.seconds() * 1000.0);
    assert!((length - said).abs() < 0.1, "{rendition}: {length} ms of media, {said} ms in the manifest");
    read
}

/// Nothing presents before the segment's `tfdt`, and something does right there.
fn assert_begins_at_its_tfdt(segment: &[Sample], track: &Packets, name: &str) {
    let shown = segment.iter().map(|sample| sample.pts).min().expect("a segment has samples");
    let late = track.millis(shown - segment[0].dts);
    assert!((0.0..=ROUNDING_MILLIS).contains(&late), "{name}: presents {late} ms after its tfdt");
}

fn assert_same_payload(sent: &Packets, received: &Packets, rendition: &str) {
    let (sent, received) = (&sent.packets, &received.packets);
    let differs = sent.iter().zip(received).position(|(sent, received)| sent.hash != received.hash);
    assert_eq!(differs, None, "{rendition}: first frame that is another ({} sent)", sent.len());
    assert_eq!(received.len(), sent.len(), "{rendition}: frames received and sent");
}

/// Presentation times are those of the source plus one constant.
fn assert_same_times(track: &Track, rendition: &str) {
    let (least, most) = range(track);
    let moved = track.moved();
    let jump = moved.windows(2).position(|pair| (pair[0] - pair[1]).abs() > ROUNDING_MILLIS);
    let around = jump.map(|at| &moved[at..moved.len().min(at + 4)]);
    assert!(
        most - least <= ROUNDING_MILLIS,
        "{rendition}: offset to the source from {least} to {most} ms, at frame {jump:?}: {around:?}"
    );
}

/// The constants of all tracks are one.
fn assert_together(tracks: &[Track]) {
    let middle = |track: &Track| {
        let (least, most) = range(track);
        (least + most) / 2.0
    };
    for pair in tracks.windows(2) {
        let apart = middle(&pair[0]) - middle(&pair[1]);
        assert!(apart.abs() <= ROUNDING_MILLIS, "tracks moved against each other by {apart} ms");
    }
}

/// The least and the most that presentation times moved, in milliseconds.
fn range(track: &Track) -> (f64, f64) {
    let moved = track.moved().into_iter();
    moved.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), by| (least.min(by), most.max(by)))
}

impl Track {
    /// By how much each presentation time moved, in milliseconds.
    fn moved(&self) -> Vec<f64> {
        let pairs = self.sent.packets.iter().zip(&self.received.packets);
        pairs.map(|(sent, got)| self.received.millis(got.pts) - self.sent.millis(sent.pts)).collect()
    }
}
