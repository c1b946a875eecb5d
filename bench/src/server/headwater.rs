//! Headwater, on its defaults but for listeners, streams, and a window where one is asked for.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use tempfile::TempDir;

use super::Server;
use crate::fleet::Target;
use crate::usage::Family;

/// A running server; killed when dropped.
pub struct Headwater {
    name: String,
    child: Child,
    family: Family,
    folder: TempDir,
    http: String,
    rtmp: String,
}

impl Headwater {
    /// Starts `binary` with `streams` entries. `window` is `packager.window`, its default if there is none.
    pub fn start(binary: &Path, streams: usize, window: Option<&str>) -> anyhow::Result<Headwater> {
        let folder = tempfile::tempdir_in("/dev/shm")?;
        fs::write(folder.path().join("headwater.toml"), configuration(streams, window))?;
        let mut command =
            Command::new(fs::canonicalize(binary).with_context(|| format!("no {}", binary.display()))?);
        command.current_dir(folder.path()).args(["serve", "--config", "headwater.toml", "--data", "data"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(folder.path().join("log"))?);
        let mut child = command.spawn().context("cannot run headwater")?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut ready)?;
        let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let address =
            |name| address(&ready, name).with_context(|| format!("headwater did not start:\n{}", log()));
        let (http, rtmp) = (address("http=")?, address("rtmp=")?);
        let name = format!("headwater, window {}", window.unwrap_or("30s"));
        Ok(Headwater { name, family: Family::of(child.id())?, child, folder, http, rtmp })
    }

    /// HOST:PORT of its HTTP listener.
    pub fn http(&self) -> &str {
        &self.http
    }

    /// What it said on stderr.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("log"))?)
    }
}

impl Server for Headwater {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> Target {
        Target { address: self.rtmp.clone(), app: "live".to_owned() }
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

fn configuration(streams: usize, window: Option<&str>) -> String {
    let mut text = "http.listen = \"127.0.0.1:0\"\nrtmp.listen = \"127.0.0.1:0\"\n".to_owned();
    if let Some(window) = window {
        text.push_str(&format!("packager.window = \"{window}\"\n"));
    }
    for index in 0..streams {
        let _ = write!(text, "\n[[streams]]\nentry = \"s{index}\"\nkey = \"s{index}\"\n");
    }
    text
}

fn address(ready: &str, name: &str) -> Option<String> {
    ready.split_whitespace().find_map(|word| word.strip_prefix(name)).map(str::to_owned)
}
