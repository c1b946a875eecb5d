//! The newer of two FFmpegs, which scripts/setup installs: it speaks Enhanced RTMP.

use std::path::{Path, PathBuf};

/// Its program.
pub fn newer() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    std::env::var_os("HEADWATER_FFMPEG")
        .map_or_else(|| cache.join("headwater/ffmpeg/bin/ffmpeg"), PathBuf::from)
}

/// Options that publish these files, each of one track, as one name by Enhanced RTMP: without encoding, as fast as they
/// are taken unless `before` says otherwise, which are options of each input.
pub fn publish(files: &[&Path], before: &[&str], url: &str) -> Vec<String> {
    let mut words: Vec<String> =
        ["-hide_banner", "-nostdin", "-loglevel", "verbose"].map(str::to_owned).to_vec();
    for file in files {
        words.extend(before.iter().map(|&word| word.to_owned()));
        words.extend(["-i".to_owned(), file.to_str().expect("a path in UTF-8").to_owned()]);
    }
    for at in 0..files.len() {
        words.extend(["-map".to_owned(), at.to_string()]);
    }
    let codecs = "hvc1,av01,vp09,ac-3,ec-3,Opus,fLaC,mp4a";
    let output = ["-c", "copy", "-rtmp_enhanced_codecs", codecs, "-f", "flv", url];
    words.extend(output.map(str::to_owned));
    words
}
