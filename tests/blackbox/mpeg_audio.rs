//! MPEG audio from a real encoder: what broadcasters send beside H.264 comes back frame by frame by every protocol that
//! can carry it, and from its recording.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use crate::support::hls::{Media, children};
use crate::support::probe::hashes;
use crate::support::push::run;
use crate::support::server::Entry;
use crate::support::smooth::Manifest;
use crate::support::source::kept;
use crate::support::transport::Transport;
use crate::support::{Download, Push, Server, within};

/// Ends soon, so that what was sent last is there soon.
const SETTINGS: &str = "stream.reconnect = \"1s\"\npackager.segment = \"1s\"\nrecorder.mode = \"append\"\nsrt.latency = \"200ms\"\n";

/// What is sent, and what it is called.
#[derive(Clone, Copy)]
struct Case {
    entry: &'static str,
    sound: &'static str,
    codecs: &'static str,
    channels: &'static str,
    stream_type: u8,
}

/// MPEG-1 of two channels.
const MPEG1: Case = Case {
    entry: "a",
    sound: "-ar 48000 -ac 2 -b:a 192k",
    codecs: "mp4a.6B",
    channels: "2",
    stream_type: 0x03,
};
/// The lower sampling rates of MPEG-2, one channel.
const MPEG2: Case = Case {
    entry: "b",
    sound: "-ar 24000 -ac 1 -b:a 64k",
    codecs: "mp4a.69",
    channels: "1",
    stream_type: 0x04,
};

impl Case {
    /// Eight seconds of it as MPEG-TS.
    fn file(self) -> PathBuf {
        let words = format!(
            "-hide_banner -nostdin -loglevel error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=8 \
             -f lavfi -i sine=frequency=440:sample_rate=48000:duration=8 -c:v libx264 -preset ultrafast \
             -pix_fmt yuv420p -bf 0 -g 25 -keyint_min 25 -sc_threshold 0 -threads 1 -c:a mp2 {} \
             -metadata:s:a language=fra",
            self.sound
        );
        kept(&words.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>(), "mpegts")
    }
}

/// All that came is a run of what was sent, and nearly all of it: a stream begins with its first keyframe, and ends as its
/// connection does.
fn assert_run(got: &[String], case: Case, what: &str) {
    let sent = hashes(&case.file(), "a");
    assert!(got.len() + 25 >= sent.len(), "{what}: {} of {} frames", got.len(), sent.len());
    let is_run = sent.windows(got.len()).any(|window| window == got);
    assert!(is_run, "{what}: {} frames are no run of {}", got.len(), sent.len());
}

/// Frames of the sound in one period.
fn frames(download: &Download, folder: &Path) -> Vec<String> {
    let stretches = download.of("audio-1");
    let &[stretch] = &stretches[..] else { panic!("{} periods", stretches.len()) };
    hashes(&stretch.write(folder, "sound"), "a")
}

/// On air: HLS and DASH carry it and say what it is.
fn on_air(play: &Entry, case: Case) -> Download {
    let master = play.wait_for("master.m3u8");
    assert!(master.contains(&format!(",{}\"", case.codecs)), "{master}");
    let group = format!("LANGUAGE=\"fr\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"{}\"", case.channels);
    assert!(master.contains(&group), "{master}");
    let mpd = play.wait_for("manifest.mpd");
    let channels =
        format!("schemeIdUri=\"urn:mpeg:mpegB:cicp:ChannelConfiguration\" value=\"{}\"", case.channels);
    for said in [&format!("codecs=\"{}\"", case.codecs), &channels, "lang=\"fr\""] {
        assert!(mpd.contains(said), "{said} in {mpd}");
    }
    let smooth = Manifest::parse(&play.wait_for("Manifest"));
    let kinds: Vec<&str> = smooth.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert!(kinds.iter().all(|kind| kind.starts_with("video")), "Smooth has pictures alone: {kinds:?}");
    let (hls, dash) = std::thread::scope(|scope| {
        let dash = scope.spawn(|| Download::dash(play));
        (Download::hls(play), dash.join().expect("DASH"))
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let by_hls = frames(&hls, folder.path());
    assert_run(&by_hls, case, "HLS");
    assert!(frames(&dash, folder.path()) == by_hls, "DASH has the same frames");
    hls
}

/// It is over, and the server has been restarted: all of it comes from the recording.
fn recorded(play: &Entry, case: Case, aired: &Download) {
    let again = Download::hls(play);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all = frames(&again, folder.path());
    assert!(all == frames(aired, folder.path()), "the same frames as on air");
    let (then, now) = (aired.of("audio-1"), again.of("audio-1"));
    assert_eq!(then[0].header, now[0].header, "the same initialization segment");

    let transport = mpeg_ts(play, folder.path(), case);
    assert_run(&transport, case, "MPEG-TS");

    let answer = play.get("download.mp4");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let file = folder.path().join("download.mp4");
    std::fs::write(&file, answer.body).expect("a file");
    assert!(hashes(&file, "a") == all, "the download has the same frames");
    let path = file.to_str().expect("UTF-8");
    // FFmpeg takes the object type for MP3 until it reads frames, and decodes all of them.
    let said = run("ffmpeg", &["-v", "error", "-i", path, "-map", "0:a", "-f", "framemd5", "-"]);
    let decoded = String::from_utf8(said).expect("text");
    assert_eq!(decoded.lines().filter(|line| !line.starts_with('#')).count(), all.len());
}

/// Frames of the sound in segments of MPEG-TS beside the pictures.
fn mpeg_ts(play: &Entry, folder: &Path, case: Case) -> Vec<String> {
    let master = play.wait_for("ts/master.m3u8");
    assert!(master.contains(&format!(",{}\"", case.codecs)), "{master}");
    let (_, uri) = children(&master).into_iter().next().expect("a variant");
    let media = Media::parse(&play.wait_for(&format!("ts/{uri}")));
    let bytes: Vec<u8> =
        media.segments.iter().flat_map(|segment| play.get(&format!("ts/{}", segment.uri)).body).collect();
    let types: Vec<u8> = Transport::read(&bytes).streams.values().map(|stream| stream.kind).collect();
    assert_eq!(types, [0x1b, case.stream_type]);
    let file = folder.join("got.ts");
    std::fs::write(&file, bytes).expect("a file");
    hashes(&file, "a")
}

#[test]
fn mpeg_audio_by_srt_and_tcp_comes_back_live_and_from_its_recording() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr()).expect("a port");
    let input = format!("[[inputs]]\nentry = \"b\"\nurl = \"tcp://{port}?listen\"\n");
    let server = Server::start(&format!("{SETTINGS}{input}"), &["a", "b"]);
    let srt = format!("srt://{}?streamid=publish:key-a&pkt_size=1316", server.srt());
    let aired = std::thread::scope(|scope| {
        let cases = [(MPEG1, srt), (MPEG2, format!("tcp://{port}"))];
        let aired = cases.map(|(case, url)| {
            let (server, file) = (&server, case.file());
            scope.spawn(move || {
                let push = Push::transport(&url, &file, &["-re"]);
                let aired = on_air(&server.play(case.entry), case);
                push.done();
                aired
            })
        });
        aired.map(|aired| aired.join().expect("on air"))
    });
    let server = server.stop().start();
    for (case, aired) in [MPEG1, MPEG2].into_iter().zip(&aired) {
        let play = server.play(case.entry);
        within(20, "its recording", || (play.get("master.m3u8").status == 200).then_some(()));
        recorded(&play, case, aired);
    }
}
