//! The stream that every run sends: 2.6 Mbit/s of H.264 and AAC, made once by ffmpeg.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::flv::{self, Kind, Tag};
use crate::script::Script;

/// Seconds of one round. Both 30 pictures a second and 1024 samples of 48 kHz fit a whole number of times.
const ROUND: u32 = 16;
/// Pictures of one round.
const PICTURES: usize = 30 * ROUND as usize;
/// Audio frames of one round.
const FRAMES: usize = 48_000 * ROUND as usize / 1024;
/// Pictures from one keyframe to the next.
const GOP: usize = 60;
/// Kilobits a second of the video; the audio has 128.
const VIDEO_KBIT: &str = "2472k";
/// Named after what is in it, so that another recipe makes another file.
const NAME: &str = "bench-720p30-2600k-gop2s-v1.flv";

/// The script of the input; makes the file on first use.
pub fn script() -> anyhow::Result<Script> {
    let tags = flv::read(&file()?)?;
    Script::new(&opening(&tags), &round(&tags)?, ROUND * 1000)
}

/// The file of the input; makes it on first use.
pub fn file() -> anyhow::Result<PathBuf> {
    let path = cache().join(NAME);
    if !path.exists() {
        make(&path)?;
    }
    Ok(path)
}

fn cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    folder.unwrap_or_else(std::env::temp_dir).join("headwater")
}

/// Noise keeps the encoder at its rate; a test picture alone would fall far below.
fn make(path: &Path) -> anyhow::Result<()> {
    eprintln!("bench: making {} once", path.display());
    let folder = path.parent().context("a file in a folder")?;
    std::fs::create_dir_all(folder)?;
    let partial = path.with_extension("partial");
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"]);
    command.args([
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=48000,aformat=channel_layouts=stereo",
    ]);
    command.args(["-t", &(ROUND + 1).to_string(), "-vf", "noise=alls=12:allf=t", "-pix_fmt", "yuv420p"]);
    command.args(["-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-keyint_min", "60"]);
    command.args(["-sc_threshold", "0", "-b:v", VIDEO_KBIT, "-maxrate", VIDEO_KBIT, "-bufsize", VIDEO_KBIT]);
    command.args(["-c:a", "aac", "-b:a", "128k", "-f", "flv"]).arg(&partial).stdin(Stdio::null());
    let status = command.status().context("cannot run ffmpeg")?;
    ensure!(status.success(), "ffmpeg cannot make the input");
    Ok(std::fs::rename(partial, path)?)
}

fn opening(tags: &[Tag]) -> Vec<Tag> {
    let first = |kind| tags.iter().find(|tag| tag.kind == kind && tag.is_configuration());
    [Kind::Video, Kind::Audio].into_iter().filter_map(first).cloned().collect()
}

fn round(tags: &[Tag]) -> anyhow::Result<Vec<Tag>> {
    let of = |kind| tags.iter().filter(move |tag| tag.kind == kind && !tag.is_configuration());
    let video: Vec<_> = of(Kind::Video).take(PICTURES).collect();
    let audio: Vec<_> = of(Kind::Audio).take(FRAMES).collect();
    ensure!(video.len() == PICTURES && audio.len() == FRAMES, "the input is too short for a round");
    let keyframes = video.iter().enumerate().filter(|(_, tag)| tag.is_keyframe()).map(|(at, _)| at);
    ensure!(keyframes.eq((0..PICTURES).step_by(GOP)), "the input has no keyframe every {GOP} pictures");
    Ok(video.into_iter().chain(audio).cloned().collect())
}
