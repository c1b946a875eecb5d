//! Coded pictures from ffmpeg, and images as it sees them.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Once;

/// Makes the libraries ready.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        transcode::start().expect("the libraries");
    });
}

/// How a picture is coded.
pub(crate) struct Coding<'a> {
    /// A source of lavfi, with filters.
    pub(crate) source: &'a str,
    pub(crate) pixels: &'a str,
    /// Matrix and the like that the picture says of itself; nothing where it is empty.
    pub(crate) matrix: &'a str,
    pub(crate) x264: &'a str,
}

impl<'a> Coding<'a> {
    pub(crate) fn of(source: &'a str) -> Coding<'a> {
        Coding { source, pixels: "yuv420p", matrix: "", x264: "" }
    }

    /// Its decoder configuration and its sample.
    pub(crate) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        self.keyframe(0)
    }

    /// The same of the keyframe that so many come before.
    pub(crate) fn keyframe(&self, before: usize) -> (Vec<u8>, Vec<u8>) {
        let frames = (1 + before * 30).to_string();
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", self.source]);
        ffmpeg.args([
            "-frames:v",
            &frames,
            "-g",
            "10",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-threads",
            "1",
        ]);
        ffmpeg.args(["-pix_fmt", self.pixels]);
        for option in ["-colorspace", "-color_primaries", "-color_trc"] {
            ffmpeg.args((!self.matrix.is_empty()).then_some([option, self.matrix]).into_iter().flatten());
        }
        ffmpeg.args((!self.x264.is_empty()).then_some(["-x264-params", self.x264]).into_iter().flatten());
        let output = ffmpeg.args(["-f", "flv", "-"]).stderr(Stdio::inherit()).output().expect("ffmpeg runs");
        assert!(output.status.success(), "ffmpeg: {}", output.status);
        picture(&output.stdout, before)
    }
}

/// The body of a configuration box and the sample of a picture that `encoder` makes, from a fragmented MP4.
pub(crate) fn fragmented(encoder: &[&str], configuration: &[u8; 4]) -> (Vec<u8>, Vec<u8>) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(
        "-hide_banner -nostdin -loglevel error -f lavfi -i testsrc2=size=320x180 -frames:v 1".split(' '),
    );
    ffmpeg.args(encoder).args("-f mp4 -movflags empty_moov+frag_keyframe+default_base_moof -".split(' '));
    let output = ffmpeg.stderr(Stdio::null()).output().expect("ffmpeg runs");
    assert!(output.status.success(), "ffmpeg: {}", output.status);
    let body = |kind: &[u8; 4]| {
        let at = output.stdout.windows(4).position(|word| word == kind).expect("the box");
        let size = output.stdout[at - 4..at].try_into().map(u32::from_be_bytes).expect("four bytes");
        output.stdout[at + 4..at - 4 + size as usize].to_vec()
    };
    (body(configuration), body(b"mdat"))
}

/// The configuration and a keyframe of an FLV file (Adobe FLV v10.1 §E.4.3.1).
fn picture(flv: &[u8], before: usize) -> (Vec<u8>, Vec<u8>) {
    let mut rest = &flv[13..];
    let (mut record, mut keyframes) = (None, Vec::new());
    while let Some((head, after)) = rest.split_at_checked(11) {
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        let (body, next) = after.split_at(size);
        match (head[0], body[0] >> 4, body.get(1)) {
            (9, _, Some(0)) => record = Some(body[5..].to_vec()),
            (9, 1, Some(1)) => keyframes.push(body[5..].to_vec()),
            _ => {}
        }
        rest = next.get(4..).unwrap_or_default();
    }
    (record.expect("a configuration"), keyframes.swap_remove(before))
}

/// Width, height and pixels of a JPEG, as another decoder sees them.
pub(crate) fn rgb(jpeg: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-loglevel", "error", "-f", "mjpeg", "-i", "-", "-pix_fmt", "rgb24"]);
    let mut child = ffmpeg
        .args(["-f", "image2pipe", "-c:v", "ppm", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg runs");
    child.stdin.take().expect("piped").write_all(jpeg).expect("ffmpeg reads");
    let output = child.wait_with_output().expect("ffmpeg ends");
    ppm(&output.stdout)
}

/// `P6 WIDTH HEIGHT 255` and the pixels.
fn ppm(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut words = bytes.splitn(5, |byte| byte.is_ascii_whitespace());
    let mut word = || std::str::from_utf8(words.next().expect("a header")).expect("ASCII").to_owned();
    assert_eq!(word(), "P6");
    let (width, height) = (word().parse().expect("a width"), word().parse().expect("a height"));
    let pixels = words.nth(1).expect("pixels").to_vec();
    (width, height, pixels)
}

/// A sequence parameter set of Baseline at level 6.2 (ITU-T H.264 §7.3.2.1.1) for a picture of any size.
pub(crate) fn huge_sps(width: u32, height: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    // log2_max_frame_num, pic_order_cnt_type 2, one reference frame, no gaps.
    for value in [0, 0, 2, 1] {
        bits.exp_golomb(value);
    }
    bits.fixed(0, 1);
    bits.exp_golomb(width / 16 - 1);
    bits.exp_golomb(height / 16 - 1);
    // Frames only, direct 8x8, no cropping, no VUI, stop bit.
    bits.fixed(0b11001, 5);
    let mut nal = vec![0x67, 66, 0, 62];
    nal.extend(bits.bytes());
    nal
}

/// A record with this sequence parameter set and a picture parameter set.
pub(crate) fn record_with(sps: &[u8]) -> Vec<u8> {
    let pps = [0x68, 0xce, 0x38, 0x80];
    let mut record = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
    record.extend((sps.len() as u16).to_be_bytes());
    record.extend(sps);
    record.push(1);
    record.extend((pps.len() as u16).to_be_bytes());
    record.extend(pps);
    record
}

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn fixed(&mut self, value: u32, bits: u32) {
        self.0.extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
    }

    /// ue(v), ITU-T H.264 §9.1.
    fn exp_golomb(&mut self, value: u32) {
        let bits = (value + 1).ilog2();
        self.fixed(0, bits);
        self.fixed(value + 1, bits + 1);
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter().enumerate().fold(0, |sum, (at, &bit)| sum | u8::from(bit) << (7 - at))
        };
        self.0.chunks(8).map(byte).collect()
    }
}
