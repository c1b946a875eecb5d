//! The system's ffmpeg as an encoder: a test picture with a running clock, and a tone.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// Between one ffmpeg and the next, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// One that lasted this long was well.
const WELL: Duration = Duration::from_secs(30);
/// For a look at what ffmpeg can do.
const PROBE: Duration = Duration::from_secs(10);

const ENCODERS: [(&str, &[&str]); 2] =
    [("libx264", &["-preset", "veryfast", "-tune", "zerolatency"]), ("libopenh264", &[])];

/// UTC, large, where no player has its buttons.
const CLOCK: &str = concat!(
    r"drawtext=text='%{gmtime\:%H\\\:%M\\\:%S} UTC':x=(w-tw)/2:y=h/8:fontsize=h/9:",
    "fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=20"
);

/// What ffmpeg is asked to do here.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    video: (&'static str, &'static [&'static str]),
    clock: bool,
}

/// Why there is no test picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missing {
    #[error("ffmpeg is not installed (Debian, Ubuntu: apt install ffmpeg)")]
    Ffmpeg,
    #[error("this ffmpeg has no H.264 encoder (libx264 or libopenh264)")]
    H264,
}

impl Encoder {
    /// Looks at what the system's ffmpeg can do.
    pub(super) async fn find() -> Result<Encoder, Missing> {
        if !works(&["-version"]).await {
            return Err(Missing::Ffmpeg);
        }
        for video in ENCODERS {
            if works(&["-f", "lavfi", "-i", "color=size=64x64", "-frames:v", "1", "-c:v", video.0]).await {
                // Drawing needs a font, which a bare machine may not have; the picture counts seconds anyway.
                let clock = works(&["-f", "lavfi", "-i", &format!("color,{CLOCK}"), "-frames:v", "1"]).await;
                return Ok(Encoder { video, clock });
            }
        }
        Err(Missing::H264)
    }

    /// Publishes to `url` for ever; whenever ffmpeg ends, `ended` is told its last words and it is started again.
    pub(super) async fn publish(&self, url: &str, mut ended: impl FnMut(&str)) -> ! {
        let mut pause = BACKOFF.0;
        loop {
            let begun = Instant::now();
            let words = match self.start(url) {
                Ok(child) => last_words(child).await,
                Err(error) => error.to_string(),
            };
            pause = if begun.elapsed() >= WELL { BACKOFF.0 } else { pause };
            ended(&words);
            sleep(pause).await;
            pause = (pause * 2).min(BACKOFF.1);
        }
    }

    fn start(&self, url: &str) -> std::io::Result<Child> {
        let mut picture = "testsrc2=size=1280x720:rate=30".to_owned();
        if self.clock {
            picture.push(',');
            picture.push_str(CLOCK);
        }
        let tone = "sine=frequency=440:beep_factor=2:sample_rate=48000,volume=0.2";
        let (codec, options) = self.video;
        let mut command = ffmpeg(&["-re", "-f", "lavfi", "-i", &picture, "-re", "-f", "lavfi", "-i", tone]);
        command.args(["-c:v", codec]).args(options);
        command.args(["-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k", "-g", "60"]);
        command.args(["-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-b:a", "128k", "-f", "flv", url]);
        command.stderr(Stdio::piped()).spawn()
    }
}

fn ffmpeg(arguments: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command
}

async fn works(arguments: &[&str]) -> bool {
    let mut command = ffmpeg(arguments);
    if arguments.len() > 1 {
        command.args(["-f", "null", "-"]);
    }
    let status = tokio::time::timeout(PROBE, command.status()).await;
    status.is_ok_and(|status| status.is_ok_and(|status| status.success()))
}

/// The last line that it says, once it has ended.
async fn last_words(mut child: Child) -> String {
    let said = match child.stderr.take() {
        Some(stderr) => last_line(stderr).await,
        None => String::new(),
    };
    match child.wait().await {
        Ok(status) if said.is_empty() => status.to_string(),
        _ => said,
    }
}

async fn last_line(from: impl AsyncRead + Unpin) -> String {
    let mut lines = BufReader::new(from).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        last = line;
    }
    last
}
