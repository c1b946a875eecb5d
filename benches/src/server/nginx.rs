//! nginx of the distribution with its rtmp module, from a configuration of our own.
//!
//! One worker: the module shares no streams between workers, and one worker spends least. Media are in files on tmpfs,
//! in nested folders as its manual advises for many streams.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::Server;
use crate::fleet::Target;
use crate::usage::Family;

/// Where Debian's package puts it.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// What its rtmp module makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Package {
    /// HLS (MPEG-TS) and DASH (MP4): two muxers.
    HlsAndDash,
    /// HLS alone.
    Hls,
    /// Nothing: it only takes the streams.
    Nothing,
}

/// A running server; stopped when dropped.
pub struct Nginx {
    name: String,
    child: Child,
    family: Family,
    folder: TempDir,
    rtmp: u16,
    http: u16,
}

impl Nginx {
    /// Starts it with segments of two seconds and playlists of `window`.
    pub fn start(package: Package, window: &str) -> anyhow::Result<Nginx> {
        let folder = tempfile::tempdir_in("/dev/shm")?;
        let (rtmp, http) = (free_port()?, free_port()?);
        let root = folder.path();
        for name in ["logs", "www", "www/hls", "www/dash", "tmp"] {
            fs::create_dir(root.join(name))?;
        }
        fs::write(root.join("nginx.conf"), configuration(root, package, window, rtmp, http))?;
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(root)
            .arg("-c")
            .arg(root.join("nginx.conf"))
            .arg("-e")
            .arg(root.join("logs/error.log"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.context("cannot run nginx: install libnginx-mod-rtmp")?;
        let name = match package {
            Package::HlsAndDash => format!("nginx-rtmp HLS+DASH, window {window}"),
            Package::Hls => format!("nginx-rtmp HLS, window {window}"),
            Package::Nothing => "nginx-rtmp without packaging".to_owned(),
        };
        let mut nginx = Nginx { name, family: Family::of(child.id())?, child, folder, rtmp, http };
        nginx.wait(package)?;
        Ok(nginx)
    }

    /// The root of what it serves over HTTP.
    pub fn www(&self) -> PathBuf {
        self.folder.path().join("www")
    }

    /// Until it listens and all its processes are there: it listens before it begins them.
    fn wait(&mut self, package: Package) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(10);
        while !self.is_up(package)? {
            if Instant::now() > patience || self.child.try_wait()?.is_some() {
                let log = fs::read_to_string(self.folder.path().join("logs/error.log")).unwrap_or_default();
                bail!("nginx does not start:\n{log}");
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_up(&mut self, package: Package) -> anyhow::Result<bool> {
        // The master and a worker; where there are files, one that deletes them.
        let processes = if package == Package::Nothing { 2 } else { 3 };
        self.family = Family::of(self.child.id())?;
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        Ok(self.family.len() == processes && listens(self.rtmp) && listens(self.http))
    }
}

impl Server for Nginx {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> Target {
        Target { address: format!("127.0.0.1:{}", self.rtmp), app: "live".to_owned() }
    }

    fn http(&self) -> String {
        format!("127.0.0.1:{}", self.http)
    }

    fn playlist(&self, stream: usize) -> String {
        format!("/hls/s{stream}/index.m3u8")
    }

    fn family(&self) -> &Family {
        &self.family
    }

    fn files(&self) -> u64 {
        size(&self.www())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn configuration(root: &Path, package: Package, window: &str, rtmp: u16, http: u16) -> String {
    let www = root.join("www");
    let (www, root) = (www.display(), root.display());
    let hls =
        format!("hls on; hls_path {www}/hls; hls_nested on; hls_fragment 2s; hls_playlist_length {window};");
    let dash = format!(
        "dash on; dash_path {www}/dash; dash_nested on; dash_fragment 2s; dash_playlist_length {window};"
    );
    let package = match package {
        Package::HlsAndDash => format!("{hls} {dash}"),
        Package::Hls => hls,
        Package::Nothing => String::new(),
    };
    format!(
        "daemon off;
worker_processes 1;
pid {root}/nginx.pid;
load_module {MODULE};
events {{ worker_connections 4096; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{rtmp};
        chunk_size 4096;
        application live {{ live on; {package} }}
    }}
}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_body_temp_path {root}/tmp/body;
    proxy_temp_path {root}/tmp/proxy;
    fastcgi_temp_path {root}/tmp/fastcgi;
    uwsgi_temp_path {root}/tmp/uwsgi;
    scgi_temp_path {root}/tmp/scgi;
    types {{
        application/vnd.apple.mpegurl m3u8;
        application/dash+xml mpd;
        video/mp4 m4s mp4;
        video/mp2t ts;
    }}
    gzip on;
    gzip_types application/vnd.apple.mpegurl application/dash+xml;
    server {{ listen 127.0.0.1:{http}; root {www}; }}
}}
"
    )
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
