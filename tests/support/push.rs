//! The system's ffmpeg as encoder.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::ffmpeg;
use super::server::Server;
use super::wait::within;

/// An ffmpeg that publishes; killed when dropped.
pub struct Push {
    child: Option<Child>,
}

impl Push {
    /// Publishes a file to an entry in real time.
    pub fn live(server: &Server, entry: &str, file: &Path) -> Push {
        Push::to(&server.publish_url(entry), file, &["-re"], &[])
    }

    /// Publishes a file to an entry as fast as the server takes it.
    pub fn fast(server: &Server, entry: &str, file: &Path) -> Push {
        Push::to(&server.publish_url(entry), file, &[], &[])
    }

    /// Publishes a file by copying its streams. `before` are options of the input, `after` of the output.
    pub fn to(url: &str, file: &Path, before: &[&str], after: &[&str]) -> Push {
        Push::copy(file, before, &[after, &["-f", "flv", url]].concat())
    }

    /// The same as an MPEG transport stream.
    pub fn transport(url: &str, file: &Path, before: &[&str]) -> Push {
        Push::copy(file, before, &["-f", "mpegts", url])
    }

    fn copy(file: &Path, before: &[&str], after: &[&str]) -> Push {
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-nostdin", "-loglevel", "verbose"]);
        command.args(before).arg("-i").arg(file).args(["-map", "0", "-c", "copy"]).args(after);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Push { child: Some(command.spawn().expect("ffmpeg runs")) }
    }

    /// Publishes files of one track each as one name by Enhanced RTMP, with the newer FFmpeg.
    pub fn enhanced(url: &str, files: &[&Path]) -> Push {
        Push::newer(&ffmpeg::publish(files, &[], url))
    }

    /// The same in real time.
    pub fn enhanced_live(url: &str, files: &[&Path]) -> Push {
        Push::newer(&ffmpeg::publish(files, &["-re"], url))
    }

    fn newer(arguments: &[String]) -> Push {
        let program = ffmpeg::newer();
        let mut command = Command::new(&program);
        command.args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = command.spawn();
        let hint = "scripts/setup --tests installs it";
        Push { child: Some(started.unwrap_or_else(|error| panic!("{}: {error}; {hint}", program.display()))) }
    }

    /// Runs a command as a person pastes it into a shell.
    pub fn pasted(line: &str) -> Push {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("exec {line}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Push { child: Some(command.spawn().expect("sh runs")) }
    }

    /// SIGKILL, as when an encoder loses its power.
    pub fn kill(mut self) {
        let mut child = self.child.take().expect("it runs until it is taken");
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
    }

    /// SIGSTOP, as when an encoder hangs. It is killed all the same when dropped.
    pub fn pause(&self) {
        let child = self.child.as_ref().expect("it runs until it is taken");
        kill_process(Pid::from_child(child), Signal::STOP).expect("a child of ours");
    }

    /// Waits for it to have sent everything; panics when it was refused.
    pub fn done(self) {
        let (success, said) = self.outcome();
        assert!(success, "ffmpeg failed:\n{said}");
    }

    /// Waits for its end: whether it sent everything, and what it said.
    pub fn outcome(mut self) -> (bool, String) {
        let child = self.child.as_mut().expect("it runs until it is taken");
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stderr, &mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let status = within(60, "ffmpeg ends", || child.try_wait().expect("a child of ours"));
        (status.success(), said.join().expect("a reader that does not panic"))
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs a tool of FFmpeg to its end and returns what it wrote on stdout.
pub fn run(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(tool).args(arguments).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(status.success(), "{tool} {arguments:?}:\n{}", String::from_utf8_lossy(&stderr));
    stdout
}
