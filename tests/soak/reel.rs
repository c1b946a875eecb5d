//! What is published: three renditions and a sound, encoded once, no frame like another.

use std::path::{Path, PathBuf};

use crate::frames::{Hashes, Index, pictures, sounds};
use crate::support::source::kept;
use crate::support::{Push, Server};

/// Frames a second.
pub const RATE: usize = 25;
/// What an encoder calls its renditions, in the order of the tracks, and how large each is.
const QUALITIES: [(&str, &str); 3] = [("1080p", "320x180"), ("720p", "256x144"), ("360p", "192x108")];
/// Frames of sound a second: 48 kHz in frames of 1024 samples (ISO/IEC 14496-3).
const SOUNDS: f64 = 48_000.0 / 1024.0;

/// The renditions that a viewer is offered.
pub const RENDITIONS: [&str; 4] = ["video-1080p", "video-720p", "video-360p", "audio-1"];

/// A file for each rendition, with the sound in each, and where each of their frames is.
pub struct Reel {
    files: Vec<PathBuf>,
    /// Pictures of each video.
    pub frames: usize,
    indices: Vec<Index>,
    /// How many frames each rendition has.
    lengths: Vec<usize>,
}

impl Reel {
    /// One of so many seconds, with a keyframe each second.
    pub fn of(seconds: usize) -> Reel {
        let all = kept(&arguments(seconds), "mp4");
        // Seeking finds the keyframes of a file's first video only.
        let files: Vec<PathBuf> =
            (0..QUALITIES.len()).map(|track| kept(&alone(&all, track), "mp4")).collect();
        let videos = files.iter().map(|file| pictures(file));
        let tracks: Vec<Hashes> = videos.chain([sounds(&all)]).collect();
        let lengths: Vec<usize> = tracks.iter().map(Vec::len).collect();
        assert_eq!(lengths[..3], [seconds * RATE; 3]);
        Reel { files, frames: seconds * RATE, indices: tracks.iter().map(Index::of).collect(), lengths }
    }

    /// Publishes from a keyframe on, in real time, to the end: one encoder with three outputs.
    pub fn publish(&self, server: &Server, key: &str, frame: usize) -> Push {
        assert_eq!(frame % RATE, 0, "keyframes are a second apart");
        let input = |file: &PathBuf| format!("-re -ss {} -i {}", frame / RATE, file.display());
        let inputs: Vec<String> = self.files.iter().map(input).collect();
        let output = |(at, (quality, _)): (usize, (&str, &str))| {
            let url = server.rtmp_url(&format!("live/{key}_{quality}"));
            format!("-map {at} -c copy -f flv {url}")
        };
        let outputs: Vec<String> = QUALITIES.into_iter().enumerate().map(output).collect();
        let words = format!("{} {}", inputs.join(" "), outputs.join(" "));
        Push::pasted(&format!("ffmpeg -hide_banner -nostdin -loglevel error {words}"))
    }

    /// How many frames there are of each of [`RENDITIONS`].
    pub fn length(&self, rendition: &str) -> usize {
        self.lengths[at(rendition)]
    }

    /// Which frame of the source each frame of a rendition is.
    pub fn index(&self, rendition: &str) -> &Index {
        &self.indices[at(rendition)]
    }

    /// With which frame a rendition begins where its encoder began with a keyframe. Sound may begin a little before.
    pub fn begin(rendition: &str, frame: usize) -> usize {
        match is_sound(rendition) {
            true => ((frame as f64 / RATE as f64 * SOUNDS) as usize).saturating_sub(5),
            false => frame,
        }
    }

    /// How long so many frames of a rendition last, in seconds.
    pub fn seconds(rendition: &str, frames: usize) -> f64 {
        frames as f64 / if is_sound(rendition) { SOUNDS } else { RATE as f64 }
    }
}

/// Whether a rendition is heard.
pub fn is_sound(rendition: &str) -> bool {
    rendition.starts_with("audio")
}

fn at(rendition: &str) -> usize {
    RENDITIONS.iter().position(|name| *name == rendition).expect("one of them")
}

/// One rendition and the sound.
fn alone(all: &Path, track: usize) -> Vec<String> {
    let words = "-hide_banner -nostdin -loglevel error -y -i FILE -map 0:v:TRACK -map 0:a -c copy";
    let file = all.to_str().expect("a path in UTF-8");
    let word = |word: &str| word.replace("FILE", file).replace("TRACK", &track.to_string());
    words.split(' ').map(word).collect()
}

/// The test picture has a counter in it, and no stretch of noise is like another.
fn arguments(seconds: usize) -> Vec<String> {
    let [(_, size), (_, second), (_, third)] = QUALITIES;
    let picture = format!("testsrc2=size={size}:rate={RATE}:duration={seconds}");
    let noise = format!("anoisesrc=duration={seconds}:sample_rate=48000:amplitude=0.2:seed=7");
    let graph = format!("[0:v]split=3[a][b][c];[b]scale={second}[d];[c]scale={third}[e]");
    let words = format!(
        "-hide_banner -nostdin -loglevel error -y -f lavfi -i {picture} -f lavfi -i {noise} -filter_complex {graph} \
         -map [a] -map [d] -map [e] -map 1:a -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g {RATE} \
         -keyint_min {RATE} -sc_threshold 0 -threads 1 -x264-params b-pyramid=none -c:a aac -b:a 64k -ac 2"
    );
    words.split_whitespace().map(str::to_owned).collect()
}
