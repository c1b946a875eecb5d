//! Headwater, on its defaults but for listeners, streams, what is recorded, and a window where one is asked for.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::Server;
use crate::fleet::{Target, one_thread};
use crate::http::get;
use crate::usage::Family;

/// What is compared with servers that record nothing.
pub const NOT_RECORDED: &str = "recorder.mode = \"off\"\n";

/// A running server; killed when dropped.
pub struct Headwater {
    name: String,
    child: Child,
    family: Family,
    folder: TempDir,
    http: String,
    rtmp: String,
    srt: String,
}

impl Headwater {
    /// Starts `binary` with `streams` entries. `window` is `packager.window`, its default if there is none. Nothing is
    /// recorded.
    pub fn start(binary: &Path, streams: usize, window: Option<&str>) -> anyhow::Result<Headwater> {
        let mut settings = NOT_RECORDED.to_owned();
        settings.extend(window.map(|window| format!("packager.window = \"{window}\"\n")));
        let name = format!("Headwater, window {}", window.unwrap_or("30s"));
        Headwater::set_up(binary, streams, name, &settings, Path::new("/dev/shm"))
    }

    /// The same with any settings, and its files below `parent`.
    pub fn set_up(
        binary: &Path,
        streams: usize,
        name: String,
        settings: &str,
        parent: &Path,
    ) -> anyhow::Result<Headwater> {
        let folder = tempfile::tempdir_in(parent)?;
        fs::write(folder.path().join("headwater.toml"), configuration(streams, settings))?;
        Headwater::run(binary, folder, name)
    }

    /// Starts it with entries whose streams end with their publisher, so that what was live is a recording.
    pub fn recording(binary: &Path, streams: usize) -> anyhow::Result<Headwater> {
        let settings = "stream.reconnect = \"0s\"\n";
        Headwater::set_up(binary, streams, "Headwater".to_owned(), settings, Path::new("/dev/shm"))
    }

    /// Ends it in order and starts it again on what it left in its files, so that nothing is in its memory.
    pub fn again(mut self, binary: &Path) -> anyhow::Result<Headwater> {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM)?;
        self.child.wait()?;
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir_in("/dev/shm")?);
        Headwater::run(binary, folder, self.name.clone())
    }

    fn run(binary: &Path, folder: TempDir, name: String) -> anyhow::Result<Headwater> {
        let mut command =
            Command::new(fs::canonicalize(binary).with_context(|| format!("no {}", binary.display()))?);
        command.current_dir(folder.path()).args(["serve", "--config", "headwater.toml", "--data", "data"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(folder.path().join("log"))?);
        let mut child = command.spawn().context("cannot run headwater")?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut ready)?;
        let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let address = |name| {
            let found = field(&ready, name).map(str::to_owned);
            found.with_context(|| format!("headwater did not start:\n{}", log()))
        };
        let (http, rtmp, srt) = (address("http=")?, address("rtmp=")?, address("srt=")?);
        Ok(Headwater { name, family: Family::of(child.id())?, child, folder, http, rtmp, srt })
    }

    /// HOST:PORT of its SRT listener.
    pub fn srt(&self) -> &str {
        &self.srt
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The number of the first segment of a stream: sessions are named by their first period, and both numbers begin
    /// together on a fresh data directory.
    pub fn first_segment(&self, stream: usize) -> anyhow::Result<u64> {
        let body = one_thread()?.block_on(get(&self.http, &format!("/play/s{stream}/master.m3u8")))?;
        let text = String::from_utf8(body)?;
        let session = text.lines().find_map(|line| line.strip_prefix("video-1.m3u8?s="));
        session.and_then(|session| session.parse().ok()).context("no session in the multivariant playlist")
    }

    /// Pictures and audio frames of all publications that have ended, by its log.
    pub fn received(&self) -> anyhow::Result<(u64, u64)> {
        let log = fs::read_to_string(self.folder.path().join("log"))?;
        let ended: Vec<_> = log.lines().filter(|line| line.contains("RTMP publishing ended")).collect();
        let sum = |name| ended.iter().filter_map(|line| field(line, name)?.parse::<u64>().ok()).sum();
        Ok((sum("video="), sum("audio=")))
    }
}

impl Server for Headwater {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> Target {
        Target { address: self.rtmp.clone(), app: "live".to_owned() }
    }

    fn http(&self) -> String {
        self.http.clone()
    }

    fn playlist(&self, stream: usize) -> String {
        format!("/play/s{stream}/video-1.m3u8")
    }

    fn family(&self) -> &Family {
        &self.family
    }

    fn files(&self) -> u64 {
        0
    }
}

impl Drop for Headwater {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The release binary beside this one, or the one named by `HEADWATER`.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("HEADWATER") {
        return Ok(path.into());
    }
    Ok(std::env::current_exe()?.with_file_name("headwater"))
}

fn configuration(streams: usize, settings: &str) -> String {
    let mut text =
        "http.listen = \"127.0.0.1:0\"\nrtmp.listen = \"127.0.0.1:0\"\nsrt.listen = \"127.0.0.1:0\"\n"
            .to_owned();
    text.push_str(settings);
    for index in 0..streams {
        let _ = write!(text, "\n[[streams]]\nentry = \"s{index}\"\nkey = \"s{index}\"\n");
    }
    text
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_whitespace().find_map(|word| word.strip_prefix(name))
}
