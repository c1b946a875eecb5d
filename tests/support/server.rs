//! The real binary with a data directory of its own.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::http::{Answer, get};
use super::wait::within;

/// The server's program.
pub const BINARY: &str = env!("CARGO_BIN_EXE_headwater");

/// For the ready line to appear.
const READY: Duration = Duration::from_secs(10);

/// A configuration and a data directory, with or without a server running on them.
pub struct Site {
    folder: TempDir,
    /// Whether the settings leave `storage.keep_free` open.
    any_disk: bool,
    /// Whether it takes SRT: only where the settings speak of it.
    srt: bool,
    /// Whether the folder is left to be looked at after a failure.
    left: bool,
}

impl Site {
    /// `settings` is TOML beside the listeners and the streams; each of `entries` has the key `key-ENTRY`.
    ///
    /// What `settings` does not say of `storage.keep_free` is nothing at all: how full the disk of this machine is
    /// decides no test.
    pub fn new(settings: &str, entries: &[&str]) -> Site {
        let mut config = "http.listen = \"127.0.0.1:0\"\nrtmp.listen = \"127.0.0.1:0\"\n".to_owned();
        config.push_str(settings);
        for entry in entries {
            write!(config, "\n[[streams]]\nentry = \"{entry}\"\nkey = \"key-{entry}\"\n").expect("a String");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("headwater.toml"), config).expect("a file in it");
        Site { folder, any_disk: !settings.contains("keep_free"), srt: settings.contains("srt"), left: false }
    }

    /// The same, which a test that fails leaves behind, and says where.
    pub fn left_after_failure(mut self) -> Site {
        self.left = true;
        self
    }

    /// Where its configuration is, and its data directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A server on it, listening.
    pub fn start(self) -> Server {
        self.start_by(Command::new(BINARY))
    }

    /// The same by way of a command that runs the program named by its last argument.
    pub fn start_by(self, command: Command) -> Server {
        let mut child = serve(&self, command);
        let stdout = child.stdout.take().expect("stdout is piped");
        let log = Log::of(&mut child);
        let (http, rtmp, ready) = Default::default();
        let mut server = Server { child, log, site: Some(self), http, rtmp, ready };
        let ready = first_line(stdout).unwrap_or_else(|| panic!("no ready line"));
        (server.http, server.rtmp) = (address(&ready, "http="), address(&ready, "rtmp="));
        server.ready = ready;
        server
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.left && thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("left as it is: {}", self.folder.path().display());
        }
    }
}

fn serve(site: &Site, mut command: Command) -> Child {
    let folder = site.folder.path();
    command.env("HEADWATER_SRT__LISTEN", "127.0.0.1:0").env("HEADWATER_SRT__ENABLED", site.srt.to_string());
    if site.any_disk {
        command.env("HEADWATER_STORAGE__KEEP_FREE", "0B");
    }
    command.current_dir(folder).args(["serve", "--config", "headwater.toml", "--data", "data"]);
    command.env("RUST_LOG", "info").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary runs")
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, line) = sync_channel(1);
    thread::spawn(move || {
        let mut text = String::new();
        let read = BufReader::new(stdout).read_line(&mut text);
        let _ = sender.send((read.is_ok() && !text.is_empty()).then_some(text));
    });
    line.recv_timeout(READY).ok().flatten()
}

fn address(ready: &str, name: &str) -> String {
    let word = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
    word.unwrap_or_else(|| panic!("no {name} in {ready:?}")).to_owned()
}

/// What the server's panic hook writes (`src/log.rs` has a test of it).
const PANIC: &str = "panic: ";

/// A server that listens. When dropped it is killed; it must not have panicked until then.
pub struct Server {
    child: Child,
    log: Log,
    site: Option<Site>,
    http: String,
    rtmp: String,
    ready: String,
}

impl Server {
    /// On a site of its own.
    pub fn start(settings: &str, entries: &[&str]) -> Server {
        Site::new(settings, entries).start()
    }

    /// Where the HTTP listener stands.
    pub fn http(&self) -> SocketAddr {
        self.http.parse().expect("an address in the ready line")
    }

    /// Where the RTMP listener stands.
    pub fn rtmp(&self) -> SocketAddr {
        self.rtmp.parse().expect("an address in the ready line")
    }

    /// Where another listener stands, by its name in the ready line.
    pub fn listener(&self, name: &str) -> SocketAddr {
        address(&self.ready, &format!("{name}=")).parse().expect("an address in the ready line")
    }

    /// Where the SRT listener stands, on a site whose settings speak of it.
    pub fn srt(&self) -> SocketAddr {
        self.listener("srt")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the kernel knows of its process: a file of `/proc/PID`.
    pub fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.pid());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The folder of its configuration, which has its data directory in it.
    pub fn folder(&self) -> &Path {
        self.site.as_ref().expect("a server has a site").folder()
    }

    /// Where an encoder publishes to an entry.
    pub fn publish_url(&self, entry: &str) -> String {
        format!("rtmp://{}/live/key-{entry}", self.rtmp)
    }

    /// Any URL of the RTMP listener.
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp)
    }

    /// Any URL of the HTTP listener.
    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.http)
    }

    /// Where a viewer plays an entry.
    pub fn play(&self, entry: &str) -> Entry {
        Entry { base: format!("http://{}/play/{entry}/", self.http) }
    }

    /// What it said on stderr so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// SIGHUP: the files of the certificate are ready.
    pub fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("a child of ours");
    }

    /// SIGTERM, without waiting for what comes of it.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a child of ours");
    }

    /// SIGTERM: it must exit with 0 within 10 s.
    pub fn stop(self) -> Site {
        let asked = Instant::now();
        self.terminate();
        self.stopped(asked)
    }

    /// Waits for what was asked to stop then: it must exit with 0 within 10 s.
    pub fn stopped(mut self, asked: Instant) -> Site {
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "took {:?} to stop", asked.elapsed());
        self.site.take().expect("a server has a site")
    }

    /// SIGKILL: what a power cut leaves of a process.
    pub fn kill(mut self) -> Site {
        self.child.kill().expect("it runs");
        self.wait();
        self.site.take().expect("a server has a site")
    }

    fn wait(&mut self) -> ExitStatus {
        within(12, "the server exits", || self.child.try_wait().expect("a child of ours"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.finish();
        let log = self.log.text();
        if thread::panicking() {
            eprintln!("--- stderr of the server\n{log}---");
        } else {
            assert!(!log.contains(PANIC), "the server panicked:\n{log}");
        }
    }
}

/// A live entry as a viewer sees it.
#[derive(Clone)]
pub struct Entry {
    base: String,
}

impl Entry {
    /// The URL of something below it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What a GET answers.
    pub fn get(&self, path: &str) -> Answer {
        get(&self.url(path), &[])
    }

    /// The text at `path`, as soon as it is there.
    pub fn wait_for(&self, path: &str) -> String {
        within(20, &self.url(path), || Some(self.get(path)).filter(|answer| answer.status == 200)).text()
    }
}

/// Collects stderr.
struct Log {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    fn of(child: &mut Child) -> Log {
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let text = Arc::new(Mutex::new(String::new()));
        let sink = text.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                sink.lock().expect("no reader panics").push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Log { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().expect("no reader panics").clone()
    }

    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
