//! The program: what it says, what it may use, and when it ends.

mod common;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use common::Coding;
use worker_protocol::frame::{Prefix, before_payload, parse_head};
use worker_protocol::{Codec, Coded, Form, Hello, Reply, Request, VERSION};

struct Worker(Child);

impl Worker {
    fn start() -> (Worker, Hello) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater-worker"));
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut worker = Worker(command.spawn().expect("the worker runs"));
        let (hello, _) = worker.read();
        let hello = parse_head(&hello).expect("a hello");
        (worker, hello)
    }

    fn read(&mut self) -> (Vec<u8>, Vec<u8>) {
        let stdout = self.0.stdout.as_mut().expect("piped");
        let mut prefix = [0; Prefix::LEN];
        stdout.read_exact(&mut prefix).expect("a message");
        let prefix = Prefix::parse(prefix).expect("within the limits");
        let (mut head, mut payload) = (vec![0; prefix.head], vec![0; prefix.payload]);
        stdout.read_exact(&mut head).expect("a head");
        stdout.read_exact(&mut payload).expect("a payload");
        (head, payload)
    }

    fn ask(&mut self, record: &[u8], sample: &[u8], width: u32) -> (Reply, Vec<u8>) {
        let (configuration, length) = (record.len() as u32, sample.len() as u32);
        let pictures = vec![Coded { codec: Codec::H264, configuration, sample: length }];
        let request = Request { pictures, form: Form::Single { width }, quality: 80 };
        let head = before_payload(&request, record.len() + sample.len()).expect("short");
        let stdin = self.0.stdin.as_mut().expect("piped");
        stdin.write_all(&[&head, record, sample].concat()).expect("the worker reads");
        let (head, payload) = self.read();
        (parse_head(&head).expect("a reply"), payload)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_hello_answers_and_ends_with_its_input() {
    let (mut worker, hello) = Worker::start();
    assert_eq!(hello.protocol, VERSION);
    assert!(hello.libraries.starts_with("libavcodec "), "{}", hello.libraries);
    let (record, sample) = Coding::of("testsrc2=size=1280x720").encode();
    for width in [320, 640] {
        let (reply, jpeg) = worker.ask(&record, &sample, width);
        assert_eq!(reply, Reply::Image { width, height: width * 9 / 16, missing: 0 });
        assert!(jpeg.starts_with(&[0xff, 0xd8]));
    }
    let refused = worker.ask(&record, &sample[..sample.len() / 2], 320);
    assert!(matches!(refused, (Reply::Refused(_), _)));
    assert!(matches!(worker.ask(&record, &sample, 320), (Reply::Image { .. }, _)));
    drop(worker.0.stdin.take());
    assert!(worker.0.wait().expect("it ends").success());
}

#[test]
fn it_bounds_itself_before_it_reads() {
    let (worker, _) = Worker::start();
    let proc = |process: &str, file: &str| {
        std::fs::read_to_string(format!("/proc/{process}/{file}")).expect("a running process")
    };
    let worker = worker.0.id().to_string();
    let limits = proc(&worker, "limits");
    for (name, limit) in [
        ("Max address space", transcode::limits::MEMORY),
        ("Max cpu time", transcode::limits::CPU),
        ("Max core file size", 0),
        ("Max file size", 0),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).expect("a limit");
        let words: Vec<_> = line[name.len()..].split_whitespace().collect();
        assert_eq!(words[..2], [limit.to_string(), limit.to_string()], "{line}");
    }
    let nice = |process: &str| -> Option<i32> {
        let stat = proc(process, "stat");
        stat.rsplit(')').next()?.split_whitespace().nth(16)?.parse().ok()
    };
    let own = nice("self").expect("a niceness");
    assert_eq!(nice(&worker), Some((own + 10).min(19)), "it is polite to what is live");
}

#[test]
fn the_largest_picture_that_is_usual_fits_its_memory() {
    let (mut worker, _) = Worker::start();
    let (record, sample) = Coding::of("testsrc2=size=7680x4320").encode();
    let (reply, _) = worker.ask(&record, &sample, 1920);
    assert_eq!(reply, Reply::Image { width: 1920, height: 1080, missing: 0 });
}
