//! Enhanced RTMP from a real encoder: what is sent comes back by HLS and DASH, frame by frame, and is called what it is.

use std::path::{Path, PathBuf};

use crate::support::download::Stretch;
use crate::support::probe::hashes;
use crate::support::server::Entry;
use crate::support::source::kept;
use crate::support::{Download, Push, Server};

/// Ends soon, so that what was sent last is there soon.
const SHORT_RECONNECT: &str = "stream.reconnect = \"1s\"\n";

/// A track as it is sent, and what is made of it.
struct Track {
    rendition: &'static str,
    /// How the name begins that manifests have for it: levels are the encoder's.
    codecs: &'static str,
    /// What to encode and how.
    encoded: &'static str,
}

const HEVC: Track = Track {
    rendition: "video-1",
    codecs: "hvc1.1.6.L",
    encoded: "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -c:v libx265 -preset ultrafast -pix_fmt yuv420p \
              -x265-params log-level=none:keyint=50:min-keyint=50:open-gop=0:scenecut=0:bframes=2",
};
const AV1: Track = Track {
    rendition: "video-1",
    codecs: "av01.0.",
    encoded: "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -c:v libaom-av1 -cpu-used 8 -usage realtime \
              -pix_fmt yuv420p -b:v 200k -g 50 -keyint_min 50 -lag-in-frames 0 -threads 2",
};
const VP9: Track = Track {
    rendition: "video-1",
    codecs: "vp09.00.",
    encoded: "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 \
              -pix_fmt yuv420p -b:v 200k -g 50 -keyint_min 50 -threads 2",
};
const OPUS: Track = Track {
    rendition: "audio-1",
    codecs: "opus",
    encoded: "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 -c:a libopus -b:a 32k -ac 2",
};
const AC3: Track = Track {
    rendition: "audio-1",
    codecs: "ac-3",
    encoded: "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 -c:a ac3 -b:a 96k -ac 2",
};
const FLAC: Track = Track {
    rendition: "audio-1",
    codecs: "flac",
    encoded: "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 -c:a flac -ac 2",
};
const AVC: Track = Track {
    rendition: "video-1",
    codecs: "avc1.42c0",
    encoded: "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
              -g 50 -keyint_min 50 -sc_threshold 0",
};
const SMALL_AVC: Track = Track {
    rendition: "video-2",
    codecs: "avc1.42c0",
    encoded: "-f lavfi -i testsrc2=size=160x90:rate=25:duration=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
              -g 50 -keyint_min 50 -sc_threshold 0",
};
const AAC: Track = Track {
    rendition: "audio-1",
    codecs: "mp4a.40.2",
    encoded: "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 -c:a aac -b:a 64k -ac 2",
};
const SECOND_OPUS: Track = Track { rendition: "audio-2", ..OPUS };

impl Track {
    fn file(&self) -> PathBuf {
        let words = format!("-hide_banner -nostdin -loglevel error -y {}", self.encoded);
        kept(&words.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>(), "matroska")
    }

    /// Its kind as ffprobe calls it.
    fn kind(&self) -> &str {
        &self.rendition[..1]
    }
}

fn publish(server: &Server, entry: &str, tracks: &[Track]) -> Push {
    let files: Vec<PathBuf> = tracks.iter().map(Track::file).collect();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    Push::enhanced(&server.publish_url(entry), &files)
}

/// All tracks came back in one period, by both protocols under their right names.
fn assert_back(play: &Entry, tracks: &[Track]) -> Download {
    let download = Download::hls(play);
    let (master, mpd) = (play.wait_for("master.m3u8"), play.wait_for("manifest.mpd"));
    assert_eq!(download.stretches.len(), tracks.len(), "renditions and periods: {master}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for track in tracks {
        let stretches = download.of(track.rendition);
        let &[stretch] = &stretches[..] else { panic!("{} periods of {}", stretches.len(), track.rendition) };
        assert_same(track, stretch, folder.path());
        let named = master.lines().any(|line| line.contains("CODECS=") && line.contains(track.codecs));
        assert!(named, "{} in {master}", track.codecs);
        assert!(mpd.contains(&format!("codecs=\"{}", track.codecs)), "{} in {mpd}", track.codecs);
    }
    download
}

fn assert_same(track: &Track, stretch: &Stretch, folder: &Path) {
    let sent = hashes(&track.file(), track.kind());
    let back = hashes(&stretch.write(folder, track.rendition), track.kind());
    assert_eq!(back.len(), sent.len(), "frames of {} in {}", track.codecs, track.rendition);
    assert!(back == sent, "{}: the same frames", track.codecs);
}

#[test]
fn every_codec_comes_back_as_it_was_sent() {
    let cases = [("a", [HEVC, OPUS]), ("b", [AV1, AC3]), ("c", [VP9, FLAC])];
    let server = Server::start(SHORT_RECONNECT, &["a", "b", "c"]);
    for (entry, tracks) in &cases {
        publish(&server, entry, tracks).done();
        assert_back(&server.play(entry), tracks);
    }
}

/// As OBS sends several qualities, and a second sound for the recording, on one connection.
#[test]
fn tracks_of_one_connection_are_one_switching_set() {
    let tracks = [AVC, SMALL_AVC, AAC, SECOND_OPUS];
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    publish(&server, "e", &tracks).done();
    let download = assert_back(&server.play("e"), &tracks);
    let segments = |rendition: &str| {
        let all = download.of(rendition).into_iter().flat_map(|stretch| &stretch.segments);
        all.map(|segment| (segment.number, segment.duration.to_bits())).collect::<Vec<_>>()
    };
    assert!(segments("video-1").len() >= 3);
    assert_eq!(segments("video-1"), segments("video-2"), "numbers and durations");
}
