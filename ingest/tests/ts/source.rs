//! Transport streams that the system's ffmpeg makes, kept between runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Tests beside each other may want the same one.
static MAKING: Mutex<()> = Mutex::new(());

/// Two seconds of a picture with a keyframe each second, and a tone for each of `sounds`; encoded as `words` say.
pub fn file(sounds: usize, words: &str) -> PathBuf {
    let mut inputs = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2".to_owned();
    for at in 0..sounds {
        inputs += &format!(" -f lavfi -i sine=frequency={}:sample_rate=48000:duration=2", 440 + at * 110);
    }
    let maps: String = (0..=sounds).map(|at| format!(" -map {at}")).collect();
    let video = "-pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0 -threads 1 -c:v libx264 -preset ultrafast -bf 2";
    kept(&format!("{inputs}{maps} {video} -c:a aac -ac 2 {words}"))
}

/// The bytes of it.
pub fn stream(sounds: usize, words: &str) -> Vec<u8> {
    std::fs::read(file(sounds, words)).expect("the file is ours")
}

/// Written beside and renamed, so that a run that was cut off leaves nothing half.
fn kept(words: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ts");
    std::fs::create_dir_all(&folder).expect("a folder for sources");
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    let file = folder.join(format!("{:016x}.ts", hasher.finish()));
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !file.exists() {
        let part = folder.join(format!("{:016x}.{}.part", hasher.finish(), std::process::id()));
        let mut arguments: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        arguments.extend(["-f", "mpegts", part.to_str().expect("a path in UTF-8")]);
        run("ffmpeg", &arguments);
        std::fs::rename(&part, &file).expect("the file is ours");
    }
    file
}

/// What ffmpeg finds in a stream of a file: its packets one after another, without what they are framed in.
pub fn packets(file: &Path, stream: &str, filter: &str) -> Vec<u8> {
    let file = file.to_str().expect("a path in UTF-8");
    let mut arguments = vec!["-i", file, "-map", stream, "-c", "copy"];
    if !filter.is_empty() {
        arguments.extend(["-bsf", filter]);
    }
    arguments.extend(["-f", "data", "-"]);
    run("ffmpeg", &arguments)
}

/// Presentation and decode times of the packets of a stream, as ffprobe reads them, in ticks of 90 kHz.
pub fn times(file: &Path, stream: &str) -> Vec<(i64, i64)> {
    let file = file.to_str().expect("a path in UTF-8");
    let arguments = ["-select_streams", stream, "-show_entries", "packet=pts,dts", "-of", "csv=p=0", file];
    let text = String::from_utf8(run("ffprobe", &arguments)).expect("text");
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).expect("a number");
    let pair = |line: &str| {
        let mut words = line.split(',');
        (number(words.next()), number(words.next()))
    };
    text.lines().filter(|line| !line.is_empty()).map(pair).collect()
}

fn run(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(tool);
    command.args(["-hide_banner", "-loglevel", "error"]).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.status.success(), "{tool} {arguments:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
