//! The first minute of a newcomer: `headwater demo`.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::http::get;
use crate::support::within;

struct Demo {
    child: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(path: Option<&str>) -> Demo {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.arg("demo").env("HEADWATER_HTTP__LISTEN", "127.0.0.1:0");
        command.env("HEADWATER_SRT__LISTEN", "127.0.0.1:0");
        command.env("HEADWATER_RTMP__LISTEN", "127.0.0.1:0").env_remove("RUST_LOG");
        path.map(|path| command.env("PATH", path));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let lines = lines(child.stdout.take().expect("stdout is piped"));
        Demo { child, lines }
    }

    /// Reads on until a line has `word` in it.
    fn wait_for(&self, word: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("no line with {word:?}"));
            if line.contains(word) {
                return line;
            }
        }
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a child of ours");
        let status = within(10, "the demo ends", || self.child.try_wait().expect("a child of ours"));
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = sync_channel(100);
    thread::spawn(move || {
        let all = BufReader::new(stdout).lines().map_while(Result::ok);
        all.for_each(|line| drop(sender.send(line)));
    });
    lines
}

#[test]
fn the_demo_puts_a_picture_on_air_and_says_where_first_of_all_to_watch_it() {
    let demo = Demo::start(None);
    demo.wait_for("headwater ready");
    assert!(demo.wait_for("http://").contains("/watch/demo"), "the watch page comes first");
    let hls = demo.wait_for("HLS");
    let dash = demo.wait_for("DASH");
    demo.wait_for("On air");
    for (line, beginning) in [(hls, "#EXTM3U"), (dash, "<?xml")] {
        let url = line.split_whitespace().last().expect("a URL").to_owned();
        let answer = get(&url, &[]);
        assert_eq!(answer.status, 200, "{url}");
        assert!(answer.text().starts_with(beginning), "{url}");
    }
    demo.stop();
}

#[test]
fn without_ffmpeg_the_demo_says_so_and_serves() {
    let demo = Demo::start(Some("/nonexistent"));
    let ready = demo.wait_for("headwater ready");
    demo.wait_for("ffmpeg is not installed");
    let http = ready.split_whitespace().find_map(|word| word.strip_prefix("http=")).expect("an address");
    assert_eq!(get(&format!("http://{http}/healthz"), &[]).status, 200);
    demo.stop();
}
