//! Clips and downloads: cut while live and afterwards, played and kept as a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::show::Show;
use crate::support::hls::Media;
use crate::support::http::{get, request};
use crate::support::probe::packets;
use crate::support::push::run;
use crate::support::server::Entry;
use crate::support::{Server, within};

/// More than a clip has any reason to take, on a machine that does other things too.
const AT_ONCE: Duration = Duration::from_secs(2);

fn listed(entry: &Entry) -> Media {
    let answer = entry.get("video-1.m3u8");
    assert_eq!(answer.status, 200);
    Media::parse(&answer.text())
}

/// The one recording of a show, once it holds so many seconds.
fn recording(show: &Show, seconds: usize) -> String {
    let path = format!("/entries/{}/recordings", show.id);
    let id =
        within(20, "a recording", || Some(show.api.get(&path).done()["items"][0]["id"].as_str()?.to_owned()));
    within(40, "something recorded", || {
        let answer = show.public.get("video-1.m3u8?start=0");
        (answer.status == 200 && Media::parse(&answer.text()).segments.len() > seconds).then_some(())
    });
    id
}

fn saved(folder: &Path, name: &str, body: &[u8]) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, body).expect("written");
    file
}

/// Frames that ffmpeg decodes of a track; an error of the decoder fails.
fn decoded(file: &Path, map: &str) -> usize {
    let path = file.to_str().expect("a path in UTF-8");
    let options = ["-v", "error", "-xerror", "-i", path, "-map", map, "-fps_mode", "passthrough"];
    let hashes = run("ffmpeg", &[&options[..], &["-f", "framehash", "-"]].concat());
    String::from_utf8_lossy(&hashes).lines().filter(|line| !line.starts_with('#')).count()
}

/// Samples that the segments of a playlist have, as ffprobe counts them.
fn samples(entry: &Entry, media: &Media, folder: &Path) -> usize {
    let mut file = entry.get(&media.segments[0].map).body;
    media.segments.iter().for_each(|segment| file.extend(entry.get(&segment.uri).body));
    packets(&saved(folder, "segments.mp4", &file), "v").packets.len()
}

#[test]
fn a_clip_is_cut_while_live_and_plays_the_very_segments() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    let recording = recording(&show, 6);
    let began = Instant::now();
    let created = show
        .api
        .post(&format!("/entries/{}/clips", show.id), &json!({"start": 1.5, "end": 4.5, "name": "goal"}));
    let created = created.done();
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(created["clip"]["ranges"], json!([{"recording": recording, "start": 1.0, "end": 5.0}]));
    let clip = server.play(created["id"].as_str().expect("an id"));
    let media = listed(&clip);
    assert!(
        media.ended && media.segments.len() == 4,
        "from the segment with the start to the one with the end"
    );
    for segment in &media.segments {
        let (of_clip, aired) = (clip.get(&segment.uri), show.public.get(&segment.uri));
        assert_eq!((of_clip.status, aired.status), (200, 200), "{}", segment.uri);
        assert_eq!(of_clip.body, aired.body, "{}: nothing is copied or changed", segment.uri);
        assert_eq!(of_clip.header("etag"), aired.header("etag"));
    }
    assert!(clip.get("manifest.mpd").text().contains("type=\"static\""));
    let still_live = show.public.get("download.mp4");
    assert_eq!(still_live.status, 409, "there is a file when it is over");
}

#[test]
fn a_clip_and_a_recording_are_downloaded_as_one_file() {
    let server = Server::start("", &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    let recording = recording(&show, 8);
    show.act("end").done();
    drop(push);
    within(10, "its recording in place of the stream", || {
        (listed(&show.public).segments.len() > 6).then_some(())
    });
    let body = json!({"ranges": [{"start": 1, "end": 3}, {"start": 5.2, "end": 5.8}]});
    let created = show.api.post(&format!("/entries/{}/clips", show.id), &body).done();
    let id = created["id"].as_str().expect("an id");
    assert_eq!(created["clip"]["duration"], json!(3.0));
    for entry in [server.play(id), server.play(&recording)] {
        let media = listed(&entry);
        let answer = entry.get("download.mp4");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let url = entry.url("download.mp4");
        check_ranges(&url, &answer.body, answer.header("etag"));
        let file = saved(folder.path(), "download.mp4", &answer.body);
        assert_eq!(&answer.body[4..8], b"ftyp");
        let moov = answer.body.windows(4).position(|it| it == b"moov").expect("moov");
        assert!(moov < 64, "fast start: ISO/IEC 14496-12 lets moov stand before mdat");
        let frames = samples(&entry, &media, folder.path());
        assert_eq!((packets(&file, "v").packets.len(), decoded(&file, "0:v")), (frames, frames));
        assert!(decoded(&file, "0:a") > 40);
        let seconds: f64 = media.segments.iter().map(|segment| segment.seconds()).sum();
        let (last, track) = (packets(&file, "v").packets, packets(&file, "v"));
        let shown = track.millis(last.last().expect("a packet").dts) / 1000.0;
        assert!((seconds - shown).abs() < 0.2, "{shown} of {seconds} s");
    }
    let disposition = get(&server.play(id).url("download.mp4"), &[]).header("content-disposition").to_owned();
    assert_eq!(disposition, format!("attachment; filename=\"{id}.mp4\""));
    assert_eq!(server.play(id).get("download.mp4?rendition=video-9").status, 404);
}

/// RFC 9110 §14: any range of it is what the whole has there; §13: who has it is not sent it again.
fn check_ranges(url: &str, whole: &[u8], etag: &str) {
    let len = whole.len();
    for (first, last) in [(0, 0), (10, 5000), (len / 2 - 7, len / 2 + 70_000), (len - 100, len - 1)] {
        let last = last.min(len - 1);
        let part = get(url, &[("range", &format!("bytes={first}-{last}"))]);
        assert_eq!((part.status, part.header("etag")), (206, etag));
        assert_eq!(part.header("content-range"), format!("bytes {first}-{last}/{len}"));
        assert!(part.body == whole[first..=last], "{first}-{last}");
    }
    assert_eq!(get(url, &[("range", &format!("bytes={len}-"))]).status, 416);
    assert_eq!(get(url, &[("if-none-match", etag)]).status, 304);
    let head = request("HEAD", url, &[]);
    assert_eq!((head.status, head.header("content-length")), (200, &*len.to_string()));
}

#[test]
fn a_clip_outlives_the_entry_that_it_was_cut_of() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    recording(&show, 4);
    let created =
        show.api.post(&format!("/entries/{}/clips", show.id), &json!({"start": 0, "end": 2})).done();
    let clip = server.play(created["id"].as_str().expect("an id"));
    let media = listed(&clip);
    show.api.delete(&format!("/entries/{}", show.id)).done();
    drop(push);
    assert_eq!(clip.get(&media.segments[0].uri).status, 200);
    let server = server.stop().start();
    let clip = server.play(created["id"].as_str().expect("an id"));
    assert_eq!(clip.get("master.m3u8").status, 200, "also after a restart");
    assert_eq!(clip.get(&media.segments[0].uri).status, 200);
    let gone = server.play(&show.id).get("master.m3u8");
    assert_eq!(gone.status, 404);
}
