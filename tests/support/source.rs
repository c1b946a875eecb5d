//! Source files, encoded once and kept between runs.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use super::push::run;

/// What to encode: a test picture with H.264, a tone with AAC.
#[derive(Clone, Copy, Hash, PartialEq, Eq)]
pub struct Source {
    /// Length in seconds.
    pub seconds: u32,
    /// Frames a second, as ffmpeg spells it.
    pub rate: &'static str,
    /// Frames from keyframe to keyframe.
    pub gop: u32,
    /// B-frames in a row.
    pub b_frames: u32,
    /// Further x264 parameters.
    pub x264: &'static str,
    /// Whether there is a picture.
    pub video: bool,
    /// Whether there is a tone.
    pub audio: bool,
    /// Start of the audio in seconds.
    pub audio_delay: u32,
    /// Samples a second of the audio.
    pub audio_rate: u32,
}

/// 25 frames a second, two seconds from keyframe to keyframe, B-frames, audio of 48 kHz.
pub const USUAL: Source = Source {
    seconds: 12,
    rate: "25",
    gop: 50,
    b_frames: 2,
    x264: "b-pyramid=none",
    video: true,
    audio: true,
    audio_delay: 0,
    audio_rate: 48_000,
};

/// A file that is being made or is there.
type Slot = Arc<OnceLock<PathBuf>>;

static MADE: LazyLock<Mutex<HashMap<Source, Slot>>> = LazyLock::new(Mutex::default);

impl Source {
    /// The file.
    pub fn file(self) -> PathBuf {
        let slot = MADE.lock().expect("nobody panics with it").entry(self).or_default().clone();
        slot.get_or_init(|| self.make()).clone()
    }

    fn make(self) -> PathBuf {
        kept(&self.arguments(), self.container())
    }

    /// MP4 keeps times exactly. Its demuxer reads the first audio frame first however late it is, FLV's does not.
    fn container(self) -> &'static str {
        if self.audio_delay == 0 { "mp4" } else { "flv" }
    }

    fn arguments(self) -> Vec<String> {
        let seconds = self.seconds;
        let mut words = "-hide_banner -nostdin -loglevel error -y".to_owned();
        if self.video {
            words += &format!(" -f lavfi -i testsrc2=size=320x180:rate={}:duration={seconds}", self.rate);
        }
        if self.audio {
            let (rate, length) = (self.audio_rate, seconds - self.audio_delay);
            words += &format!(" -itsoffset {} -f lavfi", self.audio_delay);
            words += &format!(" -i sine=frequency=440:sample_rate={rate}:duration={length}");
        }
        if self.video {
            words += &format!(" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf {}", self.b_frames);
            words += &format!(" -g {0} -keyint_min {0} -sc_threshold 0 -threads 1", self.gop);
            if !self.x264.is_empty() {
                words += &format!(" -x264-params {}", self.x264);
            }
        }
        if self.audio {
            words += " -c:a aac -b:a 64k -ac 2";
        }
        words.split(' ').map(str::to_owned).collect()
    }
}

/// Tests beside each other may want the same one.
static MAKING: Mutex<()> = Mutex::new(());

/// What ffmpeg makes of these arguments, kept between runs. It is written beside and renamed, so that a run that was cut
/// off leaves nothing half.
pub fn kept(arguments: &[String], container: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources");
    std::fs::create_dir_all(&folder).expect("a folder for sources");
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    let file = folder.join(format!("{:016x}.{container}", hasher.finish()));
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !file.exists() {
        let part = folder.join(format!("{:016x}.{}.part", hasher.finish(), std::process::id()));
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(["-f", container, part.to_str().expect("a path in UTF-8")]);
        run("ffmpeg", &arguments);
        std::fs::rename(&part, &file).expect("the file is ours");
    }
    file
}
