//! Images, and the worker that makes them.

use std::path::Path;
use std::time::Duration;

use rustix::process::Pid;
use ureq::Agent;

use super::http::Answer;
use super::push::run;
use super::server::{BINARY, Server};
use super::wait::within;

/// The worker's program has to stand beside the server's; `cargo test --workspace` builds it.
pub fn assert_built() {
    let worker = Path::new(BINARY).with_file_name("headwater-worker");
    assert!(worker.is_file(), "{} is not there: cargo build -p headwater-transcode", worker.display());
}

/// The worker of a server that has made an image.
pub fn worker(server: &Server) -> Pid {
    let children =
        |task: &str| std::fs::read_to_string(format!("/proc/{}/task/{task}/children", server.pid()));
    within(10, "the worker", || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("a running server");
        let tasks = tasks.filter_map(|task| children(task.ok()?.file_name().to_str()?).ok());
        let pids = tasks.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        pids.filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).next()
    })
}

/// Keeps an answer as a file.
pub fn keep(answer: &Answer, file: &Path) {
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/jpeg"));
    std::fs::write(file, &answer.body).expect("a file");
}

/// GET with more patience than a worker is given.
pub fn patient(url: &str) -> (u16, String) {
    let patience = Some(Duration::from_secs(40));
    let agent = Agent::config_builder().http_status_as_error(false).timeout_global(patience).build();
    let answer = Agent::from(agent).get(url).call();
    let mut answer = answer.unwrap_or_else(|error| panic!("GET {url}: {error}"));
    (answer.status().as_u16(), answer.body_mut().read_to_string().expect("a body in UTF-8"))
}

/// Width and height of an image.
pub fn size(image: &Path) -> (u32, u32) {
    let path = image.to_str().expect("a path in UTF-8");
    let fields = ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", path];
    let text = String::from_utf8(run("ffprobe", &fields)).expect("ffprobe writes UTF-8");
    let (width, height) = text.trim().split_once(',').expect("two numbers");
    (width.parse().expect("a width"), height.parse().expect("a height"))
}

/// How much an image is like the picture of a file at a time, in dB, in the image's size.
pub fn psnr(image: &Path, file: &Path, seconds: f64, (width, height): (u32, u32)) -> f64 {
    let (image, file) = (image.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    let at = seconds.to_string();
    let graph = format!(
        "[0]scale=out_range=tv,format=yuv420p[a];[1]scale={width}:{height}[b];[a][b]psnr=stats_file=-"
    );
    let inputs = ["-hide_banner", "-v", "error", "-nostdin", "-i", image, "-ss", &at, "-i", file];
    let output = ["-lavfi", &graph, "-frames:v", "1", "-f", "null", "-"];
    let text = String::from_utf8(run("ffmpeg", &[&inputs[..], &output].concat())).expect("UTF-8");
    let average = text.split("psnr_avg:").nth(1).and_then(|rest| rest.split_whitespace().next());
    average.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no PSNR: {text:?}"))
}
